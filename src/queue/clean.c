/* clean.c - the janitor of the spool: removes what crashes have left and what was kept long enough.
 *
 * Nothing here may touch a file that somebody works on: a file that can be locked is locked before it goes, and
 * what is young is left alone. Dying anywhere in between leaves files for the next time. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "queue/disk.h"
#include "queue/spool.h"

enum {
	PAUSE = 3600,               /* seconds between two cleanings */
	UNUSED_AGE = 30 * 86400     /* of hints and locks */
};

/* Who may be using a file. */
enum keeper {
	KEEPER_LOCKS, /* who works on it has locked it */
	KEEPER_NONE   /* nobody has to be asked */
};

struct rule {
	enum spool_folder folder;
	int64_t age;          /* seconds since its mtime */
	enum keeper keeper;
	const char *prefix;   /* of the names it is for */
};

static const struct rule rules[] = {
	{SPOOL_TMP, SPOOL_TMP_AGE, KEEPER_LOCKS, ""},
	{SPOOL_FAILED, SPOOL_FAILED_AGE, KEEPER_LOCKS, ""},
	{SPOOL_BOUNCES_TMP, SPOOL_TMP_AGE, KEEPER_NONE, ""},
	{SPOOL_BOUNCES_CUR, SPOOL_BOUNCE_AGE, KEEPER_NONE, ""},
	{SPOOL_ROUTES, UNUSED_AGE, KEEPER_NONE, ""},
	{SPOOL_LOCK, UNUSED_AGE, KEEPER_LOCKS, "slot."},
	{SPOOL_POLICIES, SPOOL_POLICY_AGE, KEEPER_NONE, ""},
	{SPOOL_REPORTS, SPOOL_REPORT_AGE, KEEPER_NONE, ""},
};

/* Lock it and see that the name still is this file's; then nobody else can have it. -1: it is in use, or not to be
 * had. */
static int
take(struct disk_name name)
{
	int fd = disk_open(name.folder, name.name, O_RDWR | O_NONBLOCK);

	if (fd >= 0 && (!disk_lock(fd, false) || !disk_is_name_of(name, fd))) {
		close(fd);
		return -1;
	}
	return fd;
}

static size_t
remove_file(struct disk_name name, const struct stat *facts, enum keeper keeper)
{
	bool must_lock = keeper == KEEPER_LOCKS && S_ISREG(facts->st_mode);
	int fd = must_lock ? take(name) : -1;
	size_t n = 0;

	if (S_ISDIR(facts->st_mode) || (must_lock && fd < 0))
		return 0;
	n += unlinkat(name.folder, name.name, 0) == 0;
	if (fd >= 0)
		close(fd);
	return n;
}

static size_t
apply_rule(struct spool *spool, const struct rule *rule, time_t now)
{
	DIR *stream = disk_open_folder(spool->root, spool_folder_name(rule->folder));
	const struct dirent *found;
	struct stat facts = {0};
	size_t n = 0;

	if (stream == NULL)
		return 0;
	while ((found = readdir(stream)) != NULL) {
		struct disk_name name = {dirfd(stream), found->d_name};

		if (found->d_name[0] == '.' || !str_starts_with(str_of(found->d_name), str_of(rule->prefix)))
			continue;
		if (fstatat(name.folder, name.name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (int64_t)now - facts.st_mtime > rule->age)
			n += remove_file(name, &facts, rule->keeper);
	}
	closedir(stream);
	return n;
}

/* Was it cleaned within the last hour? If not, it is now: the time is set before the work, so that work that cannot
 * be finished is not begun with every run. A time in the future is a wrong one. */
static bool
is_clean(int fd, time_t now)
{
	struct stat facts = {0};
	struct timespec times[2] = {{.tv_sec = now}, {.tv_sec = now}};

	if (fstat(fd, &facts) != 0)
		return true;
	if (facts.st_size > 0 && facts.st_mtime <= now && now - facts.st_mtime < PAUSE)
		return true;
	/* A file without a byte was just made. */
	if (facts.st_size == 0)
		disk_write(fd, "\n", 1, 0, NULL);
	futimens(fd, times);
	return false;
}

size_t
spool_clean(struct spool *spool, time_t now, bool is_forced)
{
	struct err err = {0};
	size_t n = 0;
	int fd;

	if (!spool->is_open)
		return 0;
	if (spool_lock(spool, "clean", &fd, &err) != SPOOL_LOCKED) {
		err_clear(&err);
		return 0;
	}
	if (!is_clean(fd, now) || is_forced)
		for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
			n += apply_rule(spool, &rules[i], now);
	close(fd);
	return n;
}
