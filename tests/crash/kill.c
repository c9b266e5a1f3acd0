/*
 * kill - SIGKILL at every system call, of the run and of its recovery; and every error that a call can return, once and for good.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "part.h"

enum { RUN_MS = 60000, ERROR_MS = 10000 };

struct sum {
	struct tally tally;
	unsigned n_double;  /* kills of the recovery */
	unsigned n_missed;  /* points that the run did not come to */
};

/* Calls that only concern the process itself: being killed there is being killed at the next one. */
static bool
is_private(long number)
{
	static const long calls[] = {
		SYS_mmap, SYS_mprotect, SYS_munmap, SYS_brk, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_getrandom, SYS_getuid,
		SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getpid, SYS_getppid, SYS_prlimit64, SYS_uname, SYS_umask, SYS_mremap,
		SYS_madvise, SYS_set_robust_list, SYS_set_tid_address, SYS_rseq, SYS_sysinfo, SYS_clock_gettime, SYS_prctl,
		SYS_futex,
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i] == number)
			return true;
	return false;
}

/* Calls that change what others see. */
static bool
is_change(const struct trap_point *point)
{
	static const long calls[] = {
		SYS_fsync, SYS_fdatasync, SYS_pwrite64, SYS_renameat, SYS_renameat2, SYS_linkat, SYS_unlinkat, SYS_mkdirat,
		SYS_utimensat, SYS_ftruncate, SYS_flock,
#ifdef __x86_64__
		SYS_rename, SYS_link, SYS_unlink, SYS_mkdir,
#endif
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i] == point->number)
			return true;
	return point->number == SYS_write && point->is_of_file;
}

/* Is the i-th of n points among about `most`, when only a sample is run? Changes are more interesting than the rest. */
static bool
is_sampled(const struct trap_point *point, size_t i, size_t n, size_t most)
{
	size_t step = n / most + 1;

	return i % step == 0 || (is_change(point) && i % (step / 4 + 1) == 0);
}

static struct trap_plan
plan_of(struct stage *stage)
{
	return (struct trap_plan){.argv = stage->command.argv,
	                          .input = stage->input,
	                          .output = stage->world.output,
	                          .struck = stage_struck,
	                          .context = stage,
	                          .limit_ms = RUN_MS};
}

/* What the program does to recover. */
static void
trace_recovery(struct stage *stage)
{
	struct world_command command;
	struct trap_plan plan = plan_of(stage);

	stage_begin(stage);
	if (stage->world.peer == 0)
		world_start_peer(&stage->world, stage->scenario->peer);
	world_command(&command, &stage->world, "--flush -qf");
	plan.argv = command.argv;
	plan.input = NULL;
	if (!trap_run(&plan, &stage->recovery))
		world_die("running", stage->world.mailcrane);
}

/* An undisturbed run, which tells the points. False: it is not as it should be. */
static bool
baseline(struct stage *stage, struct trap_result *result, struct tally *tally)
{
	struct trap_plan plan = plan_of(stage);

	stage_begin(stage);
	if (!trap_run(&plan, result))
		world_die("running", stage->world.mailcrane);
	stage_look(stage, tally);
	stage_recover(stage, tally);
	stage_judge(stage, result, tally, "undisturbed");
	if (result->exit_code != stage->scenario->status && strstr(stage->scenario->words, "perm") == NULL && tally->text[0] == '\0') {
		char text[32];

		(void)snprintf(text, sizeof(text), "%d", result->exit_code);
		tally->n_crashed++;
		tally_note(tally, "undisturbed", "exit status", text);
	}
	return tally_is_good(tally) && tally->n_duplicates == 0;
}

static void
describe(char label[160], const char *name, const struct trap_point *point, const char *what)
{
	(void)snprintf(label, 160, "%s: process %u call %u %s: %s", name, point->process, point->n, trap_name(point->number), what);
}

/* Kill the recovery too, somewhere. */
static void
kill_recovery(struct stage *stage, struct sum *sum, unsigned *chance)
{
	struct world_command command;
	struct trap_plan plan = plan_of(stage);
	struct trap_result result;

	if (stage->world.peer == 0)
		world_start_peer(&stage->world, stage->scenario->peer);
	world_command(&command, &stage->world, "--flush -qf");
	*chance = *chance * 1103515245u + 12345u;
	plan.argv = command.argv;
	plan.input = NULL;
	plan.action = TRAP_KILL;
	plan.point = stage->recovery.points[(*chance >> 8) % stage->recovery.n_points];
	if (!trap_run(&plan, &result))
		world_die("running", stage->world.mailcrane);
	sum->n_double += result.was_hit;
	trap_free(&result);
	stage_look(stage, &sum->tally);
}

