/*
 * soak - 8 processes that submit and 6 that flush, all at once, while one of them is killed or stopped for a while every few
 * milliseconds. In the end every submission that was accepted must have arrived, and twice only what was in doubt: no more often
 * than flushers were killed.
 */
#include "config.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "part.h"

enum { ENQUEUERS = 8, FLUSHERS = 6, WORKERS = ENQUEUERS + FLUSHERS, FULL = 10000, QUICK = 500 };

struct worker {
	pid_t pid;              /* 0: none */
	bool is_killed;
	int64_t stopped_until;  /* ms; 0: runs */
	unsigned m;             /* of an enqueuer */
};

struct soak {
	struct world world;
	struct worker workers[WORKERS];
	struct ledger ledger;
	bool *is_accepted;      /* by message */
	unsigned n_messages;
	unsigned n_begun;
	unsigned n_accepted;
	unsigned n_killed;
	unsigned n_killed_flushers;
	unsigned n_stopped;
	unsigned n_flushes;
	unsigned chance;
};

static unsigned
chance(struct soak *soak, unsigned most)
{
	soak->chance = soak->chance * 1103515245u + 12345u;
	return (soak->chance >> 8) % most;
}

static void
pause_ms(long ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000};

	(void)nanosleep(&time, NULL);
}

/* Submissions by every way; each process is in a group of its own, so that what it leaves behind can be stopped with it. */
static void
become(struct soak *soak, const struct worker *worker, bool is_flusher)
{
	static const char *const ways[] = {"-odq", "-odq", "-odb", ""};
	struct world_command command;
	char words[256];
	char path[WORLD_PATH] = "/dev/null";

	(void)setpgid(0, 0);
	if (is_flusher) {
		(void)snprintf(words, sizeof(words), "%s", worker->m % 3 == 0 ? "--flush" : "--flush -qf");
	} else {
		world_write_message(&soak->world, worker->m, 200 + worker->m % 3000, path);
		(void)snprintf(words, sizeof(words), "%s ok.%u.0@example.test ok.%u.1@example.test", ways[worker->m % 4], worker->m,
		               worker->m);
	}
	world_command(&command, &soak->world, words);
	if (freopen(path, "r", stdin) == NULL || freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
		_exit(99);
	(void)execv(command.argv[0], command.argv);
	_exit(99);
}

static void
begin(struct soak *soak, unsigned i)
{
	struct worker *worker = &soak->workers[i];
	bool is_flusher = i >= ENQUEUERS;

	if (!is_flusher && soak->n_begun == soak->n_messages)
		return;
	*worker = (struct worker){.m = is_flusher ? soak->n_flushes++ : soak->n_begun++};
	worker->pid = fork();
	if (worker->pid == 0)
		become(soak, worker, is_flusher);
	(void)setpgid(worker->pid, worker->pid);
}

static void
note_end(struct soak *soak, unsigned i, int status)
{
	struct worker *worker = &soak->workers[i];
	char path[WORLD_PATH];
	char name[32];

	if (i < ENQUEUERS) {
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
			soak->is_accepted[worker->m] = true;
			soak->n_accepted++;
		}
		(void)snprintf(name, sizeof(name), "m%u", worker->m);
		world_path(path, soak->world.folder, name);
		(void)unlink(path);
	}
	/* What it forked may have been stopped with it before it had a group of its own. */
	if (worker->stopped_until != 0)
		(void)kill(-worker->pid, SIGCONT);
	worker->stopped_until = 0;
	worker->pid = 0;
}

static void
reap(struct soak *soak)
{
	int status = 0;
	pid_t pid = 0;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned i = 0; i < WORKERS; i++)
			if (soak->workers[i].pid == pid)
				note_end(soak, i, status);
}

/* Kill one process, or a worker with all it forked; or stop it for up to two seconds. */
static void
disturb(struct soak *soak)
{
	unsigned i = chance(soak, WORKERS);
	struct worker *worker = &soak->workers[i];
	unsigned what = chance(soak, 10);

	if (worker->pid == 0 || worker->stopped_until != 0)
		return;
	if (what < 4) {
		worker->stopped_until = world_now_ms() + 5 + chance(soak, what == 0 ? 2000 : 60);
		soak->n_stopped += kill(-worker->pid, SIGSTOP) == 0;
		return;
	}
	worker->is_killed = true;
	soak->n_killed++;
	soak->n_killed_flushers++;
	(void)kill(what < 8 ? -worker->pid : worker->pid, SIGKILL);
}

static void
wake(struct soak *soak, bool is_over)
{
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker *worker = &soak->workers[i];

		if (worker->pid != 0 && worker->stopped_until != 0 && (is_over || world_now_ms() > worker->stopped_until)) {
			(void)kill(-worker->pid, SIGCONT);
			worker->stopped_until = 0;
		}
	}
}

