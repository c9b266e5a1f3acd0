/*
 * trap - ptrace; see trap.h.
 */
#include "config.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "trap.h"

enum { PROCESSES_MOST = 256 };

struct tracee {
	pid_t pid;
	bool is_running;
	bool is_in_call;     /* between entry and exit of a call that counts */
	bool has_result;     /* the call was taken away: this is what it returns */
	bool was_killed;     /* by us */
	int64_t result;
	unsigned n_calls;
	struct trap_call call;
};

struct trap {
	const struct trap_plan *plan;
	struct trap_result *out;
	struct tracee tracees[PROCESSES_MOST];
	unsigned n_tracees;
	uint64_t loader_begin; /* addresses of the dynamic linker */
	uint64_t loader_end;
	bool is_going_on;      /* a persistent error has begun */
};

static const struct {
	long number;
	const char *name;
} names[] = {
#define NAME(name) {SYS_##name, #name}
	NAME(read), NAME(write), NAME(close), NAME(fstat), NAME(lseek), NAME(mmap), NAME(mprotect), NAME(munmap), NAME(brk),
	NAME(ioctl), NAME(pread64), NAME(pwrite64), NAME(readv), NAME(writev),
	NAME(socket), NAME(connect), NAME(sendto), NAME(recvfrom), NAME(sendmsg), NAME(recvmsg), NAME(shutdown), NAME(bind),
	NAME(getsockname), NAME(getpeername), NAME(setsockopt), NAME(getsockopt), NAME(clone), NAME(clone3), NAME(execve),
	NAME(exit), NAME(exit_group), NAME(wait4), NAME(waitid), NAME(kill), NAME(fcntl), NAME(flock), NAME(fsync),
	NAME(fdatasync), NAME(truncate), NAME(ftruncate), NAME(getcwd), NAME(chdir), NAME(fchdir), NAME(fchmod), NAME(fchown),
	NAME(umask), NAME(getuid), NAME(geteuid), NAME(getpid), NAME(setsid), NAME(statfs), NAME(fstatfs), NAME(openat),
	NAME(mkdirat), NAME(unlinkat), NAME(renameat), NAME(renameat2), NAME(linkat), NAME(symlinkat), NAME(readlinkat),
	NAME(fchmodat), NAME(faccessat), NAME(faccessat2), NAME(newfstatat), NAME(statx), NAME(utimensat), NAME(getdents64),
	NAME(ppoll), NAME(pselect6), NAME(epoll_create1), NAME(epoll_ctl), NAME(epoll_pwait), NAME(dup), NAME(dup3), NAME(pipe2),
	NAME(getrandom), NAME(clock_nanosleep), NAME(fallocate), NAME(copy_file_range), NAME(close_range), NAME(uname),
#ifdef __x86_64__
	NAME(open), NAME(stat), NAME(lstat), NAME(poll), NAME(access), NAME(pipe), NAME(select), NAME(dup2), NAME(fork), NAME(vfork),
	NAME(rename), NAME(mkdir), NAME(rmdir), NAME(creat), NAME(link), NAME(unlink), NAME(symlink), NAME(readlink),
	NAME(chmod),
#endif
#undef NAME
};

const char *
trap_name(long number)
{
	static char text[32];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == number)
			return names[i].name;
	(void)snprintf(text, sizeof(text), "call-%ld", number);
	return text;
}

/* --- registers --- */

#if defined(__x86_64__)

static void
take_call_away(pid_t pid)
{
	(void)ptrace(PTRACE_POKEUSER, pid, (void *)offsetof(struct user, regs.orig_rax), (void *)-1);
}

static void
set_result(pid_t pid, int64_t result)
{
	(void)ptrace(PTRACE_POKEUSER, pid, (void *)offsetof(struct user, regs.rax), (void *)result);
}

static void
set_third_argument(pid_t pid, uint64_t value)
{
	(void)ptrace(PTRACE_POKEUSER, pid, (void *)offsetof(struct user, regs.rdx), (void *)value);
}

#elif defined(__aarch64__)

static void
take_call_away(pid_t pid)
{
	int number = -1;
	struct iovec room = {&number, sizeof(number)};

	(void)ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &room);
}

static void
set_register(pid_t pid, unsigned which, uint64_t value)
{
	struct user_regs_struct registers;
	struct iovec room = {&registers, sizeof(registers)};

	if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &room) == 0) {
		registers.regs[which] = value;
		(void)ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &room);
	}
}

static void
set_result(pid_t pid, int64_t result)
{
	set_register(pid, 0, (uint64_t)result);
}

static void
set_third_argument(pid_t pid, uint64_t value)
{
	set_register(pid, 2, value);
}

#else
#error "the crash tests know the registers of x86_64 and aarch64 only"
#endif

/* --- tracees --- */

static struct tracee *
find(struct trap *trap, pid_t pid)
{
	for (unsigned i = trap->n_tracees; i > 0; i--)
		if (trap->tracees[i - 1].pid == pid && trap->tracees[i - 1].is_running)
			return &trap->tracees[i - 1];
	return NULL;
}

