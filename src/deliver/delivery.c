/* delivery.c - brings parcels to the hosts of an account, and settles every recipient. */

#include "config.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "deliver/delivery.h"
#include "deliver/destination.h"
#include "deliver/hosts.h"
#include "deliver/tlsnote.h"

size_t
delivery_count_pending(const struct delivery *delivery)
{
	size_t n = 0;

	for (size_t i = 0; i < delivery->n_parcels; i++)
		n += envelope_count(&delivery->parcels[i].envelope, OUTCOME_PENDING);
	return n;
}

/* utf8_headers reject. */
static void
refuse_header(struct parcel *parcel)
{
	struct outcome why = {.state = OUTCOME_FAILED, .stage = OUTCOME_LOCALLY, .enhanced = {5, 6, 9}};

	outcome_set_text(&why, STR("the header has 8-bit text, which the server cannot be given (utf8_headers reject)"));
	envelope_settle(&parcel->envelope, &why);
}

/* The message cannot be made ready to be sent. Returns false. */
static bool
put_off(struct parcel *parcel, struct err *err)
{
	struct outcome why = {.state = OUTCOME_DEFERRED, .stage = OUTCOME_LOCALLY};

	outcome_set_text(&why, buf_str(&err->text));
	envelope_settle(&parcel->envelope, &why);
	err_clear(err);
	return false;
}

/* Make parcel->encoded for this server. False: the parcel's recipients were told why. */
static bool
encode_message(struct parcel *parcel, struct mime_server server)
{
	struct err err = {0};

	message_free(&parcel->encoded);
	message_free(&parcel->sealed);
	parcel->is_sealed = false;
	if (!mime_encode(&parcel->message, server, &parcel->encoded, &parcel->encoding, &err))
		return put_off(parcel, &err);
	parcel->is_examined = true;
	parcel->was_for = server;
	return true;
}

static void
show_signing(const struct delivery *delivery, const char *why_not)
{
	const struct session_watch *watch = &delivery->watch;
	struct buf line = {0};

	if (watch->show == NULL)
		return;
	if (why_not != NULL)
		buf_printf(&line, "* not signed for %s: %s", delivery->signer.domain, why_not);
	else
		buf_printf(&line, "* signed for %s", delivery->signer.domain);
	watch->show(watch->context, buf_str(&line));
	buf_free(&line);
}

/* Sign what was chosen to be sent, once. False: the parcel's recipients were told why. */
static bool
sign_order(struct delivery *delivery, struct parcel *parcel)
{
	const char *why_not = NULL;
	struct err err = {0};

	if (!sign_is_wanted(delivery->account))
		return true;
	if (!parcel->is_sealed) {
		if (!sign_message(&delivery->signer, parcel->order.message, &parcel->sealed, &why_not, &err))
			return put_off(parcel, &err);
		parcel->is_sealed = true;
		show_signing(delivery, why_not);
	}
	if (parcel->sealed.is_open)
		parcel->order.message = &parcel->sealed;
	return true;
}

/* See to it that the parcel has the message in a form that the server takes. What was made for a server that takes less is
 * good for all others. False: the parcel's recipients were told why. */
static bool
suit_message(const struct account *account, struct parcel *parcel, const struct caps *caps)
{
	/* A signature must outlast every server on the way (RFC 6376 5.3). */
	struct mime_server server = {
		.takes_8bit = caps->has_8bitmime && !sign_is_wanted(account),
		.takes_utf8 = caps->has_smtputf8,
	};
	struct mime_server was_for = parcel->was_for;

	parcel->order.message = &parcel->message;
	if (account->utf8_headers == UTF8_HEADERS_REJECT && mime_has_bad_header(&parcel->message, server)) {
		refuse_header(parcel);
		return false;
	}
	if (account->repair == REPAIR_OFF || !mime_is_needed(&parcel->message, server))
		return true;
	if (!parcel->is_examined || (was_for.takes_8bit && !server.takes_8bit) || (was_for.takes_utf8 && !server.takes_utf8)) {
		if (!encode_message(parcel, server))
			return false;
		/* It is not the server that could not take them. */
		if (caps->has_8bitmime)
			parcel->encoding.keeps_8bit = false;
	}
	if (parcel->encoding.is_changed)
		parcel->order.message = &parcel->encoded;
	return true;
}

