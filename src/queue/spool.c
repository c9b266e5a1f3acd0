/* spool.c - the queue's folders: found, checked and opened; room, syncs and locks that are not an entry's. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "queue/disk.h"
#include "queue/layout.h"
#include "queue/spool.h"

enum {
	OTHERS = S_IRWXG | S_IRWXO,
	LOCK_TRIES = 10,
	PERCENT = 100
};

static const uint64_t room_least = 10 * 1024 * 1024;

/* Of statfs(2); the kernel's headers do not have all of them. */
static const uint32_t volatile_systems[] = {0x01021994 /* tmpfs */, 0x858458f6 /* ramfs */};
static const uint32_t remote_systems[] = {0x6969 /* NFS */, 0x517b /* SMB */, 0xff534d42 /* CIFS */, 0xfe534d42 /* SMB 2 */};

/* A place where the spool may be. */
struct candidate {
	char *path;
	size_t given;       /* bytes of the path that must be there: a missing home is not made */
	bool must_be_ours;  /* nothing is made in somebody else's home, as with sudo */
};

enum { CANDIDATES_MOST = 2 };

/* The folder that a candidate is in. */
enum base_kind {
	BASE_MADE,   /* is made if need be */
	BASE_GIVEN,  /* must be there */
	BASE_HOME    /* must be there, and be ours */
};

struct search {
	struct candidate candidates[CANDIDATES_MOST];
	size_t n_candidates;
	bool may_make;
};

enum found {
	FOUND_OPEN,
	FOUND_NONE,    /* nothing there */
	FOUND_CLOSED,  /* it cannot be there; errno */
	FOUND_REFUSED  /* err */
};

struct spool_place
spool_place_of_user(const char *queue_dir)
{
	return (struct spool_place){
		.path = queue_dir,
		.state_home = secure_getenv("XDG_STATE_HOME"),
		.home = file_home(),
		.system_folder = SPOOL_SYSTEM_FOLDER,
	};
}

const char *
spool_folder_name(enum spool_folder folder)
{
	return layout_folder_path(folder);
}

static void
add_candidate(struct search *search, const char *base, const char *rest, enum base_kind kind)
{
	struct buf path = {0};
	struct candidate *candidate = &search->candidates[search->n_candidates++];

	buf_add_text(&path, base);
	while (path.size > 1 && path.data[path.size - 1] == '/')
		buf_truncate(&path, path.size - 1);
	if (kind != BASE_MADE)
		candidate->given = path.size;
	buf_add_text(&path, rest);
	candidate->path = buf_take(&path);
	candidate->must_be_ours = kind == BASE_HOME;
}

static bool
is_given(const struct spool_place *place)
{
	return place->path != NULL && place->path[0] != '\0';
}

static void
list_candidates(struct search *search, const struct spool_place *place)
{
	struct buf rest = {0};

	if (is_given(place)) {
		add_candidate(search, place->path, "", BASE_MADE);
		return;
	}
	/* A relative path is not valid there (XDG Base Directory Specification). */
	if (place->state_home != NULL && place->state_home[0] == '/')
		add_candidate(search, place->state_home, "/" PACKAGE_NAME, BASE_MADE);
	else if (place->home != NULL && place->home[0] == '/')
		add_candidate(search, place->home, "/.local/state/" PACKAGE_NAME, BASE_HOME);
	buf_printf(&rest, "/%u", (unsigned int)geteuid());
	if (place->system_folder != NULL && place->system_folder[0] == '/')
		add_candidate(search, place->system_folder, buf_text(&rest), BASE_GIVEN);
	buf_free(&rest);
}

static bool
refuse_owner(const char *path, uid_t owner, struct err *err)
{
	err_set(err, EX_NOPERM, "the queue's folder %s belongs to uid %u, and this is uid %u", path, (unsigned int)owner,
	        (unsigned int)geteuid());
	return err_hint(err, "let that user remove it, or choose another place with queue_dir");
}

/* Its owner and mode. */
static bool
check_root(int fd, const char *path, struct err *err)
{
	struct stat facts = {0};

	if (fstat(fd, &facts) != 0)
		return err_set_errno(err, disk_exit_code(errno), "cannot use the queue in %s", path);
	if (facts.st_uid != geteuid())
		return refuse_owner(path, facts.st_uid, err);
	if ((facts.st_mode & OTHERS) != 0) {
		err_set(err, EX_NOPERM, "the queue's folder %s is open to other users: mode %04o", path,
		        (unsigned int)facts.st_mode & 07777U);
		return err_hint(err, "chmod 700 %s", path);
	}
	return true;
}

