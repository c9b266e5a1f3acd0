/* proc_test.c - behaviour of base/proc.c. */

#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "tap.h"

static struct buf output;
static struct err err;

static bool
runs(const char *command, size_t most, int64_t deadline)
{
	buf_free(&output);
	err_clear(&err);
	return proc_run(command, most, deadline, &output, &err);
}

static bool
runs_soon(const char *command)
{
	return runs(command, 100000, clock_deadline(20));
}

static void
test_output(void)
{
	int64_t began = clock_now();

	tap_ok(runs_soon("echo one; echo two"), "a command that ends well is no error");
	tap_is(buf_text(&output), "one\ntwo\n", "all of the output is collected");
	tap_ok(runs_soon("cat"), "a command that reads stdin ends at once");
	tap_is(buf_text(&output), "", "a command that reads stdin finds it empty");
	tap_ok(runs("head -c 1048576 /dev/zero | tr '\\0' x", 1048576, clock_deadline(20)) && output.size == 1048576,
	       "output of 1 MiB is collected where 1 MiB is allowed");
	tap_ok(!runs("head -c 1048576 /dev/zero", 65536, clock_deadline(20)) && err.exit_code == EX_CONFIG,
	       "output of 1 MiB is refused where 64 KiB are allowed");
	tap_is(buf_text(&err.text), "command 'head ...' wrote more than 65536 bytes and was killed",
	       "too much output is named as the reason");
	tap_ok(!runs("yes", 1000, clock_deadline(20)), "a command that never stops writing is killed");
	tap_ok(runs("printf 12345", 5, clock_deadline(20)) && !runs("printf 123456", 5, clock_deadline(20)),
	       "the limit is the last size that is allowed");
	tap_ok(clock_now() - began < 15000, "no command was waited for until its deadline");
}

static bool
runs_words(const char *const *words, bool is_alone, bool is_quiet)
{
	const struct proc_command command = {.words = words, .is_alone = is_alone, .is_quiet = is_quiet};

	buf_free(&output);
	err_clear(&err);
	return proc_run_command(&command, 1000, clock_deadline(20), &output, &err);
}

static void
test_words(void)
{
	const char *const echo[] = {"/bin/echo", "a b", "$HOME", "`id`;", NULL};
	const char *const none[] = {"/no/such/program", "hunter2", NULL};
	const char *const alone[] = {"/bin/sh", "-c", "ps -o sid= -p $$ | tr -d ' \\n'; echo \" $$ [$GPG_TTY]\"; (: </dev/tty) 2>&1", NULL};
	const char *const loud[] = {"/bin/sh", "-c", "echo quiet; readlink /proc/self/fd/2", NULL};
	long session = 0, pid = 0;
	char *path;

	tap_ok(runs_words(echo, false, false), "a program is run by its words");
	tap_is(buf_text(&output), "a b $HOME `id`;\n", "no shell looks at them");
	tap_ok(!runs_words(none, false, false) && err.exit_code == EX_CONFIG && strstr(buf_text(&err.text), "hunter2") == NULL,
	       "a program that is not there is an error, which names no argument");
	setenv("GPG_TTY", "/dev/pts/7", 1);
	runs_words(alone, true, false);
	if (sscanf(buf_text(&output), "%ld %ld []", &session, &pid) == 2)
		tap_ok(session == pid && strstr(buf_text(&output), "[]") != NULL && strstr(buf_text(&output), "/dev/tty") != NULL,
		       "a command that is alone has a session of its own, no terminal, and no name of one");
	else
		tap_ok(false, "what a command that is alone says can be read: %s", buf_text(&output));
	unsetenv("GPG_TTY");
	tap_ok(runs_words(loud, true, true), "a command can be quiet");
	tap_is(buf_text(&output), "quiet\n/dev/null\n", "its errors go nowhere then");
	path = proc_find_program("sh");
	tap_ok(path != NULL && path[0] == '/', "a program is found in PATH");
	free(path);
	tap_ok(proc_find_program("no-such-program-at-all") == NULL && proc_find_program("/etc/passwd") == NULL,
	       "what is no program is not");
}

static void
test_status(void)
{
	tap_ok(!runs_soon("echo wrong; exit 3") && err.exit_code == EX_CONFIG, "exit status 3 is an error");
	tap_is(buf_text(&err.text), "command 'echo ...' ended with exit status 3", "the exit status is named");
	tap_ok(!runs_soon("kill -KILL $$"), "a command killed by a signal is an error");
	tap_ok(strstr(buf_text(&err.text), "was killed by signal 9") != NULL, "the signal is named");
	tap_ok(!runs_soon("/no/such/program x 2>/dev/null"), "a command that does not exist is an error");
	tap_ok(!runs_soon("PASSWORD=hunter2 false hunter2") && strstr(buf_text(&err.text), "hunter2") == NULL &&
	               strstr(buf_text(&err.text), "'PASSWORD ...'") != NULL,
	       "the error names the command without its arguments");
	tap_ok(!runs_soon("\x1b[2Jevil 2>/dev/null") && strstr(buf_text(&err.text), "\x1b") == NULL,
	       "control characters in a command do not reach the error text");
}

