/* routes.c - --route=ADDRESS: where mail would go, without sending any. Asks DNS, connects to nobody but policy servers. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "cmd/place.h"
#include "cmd/recipients.h"
#include "cmd/routes.h"
#include "cmd/talk.h"
#include "deliver/route.h"
#include "mail/address.h"

struct routes {
	struct call *call;
	struct finder finder;
	struct buf out;
	struct json json;
	bool is_json;
	int exit_code;
};

/* Of the demand for TLS, for programs. */
static const char *const tls_words[] = {
	[ROUTE_TLS_NONE] = "none",
	[ROUTE_TLS_STARTTLS] = "starttls",
	[ROUTE_TLS_IMPLICIT] = "implicit",
	[ROUTE_TLS_MAY] = "may",
};
static const char *const reason_words[] = {
	[ROUTE_BY_ACCOUNT] = "settings",
	[ROUTE_BY_DANE] = "dane",
	[ROUTE_BY_POLICY] = "mta-sts",
	[ROUTE_BY_NOTHING] = "none",
};

/* --- for people ---------------------------------------------------------------------------------------------------- */

static void
add_addresses(struct buf *b, const struct route_host *host)
{
	for (size_t i = 0; i < host->addresses.n; i++) {
		buf_add_text(b, i > 0 ? ", " : "        ");
		lookup_add_text(&host->addresses.endpoints[i], b);
	}
	if (host->addresses.n > 0)
		buf_add_char(b, '\n');
}

static void
add_host(struct buf *b, const struct route *route, const struct route_host *host)
{
	buf_add_text(b, "    ");
	if (route->is_direct)
		buf_printf(b, "%d ", host->preference);
	err_add_clean(b, str_of(host->name));
	if (host->target.socket == NULL)
		buf_printf(b, ", port %d", host->target.port);
	buf_add_char(b, '\n');
	add_addresses(b, host);
	if (host->refusal.size > 0)
		buf_printf(b, "        not to be tried: %s\n", buf_text(&host->refusal));
	else
		buf_printf(b, "        %s\n", buf_text(&host->explanation));
}

static void
add_route(struct buf *b, const struct call *call, const char *mailbox, const struct route *route)
{
	err_add_clean(b, str_of(mailbox));
	buf_printf(b, " by account %s, %s\n", call->account.id, route->is_direct ? "direct" : "relay");
	for (size_t i = 0; i < route->n_hosts; i++)
		add_host(b, route, &route->hosts[i]);
	if (err_is_set(&route->failure))
		buf_printf(b, "    %s: %s\n", route->refusal.state == OUTCOME_FAILED ? "cannot be delivered" : "cannot be delivered now",
		           buf_text(&route->failure.text));
}

/* --- for programs -------------------------------------------------------------------------------------------------- */

static void
add_json_host(struct json *json, const struct route_host *host)
{
	struct buf address = {0};

	json_begin_object(json, NULL);
	json_add_text(json, "host", host->name);
	json_add_number(json, "port", host->target.port);
	json_add_number(json, "preference", host->preference);
	json_begin_array(json, "addresses");
	for (size_t i = 0; i < host->addresses.n; i++) {
		lookup_add_text(&host->addresses.endpoints[i], &address);
		json_add_text(json, NULL, buf_text(&address));
		buf_clear(&address);
	}
	json_end(json);
	json_add_bool(json, "dnssec", host->is_secure);
	json_add_text(json, "tls", tls_words[host->tls]);
	json_add_text(json, "reason", reason_words[host->reason]);
	json_add_text(json, "explanation", buf_text(&host->explanation));
	json_add_text(json, "refusal", host->refusal.size > 0 ? buf_text(&host->refusal) : NULL);
	json_end(json);
	buf_free(&address);
}

