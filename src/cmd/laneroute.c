/* laneroute.c - all mail of one route, over one session after the other. */

#include "config.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth/sasl.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cmd/cargo.h"
#include "cmd/laneroute.h"
#include "cmd/log.h"
#include "cmd/talk.h"
#include "deliver/report.h"

/* Sessions in a row that were lost in the middle of a message: after so many it is not the message's fault. */
enum { LOSSES_MOST = 2 };

enum {
	SLOT_SECONDS = 30, /* for a lane that is patient */
	SLOT_POLL_MS = 200
};

/* Entries that somebody else had locked: asked for once more at the end, for it may have been mailq that looked at
 * them. */
enum { BUSY_MOST = 64 };

struct lane_route {
	struct lane *lane;
	struct call *call;
	const char *tag;
	struct secret own_secret;
	const struct secret *secret;
	bool has_secret;
	struct lane_batch batch;
	size_t n_seen;                /* items of the batch that were looked at */
	struct spool_item *busy[BUSY_MOST];
	size_t n_busy;
	bool is_second_look;          /* at those that were busy */
	struct spool_scan scan;       /* what lane_route_look() found: the batch is in it */
	struct spool_item **items;    /* likewise */
	struct cargo *waiting;        /* open and locked, to be tried next */
	struct cargo *left;           /* a session is done with them, and somebody is pending still */
	size_t n_settled;             /* in this session: entries that the server said something about */
	size_t n_doubtful;            /* in this session: entries whose text went out without an answer */
	unsigned n_losses;
	bool was_failing;             /* there was a hint that it is not well */
	bool has_worked;              /* and since then a message was answered */
	bool ignores_times;           /* so that what was put off because of it need not wait longer */
};

static struct backoff
backoff_of(const struct lane_route *route)
{
	return (struct backoff){
		.spool = route->lane->spool,
		.program = route->lane->program,
		.account = &route->call->account,
		.tag = route->tag,
	};
}

static struct cargo_claim
claim_of(const struct lane_route *route)
{
	return (struct cargo_claim){
		.lane = route->lane,
		.account = &route->call->account,
		.ignores_time = route->ignores_times,
	};
}

static void
settle(struct lane_route *route, struct cargo *cargo, bool has_reached, bool is_tls_used)
{
	const struct settlement about = {
		.program = route->lane->program,
		.spool = route->lane->spool,
		.account = &route->call->account,
		.is_tls_used = is_tls_used,
		.has_reached = has_reached,
	};

	settle_attempt(&about, &cargo->entry, &cargo->parcel);
	cargo_count(cargo, route->lane->counts);
	cargo_free(cargo);
}

static struct cargo *
claim(struct lane_route *route, struct spool_item *item)
{
	const struct cargo_claim how = claim_of(route);
	bool is_busy = false;
	struct cargo *cargo = cargo_claim(&how, item->name, &is_busy);

	if (is_busy && !route->is_second_look && route->n_busy < BUSY_MOST)
		route->busy[route->n_busy++] = item;
	/* A process that was killed between the last result and its consequences left them to us. */
	if (cargo == NULL || cargo_is_pending(cargo))
		return cargo;
	settle(route, cargo, false, false);
	return NULL;
}

/* Lanes go through the same items, each from its own place on, so that they do not meet at every entry. */
static struct spool_item *
next_item(struct lane_route *route)
{
	const struct lane *lane = route->lane;
	size_t start = lane->n_lanes > 1 ? route->batch.n * lane->number / lane->n_lanes : 0;

	if (route->n_seen >= route->batch.n) {
		route->is_second_look = true;
		return route->n_busy > 0 ? route->busy[--route->n_busy] : NULL;
	}
	return route->batch.items[(start + route->n_seen++) % route->batch.n];
}

/* --- the source of a session --------------------------------------------------------------------------------------- */