static struct tracee *
add(struct trap *trap, pid_t pid)
{
	struct tracee *tracee = NULL;

	if (trap->n_tracees == PROCESSES_MOST) {
		fprintf(stderr, "crash: more than %d processes\n", PROCESSES_MOST);
		exit(99);
	}
	tracee = &trap->tracees[trap->n_tracees];
	*tracee = (struct tracee){.pid = pid, .is_running = true};
	tracee->call.pid = pid;
	tracee->call.point.process = trap->n_tracees;
	trap->n_tracees++;
	trap->out->n_processes = trap->n_tracees;
	return tracee;
}

static void
kill_all(struct trap *trap)
{
	for (unsigned i = 0; i < trap->n_tracees; i++)
		if (trap->tracees[i].is_running) {
			trap->tracees[i].was_killed = true;
			(void)kill(trap->tracees[i].pid, SIGKILL);
		}
}

/* Where the dynamic linker is mapped. */
static void
find_loader(struct trap *trap, pid_t pid)
{
	char line[512];
	FILE *file = NULL;

	(void)snprintf(line, sizeof(line), "/proc/%d/maps", (int)pid);
	file = fopen(line, "re");
	trap->loader_begin = trap->loader_end = 0;
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		char *end = NULL;
		uint64_t from = strtoull(line, &end, 16);
		uint64_t to = *end == '-' ? strtoull(end + 1, NULL, 16) : 0;

		if (strstr(line, "/ld-linux") == NULL && strstr(line, "/ld-2") == NULL && strstr(line, "/ld.so") == NULL)
			continue;
		trap->loader_begin = trap->loader_begin == 0 ? from : trap->loader_begin;
		trap->loader_end = to;
	}
	if (file != NULL)
		(void)fclose(file);
}

static bool
takes_path(long number)
{
	static const long calls[] = {
		SYS_openat, SYS_mkdirat, SYS_unlinkat, SYS_renameat, SYS_renameat2, SYS_linkat, SYS_newfstatat, SYS_utimensat,
		SYS_statfs, SYS_fchmodat, SYS_faccessat, SYS_symlinkat, SYS_statx,
#ifdef __x86_64__
		SYS_open, SYS_mkdir, SYS_unlink, SYS_rename, SYS_link, SYS_stat, SYS_lstat, SYS_access, SYS_rmdir, SYS_chmod,
#endif
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i] == number)
			return true;
	return false;
}

static bool
is_of_file(const struct trap_call *call)
{
	char name[64];
	struct stat facts;

	if (takes_path(call->point.number))
		return true;
	if (call->arguments[0] > 4096)
		return false;
	(void)snprintf(name, sizeof(name), "/proc/%d/fd/%u", (int)call->pid, (unsigned)call->arguments[0]);
	return stat(name, &facts) == 0 && (S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode));
}

static void
note_point(struct trap *trap, const struct trap_point *point)
{
	struct trap_result *out = trap->out;

	if (out->n_points == out->room) {
		out->room = out->room == 0 ? 256 : 2 * out->room;
		out->points = reallocarray(out->points, out->room, sizeof(out->points[0]));
		if (out->points == NULL)
			abort();
	}
	out->points[out->n_points++] = *point;
}

static void
meddle(struct trap *trap, struct tracee *tracee)
{
	const struct trap_plan *plan = trap->plan;

	trap->out->last = tracee->call.point;
	trap->out->n_struck++;
	if (plan->struck != NULL)
		plan->struck(plan->context, &tracee->call);
	switch (plan->action) {
	case TRAP_KILL:
		tracee->was_killed = true;
		(void)kill(tracee->pid, SIGKILL);
		break;
	case TRAP_KILL_ALL:
		kill_all(trap);
		break;
	case TRAP_FAIL:
	case TRAP_SKIP:
		take_call_away(tracee->pid);
		tracee->has_result = true;
		tracee->result = plan->action == TRAP_FAIL ? -plan->error : 0;
		break;
	case TRAP_SHORT:
		if (tracee->call.arguments[2] > 1)
			set_third_argument(tracee->pid, tracee->call.arguments[2] / 2);
		break;
	case TRAP_NOTHING:
		break;
	}
}

/* A run may differ a little from the one that the point comes from: what is to fail must be the same call, this one or the next. */
static bool
is_point(const struct trap *trap, const struct trap_call *call)
{
	const struct trap_plan *plan = trap->plan;

	if (plan->action == TRAP_NOTHING || trap->out->was_hit || call->point.process != plan->point.process)
		return false;
	if (plan->action == TRAP_KILL || plan->action == TRAP_KILL_ALL)
		return call->point.n == plan->point.n;
	return call->point.n >= plan->point.n && call->point.number == plan->point.number &&
	       call->point.is_of_file == plan->point.is_of_file;
}

