/* file.c - files read, written and appended to in the only ways the program does it. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

enum {
	FIRST_READ = 4000, /* bytes asked of the first read: most files are smaller, and what is reserved is also wiped */
	READ_STEP = 65536, /* bytes asked of one read at most */
	LOCK_SECONDS = 10, /* patience with another writer of the same log */
	LOCK_PAUSE_MS = 20,
	DESCRIPTORS_MOST = 65536, /* looked at one by one where the system cannot close them all at once */
	ENTER = X_OK
};

/* What uid `uid` lacks to get at a thing: the words for it, and the letter chmod and setfacl have for it. */
static const char *
access_verb(int wanted)
{
	return wanted == R_OK ? "read" : wanted == W_OK ? "write" : "enter";
}

static char
access_letter(int wanted)
{
	return wanted == R_OK ? 'r' : wanted == W_OK ? 'w' : 'x';
}

/* The folder nearest to the root that keeps this process from reaching path; the caller's. NULL: none does. */
static char *
find_closed_folder(const char *path)
{
	char *folder = mem_copy_string(path);

	for (size_t i = 1; folder[0] != '\0' && folder[i] != '\0'; i++) {
		if (folder[i] != '/')
			continue;
		folder[i] = '\0';
		if (faccessat(AT_FDCWD, folder, ENTER, AT_EACCESS) != 0 && errno == EACCES)
			return folder;
		folder[i] = '/';
	}
	free(folder);
	return NULL;
}

/* The folder of a file that is not there and cannot be made; the caller's. NULL: path is there, or is in no folder. */
static char *
find_full_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat facts = {0};

	if (slash == NULL || slash == path || stat(path, &facts) == 0)
		return NULL;
	return mem_copy(path, (size_t)(slash - path));
}

/* EACCES: say who may not do what to which thing, and the command that mends exactly that. A folder is not to be opened
 * for the sake of a file that is not there yet, so no command is named then. */
static void
explain_refusal(struct err *err, const char *path, int wanted)
{
	char *closed = find_closed_folder(path);
	char *folder = closed != NULL || wanted != W_OK ? closed : find_full_folder(path);
	const char *place = folder == NULL ? path : folder;
	unsigned int uid = (unsigned int)geteuid();
	struct stat facts = {0};

	if (closed != NULL)
		wanted = ENTER;
	buf_printf(&err->text, ": uid %u may not %s %s", uid, access_verb(wanted), folder == NULL ? "it" : place);
	if (stat(place, &facts) == 0) {
		buf_printf(&err->text, ": owner %u, mode %04o", (unsigned int)facts.st_uid,
		           (unsigned int)facts.st_mode & 07777U);
		if (place != path && closed == NULL)
			err_hint(err, "name a file in a folder that uid %u may write to", uid);
		else if (facts.st_uid == geteuid())
			err_hint(err, "chmod u+%c %s", access_letter(wanted), place);
		else
			err_hint(err, "as root: setfacl -m u:%u:%c %s", uid, access_letter(wanted), place);
	}
	free(folder);
}

bool
file_open_read(const char *path, int *fd, struct err *err)
{
	int cause;

	do
		*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (*fd < 0 && errno == EINTR);
	if (*fd >= 0)
		return true;
	cause = errno;
	err_set_errno(err, EX_NOINPUT, "cannot open %s", path);
	if (cause == EACCES)
		explain_refusal(err, path, R_OK);
	errno = cause;
	return false;
}

/* After a read or write that gave errno: may it be tried again? Waits where a non-blocking descriptor is not ready. */
static bool
may_go_on(int fd, short events)
{
	struct pollfd wanted = {.fd = fd, .events = events};

	if (errno == EINTR)
		return true;
	if (errno != EAGAIN)
		return false;
	return poll(&wanted, 1, -1) >= 0 || errno == EINTR;
}