static enum session_turn
next_parcel(void *context, struct parcel **parcel)
{
	struct lane_route *route = context;
	struct cargo *cargo = cargo_take_first(&route->waiting);
	struct spool_item *item;

	while (cargo == NULL && (item = next_item(route)) != NULL)
		cargo = claim(route, item);
	if (cargo == NULL)
		return SESSION_END;
	*parcel = &cargo->parcel;
	return SESSION_GO_ON;
}

static bool
parcel_is_sent(void *context, struct parcel *parcel, struct err *err)
{
	struct cargo *cargo = (struct cargo *)parcel;
	size_t n = parcel->envelope.n_recipients;
	unsigned char *is_sent = mem_alloc(n, 1);
	bool is_marked;

	(void)context;
	for (size_t i = 0; i < n; i++)
		is_sent[i] = parcel->order.marks[i] == MARK_ASKED || parcel->order.marks[i] == MARK_ACCEPTED;
	cargo->was_sent = true;
	is_marked = entry_mark_sent(&cargo->entry, is_sent, err);
	free(is_sent);
	return is_marked;
}

static void
parcel_is_finished(void *context, struct parcel *parcel)
{
	struct lane_route *route = context;
	struct cargo *cargo = (struct cargo *)parcel;

	if (cargo_is_pending(cargo)) {
		/* A server that takes only some of the recipients at a time has taken those. */
		if (cargo_has_progressed(cargo) && !cargo_was_told_to_go(cargo))
			route->n_settled++;
		cargo_append(&route->left, cargo);
		return;
	}
	if (cargo_is_doubtful(cargo))
		route->n_doubtful++;
	else if (!cargo_was_told_to_go(cargo))
		route->n_settled++;
	settle(route, cargo, true, route->call->account.tls);
}

struct delivery_source
lane_route_source(struct lane_route *route)
{
	return (struct delivery_source){
		.next = next_parcel,
		.sending = parcel_is_sent,
		.finished = parcel_is_finished,
		.context = route,
	};
}

/* --- after a session ----------------------------------------------------------------------------------------------- */

/* Nothing was learnt about the message: it stays as it was. */
static void
release(struct lane_route *route, struct cargo *cargo)
{
	size_t n_pending = envelope_count(&cargo->parcel.envelope, OUTCOME_PENDING);
	const struct cargo_claim how = claim_of(route);
	struct err err = {0};

	if (n_pending < cargo->n_claimed) {
		settle(route, cargo, true, route->call->account.tls);
		return;
	}
	settle_take_back(&cargo->entry, &cargo->parcel);
	if (cargo->was_sent &&
	    (!entry_record(&cargo->entry, time(NULL), &err) || !entry_defer(&cargo->entry, cargo->entry.next, &err)))
		cargo_complain(&how, cargo->entry.name, &err);
	cargo_free(cargo);
}

static void
release_all(struct lane_route *route)
{
	struct cargo *cargo;

	while ((cargo = cargo_take_first(&route->left)) != NULL)
		release(route, cargo);
	while ((cargo = cargo_take_first(&route->waiting)) != NULL)
		release(route, cargo);
}

static void
keep_all_for_next(struct lane_route *route)
{
	struct cargo *cargo;

	while ((cargo = cargo_take_first(&route->left)) != NULL)
		cargo_append(&route->waiting, cargo);
}

/* The connection was lost while this message was under way, before its text was out: it may be its fault. */
static bool
blame_first(struct lane_route *route, const struct outcome *why)
{
	struct cargo **place = &route->left;
	struct cargo *cargo;

	while (*place != NULL && !(*place)->parcel.order.is_mail_sent)
		place = &(*place)->next;
	cargo = *place;
	if (cargo == NULL)
		return false;
	*place = cargo->next;
	envelope_settle(&cargo->parcel.envelope, why);
	settle(route, cargo, true, route->call->account.tls);
	return true;
}

