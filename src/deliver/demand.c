/* demand.c - what TLS a host owes us. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/domain.h"
#include "base/mem.h"
#include "deliver/demand.h"
#include "net/digest.h"
#include "net/record.h"

bool
demand_needs_dns(const struct account *account)
{
	bool is_asked = account->tls_policy == TLS_POLICY_DANE || account->tls_policy == TLS_POLICY_DANE_ONLY;

	return is_asked && account->tls && account->socket == NULL && account->proxy_host == NULL;
}

/* --- by the settings ----------------------------------------------------------------------------------------------- */

/* The least that hosts of others must offer. */
static enum account_tls_policy
least_of(const struct route_query *query)
{
	const struct account *account = query->account;
	enum account_tls_policy policy = account->tls_policy;

	if (account->tls && policy == TLS_POLICY_MAY)
		policy = TLS_POLICY_ENCRYPT;
	/* RFC 8689 section 4.2.1: whoever takes it must be known to be who it says. */
	if (query->wish.is_required && policy != TLS_POLICY_DANE_ONLY)
		policy = TLS_POLICY_VERIFY;
	return policy;
}

/* What the account says of its relay (a name to override, a fingerprint, a pin) says nothing of other people's hosts. */
static void
demand_of_others(struct route_host *host, const struct route_query *query)
{
	enum account_tls_policy policy = least_of(query);

	host->tls_settings.host = host->name;
	host->tls_settings.is_of_others = true;
	host->tls_settings.fingerprint = NULL;
	host->tls_settings.pin = NULL;
	host->tls_settings.is_unchecked = policy != TLS_POLICY_VERIFY;
	host->reason = ROUTE_BY_ACCOUNT;
	switch (policy) {
	case TLS_POLICY_ENCRYPT:
		host->tls = ROUTE_TLS_STARTTLS;
		buf_add_text(&host->explanation, "the settings demand TLS; whose certificate it is does not matter");
		return;
	case TLS_POLICY_VERIFY:
		host->tls = ROUTE_TLS_STARTTLS;
		buf_add_text(&host->explanation, "the settings demand TLS with a certificate for this name");
		return;
	case TLS_POLICY_MAY:
	case TLS_POLICY_DANE:
	case TLS_POLICY_DANE_ONLY:
		break;
	}
	host->tls = ROUTE_TLS_MAY;
	host->reason = ROUTE_BY_NOTHING;
	buf_add_text(&host->explanation, "nothing is published: TLS where it is offered, with any certificate");
}

/* What the certificate must be, as net/verify.c decides. */
static void
explain_trust(struct buf *b, const struct tls_settings *settings, const struct account *account)
{
	struct str fingerprint = str_of(settings->fingerprint), pin = str_of(settings->pin);
	bool is_also = digest_take_word(&fingerprint, STR("also")), is_only = digest_take_word(&pin, STR("only"));
	bool is_fingerprint_enough = settings->fingerprint != NULL && !is_also;

	if (settings->is_unchecked)
		buf_add_text(b, ", with any certificate");
	else if (is_fingerprint_enough)
		buf_add_text(b, ", with the certificate of tls_fingerprint");
	else if (is_only)
		buf_add_text(b, ", with a key of tls_pin");
	else if (account->tls_tofu)
		buf_add_text(b, ", with the key of the first contact");
	else
		buf_printf(b, ", with a certificate for %s", settings->host);
	if (settings->fingerprint != NULL && is_also)
		buf_add_text(b, ", and the certificate of tls_fingerprint");
	if (settings->pin != NULL && !(is_only && !settings->is_unchecked && !is_fingerprint_enough))
		buf_add_text(b, ", and a key of tls_pin");
}

static void
demand_of_relay(struct route_host *host, const struct account *account)
{
	static const char *const words[] = {
		[ROUTE_TLS_NONE] = "tls off: no TLS",
		[ROUTE_TLS_STARTTLS] = "tls on: STARTTLS",
		[ROUTE_TLS_IMPLICIT] = "tls on: TLS from the first byte on",
	};

	buf_add_text(&host->explanation, words[host->tls]);
	if (host->tls != ROUTE_TLS_NONE)
		explain_trust(&host->explanation, &host->tls_settings, account);
}

/* --- DANE ---------------------------------------------------------------------------------------------------------- */

/* One question about TLSA records, and the host it is about. */
struct inquiry {
	struct route_host *host;
	const char *base;         /* borrowed from the host */
	struct buf name;
};

