/* delivery.c - brings parcels to the hosts of an account, and settles every recipient. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "deliver/delivery.h"

static size_t
count_pending(const struct delivery *delivery)
{
	size_t n = 0;

	for (size_t i = 0; i < delivery->n_parcels; i++)
		n += envelope_count(&delivery->parcels[i].envelope, OUTCOME_PENDING);
	return n;
}

/* See to it that the parcel has the message in a form that the server takes. What was made for a server without 8BITMIME is
 * good for all others. False: the parcel's recipients were told why. */
static bool
suit_message(struct parcel *parcel, bool may_8bit)
{
	struct outcome why = {.state = OUTCOME_DEFERRED, .stage = OUTCOME_LOCALLY};
	struct err err = {0};

	parcel->order.message = &parcel->message;
	if (!mime_is_needed(&parcel->message, may_8bit))
		return true;
	if (!parcel->is_examined || (parcel->was_for_8bit && !may_8bit)) {
		message_free(&parcel->encoded);
		if (!mime_encode(&parcel->message, may_8bit, &parcel->encoded, &parcel->encoding, &err)) {
			outcome_set_text(&why, buf_str(&err.text));
			envelope_settle(&parcel->envelope, &why);
			err_clear(&err);
			return false;
		}
		parcel->is_examined = true;
		parcel->was_for_8bit = may_8bit;
	}
	if (parcel->encoding.is_changed)
		parcel->order.message = &parcel->encoded;
	return true;
}

/* The next parcel of this session that somebody still waits for. */
static struct order *
next_order(void *context, const struct caps *caps)
{
	struct delivery *delivery = context;

	while (delivery->next_parcel < delivery->n_parcels) {
		struct parcel *parcel = &delivery->parcels[delivery->next_parcel++];

		if (envelope_count(&parcel->envelope, OUTCOME_PENDING) == 0 || !suit_message(parcel, caps->has_8bitmime))
			continue;
		parcel->order.envelope = &parcel->envelope;
		return &parcel->order;
	}
	return NULL;
}

/* Note who said it in those outcomes that are somebody's words and not ours. */
static void
order_is_finished(void *context, struct order *order, const char *host)
{
	(void)context;
	for (size_t i = 0; i < order->envelope->n_recipients; i++) {
		struct outcome *outcome = &order->envelope->recipients[i].outcome;

		if (outcome->state != OUTCOME_PENDING && outcome->host[0] == '\0' && outcome->stage != OUTCOME_LOCALLY)
			outcome_set_host(outcome, host);
	}
}

/* Was something learnt that makes another session with the same host useful: a recipient settled, or BDAT found unusable? */
static bool
has_progressed(const struct delivery *delivery, size_t n_pending_before, size_t *n_without_chunking)
{
	size_t n = 0;

	for (size_t i = 0; i < delivery->n_parcels; i++)
		n += delivery->parcels[i].order.is_without_chunking;
	if (n > *n_without_chunking) {
		*n_without_chunking = n;
		return true;
	}
	return count_pending(delivery) < n_pending_before;
}

/* One session with the host at an address that is not in `tried`; that address is added. When it cannot connect after a
 * failure of another kind, *why and that failure stay. */
static bool
run_session(struct delivery *delivery, const struct route_host *host, struct buf *tried, struct outcome *why)
{
	struct session session = {
		.account = delivery->account,
		.host = host,
		.secret = delivery->secret,
		.avoid = buf_text(tried),
		.watch = delivery->watch,
		.orders = {.next = next_order, .finished = order_is_finished, .context = delivery},
	};
	struct outcome cause;
	struct err err = {0};
	bool is_fine;

	delivery->next_parcel = 0;
	is_fine = session_run(&session, &cause, &err);
	if (is_fine || !err_is_set(&delivery->failure) || cause.stage != OUTCOME_AT_CONNECT) {
		*why = cause;
		err_clear(&delivery->failure);
		err_move(&delivery->failure, &err);
		delivery->is_tls_used = session.tls.version != NULL;
	} else if (!session.connection.has_no_other)
		/* What a server said tells more than that another address has none. */
		buf_printf(&delivery->failure.text, "; at the next address: %s", buf_text(&err.text));
	buf_printf(tried, "%s ", session.connection.address);
	err_clear(&err);
	session_free(&session);
	return is_fine;
}

/* A host that is not ready at one of its addresses (busy, shutting down) may be at another (RFC 5321 5.1). */
static bool
may_try_next_address(const struct delivery *delivery, const struct route_host *host, const struct outcome *why)
{
	return err_is_temporary(&delivery->failure) && host->target.proxy_host == NULL && host->target.socket == NULL &&
	       (why->stage == OUTCOME_AT_GREETING || why->stage == OUTCOME_AT_HELLO || why->stage == OUTCOME_AT_TLS);
}

/* Sessions with one host: at its next address while it is not ready, and as long as each of them brings something about. */
static void
try_host(struct delivery *delivery, const struct route_host *host, struct outcome *why)
{
	size_t n_without_chunking = 0;
	struct buf tried = {0};
	bool goes_on = true;

	while (goes_on && count_pending(delivery) > 0) {
		size_t n_before = count_pending(delivery), n_tried_before = tried.size;

		if (run_session(delivery, host, &tried, why)) {
			buf_clear(&tried);
			goes_on = has_progressed(delivery, n_before, &n_without_chunking);
		} else
			goes_on = may_try_next_address(delivery, host, why) && tried.size > n_tried_before + 1;
	}
	buf_free(&tried);
	outcome_set_host(why, host->name);
}

/* What is left without a result gets the reason why the last session failed, and its exit code. */
static void
settle(struct delivery *delivery, const struct outcome *why)
{
	for (size_t i = 0; i < delivery->n_parcels; i++) {
		struct parcel *parcel = &delivery->parcels[i];
		bool was_pending = envelope_count(&parcel->envelope, OUTCOME_PENDING) > 0;

		if (was_pending)
			envelope_settle(&parcel->envelope, why);
		parcel->exit_code = envelope_exit_code(&parcel->envelope);
		if (was_pending && err_is_set(&delivery->failure))
			parcel->exit_code = outcome_worse_exit(parcel->exit_code, delivery->failure.exit_code);
	}
}

bool
delivery_run(struct delivery *delivery)
{
	struct outcome why = {.state = OUTCOME_DEFERRED};
	struct route route = {0};
	bool is_delivered = true;

	route_make(&route, delivery->account);
	for (size_t i = 0; i < route.n_hosts && count_pending(delivery) > 0; i++)
		try_host(delivery, &route.hosts[i], &why);
	settle(delivery, &why);
	route_free(&route);
	for (size_t i = 0; i < delivery->n_parcels; i++)
		is_delivered = is_delivered && delivery->parcels[i].exit_code == EX_OK;
	return is_delivered;
}

void
delivery_free(struct delivery *delivery)
{
	err_clear(&delivery->failure);
}

void
parcel_free(struct parcel *parcel)
{
	message_free(&parcel->message);
	message_free(&parcel->encoded);
	envelope_free(&parcel->envelope);
	order_free(&parcel->order);
	free(parcel->name);
	free(parcel->message_id);
	*parcel = (struct parcel){0};
}
