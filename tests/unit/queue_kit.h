/* queue_kit.h - what the tests of the queue share: a folder that is removed at the end, a spool in it, entries to put into it. */

#ifndef TESTS_UNIT_QUEUE_KIT_H
#define TESTS_UNIT_QUEUE_KIT_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "mail/keep.h"
#include "queue/entry.h"
#include "queue/format.h"
#include "tap.h"

struct kit {
	char root[64];        /* the temporary folder */
	char path[96];        /* of the spool in it */
	struct spool_place place;
	struct spool spool;
	struct err err;
};

static inline int
kit_remove_one(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
	(void)facts;
	(void)kind;
	(void)walk;
	return remove(path);
}

static inline void
kit_open(struct kit *kit)
{
	*kit = (struct kit){0};
	snprintf(kit->root, sizeof(kit->root), "/tmp/queue-test-XXXXXX");
	if (mkdtemp(kit->root) == NULL)
		abort();
	snprintf(kit->path, sizeof(kit->path), "%s/spool", kit->root);
	kit->place.path = kit->path;
	if (!spool_open(&kit->spool, &kit->place, &kit->err)) {
		tap_note("%s", buf_text(&kit->err.text));
		abort();
	}
}

static inline void
kit_close(struct kit *kit)
{
	spool_free(&kit->spool);
	err_clear(&kit->err);
	nftw(kit->root, kit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path below the temporary folder; good until the next but three. */
static inline const char *
kit_path(const struct kit *kit, const char *rest)
{
	static char paths[4][256];
	static unsigned n;
	char *path = paths[n++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", kit->root, rest);
	return path;
}

/* The path of a file in a folder of the spool. */
static inline const char *
kit_file(const struct kit *kit, enum spool_folder folder, const char *name)
{
	char rest[160];

	snprintf(rest, sizeof(rest), "spool/%s/%s", spool_folder_name(folder), name);
	return kit_path(kit, rest);
}

/* How many names are in a folder. */
static inline size_t
kit_count(const struct kit *kit, enum spool_folder folder)
{
	DIR *stream = opendir(kit_file(kit, folder, ""));
	const struct dirent *found;
	size_t n = 0;

	if (stream == NULL)
		return 0;
	while ((found = readdir(stream)) != NULL)
		n += found->d_name[0] != '.';
	closedir(stream);
	return n;
}

static inline bool
kit_exists(const char *path)
{
	struct stat facts;

	return lstat(path, &facts) == 0;
}

static inline void
kit_write(const char *path, const char *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
}

/* The file's bytes are put into b. */
static inline void
kit_read(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	buf_clear(b);
	while (fd >= 0 && (n = read(fd, buf_reserve(b, 65536), 65536)) > 0)
		buf_grow(b, (size_t)n);
	if (fd >= 0)
		close(fd);
}

static inline void
kit_set_age(const char *path, time_t mtime)
{
	struct timespec times[2] = {{.tv_sec = mtime}, {.tv_sec = mtime}};

	if (utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) != 0)
		abort();
}

/* A message of `size` bytes of body, in memory while it is small. */
static inline void
kit_message(struct message *message, size_t size)
{
	struct keep keep = {0};
	struct err err = {0};

	keep_open(&keep, message);
	buf_add_text(&message->memory, "Subject: test\nMessage-ID: <1@example.com>\n");
	message->header_size = (int64_t)message->memory.size;
	buf_add_char(&message->memory, '\n');
	keep_added(&keep, 0, &err);
	keep.has_header = true;
	while (size > 0) {
		size_t n = size < 70 ? size : 70;
		size_t from = message->memory.size;

		for (size_t i = 0; i + 1 < n; i++)
			buf_add_char(&message->memory, (char)('a' + (size + i) % 26));
		buf_add_char(&message->memory, '\n');
		keep_added(&keep, from, &err);
		size -= n;
	}
	if (!keep_end(&keep, &err))
		abort();
}

/* All bytes of a message. */
static inline void
kit_message_text(const struct message *message, struct buf *b)
{
	struct err err = {0};
	ssize_t n;

	buf_clear(b);
	while ((n = message_bytes(message, (int64_t)b->size, buf_reserve(b, 65536), 65536, &err)) > 0)
		buf_grow(b, (size_t)n);
	if (err_is_set(&err))
		buf_add_text(b, buf_text(&err.text));
	err_clear(&err);
}

/* What is put into entry_create(); n recipients r0@example.org, r1@... */
struct kit_mail {
	struct envelope envelope;
	struct message message;
	struct entry_origin origin;
	struct entry_content content;
};

static inline void
kit_mail_open(struct kit_mail *mail, size_t n_recipients, size_t size)
{
	char mailbox[64];

	*mail = (struct kit_mail){0};
	mail->envelope.reverse_path = mem_copy_string("sender@example.com");
	for (size_t i = 0; i < n_recipients; i++) {
		snprintf(mailbox, sizeof(mailbox), "r%zu@example.org", i);
		envelope_add(&mail->envelope, mailbox);
	}
	kit_message(&mail->message, size);
	mail->origin.account = mem_copy_string("work");
	mail->content = (struct entry_content){
		.origin = &mail->origin, .route = str_of("route"), .envelope = &mail->envelope, .message = &mail->message,
		.message_id = "<1@example.com>", .created = time(NULL), .next = time(NULL), .folder = SPOOL_QUEUE,
	};
}

static inline void
kit_mail_free(struct kit_mail *mail)
{
	envelope_free(&mail->envelope);
	message_free(&mail->message);
	free(mail->origin.account);
	free(mail->origin.settings);
	free(mail->origin.config_file);
}

/* An entry made and closed again; its name. */
static inline void
kit_entry(struct kit *kit, size_t n_recipients, size_t size, char name[SPOOL_NAME_SIZE])
{
	struct kit_mail mail;
	struct entry entry = {0};

	kit_mail_open(&mail, n_recipients, size);
	if (!entry_create(&entry, &kit->spool, &mail.content, &kit->err)) {
		tap_note("%s", buf_text(&kit->err.text));
		abort();
	}
	memcpy(name, entry.name, SPOOL_NAME_SIZE);
	entry_free(&entry);
	kit_mail_free(&mail);
}

/* What became of a recipient. */
static inline void
kit_set_outcome(struct entry *entry, size_t i, enum outcome_state state, const char *text)
{
	struct outcome *outcome = &entry->envelope.recipients[i].outcome;

	*outcome = (struct outcome){.state = state, .stage = OUTCOME_AT_RCPT, .reply_code = 450, .enhanced = {4, 2, 1}};
	outcome_set_text(outcome, str_of(text));
	outcome_set_host(outcome, "mx.example.org");
}

/* Open an entry of queue/. */
static inline bool
kit_open_in(struct kit *kit, struct entry *entry, const char *name)
{
	enum entry_result result = entry_open(entry, &kit->spool, SPOOL_QUEUE, name, &kit->err);

	if (result != ENTRY_OPENED)
		tap_note("not opened: %d %s", (int)result, buf_text(&kit->err.text));
	return result == ENTRY_OPENED;
}

/* The states as letters. Borrowed. */
static inline const char *
kit_states(const struct entry *entry)
{
	static char text[64];
	size_t n = entry->envelope.n_recipients;

	memcpy(text, entry->states, n);
	text[n] = '\0';
	return text;
}

/* The states that a new reader sees; the entry must not be open. Borrowed. */
static inline const char *
kit_states_on_disk(struct kit *kit, const char *name)
{
	struct entry entry = {0};
	const char *text = "?";

	if (entry_peek(&entry, &kit->spool, SPOOL_QUEUE, name, &kit->err) == ENTRY_OPENED)
		text = kit_states(&entry);
	entry_free(&entry);
	return text;
}

/* Run `work` in a child; its exit status. */
static inline int
kit_in_child(int (*work)(void *), void *argument)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(work(argument));
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