bool
file_read_all(int fd, size_t most, struct buf *b, struct err *err)
{
	size_t total = 0, step = FIRST_READ;

	while (true) {
		size_t wanted = most - total < step ? most - total + 1 : step;
		ssize_t n = read(fd, buf_reserve(b, wanted), wanted);

		if (n == 0)
			return true;
		if (n < 0) {
			if (may_go_on(fd, POLLIN))
				continue;
			return err_set_errno(err, EX_IOERR, "cannot read");
		}
		if ((size_t)n > most - total)
			return err_set(err, EX_DATAERR, "more than %zu bytes", most);
		buf_grow(b, (size_t)n);
		total += (size_t)n;
		if ((size_t)n == step && step < READ_STEP)
			step *= 2;
	}
}

bool
file_is_roots(const char *path, struct err *err)
{
	struct stat facts = {0};

	if (geteuid() != 0 || stat(path, &facts) != 0 || facts.st_uid == 0)
		return true;
	err_set(err, EX_CONFIG, "uid %ld owns it, and root reads nothing of others by itself", (long)facts.st_uid);
	return err_hint(err, "'-C %s' reads it, if that is what you want", path);
}

bool
file_is_private(int fd, const char *path, struct err *err)
{
	struct stat facts = {0};

	if (fstat(fd, &facts) != 0)
		return err_set_errno(err, EX_CONFIG, "%s", path);
	if (geteuid() == 0)
		return true;
	if (facts.st_uid != geteuid()) {
		err_set(err, EX_CONFIG,
		        "%s: contains secrets and therefore must belong to you (uid %u), but its owner is %u", path,
		        (unsigned int)geteuid(), (unsigned int)facts.st_uid);
		return err_hint(err, "as root: chown %u %s", (unsigned int)geteuid(), path);
	}
	if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		err_set(err, EX_CONFIG,
		        "%s: contains secrets and therefore must be closed to others, but its mode is %04o", path,
		        (unsigned int)facts.st_mode & 07777U);
		return err_hint(err, "chmod 600 %s", path);
	}
	return true;
}

bool
file_read_path(const char *path, size_t most, struct buf *b, struct err *err)
{
	int fd = -1;
	bool is_read;

	if (!file_open_read(path, &fd, err))
		return false;
	is_read = file_read_all(fd, most, b, err);
	close(fd);
	return is_read || err_prefix(err, "%s", path);
}

bool
file_write_all(int fd, const void *data, size_t size, const char *what, struct err *err)
{
	struct str rest = str_make(data, size);

	while (rest.size > 0) {
		ssize_t n = write(fd, rest.data, rest.size);

		if (n >= 0)
			rest = str_from(rest, (size_t)n);
		else if (!may_go_on(fd, POLLOUT))
			return err_set_errno(err, EX_IOERR, "cannot write to %s", what);
	}
	return true;
}

/* An unnamed file in folder; -1 with errno when there can be none. */
static int
open_unnamed(const char *folder)
{
	struct buf name = {0};
	int fd = open(folder, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
	int cause;

	if (fd >= 0)
		return fd;
	/* Not every file system knows files without names; a missing folder fails here once more. */
	buf_printf(&name, "%s/" PACKAGE_NAME "-XXXXXX", folder);
	fd = mkostemp(name.data, O_CLOEXEC);
	cause = errno;
	if (fd >= 0)
		unlink(buf_text(&name));
	buf_free(&name);
	errno = cause;
	return fd;
}

bool
file_open_spool(int *fd, struct err *err)
{
	const char *folder = secure_getenv("TMPDIR");

	*fd = -1;
	if (folder != NULL && folder[0] == '/')
		*fd = open_unnamed(folder);
	if (*fd < 0)
		*fd = open_unnamed("/tmp");
	if (*fd >= 0)
		return true;
	err_set_errno(err, EX_CANTCREAT, "cannot create a spool file in %s%s/tmp", folder == NULL ? "" : folder,
	              folder == NULL ? "" : " or ");
	return err_hint(err, "set TMPDIR to a folder that can be written to");
}

static bool
open_log(const char *path, int *fd, struct err *err)
{
	int cause;

	/* O_NONBLOCK: a FIFO without a reader must be an error, not a wait. */
	do
		*fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		           S_IRUSR | S_IWUSR);
	while (*fd < 0 && errno == EINTR);
	if (*fd >= 0)
		return true;
	cause = errno;
	if (cause == ELOOP)
		return err_set(err, EX_CANTCREAT, "cannot append to %s: it is a symbolic link", path);
	if (cause == ENXIO)
		return err_set(err, EX_CANTCREAT, "cannot append to %s: it is not a regular file", path);
	err_set_errno(err, EX_CANTCREAT, "cannot append to %s", path);
	if (cause == EACCES)
		explain_refusal(err, path, W_OK);
	return false;
}

