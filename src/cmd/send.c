/* send.c - the main job: messages from stdin or files to an account's host, or into the queue. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/aftermath.h"
#include "cmd/downgrade.h"
#include "cmd/log.h"
#include "cmd/place.h"
#include "cmd/refused.h"
#include "cmd/send.h"
#include "cmd/submission.h"
#include "cmd/talk.h"
#include "cmd/tell.h"
#include "deliver/bounce.h"

enum { DRAIN_MS = 10000 };

enum way {
	WAY_NOW,        /* try, and queue what is put off */
	WAY_BACKGROUND, /* queue, and let another process try */
	WAY_QUEUE       /* queue, and leave it to a flush */
};

static bool
may_queue(const struct submission *s)
{
	return s->call->account.queue != QUEUE_OFF;
}

/* `queue off` is the word of whoever set the account up: there is no queue that an option could use. */
static enum way
way_of(const struct submission *s)
{
	if (!may_queue(s) || s->call->request.delivery == DELIVERY_INTERACTIVE)
		return WAY_NOW;
	if (s->call->request.delivery == DELIVERY_BACKGROUND)
		return WAY_BACKGROUND;
	if (s->call->request.delivery == DELIVERY_QUEUE || s->call->account.queue == QUEUE_ALWAYS)
		return WAY_QUEUE;
	return WAY_NOW;
}

/* --- the queue ----------------------------------------------------------------------------------------------------- */

/* The ids of the entries from the n-th on, with commas between them. */
static char *
list_ids(const struct outbox_entries *entries, size_t n)
{
	struct buf ids = {0};

	for (size_t i = n; i < entries->n; i++)
		buf_printf(&ids, "%s%s", i > n ? "," : "", entries->list[i].id);
	return buf_take(&ids);
}

/* Queue a parcel for whoever is not settled. Its entries stay open. False: the parcel's exit code says so, and it is
 * told. */
static bool
queue_parcel(struct submission *s, struct parcel *parcel, struct outbox_entries *entries)
{
	size_t n_before = entries->n;
	struct err err = {0};

	if (outbox_open(&s->outbox, s->call, true, &err) && outbox_put(&s->outbox, parcel, entries, &err)) {
		parcel->queue_id = list_ids(entries, n_before);
		parcel->exit_code = envelope_refusal_code(&parcel->envelope);
		return true;
	}
	parcel->exit_code = outcome_worse_exit(parcel->exit_code, EX_TEMPFAIL);
	talk_error(s->call->program, &err);
	buf_add_str(&s->trouble, buf_str(&err.text));
	err_clear(&err);
	return false;
}

/* Is the account on hold, so that nothing should be tried for now? *hint tells why. */
static bool
is_on_hold(struct submission *s, struct hint *hint)
{
	struct backoff route = outbox_backoff(&s->outbox, s->call);

	return s->outbox.is_open && backoff_is_closed(&route, hint) && hint->is_held;
}

/* Deliver entries that go the same way, of which the i-th is the first; none of them is in the list then. */
static void
deliver_route(struct submission *s, struct outbox_entries *entries, size_t i)
{
	char tag[TAG_LENGTH + 1];

	memcpy(tag, entries->list[i].tag, sizeof(tag));
	s->route = lane_route_begin(&s->lane, s->call, tag, NULL);
	for (; i < entries->n; i++)
		if (strcmp(entries->list[i].tag, tag) == 0)
			lane_route_add(s->route, &entries->list[i]);
	lane_route_run(s->route);
	lane_route_free(s->route);
}

/* In a process of its own: deliver what was just queued. Its locks are held since before it could be seen. */
static void
deliver_in_background(struct submission *s, struct outbox_entries *entries)
{
	pid_t pid = detach_fork();

	if (pid != 0)
		return; /* without a process it is delivered by the next flush */
	s->lane = aftermath_lane(s);
	s->lane.is_patient = true;
	for (size_t i = 0; i < entries->n; i++)
		if (entries->list[i].is_open)
			deliver_route(s, entries, i);
	settle_sync(s->call->program, &s->outbox.spool);
	_exit(EX_OK);
}