static void
take_records(const struct inquiry *inquiry, const struct dns_query *answer, const struct route_query *query)
{
	struct route_host *host = inquiry->host;
	struct dane *dane = &host->dane;

	memcpy(dane->base, inquiry->base, strlen(inquiry->base) + 1);
	if (strcmp(host->name, dane->base) != 0)
		memcpy(dane->names[0], host->name, strlen(host->name) + 1);
	if (query->destination != NULL && strlen(query->destination) < DNS_NAME_SIZE)
		memcpy(dane->names[1], query->destination, strlen(query->destination) + 1);
	dane_read(dane, buf_str(&answer->records));
	/* Our relay has settings that say who it is, and may be given a password: it is not to be anybody. */
	if (dane->n == 0 && query->destination == NULL) {
		buf_printf(&host->explanation, "; none of the %zu TLSA records of %s can be used", dane->n_seen,
		           buf_text(&inquiry->name));
		return;
	}
	host->reason = ROUTE_BY_DANE;
	host->is_trouble_temporary = true;
	if (host->tls == ROUTE_TLS_MAY || host->tls == ROUTE_TLS_NONE)
		host->tls = ROUTE_TLS_STARTTLS;
	buf_clear(&host->explanation);
	if (dane->n > 0)
		buf_printf(&host->explanation, "DANE: a certificate by the TLSA records of %s (%zu of %zu count)",
		           buf_text(&inquiry->name), dane->n, dane->n_seen);
	else
		buf_printf(&host->explanation, "DANE: TLS, but with any certificate, for none of the %zu TLSA records of %s can be used",
		           dane->n_seen, buf_text(&inquiry->name));
}

/* Only what is validated counts; what could not be asked may hide something, and then the host is left alone (RFC 7672 2.1.1). */
static void
settle_inquiry(const struct inquiry *inquiry, const struct dns_query *answer, const struct route_query *query)
{
	if (answer->result == DNS_FAILED) {
		inquiry->host->is_bogus = answer->is_bogus;
		buf_printf(&inquiry->host->refusal, "cannot look up its TLSA records (%s): %s", buf_text(&inquiry->name), answer->why);
	} else if (answer->result == DNS_FOUND && answer->is_secure)
		take_records(inquiry, answer, query);
}

/* The name behind CNAMEs first, the original one after it (RFC 7672 2.2.2). */
static const char *
base_of(const struct route_host *host, bool is_second)
{
	bool is_alias = host->canonical[0] != '\0' && strcmp(host->canonical, host->name) != 0;

	if (is_second)
		return is_alias ? host->name : NULL;
	return is_alias ? host->canonical : host->name;
}

static bool
may_have_records(const struct route_host *host)
{
	return host->is_secure && host->refusal.size == 0 && host->dane.n_seen == 0;
}

static void
inquire(struct route *route, const struct route_query *query, bool is_second)
{
	struct inquiry *inquiries = mem_alloc(route->n_hosts, sizeof(*inquiries));
	struct dns_query *answers = mem_alloc(route->n_hosts, sizeof(*answers));
	size_t n = 0;

	for (size_t i = 0; i < route->n_hosts; i++) {
		struct route_host *host = &route->hosts[i];
		const char *base = base_of(host, is_second);

		if (!may_have_records(host) || base == NULL || strlen(base) >= DNS_NAME_SIZE)
			continue;
		inquiries[n] = (struct inquiry){.host = host, .base = base};
		buf_printf(&inquiries[n].name, "_%d._tcp.%s", host->target.port, base);
		if (inquiries[n].name.size > DOMAIN_MOST) {
			buf_free(&inquiries[n].name);
			continue;
		}
		answers[n] = (struct dns_query){.name = buf_text(&inquiries[n].name), .type = DNS_TLSA};
		n++;
	}
	if (n > 0)
		finder_ask(query->finder, answers, n, query->deadline);
	for (size_t i = 0; i < n; i++) {
		settle_inquiry(&inquiries[i], &answers[i], query);
		dns_query_free(&answers[i]);
		buf_free(&inquiries[i].name);
	}
	free(answers);
	free(inquiries);
}

/* dane-only, and REQUIRETLS: the peer must be known, and be who the recipient's domain meant. A certificate for a name that
 * somebody slipped into DNS says nothing (RFC 8689 section 2). */
static void
insist_on_proof(struct route *route, const struct route_query *query)
{
	for (size_t i = 0; i < route->n_hosts; i++) {
		struct route_host *host = &route->hosts[i];
		bool is_known = host->reason == ROUTE_BY_DANE && host->dane.n > 0;

		if (host->refusal.size > 0 || is_known)
			continue;
		if (query->account->tls_policy == TLS_POLICY_DANE_ONLY)
			buf_add_text(&host->refusal, "it has no TLSA records that can be used (tls_policy dane-only)");
		else if (query->wish.is_required && host->reason == ROUTE_BY_DANE)
			buf_add_text(&host->refusal, "none of its TLSA records can be used, and REQUIRETLS needs one");
		else if (query->wish.is_required && route->is_direct && host->reason != ROUTE_BY_POLICY && !host->is_certain)
			buf_add_text(&host->refusal, "neither DNSSEC nor an MTA-STS policy vouches for its name, and REQUIRETLS needs one of them");
	}
}

/* --- MTA-STS ------------------------------------------------------------------------------------------------------- */

