/* spool_test.c - the queue's folders: where they are, who may have them, what is in them, and what the janitor takes away. */

#include "config.h"

#include <sys/statfs.h>

#include "queue_kit.h"

enum { DAY = 86400, NOBODY = 65534 };

/* Open a spool at `place`; "" and the path of the spool (relative to the temporary folder), or what is wrong. Borrowed. */
static const char *
open_at(struct kit *kit, const struct spool_place *place, bool may_make)
{
	static char result[512];
	struct spool spool = {0};
	bool is_well;

	err_clear(&kit->err);
	is_well = may_make ? spool_open(&spool, place, &kit->err) : spool_open_existing(&spool, place, &kit->err);
	if (!is_well)
		snprintf(result, sizeof(result), "%s", err_exit_name(kit->err.exit_code));
	else if (!spool.is_open)
		snprintf(result, sizeof(result), "none");
	else
		snprintf(result, sizeof(result), "%s", spool.path + strlen(kit->root));
	spool_free(&spool);
	return result;
}

/* How many things lie in the folder at path. */
static size_t
count_names(const char *path)
{
	DIR *stream = opendir(path);
	size_t n = 0;

	while (stream != NULL && readdir(stream) != NULL)
		n++;
	if (stream != NULL)
		closedir(stream);
	return n - 2;
}

static unsigned
mode_of(const char *path)
{
	struct stat facts = {0};

	return stat(path, &facts) == 0 ? facts.st_mode & 07777U : 0;
}

static void
test_places(struct kit *kit)
{
	char home[96], state[96], shared[96], given[96], own[128];
	struct spool_place place = {.home = home, .system_folder = shared};

	snprintf(home, sizeof(home), "%s/home", kit->root);
	snprintf(state, sizeof(state), "%s/st/ate//", kit->root);
	snprintf(shared, sizeof(shared), "%s/shared", kit->root);
	snprintf(given, sizeof(given), "%s/given/it/", kit->root);
	snprintf(own, sizeof(own), "/shared/%u", (unsigned)geteuid());
	tap_is(open_at(kit, &place, true), "EX_CANTCREAT", "neither home nor system folder are made");
	tap_ok(strstr(buf_text(&kit->err.text), home) != NULL && strstr(buf_text(&kit->err.text), own) != NULL &&
	       kit->err.hint.size > 0, "the error names both places");
	tap_is(open_at(kit, &place, false), "none", "where nothing is there, nothing is opened");
	mkdir(shared, 01777);
	tap_is(open_at(kit, &place, true), own, "without a home the system folder has one for each uid");
	tap_ok(mode_of(kit_path(kit, own + 1)) == 0700, "which is closed to others");
	tap_is(open_at(kit, &place, false), own, "and is found again");
	mkdir(home, 0700);
	tap_is(open_at(kit, &place, false), own, "a home without a spool does not hide it from those who only look");
	tap_is(open_at(kit, &place, true), "/home/.local/state/mailcrane", "a home goes before the system folder");
	tap_ok(mode_of(kit_path(kit, "home/.local")) == 0700 && mode_of(kit_path(kit, "home/.local/state")) == 0700,
	       "folders on the way are closed to others");
	tap_is(open_at(kit, &place, false), "/home/.local/state/mailcrane", "it is found by those who only look");
	place.state_home = "relative";
	tap_is(open_at(kit, &place, true), "/home/.local/state/mailcrane", "a relative state home does not count");
	place.state_home = state;
	tap_is(open_at(kit, &place, true), "/st/ate/mailcrane", "$XDG_STATE_HOME goes before the home");
	place.path = given;
	tap_is(open_at(kit, &place, true), "/given/it", "queue_dir goes before everything");
	place.path = "/dev/null/queue";
	tap_is(open_at(kit, &place, false), "EX_CANTCREAT", "that queue_dir cannot be looked into is no empty queue");
	tap_ok(strstr(buf_text(&kit->err.text), "/dev/null/queue") != NULL, "and is told with its path");
	place.path = "not/absolute";
	tap_is(open_at(kit, &place, true), "EX_CONFIG", "queue_dir is an absolute path");
	place = (struct spool_place){0};
	tap_is(open_at(kit, &place, true), "EX_CANTCREAT", "no place is known at all");
	tap_is(open_at(kit, &place, false), "none", "and none is found");
	place.home = "/dev/null";
	place.system_folder = shared;
	tap_is(open_at(kit, &place, true), own, "a home that is no folder is passed over");
}

