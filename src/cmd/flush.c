/* flush.c - deliver what is due, in a few lanes beside each other. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/allusers.h"
#include "cmd/flush.h"
#include "cmd/lane.h"
#include "cmd/place.h"
#include "cmd/talk.h"

enum {
	LANES_MOST = 20,
	ENTRIES_FOR_LANE = 50,  /* fewer are delivered sooner by one lane than by two that have to connect */
	PROGRESS_EVERY_MS = 200
};

static const char lock_name[] = "flush";
static const char again_name[] = "again";

struct flush {
	struct call *call;
	struct spool spool;
	struct lane lane;            /* what all lanes have in common */
	struct lane_counts *counts;
	bool shows_progress;
};

/* --- progress ------------------------------------------------------------------------------------------------------ */

static void
show_progress(const struct flush *flush)
{
	const struct lane_counts *counts = flush->counts;

	fprintf(stderr, "\r%zu of %zu delivered, %zu put off, %zu failed", atomic_load(&counts->n_delivered),
	        atomic_load(&counts->n_due), atomic_load(&counts->n_put_off), atomic_load(&counts->n_failed));
}

static void
end_progress(const struct flush *flush)
{
	if (!flush->shows_progress || atomic_load(&flush->counts->n_due) == 0)
		return;
	show_progress(flush);
	fprintf(stderr, "\n");
}

/* --- lanes --------------------------------------------------------------------------------------------------------- */

static void
run_lane(const struct flush *flush, size_t number, size_t n_lanes)
{
	struct lane lane = flush->lane;

	lane.number = number;
	lane.n_lanes = n_lanes;
	lane_run(&lane);
}

/* Locks belong to the open file, so a lane must not share those of the folders' entries; it opens its own anyway. */
static pid_t
start_lane(const struct flush *flush, size_t number, size_t n_lanes)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid != 0)
		return pid;
	run_lane(flush, number, n_lanes);
	fflush(NULL);
	_exit(EX_OK);
}

static void
await_lanes(const struct flush *flush, const pid_t *pids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int flags = flush->shows_progress ? WNOHANG : 0;
		pid_t ended = 0;

		while (pids[i] > 0 && (ended = waitpid(pids[i], NULL, flags)) != pids[i]) {
			if (ended < 0 && errno != EINTR)
				break;
			if (ended == 0) {
				show_progress(flush);
				poll(NULL, 0, PROGRESS_EVERY_MS);
			}
		}
	}
}

static void
run_lanes(const struct flush *flush, size_t n_lanes)
{
	pid_t pids[LANES_MOST] = {0};
	size_t n_started = 0;

	if (n_lanes == 1 && !flush->shows_progress) {
		run_lane(flush, 0, 1);
		return;
	}
	while (n_started < n_lanes && (pids[n_started] = start_lane(flush, n_started, n_lanes)) > 0)
		n_started++;
	/* What could not be started is done here: some entries may be for one lane alone. */
	for (size_t i = n_started; i < n_lanes; i++)
		run_lane(flush, i, n_lanes);
	await_lanes(flush, pids, n_started);
}

/* How many routes the items of a scan have; more than LANES_MOST do not matter. */
static size_t
count_routes(const struct spool_scan *scan)
{
	const char *tags[LANES_MOST];
	size_t n = 0;

	for (size_t i = 0; i < scan->n_items && n < LANES_MOST; i++) {
		const char *tag = scan->items[i].name + ID_LENGTH;
		size_t k = 0;

		while (k < n && strcmp(tags[k], tag) != 0)
			k++;
		if (k == n)
			tags[n++] = tag;
	}
	return n;
}

/* A server that does not answer must not hold up the mail of other routes, so each has a lane if there may be so many. */
static size_t
lanes_for(const struct flush *flush, size_t n_due, size_t n_routes)
{
	size_t wanted = 1 + (n_due - 1) / ENTRIES_FOR_LANE;
	size_t most = flush->call->has_account ? (size_t)flush->call->account.queue_lanes : 2;

	if (wanted < n_routes)
		wanted = n_routes;
	if (wanted > most)
		wanted = most;
	return wanted > LANES_MOST ? LANES_MOST : wanted;
}

/* One look at the queue, and lanes if there is anything to do. */
static bool
run_once(struct flush *flush, struct err *err)
{
	struct spool_scan scan = lane_scan(&flush->lane);
	size_t n_due = 0, n_routes = 0;
	bool is_read;

	do {
		is_read = spool_scan(&flush->spool, &scan, err);
		n_due += is_read ? scan.n_items : 0;
		n_routes += is_read ? count_routes(&scan) : 0;
	} while (is_read && scan.has_more && flush->shows_progress); /* only there the whole number matters */
	spool_scan_free(&scan);
	atomic_store(&flush->counts->n_due, n_due);
	if (is_read && n_due > 0)
		run_lanes(flush, lanes_for(flush, n_due, n_routes));
	return is_read;
}

