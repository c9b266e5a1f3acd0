/* aftermath.c - what goes on in another process when a call is over for its caller. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/aftermath.h"
#include "cmd/log.h"

struct lane
aftermath_lane(struct submission *s)
{
	struct lane lane = {
		.program = s->call->program,
		.environment = s->call->environment,
		.spool = &s->outbox.spool,
		.n_lanes = 1,
	};

	lane.choice.began = time(NULL);
	return lane;
}

static bool
is_own(const struct submission *s, const struct parcel *parcel)
{
	return parcel >= s->delivery.parcels && parcel < s->delivery.parcels + s->delivery.n_parcels;
}

/* --- the queue over the same connection ---------------------------------------------------------------------------- */

static bool
is_tag_of_route(void *context, struct str tag)
{
	const struct submission *s = context;

	return str_equals(tag, str_of(s->outbox.tag));
}

/* Is anything due on this route? Reads one folder. */
static bool
is_anything_due(struct submission *s)
{
	struct lane lane = aftermath_lane(s);
	struct spool_scan scan;
	struct err err = {0};
	bool is_due;

	scan = lane_scan(&lane);
	/* The route has just worked, whatever its hint says. */
	scan.wants_tag = is_tag_of_route;
	scan.context = s;
	is_due = spool_scan(&s->outbox.spool, &scan, &err) && scan.n_items > 0;
	err_clear(&err);
	spool_scan_free(&scan);
	return is_due;
}

static bool
are_all_settled(const struct submission *s)
{
	for (size_t i = 0; i < s->delivery.n_parcels; i++) {
		const struct envelope *envelope = &s->delivery.parcels[i].envelope;

		if (envelope_count(envelope, OUTCOME_PENDING) > 0 ||
		    (s->delivery.has_more_hosts && envelope_count(envelope, OUTCOME_DEFERRED) > 0))
			return false;
	}
	return true;
}

/* A child has no terminal, but what must be told is told in the log. */
static void
stop_watching(struct submission *s)
{
	s->delivery.watch = log_listen((struct session_watch){0}, s->call);
}

static enum session_turn
next_from_queue(struct submission *s, struct parcel **parcel)
{
	struct delivery_source source = lane_route_source(s->route);

	return source.next(source.context, parcel);
}

/* The caller's messages are all on their way. Once they are answered the caller gets its exit status from the
 * parent, and the child has the connection. */
static enum session_turn
next_parcel(void *context, struct parcel **parcel)
{
	struct submission *s = context;
	struct backoff backoff;
	pid_t pid;

	if (s->route != NULL)
		return next_from_queue(s, parcel);
	if (s->is_child || !s->outbox.is_open || s->outbox.is_direct)
		return SESSION_END;
	if (!s->was_queue_looked_at) {
		s->was_queue_looked_at = true;
		return is_anything_due(s) ? SESSION_WAIT : SESSION_END;
	}
	if (!are_all_settled(s))
		return SESSION_END;
	/* What libunbound has open would stay open in the child. */
	finder_close(&s->finder);
	pid = detach_fork();
	if (pid != 0)
		return pid > 0 ? SESSION_LEAVE : SESSION_END;
	s->is_child = true;
	stop_watching(s);
	s->delivery.limit = 0;
	s->lane = aftermath_lane(s);
	/* The parent notes it, too, but maybe after we have looked. */
	backoff = outbox_backoff(&s->outbox, s->call);
	backoff_succeeded(&backoff);
	s->route = lane_route_begin(&s->lane, s->call, s->outbox.tag, s->delivery.secret);
	lane_route_look(s->route);
	return next_from_queue(s, parcel);
}

static bool
parcel_is_sent(void *context, struct parcel *parcel, struct err *err)
{
	struct submission *s = context;
	struct delivery_source source;

	if (is_own(s, parcel))
		return true;
	source = lane_route_source(s->route);
	return source.sending(source.context, parcel, err);
}

static void
parcel_is_finished(void *context, struct parcel *parcel)
{
	struct submission *s = context;
	struct delivery_source source;

	if (is_own(s, parcel))
		return;
	source = lane_route_source(s->route);
	source.finished(source.context, parcel);
}

/* --- an answer that takes too long --------------------------------------------------------------------------------- */

/* Whoever was named in a RCPT may be getting the message right now. */
static void
mark_doubtful(struct parcel *parcel)
{
	for (size_t i = 0; i < parcel->envelope.n_recipients && parcel->order.marks != NULL; i++)
		if (parcel->order.marks[i] == MARK_ASKED || parcel->order.marks[i] == MARK_ACCEPTED)
			parcel->envelope.recipients[i].outcome.may_be_duplicate = true;
}

static bool
queue_unsettled(struct submission *s, struct err *err)
{
	size_t n = s->delivery.n_parcels;

	if (!outbox_open(&s->outbox, s->call, true, err))
		return false;
	s->entries = mem_alloc(n, sizeof(*s->entries));
	for (size_t i = 0; i < n; i++) {
		struct parcel *parcel = &s->delivery.parcels[i];
		struct outbox_entries made = {0};

		if (envelope_count(&parcel->envelope, OUTCOME_PENDING) == 0)
			continue;
		mark_doubtful(parcel);
		if (!outbox_put(&s->outbox, parcel, &made, err))
			return false;
		/* One, for this is a relay's. */
		s->entries[i] = made.list[0];
		free(made.list);
	}
	return true;
}

