/* proc.c - child processes with a deadline. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/proc.h"

enum {
	RESULT_FD = 3, /* where a forked worker writes */
	EXIT_NOT_STARTED = 126,
	LOOK_AGAIN_MS =
		100, /* how often a silent child is asked whether it has ended, leaving its output open to others */
	DESCRIPTORS_MOST = 65536,
	TERMINAL_NAME_MOST = 256
};

/* What the child does: a command, or a function. */
struct job {
	const struct proc_command *command; /* NULL: work */
	void (*work)(const void *argument, int fd);
	const void *argument;
};

enum ending { ENDED, ENDED_LATE, ENDED_TOO_LONG, ENDED_UNREADABLE, NOT_STARTED_LATE };

struct child {
	pid_t pid;
	bool has_group;     /* its process group is its own, with the same number */
	int fd;             /* what it writes comes here; non-blocking */
	int status;         /* as waitpid gives it, after finish() */
	bool is_immune;     /* finish() may not kill it */
	enum ending ending; /* after run(); all else is nothing where it is NOT_STARTED_LATE */
};

static void
close_from(unsigned int first)
{
	long most;

#ifdef CLOSE_RANGE_UNSHARE
	if (close_range(first, UINT_MAX, 0) == 0)
		return;
#endif
	most = sysconf(_SC_OPEN_MAX);
	if (most < 0 || most > DESCRIPTORS_MOST)
		most = DESCRIPTORS_MOST;
	for (int fd = (int)first; fd < (int)most; fd++)
		close(fd);
}

/* The leader of a group could not make a session of its own. */
static bool
is_alone(const struct job *job)
{
	return job->command != NULL && job->command->is_alone;
}

/* What we or our caller may have ignored (shells, nohup, cron). Resetting all would be 64 system calls for every child. */
static const int usual_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU,
                                    SIGUSR1, SIGUSR2, SIGXFSZ};

