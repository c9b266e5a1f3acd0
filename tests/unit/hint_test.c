/* hint_test.c - routes: what is known of them survives the process, and slots bound the connections. */

#include "config.h"

#include "queue/hint.h"
#include "queue_kit.h"

static const struct str tag = {"0123ABUV", TAG_LENGTH};

static struct hint
sample(void)
{
	struct hint hint = {.n_failures = 3, .not_before = 1800000000, .is_held = true, .since = 1700000000};

	snprintf(hint.account, sizeof(hint.account), "work");
	snprintf(hint.text, sizeof(hint.text), "smtp.example.org: 535 5.7.8 no such user; \xc3\xa4");
	return hint;
}

static bool
is_well(const struct hint *hint)
{
	static const struct hint none;

	return memcmp(hint, &none, sizeof(none)) == 0;
}

static void
test_write(struct kit *kit)
{
	struct hint hint = sample(), read = {0};
	char long_text[sizeof(hint.text)];

	hint_read(&kit->spool, tag, &read);
	tap_ok(is_well(&read), "a route of which nothing is known is well");
	tap_ok(hint_write(&kit->spool, tag, &hint), "a hint is written");
	hint_read(&kit->spool, tag, &read);
	tap_ok(read.n_failures == 3 && read.not_before == 1800000000 && read.is_held && read.since == 1700000000,
	       "its numbers are read back");
	tap_is(read.account, "work", "so is the account");
	tap_is(read.text, hint.text, "so is the text");
	tap_ok(kit_count(kit, SPOOL_TMP) == 0, "nothing is left in tmp/");

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	memcpy(hint.text, long_text, sizeof(long_text));
	tap_ok(hint_write(&kit->spool, tag, &hint), "a hint with a text of full length is written");
	hint_read(&kit->spool, tag, &read);
	tap_is(read.text, long_text, "and read back whole");

	snprintf(hint.text, sizeof(hint.text), "one\nfailures 77\ntwo\x1b[2J");
	hint_write(&kit->spool, tag, &hint);
	hint_read(&kit->spool, tag, &read);
	tap_ok(read.n_failures == 3 && strchr(read.text, '\n') == NULL && strchr(read.text, '\x1b') == NULL,
	       "a text with newlines and controls cannot change the rest, and comes back clean");

	hint.is_held = false;
	hint_write(&kit->spool, tag, &hint);
	hint_read(&kit->spool, tag, &read);
	tap_ok(read.n_failures == 3 && !read.is_held, "failures without hold");
	hint = (struct hint){.is_held = true};
	hint_write(&kit->spool, tag, &hint);
	hint_read(&kit->spool, tag, &read);
	tap_ok(read.n_failures == 0 && read.is_held, "a hold without failures");
	hint = (struct hint){.not_before = 5};
	tap_ok(hint_write(&kit->spool, tag, &hint) && kit_count(kit, SPOOL_ROUTES) == 0, "a route that is well has no file");
	tap_ok(hint_write(&kit->spool, tag, &hint), "and can be well twice");
}

static void
test_distrust(struct kit *kit)
{
	struct hint hint = sample(), read = {0};
	struct buf text = {0};
	const char *path = kit_file(kit, SPOOL_ROUTES, tag.data);
	char file[256];
	bool all_well = true;
	size_t size;

	snprintf(file, sizeof(file), "%s", path);
	hint_write(&kit->spool, tag, &hint);
	kit_read(file, &text);
	/* The newline at the very end may be missing. */
	for (size = 0; size + 1 < text.size; size++) {
		kit_write(file, text.data, size);
		hint_read(&kit->spool, tag, &read);
		all_well = all_well && is_well(&read);
	}
	tap_ok(all_well, "a hint that was torn at any byte is none");
	kit_write(file, "failures x\nend\n", 15);
	hint_read(&kit->spool, tag, &read);
	tap_ok(is_well(&read), "a number that is none makes it no hint");
	kit_write(file, "failures 99999999999\nnew thing\nend\n", 35);
	hint_read(&kit->spool, tag, &read);
	tap_ok(read.n_failures == INT32_MAX, "a large number is cut, and unknown lines are passed over");
	kit_write(file, "failures 2\nend\nnot_before 5\n", 28);
	hint_read(&kit->spool, tag, &read);
	tap_ok(is_well(&read), "what stands behind the end makes it no hint");
	buf_clear(&text);
	buf_add_text(&text, "failures 2\ntext ");
	while (text.size < 4000)
		buf_add_char(&text, 'y');
	buf_add_text(&text, "\nend\n");
	kit_write(file, text.data, text.size);
	hint_read(&kit->spool, tag, &read);
	tap_ok(is_well(&read), "a file that is too long is no hint");
	unlink(file);
	tap_ok(symlink("/etc/passwd", file) == 0, "a link is there");
	hint_read(&kit->spool, tag, &read);
	tap_ok(is_well(&read), "a link is not followed");
	tap_ok(hint_write(&kit->spool, tag, &hint), "but replaced");
	hint_read(&kit->spool, tag, &read);
	tap_is_number(read.n_failures, 3, "by the hint");
	unlink(file);
	mkfifo(file, 0600);
	hint_read(&kit->spool, tag, &read);
	tap_ok(is_well(&read), "a FIFO does not hold the reader");
	unlink(file);
	hint_read(&kit->spool, str_of("../x"), &read);
	tap_ok(is_well(&read) && !hint_write(&kit->spool, str_of("../../ab"), &hint) &&
	       !hint_write(&kit->spool, str_of("0123abuv"), &hint), "only tags are names");
	buf_free(&text);
}