/* What the TXT records say; nothing where they cannot be had, for a policy that is kept counts all the same. */
static void
ask_record(const struct route_query *query, struct mtasts_record *record)
{
	struct buf name = {0}, text = {0};
	struct dns_query answer = {.type = DNS_TXT};
	struct str rest, rdata;

	mtasts_add_record_name(&name, str_of(query->destination));
	answer.name = buf_text(&name);
	if (domain_is_ascii(buf_str(&name)))
		finder_ask(query->finder, &answer, 1, query->deadline);
	rest = buf_str(&answer.records);
	while (answer.result == DNS_FOUND && dns_next(&rest, &rdata)) {
		if (record_add_text(rdata, &text))
			mtasts_add_record(record, buf_str(&text));
		buf_clear(&text);
	}
	dns_query_free(&answer);
	buf_free(&text);
	buf_free(&name);
}

static void
find_policy(struct route *route, const struct route_query *query)
{
	struct policy_query about = {
		.domain = query->destination,
		.spool = query->finder->spool,
		.now = time(NULL),
	};

	policy_use_account(&about, query->account);
	ask_record(query, &about.record);
	policy_find(&route->policy, &about, clock_earlier(query->deadline, clock_deadline(POLICY_SECONDS)));
}

/* Who is not among the hosts of the policy gets nothing; who is must show it by its certificate (RFC 8461 section 5). */
static void
enforce_policy(struct route_host *host, const struct policy *policy, const struct route_query *query)
{
	if (!mtasts_allows(&policy->sts, str_of(host->name))) {
		buf_printf(&host->refusal, "the MTA-STS policy of %s does not name it", query->destination);
		return;
	}
	host->tls = ROUTE_TLS_STARTTLS;
	host->tls_settings.is_unchecked = false;
	host->reason = ROUTE_BY_POLICY;
	buf_clear(&host->explanation);
	buf_printf(&host->explanation, "MTA-STS: TLS with a certificate for this name, by the policy %s of %s", policy->id,
	           query->destination);
}

/* A policy in its test changes nothing. What it would have done is for the report, where one is wanted. */
static void
mention_policy(struct route_host *host, const struct policy *policy, const struct account *account)
{
	if (policy->sts.mode == MTASTS_TESTING && account->tls_report && host->tls_settings.is_unchecked) {
		host->tls_settings.is_unchecked = false;
		host->tls_settings.is_advisory = true;
	}
	if (policy->sts.mode == MTASTS_TESTING)
		buf_printf(&host->explanation, "; the MTA-STS policy %s is for testing only", policy->id);
	else if (policy->fault != POLICY_GOOD)
		buf_printf(&host->explanation, "; the MTA-STS policy cannot be had: %s", buf_text(&policy->why));
}

/* Is there a host that DANE says nothing about? Where DANE is in force it comes first (RFC 8461 section 2). */
static bool
is_left_open(const struct route_host *host)
{
	return host->refusal.size == 0 && host->reason != ROUTE_BY_DANE;
}

static void
ask_policy(struct route *route, const struct route_query *query)
{
	size_t n_open = 0;

	for (size_t i = 0; i < route->n_hosts; i++)
		n_open += is_left_open(&route->hosts[i]);
	if (n_open == 0 || !query->account->mta_sts || query->destination[0] == '[')
		return;
	find_policy(route, query);
	for (size_t i = 0; i < route->n_hosts; i++) {
		struct route_host *host = &route->hosts[i];

		if (!is_left_open(host))
			continue;
		if (route->policy.sts.mode == MTASTS_ENFORCE)
			enforce_policy(host, &route->policy, query);
		else
			mention_policy(host, &route->policy, query->account);
	}
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

/* A sender who would rather have it delivered in the clear than not at all overrules what is published, but not the settings. */
static bool
counts_published(const struct route *route, const struct route_query *query)
{
	if (!route->is_direct)
		return true;
	return !query->wish.is_waived || query->account->tls_policy == TLS_POLICY_DANE_ONLY;
}

static void
explain_waiver(struct route *route)
{
	for (size_t i = 0; i < route->n_hosts; i++) {
		struct route_host *host = &route->hosts[i];

		if (host->reason != ROUTE_BY_NOTHING)
			continue;
		buf_clear(&host->explanation);
		buf_add_text(&host->explanation, "the message says TLS-Required: No: TLS where it is offered, with any certificate");
	}
}

void
demand_tls(struct route *route, const struct route_query *query)
{
	for (size_t i = 0; i < route->n_hosts; i++) {
		if (route->is_direct)
			demand_of_others(&route->hosts[i], query);
		else
			demand_of_relay(&route->hosts[i], query->account);
	}
	if (!route->is_direct && !demand_needs_dns(query->account))
		return;
	if (!counts_published(route, query)) {
		explain_waiver(route);
		return;
	}
	inquire(route, query, false);
	inquire(route, query, true);
	if (route->is_direct)
		ask_policy(route, query);
	insist_on_proof(route, query);
}
