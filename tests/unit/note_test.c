/* note_test.c - small files in the spool. */

#include "config.h"

#include "queue/note.h"
#include "queue_kit.h"

static const char name[] = "example.org";

/* What reading gives; NULL: nothing. */
static const char *
read_note(struct kit *kit, size_t most)
{
	static char text[64];
	struct buf b = {0};
	bool is_read;

	buf_add_text(&b, "in front:");
	is_read = note_read(&kit->spool, SPOOL_POLICIES, name, most, &b);
	snprintf(text, sizeof(text), "%s", buf_text(&b));
	buf_free(&b);
	if (!is_read && strcmp(text, "in front:") != 0)
		return "b is not as it was";
	return is_read ? text : NULL;
}

static void
test_write(struct kit *kit)
{
	tap_is(read_note(kit, 100), NULL, "what was not written is not there");
	tap_ok(note_write(&kit->spool, SPOOL_POLICIES, name, STR("hello")), "a note is written");
	tap_is(read_note(kit, 100), "in front:hello", "and read");
	tap_ok(note_write(&kit->spool, SPOOL_POLICIES, name, STR("other")), "it is replaced");
	tap_is(read_note(kit, 5), "in front:other", "and read, being as large as it may be");
	tap_is(read_note(kit, 4), NULL, "one byte more is too much");
	tap_is_number((long long)kit_count(kit, SPOOL_TMP), 0, "nothing is left in tmp/");
	tap_ok(note_write(&kit->spool, SPOOL_POLICIES, name, STR("")) && read_note(kit, 0) != NULL, "an empty one is one");
}

static void
test_distrust(struct kit *kit)
{
	char path[256], other[256];

	snprintf(path, sizeof(path), "%s", kit_file(kit, SPOOL_POLICIES, name));
	snprintf(other, sizeof(other), "%s", kit_path(kit, "other"));
	kit_write(other, "x", 1);
	unlink(path);
	if (symlink(other, path) != 0)
		abort();
	tap_is(read_note(kit, 100), NULL, "a symbolic link is not followed");
	tap_ok(note_write(&kit->spool, SPOOL_POLICIES, name, STR("mine")), "but replaced");
	tap_is(read_note(kit, 100), "in front:mine", "by a file");
	kit_write(path, "x", 1);
	unlink(path);
	if (link(other, path) != 0)
		abort();
	tap_is(read_note(kit, 100), NULL, "a file with two names is not read");
	unlink(path);
	if (mkfifo(path, 0600) != 0)
		abort();
	tap_is(read_note(kit, 100), NULL, "nor is a FIFO, and nobody waits for it");
	unlink(path);
	mkdir(path, 0700);
	tap_is(read_note(kit, 100), NULL, "nor a folder");
	tap_ok(!note_write(&kit->spool, SPOOL_POLICIES, name, STR("x")), "which cannot be replaced");
	tap_is_number((long long)kit_count(kit, SPOOL_TMP), 0, "nothing is left in tmp/ then");
	rmdir(path);
	kit_write(path, "x", 1);
	chmod(path, 0620);
	tap_is(read_note(kit, 100), NULL, "nor one that a group may write to");
	chmod(path, 0600);
	tap_is(read_note(kit, 100), "in front:x", "without that it is");
	if (geteuid() == 0 && chown(path, 65534, 65534) == 0)
		tap_is(read_note(kit, 100), NULL, "nor one of another user");
}

int
main(void)
{
	struct kit kit;
	struct spool none = {0};
	struct buf b = {0};

	kit_open(&kit);
	test_write(&kit);
	test_distrust(&kit);
	tap_ok(!note_read(&none, SPOOL_POLICIES, name, 1, &b) && !note_write(&none, SPOOL_POLICIES, name, STR("x")),
	       "without a spool there is none");
	kit_close(&kit);
	return tap_end();
}
