/* route.c - the hosts to try for an account: of a relay by its settings and SRV records (RFC 2782, 6186, 8314), of a
 * destination by deliver/direct. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/domain.h"
#include "base/mem.h"
#include "conf/hostlist.h"
#include "deliver/demand.h"
#include "deliver/direct.h"
#include "deliver/locate.h"
#include "deliver/route.h"
#include "net/record.h"
#include "net/service.h"

static const unsigned short no_such_service[3] = {4, 4, 4};
static const unsigned short no_such_host[3] = {4, 4, 4};
static const unsigned short directory_failure[3] = {4, 4, 3};

static bool
is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* NULL for what is not set, so that the layers below have one way to say so. */
static const char *
given(const char *text)
{
	return is_given(text) ? text : NULL;
}

static const enum tls_ocsp ocsp_of[] = {
	[OCSP_ON] = TLS_OCSP_ON,
	[OCSP_OFF] = TLS_OCSP_OFF,
	[OCSP_REQUIRE] = TLS_OCSP_REQUIRE,
};

static struct tls_settings
tls_settings_of(const struct account *account, const char *host)
{
	return (struct tls_settings){
		.host = is_given(account->tls_host_override) ? account->tls_host_override : host,
		.trust_file = account->tls_trust_file,
		.crl_file = given(account->tls_crl_file),
		.fingerprint = given(account->tls_fingerprint),
		.pin = given(account->tls_pin),
		.key_file = given(account->tls_key_file),
		.cert_file = given(account->tls_cert_file),
		.key_password = given(account->tls_key_password),
		.priorities = given(account->tls_priorities),
		.min_version = account->tls_min,
		.min_dh_prime_bits = account->tls_min_dh_prime_bits,
		.is_unchecked = !account->tls_certcheck,
		.ocsp = ocsp_of[account->tls_ocsp],
	};
}

struct route_host *
route_add(struct route *route, const struct account *account, struct str name, int port)
{
	struct route_host *host;

	/* A host is large, and mostly there is one. */
	if (route->n_hosts == ROUTE_HOSTS_MOST)
		return NULL;
	route->hosts = mem_resize(route->hosts, route->n_hosts + 1, sizeof(*route->hosts));
	host = &route->hosts[route->n_hosts++];
	*host = (struct route_host){0};
	host->name = name.data != NULL ? mem_copy(name.data, name.size) : mem_copy_string("");
	host->preference = (int)route->n_hosts;
	host->target = (struct connect_target){
		.host = host->name,
		.port = port,
		.socket = given(account->socket),
		.source_ip = given(account->source_ip),
		.proxy_host = given(account->proxy_host),
		.proxy_port = account->proxy_port,
		.proxy_user = given(account->proxy_user),
		.proxy_password = given(account->proxy_password),
	};
	host->tls_settings = tls_settings_of(account, host->name);
	if (account->tls)
		host->tls = account->tls_starttls ? ROUTE_TLS_STARTTLS : ROUTE_TLS_IMPLICIT;
	return host;
}

static void
free_host(struct route_host *host)
{
	free(host->name);
	free(host->reference);
	buf_free(&host->explanation);
	buf_free(&host->refusal);
	dane_free(&host->dane);
	*host = (struct route_host){0};
}

void
route_keep(struct route *route, size_t i, size_t n)
{
	if (i == n)
		return;
	route->hosts[n] = route->hosts[i];
	route->hosts[i] = (struct route_host){0};
}

void
route_drop(struct route *route, size_t i)
{
	free_host(&route->hosts[i]);
}

bool
route_refuse(struct route *route, const unsigned short enhanced[3], int exit_code, const char *format, ...)
{
	struct buf text = {0};
	va_list arguments;

	va_start(arguments, format);
	buf_vprintf(&text, format, arguments);
	va_end(arguments);
	route->refusal = (struct outcome){
		.state = enhanced[0] == 5 ? OUTCOME_FAILED : OUTCOME_DEFERRED,
		.stage = OUTCOME_AT_ROUTE,
	};
	memcpy(route->refusal.enhanced, enhanced, sizeof(route->refusal.enhanced));
	outcome_set_text(&route->refusal, buf_str(&text));
	err_set(&route->failure, exit_code, "%s", buf_text(&text));
	buf_free(&text);
	return false;
}

/* The same for a fault that was told as an error. */
static bool
refuse_by_error(struct route *route)
{
	route->refusal = (struct outcome){.state = OUTCOME_DEFERRED, .stage = OUTCOME_AT_ROUTE};
	outcome_set_text(&route->refusal, buf_str(&route->failure.text));
	return false;
}

/* --- a relay ------------------------------------------------------------------------------------------------------- */