static void
kill_at(struct stage *stage, const struct trap_point *point, enum trap_action action, struct sum *sum, unsigned *chance)
{
	struct trap_plan plan = plan_of(stage);
	struct trap_result result;
	char label[160];

	describe(label, stage->scenario->name, point, action == TRAP_KILL ? "killed" : "all killed");
	stage_begin(stage);
	plan.action = action;
	plan.point = *point;
	if (!trap_run(&plan, &result))
		world_die("running", stage->world.mailcrane);
	(void)world_settle(&stage->world, RUN_MS);
	sum->n_missed += !result.was_hit;
	stage_look(stage, &sum->tally);
	if (point->n % 5 == 2)
		kill_recovery(stage, sum, chance);
	stage_recover(stage, &sum->tally);
	stage_judge(stage, &result, &sum->tally, label);
	trap_free(&result);
}

static unsigned
report(const char *name, const char *what, unsigned n_points, const struct sum *sum)
{
	char text[512];
	const struct tally *tally = &sum->tally;

	(void)snprintf(text, sizeof(text),
	               "%s: %u %s (%u not reached), %u of the recovery: %u lost, %u partial, %u duplicates where in doubt, %u outside, "
	               "%u untold, %u told twice, %u stuck, %u late, %u crashed",
	               name, n_points, what, sum->n_missed, sum->n_double, tally->n_lost, tally->n_partial, tally->n_duplicates,
	               tally->n_outside, tally->n_untold, tally->n_told_twice, tally->n_stuck, tally->n_late, tally->n_crashed);
	return part_case(tally_is_good(tally), text, tally->text);
}

static void
add(struct sum *sum, const struct sum *other)
{
	tally_add(&sum->tally, &other->tally);
	sum->n_double += other->n_double;
	sum->n_missed += other->n_missed;
}

static unsigned
kill_scenario(const struct scenario *scenario, const struct world_setting *setting, struct sum *all, unsigned *n_all)
{
	static struct stage stage;
	struct trap_result points;
	struct sum sum = {0};
	unsigned n = 0;
	unsigned n_failed = 0;
	unsigned chance = setting->seed;

	stage_set_up(&stage, scenario, setting);
	if (!baseline(&stage, &points, &sum.tally)) {
		n_failed = report(scenario->name, "undisturbed run", 1, &sum);
	} else {
		trace_recovery(&stage);
		for (size_t i = 0; i < points.n_points; i++) {
			const struct trap_point *point = &points.points[i];

			if (is_private(point->number) || (setting->is_quick && !is_sampled(point, i, points.n_points, 30)))
				continue;
			kill_at(&stage, point, TRAP_KILL, &sum, &chance);
			n++;
			if (points.n_processes > 1 && (!setting->is_quick || i % 4 == 0)) {
				kill_at(&stage, point, TRAP_KILL_ALL, &sum, &chance);
				n++;
			}
		}
		n_failed = report(scenario->name, "kill points", n, &sum);
	}
	trap_free(&points);
	stage_free(&stage);
	add(all, &sum);
	*n_all += n;
	return n_failed;
}

unsigned
part_kill(const struct world_setting *setting)
{
	struct sum sum = {0};
	unsigned n = 0;
	unsigned n_failed = 0;

	for (size_t i = 0; i < n_scenarios; i++)
		if (part_wants(setting, scenarios[i].name))
			n_failed += kill_scenario(&scenarios[i], setting, &sum, &n);
	printf("# summary: %u kill points, %u kills of the recovery: %u lost, %u partial, %u duplicates of which %u outside U\n", n,
	       sum.n_double, sum.tally.n_lost, sum.tally.n_partial, sum.tally.n_duplicates + sum.tally.n_outside,
	       sum.tally.n_outside);
	return n_failed;
}

/* --- errors --- */

enum group {
	OPENS = 1,      /* make a descriptor */
	WRITES = 2,     /* may need room */
	READS = 4,
	WAITS = 8,      /* may be interrupted */
	LOCKS = 16,
	RENAMES = 32,
	NETWORK = 64,
	FORKS = 128
};

