/* laneend.c - what follows from the end of a session of a lane: whose fault a failure is, and what becomes of the entries. */

#include "config.h"

#include <time.h>

#include "cmd/laneroute.h"
#include "deliver/report.h"

/* Sessions in a row that were lost in the middle of a message: after so many it is not the message's fault. */
enum { LOSSES_MOST = 2 };

/* Nothing was learnt about the message: it stays as it was. */
static void
release(struct lane_route *route, struct cargo *cargo)
{
	size_t n_pending = envelope_count(&cargo->parcel.envelope, OUTCOME_PENDING);
	const struct cargo_claim how = laneroute_claim_of(route);
	struct err err = {0};

	if (n_pending < cargo->n_claimed) {
		laneroute_settle(route, cargo, true);
		return;
	}
	settle_take_back(&cargo->entry, &cargo->parcel);
	if (cargo->was_sent &&
	    (!entry_record(&cargo->entry, time(NULL), &err) || !entry_defer(&cargo->entry, cargo->entry.next, &err)))
		cargo_complain(&how, cargo->entry.name, &err);
	cargo_free(cargo);
}

void
laneroute_release_all(struct lane_route *route)
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
	laneroute_settle(route, cargo, true);
	return true;
}

static void
put_off_if_old(struct lane_route *route, struct cargo *cargo, const struct delivery *delivery)
{
	const struct outcome *why = &delivery->why;

	if (time(NULL) - cargo->entry.created < RETRY_DELAY_NOTICE) {
		release(route, cargo);
		return;
	}
	envelope_settle(&cargo->parcel.envelope, why);
	cargo->parcel.is_tls_used = delivery->is_tls_used;
	laneroute_settle(route, cargo, retry_has_reached(why) || delivery->is_answered);
}

/* The route failed: what has waited for long is told about, and what is too old is given up, if the server answered
 * at all. */
static void
look_at_old(struct lane_route *route, const struct delivery *delivery)
{
	int64_t now = time(NULL);
	struct spool_item *item;
	struct cargo *cargo;

	while ((cargo = cargo_take_first(&route->left)) != NULL || (cargo = cargo_take_first(&route->waiting)) != NULL)
		put_off_if_old(route, cargo, delivery);
	while ((item = laneroute_next_item(route)) != NULL) {
		struct str id, tag;

		if (!id_split(str_of(item->name), &id, &tag) || now - id_time(id) / 1000000 < RETRY_DELAY_NOTICE)
			continue;
		cargo = laneroute_claim(route, item);
		if (cargo != NULL)
			put_off_if_old(route, cargo, delivery);
	}
}

static void
fail_route(struct lane_route *route, const struct delivery *delivery)
{
	struct backoff backoff = laneroute_backoff_of(route);
	enum retry_class class = retry_class_of(&delivery->why, delivery->failure.exit_code);
	const char *advice = report_failure_hint(delivery->account, &delivery->why, &delivery->failure);

	backoff_failed(&backoff, class, buf_text(&delivery->failure.text), advice);
	if (class == RETRY_ROUTE)
		look_at_old(route, delivery);
	laneroute_release_all(route);
	route->n_seen = route->batch.n;
	route->n_busy = 0;
}

void
lane_route_ended(struct lane_route *route, const struct delivery *delivery, bool is_fine)
{
	struct backoff backoff = laneroute_backoff_of(route);
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
