/*
 * store - one message on its way into the mail directory.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store.h"

#define HEAD_SIZE (64u * 1024)

static void
temporary_name(const struct store *store, const char *extension, struct text *name)
{
	text_clear(name);
	text_format(name, "%s/.%ld.%s", store->options->mail_directory, (long)getpid(), extension);
}

static void
final_name(const struct store *store, unsigned number, const char *extension, struct text *name)
{
	text_clear(name);
	text_format(name, "%s/%04u.%s", store->options->mail_directory, number, extension);
}

static int
create(struct store *store, const char *extension)
{
	struct text name = {0};
	int fd = -1;

	temporary_name(store, extension, &name);
	fd = open(text_string(&name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	store->has_failed |= fd < 0;
	text_free(&name);
	return fd;
}

static void
write_all(struct store *store, int fd, const char *bytes, size_t size)
{
	for (size_t at = 0; at < size && !store->has_failed;) {
		ssize_t n = write(fd, bytes + at, size - at);

		store->has_failed |= n < 0;
		at += n < 0 ? 0 : (size_t)n;
	}
}

static void
close_file(struct store *store, int *fd)
{
	if (*fd >= 0)
		store->has_failed |= close(*fd) != 0;
	*fd = -1;
}

static void
publish(struct store *store, unsigned number, const char *extension)
{
	struct text from = {0};
	struct text to = {0};

	temporary_name(store, extension, &from);
	final_name(store, number, extension, &to);
	store->has_failed |= rename(text_string(&from), text_string(&to)) != 0;
	text_free(&from);
	text_free(&to);
}

static void
discard(struct store *store, const char *extension)
{
	struct text name = {0};

	temporary_name(store, extension, &name);
	(void)unlink(text_string(&name));
	text_free(&name);
}

static void
write_envelope(struct store *store, const struct text *envelope)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[32] = {0};
	struct text text = {0};
	int fd = create(store, "env");

	text_append(&text, envelope->bytes, envelope->size);
	text_format(&text, "size %llu\n", store->size);
	if (store->hash != NULL) {
		gnutls_hash_output(store->hash, digest);
		text_add(&text, "sha256 ");
		for (size_t i = 0; i < sizeof(digest); i++)
			text_format(&text, "%c%c", digits[digest[i] >> 4], digits[digest[i] & 15]);
		text_add(&text, "\n");
	}
	write_all(store, fd, text.bytes, text.size);
	close_file(store, &fd);
	text_free(&text);
}

static void
release(struct store *store)
{
	close_file(store, &store->message_fd);
	close_file(store, &store->raw_fd);
	if (store->hash != NULL)
		gnutls_hash_deinit(store->hash, NULL);
	text_free(&store->head);
	*store = (struct store){.message_fd = -1, .raw_fd = -1};
}

unsigned
store_count(const char *directory)
{
	unsigned n = 0;
	bool exists = true;

	while (exists) {
		struct text name = {0};

		text_format(&name, "%s/%04u.env", directory, n + 1);
		exists = access(text_string(&name), F_OK) == 0;
		n += exists;
		text_free(&name);
	}
	return n;
}

void
store_begin(struct store *store, const struct options *options, unsigned connection)
{
	*store = (struct store){.options = options, .connection = connection, .message_fd = -1, .raw_fd = -1};
	if (options->mail_directory == NULL)
		return;
	if (options->discards) {
		store->has_failed |= gnutls_hash_init(&store->hash, GNUTLS_DIG_SHA256) < 0;
		return;
	}
	store->message_fd = create(store, "eml");
	store->raw_fd = create(store, "raw");
}

void
store_message(struct store *store, const char *bytes, size_t size)
{
	size_t room = HEAD_SIZE - store->head.size;

	store->size += size;
	if (room != 0)
		text_append(&store->head, bytes, size < room ? size : room);
	if (store->hash != NULL && size != 0)
		(void)gnutls_hash(store->hash, bytes, size);
	if (store->message_fd >= 0)
		write_all(store, store->message_fd, bytes, size);
}

void
store_raw(struct store *store, const char *bytes, size_t size)
{
	if (store->raw_fd >= 0)
		write_all(store, store->raw_fd, bytes, size);
}

bool
store_has_subject(const struct store *store, const char *word)
{
	const char *at = text_string(&store->head);
	const char *end = at + store->head.size;
	bool is_subject = false;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t size = newline == NULL ? (size_t)(end - at) : (size_t)(newline - at) + 1;

		if (at[0] == '\r' || at[0] == '\n')
			return false;
		if (at[0] != ' ' && at[0] != '\t')
			is_subject = text_begins(at, size, "Subject:");
		if (is_subject && memmem(at, size, word, strlen(word)) != NULL)
			return true;
		at += size;
	}
	return false;
}

unsigned
store_commit(struct store *store, struct shared *shared, const struct text *envelope)
{
	unsigned number = atomic_fetch_add(&shared->n_stored, 1) + 1;
	bool has_files = store->message_fd >= 0;

	if (store->options->mail_directory != NULL) {
		write_envelope(store, envelope);
		close_file(store, &store->message_fd);
		close_file(store, &store->raw_fd);
		publish(store, number, "env");
		if (has_files) {
			publish(store, number, "raw");
			publish(store, number, "eml");
		}
	}
	if (store->has_failed)
		number = 0;
	release(store);
	return number;
}

void
store_abort(struct store *store)
{
	if (store->options == NULL)
		return;
	if (store->message_fd >= 0 || store->raw_fd >= 0) {
		discard(store, "eml");
		discard(store, "raw");
	}
	release(store);
}