static void
add_socket(struct route *route, const struct account *account)
{
	struct route_host *host = route_add(route, account, str_of(account->socket), account->port);

	/* The certificate is held against the name, and the socket has none. */
	if (!is_given(account->tls_host_override))
		host->tls_settings.host = account->host;
}

static void
add_listed(struct route *route, const struct account *account)
{
	struct str rest = str_of(account->host);
	struct hostlist_item item;

	while (hostlist_next(&rest, &item)) {
		struct route_host *host = route_add(route, account, item.name, item.port != 0 ? item.port : account->port);

		if (host != NULL)
			host->is_secure = true;
	}
}

/* The two services in the order of RFC 8314 section 5.1; without TLS only the second makes sense. */
static const struct {
	const char *prefix;
	enum route_tls tls;
} services[] = {
	{SERVICE_SUBMISSIONS, ROUTE_TLS_IMPLICIT},
	{SERVICE_SUBMISSION, ROUTE_TLS_STARTTLS},
};
enum { N_SERVICES = sizeof(services) / sizeof(services[0]) };

static bool
is_within(struct str host, struct str domain)
{
	if (host.size <= domain.size)
		return str_equals_nocase(host, domain);
	return host.data[host.size - domain.size - 1] == '.' &&
	       str_equals_nocase(str_from(host, host.size - domain.size), domain);
}

/* Whoever can change an answer of DNS that nobody signed must not choose the name that the certificate is held against: then it
 * is the domain that the user wrote (RFC 6125 6.2.1), or a name inside of it. */
static void
add_service_host(struct route *route, const struct account *account, const struct record_srv *record, const char *domain,
                 const struct dns_query *answer, enum route_tls tls)
{
	struct route_host *host = route_add(route, account, str_of(record->host), record->port);

	if (host == NULL)
		return;
	if (account->tls)
		host->tls = tls;
	/* Its TLSA records count only where the name itself is beyond doubt (RFC 7673 section 3.1). */
	host->is_secure = answer->is_secure;
	if (!answer->is_secure && !is_within(str_of(record->host), str_of(domain)) && !is_given(account->tls_host_override)) {
		host->reference = mem_copy_string(domain);
		host->tls_settings.host = host->reference;
	}
}

static void
add_service(struct route *route, const struct route_query *query, const char *domain, const struct dns_query *answer,
            enum route_tls tls)
{
	const struct service_random random = {finder_draw, query->finder};
	struct record_srv *records = mem_alloc(answer->n_records, sizeof(*records));
	struct str rest = buf_str(&answer->records), rdata;
	size_t n = 0;

	while (n < answer->n_records && dns_next(&rest, &rdata))
		n += record_read_srv(rdata, &records[n]);
	n = service_order(records, n, &random);
	for (size_t i = 0; i < n; i++)
		add_service_host(route, query->account, &records[i], domain, answer, tls);
	free(records);
}

static bool
refuse_service(struct route *route, const struct dns_query *queries, const char *domain)
{
	for (size_t i = 0; i < N_SERVICES; i++)
		if (queries[i].name != NULL && queries[i].result == DNS_FAILED)
			return route_refuse(route, directory_failure, EX_TEMPFAIL, "cannot look up the mail service of %s: %s", domain,
			                    queries[i].why);
	route_refuse(route, no_such_service, EX_NOHOST, "%s announces no server for the submission of mail", domain);
	return err_hint(&route->failure, "name the server itself with 'host'");
}

static bool
find_service(struct route *route, const struct route_query *query, struct str written)
{
	struct dns_query queries[N_SERVICES] = {{0}};
	struct buf domain = {0}, names[N_SERVICES] = {{0}};
	const char *fault = domain_add_ascii(&domain, written);
	size_t first = query->account->tls ? 0 : 1;

	if (fault != NULL)
		route_refuse(route, no_such_service, EX_CONFIG, "host srv:%s: %s", buf_text(&domain), fault);
	for (size_t i = first; i < N_SERVICES; i++) {
		buf_printf(&names[i], "%s.%s", services[i].prefix, buf_text(&domain));
		queries[i] = (struct dns_query){.name = buf_text(&names[i]), .type = DNS_SRV};
	}
	if (fault == NULL)
		finder_ask(query->finder, queries + first, N_SERVICES - first, query->deadline);
	for (size_t i = first; fault == NULL && i < N_SERVICES; i++)
		if (queries[i].result == DNS_FOUND)
			add_service(route, query, buf_text(&domain), &queries[i], services[i].tls);
	if (fault == NULL && route->n_hosts == 0)
		refuse_service(route, queries, buf_text(&domain));
	for (size_t i = 0; i < N_SERVICES; i++) {
		dns_query_free(&queries[i]);
		buf_free(&names[i]);
	}
	buf_free(&domain);
	return route->n_hosts > 0;
}