static void
put_off_if_old(struct lane_route *route, struct cargo *cargo, const struct outcome *why)
{
	if (time(NULL) - cargo->entry.created < RETRY_DELAY_NOTICE) {
		release(route, cargo);
		return;
	}
	envelope_settle(&cargo->parcel.envelope, why);
	settle(route, cargo, retry_has_reached(why), false);
}

/* The route failed: what has waited for long is told about, and what is too old is given up, if the server answered
 * at all. */
static void
look_at_old(struct lane_route *route, const struct outcome *why)
{
	int64_t now = time(NULL);
	struct spool_item *item;
	struct cargo *cargo;

	while ((cargo = cargo_take_first(&route->left)) != NULL || (cargo = cargo_take_first(&route->waiting)) != NULL)
		put_off_if_old(route, cargo, why);
	while ((item = next_item(route)) != NULL) {
		struct str id, tag;

		if (!id_split(str_of(item->name), &id, &tag) || now - id_time(id) / 1000000 < RETRY_DELAY_NOTICE)
			continue;
		cargo = claim(route, item);
		if (cargo != NULL)
			put_off_if_old(route, cargo, why);
	}
}

static void
fail_route(struct lane_route *route, const struct delivery *delivery)
{
	struct backoff backoff = backoff_of(route);
	enum retry_class class = retry_class_of(&delivery->why, delivery->failure.exit_code);
	const char *advice = report_failure_hint(delivery);

	backoff_failed(&backoff, class, buf_text(&delivery->failure.text), advice);
	if (class == RETRY_ROUTE)
		look_at_old(route, &delivery->why);
	release_all(route);
	route->n_seen = route->batch.n;
	route->n_busy = 0;
}