static struct parcel *
parcel_of(struct order *order)
{
	return (struct parcel *)(void *)((char *)order - offsetof(struct parcel, order));
}

static void
finish_parcel(struct delivery *delivery, struct parcel *parcel)
{
	delivery->n_finished++;
	if (delivery->source.finished != NULL)
		delivery->source.finished(delivery->source.context, parcel);
}

/* The parcels of delivery_run come first, then those of the source. */
static enum session_turn
next_parcel(struct delivery *delivery, struct parcel **parcel)
{
	while (delivery->next_parcel < delivery->n_parcels) {
		*parcel = &delivery->parcels[delivery->next_parcel++];
		if (envelope_count(&(*parcel)->envelope, OUTCOME_PENDING) > 0)
			return SESSION_GO_ON;
	}
	if (delivery->source.next == NULL)
		return SESSION_END;
	return delivery->source.next(delivery->source.context, parcel);
}

/* The next parcel that somebody still waits for, in a form that the server takes. */
static enum session_turn
next_order(void *context, const struct caps *caps, struct order **order)
{
	struct delivery *delivery = context;

	for (;;) {
		struct parcel *parcel = NULL;
		enum session_turn turn = next_parcel(delivery, &parcel);

		if (turn != SESSION_GO_ON)
			return turn;
		if (envelope_count(&parcel->envelope, OUTCOME_PENDING) > 0 && suit_message(delivery->account, parcel, caps) &&
		    sign_order(delivery, parcel)) {
			parcel->order.envelope = &parcel->envelope;
			*order = &parcel->order;
			return SESSION_GO_ON;
		}
		finish_parcel(delivery, parcel);
	}
}

static bool
order_is_sent(void *context, struct order *order, struct err *err)
{
	const struct delivery_source *source = &((struct delivery *)context)->source;

	return source->sending == NULL || source->sending(source->context, parcel_of(order), err);
}

/* Some providers say for good what is so for now (limits for a day); the account knows those. */
static void
soften(const struct account *account, struct outcome *outcome)
{
	if (outcome->state == OUTCOME_FAILED && outcome->reply_code != 0 &&
	    account_treats_as_temporary(account, outcome->enhanced))
		outcome->state = OUTCOME_DEFERRED;
}

/* Note who said it in those outcomes that are somebody's words and not ours. */
static void
order_is_finished(void *context, struct order *order, const struct session *session)
{
	const struct delivery *delivery = context;
	struct parcel *parcel = parcel_of(order);

	for (size_t i = 0; i < order->envelope->n_recipients; i++) {
		struct outcome *outcome = &order->envelope->recipients[i].outcome;

		if (outcome->state != OUTCOME_PENDING && outcome->host[0] == '\0' && outcome->stage != OUTCOME_LOCALLY)
			outcome_set_host(outcome, session->host->name);
		soften(delivery->account, outcome);
	}
	parcel->is_tls_used = parcel->is_tls_used || session->tls.version != NULL;
	finish_parcel(context, parcel);
}

static enum session_turn
limit_is_reached(void *context, bool is_text_out)
{
	const struct delivery_source *source = &((struct delivery *)context)->source;

	return source->limit != NULL ? source->limit(source->context, is_text_out) : SESSION_END;
}

struct session_orders
delivery_orders(struct delivery *delivery)
{
	return (struct session_orders){next_order, order_is_sent, order_is_finished, limit_is_reached, delivery};
}

/* --- one route ----------------------------------------------------------------------------------------------------- */