static const struct {
	long number;
	unsigned groups;
} calls[] = {
	{SYS_openat, OPENS | READS | WAITS | WRITES},
	{SYS_write, WRITES | WAITS},
	{SYS_pwrite64, WRITES | WAITS},
	{SYS_writev, WRITES | WAITS},
	{SYS_ftruncate, WRITES | WAITS},
	{SYS_fallocate, WRITES | WAITS},
	{SYS_copy_file_range, WRITES | WAITS},
	{SYS_fsync, WRITES | WAITS},
	{SYS_fdatasync, WRITES | WAITS},
	{SYS_mkdirat, WRITES},
	{SYS_renameat, WRITES | RENAMES},
	{SYS_renameat2, WRITES | RENAMES},
	{SYS_linkat, WRITES | RENAMES},
	{SYS_unlinkat, READS},
	{SYS_utimensat, READS},
	{SYS_read, READS | WAITS},
	{SYS_pread64, READS | WAITS},
	{SYS_readv, READS | WAITS},
	{SYS_getdents64, READS},
	{SYS_fstat, READS},
	{SYS_newfstatat, READS},
	{SYS_statx, READS},
	{SYS_statfs, READS | WAITS},
	{SYS_fstatfs, READS | WAITS},
	{SYS_flock, LOCKS | WAITS},
	{SYS_socket, OPENS},
	{SYS_pipe2, OPENS},
	{SYS_dup, OPENS},
	{SYS_dup3, OPENS},
	{SYS_epoll_create1, OPENS},
	{SYS_memfd_create, OPENS},
	{SYS_connect, WAITS | NETWORK},
	{SYS_sendto, WAITS | NETWORK},
	{SYS_sendmsg, WAITS | NETWORK},
	{SYS_recvfrom, WAITS | NETWORK},
	{SYS_recvmsg, WAITS | NETWORK},
	{SYS_ppoll, WAITS},
	{SYS_wait4, WAITS},
	{SYS_clone, FORKS},
#ifdef __x86_64__
	{SYS_open, OPENS | READS | WAITS | WRITES},
	{SYS_poll, WAITS},
	{SYS_rename, WRITES | RENAMES},
	{SYS_mkdir, WRITES},
	{SYS_unlink, READS},
	{SYS_link, WRITES | RENAMES},
	{SYS_stat, READS},
	{SYS_lstat, READS},
	{SYS_dup2, OPENS},
	{SYS_pipe, OPENS},
	{SYS_fork, FORKS},
#endif
};

static const struct {
	int error;
	const char *name;
	unsigned groups;
} errors[] = {
	{ENOSPC, "ENOSPC", WRITES},
	{EDQUOT, "EDQUOT", WRITES},
	{EIO, "EIO", WRITES | READS},
	{EMFILE, "EMFILE", OPENS},
	{EINTR, "EINTR", WAITS},
	{ENOLCK, "ENOLCK", LOCKS},
	{ENOENT, "ENOENT", RENAMES},
	{ECONNRESET, "ECONNRESET", NETWORK},
	{EAGAIN, "EAGAIN", FORKS},
};

enum { N_ERRORS = sizeof(errors) / sizeof(errors[0]) };

static unsigned
groups_of_error(int error)
{
	for (size_t i = 0; i < N_ERRORS; i++)
		if (errors[i].error == error)
			return errors[i].groups;
	return 0;
}

static unsigned
groups_of_call(long number)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return calls[i].groups;
	return 0;
}

/* Can this call return this error? Those about the disk only by calls that are about a file. */
static bool
can_fail(const struct trap_call *call, int error)
{
	unsigned groups = groups_of_call(call->point.number) & groups_of_error(error);
	bool is_open = call->point.number == SYS_openat;

	if (groups == 0)
		return false;
#ifdef __x86_64__
	is_open |= call->point.number == SYS_open;
#endif
	if (is_open && (error == ENOSPC || error == EDQUOT))
		return (call->arguments[call->point.number == SYS_openat ? 2 : 1] & O_CREAT) != 0;
	if (error == ENOSPC || error == EDQUOT)
		return call->point.is_of_file;
	return true;
}

static bool
can_be_short(const struct trap_call *call, int error)
{
	long number = call->point.number;

	(void)error;
	return number == SYS_write || number == SYS_pwrite64 || number == SYS_read || number == SYS_pread64 || number == SYS_sendto ||
	       number == SYS_recvfrom;
}

