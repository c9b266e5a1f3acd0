/* file_test.c - behaviour of base/file.c, in a folder of its own below /tmp. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "tap.h"

enum { NOBODY = 65534 };

static char folder[] = "/tmp/file_test.XXXXXX";
static struct buf path;
static struct err err;

/* folder/name; valid until the next call. */
static const char *
in_folder(const char *name)
{
	buf_clear(&path);
	buf_printf(&path, "%s/%s", folder, name);
	return buf_text(&path);
}

static void
make_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	err_clear(&err);
	file_write_all(fd, text, strlen(text), name, &err);
	close(fd);
	chmod(in_folder(name), mode);
}

static bool
appends(const char *name, const char *record)
{
	err_clear(&err);
	return file_append_record(in_folder(name), str_of(record), &err);
}

static bool
holds(const char *name, const char *expected)
{
	struct buf b = {0};
	struct err ignored = {0};
	bool is_same = file_read_path(in_folder(name), 100000, &b, &ignored) && strcmp(buf_text(&b), expected) == 0;

	if (!is_same)
		tap_note("%s holds: %s", name, buf_text(&b));
	buf_free(&b);
	err_clear(&ignored);
	return is_same;
}

static bool
says(const char *text)
{
	if (strstr(buf_text(&err.text), text) != NULL)
		return true;
	tap_note("error: %s", buf_text(&err.text));
	return false;
}