static int
queue_all(struct submission *s, bool in_background)
{
	struct outbox_entries entries = {0};
	struct hint hint = {0};
	bool is_queued = true;

	for (size_t i = 0; i < s->delivery.n_parcels; i++)
		is_queued = queue_parcel(s, &s->delivery.parcels[i], &entries) && is_queued;
	if (in_background && entries.n > 0 && !is_on_hold(s, &hint))
		deliver_in_background(s, &entries);
	outbox_entries_free(&entries);
	return tell_outcomes(s);
}

/* After an attempt: what was put off goes into the queue. */
static void
queue_rest(struct submission *s)
{
	for (size_t i = 0; i < s->delivery.n_parcels; i++) {
		struct parcel *parcel = &s->delivery.parcels[i];
		struct outbox_entries entries = {0};

		if (parcel->queue_id != NULL)
			parcel->exit_code = envelope_refusal_code(&parcel->envelope); /* a child waits for its answer */
		else if (envelope_count(&parcel->envelope, OUTCOME_DEFERRED) > 0)
			queue_parcel(s, parcel, &entries);
		outbox_entries_free(&entries);
	}
}

/* --- trying now ---------------------------------------------------------------------------------------------------- */

/* What became of each route is noted, so that flushes and later calls know. */
static void
note_route(struct submission *s, const struct delivery_end *end)
{
	enum retry_class class = retry_class_of(&end->why, end->failure.exit_code);
	struct backoff route = outbox_backoff(&s->outbox, s->call);
	const char *advice = report_failure_hint(s->delivery.account, &end->why, &end->failure);
	char tag[TAG_LENGTH + 1];

	outbox_tag(&s->outbox, end->destination, end->wish, tag);
	route.tag = tag;
	/* A destination that can never be reached is the recipients' trouble. */
	if (!err_is_set(&end->failure) || end->why.state == OUTCOME_FAILED)
		backoff_succeeded(&route);
	else if (class != RETRY_MESSAGE && class != RETRY_RECIPIENT)
		backoff_failed(&route, class, buf_text(&end->failure.text), advice);
}

static void
note_routes(struct submission *s)
{
	for (size_t i = 0; s->outbox.is_open && i < s->delivery.n_ends; i++)
		note_route(s, &s->delivery.ends[i]);
}

static void
settle_all(struct submission *s, const struct outcome *why)
{
	for (size_t i = 0; i < s->delivery.n_parcels; i++)
		envelope_settle(&s->delivery.parcels[i].envelope, why);
}

static int
deliver(struct submission *s)
{
	struct talk_progress progress = {.is_wanted = isatty(STDERR_FILENO) && !s->call->request.is_debugging};
	struct delivery *delivery = &s->delivery;
	bool is_told = false;
	int exit_code;

	if (s->call->request.is_debugging)
		delivery->watch.show = talk_show_dialogue;
	delivery->watch = log_listen(delivery->watch, s->call);
	delivery->watch.progress = talk_progress;
	delivery->watch.progress_context = &progress;
	if (may_queue(s))
		aftermath_arrange(s);
	delivery_run(delivery);
	talk_progress_end(&progress);
	if (s->is_child)
		aftermath_finish(s);
	downgrade_look(s->call, &s->outbox.spool);
	if (may_queue(s)) {
		queue_rest(s);
		note_routes(s);
		is_told = refused_keep(s);
	}
	exit_code = tell_outcomes(s);
	aftermath_flush(s);
	return is_told ? EX_OK : exit_code;
}

/* At a terminal it is tried all the same, for somebody may be mending it. */
static bool
must_wait(struct submission *s)
{
	struct outcome why = {.state = OUTCOME_DEFERRED, .stage = OUTCOME_AT_AUTH};
	struct hint hint = {0};

	if (isatty(STDERR_FILENO) || !is_on_hold(s, &hint))
		return false;
	outcome_set_text(&why, str_of(hint.text));
	settle_all(s, &why);
	return true;
}