static bool
check_log(int fd, const char *path, struct err *err)
{
	struct stat facts = {0};

	if (fstat(fd, &facts) != 0)
		return err_set_errno(err, EX_CANTCREAT, "cannot append to %s", path);
	if (!S_ISREG(facts.st_mode))
		return err_set(err, EX_CANTCREAT, "cannot append to %s: it is not a regular file", path);
	if (facts.st_nlink > 1)
		return err_set(err, EX_CANTCREAT, "cannot append to %s: it has more than one name (hard link)", path);
	return true;
}

static bool
lock_log(int fd, const char *path, struct err *err)
{
	const struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int64_t deadline = clock_deadline(LOCK_SECONDS);

	while (fcntl(fd, F_SETLK, &whole) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != EACCES && errno != EAGAIN)
			return err_set_errno(err, EX_IOERR, "cannot lock %s", path);
		if (clock_poll_timeout(deadline) == 0)
			return err_set(err, EX_TEMPFAIL, "cannot lock %s: another process has held it for %d seconds",
			               path, LOCK_SECONDS);
		poll(NULL, 0, LOCK_PAUSE_MS);
	}
	return true;
}

static bool
write_record(int fd, const char *path, struct str record, struct err *err)
{
	ssize_t n;

	do
		n = write(fd, record.data, record.size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set_errno(err, EX_IOERR, "cannot append to %s", path);
	if ((size_t)n < record.size)
		return err_set(err, EX_IOERR, "cannot append to %s: only %zu of %zu bytes were written", path,
		               (size_t)n, record.size);
	return true;
}

bool
file_append_record(const char *path, struct str record, struct err *err)
{
	int fd = -1;
	bool is_written;

	if (!open_log(path, &fd, err))
		return false;
	is_written = check_log(fd, path, err) && lock_log(fd, path, err) && write_record(fd, path, record, err);
	/* NFS and quotas may tell only now. */
	if (close(fd) != 0 && errno != EINTR && is_written)
		return err_set_errno(err, EX_IOERR, "cannot append to %s", path);
	return is_written;
}

bool
file_open_standard_streams(void)
{
	bool has_stdin = true;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int opened;

		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (fd == STDIN_FILENO)
			has_stdin = false;
		/* The lowest free number is fd. Where there is no /dev/null, a folder holds the place. */
		opened = open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
		if (opened < 0)
			opened = open("/", O_RDONLY | O_DIRECTORY);
		if (opened < 0)
			break;
	}
	return has_stdin;
}

void
file_close_inherited(void)
{
	long most = sysconf(_SC_OPEN_MAX);

#ifdef SYS_close_range
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0)
		return;
#endif
	for (int fd = STDERR_FILENO + 1; fd < most && fd < DESCRIPTORS_MOST; fd++)
		close(fd);
}

char *
file_expand_home(const char *path)
{
	struct buf expanded = {0};
	const char *home;

	if (path[0] != '~' || (path[1] != '/' && path[1] != '\0'))
		return mem_copy_string(path);
	home = file_home();
	if (home == NULL)
		return mem_copy_string(path);
	buf_add_text(&expanded, home);
	buf_add_text(&expanded, path + 1);
	return buf_take(&expanded);
}

const char *
file_home(void)
{
	const char *home = secure_getenv("HOME");
	const struct passwd *entry;

	if (home != NULL && home[0] != '\0')
		return home;
	entry = getpwuid(getuid());
	return entry == NULL || entry->pw_dir == NULL || entry->pw_dir[0] == '\0' ? NULL : entry->pw_dir;
}