/* An address in the place of a name is what it is, and has no TLSA records. */
static void
take_literal(struct route_host *host)
{
	struct endpoint endpoint;

	if (!lookup_literal(host->name, host->target.port, &endpoint))
		return;
	host->has_addresses = true;
	host->addresses = (struct lookup){.endpoints = {endpoint}, .n = 1};
	host->is_secure = false;
}

/* By DNS itself: for DANE the addresses must be those that DNSSEC vouches for. */
static bool
locate_relay(struct route *route, const struct route_query *query)
{
	for (size_t i = 0; i < route->n_hosts; i++)
		take_literal(&route->hosts[i]);
	locate_hosts(route, query);
	return route->n_hosts > 0 || route_refuse(route, no_such_host, EX_NOHOST, "%s has no address", query->account->host);
}

/* Hosts that DNS has named are looked up where they were found, which need not be where the system looks; by a proxy if there is
 * one. */
static bool
needs_addresses(const struct account *account, struct str domain)
{
	return demand_needs_dns(account) || (domain.size > 0 && account->proxy_host == NULL);
}

static bool
find_relay(struct route *route, const struct route_query *query)
{
	const struct account *account = query->account;
	struct str domain = {0};

	if (is_given(account->socket))
		add_socket(route, account);
	else if (!hostlist_is_service(str_of(account->host), &domain))
		add_listed(route, account);
	else if (!find_service(route, query, domain))
		return false;
	return !needs_addresses(account, domain) || locate_relay(route, query);
}

/* --- both ---------------------------------------------------------------------------------------------------------- */

/* Is DNS to be asked by ourselves? A relay's name is mostly left to the system, when it is connected to. */
static bool
needs_dns(const struct account *account)
{
	struct str domain = {0};

	if (account->delivery == DELIVER_DIRECT)
		return true;
	return !is_given(account->socket) &&
	       (demand_needs_dns(account) || hostlist_is_service(str_of(account->host), &domain));
}

/* Everything is in its place: from now on pointers into the hosts are good. */
static void
connect_parts(struct route *route)
{
	for (size_t i = 0; i < route->n_hosts; i++) {
		struct route_host *host = &route->hosts[i];

		if (host->has_addresses)
			host->target.found = &host->addresses;
		/* Of a host that may have any certificate nobody can demand that its authority vouches for it. */
		if (route->is_direct && host->tls_settings.is_unchecked && host->tls_settings.ocsp == TLS_OCSP_REQUIRE)
			host->tls_settings.ocsp = TLS_OCSP_ON;
		if (host->dane.n_seen > 0 && host->reason == ROUTE_BY_DANE) {
			host->tls_settings.dane = &host->dane;
			host->tls_settings.host = host->dane.base;
		}
	}
}

static bool
has_host_to_try(struct route *route)
{
	struct buf why = {0};

	for (size_t i = 0; i < route->n_hosts; i++) {
		const struct route_host *host = &route->hosts[i];

		if (host->refusal.size == 0) {
			buf_free(&why);
			return true;
		}
		buf_printf(&why, "%s%s: %s", why.size > 0 ? "; " : "", host->name, buf_text(&host->refusal));
	}
	route_refuse(route, (const unsigned short[3]){4, 7, 5}, EX_TEMPFAIL, "%s", buf_text(&why));
	buf_free(&why);
	return false;
}

const struct route_host *
route_first(const struct route *route)
{
	for (size_t i = 0; i < route->n_hosts; i++)
		if (route->hosts[i].refusal.size == 0)
			return &route->hosts[i];
	return NULL;
}

bool
route_find(struct route *route, const struct route_query *query)
{
	bool is_found = true;

	*route = (struct route){.is_direct = query->account->delivery == DELIVER_DIRECT};
	if (needs_dns(query->account)) {
		if (query->finder == NULL)
			return route_refuse(route, directory_failure, EX_SOFTWARE, "DNS is not asked here");
		if (!finder_open(query->finder, query->account, &route->failure))
			return refuse_by_error(route);
	}
	is_found = route->is_direct ? direct_find(route, query) : find_relay(route, query);
	if (is_found)
		demand_tls(route, query);
	connect_parts(route);
	return is_found && has_host_to_try(route);
}

void
route_free(struct route *route)
{
	for (size_t i = 0; i < route->n_hosts; i++)
		free_host(&route->hosts[i]);
	free(route->hosts);
	policy_free(&route->policy);
	err_clear(&route->failure);
	*route = (struct route){0};
}