static void
test_deadline(void)
{
	int64_t began = clock_now();

	tap_ok(!runs("sleep 30", 100, began + 300) && err.exit_code == EX_CONFIG,
	       "a command that sleeps past the deadline fails");
	tap_is(buf_text(&err.text), "command 'sleep ...' has not ended in time and was killed", "lateness is named");
	tap_ok(!runs("(sleep 30; echo late) | cat", 100, clock_now() + 300), "a pipeline past the deadline fails");
	tap_ok(!runs("exec >&-; sleep 30", 100, clock_now() + 300), "closing the output does not extend the deadline");
	tap_ok(!runs("trap '' TERM HUP INT; sleep 30", 100, clock_now() + 300), "ignoring signals does not help");
	tap_ok(!runs("echo", 100, clock_now() - 1000), "a deadline in the past fails");
	tap_is(buf_text(&err.text), "command 'echo' was not started: no time is left for it", "and says why");
	tap_ok(clock_now() - began < 6000, "every late command was ended at its deadline");
}

/* In a child that is nobody, run a command that becomes root. The exit status: 0 when all is as it should be. */
static int
run_immune(const char *command)
{
	int64_t began = clock_now();

	if (setgid(65534) != 0 || setuid(65534) != 0)
		return 1;
	if (runs(command, 100, began + 300))
		return 2;
	if (clock_now() - began > 3000)
		return 3;
	return strstr(buf_text(&err.text), "has not ended in time and cannot be killed by us") != NULL ? 0 : 4;
}

/* As sudo does in a passwordeval. Needs root, setpriv, and a folder that honours the set-uid bit. */
static void
test_immune(void)
{
	char folder[] = "/tmp/proc_test.XXXXXX";
	struct buf tool = {0}, command = {0};
	int status = 0;
	pid_t pid;

	if (geteuid() != 0 || mkdtemp(folder) == NULL)
		return;
	buf_printf(&tool, "%s/setpriv", folder);
	buf_printf(&command, "chmod 755 %s && cp \"$(command -v setpriv)\" %s && chmod 4755 %s", folder, buf_text(&tool),
	           buf_text(&tool));
	if (runs_soon(buf_text(&command))) {
		buf_clear(&command);
		buf_printf(&command, "sleep 5 & exec %s --reuid 0 sleep 5", buf_text(&tool));
		fflush(stdout);
		pid = fork();
		if (pid == 0)
			_exit(run_immune(buf_text(&command)));
		waitpid(pid, &status, 0);
		tap_is_number(status, 0, "a late command that cannot be killed is not waited for");
	}
	unlink(buf_text(&tool));
	rmdir(folder);
	buf_free(&tool);
	buf_free(&command);
}

static void
test_group(void)
{
	char folder[] = "/tmp/proc_test.XXXXXX";
	struct buf command = {0};
	int64_t began = clock_now();

	if (mkdtemp(folder) == NULL)
		return;
	buf_printf(&command, "(sleep 1; echo x >%s/alive) & sleep 30", folder);
	runs(buf_text(&command), 100, clock_now() + 200);
	poll(NULL, 0, 1300);
	buf_clear(&command);
	buf_printf(&command, "%s/alive", folder);
	tap_ok(access(buf_text(&command), F_OK) != 0, "background processes of a late command are killed with it");
	unlink(buf_text(&command));
	rmdir(folder);
	began = clock_now();
	tap_ok(runs("sleep 5 & echo word", 100, clock_deadline(20)) && strcmp(buf_text(&output), "word\n") == 0,
	       "a background process that keeps the output open does not hide what was written");
	tap_ok(clock_now() - began < 3000, "a background process that keeps the output open is not waited for");
	buf_free(&command);
}

static void
on_alarm(int number)
{
	(void)number;
}

/* Two masks in hexadecimal. The numbers 32 and 33 belong to the C library: nobody can reset them for a program whose parent
 * ignored them. */
static bool
shows_no_signal(const char *masks)
{
	static const unsigned long long internal = 3ULL << 31;
	const char *second = strchr(masks, '\n');

	return second != NULL && (strtoull(masks, NULL, 16) & ~internal) == 0 && (strtoull(second, NULL, 16) & ~internal) == 0;
}