/* Run check as a user without rights; true if it held there. */
static bool
holds_for_nobody(bool (*check)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
			_exit(2);
		_exit(check() ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
is_closed_file_explained(void)
{
	struct buf expected = {0};
	struct stat facts = {0};
	int fd = -1;
	bool is_open;

	err_clear(&err);
	is_open = file_open_read(in_folder("closed"), &fd, &err);
	if (is_open || errno != EACCES || err.exit_code != EX_NOINPUT)
		return false;
	if (stat(in_folder("closed"), &facts) != 0)
		return false;
	if (facts.st_uid != geteuid())
		buf_printf(&expected, "as root: setfacl -m u:65534:r %s/closed", folder);
	else
		buf_printf(&expected, "chmod u+r %s/closed", folder);
	return says("Permission denied") && says("may not read it: owner ") && says("mode 0000") &&
	       strcmp(buf_text(&err.hint), buf_text(&expected)) == 0;
}

static bool
is_closed_folder_explained(void)
{
	int fd = -1;

	err_clear(&err);
	return !file_open_read(in_folder("private/file"), &fd, &err) && errno == EACCES &&
	       says("may not enter /tmp/") && says("/private: owner ") && says("mode 0000") &&
	       strstr(buf_text(&err.hint), "/private") != NULL && strstr(buf_text(&err.hint), "/private/file") == NULL;
}

static bool
is_closed_log_explained(void)
{
	return !appends("closed", "x\n") && err.exit_code == EX_CANTCREAT && says("may not write it");
}

static void
test_reading(void)
{
	struct buf b = {0};
	int fd = -1;

	make_file("small", "hello\n", 0600);
	tap_ok(file_read_path(in_folder("small"), 6, &b, &err) && strcmp(buf_text(&b), "hello\n") == 0,
	       "a file as large as the limit is read");
	buf_clear(&b);
	tap_ok(!file_read_path(in_folder("small"), 5, &b, &err) && err.exit_code == EX_DATAERR &&
	               says("small: more than 5"),
	       "a file larger than the limit is refused by name");
	err_clear(&err);
	tap_ok(!file_open_read(in_folder("none"), &fd, &err) && errno == ENOENT && err.exit_code == EX_NOINPUT &&
	               says("none: No such file"),
	       "a file that is not there is named, errno tells");
	tap_ok(err.hint.size == 0, "a file that is not there gives no hint about rights");
	err_clear(&err);
	tap_ok(!file_read_path(folder, 100, &b, &err) && err.exit_code == EX_IOERR,
	       "a folder cannot be read as a file");
	err_clear(&err);
	if (file_open_read(in_folder("small"), &fd, &err))
		tap_ok((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "what is opened is close-on-exec");
	close(fd);
	make_file("closed", "secret", 0000);
	mkdir(in_folder("private"), 0700);
	make_file("private/file", "x", 0644);
	chmod(in_folder("private"), 0000);
	tap_ok(holds_for_nobody(is_closed_file_explained),
	       "EACCES names uid, owner and mode, and the command that mends it");
	tap_ok(holds_for_nobody(is_closed_folder_explained), "EACCES names the folder that is closed, not the file");
	tap_ok(holds_for_nobody(is_closed_log_explained), "EACCES of a log says who may not write it");
	buf_free(&b);
}

static void
test_secret_room(void)
{
	struct buf b = {0};
	char *room = buf_reserve(&b, 4097);

	make_file("small", "pw", 0600);
	tap_ok(file_read_path(in_folder("small"), 4096, &b, &err) && b.data == room,
	       "room that was reserved for the limit is not moved by reading");
	buf_free(&b);
}

static void
on_alarm(int number)
{
	(void)number;
}

/* A child that writes 300 KB slowly to its end of a pipe, or reads it slowly. */
static pid_t
start_slow_peer(int fd, int other, bool is_writer)
{
	static char chunk[30000];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	close(other);
	for (int i = 0; i < 10; i++) {
		ssize_t n = 0;

		poll(NULL, 0, 20);
		for (size_t done = 0; done < sizeof(chunk) && n >= 0; done += (size_t)n)
			n = is_writer ? write(fd, chunk, sizeof(chunk) - done) : read(fd, chunk, sizeof(chunk) - done);
	}
	_exit(0);
}

static void
test_interruption(bool is_nonblocking)
{
	struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_handler = on_alarm};
	static char data[300000];
	struct buf b = {0};
	int fds[2];
	pid_t pid;

	err_clear(&err);
	sigaction(SIGALRM, &action, NULL);
	if (pipe2(fds, is_nonblocking ? O_NONBLOCK : 0) != 0)
		return;
	fcntl(fds[1], F_SETFL, 0);
	pid = start_slow_peer(fds[1], fds[0], true);
	close(fds[1]);
	setitimer(ITIMER_REAL, &often, NULL);
	tap_ok(file_read_all(fds[0], 1000000, &b, &err) && b.size == 300000, "reading goes on after signals%s",
	       is_nonblocking ? ", also where the pipe is non-blocking" : "");
	setitimer(ITIMER_REAL, &never, NULL);
	close(fds[0]);
	waitpid(pid, NULL, 0);
	if (pipe2(fds, is_nonblocking ? O_NONBLOCK : 0) != 0)
		return;
	fcntl(fds[0], F_SETFL, 0);
	pid = start_slow_peer(fds[0], fds[1], false);
	close(fds[0]);
	setitimer(ITIMER_REAL, &often, NULL);
	tap_ok(file_write_all(fds[1], data, sizeof(data), "pipe", &err),
	       "writing goes on after signals and short writes%s",
	       is_nonblocking ? ", also where the pipe is non-blocking" : "");
	setitimer(ITIMER_REAL, &never, NULL);
	close(fds[1]);
	waitpid(pid, NULL, 0);
	buf_free(&b);
}

static void
test_full_device(void)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	err_clear(&err);
	tap_ok(!file_write_all(fd, "x", 1, "the queue", &err) && err.exit_code == EX_IOERR,
	       "a full device is an error");
	tap_ok(says("cannot write to the queue: No space left on device"), "a full device is named as the reason");
	close(fd);
	tap_ok(!file_append_record("/dev/full", STR("x\n"), &err), "a device is not a log");
}

static void
test_spool(void)
{
	struct stat facts = {0};
	struct buf b = {0};
	int fd = -1;

	err_clear(&err);
	setenv("TMPDIR", folder, 1);
	tap_ok(file_open_spool(&fd, &err), "a spool file can be had");
	tap_ok(fstat(fd, &facts) == 0 && facts.st_nlink == 0 && (facts.st_mode & 07777) == 0600,
	       "a spool file has no name and is the owner's only");
	tap_ok(file_write_all(fd, "body", 4, "spool", &err) && lseek(fd, 0, SEEK_SET) == 0 &&
	               file_read_all(fd, 100, &b, &err) && strcmp(buf_text(&b), "body") == 0,
	       "what is written to a spool file can be read again");
	tap_ok((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "a spool file is close-on-exec");
	close(fd);
	setenv("TMPDIR", in_folder("missing"), 1);
	tap_ok(file_open_spool(&fd, &err), "a TMPDIR that is not there does not keep a message from being sent");
	close(fd);
	unsetenv("TMPDIR");
	tap_ok(file_open_spool(&fd, &err), "without TMPDIR a spool file is in /tmp");
	close(fd);
	buf_free(&b);
}

static void
test_log(void)
{
	struct stat facts = {0};
	mode_t mask = umask(0);
	char second[sizeof(folder) + 8];
	int reader;

	snprintf(second, sizeof(second), "%s/second", folder);

	tap_ok(appends("log", "one\n") && appends("log", "two\n") && holds("log", "one\ntwo\n"),
	       "records are appended");
	umask(mask);
	tap_ok(stat(in_folder("log"), &facts) == 0 && (facts.st_mode & 07777) == 0600, "a new log is the owner's only");
	if (symlink("log", in_folder("link")) == 0)
		tap_ok(!appends("link", "x\n") && says("symbolic link") && holds("log", "one\ntwo\n"),
		       "a symbolic link is refused as a log");
	if (symlink("elsewhere", in_folder("dangling")) == 0)
		tap_ok(!appends("dangling", "x\n") && access(in_folder("elsewhere"), F_OK) != 0,
		       "a dangling symbolic link creates nothing");
	make_file("twice", "mine\n", 0600);
	if (linkat(AT_FDCWD, in_folder("twice"), AT_FDCWD, second, 0) == 0) {
		tap_ok(!appends("twice", "x\n") && says("hard link") && holds("twice", "mine\n"),
		       "a file with a second name is refused as a log");
		unlink(second);
	}
	mkfifo(in_folder("fifo"), 0600);
	tap_ok(!appends("fifo", "x\n") && says("not a regular file"),
	       "a FIFO is refused as a log without waiting for a reader");
	reader = open(in_folder("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	tap_ok(!appends("fifo", "x\n") && says("not a regular file"), "a FIFO with a reader is refused as a log");
	close(reader);
	tap_ok(!appends("none/log", "x\n") && err.exit_code == EX_CANTCREAT && says("none/log: No such file"),
	       "a log in a folder that is not there is named");
}

/* A child that holds the lock of the log until its end; it is killed by the caller. */
static pid_t
start_lock_holder(const char *name, int hold_ms)
{
	int fds[2];
	char ready;
	pid_t pid;

	if (pipe(fds) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		const struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		int fd = open(in_folder(name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		if (fcntl(fd, F_SETLK, &whole) == 0 && write(fds[1], "x", 1) == 1)
			poll(NULL, 0, hold_ms);
		_exit(0);
	}
	close(fds[1]);
	if (read(fds[0], &ready, 1) != 1)
		tap_note("the lock holder did not start");
	close(fds[0]);
	return pid;
}

static void
test_lock(void)
{
	pid_t holder = start_lock_holder("locked", 300);
	int64_t began = clock_now();

	tap_ok(appends("locked", "mine\n") && holds("locked", "mine\n"),
	       "a log locked by another is appended to later");
	tap_ok(clock_now() - began >= 200, "the lock of another writer was waited for");
	waitpid(holder, NULL, 0);
	holder = start_lock_holder("locked", 60000);
	began = clock_now();
	tap_ok(!appends("locked", "x\n") && err_is_temporary(&err),
	       "a lock that is never released is a temporary error");
	tap_ok(clock_now() - began >= 9500 && clock_now() - began < 20000, "a lock is waited for about 10 seconds");
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
}

/* In a child: close what is named, open them again, tell whether that went well. */
static int
status_after_closing(bool closes_stdin, bool closes_others)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		bool has_stdin;
		int next;

		if (closes_stdin)
			close(0);
		if (closes_others) {
			close(1);
			close(2);
		}
		has_stdin = file_open_standard_streams();
		next = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (next <= 2 || fcntl(0, F_GETFD) != 0 || (closes_others && write(1, "x", 1) != 1))
			_exit(2);
		_exit(has_stdin ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_standard_streams(void)
{
	tap_is_number(status_after_closing(false, false), 0, "open standard streams stay as they are");
	tap_is_number(status_after_closing(true, false), 1, "a closed stdin is reported, and its number is taken");
	tap_is_number(status_after_closing(false, true), 0, "closed output streams can be written to afterwards");
	tap_is_number(status_after_closing(true, true), 1, "with all three closed no file gets a number below 3");
}

static void
is_expanded(const char *text, const char *expected, const char *name)
{
	char *expanded = file_expand_home(text);

	tap_is(expanded, expected, name);
	free(expanded);
}

static void
test_home(void)
{
	setenv("HOME", "/home/ann", 1);
	tap_is(file_home(), "/home/ann", "home is what $HOME says");
	is_expanded("~/.netrc", "/home/ann/.netrc", "a tilde before a slash is the home");
	is_expanded("~", "/home/ann", "a tilde alone is the home");
	is_expanded("~bob/x", "~bob/x", "a tilde before a name stays");
	is_expanded("/a/~/b", "/a/~/b", "a tilde inside a path stays");
	setenv("HOME", "", 1);
	tap_ok(file_home() == NULL || file_home()[0] == '/', "an empty $HOME counts as none");
	unsetenv("HOME");
	tap_ok(file_home() == NULL || file_home()[0] == '/', "without $HOME the passwd entry says where home is");
}

static void
remove_folder(void)
{
	static const char *const names[] = {"small",    "closed", "private/file", "log",   "link",
	                                    "dangling", "twice",  "fifo",         "locked"};

	chmod(in_folder("private"), 0700);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_folder(names[i]));
	rmdir(in_folder("private"));
	if (rmdir(folder) != 0)
		tap_note("%s is left", folder);
}

int
main(void)
{
	if (mkdtemp(folder) == NULL || chmod(folder, 0755) != 0)
		return 1;
	test_reading();
	test_secret_room();
	test_interruption(false);
	test_interruption(true);
	test_full_device();
	test_spool();
	test_log();
	test_lock();
	test_standard_streams();
	test_home();
	remove_folder();
	buf_free(&path);
	err_clear(&err);
	return tap_end();
}
