/* direct.c - the hosts that take mail for a destination, by DNS. */

#include "config.h"

#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "deliver/direct.h"
#include "deliver/locate.h"
#include "net/record.h"

static const unsigned short directory_failure[3] = {4, 4, 3};
static const unsigned short no_such_domain[3] = {5, 1, 2};
static const unsigned short takes_no_mail[3] = {5, 1, 10};
static const unsigned short no_address[3] = {5, 4, 4};
static const unsigned short own_host[3] = {5, 4, 6};

/* --- the MX records ------------------------------------------------------------------------------------------------ */

struct exchange {
	struct record_mx *records;
	size_t n;
};

static bool
is_known(const struct exchange *exchange, const char *host)
{
	for (size_t i = 0; i < exchange->n; i++)
		if (strcmp(exchange->records[i].host, host) == 0)
			return true;
	return false;
}

/* All of them but repetitions. *has_null: one says that no mail is taken (RFC 7505), which counts when it is the only one. */
static void
read_records(struct exchange *exchange, const struct dns_query *answer, bool *has_null)
{
	struct str rest = buf_str(&answer->records), rdata;
	struct record_mx record;

	exchange->records = mem_alloc(answer->n_records, sizeof(*exchange->records));
	while (exchange->n < answer->n_records && dns_next(&rest, &rdata)) {
		if (!record_read_mx(rdata, &record))
			continue;
		*has_null = *has_null || record.host[0] == '\0';
		if (record.host[0] != '\0' && !is_known(exchange, record.host))
			exchange->records[exchange->n++] = record;
	}
}

static void
shuffle(struct exchange *exchange, struct finder *finder)
{
	for (size_t i = exchange->n; i > 1; i--) {
		size_t k = finder_draw(finder, (uint32_t)i);
		struct record_mx swapped = exchange->records[i - 1];

		exchange->records[i - 1] = exchange->records[k];
		exchange->records[k] = swapped;
	}
}

/* Stable, so that equal ones stay as chance has put them. Few. */
static void
sort(struct exchange *exchange)
{
	for (size_t i = 1; i < exchange->n; i++) {
		struct record_mx record = exchange->records[i];
		size_t k = i;

		for (; k > 0 && exchange->records[k - 1].preference > record.preference; k--)
			exchange->records[k] = exchange->records[k - 1];
		exchange->records[k] = record;
	}
}

static void
add_host(struct route *route, const struct route_query *query, const char *name, unsigned preference, bool is_secure)
{
	struct route_host *host = route_add(route, query->account, str_of(name), query->account->port);

	if (host == NULL)
		return;
	host->preference = (int)preference;
	/* A host is what DNS says it is: its own addresses may add to that, and cannot mend it. */
	host->is_secure = is_secure;
	host->is_certain = is_secure || strcmp(name, query->destination) == 0 || query->destination[0] == '[';
	host->is_trouble_temporary = true;
}

static bool
add_exchangers(struct route *route, const struct route_query *query, const struct dns_query *answer)
{
	struct exchange exchange = {0};
	bool has_null = false;

	read_records(&exchange, answer, &has_null);
	shuffle(&exchange, query->finder);
	sort(&exchange);
	for (size_t i = 0; i < exchange.n; i++)
		add_host(route, query, exchange.records[i].host, exchange.records[i].preference, answer->is_secure);
	free(exchange.records);
	if (route->n_hosts > 0)
		return true;
	if (has_null)
		return route_refuse(route, takes_no_mail, EX_NOHOST, "%s takes no mail (null MX)", query->destination);
	return route_refuse(route, directory_failure, EX_TEMPFAIL, "the MX records of %s name no host", query->destination);
}

static bool
ask_exchangers(struct route *route, const struct route_query *query)
{
	struct dns_query answer = {.name = query->destination, .type = DNS_MX};
	bool is_found = false;

	finder_ask(query->finder, &answer, 1, query->deadline);
	switch (answer.result) {
	case DNS_FOUND:
		is_found = add_exchangers(route, query, &answer);
		break;
	case DNS_NO_DATA:
		/* The domain's own addresses stand in for it (RFC 5321 5.1). Only here: a question that failed says nothing. */
		add_host(route, query, query->destination, 0, answer.is_secure);
		is_found = true;
		break;
	case DNS_NO_NAME:
		route_refuse(route, no_such_domain, EX_NOHOST, "there is no domain %s", query->destination);
		break;
	case DNS_FAILED:
		route_refuse(route, directory_failure, EX_TEMPFAIL, "cannot look up the MX records of %s: %s", query->destination,
		             answer.why);
		break;
	}
	dns_query_free(&answer);
	return is_found;
}

