/* disk.c - system calls on the queue's files, with the rules that all of them share. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "queue/disk.h"

enum { TRIES = 100 }; /* of an interrupted call: a signal that comes for ever must not hold us for ever */

int
disk_exit_code(int cause)
{
	switch (cause) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EIO:
	case ENOLCK:
	case ESTALE:
		return EX_TEMPFAIL;
	case EACCES:
	case EPERM:
	case EROFS:
		return EX_CANTCREAT;
	default:
		return EX_IOERR;
	}
}

int
disk_open(int folder, const char *name, int flags)
{
	int fd = -1;

	for (int i = 0; i < TRIES; i++) {
		fd = openat(folder, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, S_IRUSR | S_IWUSR);
		if (fd >= 0 || errno != EINTR)
			break;
	}
	return fd;
}

DIR *
disk_open_folder(int root, const char *name)
{
	int fd = disk_open(root, name, O_RDONLY | O_DIRECTORY);
	DIR *stream;
	int cause;

	if (fd < 0)
		return NULL;
	stream = fdopendir(fd);
	if (stream == NULL) {
		cause = errno;
		close(fd);
		errno = cause;
	}
	return stream;
}

bool
disk_lock(int fd, bool is_shared)
{
	for (int i = 0; i < TRIES; i++) {
		if (flock(fd, (is_shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0)
			return true;
		if (errno != EINTR)
			break;
	}
	return false;
}

bool
disk_cannot_lock(int cause)
{
	return cause == ENOLCK || cause == ENOSYS || cause == EOPNOTSUPP || cause == EINVAL;
}

ssize_t
disk_read(int fd, void *data, size_t size, int64_t offset)
{
	size_t done = 0;
	int n_tries = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)data + done, size - done, offset + (int64_t)done);

		if (n == 0)
			break;
		if (n > 0) {
			done += (size_t)n;
			n_tries = 0;
		} else if (errno != EINTR || ++n_tries >= TRIES) {
			return -1;
		}
	}
	return (ssize_t)done;
}

bool
disk_write(int fd, const void *data, size_t size, int64_t offset, size_t *n_written)
{
	size_t done = 0;
	int n_tries = 0;
	bool is_well = true;

	while (is_well && done < size) {
		ssize_t n = pwrite(fd, (const char *)data + done, size - done, offset + (int64_t)done);

		if (n > 0) {
			done += (size_t)n;
			n_tries = 0;
			continue;
		}
		if (n == 0)
			errno = EIO; /* no file does that; going on would be for ever */
		is_well = n < 0 && errno == EINTR && ++n_tries < TRIES;
	}
	if (n_written != NULL)
		*n_written = done;
	return is_well;
}

/* One rename(2) that replaces nothing, as well as the file system can. */
static int
rename_once(struct disk_name from, struct disk_name to)
{
	struct stat facts = {0};
	int result = renameat2(from.folder, from.name, to.folder, to.name, RENAME_NOREPLACE);

	if (result == 0 || (errno != EINVAL && errno != ENOSYS))
		return result;
	/* NFS and old kernels do not know the flag. Names are never used twice, so looking before is enough; a link
	 * and an unlink would leave two names if we died in between, and an entry with two names is refused. */
	if (fstatat(to.folder, to.name, &facts, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(from.folder, from.name, to.folder, to.name);
}

/* Has the rename taken place, although it told otherwise? */
static bool
has_moved(struct disk_name from, struct disk_name to, int fd)
{
	struct stat facts = {0};

	return fd >= 0 && disk_is_name_of(to, fd) &&
	       fstatat(from.folder, from.name, &facts, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

bool
disk_rename(struct disk_name from, struct disk_name to, int fd)
{
	int cause = 0;

	for (int i = 0; i < TRIES; i++) {
		if (rename_once(from, to) == 0)
			return true;
		cause = errno;
		if (has_moved(from, to, fd))
			return true;
		if (cause != EINTR)
			break;
	}
	errno = cause;
	return false;
}

bool
disk_is_name_of(struct disk_name name, int fd)
{
	struct stat open_file = {0};
	struct stat named_file = {0};

	return fstat(fd, &open_file) == 0 &&
	       fstatat(name.folder, name.name, &named_file, AT_SYMLINK_NOFOLLOW) == 0 &&
	       open_file.st_dev == named_file.st_dev && open_file.st_ino == named_file.st_ino;
}