static void
test_owner(struct kit *kit)
{
	struct spool_place place = {.path = kit->path};
	char other[96];

	chmod(kit->path, 0750);
	tap_is(open_at(kit, &place, true), "EX_NOPERM", "a spool that others may read is refused");
	tap_ok(strstr(buf_text(&kit->err.hint), "chmod 700 ") != NULL, "with the command that closes it");
	chmod(kit->path, 0702);
	tap_is(open_at(kit, &place, false), "EX_NOPERM", "so is one that others may write to");
	chmod(kit->path, 0700);
	snprintf(other, sizeof(other), "%s/link", kit->root);
	if (symlink(kit->path, other) != 0)
		abort();
	place.path = other;
	tap_is(open_at(kit, &place, true), "EX_NOPERM", "a symbolic link is not followed");
	unlink(other);
	kit_write(other, "", 0);
	tap_is(open_at(kit, &place, true), "EX_CANTCREAT", "a file is no spool");
	unlink(other);
	if (geteuid() != 0) {
		tap_note("not root: nothing can be given to another user");
		return;
	}
	mkdir(other, 0700);
	if (chown(other, NOBODY, NOBODY) != 0)
		abort();
	tap_is(open_at(kit, &place, true), "EX_NOPERM", "somebody else's folder is refused");
	tap_ok(strstr(buf_text(&kit->err.text), "uid 65534") != NULL, "and the owner is named");
	place = (struct spool_place){.home = other};
	tap_is(open_at(kit, &place, true), "EX_CANTCREAT", "nothing is made in somebody else's home");
	tap_is_number((long long)count_names(other), 0, "nothing at all");
	rmdir(other);
}

/* As a user who may write to the folder but not read it. */
static int
open_in_sticky(void *context)
{
	struct kit *kit = context;
	struct spool_place place = {.system_folder = kit->root, .home = "/nonexistent"};

	if (setuid(NOBODY) != 0)
		return 9;
	return strcmp(open_at(kit, &place, true), "/65534") == 0 ? 0 : 1;
}

/* The same, where somebody was faster and has closed the folder. */
static int
open_stolen(void *context)
{
	struct kit *kit = context;
	struct spool_place place = {.system_folder = kit->root, .home = "/nonexistent"};

	if (setuid(NOBODY) != 0)
		return 9;
	return strcmp(open_at(kit, &place, true), "EX_NOPERM") == 0 && kit->err.hint.size > 0 ? 0 : 1;
}

static void
test_sticky(struct kit *kit)
{
	if (geteuid() != 0)
		return;
	chmod(kit->root, 01733);
	mkdir(kit_path(kit, "65534"), 0700);
	tap_is_number(kit_in_child(open_stolen, kit), 0, "a neighbour's folder of the own name is refused with advice");
	rmdir(kit_path(kit, "65534"));
	chmod(kit->root, 01733);
	tap_is_number(kit_in_child(open_in_sticky, kit), 0, "a system folder that cannot be read (1733) will do");
	tap_ok(kit_exists(kit_path(kit, "65534/VERSION")), "and the spool in it is complete");
	chmod(kit->root, 0700);
}