static bool
find_route(struct delivery *delivery, struct route *route)
{
	int64_t deadline = clock_deadline(ROUTE_SECONDS);
	const struct route_query query = {
		.account = delivery->account,
		.destination = delivery->destination,
		.wish = delivery->wish,
		.finder = delivery->finder,
		.deadline = delivery->limit != 0 ? clock_earlier(delivery->limit, deadline) : deadline,
	};
	bool is_found;

	err_clear(&delivery->failure);
	delivery->why = (struct outcome){.state = OUTCOME_DEFERRED};
	delivery->has_more_hosts = false;
	is_found = route_find(route, &query);
	tlsnote_route(delivery, route);
	if (is_found) {
		delivery->is_answered = route->is_answered;
		return true;
	}
	delivery->is_answered = route->is_answered || route->refusal.state == OUTCOME_FAILED;
	delivery->why = route->refusal;
	err_move(&delivery->failure, &route->failure);
	return false;
}

/* What is left without a result gets the reason why the last session failed, and its exit code; unless another process looks
 * after it by now. */
static void
settle(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->n_parcels; i++) {
		struct parcel *parcel = &delivery->parcels[i];

		if (delivery->has_left || envelope_count(&parcel->envelope, OUTCOME_PENDING) == 0)
			continue;
		envelope_settle(&parcel->envelope, &delivery->why);
		parcel->is_tls_used = parcel->is_tls_used || delivery->is_tls_used;
		if (err_is_set(&delivery->failure))
			parcel->exit_code = outcome_worse_exit(parcel->exit_code, delivery->failure.exit_code);
	}
}

/* What became of the route is kept for whoever notes such things. */
static void
note_end(struct delivery *delivery)
{
	struct delivery_end *end;

	delivery->ends = mem_resize(delivery->ends, delivery->n_ends + 1, sizeof(*delivery->ends));
	end = &delivery->ends[delivery->n_ends++];
	*end = (struct delivery_end){.why = delivery->why, .wish = delivery->wish};
	end->destination = mem_copy_string(delivery->destination);
	end->failure.exit_code = delivery->failure.exit_code;
	buf_add_str(&end->failure.text, buf_str(&delivery->failure.text));
	buf_add_str(&end->failure.hint, buf_str(&delivery->failure.hint));
}

static void
run_route(struct delivery *delivery)
{
	struct route route = {0};

	if (find_route(delivery, &route))
		hosts_try(delivery, &route);
	settle(delivery);
	note_end(delivery);
	route_free(&route);
}

/* --- several destinations ------------------------------------------------------------------------------------------ */

/* What a parcel holds besides, while it has the recipients of one destination only. */
struct rest {
	struct envelope whole;
	bool *wanted;
};

static struct tls_wish
wish_of(const struct parcel *parcel)
{
	return destination_wish(&parcel->envelope, &parcel->message);
}

static bool
is_same_wish(struct tls_wish a, struct tls_wish b)
{
	return a.is_required == b.is_required && a.is_waived == b.is_waived;
}

/* The first parcel with somebody to be tried. NULL: there is none. */
static const struct parcel *
first_pending(const struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->n_parcels; i++)
		if (envelope_count(&delivery->parcels[i].envelope, OUTCOME_PENDING) > 0)
			return &delivery->parcels[i];
	return NULL;
}

static struct rest *
split_parcels(struct delivery *delivery)
{
	struct rest *rests = mem_alloc(delivery->n_parcels, sizeof(*rests));

	for (size_t i = 0; i < delivery->n_parcels; i++) {
		struct parcel *parcel = &delivery->parcels[i];
		struct rest *rest = &rests[i];

		rest->whole = parcel->envelope;
		rest->wanted = mem_alloc(rest->whole.n_recipients, sizeof(*rest->wanted));
		if (is_same_wish(wish_of(parcel), delivery->wish))
			destination_mark(&rest->whole, delivery->destination, DESTINATION_PENDING, rest->wanted);
		destination_split(&rest->whole, rest->wanted, &parcel->envelope);
		/* What the engine noted is about other recipients. */
		order_free(&parcel->order);
	}
	return rests;
}

static void
join_parcels(struct delivery *delivery, struct rest *rests)
{
	for (size_t i = 0; i < delivery->n_parcels; i++) {
		destination_join(&rests[i].whole, rests[i].wanted, &delivery->parcels[i].envelope);
		delivery->parcels[i].envelope = rests[i].whole;
		free(rests[i].wanted);
	}
	free(rests);
}