/* Nobody goes on with them: what was queued would be sent a second time. */
static void
forget_entries(struct submission *s)
{
	struct err err = {0};

	for (size_t i = 0; i < s->delivery.n_parcels && s->entries != NULL; i++) {
		if (s->entries[i].is_open)
			entry_remove(&s->entries[i], &s->outbox.spool, &err);
		entry_free(&s->entries[i]);
	}
	settle_sync(s->call->program, &s->outbox.spool);
	free(s->entries);
	s->entries = NULL;
	err_clear(&err);
}

/* In the parent: the messages are the child's now. */
static void
hand_over(struct submission *s)
{
	struct outcome why = {.state = OUTCOME_DEFERRED, .stage = OUTCOME_AT_END, .may_be_duplicate = true};

	outcome_set_text(&why, STR("the server has not answered yet; a process of its own waits for that"));
	for (size_t i = 0; i < s->delivery.n_parcels; i++) {
		if (!s->entries[i].is_open)
			continue;
		s->delivery.parcels[i].queue_id = mem_copy_string(s->entries[i].id);
		envelope_settle(&s->delivery.parcels[i].envelope, &why);
		entry_free(&s->entries[i]);
	}
	free(s->entries);
	s->entries = NULL;
}

static enum session_turn
limit_has_passed(void *context, bool is_text_out)
{
	struct submission *s = context;
	struct err err = {0};
	pid_t pid = -1;

	/* It is about the caller's time, and the child has its own. */
	if (s->is_child)
		return SESSION_GO_ON;
	/* Other destinations are still to come: a child for each of them would be too many. */
	if (s->call->account.delivery == DELIVER_DIRECT)
		return is_text_out ? SESSION_GO_ON : SESSION_END;
	if (!is_text_out)
		return SESSION_END;
	finder_close(&s->finder);
	if (queue_unsettled(s, &err))
		pid = detach_fork();
	err_clear(&err);
	if (pid > 0) {
		hand_over(s);
		return SESSION_LEAVE;
	}
	s->is_child = pid == 0;
	if (s->is_child)
		stop_watching(s);
	else
		forget_entries(s); /* the only one who can wait for the answer is this process */
	return SESSION_GO_ON;
}

/* The outcomes of a parcel become those of its entry, which has the same recipients or fewer, in the same order. */
static void
copy_outcomes(struct envelope *to, const struct envelope *from)
{
	size_t k = 0;

	for (size_t i = 0; i < to->n_recipients; i++) {
		while (k < from->n_recipients && strcmp(from->recipients[k].mailbox, to->recipients[i].mailbox) != 0)
			k++;
		if (k < from->n_recipients)
			to->recipients[i].outcome = from->recipients[k].outcome;
	}
}

static void
settle_entries(struct submission *s)
{
	const struct settlement about = {
		.program = s->call->program,
		.spool = &s->outbox.spool,
		.account = &s->call->account,
		.has_reached = true,
	};

	for (size_t i = 0; i < s->delivery.n_parcels && s->entries != NULL; i++) {
		if (!s->entries[i].is_open)
			continue;
		copy_outcomes(&s->entries[i].envelope, &s->delivery.parcels[i].envelope);
		settle_attempt(&about, &s->entries[i], &s->delivery.parcels[i]);
		entry_free(&s->entries[i]);
	}
}

/* --- both ---------------------------------------------------------------------------------------------------------- */

void
aftermath_arrange(struct submission *s)
{
	s->delivery.source = (struct delivery_source){
		.next = next_parcel,
		.sending = parcel_is_sent,
		.finished = parcel_is_finished,
		.limit = limit_has_passed,
		.context = s,
	};
	if (s->call->account.submit_timeout > 0)
		s->delivery.limit = clock_deadline(s->call->account.submit_timeout);
}

void
aftermath_finish(struct submission *s)
{
	settle_entries(s);
	if (s->route != NULL) {
		lane_route_ended(s->route, &s->delivery, !err_is_set(&s->delivery.failure));
		lane_route_run(s->route);
		lane_route_free(s->route);
	}
	settle_sync(s->call->program, &s->outbox.spool);
	_exit(EX_OK);
}

void
aftermath_flush(struct submission *s)
{
	struct lane lane = aftermath_lane(s);
	struct spool_scan scan;
	struct err err = {0};
	bool is_due;

	if (!s->outbox.is_open || !s->outbox.is_direct)
		return;
	scan = lane_scan(&lane);
	is_due = spool_scan(&s->outbox.spool, &scan, &err) && scan.n_items > 0;
	err_clear(&err);
	spool_scan_free(&scan);
	finder_close(&s->finder);
	if (!is_due || detach_fork() != 0)
		return;
	lane_run(&lane);
	_exit(EX_OK);
}