/* The folder cannot be opened for this reason. */
static enum found
explain_root(const char *path, int cause, struct err *err)
{
	struct stat facts = {0};

	if (cause == ENOENT)
		return FOUND_NONE;
	if (lstat(path, &facts) == 0) {
		if (S_ISLNK(facts.st_mode)) {
			err_set(err, EX_NOPERM, "the queue's folder %s is a symbolic link", path);
			err_hint(err, "set queue_dir to the folder it leads to");
		} else if (!S_ISDIR(facts.st_mode)) {
			err_set(err, EX_CANTCREAT, "%s, where the queue's folder should be, is not a folder", path);
		} else if (facts.st_uid != geteuid()) {
			refuse_owner(path, facts.st_uid, err);
		} else {
			errno = cause;
			err_set_errno(err, disk_exit_code(cause), "cannot open the queue's folder %s", path);
			if (cause == EACCES)
				err_hint(err, "chmod 700 %s", path);
		}
		return FOUND_REFUSED;
	}
	errno = cause;
	if (cause == EACCES || cause == EPERM || cause == ENOTDIR || cause == ELOOP || cause == ENAMETOOLONG)
		return FOUND_CLOSED;
	err_set_errno(err, disk_exit_code(cause), "cannot open the queue's folder %s", path);
	return FOUND_REFUSED;
}

static enum found
open_root(struct spool *spool, const char *path, struct err *err)
{
	int fd = disk_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return explain_root(path, errno, err);
	if (!check_root(fd, path, err)) {
		close(fd);
		return FOUND_REFUSED;
	}
	*spool = (struct spool){.path = mem_copy_string(path), .root = fd, .is_open = true};
	for (size_t i = 0; i < N_SPOOL_FOLDERS; i++)
		spool->folders[i] = -1;
	return FOUND_OPEN;
}

/* Does the deepest folder of the path that is there belong to us? */
static bool
is_in_ours(const char *path)
{
	struct buf prefix = {0};
	struct stat facts = {0};
	bool is_ours = false;

	buf_add_text(&prefix, path);
	while (prefix.size > 0) {
		if (stat(buf_text(&prefix), &facts) == 0) {
			is_ours = facts.st_uid == geteuid();
			break;
		}
		while (prefix.size > 0 && prefix.data[prefix.size - 1] != '/')
			buf_truncate(&prefix, prefix.size - 1);
		if (prefix.size > 0)
			buf_truncate(&prefix, prefix.size - 1);
	}
	buf_free(&prefix);
	errno = EACCES;
	return is_ours;
}

static enum found
make_path(const struct candidate *candidate, struct err *err)
{
	size_t at = 0;

	if (candidate->must_be_ours && !is_in_ours(candidate->path))
		return FOUND_CLOSED;
	if (layout_make_path(candidate->path, candidate->given, &at))
		return FOUND_OPEN;
	switch (errno) {
	case EACCES:
	case EPERM:
	case EROFS:
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
		return FOUND_CLOSED;
	default:
		err_set_errno(err, disk_exit_code(errno), "cannot make the folder %.*s for the queue", (int)at,
		              candidate->path);
		return FOUND_REFUSED;
	}
}

static bool
is_among(uint32_t type, const uint32_t *types, size_t n_types)
{
	for (size_t i = 0; i < n_types; i++)
		if (types[i] == type)
			return true;
	return false;
}

static void
examine_file_system(struct spool *spool)
{
	struct statfs facts = {0};
	uint32_t type;

	if (fstatfs(spool->root, &facts) != 0)
		return;
	type = (uint32_t)facts.f_type;
	spool->is_volatile = is_among(type, volatile_systems, sizeof(volatile_systems) / sizeof(volatile_systems[0]));
	spool->is_remote = is_among(type, remote_systems, sizeof(remote_systems) / sizeof(remote_systems[0]));
}

/* The warnings that concern somebody who is going to put something in. */
static void
warn(struct spool *spool, bool is_new)
{
	if (spool->is_volatile)
		buf_printf(&spool->warnings, "the queue in %s is kept in memory only: what is in it does not survive a "
		           "restart of the system\n", spool->path);
	if (spool->is_remote && is_new)
		buf_printf(&spool->warnings, "the queue in %s is on a file server: it is as safe as the server's locks and "
		           "syncs are\n", spool->path);
}