static void
at_entry(struct trap *trap, struct tracee *tracee, const struct ptrace_syscall_info *info)
{
	const struct trap_plan *plan = trap->plan;
	struct trap_call *call = &tracee->call;
	bool is_it = false;

	tracee->is_in_call = false;
	tracee->has_result = false;
	if (info->instruction_pointer >= trap->loader_begin && info->instruction_pointer < trap->loader_end)
		return;
	tracee->is_in_call = true;
	call->point.n = tracee->n_calls++;
	call->point.number = (long)info->entry.nr;
	for (int i = 0; i < 6; i++)
		call->arguments[i] = info->entry.args[i];
	call->point.is_of_file = is_of_file(call);
	note_point(trap, &call->point);
	if (plan->before != NULL)
		plan->before(plan->context, call);
	is_it = is_point(trap, call);
	if (is_it) {
		trap->out->was_hit = true;
		trap->is_going_on = plan->is_persistent;
	}
	if (plan->most > 0 && trap->out->n_struck >= plan->most)
		trap->is_going_on = false;
	if (is_it || (trap->is_going_on && plan->concerns(call, plan->error)))
		meddle(trap, tracee);
}

static void
at_exit(struct trap *trap, struct tracee *tracee, const struct ptrace_syscall_info *info)
{
	if (!tracee->is_in_call)
		return;
	tracee->is_in_call = false;
	if (tracee->has_result)
		set_result(tracee->pid, tracee->result);
	tracee->call.result = tracee->has_result ? tracee->result : info->exit.rval;
	if (trap->plan->after != NULL)
		trap->plan->after(trap->plan->context, &tracee->call);
}

static void
at_end(struct trap *trap, struct tracee *tracee, int status)
{
	tracee->is_running = false;
	if (tracee == &trap->tracees[0])
		trap->out->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if (WIFSIGNALED(status) && !tracee->was_killed)
		trap->out->signal = WTERMSIG(status);
	if (trap->plan->ended != NULL)
		trap->plan->ended(trap->plan->context, tracee->call.point.process, status);
}

/* What one stop means. Returns the signal to go on with. */
static int
at_stop(struct trap *trap, struct tracee *tracee, int status)
{
	struct ptrace_syscall_info info;
	unsigned long child = 0;
	int event = status >> 16;

	if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
		memset(&info, 0, sizeof(info));
		if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->pid, (void *)sizeof(info), &info) <= 0)
			return 0;
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			at_entry(trap, tracee, &info);
		else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
			at_exit(trap, tracee, &info);
		return 0;
	}
	if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
		if (ptrace(PTRACE_GETEVENTMSG, tracee->pid, NULL, &child) == 0 && find(trap, (pid_t)child) == NULL)
			(void)add(trap, (pid_t)child);
		return 0;
	}
	if (event == PTRACE_EVENT_EXEC)
		find_loader(trap, tracee->pid);
	return event != 0 || WSTOPSIG(status) == SIGSTOP || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
}

/* --- the program --- */

static void
become_program(const struct trap_plan *plan)
{
	int in = open(plan->input != NULL ? plan->input : "/dev/null", O_RDONLY);
	int out = open(plan->output != NULL ? plan->output : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(99);
	(void)close(in);
	(void)close(out);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(99);
	(void)raise(SIGSTOP);
	(void)execv(plan->argv[0], plan->argv);
	_exit(99);
}

static bool
start(struct trap *trap)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
	                     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		become_program(trap->plan);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return false;
	(void)add(trap, pid);
	trap->loader_end = UINT64_MAX; /* nothing counts before the program runs */
	return ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options) == 0 && ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0;
}

static void
wake_up(int number)
{
	(void)number;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool
anybody_runs(const struct trap *trap)
{
	for (unsigned i = 0; i < trap->n_tracees; i++)
		if (trap->tracees[i].is_running)
			return true;
	return false;
}

static void
follow(struct trap *trap)
{
	int64_t end = now_ms() + (trap->plan->limit_ms > 0 ? trap->plan->limit_ms : 60000);

	while (anybody_runs(trap)) {
		struct tracee *tracee = NULL;
		int status = 0;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (now_ms() > end && !trap->out->is_late) {
			trap->out->is_late = true;
			kill_all(trap);
		}
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			break;
		tracee = find(trap, pid);
		if (tracee == NULL && WIFSTOPPED(status))
			tracee = add(trap, pid); /* a child that stopped before its parent told of it */
		if (tracee == NULL)
			continue;
		if (WIFSTOPPED(status)) {
			int number = at_stop(trap, tracee, status);

			(void)ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)number);
		} else {
			at_end(trap, tracee, status);
		}
	}
}

bool
trap_run(const struct trap_plan *plan, struct trap_result *result)
{
	static struct trap trap;
	struct sigaction action = {.sa_handler = wake_up};
	struct itimerval ticks = {{0, 100000}, {0, 100000}};
	struct itimerval none = {{0, 0}, {0, 0}};
	bool has_started = false;

	memset(&trap, 0, sizeof(trap));
	*result = (struct trap_result){.exit_code = -1};
	trap.plan = plan;
	trap.out = result;
	(void)sigaction(SIGALRM, &action, NULL);
	has_started = start(&trap);
	if (has_started) {
		(void)setitimer(ITIMER_REAL, &ticks, NULL);
		follow(&trap);
		(void)setitimer(ITIMER_REAL, &none, NULL);
	}
	return has_started && result->exit_code != 99;
}

void
trap_free(struct trap_result *result)
{
	free(result->points);
	*result = (struct trap_result){0};
}
