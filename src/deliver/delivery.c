/* delivery.c - brings parcels to the hosts of an account, and settles every recipient. */

#include "config.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "deliver/delivery.h"

static size_t
count_pending(const struct delivery *delivery)
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

/* Make parcel->encoded for this server. False: the parcel's recipients were told why. */
static bool
encode_message(struct parcel *parcel, struct mime_server server)
{
	struct outcome why = {.state = OUTCOME_DEFERRED, .stage = OUTCOME_LOCALLY};
	struct err err = {0};

	message_free(&parcel->encoded);
	if (!mime_encode(&parcel->message, server, &parcel->encoded, &parcel->encoding, &err)) {
		outcome_set_text(&why, buf_str(&err.text));
		envelope_settle(&parcel->envelope, &why);
		err_clear(&err);
		return false;
	}
	parcel->is_examined = true;
	parcel->was_for = server;
	return true;
}

/* See to it that the parcel has the message in a form that the server takes. What was made for a server that takes less is
 * good for all others. False: the parcel's recipients were told why. */
static bool
suit_message(const struct account *account, struct parcel *parcel, const struct caps *caps)
{
	struct mime_server server = {.takes_8bit = caps->has_8bitmime, .takes_utf8 = caps->has_smtputf8};
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
		if (envelope_count(&parcel->envelope, OUTCOME_PENDING) > 0 && suit_message(delivery->account, parcel, caps)) {
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
order_is_finished(void *context, struct order *order, const char *host)
{
	const struct delivery *delivery = context;

	for (size_t i = 0; i < order->envelope->n_recipients; i++) {
		struct outcome *outcome = &order->envelope->recipients[i].outcome;

		if (outcome->state != OUTCOME_PENDING && outcome->host[0] == '\0' && outcome->stage != OUTCOME_LOCALLY)
			outcome_set_host(outcome, host);
		soften(delivery->account, outcome);
	}
	finish_parcel(context, parcel_of(order));
}

static enum session_turn
limit_is_reached(void *context, bool is_text_out)
{
	const struct delivery_source *source = &((struct delivery *)context)->source;

	return source->limit != NULL ? source->limit(source->context, is_text_out) : SESSION_END;
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

static struct session
make_session(struct delivery *delivery, const struct route_host *host, const struct buf *tried)
{
	return (struct session){
		.account = delivery->account,
		.host = host,
		.secret = delivery->secret,
		.avoid = buf_text(tried),
		.limit = delivery->limit,
		.watch = delivery->watch,
		.history = delivery->history,
		.orders = {next_order, order_is_sent, order_is_finished, limit_is_reached, delivery},
	};
}

/* One session with the host at an address that is not in `tried`; that address is added. When it cannot connect after a
 * failure of another kind, delivery->why and that failure stay. */
static bool
run_session(struct delivery *delivery, const struct route_host *host, struct buf *tried)
{
	struct session session = make_session(delivery, host, tried);
	struct outcome cause;
	struct err err = {0};
	bool is_fine;

	delivery->next_parcel = 0;
	is_fine = session_run(&session, &cause, &err);
	delivery->limit = session.limit;
	delivery->has_left = session.has_left;
	delivery->n_sessions += session.is_connected;
	if (is_fine || !err_is_set(&delivery->failure) || session.is_connected) {
		delivery->why = cause;
		outcome_set_host(&delivery->why, host->name);
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

static bool
is_late(const struct delivery *delivery)
{
	return delivery->limit != 0 && clock_now() >= delivery->limit;
}

/* A host that is not ready at one of its addresses (busy, shutting down) may be at another (RFC 5321 5.1). */
static bool
may_try_next_address(const struct delivery *delivery, const struct route_host *host)
{
	enum outcome_stage stage = delivery->why.stage;

	return !is_late(delivery) && err_is_temporary(&delivery->failure) && host->target.proxy_host == NULL &&
	       host->target.socket == NULL &&
	       (stage == OUTCOME_AT_GREETING || stage == OUTCOME_AT_HELLO || stage == OUTCOME_AT_TLS);
}

/* A session that came to its end or at least to messages, at the first address where that is so. Adds to `tried`. */
static bool
run_session_somewhere(struct delivery *delivery, const struct route_host *host, struct buf *tried)
{
	for (;;) {
		size_t n_tried_before = tried->size;

		if (run_session(delivery, host, tried))
			return true;
		if (!may_try_next_address(delivery, host) || tried->size <= n_tried_before + 1)
			return false;
	}
}

/* A refused login is not offered to the next host: each attempt counts as guessing, and shows the secret to one more. */
static bool
may_log_in(const struct delivery *delivery)
{
	return delivery->history == NULL || !delivery->history->is_over;
}

/* Sessions with one host, as long as each of them brings something about. */
static void
try_host(struct delivery *delivery, const struct route_host *host)
{
	size_t n_without_chunking = 0;
	struct buf tried = {0};
	bool goes_on = true;

	while (goes_on && count_pending(delivery) > 0) {
		size_t n_before = count_pending(delivery);

		goes_on = run_session_somewhere(delivery, host, &tried) && !delivery->has_left &&
		          has_progressed(delivery, n_before, &n_without_chunking);
		buf_clear(&tried);
	}
	buf_free(&tried);
}

/* What is left without a result gets the reason why the last session failed, and its exit code; unless another process looks
 * after it by now. */
static void
settle(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->n_parcels; i++) {
		struct parcel *parcel = &delivery->parcels[i];
		bool was_pending = envelope_count(&parcel->envelope, OUTCOME_PENDING) > 0;

		if (was_pending && delivery->has_left)
			continue;
		if (was_pending)
			envelope_settle(&parcel->envelope, &delivery->why);
		parcel->exit_code = envelope_exit_code(&parcel->envelope);
		if (was_pending && err_is_set(&delivery->failure))
			parcel->exit_code = outcome_worse_exit(parcel->exit_code, delivery->failure.exit_code);
	}
}

bool
delivery_run(struct delivery *delivery)
{
	struct route route = {0};
	bool is_delivered = true;

	delivery->why = (struct outcome){.state = OUTCOME_DEFERRED};
	route_make(&route, delivery->account);
	for (size_t i = 0; i < route.n_hosts && count_pending(delivery) > 0 && !delivery->has_left && may_log_in(delivery); i++)
		try_host(delivery, &route.hosts[i]);
	settle(delivery);
	route_free(&route);
	for (size_t i = 0; i < delivery->n_parcels; i++)
		is_delivered = is_delivered && envelope_count(&delivery->parcels[i].envelope, OUTCOME_PENDING) == 0 &&
		               delivery->parcels[i].exit_code == EX_OK;
	return is_delivered;
}

bool
delivery_session(struct delivery *delivery)
{
	struct route route = {0};
	struct buf tried = {0};
	bool is_fine;

	route_make(&route, delivery->account);
	is_fine = run_session_somewhere(delivery, &route.hosts[0], &tried);
	buf_free(&tried);
	route_free(&route);
	return is_fine;
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
	free(parcel->queue_id);
	*parcel = (struct parcel){0};
}