struct seen {
	size_t n;
	size_t most;
};

static bool
see(void *context, const char *name, const struct hint *hint)
{
	struct seen *seen = context;

	seen->n += strlen(name) == TAG_LENGTH && hint->n_failures > 0;
	return seen->n < seen->most;
}

static void
test_each(struct kit *kit)
{
	bool is_busy = false;
	struct hint hint = sample();
	struct seen seen = {.most = 100};
	struct spool none = {0};

	hint_write(&kit->spool, str_of("00000001"), &hint);
	hint_write(&kit->spool, str_of("00000002"), &hint);
	hint_write(&kit->spool, str_of("00000003"), &hint);
	kit_write(kit_file(kit, SPOOL_ROUTES, "00000004"), "torn", 4);
	kit_write(kit_file(kit, SPOOL_ROUTES, "other"), "x", 1);
	hint_each(&kit->spool, see, &seen);
	tap_is_number((long long)seen.n, 3, "each route that is not well is seen");
	seen = (struct seen){.most = 2};
	hint_each(&kit->spool, see, &seen);
	tap_is_number((long long)seen.n, 2, "until it is enough");
	hint_each(&none, see, &seen);
	tap_ok(!hint_write(&none, tag, &hint) && hint_take_slot(&none, tag, 1, &is_busy) == -1 && !is_busy, "without a spool there are no hints");
	nftw(kit_file(kit, SPOOL_ROUTES, ""), kit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	spool_free(&kit->spool);
	tap_ok(spool_open(&kit->spool, &kit->place, &kit->err) && hint_write(&kit->spool, tag, &hint),
	       "the folder may be removed at any time");
}

static int
take_in_child(void *context)
{
	bool is_busy = false;
	struct kit *kit = context;

	return hint_take_slot(&kit->spool, tag, 2, &is_busy) >= 0;
}

static void
test_slots(struct kit *kit)
{
	bool is_busy = false;
	int first = hint_take_slot(&kit->spool, tag, 2, &is_busy);
	int second = hint_take_slot(&kit->spool, tag, 2, &is_busy);

	tap_ok(first >= 0 && second >= 0, "two slots can be taken of two");
	tap_ok(hint_take_slot(&kit->spool, tag, 2, &is_busy) == -1 && is_busy, "the third is refused");
	tap_is_number(kit_in_child(take_in_child, kit), 0, "to another process as well");
	tap_ok(hint_take_slot(&kit->spool, str_of("00000009"), 2, &is_busy) >= 0, "another route has its own");
	close(first);
	tap_is_number(kit_in_child(take_in_child, kit), 1, "a slot is free when its descriptor is closed");
	first = hint_take_slot(&kit->spool, tag, 2, &is_busy);
	tap_ok(first >= 0, "and when its process has ended");
	close(first);
	close(second);
	tap_ok(hint_take_slot(&kit->spool, tag, 0, &is_busy) == -1, "there is none of none");
}

int
main(void)
{
	struct kit kit;

	kit_open(&kit);
	test_write(&kit);
	test_distrust(&kit);
	test_each(&kit);
	test_slots(&kit);
	kit_close(&kit);
	return tap_end();
}