static void
test_first_run(struct kit *kit)
{
	static const char *const parts[] = {"tmp", "queue", "hold", "failed", "corrupt", "routes", "lock",
	                                    "bounces/tmp", "bounces/new", "bounces/cur"};
	struct spool_place place = {0};
	char base[96], path[128];
	struct buf version = {0};
	bool all_there = true, all_completed = true;
	size_t n_parts = sizeof(parts) / sizeof(parts[0]);

	kit_read(kit_path(kit, "spool/VERSION"), &version);
	tap_is(buf_text(&version), "1\n", "VERSION is 1");
	for (size_t i = 0; i < n_parts; i++) {
		snprintf(path, sizeof(path), "%s/%s", kit->path, parts[i]);
		all_there = all_there && mode_of(path) == 0700;
	}
	tap_ok(all_there, "all folders are there, closed to others");
	tap_is_number((long long)count_names(kit->path), 9, "and nothing else");
	tap_ok(spool_folder(&kit->spool, SPOOL_POLICIES, &kit->err) >= 0 && mode_of(kit_path(kit, "spool/policies")) == 0700,
	       "a folder that few need is made when it is used");
	rmdir(kit_path(kit, "spool/policies"));
	close(kit->spool.folders[SPOOL_POLICIES]);
	kit->spool.folders[SPOOL_POLICIES] = -1;
	tap_ok(kit_count(kit, SPOOL_TMP) == 0, "nothing is left in tmp/");

	/* Dead after any number of folders, VERSION not written. */
	snprintf(base, sizeof(base), "%s/partial", kit->root);
	place.path = base;
	for (size_t n = 0; n <= n_parts; n++) {
		mkdir(base, 0700);
		snprintf(path, sizeof(path), "%s/bounces", base);
		if (n > 7)
			mkdir(path, 0700);
		for (size_t i = 0; i < n; i++) {
			snprintf(path, sizeof(path), "%s/%s", base, parts[i]);
			mkdir(path, 0700);
		}
		all_completed = all_completed && strcmp(open_at(kit, &place, true), "/partial") == 0 &&
		                count_names(base) == 9 && count_names(kit_path(kit, "partial/bounces")) == 3;
		nftw(base, kit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
	tap_ok(all_completed, "a spool whose maker died after any folder is completed");
	mkdir(base, 0700);
	tap_is(open_at(kit, &place, false), "/partial", "who only looks sees one that is not complete");
	tap_is_number((long long)count_names(base), 0, "and makes nothing");
	open_at(kit, &place, true);

	kit_write(kit_path(kit, "partial/VERSION"), "2\n", 2);
	tap_is(open_at(kit, &place, true), "EX_CONFIG", "another version is refused");
	tap_ok(strstr(buf_text(&kit->err.text), "version '2'") != NULL, "and named");
	kit_write(kit_path(kit, "partial/VERSION"), "\x1b[2J\x01\xff long long long long long long long long long long long "
	          "long long", 70);
	tap_is(open_at(kit, &place, false), "EX_CONFIG", "so is nonsense");
	tap_ok(strchr(buf_text(&kit->err.text), '\x1b') == NULL, "which is shown clean");
	kit_write(kit_path(kit, "partial/VERSION"), "", 0);
	tap_is(open_at(kit, &place, true), "EX_CONFIG", "and an empty one");
	buf_free(&version);
}

static void
test_folders(struct kit *kit)
{
	struct spool none = {0};
	struct statfs facts = {0};
	int fd = spool_folder(&kit->spool, SPOOL_BOUNCES_NEW, &kit->err);

	tap_ok(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "a folder's descriptor is closed on exec");
	tap_is_number(spool_folder(&kit->spool, SPOOL_BOUNCES_NEW, &kit->err), fd, "and opened once");
	tap_is(spool_folder_name(SPOOL_BOUNCES_CUR), "bounces/cur", "folders have names");
	nftw(kit_path(kit, "spool/bounces"), kit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	tap_ok(spool_folder(&kit->spool, SPOOL_BOUNCES_CUR, &kit->err) >= 0, "a folder that was removed is made again");
	rmdir(kit_file(kit, SPOOL_CORRUPT, ""));
	if (symlink("/tmp", kit_path(kit, "spool/corrupt")) != 0)
		abort();
	tap_ok(spool_folder(&kit->spool, SPOOL_CORRUPT, &kit->err) == -1, "one that is a symbolic link is refused");
	unlink(kit_path(kit, "spool/corrupt"));
	err_clear(&kit->err);
	tap_ok(spool_sync(&kit->spool, SPOOL_QUEUE, &kit->err), "a folder is synced");
	kit->spool.n_unsynced = 5;
	tap_ok(spool_sync(&kit->spool, SPOOL_QUEUE, &kit->err) && kit->spool.n_unsynced == 0, "and its removals counted down");
	tap_ok(spool_has_room(&kit->spool, &kit->err), "there is room");
	statfs(kit->root, &facts);
	tap_ok(kit->spool.is_volatile == (facts.f_type == 0x01021994), "a file system in memory is known as such");
	tap_ok((kit->spool.warnings.size > 0) == kit->spool.is_volatile, "and warned of");
	tap_ok(spool_folder(&none, SPOOL_QUEUE, &kit->err) == -1 && spool_count(&none, SPOOL_QUEUE) == 0,
	       "without a spool there is nothing");
	err_clear(&kit->err);
	spool_free(&none);
	spool_free(&none);
	tap_ok(true, "no spool can be freed twice");
}

static int
lock_in_child(void *context)
{
	struct kit *kit = context;
	int fd = -1;

	return (int)spool_lock(&kit->spool, "flush", &fd, &kit->err);
}

static void
test_locks(struct kit *kit)
{
	int fd = -1, second = -1;

	tap_ok(spool_lock(&kit->spool, "flush", &fd, &kit->err) == SPOOL_LOCKED && fd >= 0, "a lock is taken");
	tap_ok((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "and not inherited by programs");
	tap_ok(spool_lock(&kit->spool, "flush", &second, &kit->err) == SPOOL_LOCK_BUSY && second == -1, "once");
	tap_is_number(kit_in_child(lock_in_child, kit), SPOOL_LOCK_BUSY, "also by another process");
	unlink(kit_file(kit, SPOOL_LOCK, "flush"));
	tap_ok(spool_lock(&kit->spool, "flush", &second, &kit->err) == SPOOL_LOCKED, "a name that is new is another lock");
	close(second);
	close(fd);
	tap_is_number(kit_in_child(lock_in_child, kit), SPOOL_LOCKED, "it is free when its descriptor is closed");
	tap_is_number(kit_in_child(lock_in_child, kit), SPOOL_LOCKED, "and when its process has ended");
	mkdir(kit_file(kit, SPOOL_LOCK, "folder"), 0700);
	tap_ok(spool_lock(&kit->spool, "folder", &fd, &kit->err) == SPOOL_LOCK_ERROR && err_is_set(&kit->err),
	       "what is no file cannot be locked");
	err_clear(&kit->err);
	rmdir(kit_file(kit, SPOOL_LOCK, "folder"));
}

/* An empty file with the name of an entry made at `microseconds`. */
static void
touch(const struct kit *kit, enum spool_folder folder, int64_t microseconds, const char *tag, time_t mtime)
{
	char id[ID_LENGTH + 1], name[SPOOL_NAME_SIZE];
	const char *path;

	id_format(id, microseconds, 7);
	snprintf(name, sizeof(name), "%s.%s", id, tag);
	path = kit_file(kit, folder, name);
	kit_write(path, "", 0);
	if (mtime != 0)
		kit_set_age(path, mtime);
}

struct order {
	size_t n;
	size_t n_batches;
	bool is_sorted;
	char last[SPOOL_NAME_SIZE];
};

/* Read all batches. */
static struct order
scan_all(struct kit *kit, struct spool_scan *scan)
{
	struct order order = {.is_sorted = true};

	do {
		if (!spool_scan(&kit->spool, scan, &kit->err))
			abort();
		order.n_batches++;
		for (size_t i = 0; i < scan->n_items; i++) {
			order.is_sorted = order.is_sorted && strcmp(order.last, scan->items[i].name) < 0;
			memcpy(order.last, scan->items[i].name, SPOOL_NAME_SIZE);
		}
		order.n += scan->n_items;
	} while (scan->has_more);
	spool_scan_free(scan);
	return order;
}

static bool
wants(void *context, struct str tag)
{
	return str_equals(tag, str_of(context));
}

static void
test_scan(struct kit *kit)
{
	enum { N = 20000 };
	struct spool_scan scan = {.folder = SPOOL_QUEUE, .due = INT64_MAX};
	struct order order;
	char even[] = "0000000E";

	order = scan_all(kit, &scan);
	tap_ok(order.n == 0 && order.n_batches == 1 && scan.n_seen == 0, "an empty queue is scanned");
	/* In an order that is not that of time. */
	for (int64_t i = 0; i < N; i++) {
		int64_t k = i * 7919 % N;

		touch(kit, SPOOL_QUEUE, 1700000000000000 + k, k % 2 == 0 ? even : "00000000", 1000 + k);
	}
	kit_write(kit_file(kit, SPOOL_QUEUE, "README"), "x", 1);
	kit_write(kit_file(kit, SPOOL_QUEUE, ".hidden"), "x", 1);
	scan = (struct spool_scan){.folder = SPOOL_QUEUE, .due = INT64_MAX};
	order = scan_all(kit, &scan);
	tap_is_number((long long)order.n, N, "20,000 entries are found, each once");
	tap_ok(order.is_sorted, "in the order of their making");
	tap_is_number((long long)order.n_batches, 3, "8192 at a time");
	tap_is_number((long long)scan.n_seen, N, "what is no entry is not counted");
	scan = (struct spool_scan){.folder = SPOOL_QUEUE, .due = INT64_MAX, .wants_tag = wants, .context = even};
	order = scan_all(kit, &scan);
	tap_ok(order.n == N / 2 && order.n_batches == 2 && order.is_sorted, "only those of a route");
	tap_is_number((long long)scan.n_seen, N, "though all were seen");
	scan = (struct spool_scan){.folder = SPOOL_QUEUE, .due = 1000 + 9999};
	order = scan_all(kit, &scan);
	tap_ok(order.n == 10000 && order.is_sorted && order.n_batches == 2, "only those that are due");
	scan = (struct spool_scan){.folder = SPOOL_QUEUE, .due = 1000 + SPOOL_BATCH - 1};
	order = scan_all(kit, &scan);
	tap_ok(order.n == SPOOL_BATCH && order.n_batches == 1, "no more are announced than are due");
	scan = (struct spool_scan){.folder = SPOOL_QUEUE, .due = 1000, .longest_wait = 19990};
	order = scan_all(kit, &scan);
	tap_is_number((long long)order.n, 1 + 9, "a time further off than any wait is a wrong one, and due");
	scan = (struct spool_scan){.folder = SPOOL_QUEUE, .due = 1000};
	spool_scan(&kit->spool, &scan, &kit->err);
	tap_ok(scan.n_items == 1 && scan.items[0].next == 1000, "with the time of the next attempt");
	spool_scan_free(&scan);
	tap_is_number((long long)spool_count(&kit->spool, SPOOL_QUEUE), N, "they are counted");
	nftw(kit_file(kit, SPOOL_QUEUE, ""), kit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	tap_is_number((long long)spool_count(&kit->spool, SPOOL_QUEUE), 0, "without a folder there is none");
}

static void
test_find(struct kit *kit)
{
	enum spool_folder folder = SPOOL_TMP;
	char id[ID_LENGTH + 1], name[SPOOL_NAME_SIZE] = "";

	touch(kit, SPOOL_FAILED, 5, "0000000A", 0);
	touch(kit, SPOOL_HOLD, 6, "0000000B", 0);
	touch(kit, SPOOL_TMP, 8, "0000000C", 0);
	id_format(id, 5, 7);
	tap_ok(spool_find(&kit->spool, str_of(id), &folder, name) && folder == SPOOL_FAILED, "an entry is found by its id");
	tap_ok(strncmp(name, id, ID_LENGTH) == 0 && strcmp(name + ID_LENGTH, ".0000000A") == 0, "with its name");
	id_format(id, 6, 7);
	tap_ok(spool_find(&kit->spool, str_of(id), &folder, name) && folder == SPOOL_HOLD, "also on hold");
	id_format(id, 8, 7);
	tap_ok(!spool_find(&kit->spool, str_of(id), &folder, name), "not in tmp/");
	tap_ok(!spool_find(&kit->spool, str_first(str_of(id), 5), &folder, name), "and not by a part of it");
	tap_is_number((long long)spool_count(&kit->spool, SPOOL_FAILED), 1, "entries in failed/ are counted");
}

static void
test_clean(struct kit *kit)
{
	time_t now = 2000000000;

	spool_folder(&kit->spool, SPOOL_POLICIES, &kit->err);
	spool_folder(&kit->spool, SPOOL_REPORTS, &kit->err);
	for (int64_t i = 1; i <= 2; i++) {
		/* The first of each kind is old enough. */
		touch(kit, SPOOL_TMP, i, "00000000", now - SPOOL_TMP_AGE + (i == 1 ? -1 : 1));
		touch(kit, SPOOL_FAILED, i, "00000000", now - SPOOL_FAILED_AGE + (i == 1 ? -1 : 1));
		touch(kit, SPOOL_BOUNCES_CUR, i, "00000000", now - SPOOL_BOUNCE_AGE + (i == 1 ? -1 : 1));
		touch(kit, SPOOL_BOUNCES_TMP, i, "00000000", now - SPOOL_TMP_AGE + (i == 1 ? -1 : 1));
		touch(kit, SPOOL_BOUNCES_NEW, i, "00000000", now - 400 * DAY);
		touch(kit, SPOOL_QUEUE, i, "00000000", now - 400 * DAY);
		touch(kit, SPOOL_HOLD, i, "00000000", now - 400 * DAY);
		touch(kit, SPOOL_CORRUPT, i, "00000000", now - 400 * DAY);
		touch(kit, SPOOL_ROUTES, i, "00000000", now - 30 * DAY + (i == 1 ? -1 : 1));
		touch(kit, SPOOL_POLICIES, i, "00000000", now - SPOOL_POLICY_AGE + (i == 1 ? -1 : 1));
		touch(kit, SPOOL_REPORTS, i, "00000000", now - SPOOL_REPORT_AGE + (i == 1 ? -1 : 1));
	}
	kit_write(kit_file(kit, SPOOL_LOCK, "slot.00000000.0"), "", 0);
	kit_set_age(kit_file(kit, SPOOL_LOCK, "slot.00000000.0"), now - 31 * DAY);
	kit_write(kit_file(kit, SPOOL_LOCK, "flush"), "", 0);
	kit_set_age(kit_file(kit, SPOOL_LOCK, "flush"), now - 31 * DAY);
	tap_is_number((long long)spool_clean(&kit->spool, now, false), 8, "what is old enough is removed");
	tap_ok(kit_count(kit, SPOOL_TMP) == 1 && kit_count(kit, SPOOL_FAILED) == 1 && kit_count(kit, SPOOL_BOUNCES_CUR) == 1 &&
	       kit_count(kit, SPOOL_BOUNCES_TMP) == 1 && kit_count(kit, SPOOL_ROUTES) == 1 &&
	       kit_count(kit, SPOOL_POLICIES) == 1 && kit_count(kit, SPOOL_REPORTS) == 1, "and what is younger stays");
	tap_ok(kit_count(kit, SPOOL_QUEUE) == 2 && kit_count(kit, SPOOL_HOLD) == 2 && kit_count(kit, SPOOL_CORRUPT) == 2 &&
	       kit_count(kit, SPOOL_BOUNCES_NEW) == 2, "queue, hold, corrupt and new notifications are never touched");
	tap_ok(!kit_exists(kit_file(kit, SPOOL_LOCK, "slot.00000000.0")) && kit_exists(kit_file(kit, SPOOL_LOCK, "flush")),
	       "of the locks only slots go");

	touch(kit, SPOOL_TMP, 3, "00000000", now - 2 * DAY);
	tap_is_number((long long)spool_clean(&kit->spool, now + 3599, false), 0, "for an hour it is not looked again");
	tap_is_number((long long)spool_clean(&kit->spool, now + 3599, true), 1 + 7,
	              "unless it is asked for; and what has become old enough goes");
	touch(kit, SPOOL_TMP, 3, "00000000", now - 2 * DAY);
	tap_is_number((long long)spool_clean(&kit->spool, now + 2 * 3600, false), 1, "later it is");
	touch(kit, SPOOL_TMP, 3, "00000000", now - 3 * DAY);
	tap_is_number((long long)spool_clean(&kit->spool, now - 3600, false), 1, "also after the clock was set back");
}

static void
test_clean_locked(struct kit *kit)
{
	time_t now = 2000000000 + 10 * DAY;
	int fd, failed;
	char id[ID_LENGTH + 1], name[SPOOL_NAME_SIZE];
	const char *path;

	nftw(kit_file(kit, SPOOL_TMP, ""), kit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	nftw(kit_file(kit, SPOOL_FAILED, ""), kit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	spool_free(&kit->spool);
	spool_open(&kit->spool, &kit->place, &kit->err);
	spool_folder(&kit->spool, SPOOL_TMP, &kit->err);
	spool_folder(&kit->spool, SPOOL_FAILED, &kit->err);
	id_format(id, 1, 7);
	snprintf(name, sizeof(name), "%s.00000000", id);
	touch(kit, SPOOL_TMP, 1, "00000000", now - 100 * DAY);
	touch(kit, SPOOL_FAILED, 1, "00000000", now - 100 * DAY);
	fd = open(kit_file(kit, SPOOL_TMP, name), O_RDWR | O_CLOEXEC);
	failed = open(kit_file(kit, SPOOL_FAILED, name), O_RDWR | O_CLOEXEC);
	flock(fd, LOCK_EX);
	flock(failed, LOCK_EX);
	tap_is_number((long long)spool_clean(&kit->spool, now, true), 0, "what somebody works on stays, however old");
	close(fd);
	close(failed);
	tap_is_number((long long)spool_clean(&kit->spool, now, true), 2, "until the lock is free");

	path = kit_file(kit, SPOOL_TMP, "link");
	if (symlink("/etc/passwd", path) != 0)
		abort();
	kit_set_age(path, now - 100 * DAY);
	path = kit_file(kit, SPOOL_TMP, "folder");
	mkdir(path, 0700);
	kit_set_age(path, now - 100 * DAY);
	tap_is_number((long long)spool_clean(&kit->spool, now, true), 1, "a link goes itself, a folder stays");
	tap_ok(kit_exists("/etc/passwd"), "what the link led to stays");
	tap_ok(spool_lock(&kit->spool, "clean", &fd, &kit->err) == SPOOL_LOCKED, "somebody cleans");
	touch(kit, SPOOL_TMP, 3, "00000000", now - 100 * DAY);
	tap_is_number((long long)spool_clean(&kit->spool, now, true), 0, "so nobody else does");
	close(fd);
}

int
main(void)
{
	struct kit kit;

	kit_open(&kit);
	test_first_run(&kit);
	test_places(&kit);
	test_owner(&kit);
	test_sticky(&kit);
	test_folders(&kit);
	test_locks(&kit);
	test_scan(&kit);
	kit_close(&kit);
	kit_open(&kit);
	test_find(&kit);
	kit_close(&kit);
	kit_open(&kit);
	test_clean(&kit);
	test_clean_locked(&kit);
	kit_close(&kit);
	return tap_end();
}
