/* file.h - files read, written and appended to in the only ways the program does it.
 *
 * Everything opened here is close-on-exec. Paths that other users could have prepared (logs, state) are opened without
 * following a link in the last component and must be regular files. */

#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Open an existing file for reading. False: err says the path and why; for EACCES it says uid, owner, mode and the command
 * that mends it as a hint, and is never confused with "no such file" (exit code EX_NOINPUT for both, errno is kept). */
bool file_open_read(const char *path, int *fd, struct err *err);

/* Read fd to its end into b, at most `most` bytes. False: EX_IOERR, or EX_DATAERR when there is more than `most`. */
bool file_read_all(int fd, size_t most, struct buf *b, struct err *err);

/* Read a whole small file by path (file_open_read, file_read_all). */
bool file_read_path(const char *path, size_t most, struct buf *b, struct err *err);

/* Write all of data, going on after short writes and EINTR. `what` names the target in the error (EX_IOERR). */
bool file_write_all(int fd, const void *data, size_t size, const char *what, struct err *err);

/* A new file without a name (O_TMPFILE, else created and unlinked) in $TMPDIR (when set and not running set-id) or /tmp,
 * mode 0600, opened for reading and writing. EX_CANTCREAT when there is none. */
bool file_open_spool(int *fd, struct err *err);

/* Append one record to a log file: created with mode 0600, opened O_NOFOLLOW | O_APPEND, refused if it is not a regular file
 * or has more than one link, locked (fcntl write lock, as msmtp does, for at most 10 seconds), written with one write. */
bool file_append_record(const char *path, struct str record, struct err *err);

/* Make sure that descriptors 0, 1 and 2 are open (on /dev/null if need be), so that no socket becomes one of them. Returns
 * false if stdin was closed. To be called first of all. */
bool file_open_standard_streams(void);

/* path with a leading "~" replaced by home ($HOME, else the passwd entry); the caller's. */
char *file_expand_home(const char *path);

/* The home directory as above, borrowed; NULL when there is none. */
const char *file_home(void);

#endif
