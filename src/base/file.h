/* file.h - files read, written and appended to in the only ways the program does it.
 *
 * Everything opened here is close-on-exec (but the standard streams). Paths that other users could have prepared (logs,
 * state) are opened without following a link in the last component and must be regular files. */

#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Open an existing file for reading. False (EX_NOINPUT, errno is kept): err says the path and why. EACCES is never
 * mixed up with "no such file": it says the uid, the owner and the mode of what is closed (the file, or a folder on the
 * way), and the command that mends it as a hint. */
bool file_open_read(const char *path, int *fd, struct err *err);

/* Append what fd holds up to its end to b, at most `most` bytes. False: EX_IOERR, or EX_DATAERR when there is more.
 * Room for most + 1 bytes reserved before is never moved (for secrets). Waits without a deadline where fd is a pipe. */
bool file_read_all(int fd, size_t most, struct buf *b, struct err *err);

/* For root: is it root's own file (or not there at all)? False: EX_CONFIG, err says whose it is. Always true for others. */
bool file_is_roots(const char *path, struct err *err);

/* Is the open file, which holds a secret, the user's own and closed to others (root may read everything anyway)? False:
 * EX_CONFIG, with the command that mends it as a hint. */
bool file_is_private(int fd, const char *path, struct err *err);

/* Read a whole small file by path (file_open_read, file_read_all). */
bool file_read_path(const char *path, size_t most, struct buf *b, struct err *err);

/* Write all of data, going on after short writes, EINTR and EAGAIN. `what` names the target in the error (EX_IOERR). */
bool file_write_all(int fd, const void *data, size_t size, const char *what, struct err *err);

/* A new file without a name (O_TMPFILE, else created and unlinked), mode 0600, opened for reading and writing: in
 * $TMPDIR when that is an absolute path, usable, and the program does not run set-id; else in /tmp. EX_CANTCREAT when
 * there is none. */
bool file_open_spool(int *fd, struct err *err);

/* Append one record to a log file: created with mode 0600, opened O_NOFOLLOW | O_APPEND, refused if it is not a regular
 * file or has more than one link, locked (fcntl write lock, as msmtp does, for at most 10 seconds), written with one
 * write. False, for the caller to print as a warning: EX_CANTCREAT (not opened, or refused), EX_TEMPFAIL (the lock),
 * EX_IOERR. */
bool file_append_record(const char *path, struct str record, struct err *err);

/* Make sure that descriptors 0, 1 and 2 are open (on /dev/null if need be), so that no socket becomes one of them.
 * Returns false if stdin was closed. To be called first of all. */
bool file_open_standard_streams(void);

/* Close every other descriptor that the program was started with. */
void file_close_inherited(void);

/* The caller's copy of path, with "~" alone or in front of a slash replaced by home; unchanged when there is no home.
 */
char *file_expand_home(const char *path);

/* $HOME (when set and the program does not run set-id), else the home of the passwd entry; NULL when there is none.
 * Borrowed until the environment changes or a user is looked up. */
const char *file_home(void);

#endif