/* Those for whom no time is left, or whose turn did not come before another process took over. */
static void
put_off_rest(struct delivery *delivery)
{
	struct outcome why = {.state = OUTCOME_DEFERRED, .stage = OUTCOME_AT_ROUTE};

	outcome_set_text(&why, STR("there was no time left for this destination"));
	for (size_t i = 0; i < delivery->n_parcels; i++)
		envelope_settle(&delivery->parcels[i].envelope, &why);
}

/* One destination after the other, all messages for it in the same sessions. */
static void
run_destinations(struct delivery *delivery)
{
	const struct parcel *parcel;
	int64_t limit = delivery->limit;

	while ((limit == 0 || clock_now() < limit) && (parcel = first_pending(delivery)) != NULL) {
		char *destination = destination_first(&parcel->envelope, DESTINATION_PENDING);
		struct rest *rests;

		delivery->destination = destination;
		delivery->wish = wish_of(parcel);
		delivery->limit = limit;
		rests = split_parcels(delivery);
		run_route(delivery);
		join_parcels(delivery, rests);
		delivery->destination = NULL;
		free(destination);
	}
	put_off_rest(delivery);
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

/* Without its keys an account sends nothing: what should be signed and is not may be refused for good. */
static bool
open_signer(struct delivery *delivery)
{
	struct err err = {0};

	delivery->why = (struct outcome){.state = OUTCOME_DEFERRED};
	if (sign_open(&delivery->signer, delivery->account, &err))
		return true;
	err.exit_code = EX_CONFIG;
	outcome_set_text(&delivery->why, buf_str(&err.text));
	return err_move(&delivery->failure, &err);
}

bool
delivery_run(struct delivery *delivery)
{
	bool is_delivered = true;

	for (size_t i = 0; i < delivery->n_parcels; i++)
		delivery->parcels[i].exit_code = EX_OK;
	if (!open_signer(delivery)) {
		settle(delivery);
		note_end(delivery);
	} else if (delivery->account->delivery == DELIVER_DIRECT)
		run_destinations(delivery);
	else
		run_route(delivery);
	sign_close(&delivery->signer);
	for (size_t i = 0; i < delivery->n_parcels; i++) {
		struct parcel *parcel = &delivery->parcels[i];
		bool is_left = envelope_count(&parcel->envelope, OUTCOME_PENDING) > 0;

		if (!is_left)
			parcel->exit_code = outcome_worse_exit(parcel->exit_code, envelope_exit_code(&parcel->envelope));
		is_delivered = is_delivered && !is_left && parcel->exit_code == EX_OK;
	}
	return is_delivered;
}

/* Nobody of this destination can get anything: whatever the source has is settled so. */
static void
refuse_all(struct delivery *delivery)
{
	struct parcel *parcel = NULL;

	while (delivery->source.next(delivery->source.context, &parcel) == SESSION_GO_ON) {
		envelope_settle(&parcel->envelope, &delivery->why);
		finish_parcel(delivery, parcel);
	}
}

bool
delivery_session(struct delivery *delivery)
{
	struct route route = {0};
	bool is_fine = false;

	if (!open_signer(delivery))
		return false;
	if (find_route(delivery, &route)) {
		is_fine = hosts_session(delivery, &route);
	} else if (delivery->why.state == OUTCOME_FAILED) {
		refuse_all(delivery);
		is_fine = true;
	}
	route_free(&route);
	sign_close(&delivery->signer);
	return is_fine;
}

void
delivery_free(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->n_ends; i++) {
		free(delivery->ends[i].destination);
		err_clear(&delivery->ends[i].failure);
	}
	free(delivery->ends);
	delivery->ends = NULL;
	delivery->n_ends = 0;
	buf_free(&delivery->asked);
	err_clear(&delivery->failure);
}

void
parcel_free(struct parcel *parcel)
{
	message_free(&parcel->message);
	message_free(&parcel->encoded);
	message_free(&parcel->sealed);
	envelope_free(&parcel->envelope);
	order_free(&parcel->order);
	free(parcel->name);
	free(parcel->message_id);
	free(parcel->queue_id);
	*parcel = (struct parcel){0};
}