/* Submission failed and yet the entry is there? */
static void
look_for_kept(struct stage *stage, const struct trap_result *result, bool is_persistent, struct tally *tally, const char *label)
{
	const struct ledger_recipient *recipients = stage->crashed.messages[SCENARIO_SUBMITTED];
	bool is_there = false;

	for (unsigned r = 0; r < LEDGER_RECIPIENTS; r++)
		is_there |= recipients[r].place == IN_QUEUE;
	if (result->exit_code == 0 || !is_there || strstr(stage->scenario->words, "perm") != NULL)
		return;
	tally->n_kept++;
	if (!is_persistent) {
		tally->n_partial++;
		tally_note(tally, label, "reported a failure, and yet it is in the queue", "");
	}
}

static void
fail_at(struct stage *stage, const struct trap_point *point, const struct trap_plan *how, struct sum *sum, const char *what)
{
	struct trap_plan plan = plan_of(stage);
	struct trap_result result;
	char label[160];

	describe(label, stage->scenario->name, point, what);
	stage_begin(stage);
	plan.limit_ms = ERROR_MS;
	plan.action = how->action;
	plan.error = how->error;
	plan.is_persistent = how->is_persistent;
	/* The C library itself waits for ever when it is interrupted for ever. */
	plan.most = how->error == EINTR ? 1000 : 0;
	plan.concerns = how->concerns;
	plan.point = *point;
	if (!trap_run(&plan, &result))
		world_die("running", stage->world.mailcrane);
	(void)world_settle(&stage->world, RUN_MS);
	sum->n_missed += !result.was_hit;
	stage_look(stage, &sum->tally);
	look_for_kept(stage, &result, plan.is_persistent, &sum->tally, label);
	stage_recover(stage, &sum->tally);
	stage_judge(stage, &result, &sum->tally, label);
	trap_free(&result);
}

/* All errors at one point. */
static unsigned
fail_point(struct stage *stage, const struct trap_point *point, const struct world_setting *setting, struct sum *sum)
{
	struct trap_call call = {.point = *point};
	unsigned n = 0;

	call.arguments[1] = call.arguments[2] = O_CREAT;
	for (size_t i = 0; i <= N_ERRORS; i++) {
		bool is_short = i == N_ERRORS;
		char what[64];

		if (is_short ? !can_be_short(&call, 0) : !can_fail(&call, errors[i].error))
			continue;
		for (int again = 0; again < 2; again++) {
			struct trap_plan how = {.action = is_short ? TRAP_SHORT : TRAP_FAIL,
			                        .error = is_short ? 0 : errors[i].error,
			                        .is_persistent = again != 0,
			                        .concerns = is_short ? can_be_short : can_fail};

			if (setting->is_quick && (i + point->n + (unsigned)again + setting->seed) % 6 != 0)
				continue;
			(void)snprintf(what, sizeof(what), "%s%s", is_short ? "half" : errors[i].name, again != 0 ? " from then on" : "");
			fail_at(stage, point, &how, sum, what);
			n++;
		}
	}
	return n;
}

static unsigned
fail_scenario(const struct scenario *scenario, const struct world_setting *setting, struct sum *all, unsigned *n_all)
{
	static struct stage stage;
	struct trap_result points;
	struct sum sum = {0};
	unsigned n = 0;
	unsigned n_failed = 0;

	stage_set_up(&stage, scenario, setting);
	if (!baseline(&stage, &points, &sum.tally)) {
		n_failed = report(scenario->name, "undisturbed run", 1, &sum);
	} else {
		for (size_t i = 0; i < points.n_points; i++)
			if (!setting->is_quick || is_sampled(&points.points[i], i, points.n_points, 12))
				n += fail_point(&stage, &points.points[i], setting, &sum);
		n_failed = report(scenario->name, "errors", n, &sum);
	}
	trap_free(&points);
	stage_free(&stage);
	add(all, &sum);
	*n_all += n;
	return n_failed;
}

unsigned
part_errno(const struct world_setting *setting)
{
	struct sum sum = {0};
	unsigned n = 0;
	unsigned n_failed = 0;

	for (size_t i = 0; i < n_scenarios; i++)
		if (part_wants(setting, scenarios[i].name) && (setting->only != NULL || !scenarios[i].is_minor))
			n_failed += fail_scenario(&scenarios[i], setting, &sum, &n);
	printf("# summary: %u errnos: %u lost, %u partial, %u duplicates of which %u outside U, %u late; %u failures were reported "
	       "although the entry stayed\n",
	       n, sum.tally.n_lost, sum.tally.n_partial, sum.tally.n_duplicates + sum.tally.n_outside, sum.tally.n_outside,
	       sum.tally.n_late, sum.tally.n_kept);
	return n_failed;
}
