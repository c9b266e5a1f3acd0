/* open_test.c - an entry whose file is damaged, or no file of ours, or wanted by several; and looking without touching. */

#include "config.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "queue_kit.h"

enum { NOBODY = 65534 };

/* What becomes of these bytes as an entry; it is gone afterwards. */
static enum entry_result
judge(struct kit *kit, const char *name, struct str bytes, struct entry *entry)
{
	enum entry_result result;

	kit_write(kit_file(kit, SPOOL_QUEUE, name), bytes.data, bytes.size);
	err_clear(&kit->err);
	result = entry_open(entry, &kit->spool, SPOOL_QUEUE, name, &kit->err);
	unlink(kit_file(kit, SPOOL_CORRUPT, name));
	return result;
}

static void
test_damage(struct kit *kit)
{
	struct entry entry = {0};
	char name[SPOOL_NAME_SIZE];
	struct buf good = {0}, kept = {0}, original = {0};
	size_t n_wrong = 0, end, first_state, second_state;
	bool is_harmless;

	kit_entry(kit, 2, 150, name);
	kit_open_in(kit, &entry, name);
	end = (size_t)entry.journal_at;
	first_state = entry.state_offsets[0];
	second_state = entry.state_offsets[1];
	kit_message_text(&entry.message, &original);
	kit_set_outcome(&entry, 0, OUTCOME_DEFERRED, "busy");
	entry_record(&entry, 1000, &kit->err);
	entry_free(&entry);
	kit_read(kit_file(kit, SPOOL_QUEUE, name), &good);

	for (size_t size = 0; size < good.size; size++) {
		enum entry_result result = judge(kit, name, str_first(buf_str(&good), size), &entry);

		n_wrong += result != (size < end ? ENTRY_BAD : ENTRY_OPENED);
		entry_free(&entry);
	}
	tap_is_number((long long)n_wrong, 0, "an entry that ends before its end, at any byte, is bad");
	n_wrong = 0;
	for (size_t i = 0; i < good.size; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			enum entry_result result;

			good.data[i] = (char)(good.data[i] ^ (1 << bit));
			is_harmless = i >= end || i == first_state || i == second_state ||
			              i == FORMAT_FLAGS_AT || i == FORMAT_FLAGS_AT + 1;
			result = judge(kit, name, buf_str(&good), &entry);
			n_wrong += result != (is_harmless ? ENTRY_OPENED : ENTRY_BAD);
			if (result == ENTRY_OPENED) {
				kit_message_text(&entry.message, &kept);
				n_wrong += !str_equals(buf_str(&kept), buf_str(&original)) ||
				           entry.envelope.n_recipients != 2 ||
				           strcmp(entry.envelope.recipients[0].mailbox, "r0@example.org") != 0;
			}
			entry_free(&entry);
			good.data[i] = (char)(good.data[i] ^ (1 << bit));
		}
	tap_is_number((long long)n_wrong, 0, "any flipped bit is found, or harmless in a state, a flag or the journal");
	tap_ok(judge(kit, name, buf_str(&good), &entry) == ENTRY_OPENED, "undamaged it is good");
	good.data[first_state] = '\n';
	entry_free(&entry);
	tap_ok(judge(kit, name, buf_str(&good), &entry) == ENTRY_OPENED &&
	       entry.envelope.recipients[0].outcome.state == OUTCOME_PENDING, "an unknown state is to do");
	kit_set_outcome(&entry, 1, OUTCOME_DELIVERED, "ok");
	entry_record(&entry, 1000, &kit->err);
	tap_is(kit_states(&entry), "TD", "and is written as such");
	entry_free(&entry);
	unlink(kit_file(kit, SPOOL_QUEUE, name));
	buf_free(&good);
	buf_free(&kept);
	buf_free(&original);
}