/* The password cannot be had: the message is innocent, and waits. */
static int
queue_without_secret(struct submission *s, struct err *err)
{
	struct outcome why = {.state = OUTCOME_DEFERRED, .stage = OUTCOME_AT_AUTH};
	struct backoff route;
	int exit_code;

	outcome_set_text(&why, buf_str(&err->text));
	settle_all(s, &why);
	exit_code = queue_all(s, false);
	route = outbox_backoff(&s->outbox, s->call);
	if (s->outbox.is_open)
		backoff_failed(&route, RETRY_ACCOUNT, buf_text(&err->text), err->hint.size > 0 ? buf_text(&err->hint) : NULL);
	if (isatty(STDERR_FILENO) || exit_code != EX_OK)
		talk_error(s->call->program, err);
	err_clear(err);
	return exit_code;
}

static bool
find_secret(struct submission *s, struct err *err)
{
	const struct account *account = &s->call->account;

	if (!sasl_needs_secret(account))
		return true;
	if (!secret_find(&s->secret, account, choose_may_ask(s->call) && !s->is_child, err))
		return err_prefix(err, "account %s", account->id);
	s->delivery.secret = &s->secret;
	return true;
}

/* Direct delivery remembers the policies of domains. Without a folder for them it goes on without. */
static void
open_state(struct submission *s)
{
	struct err ignored = {0};

	if (s->call->account.delivery == DELIVER_DIRECT && !place_open(s->call, &s->state, true, &ignored))
		err_clear(&ignored);
}

static int
try_now(struct submission *s)
{
	struct err err = {0};

	open_state(s);

	/* A queue that cannot be looked into is no reason not to send. */
	if (may_queue(s) && !outbox_open(&s->outbox, s->call, false, &err))
		err_clear(&err);
	if (must_wait(s))
		return queue_all(s, false);
	if (find_secret(s, &err))
		return deliver(s);
	return may_queue(s) ? queue_without_secret(s, &err) : tell_failure(s, &err);
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

/* Where the message must go into the queue, there has to be room for it before it is read. */
static bool
make_room(struct submission *s, struct err *err)
{
	if (!s->call->has_account || way_of(s) == WAY_NOW)
		return true;
	if (outbox_open(&s->outbox, s->call, true, err) && spool_has_room(&s->outbox.spool, err))
		return true;
	err->exit_code = EX_TEMPFAIL;
	return false;
}

static bool
prepare(struct submission *s, struct err *err)
{
	const char *sender = s->given != NULL ? s->given->envelope->reverse_path : s->call->request.sender;

	/* The account is chosen first, so that a wrong configuration is told at once; only a sender that stands in
	 * the message makes it wait for the header section. */
	if (!s->call->request.reads_sender && !choose_account(s->call, sender, err))
		return false;
	return make_room(s, err) && submission_read(s, err);
}

static int
hand_over(struct submission *s)
{
	s->delivery.account = &s->call->account;
	s->finder.spool = &s->state;
	s->delivery.finder = &s->finder;
	s->delivery.history = &s->call->history;
	switch (way_of(s)) {
	case WAY_BACKGROUND:
		return queue_all(s, true);
	case WAY_QUEUE:
		return queue_all(s, false);
	case WAY_NOW:
		break;
	}
	return try_now(s);
}

int
send_given(struct submission *s)
{
	struct err err = {0};

	submission_begin(s);
	return prepare(s, &err) ? hand_over(s) : tell_failure(s, &err);
}

int
send_run(struct call *call)
{
	struct submission s = {.call = call};
	struct err err = {0};
	int exit_code;

	submission_begin(&s);
	if (choose_read_files(call, &err) && prepare(&s, &err))
		exit_code = hand_over(&s);
	else {
		exit_code = tell_failure(&s, &err);
		/* So that the writer of the message sees this exit status, and not SIGPIPE. */
		if (!s.was_stdin_read && !call->was_stdin_closed && call->request.n_message_files == 0)
			message_drain(STDIN_FILENO, DRAIN_MS);
	}
	submission_free(&s);
	return exit_code;
}