static bool
find_addresses(struct route *route, const struct route_query *query)
{
	locate_hosts(route, query);
	if (route->n_hosts > 0)
		return true;
	return route_refuse(route, no_address, EX_NOHOST, "no mail host of %s has an address", query->destination);
}

/* --- ourselves ----------------------------------------------------------------------------------------------------- */

static bool
is_same_address(const struct endpoint *endpoint, const struct sockaddr *other)
{
	if (other == NULL || other->sa_family != endpoint->any.sa_family)
		return false;
	if (other->sa_family == AF_INET)
		return ((const struct sockaddr_in *)(const void *)other)->sin_addr.s_addr == endpoint->v4.sin_addr.s_addr;
	return other->sa_family == AF_INET6 && memcmp(&((const struct sockaddr_in6 *)(const void *)other)->sin6_addr,
	                                              &endpoint->v6.sin6_addr, sizeof(struct in6_addr)) == 0;
}

static bool
is_own(const struct endpoint *endpoint, const struct ifaddrs *own)
{
	if (lookup_is_loopback(endpoint))
		return true;
	for (; own != NULL; own = own->ifa_next)
		if (is_same_address(endpoint, own->ifa_addr))
			return true;
	return false;
}

/* The preference from which on hosts are left out: that of the first one that is this machine (RFC 5321 5.1). */
static int
own_preference(const struct route *route)
{
	struct ifaddrs *own = NULL;
	int preference = INT32_MAX;

	if (getifaddrs(&own) != 0)
		own = NULL;
	for (size_t i = 0; i < route->n_hosts && preference == INT32_MAX; i++)
		for (size_t k = 0; k < route->hosts[i].addresses.n; k++)
			if (is_own(&route->hosts[i].addresses.endpoints[k], own))
				preference = route->hosts[i].preference;
	if (own != NULL)
		freeifaddrs(own);
	return preference;
}

static bool
leave_out_self(struct route *route, const struct route_query *query)
{
	int preference = own_preference(route);
	size_t n_kept = 0;

	for (size_t i = 0; i < route->n_hosts; i++) {
		if (route->hosts[i].preference < preference)
			route_keep(route, i, n_kept++);
		else
			route_drop(route, i);
	}
	route->n_hosts = n_kept;
	if (n_kept > 0)
		return true;
	return route_refuse(route, own_host, EX_NOHOST, "mail for %s would come back to this machine", query->destination);
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 4.1.3). */
static bool
add_literal(struct route *route, const struct route_query *query, struct str literal)
{
	struct str inside = str_first(str_from(literal, 1), literal.size - 2);
	struct endpoint endpoint;
	bool is_address;
	char *text;

	if (str_starts_with_nocase(inside, STR("IPv6:")))
		inside = str_from(inside, 5);
	text = mem_copy(inside.data, inside.size);
	is_address = lookup_literal(text, query->account->port, &endpoint);
	if (is_address) {
		add_host(route, query, text, 0, false);
		route->hosts[0].has_addresses = true;
		route->hosts[0].addresses = (struct lookup){.endpoints = {endpoint}, .n = 1};
	}
	free(text);
	return is_address || route_refuse(route, no_such_domain, EX_NOHOST, "%s is no address", query->destination);
}

bool
direct_find(struct route *route, const struct route_query *query)
{
	struct str destination = str_of(query->destination);
	bool is_found;

	if (destination.size == 0)
		return route_refuse(route, no_such_domain, EX_NOHOST, "an address without a domain has no server");
	if (destination.size > 2 && destination.data[0] == '[' && destination.data[destination.size - 1] == ']')
		is_found = add_literal(route, query, destination);
	else
		is_found = ask_exchangers(route, query) && find_addresses(route, query);
	route->is_answered = is_found;
	return is_found && leave_out_self(route, query);
}
