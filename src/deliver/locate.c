/* locate.c - the addresses of a route's hosts, by DNS. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "deliver/locate.h"
#include "net/record.h"

static void
add_addresses(struct route_host *host, const struct dns_query *answer, size_t *n_left)
{
	struct str rest = buf_str(&answer->records), rdata;
	struct endpoint endpoint;

	while (*n_left > 0 && host->addresses.n < LOOKUP_MOST && dns_next(&rest, &rdata)) {
		if (!record_read_address(answer->type, rdata, host->target.port, &endpoint))
			continue;
		host->addresses.endpoints[host->addresses.n++] = endpoint;
		(*n_left)--;
	}
}

/* A host of which nothing can be told now is not tried, and keeps mail from failing for good. */
static void
note_addresses(struct route_host *host, const struct dns_query answers[2], size_t *n_left)
{
	const struct dns_query *found = answers[0].result == DNS_FOUND ? &answers[0] : &answers[1];

	host->has_addresses = true;
	add_addresses(host, &answers[0], n_left);
	add_addresses(host, &answers[1], n_left);
	/* One of the two families validated is enough (RFC 7672 2.2.2): they are one host. */
	host->is_secure = host->is_secure && ((answers[0].is_secure && answers[0].result == DNS_FOUND) ||
	                                      (answers[1].is_secure && answers[1].result == DNS_FOUND));
	memcpy(host->canonical, found->canonical, sizeof(host->canonical));
	if (host->addresses.n > 0)
		return;
	if (answers[0].result == DNS_FAILED || answers[1].result == DNS_FAILED)
		buf_printf(&host->refusal, "cannot look up its address: %s",
		           answers[0].result == DNS_FAILED ? answers[0].why : answers[1].why);
}

static void
remove_hosts_without_address(struct route *route)
{
	size_t n_kept = 0;

	for (size_t i = 0; i < route->n_hosts; i++) {
		struct route_host *host = &route->hosts[i];

		if (host->addresses.n > 0 || host->refusal.size > 0)
			route_keep(route, i, n_kept++);
		else
			route_drop(route, i);
	}
	route->n_hosts = n_kept;
}

/* All questions at once: they do not depend on each other. */
void
locate_hosts(struct route *route, const struct route_query *query)
{
	size_t n = 0, n_left = ROUTE_ADDRESSES_MOST;
	struct dns_query *answers = mem_alloc(2 * route->n_hosts, sizeof(*answers));

	for (size_t i = 0; i < route->n_hosts; i++) {
		if (route->hosts[i].has_addresses)
			continue;
		answers[n++] = (struct dns_query){.name = route->hosts[i].name, .type = DNS_AAAA};
		answers[n++] = (struct dns_query){.name = route->hosts[i].name, .type = DNS_A};
	}
	if (n > 0)
		finder_ask(query->finder, answers, n, query->deadline);
	for (size_t i = 0, k = 0; i < route->n_hosts; i++) {
		if (route->hosts[i].has_addresses)
			continue;
		note_addresses(&route->hosts[i], &answers[k], &n_left);
		k += 2;
	}
	for (size_t i = 0; i < n; i++)
		dns_query_free(&answers[i]);
	free(answers);
	remove_hosts_without_address(route);
}