void
lane_route_ended(struct lane_route *route, const struct delivery *delivery, bool is_fine)
{
	struct backoff backoff = backoff_of(route);
	bool has_progressed = route->n_settled > 0;
	bool was_lost = !is_fine && delivery->why.reply_code == 0;

	if (has_progressed) {
		backoff_succeeded(&backoff);
		route->has_worked = true;
		route->n_losses = 0;
	}
	if (is_fine || route->n_doubtful > 0 || (was_lost && blame_first(route, &delivery->why))) {
		if (!is_fine)
			route->n_losses++;
		keep_all_for_next(route);
		/* A session that ends well and takes nothing would be followed by others like it for ever. */
		if ((is_fine && !has_progressed && route->waiting != NULL) || route->n_losses >= LOSSES_MOST)
			fail_route(route, delivery);
	} else if (has_progressed)
		keep_all_for_next(route); /* the server has its limits for one session */
	else
		fail_route(route, delivery);
	route->n_settled = 0;
	route->n_doubtful = 0;
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

static bool
find_secret(struct lane_route *route)
{
	struct backoff backoff = backoff_of(route);
	struct err err = {0};
	bool is_found = true;

	if (route->has_secret || !sasl_needs_secret(&route->call->account))
		return true;
	secret_protect_process();
	if (!secret_find(&route->own_secret, &route->call->account, false, &err)) {
		backoff_failed(&backoff, RETRY_ACCOUNT, buf_text(&err.text), err.hint.size > 0 ? buf_text(&err.hint) : NULL);
		is_found = false;
	}
	route->secret = &route->own_secret;
	route->has_secret = is_found;
	err_clear(&err);
	return is_found;
}

static bool
has_more(const struct lane_route *route)
{
	return route->waiting != NULL || route->n_seen < route->batch.n;
}

static void
run_session(struct lane_route *route)
{
	struct delivery delivery = {
		.account = &route->call->account,
		.secret = route->secret,
		.watch = log_listen(route->lane->watch, route->call),
		.source = lane_route_source(route),
	};
	bool is_fine = delivery_session(&delivery);

	lane_route_ended(route, &delivery, is_fine);
	delivery_free(&delivery);
}

/* A connection is made only for somebody who is there to be delivered. */
static bool
has_cargo(struct lane_route *route)
{
	struct spool_item *item;
	struct cargo *cargo = NULL;

	if (route->waiting != NULL)
		return true;
	while (cargo == NULL && (item = next_item(route)) != NULL)
		cargo = claim(route, item);
	if (cargo != NULL)
		cargo_append(&route->waiting, cargo);
	return cargo != NULL;
}

/* The right to one of the route's connections, a descriptor to be closed; -1: others have them all. */
static int
take_slot(struct lane_route *route)
{
	int64_t end = clock_deadline(SLOT_SECONDS);
	struct backoff backoff = backoff_of(route);

	for (;;) {
		struct hint hint = {0};
		bool is_closed = backoff_is_closed(&backoff, &hint), is_busy;
		int slot;

		route->was_failing = hint.n_failures > 0;
		/* One connection tells whether a route that failed is well again. */
		slot = hint_take_slot(route->lane->spool, str_of(route->tag),
		                      route->was_failing ? 1 : route->call->account.max_connections, &is_busy);
		/* While we waited, others have found out that the account is wrong: each further login counts as guessing. */
		if (slot >= 0 && is_closed && hint.is_held && !lane_wants_tag(route->lane, str_of(route->tag))) {
			close(slot);
			return -1;
		}
		if (!is_busy || !route->lane->is_patient || is_closed || clock_now() >= end)
			return slot;
		poll(NULL, 0, SLOT_POLL_MS);
	}
}

static void
run_sessions(struct lane_route *route)
{
	int slot;

	if (!has_cargo(route) || !find_secret(route)) {
		release_all(route);
		return;
	}
	slot = take_slot(route);
	while (slot >= 0 && has_cargo(route))
		run_session(route);
	if (slot >= 0)
		close(slot);
	release_all(route);
}

void
lane_route_run(struct lane_route *route)
{
	while (has_more(route)) {
		run_sessions(route);
		if (!route->was_failing || !route->has_worked)
			break;
		/* It is well again. */
		route->has_worked = false;
		route->ignores_times = true;
		lane_route_look(route);
	}
}

struct lane_route *
lane_route_begin(struct lane *lane, struct call *call, const char *tag, const struct secret *secret)
{
	struct lane_route *route = mem_alloc(1, sizeof(*route));

	route->lane = lane;
	route->call = call;
	route->tag = tag;
	route->secret = secret;
	route->has_secret = secret != NULL;
	return route;
}

void
laneroute_set_batch(struct lane_route *route, const struct lane_batch *batch)
{
	route->batch = *batch;
	route->n_seen = 0;
	route->n_busy = 0;
	route->is_second_look = false;
}

void
lane_route_add(struct lane_route *route, struct entry *entry)
{
	cargo_append(&route->waiting, cargo_of(entry));
}

void
lane_route_look(struct lane_route *route)
{
	struct lane only = *route->lane;
	struct err err = {0};

	only.choice.only_tag = route->tag;
	only.choice.is_forced = only.choice.is_forced || route->ignores_times;
	spool_scan_free(&route->scan);
	free(route->items);
	route->items = NULL;
	route->n_busy = 0;
	route->scan = lane_scan(&only);
	if (!spool_scan(route->lane->spool, &route->scan, &err))
		talk_error(route->lane->program, &err);
	err_clear(&err);
	route->items = mem_alloc(route->scan.n_items, sizeof(struct spool_item *));
	for (size_t i = 0; i < route->scan.n_items; i++)
		route->items[i] = &route->scan.items[i];
	laneroute_set_batch(route, &(struct lane_batch){.items = route->items, .n = route->scan.n_items});
	route->scan.context = NULL;
}

void
lane_route_free(struct lane_route *route)
{
	if (route == NULL)
		return;
	release_all(route);
	spool_scan_free(&route->scan);
	free(route->items);
	secret_free(&route->own_secret);
	free(route);
}
