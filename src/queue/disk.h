/* disk.h - system calls on the queue's files, with the rules that all of them share: an interrupted call is
 * repeated, but not for ever; a short read or write goes on; a rename whose answer was lost is looked after.
 * fsync(2) is never repeated.
 *
 * All leave errno. Names are relative to a folder's descriptor. */

#ifndef QUEUE_DISK_H
#define QUEUE_DISK_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* The exit code for errno: EX_TEMPFAIL where the disk, the process or the system is out of something or faulty,
 * EX_CANTCREAT where it is not allowed, else EX_IOERR. */
int disk_exit_code(int cause);

/* openat(2) with O_CLOEXEC, O_NOFOLLOW and O_NOCTTY; what is created has mode 0600. */
int disk_open(int folder, const char *name, int flags);

/* A folder as a stream of names, on a descriptor of its own. NULL: errno. */
DIR *disk_open_folder(int root, const char *name);

/* flock(2) without waiting. EWOULDBLOCK: somebody else has it. */
bool disk_lock(int fd, bool is_shared);

/* Does errno of disk_lock say that this file system cannot lock at all? */
bool disk_cannot_lock(int cause);

/* Read size bytes from `offset`, fewer only at the end of the file. -1: errno. */
ssize_t disk_read(int fd, void *data, size_t size, int64_t offset);

/* Write all bytes at `offset`. False: errno; *n is how many were written (n may be NULL). */
bool disk_write(int fd, const void *data, size_t size, int64_t offset, size_t *n);

/* Rename the file that is open as fd (-1: not known) without replacing another. True also when the call failed but
 * the file has its new name and not the old one any more, as happens on NFS when the answer was lost. */
struct disk_name {
	int folder;
	const char *name;
};
bool disk_rename(struct disk_name from, struct disk_name to, int fd);

/* Is `name` the file that is open as fd? */
bool disk_is_name_of(struct disk_name name, int fd);

#endif