static void
test_damage_large(struct kit *kit)
{
	struct entry entry = {0};
	char name[SPOOL_NAME_SIZE];
	struct buf good = {0};
	size_t last;

	kit_entry(kit, 1, 400000, name);
	kit_read(kit_file(kit, SPOOL_QUEUE, name), &good);
	last = good.size - 30;
	good.data[last] ^= 1;
	tap_ok(judge(kit, name, buf_str(&good), &entry) == ENTRY_BAD, "a large message is read to its last byte");
	tap_ok(strstr(buf_text(&kit->err.text), "checksum") != NULL, "and the reason is told");
	good.data[last] ^= 1;
	kit_write(kit_file(kit, SPOOL_QUEUE, name), good.data, good.size - 10);
	tap_ok(entry_peek(&entry, &kit->spool, SPOOL_QUEUE, name, &kit->err) == ENTRY_BAD,
	       "who only looks sees that the end is missing");
	entry_free(&entry);
	tap_ok(kit_exists(kit_file(kit, SPOOL_QUEUE, name)), "but moves nothing");
	unlink(kit_file(kit, SPOOL_QUEUE, name));

	/* Many recipients: a head of more than one block. */
	kit_entry(kit, 10000, 100, name);
	tap_ok(kit_open_in(kit, &entry, name) && entry.envelope.n_recipients == 10000, "10,000 recipients");
	kit_set_outcome(&entry, 9999, OUTCOME_DELIVERED, "ok");
	kit_set_outcome(&entry, 1, OUTCOME_FAILED, "no");
	tap_ok(entry_record(&entry, 5, &kit->err), "are recorded");
	entry_free(&entry);
	kit_open_in(kit, &entry, name);
	tap_ok(entry.states[1] == 'F' && entry.states[9999] == 'D' && entry.states[2] == 'T', "and read back");
	tap_is(entry.envelope.recipients[1].outcome.text, "no", "with their texts");
	entry_remove(&entry, &kit->spool, &kit->err);
	entry_free(&entry);
	buf_free(&good);
	err_clear(&kit->err);
}