static void
add_json_route(struct json *json, const struct call *call, const char *mailbox, const struct route *route)
{
	json_begin_object(json, NULL);
	json_add_text(json, "address", mailbox);
	json_add_text(json, "account", call->account.id);
	json_add_text(json, "delivery", route->is_direct ? "direct" : "relay");
	json_begin_array(json, "hosts");
	for (size_t i = 0; i < route->n_hosts; i++)
		add_json_host(json, &route->hosts[i]);
	json_end(json);
	json_add_text(json, "error", err_is_set(&route->failure) ? buf_text(&route->failure.text) : NULL);
	json_add_bool(json, "is_final", route->refusal.state == OUTCOME_FAILED);
	json_end(json);
}

/* --- both ---------------------------------------------------------------------------------------------------------- */

static void
show_mailbox(struct routes *routes, const char *mailbox)
{
	struct buf destination = {0};
	struct route route = {0};

	destination_add(&destination, mailbox);
	if (!route_find(&route, &(struct route_query){
					.account = &routes->call->account,
					.destination = buf_text(&destination),
					.finder = &routes->finder,
					.deadline = clock_deadline(ROUTE_SECONDS),
				}))
		routes->exit_code = outcome_worse_exit(routes->exit_code, route.failure.exit_code);
	if (routes->is_json)
		add_json_route(&routes->json, routes->call, mailbox, &route);
	else
		add_route(&routes->out, routes->call, mailbox, &route);
	if (route.failure.hint.size > 0)
		talk_hint(routes->call->program, buf_text(&route.failure.hint));
	route_free(&route);
	buf_free(&destination);
}

/* An operand may hold several addresses, or a local name that stands for some. */
static bool
show_operand(struct routes *routes, const char *operand, struct err *err)
{
	struct address_list list = {0};
	struct envelope envelope = {0};
	bool is_good = address_parse_list(str_of(operand), true, &list, err);

	if (is_good && list.n_items == 0)
		is_good = err_set(err, EX_DATAERR, "there is no address");
	for (size_t i = 0; is_good && i < list.n_items; i++)
		envelope_add(&envelope, list.items[i].mailbox);
	is_good = is_good && recipients_expand(&envelope, routes->call, err);
	for (size_t i = 0; is_good && i < envelope.n_recipients; i++)
		show_mailbox(routes, envelope.recipients[i].mailbox);
	envelope_free(&envelope);
	address_list_free(&list);
	return is_good;
}

static bool
show_all(struct routes *routes, struct err *err)
{
	const struct request *request = &routes->call->request;
	bool is_good = show_operand(routes, request->target, err);

	for (size_t i = 0; is_good && i < request->n_operands; i++)
		is_good = show_operand(routes, request->operands[i], err);
	return is_good;
}

int
routes_run(struct call *call)
{
	struct spool spool = {0};
	struct routes routes = {.call = call, .is_json = call->request.wants_json, .finder = {.spool = &spool}};
	struct err err = {0}, ignored = {0};

	routes.json.out = &routes.out;
	if (routes.is_json) {
		json_begin_object(&routes.json, NULL);
		json_add_text(&routes.json, "schema", "mailcrane.route/1");
		json_begin_array(&routes.json, "routes");
	}
	if (choose_read_files(call, &err) && choose_account(call, call->request.sender, &err)) {
		/* Policies that are kept count; where there is no queue none is kept. */
		if (!place_open(call, &spool, false, &ignored))
			err_clear(&ignored);
		show_all(&routes, &err);
	}
	if (routes.is_json) {
		json_end(&routes.json);
		json_end(&routes.json);
		buf_add_char(&routes.out, '\n');
	}
	fwrite(buf_text(&routes.out), 1, routes.out.size, stdout);
	if (err_is_set(&err)) {
		routes.exit_code = err.exit_code;
		talk_error(call->program, &err);
	}
	finder_close(&routes.finder);
	spool_free(&spool);
	buf_free(&routes.out);
	err_clear(&err);
	return routes.exit_code;
}
