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
#include "deliver/destination.h"
#include "deliver/report.h"

enum {
	SLOT_SECONDS = 30, /* for a lane that is patient */
	SLOT_POLL_MS = 200
};

struct backoff
laneroute_backoff_of(const struct lane_route *route)
{
	return (struct backoff){
		.spool = route->lane->spool,
		.program = route->lane->program,
		.account = &route->call->account,
		.tag = route->tag,
	};
}

struct cargo_claim
laneroute_claim_of(const struct lane_route *route)
{
	return (struct cargo_claim){
		.lane = route->lane,
		.account = &route->call->account,
		.ignores_time = route->ignores_times,
	};
}

void
laneroute_settle(struct lane_route *route, struct cargo *cargo, bool has_reached)
{
	const struct settlement about = {
		.program = route->lane->program,
		.spool = route->lane->spool,
		.account = &route->call->account,
		.has_reached = has_reached,
	};

	settle_attempt(&about, &cargo->entry, &cargo->parcel);
	cargo_count(cargo, route->lane->counts);
	cargo_free(cargo);
}

/* An account that was a relay's when the message was queued may deliver directly by now. */
static bool
goes_this_way(struct lane_route *route, struct cargo *cargo)
{
	const struct cargo_claim how = laneroute_claim_of(route);
	struct err err = {0};
	bool is_kept;

	settle_take_back(&cargo->entry, &cargo->parcel);
	is_kept = outbox_keep_entry(route->lane->spool, &route->call->account, &cargo->entry, &err);
	if (err_is_set(&err))
		cargo_complain(&how, cargo->entry.name, &err);
	settle_lend(&cargo->entry, &cargo->parcel);
	return is_kept;
}

struct cargo *
laneroute_claim(struct lane_route *route, struct spool_item *item)
{
	const struct cargo_claim how = laneroute_claim_of(route);
	bool is_busy = false;
	struct cargo *cargo = cargo_claim(&how, item->name, &is_busy);

	if (is_busy && !route->is_second_look && route->n_busy < BUSY_MOST)
		route->busy[route->n_busy++] = item;
	if (cargo != NULL && !goes_this_way(route, cargo)) {
		cargo_free(cargo);
		return NULL;
	}
	/* A process that was killed between the last result and its consequences left them to us. */
	if (cargo == NULL || cargo_is_pending(cargo))
		return cargo;
	laneroute_settle(route, cargo, false);
	return NULL;
}

/* Lanes go through the same items, each from its own place on, so that they do not meet at every entry. */
struct spool_item *
laneroute_next_item(struct lane_route *route)
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

/* The tag of a route is a short hash, and two domains may share one: mail must not get to a server that is not its own. */
static bool
goes_to_this_host(const struct lane_route *route, const struct parcel *parcel)
{
	const struct delivery *delivery = route->delivery;
	struct tls_wish wish = destination_wish(&parcel->envelope, &parcel->message);
	char *destination;
	bool is_same;

	if (delivery == NULL || delivery->destination == NULL)
		return true;
	destination = destination_first(&parcel->envelope, DESTINATION_PENDING);
	is_same = destination != NULL && strcmp(destination, delivery->destination) == 0 &&
	          wish.is_required == delivery->wish.is_required && wish.is_waived == delivery->wish.is_waived;
	free(destination);
	return is_same;
}

static enum session_turn
next_parcel(void *context, struct parcel **parcel)
{
	struct lane_route *route = context;
	struct cargo *cargo = cargo_take_first(&route->waiting);
	struct spool_item *item;

	while (cargo == NULL && (item = laneroute_next_item(route)) != NULL)
		cargo = laneroute_claim(route, item);
	if (cargo == NULL)
		return SESSION_END;
	if (route->n_elsewhere >= ELSEWHERE_MOST || !goes_to_this_host(route, &cargo->parcel)) {
		cargo->next = route->waiting; /* for another session */
		route->waiting = cargo;
		return SESSION_END;
	}
	*parcel = &cargo->parcel;
	return SESSION_GO_ON;
}

bool
laneroute_parcel_is_sent(void *context, struct parcel *parcel, struct err *err)
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
	if (!laneother_put_aside(route, cargo))
		laneroute_settle(route, cargo, true);
}

struct delivery_source
lane_route_source(struct lane_route *route)
{
	return (struct delivery_source){
		.next = next_parcel,
		.sending = laneroute_parcel_is_sent,
		.finished = parcel_is_finished,
		.context = route,
	};
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

static bool
find_secret(struct lane_route *route)
{
	struct backoff backoff = laneroute_backoff_of(route);
	struct err err = {0};
	bool is_found = true;

	if (route->has_secret || !sasl_needs_secret(&route->call->account))
		return true;
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
	const struct parcel *first = &route->waiting->parcel;
	bool is_direct = route->call->account.delivery == DELIVER_DIRECT;
	char *destination = is_direct ? destination_first(&first->envelope, DESTINATION_PENDING) : NULL;
	struct delivery delivery = {
		.account = &route->call->account,
		.secret = route->secret,
		.finder = &route->lane->finder,
		.destination = destination,
		.wish = destination_wish(&first->envelope, &first->message),
		.watch = log_listen(route->lane->watch, route->call),
		.history = &route->call->history,
		.source = lane_route_source(route),
	};
	bool is_fine;

	route->delivery = &delivery;
	is_fine = delivery_session(&delivery);
	lane_route_ended(route, &delivery, is_fine);
	laneother_ask(route, &delivery);
	route->delivery = NULL;
	delivery_free(&delivery);
	free(destination);
}

/* A connection is made only for somebody who is there to be delivered. */
static bool
has_cargo(struct lane_route *route)
{
	struct spool_item *item;
	struct cargo *cargo = NULL;

	if (route->waiting != NULL)
		return true;
	while (cargo == NULL && (item = laneroute_next_item(route)) != NULL)
		cargo = laneroute_claim(route, item);
	if (cargo != NULL)
		cargo_append(&route->waiting, cargo);
	return cargo != NULL;
}

/* The right to one of the route's connections, a descriptor to be closed; -1: others have them all. */
static int
take_slot(struct lane_route *route)
{
	int64_t end = clock_deadline(SLOT_SECONDS);
	struct backoff backoff = laneroute_backoff_of(route);

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
		laneroute_release_all(route);
		return;
	}
	slot = take_slot(route);
	while (slot >= 0 && has_cargo(route))
		run_session(route);
	if (slot >= 0)
		close(slot);
	laneroute_release_all(route);
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
	lane->finder.spool = lane->spool;
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
	laneroute_release_all(route);
	spool_scan_free(&route->scan);
	free(route->items);
	secret_free(&route->own_secret);
	free(route);
}
