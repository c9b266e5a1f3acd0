/* laneother.c - what one host of a route put off is asked of the others, in the same run. */

#include "config.h"

#include <time.h>

#include "cmd/laneroute.h"
#include "deliver/secondtry.h"

static bool
may_ask(const struct envelope *envelope)
{
	for (size_t i = 0; i < envelope->n_recipients; i++)
		if (secondtry_may_ask(&envelope->recipients[i].outcome))
			return true;
	return false;
}

/* Who has the message already must not get it again when this process dies before the other hosts have answered. */
static bool
write_down(struct lane_route *route, struct cargo *cargo)
{
	const struct cargo_claim how = laneroute_claim_of(route);
	struct err err = {0};
	bool is_written;

	settle_take_back(&cargo->entry, &cargo->parcel);
	is_written = entry_record(&cargo->entry, time(NULL), &err);
	if (!is_written)
		cargo_complain(&how, cargo->entry.name, &err);
	settle_lend(&cargo->entry, &cargo->parcel);
	return is_written;
}

bool
laneother_put_aside(struct lane_route *route, struct cargo *cargo)
{
	const struct delivery *delivery = route->delivery;

	if (delivery == NULL || !delivery->has_more_hosts || !may_ask(&cargo->parcel.envelope) || !write_down(route, cargo))
		return false;
	cargo_append(&route->elsewhere, cargo);
	route->n_elsewhere++;
	return true;
}

static enum session_turn
next_aside(void *context, struct parcel **parcel)
{
	struct lane_route *route = context;
	struct cargo *cargo = cargo_take_first(&route->asking);

	if (cargo == NULL)
		return SESSION_END;
	*parcel = &cargo->parcel;
	return SESSION_GO_ON;
}

static void
aside_is_finished(void *context, struct parcel *parcel)
{
	struct lane_route *route = context;

	cargo_append(&route->elsewhere, (struct cargo *)parcel);
}

/* One session for all that is put aside and not answered for good. */
static void
ask_next_host(struct lane_route *route, struct delivery *delivery)
{
	struct second_tries tries = {0};
	struct cargo *all = route->elsewhere, *cargo;

	route->elsewhere = NULL;
	while ((cargo = cargo_take_first(&all)) != NULL) {
		bool is_reopened = secondtry_reopen(&tries, &cargo->parcel.envelope) > 0;

		cargo_append(is_reopened ? &route->asking : &route->elsewhere, cargo);
	}
	if (route->asking != NULL)
		delivery_session(delivery);
	else
		delivery->has_more_hosts = false;
	while ((cargo = cargo_take_first(&route->asking)) != NULL)
		cargo_append(&route->elsewhere, cargo);
	secondtry_end(&tries);
}

void
laneother_ask(struct lane_route *route, struct delivery *delivery)
{
	struct cargo *cargo;

	delivery->source = (struct delivery_source){
		.next = next_aside,
		.sending = laneroute_parcel_is_sent,
		.finished = aside_is_finished,
		.context = route,
	};
	delivery->goes_on = true;
	while (route->elsewhere != NULL && delivery->has_more_hosts)
		ask_next_host(route, delivery);
	while ((cargo = cargo_take_first(&route->elsewhere)) != NULL)
		laneroute_settle(route, cargo, true);
	route->n_elsewhere = 0;
}