/* --- one flush at a time ------------------------------------------------------------------------------------------- */

static void
leave_word(struct flush *flush)
{
	struct err err = {0};
	int folder = spool_folder(&flush->spool, SPOOL_LOCK, &err);
	int fd = folder < 0 ? -1 : openat(folder, again_name, O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);

	if (fd >= 0)
		close(fd);
	err_clear(&err);
}

/* Did somebody leave word since the last time? */
static bool
take_word(struct flush *flush)
{
	struct err err = {0};
	int folder = spool_folder(&flush->spool, SPOOL_LOCK, &err);

	err_clear(&err);
	return folder >= 0 && unlinkat(folder, again_name, 0) == 0;
}

/* Whoever finds the lock taken leaves word and goes; the holder looks for it while it works, and once more when it
 * has let the lock go, for it may have been left in between. */
static bool
run_locked(struct flush *flush, struct err *err)
{
	bool is_fine = true, goes_on = true;

	while (is_fine && goes_on) {
		int fd = -1;
		enum spool_lock_result result = spool_lock(&flush->spool, lock_name, &fd, err);

		if (result == SPOOL_LOCK_BUSY) {
			leave_word(flush);
			result = spool_lock(&flush->spool, lock_name, &fd, err);
		}
		if (result != SPOOL_LOCKED)
			return result == SPOOL_LOCK_BUSY;
		do {
			take_word(flush);
			is_fine = run_once(flush, err);
			flush->lane.choice.is_repeated = true;
		} while (is_fine && take_word(flush));
		close(fd);
		goes_on = take_word(flush);
	}
	return is_fine;
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

static bool
flush_spool(struct flush *flush, struct err *err)
{
	const struct request_flush *wanted = &flush->call->request.flush;
	bool is_fine;

	flush->lane = (struct lane){
		.program = flush->call->program,
		.environment = flush->call->environment,
		.spool = &flush->spool,
		.choice = {
			.is_forced = wanted->is_forced || wanted->is_all,
			.spares_held = !wanted->is_forced,
			.is_network_up = wanted->network_up,
			.filters = wanted->filters,
			.n_filters = wanted->n_filters,
		},
		.counts = flush->counts,
		.n_lanes = 1,
	};
	flush->lane.choice.began = time(NULL);
	if (flush->call->request.is_debugging)
		flush->lane.watch.show = talk_show_dialogue;
	/* A run that somebody asked for by name does not wait for another one, nor leaves it to that. */
	is_fine = wanted->is_forced ? run_once(flush, err) : run_locked(flush, err);
	spool_clean(&flush->spool, time(NULL), false);
	talk_warnings(flush->call->program, &flush->spool.warnings);
	return is_fine;
}

/* The user's queue, and what was put elsewhere while the home could not be used. A queue that is named has no other. */
static void
flush_places(struct flush *flush, struct err *err)
{
	struct call *call = flush->call;
	struct spool other = {0};
	bool is_named;

	if (!place_open(call, &flush->spool, false, err))
		return;
	is_named = (call->has_account ? call->account.queue_dir : call->request.overrides.queue_dir) != NULL;
	if (flush->spool.is_open && flush_spool(flush, err))
		end_progress(flush);
	if (is_named || err_is_set(err))
		return;
	if (!place_open_other(&flush->spool, &other, err) || !other.is_open)
		return;
	if (flush->spool.is_open)
		spool_free(&flush->spool);
	flush->spool = other;
	if (flush_spool(flush, err))
		end_progress(flush);
}

int
flush_run(struct call *call)
{
	struct flush flush = {.call = call};
	struct err err = {0};
	int exit_code = EX_OK;

	if (call->request.flush.all_users)
		return allusers_flush(call);
	flush.shows_progress = isatty(STDERR_FILENO) && !call->request.is_debugging;
	flush.counts = mmap(NULL, sizeof(*flush.counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (flush.counts == MAP_FAILED)
		err_set_errno(&err, EX_OSERR, "cannot share memory between lanes");
	else
		flush_places(&flush, &err);
	if (err_is_set(&err)) {
		exit_code = err.exit_code;
		talk_error(call->program, &err);
	}
	if (flush.spool.is_open)
		spool_free(&flush.spool);
	if (flush.counts != MAP_FAILED)
		munmap(flush.counts, sizeof(*flush.counts));
	err_clear(&err);
	return exit_code;
}