/* In the child: a defined state, whatever the parent's is. Result is the number the output descriptor gets. */
static void
prepare_child(pid_t parent, int fd, int result)
{
	struct sigaction plain = {.sa_handler = SIG_DFL};
	sigset_t none;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_NOT_STARTED);
	for (size_t i = 0; i < sizeof(usual_signals) / sizeof(usual_signals[0]); i++)
		sigaction(usual_signals[i], &plain, NULL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		_exit(EXIT_NOT_STARTED);
	/* dup2 onto itself would leave close-on-exec set; a worker does not execute anything. */
	if (dup2(fd, result) < 0)
		_exit(EXIT_NOT_STARTED);
	close_from(result > STDERR_FILENO ? (unsigned int)result + 1 : STDERR_FILENO + 1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* gpg-agent must be told which terminal to ask at: gpg looks at stdin, and that is /dev/null. */
static void
name_terminal(void)
{
	char name[TERMINAL_NAME_MOST];

	for (int fd = STDERR_FILENO; fd >= STDIN_FILENO; fd--) {
		if (!isatty(fd) || ttyname_r(fd, name, sizeof(name)) != 0)
			continue;
		setenv("GPG_TTY", name, false);
		return;
	}
}

static void
drop_stderr(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(EXIT_NOT_STARTED);
}

_Noreturn static void
execute(const struct proc_command *command, pid_t parent, int fd, bool has_group)
{
	if (command->is_alone) {
		setsid();
		unsetenv("GPG_TTY");
	} else if (!has_group) {
		name_terminal();
	}
	if (command->is_quiet)
		drop_stderr();
	prepare_child(parent, fd, STDOUT_FILENO);
	if (command->line != NULL)
		execl("/bin/sh", "sh", "-c", command->line, (char *)NULL);
	else if (command->words != NULL)
		execv(command->words[0], (char *const *)command->words);
	_exit(EXIT_NOT_STARTED);
}

_Noreturn static void
run_job(const struct job *job, pid_t parent, int fd, bool has_group)
{
	if (has_group && !is_alone(job))
		setpgid(0, 0);
	if (job->command != NULL)
		execute(job->command, parent, fd, has_group);
	prepare_child(parent, fd, RESULT_FD);
	job->work(job->argument, RESULT_FD);
	_exit(EX_OK);
}

bool
proc_is_in_foreground(void)
{
	int tty = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bool is_foreground;

	if (tty < 0)
		return false;
	is_foreground = tcgetpgrp(tty) == getpgrp();
	close(tty);
	return is_foreground;
}

/* Fork. Signals are blocked meanwhile, so that no handler of the parent ever runs in the child. */
static bool
start(struct child *child, const struct job *job)
{
	pid_t parent = getpid();
	sigset_t all, before;
	int fds[2];
	int cause;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return false;
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	/* A command may have to ask the user at the terminal, which only the foreground group may read. */
	child->has_group = job->command == NULL || is_alone(job) || !proc_is_in_foreground();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	child->pid = fork();
	if (child->pid == 0)
		run_job(job, parent, fds[1], child->has_group);
	cause = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fds[1]);
	child->fd = fds[0];
	if (child->pid > 0) {
		/* Parent and child both do it: whoever comes first. */
		if (child->has_group && !is_alone(job))
			setpgid(child->pid, child->pid);
		return true;
	}
	close(fds[0]);
	errno = cause;
	return false;
}

/* Has the child ended? It is not reaped, so that its process group keeps its number. */
static bool
has_ended(const struct child *child)
{
	siginfo_t facts = {0};

	if (waitid(P_PID, (id_t)child->pid, &facts, WEXITED | WNOHANG | WNOWAIT) != 0)
		return errno != EINTR;
	return facts.si_pid == child->pid;
}

/* Collect output until its end, or until the child has ended and what it wrote is read. */
static enum ending
collect(const struct child *child, size_t most, int64_t deadline, struct buf *output)
{
	struct pollfd wanted = {.fd = child->fd, .events = POLLIN};
	bool is_ended = false;
	size_t left = most;

	while (true) {
		int wait_ms = clock_poll_timeout(deadline);
		ssize_t n = read(child->fd, buf_reserve(output, left + 1), left + 1);

		if (n == 0)
			return ENDED;
		if (n > 0 && (size_t)n > left)
			return ENDED_TOO_LONG;
		if (n > 0) {
			buf_grow(output, (size_t)n);
			left -= (size_t)n;
			continue;
		}
		if (errno != EINTR && errno != EAGAIN)
			return ENDED_UNREADABLE;
		if (is_ended)
			return ENDED;
		if (wait_ms == 0)
			return ENDED_LATE;
		if (poll(&wanted, 1, wait_ms < LOOK_AGAIN_MS ? wait_ms : LOOK_AGAIN_MS) == 0)
			is_ended = has_ended(child);
	}
}

/* The output has ended; wait for the child itself, which usually ends in the same instant. */
static enum ending
await_end(const struct child *child, int64_t deadline)
{
	int pause_ms = 1;

	while (!has_ended(child)) {
		int wait_ms = clock_poll_timeout(deadline);

		if (wait_ms == 0)
			return ENDED_LATE;
		poll(NULL, 0, pause_ms < wait_ms ? pause_ms : wait_ms);
		if (pause_ms < LOOK_AGAIN_MS)
			pause_ms *= 2;
	}
	return ENDED;
}

static void
finish(struct child *child)
{
	/* A command may have become another user (sudo), whom we may not kill; its end could be a long wait. */
	if (child->ending != ENDED && child->has_group)
		(void)kill(-child->pid, SIGKILL);
	child->is_immune = child->ending != ENDED && kill(child->pid, SIGKILL) != 0;
	while (waitpid(child->pid, &child->status, child->is_immune ? WNOHANG : 0) < 0)
		if (errno != EINTR)
			break;
	close(child->fd);
}

/* Start, collect, reap. False: it could not be started, errno says why. After its deadline it is not: whether it comes to
 * its end before it is killed would be a matter of luck. */
static bool
run(const struct job *job, size_t most, int64_t deadline, struct buf *output, struct child *child)
{
	struct sigaction plain = {.sa_handler = SIG_DFL}, before = {0};
	bool is_started;
	int cause;

	if (clock_poll_timeout(deadline) == 0) {
		child->ending = NOT_STARTED_LATE;
		return true;
	}
	buf_reserve(output, most + 1);
	/* A parent that ignores SIGCHLD would never learn the exit status. */
	sigaction(SIGCHLD, &plain, &before);
	is_started = start(child, job);
	cause = errno;
	if (is_started) {
		child->ending = collect(child, most, deadline, output);
		if (child->ending == ENDED)
			child->ending = await_end(child, deadline);
		finish(child);
	}
	sigaction(SIGCHLD, &before, NULL);
	errno = cause;
	return is_started;
}

/* What went wrong with a child that was started, to be put behind its name; false if nothing did. */
static bool
describe_failure(const struct child *child, size_t most, struct buf *b)
{
	const char *fate = child->is_immune ? "cannot be killed by us" : "was killed";

	if (child->ending == ENDED_LATE)
		buf_printf(b, "has not ended in time and %s", fate);
	else if (child->ending == NOT_STARTED_LATE)
		buf_add_text(b, "was not started: no time is left for it");
	else if (child->ending == ENDED_TOO_LONG)
		buf_printf(b, "wrote more than %zu bytes and %s", most, fate);
	else if (child->ending == ENDED_UNREADABLE)
		buf_add_text(b, "wrote what cannot be read");
	else if (WIFSIGNALED(child->status))
		buf_printf(b, "was killed by signal %d (%s)", WTERMSIG(child->status),
		           strsignal(WTERMSIG(child->status)));
	else if (WEXITSTATUS(child->status) != 0)
		buf_printf(b, "ended with exit status %d", WEXITSTATUS(child->status));
	return b->size > 0;
}

/* The first word of the command; of an assignment only the name. */
static void
add_name(struct buf *b, const struct proc_command *command)
{
	struct str text = str_trim(str_of(command->line));
	size_t end = 0;

	if (command->words != NULL)
		text = str_of(command->words[0]);
	while (end < text.size && !ascii_is_blank(text.data[end]) && text.data[end] != '\n' && text.data[end] != '=')
		end++;
	err_add_clean(b, str_first(text, end));
	if (end < text.size)
		buf_add_text(b, " ...");
}

bool
proc_run(const char *command, size_t most, int64_t deadline, struct buf *output, struct err *err)
{
	const struct proc_command line = {.line = command};

	return proc_run_command(&line, most, deadline, output, err);
}

bool
proc_run_command(const struct proc_command *command, size_t most, int64_t deadline, struct buf *output, struct err *err)
{
	const struct job job = {.command = command};
	struct child child = {0};
	struct buf name = {0}, failure = {0};
	bool is_good = true;

	add_name(&name, command);
	if (!run(&job, most, deadline, output, &child))
		is_good = err_set_errno(err, EX_CONFIG, "command '%s' cannot be started", buf_text(&name));
	else if (describe_failure(&child, most, &failure))
		is_good = err_set(err, EX_CONFIG, "command '%s' %s", buf_text(&name), buf_text(&failure));
	buf_free(&name);
	buf_free(&failure);
	return is_good;
}

/* A program that can be executed? */
static bool
is_program(const char *path)
{
	struct stat facts = {0};

	return stat(path, &facts) == 0 && S_ISREG(facts.st_mode) && access(path, X_OK) == 0;
}

char *
proc_find_program(const char *name)
{
	struct str rest = str_of(secure_getenv("PATH")), folder = {0};

	if (name[0] == '/')
		return is_program(name) ? mem_copy_string(name) : NULL;
	while (str_next_token(&rest, ':', &folder)) {
		struct buf path = {0};

		/* A folder that depends on where one stands is anybody's. */
		if (folder.size == 0 || folder.data[0] != '/')
			continue;
		buf_add_str(&path, folder);
		buf_printf(&path, "/%s", name);
		if (is_program(buf_text(&path)))
			return buf_take(&path);
		buf_free(&path);
	}
	return NULL;
}

static bool
is_late(const struct child *child)
{
	return child->ending == ENDED_LATE || child->ending == NOT_STARTED_LATE;
}

bool
proc_collect(void (*work)(const void *argument, int fd), const void *argument, size_t most, int64_t deadline,
             struct buf *output, struct err *err)
{
	const struct job job = {.work = work, .argument = argument};
	struct child child = {0};
	struct buf failure = {0};
	bool is_good = true;

	if (!run(&job, most, deadline, output, &child))
		is_good = err_set_errno(err, EX_OSERR, "a child process cannot be started");
	else if (describe_failure(&child, most, &failure))
		is_good = err_set(err, is_late(&child) ? EX_TEMPFAIL : EX_OSERR, "the child process %s", buf_text(&failure));
	buf_free(&failure);
	return is_good;
}