/* The root is open: see that the rest is there. */
static bool
check_version(struct spool *spool, const struct candidate *candidate, bool may_make, struct err *err)
{
	char text[64];
	size_t at = 0;
	enum layout_version version = layout_read_version(spool->root, text, sizeof(text));

	switch (version) {
	case LAYOUT_CURRENT:
		break;
	case LAYOUT_FOREIGN:
		err_set(err, EX_CONFIG, "the queue in %s has version '%s', and this program knows version 1 only",
		        spool->path, text);
		return err_hint(err, "use the program that made it, or choose another place with queue_dir");
	case LAYOUT_ERROR:
		return err_set_errno(err, disk_exit_code(errno), "cannot read %s/VERSION", spool->path);
	case LAYOUT_INCOMPLETE:
		/* Who made it may have died in between: the names on the way may not be durable yet either. */
		if (may_make && (!layout_make_path(candidate->path, candidate->given, &at) ||
		                 !layout_complete(spool->root)))
			return err_set_errno(err, disk_exit_code(errno), "cannot make the queue in %s", spool->path);
		break;
	}
	examine_file_system(spool);
	if (may_make)
		warn(spool, version == LAYOUT_INCOMPLETE);
	return true;
}

static enum found
try_candidate(struct spool *spool, const struct candidate *candidate, bool may_make, struct err *err)
{
	enum found found = open_root(spool, candidate->path, err);

	if (found == FOUND_NONE && may_make) {
		found = make_path(candidate, err);
		if (found == FOUND_OPEN)
			found = open_root(spool, candidate->path, err);
		if (found == FOUND_NONE) {
			errno = ENOENT;
			found = FOUND_CLOSED;
		}
	}
	if (found != FOUND_OPEN)
		return found;
	if (check_version(spool, candidate, may_make, err))
		return FOUND_OPEN;
	spool_free(spool);
	return FOUND_REFUSED;
}

static bool
search_spool(struct spool *spool, const struct spool_place *place, bool may_make, struct err *err)
{
	struct search search = {0};
	struct buf tried = {0};
	enum found found = FOUND_NONE;

	*spool = (struct spool){0};
	list_candidates(&search, place);
	for (size_t i = 0; i < search.n_candidates && (found == FOUND_NONE || found == FOUND_CLOSED); i++) {
		found = try_candidate(spool, &search.candidates[i], may_make, err);
		if (found == FOUND_CLOSED)
			buf_printf(&tried, "%s%s: %s", tried.size > 0 ? "; " : "", search.candidates[i].path,
			           strerror(errno));
	}
	/* Where it was said where the queue is, one that cannot be reached is not one that is not there. */
	if ((may_make && found == FOUND_NONE) || (found == FOUND_CLOSED && (may_make || is_given(place)))) {
		err_set(err, EX_CANTCREAT, "there is no place for the queue: %s",
		        tried.size > 0 ? buf_text(&tried) : "no home folder is known");
		err_hint(err, "set queue_dir to a folder that can be written to");
	}
	buf_free(&tried);
	for (size_t i = 0; i < search.n_candidates; i++)
		free(search.candidates[i].path);
	return found == FOUND_OPEN || (!may_make && (found == FOUND_NONE || (found == FOUND_CLOSED && !is_given(place))));
}

bool
spool_open(struct spool *spool, const struct spool_place *place, struct err *err)
{
	if (is_given(place) && place->path[0] != '/') {
		*spool = (struct spool){0};
		return err_set(err, EX_CONFIG, "the queue's folder '%s' is not an absolute path", place->path);
	}
	return search_spool(spool, place, true, err);
}

bool
spool_open_existing(struct spool *spool, const struct spool_place *place, struct err *err)
{
	return search_spool(spool, place, false, err);
}