static bool
anybody_submits(const struct soak *soak)
{
	for (unsigned i = 0; i < ENQUEUERS; i++)
		if (soak->workers[i].pid != 0)
			return true;
	return soak->n_begun < soak->n_messages;
}

/* Returns false when it took too long. */
static bool
storm(struct soak *soak, int64_t limit_ms)
{
	int64_t end = world_now_ms() + limit_ms;
	int64_t next = world_now_ms();

	while (anybody_submits(soak) && world_now_ms() < end) {
		for (unsigned i = 0; i < WORKERS; i++)
			if (soak->workers[i].pid == 0)
				begin(soak, i);
		if (world_now_ms() >= next) {
			disturb(soak);
			next = world_now_ms() + 5 + chance(soak, 20);
		}
		wake(soak, false);
		reap(soak);
		pause_ms(1);
	}
	wake(soak, true);
	for (unsigned i = 0; i < WORKERS; i++)
		while (soak->workers[i].pid != 0 && world_now_ms() < end) {
			reap(soak);
			pause_ms(1);
		}
	return world_now_ms() < end && world_settle(&soak->world, 60000);
}

static unsigned
empty(struct soak *soak)
{
	struct world_command command;
	unsigned n_rounds = 0;

	world_command(&command, &soak->world, "--flush -qf");
	for (; n_rounds < 5; n_rounds++) {
		if (world_run(&soak->world, command.argv, NULL, 600000) < 0)
			return 99;
		ledger_clear(&soak->ledger);
		ledger_read_spool(&soak->ledger, soak->world.spool);
		if (soak->ledger.n_entries == 0)
			break;
	}
	return n_rounds;
}

static unsigned
judge(struct soak *soak, bool is_in_time)
{
	unsigned n_lost = 0;
	unsigned n_twice = 0;
	unsigned n_partial = 0;
	unsigned n_stuck = 0;
	unsigned n_failed = 0;
	char line[256];
	char text[256];

	ledger_clear(&soak->ledger);
	ledger_read_spool(&soak->ledger, soak->world.spool);
	n_stuck = soak->ledger.n_entries + soak->ledger.n_corrupt;
	(void)ledger_read_mail(&soak->ledger, soak->world.mail, UINT32_MAX);
	for (unsigned m = 0; m < soak->n_messages; m++) {
		const struct ledger_recipient *it = soak->ledger.messages[m];

		n_lost += soak->is_accepted[m] && (it[0].n_served == 0 || it[1].n_served == 0);
		n_partial += (it[0].n_served == 0) != (it[1].n_served == 0);
		n_twice += it[0].n_served > 1;
	}
	n_partial += soak->ledger.n_broken;
	(void)snprintf(line, sizeof(line), "%u messages accepted of %u by %d processes, %d flushers, %u kills, %u stops: %u lost, %u partial",
	               soak->n_accepted, soak->n_begun, ENQUEUERS, FLUSHERS, soak->n_killed, soak->n_stopped, n_lost, n_partial);
	n_failed = part_case(n_lost == 0 && n_partial == 0, line, soak->ledger.text);
	(void)snprintf(line, sizeof(line), "%u were delivered twice, not more than processes were killed while sending", n_twice);
	n_failed += part_case(n_twice <= soak->n_killed_flushers, line, "");
	(void)snprintf(text, sizeof(text), "%u left, in time: %d", n_stuck, is_in_time);
	n_failed += part_case(n_stuck == 0 && is_in_time, "in the end the queue is empty, and nothing had to be thrown out", text);
	printf("# summary: soak of %u messages, %u flushes, %u kills, %u stops: %u lost, %u partial, %u duplicates\n", soak->n_begun,
	       soak->n_flushes, soak->n_killed, soak->n_stopped, n_lost, n_partial, n_twice);
	return n_failed;
}

unsigned
part_soak(const struct world_setting *setting)
{
	static struct soak soak;
	unsigned n_failed = 0;
	bool is_in_time = false;

	soak = (struct soak){.n_messages = setting->is_quick ? QUICK : FULL, .chance = setting->seed};
	if (getenv("CRASH_MESSAGES") != NULL)
		soak.n_messages = (unsigned)strtoul(getenv("CRASH_MESSAGES"), NULL, 10);
	world_make(&soak.world, setting);
	ledger_make(&soak.ledger, soak.n_messages);
	soak.is_accepted = calloc(soak.n_messages, sizeof(soak.is_accepted[0]));
	if (soak.is_accepted == NULL)
		abort();
	world_start_peer(&soak.world, NULL);
	world_configure(&soak.world, NULL);
	is_in_time = storm(&soak, setting->is_quick ? 120000 : 1800000);
	is_in_time &= empty(&soak) < 5;
	n_failed = judge(&soak, is_in_time);
	free(soak.is_accepted);
	ledger_free(&soak.ledger);
	world_free(&soak.world);
	return n_failed;
}