/* Open what lies under `name`, which must be moved to corrupt/. */
static void
expect_bad(struct kit *kit, const char *name, const char *what)
{
	struct entry entry = {0};
	enum entry_result result;

	err_clear(&kit->err);
	result = entry_open(&entry, &kit->spool, SPOOL_QUEUE, name, &kit->err);
	tap_ok(result == ENTRY_BAD && kit->err.exit_code == EX_DATAERR &&
	       !kit_exists(kit_file(kit, SPOOL_QUEUE, name)) && kit_exists(kit_file(kit, SPOOL_CORRUPT, name)),
	       "%s is bad, and moved to corrupt/", what);
	if (result != ENTRY_BAD)
		tap_note("%d %s", (int)result, buf_text(&kit->err.text));
	err_clear(&kit->err);
	entry_free(&entry);
	nftw(kit_file(kit, SPOOL_CORRUPT, name), kit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
test_hostile(struct kit *kit)
{
	struct entry entry = {0};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[SPOOL_NAME_SIZE], other[SPOOL_NAME_SIZE];
	const char *path;
	struct buf text = {0};
	int fd;

	kit_entry(kit, 1, 100, name);
	memcpy(other, name, sizeof(other));
	other[0] = other[0] == '0' ? '1' : '0';
	path = kit_file(kit, SPOOL_QUEUE, other);
	if (symlink(kit_file(kit, SPOOL_QUEUE, name), path) != 0)
		abort();
	expect_bad(kit, other, "a symbolic link");
	mkfifo(kit_file(kit, SPOOL_QUEUE, other), 0600);
	expect_bad(kit, other, "a FIFO");
	mkdir(kit_file(kit, SPOOL_QUEUE, other), 0700);
	expect_bad(kit, other, "a folder");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", kit_file(kit, SPOOL_QUEUE, other));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		abort();
	close(fd);
	expect_bad(kit, other, "a socket");
	kit_read(kit_file(kit, SPOOL_QUEUE, name), &text);
	kit_write(kit_file(kit, SPOOL_QUEUE, other), text.data, text.size);
	expect_bad(kit, other, "an entry under another id");
	kit_write(kit_file(kit, SPOOL_QUEUE, "copy"), text.data, text.size);
	expect_bad(kit, "copy", "a name that is none of an entry");
	kit_write(kit_file(kit, SPOOL_QUEUE, other), "", 0);
	expect_bad(kit, other, "an empty file");
	chmod(kit_file(kit, SPOOL_QUEUE, name), 0640);
	tap_ok(kit_open_in(kit, &entry, name), "that others may read it does no harm");
	entry_free(&entry);
	chmod(kit_file(kit, SPOOL_QUEUE, name), 0620);
	expect_bad(kit, name, "one that others may write to");
	kit_write(kit_file(kit, SPOOL_QUEUE, name), text.data, text.size);
	if (link(kit_file(kit, SPOOL_QUEUE, name), kit_path(kit, "second")) != 0)
		abort();
	expect_bad(kit, name, "one with two names");
	unlink(kit_path(kit, "second"));
	if (geteuid() == 0) {
		kit_write(kit_file(kit, SPOOL_QUEUE, name), text.data, text.size);
		if (chown(kit_file(kit, SPOOL_QUEUE, name), NOBODY, NOBODY) != 0)
			abort();
		expect_bad(kit, name, "somebody else's file");
	}
	/* The name in corrupt/ is taken. */
	kit_write(kit_file(kit, SPOOL_QUEUE, name), "bad", 3);
	kit_write(kit_file(kit, SPOOL_CORRUPT, name), "kept", 4);
	tap_ok(entry_open(&entry, &kit->spool, SPOOL_QUEUE, name, &kit->err) == ENTRY_BAD, "a second one of this name is bad");
	err_clear(&kit->err);
	tap_ok(kit_count(kit, SPOOL_CORRUPT) == 2, "and replaces nothing in corrupt/");
	kit_read(kit_file(kit, SPOOL_CORRUPT, name), &text);
	tap_is(buf_text(&text), "kept", "where the first still is what it was");
	buf_free(&text);
}

static void
test_peek(struct kit *kit)
{
	struct entry entry = {0}, looked = {0};
	char name[SPOOL_NAME_SIZE];

	kit_entry(kit, 2, 100, name);
	tap_ok(entry_peek(&looked, &kit->spool, SPOOL_QUEUE, name, &kit->err) == ENTRY_OPENED && !looked.is_locked,
	       "an entry can be looked at");
	tap_ok(kit_open_in(kit, &entry, name), "while that does not keep anybody from opening it");
	entry_free(&looked);
	tap_ok(entry_peek(&looked, &kit->spool, SPOOL_QUEUE, name, &kit->err) == ENTRY_OPENED && looked.is_locked,
	       "who looks sees that it is locked");
	tap_ok(looked.envelope.n_recipients == 2 && looked.message.size == entry.message.size, "and what is in it");
	entry_free(&looked);
	entry_remove(&entry, &kit->spool, &kit->err);
	tap_ok(entry_peek(&looked, &kit->spool, SPOOL_QUEUE, name, &kit->err) == ENTRY_GONE, "and that it is gone");
	entry_free(&entry);
	kit_write(kit_file(kit, SPOOL_QUEUE, name), "bad", 3);
	tap_ok(entry_peek(&looked, &kit->spool, SPOOL_QUEUE, name, &kit->err) == ENTRY_BAD &&
	       kit_exists(kit_file(kit, SPOOL_QUEUE, name)), "one that is bad is left where it is");
	entry_free(&looked);
	err_clear(&kit->err);
	unlink(kit_file(kit, SPOOL_QUEUE, name));
	mkfifo(kit_file(kit, SPOOL_QUEUE, name), 0600);
	tap_ok(entry_peek(&looked, &kit->spool, SPOOL_QUEUE, name, &kit->err) == ENTRY_BAD, "a FIFO does not hold who looks");
	err_clear(&kit->err);
	unlink(kit_file(kit, SPOOL_QUEUE, name));
}

/* Open and remove whatever can be had; the number of entries that were ours. */
static int
consume(void *context)
{
	struct kit *kit = context;
	struct spool_scan scan = {.folder = SPOOL_QUEUE, .due = INT64_MAX};
	int n = 0;

	if (!spool_scan(&kit->spool, &scan, &kit->err))
		return 255;
	for (size_t i = 0; i < scan.n_items; i++) {
		struct entry entry = {0};
		enum entry_result result = entry_open(&entry, &kit->spool, SPOOL_QUEUE, scan.items[i].name, &kit->err);

		if (result == ENTRY_BAD || result == ENTRY_REFUSED)
			return 255;
		if (result == ENTRY_OPENED)
			n += entry_remove(&entry, &kit->spool, &kit->err);
		entry_free(&entry);
	}
	return n;
}

static void
test_concurrency(struct kit *kit)
{
	enum { N = 100, WORKERS = 4 };
	char name[SPOOL_NAME_SIZE];
	pid_t workers[WORKERS];
	int status, total = 0;

	for (size_t i = 0; i < N; i++)
		kit_entry(kit, 1, 100, name);
	fflush(stdout);
	for (size_t i = 0; i < WORKERS; i++) {
		workers[i] = fork();
		if (workers[i] == 0)
			_exit(consume(kit));
	}
	for (size_t i = 0; i < WORKERS; i++) {
		waitpid(workers[i], &status, 0);
		total += WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
	}
	tap_is_number(total, N, "of several processes exactly one gets each entry");
	tap_is_number((long long)kit_count(kit, SPOOL_QUEUE), 0, "and all are gone");
}

int
main(void)
{
	struct kit kit;

	kit_open(&kit);
	test_damage(&kit);
	test_damage_large(&kit);
	test_hostile(&kit);
	test_peek(&kit);
	test_concurrency(&kit);
	kit_close(&kit);
	return tap_end();
}