int
spool_folder(struct spool *spool, enum spool_folder folder, struct err *err)
{
	const char *name = layout_folder_path(folder);
	int fd;

	if (!spool->is_open) {
		err_set(err, EX_CANTCREAT, "there is no queue");
		return -1;
	}
	if (spool->folders[folder] >= 0)
		return spool->folders[folder];
	fd = disk_open(spool->root, name, O_RDONLY | O_DIRECTORY);
	/* Somebody removed it, perhaps thinking it was not needed. */
	if (fd < 0 && errno == ENOENT && layout_make_folder(spool->root, folder))
		fd = disk_open(spool->root, name, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		err_set_errno(err, disk_exit_code(errno), "cannot open %s/%s", spool->path, name);
	spool->folders[folder] = fd;
	return fd;
}

bool
spool_has_room(const struct spool *spool, struct err *err)
{
	struct statvfs facts = {0};
	uint64_t free_size, least, whole, n_free;

	if (!spool->is_open || fstatvfs(spool->root, &facts) != 0)
		return true;
	/* What is kept for root is root's. */
	free_size = (geteuid() == 0 ? facts.f_bfree : facts.f_bavail) * facts.f_frsize;
	n_free = geteuid() == 0 ? facts.f_ffree : facts.f_favail;
	whole = facts.f_blocks * facts.f_frsize;
	least = whole / PERCENT < room_least ? whole / PERCENT : room_least;
	if (whole > 0 && free_size < least)
		return err_set(err, EX_TEMPFAIL, "no room for the queue in %s: %llu of %llu KiB are free", spool->path,
		               (unsigned long long)free_size / 1024, (unsigned long long)whole / 1024);
	if (facts.f_files > 0 && n_free < facts.f_files / PERCENT)
		return err_set(err, EX_TEMPFAIL, "no room for the queue in %s: %llu of %llu files (inodes) are free",
		               spool->path, (unsigned long long)n_free, (unsigned long long)facts.f_files);
	return true;
}

bool
spool_sync(struct spool *spool, enum spool_folder folder, struct err *err)
{
	int fd = spool_folder(spool, folder, err);

	if (fd < 0)
		return false;
	if (folder == SPOOL_QUEUE)
		spool->n_unsynced = 0;
	if (fsync(fd) == 0)
		return true;
	/* After an error a second fsync would say that all is well, and it would not be true. */
	if (errno != EINVAL && errno != ENOTSUP)
		return err_set_errno(err, EX_TEMPFAIL, "cannot sync %s/%s", spool->path, layout_folder_path(folder));
	if (!spool->has_warned_of_sync)
		buf_printf(&spool->warnings, "the file system of %s cannot sync folders: mail may be lost when the power "
		           "fails\n", spool->path);
	spool->has_warned_of_sync = true;
	return true;
}

/* One try. A file that was removed between open and lock (by the janitor) locks nothing: `is_stale`. */
static enum spool_lock_result
try_lock(int folder, const char *name, int *fd, bool *is_stale)
{
	enum spool_lock_result result = SPOOL_LOCKED;
	int cause;

	*is_stale = false;
	*fd = disk_open(folder, name, O_RDWR | O_CREAT | O_NONBLOCK);
	if (*fd < 0)
		return SPOOL_LOCK_ERROR;
	if (!disk_lock(*fd, false))
		result = errno == EWOULDBLOCK ? SPOOL_LOCK_BUSY : SPOOL_LOCK_ERROR;
	else if (disk_is_name_of((struct disk_name){folder, name}, *fd))
		return SPOOL_LOCKED;
	else
		*is_stale = true;
	cause = errno;
	close(*fd);
	*fd = -1;
	errno = cause;
	return result;
}

enum spool_lock_result
spool_lock(struct spool *spool, const char *name, int *fd, struct err *err)
{
	int folder = spool_folder(spool, SPOOL_LOCK, err);
	enum spool_lock_result result = SPOOL_LOCK_ERROR;
	bool is_stale = true;

	*fd = -1;
	if (folder < 0)
		return SPOOL_LOCK_ERROR;
	for (int i = 0; i < LOCK_TRIES && is_stale; i++)
		result = try_lock(folder, name, fd, &is_stale);
	if (is_stale)
		return SPOOL_LOCK_BUSY;
	if (result == SPOOL_LOCK_ERROR && disk_cannot_lock(errno))
		err_set_errno(err, EX_TEMPFAIL, "the file system of %s cannot lock files", spool->path);
	else if (result == SPOOL_LOCK_ERROR)
		err_set_errno(err, disk_exit_code(errno), "cannot lock %s/lock/%s", spool->path, name);
	return result;
}

void
spool_free(struct spool *spool)
{
	if (spool->is_open) {
		for (size_t i = 0; i < N_SPOOL_FOLDERS; i++)
			if (spool->folders[i] >= 0)
				close(spool->folders[i]);
		close(spool->root);
	}
	free(spool->path);
	buf_free(&spool->warnings);
	*spool = (struct spool){0};
}