static void
test_signals(void)
{
	struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_handler = on_alarm}, found = {0};
	sigset_t blocked, now;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	tap_ok(runs_soon("sed -n 's/^Sig[BI][lg][kn]:.//p' /proc/self/status"),
	       "an ignored SIGCHLD does not hide the status");
	tap_ok(shows_no_signal(buf_text(&output)), "no signal is blocked or ignored in the child");
	tap_ok(!runs_soon("kill -PIPE $$; echo alive"), "SIGPIPE kills the child although the parent ignores it");
	tap_ok(!runs_soon("exit 3"), "a bad status is seen although the parent ignores SIGCHLD");
	sigaction(SIGCHLD, NULL, &found);
	tap_ok(found.sa_handler == SIG_IGN, "the parent's disposition of SIGCHLD is as before");
	sigprocmask(SIG_BLOCK, NULL, &now);
	tap_ok(sigismember(&now, SIGTERM) == 1 && sigismember(&now, SIGHUP) == 0,
	       "the parent's signal mask is as before");
	signal(SIGCHLD, SIG_DFL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	tap_ok(runs_soon("echo a; sleep 0.2; echo b; exec >&-; sleep 0.2") && strcmp(buf_text(&output), "a\nb\n") == 0,
	       "signals that arrive while a command runs do not disturb");
	setitimer(ITIMER_REAL, &never, NULL);
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
	signal(SIGPIPE, SIG_DFL);
}

static void
test_descriptors(void)
{
	int fd = open("/dev/null", O_RDONLY);
	int high = fcntl(fd, F_DUPFD, 200);

	tap_ok(runs_soon("for n in /proc/$$/fd/*; do echo ${n##*/}; done"), "the child can list its descriptors");
	tap_ok(strstr(buf_text(&output), "200") == NULL,
	       "a descriptor without close-on-exec does not reach the command");
	tap_ok(runs_soon("ls -l /proc/$$/fd/0") && strstr(buf_text(&output), "/dev/null") != NULL,
	       "stdin is /dev/null");
	close(high);
	close(fd);
}

static void
answer(const void *argument, int fd)
{
	const char *text = argument;
	struct err ignored = {0};

	file_write_all(fd, text, strlen(text), "pipe", &ignored);
}

static void
sleep_long(const void *argument, int fd)
{
	(void)argument;
	(void)fd;
	poll(NULL, 0, 30000);
}

static void
crash(const void *argument, int fd)
{
	(void)argument;
	(void)fd;
	raise(SIGKILL);
}

static void
list_descriptors(const void *argument, int fd)
{
	(void)argument;
	for (int i = 0; i < 300; i++)
		if (fcntl(i, F_GETFD) >= 0)
			dprintf(fd, "%d ", i);
}

static void
test_collect(void)
{
	struct buf result = {0};
	int64_t began = clock_now();

	err_clear(&err);
	tap_ok(proc_collect(answer, "192.0.2.1", 100, clock_deadline(20), &result, &err),
	       "work that returns is no error");
	tap_is(buf_text(&result), "192.0.2.1", "what the work wrote is collected");
	tap_ok(!proc_collect(sleep_long, NULL, 100, clock_now() + 200, &result, &err) && err_is_temporary(&err),
	       "work past its deadline is a temporary error");
	tap_ok(clock_now() - began < 3000, "work past its deadline is not waited for");
	err_clear(&err);
	tap_ok(!proc_collect(crash, NULL, 100, clock_deadline(20), &result, &err) && err.exit_code == EX_OSERR,
	       "work that dies is an error of the system");
	err_clear(&err);
	tap_ok(!proc_collect(answer, "too long", 3, clock_deadline(20), &result, &err), "too long a result is refused");
	err_clear(&err);
	buf_clear(&result);
	proc_collect(list_descriptors, NULL, 4000, clock_deadline(20), &result, &err);
	tap_is(buf_text(&result), "0 1 2 3 ", "work has the standard descriptors and the one for its result");
	buf_free(&result);
}

/* Our own stdin has something to be eaten. */
static void
fill_stdin(void)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0 || write(fds[1], "eaten", 5) != 5 || dup2(fds[0], STDIN_FILENO) != 0)
		tap_note("stdin is as it was");
	close(fds[0]);
	close(fds[1]);
}

int
main(void)
{
	fill_stdin();
	test_output();
	test_words();
	test_status();
	test_deadline();
	test_immune();
	test_group();
	test_signals();
	test_descriptors();
	test_collect();
	buf_free(&output);
	err_clear(&err);
	return tap_end();
}
