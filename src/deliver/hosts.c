/* hosts.c - the sessions of a delivery: with one host after the other, at one address after the other. */

#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "deliver/hosts.h"
#include "deliver/secondtry.h"
#include "deliver/tlsnote.h"

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
	return delivery_count_pending(delivery) < n_pending_before;
}

/* Where a host's sessions stand. */
struct visit {
	const struct route *route;
	const struct route_host *host;
	struct buf tried;          /* addresses, each with a blank behind */
	bool must_stay_clear;      /* opportunistic TLS has failed with it, at this address */
};

static struct session
make_session(struct delivery *delivery, const struct visit *visit)
{
	return (struct session){
		.account = delivery->account,
		.host = visit->host,
		.secret = delivery->secret,
		.avoid = buf_text(&visit->tried),
		.must_stay_clear = visit->must_stay_clear,
		.limit = delivery->limit,
		.watch = delivery->watch,
		.history = delivery->history,
		.orders = delivery_orders(delivery),
	};
}

/* What a server said tells more than that another address, or another host, has none. */
static void
add_failure(struct delivery *delivery, const struct visit *visit, const struct err *err)
{
	if (visit->tried.size > 0)
		buf_printf(&delivery->failure.text, "; at the next address: %s", buf_text(&err->text));
	else
		buf_printf(&delivery->failure.text, "; %s: %s", visit->host->name, buf_text(&err->text));
	if (delivery->why.reply_code == 0)
		outcome_set_text(&delivery->why, buf_str(&delivery->failure.text));
}

/* One session with the host at an address that is not in visit->tried; that address is added. When it cannot connect after a
 * failure of another kind, delivery->why and that failure stay. */
static bool
run_session(struct delivery *delivery, struct visit *visit)
{
	struct session session = make_session(delivery, visit);
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
		outcome_set_host(&delivery->why, visit->host->name);
		err_clear(&delivery->failure);
		err_move(&delivery->failure, &err);
		delivery->is_tls_used = session.tls.version != NULL;
	} else if (!session.connection.has_no_other)
		add_failure(delivery, visit, &err);
	tlsnote_session(delivery, visit->route, &session, &cause);
	buf_printf(&visit->tried, "%s ", session.connection.address);
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

/* Opportunistic TLS that fails is worth as much as none: once more at the same address, in the clear (RFC 7435 section 3). A
 * mistake in our own settings is none of the host's, and whoever makes it must learn of it. */
static bool
must_go_clear(const struct delivery *delivery, const struct visit *visit)
{
	return visit->host->tls == ROUTE_TLS_MAY && !visit->must_stay_clear && !is_late(delivery) &&
	       delivery->why.stage == OUTCOME_AT_TLS && delivery->failure.exit_code != EX_CONFIG;
}

/* A session that came to its end or at least to messages, at the first address where that is so. */
static bool
run_session_somewhere(struct delivery *delivery, struct visit *visit)
{
	for (;;) {
		size_t n_tried_before = visit->tried.size;

		if (run_session(delivery, visit))
			return true;
		if (must_go_clear(delivery, visit)) {
			visit->must_stay_clear = true;
			buf_truncate(&visit->tried, n_tried_before);
			continue;
		}
		if (!may_try_next_address(delivery, visit->host) || visit->tried.size <= n_tried_before + 1)
			return false;
		visit->must_stay_clear = false;
	}
}

/* Sessions with one host, as long as each of them brings something about. */
static void
try_host(struct delivery *delivery, const struct route *route, const struct route_host *host)
{
	struct visit visit = {.route = route, .host = host};
	size_t n_without_chunking = 0;
	bool goes_on = true;

	while (goes_on && delivery_count_pending(delivery) > 0) {
		size_t n_before = delivery_count_pending(delivery);

		goes_on = run_session_somewhere(delivery, &visit) && !delivery->has_left &&
		          has_progressed(delivery, n_before, &n_without_chunking);
		buf_clear(&visit.tried);
	}
	buf_free(&visit.tried);
}

/* --- several hosts ------------------------------------------------------------------------------------------------- */

static void
reopen(struct delivery *delivery, struct second_tries *tries)
{
	for (size_t i = 0; i < delivery->n_parcels; i++)
		secondtry_reopen(tries, &delivery->parcels[i].envelope);
}

/* A refused login is not offered to the next host: each attempt counts as guessing, and shows the secret to one more. */
static bool
may_log_in(const struct delivery *delivery)
{
	return delivery->history == NULL || !delivery->history->is_over;
}

/* Our settings for TLS hold for every host, and so does a mistake in them; a token locks itself after some wrong PINs. */
static bool
may_start_tls(const struct delivery *delivery)
{
	return delivery->why.stage != OUTCOME_AT_TLS || delivery->failure.exit_code != EX_CONFIG;
}

static bool
may_try_next_host(const struct delivery *delivery)
{
	return !delivery->has_left && !is_late(delivery) && may_log_in(delivery) && may_start_tls(delivery);
}

static void
add_asked(struct buf *asked, const struct route_host *host)
{
	buf_printf(asked, " %s:%d ", host->name, host->target.port);
}

static bool
was_asked(const struct delivery *delivery, const struct route_host *host)
{
	struct buf words = {0};
	bool was_asked;

	if (delivery->asked.size == 0)
		return false;
	add_asked(&words, host);
	was_asked = strstr(buf_text(&delivery->asked), buf_text(&words)) != NULL;
	buf_free(&words);
	return was_asked;
}

static const struct route_host *
next_host(const struct delivery *delivery, const struct route *route, size_t *i)
{
	while (*i < route->n_hosts) {
		const struct route_host *host = &route->hosts[(*i)++];

		if (host->refusal.size == 0 && !was_asked(delivery, host))
			return host;
	}
	return NULL;
}

void
hosts_try(struct delivery *delivery, const struct route *route)
{
	struct second_tries tries = {0};
	size_t i = 0;
	const struct route_host *host = next_host(delivery, route, &i);

	while (host != NULL) {
		const struct route_host *following = next_host(delivery, route, &i);

		delivery->has_more_hosts = following != NULL;
		try_host(delivery, route, host);
		if (!may_try_next_host(delivery))
			break;
		if (following != NULL)
			reopen(delivery, &tries);
		host = delivery_count_pending(delivery) > 0 ? following : NULL;
	}
	secondtry_end(&tries);
}

/* Did the session fail before it came to a message? */
static bool
was_not_ready(const struct delivery *delivery)
{
	return delivery->why.stage < OUTCOME_AT_MAIL;
}

bool
hosts_session(struct delivery *delivery, const struct route *route)
{
	bool is_fine = false;
	size_t i = 0;
	const struct route_host *host;

	if (!delivery->goes_on)
		buf_clear(&delivery->asked);
	host = next_host(delivery, route, &i);
	while (host != NULL && !is_fine) {
		const struct route_host *following = next_host(delivery, route, &i);
		struct visit visit = {.route = route, .host = host};

		delivery->has_more_hosts = following != NULL;
		is_fine = run_session_somewhere(delivery, &visit);
		buf_free(&visit.tried);
		add_asked(&delivery->asked, host);
		host = was_not_ready(delivery) && may_try_next_host(delivery) ? following : NULL;
	}
	return is_fine;
}
