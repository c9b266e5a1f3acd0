/* tlsnote.c - how TLS went with the hosts of a destination. */

#include "config.h"

#include <time.h>

#include "deliver/tlsnote.h"
#include "deliver/tlsreport.h"

static const enum tlsreport_result results_of_faults[] = {
	[TLS_FAULT_NONE] = TLSREPORT_VALIDATION_FAILURE, /* the handshake broke before it came to a certificate */
	[TLS_FAULT_NAME] = TLSREPORT_CERTIFICATE_HOST_MISMATCH,
	[TLS_FAULT_EXPIRED] = TLSREPORT_CERTIFICATE_EXPIRED,
	[TLS_FAULT_UNTRUSTED] = TLSREPORT_CERTIFICATE_NOT_TRUSTED,
	[TLS_FAULT_OTHER] = TLSREPORT_VALIDATION_FAILURE,
};

static const enum tlsreport_result results_of_policies[] = {
	[POLICY_GOOD] = TLSREPORT_SUCCESS,
	[POLICY_UNREACHABLE] = TLSREPORT_STS_POLICY_FETCH_ERROR,
	[POLICY_INVALID] = TLSREPORT_STS_POLICY_INVALID,
	[POLICY_UNTRUSTED] = TLSREPORT_STS_WEBPKI_INVALID,
};

static bool
is_wanted(const struct delivery *delivery, const struct route *route)
{
	return route->is_direct && delivery->account->tls_report && delivery->finder != NULL && delivery->finder->spool != NULL &&
	       delivery->finder->spool->is_open;
}

static bool
has_policy(const struct route *route)
{
	return route->policy.source != POLICY_FROM_NOWHERE && route->policy.sts.mode != MTASTS_NONE;
}

/* The TLSA records that count, one a line, as in a zone. */
static void
add_records(struct buf *b, const struct dane *dane)
{
	for (size_t i = 0; i < dane->n; i++) {
		const struct record_tlsa *record = &dane->records[i];

		buf_printf(b, "%u %u %u ", record->usage, record->selector, record->matching);
		for (size_t k = 0; k < record->data.size; k++)
			buf_printf(b, "%02x", (unsigned char)record->data.data[k]);
		buf_add_char(b, '\n');
	}
}

/* What is known of the policy by which a host is used; host NULL: of the domain's. */
static void
record(const struct delivery *delivery, const struct route *route, const struct route_host *host, struct tlsreport_fact *fact)
{
	struct buf records = {0};

	fact->domain = delivery->destination;
	fact->mx_host = host != NULL ? host->name : NULL;
	if (host != NULL && host->reason == ROUTE_BY_DANE) {
		fact->type = TLSREPORT_TLSA;
		add_records(&records, &host->dane);
		fact->policy = buf_str(&records);
	} else if (has_policy(route) || route->policy.fault != POLICY_GOOD) {
		fact->type = TLSREPORT_STS;
		fact->policy = buf_str(&route->policy.text);
		fact->mx = buf_str(&route->policy.sts.mx);
	}
	tlsreport_record(delivery->finder->spool, fact, time(NULL));
	buf_free(&records);
}

/* A host that is left alone: its records are bogus or cannot be had, or the policy does not name it. */
static void
note_refused(const struct delivery *delivery, const struct route *route, const struct route_host *host)
{
	struct tlsreport_fact fact = {
		.result = host->is_bogus ? TLSREPORT_DNSSEC_INVALID : TLSREPORT_VALIDATION_FAILURE,
		.reason = buf_text(&host->refusal),
	};

	record(delivery, route, host, &fact);
}

void
tlsnote_route(const struct delivery *delivery, const struct route *route)
{
	struct tlsreport_fact fact = {
		.result = results_of_policies[route->policy.fault],
		.reason = buf_text(&route->policy.why),
	};

	if (!is_wanted(delivery, route))
		return;
	if (route->policy.fault != POLICY_GOOD)
		record(delivery, route, NULL, &fact);
	/* Where others may be tried nobody misses them. */
	for (size_t i = 0; i < route->n_hosts && err_is_set(&route->failure); i++)
		if (route->hosts[i].refusal.size > 0)
			note_refused(delivery, route, &route->hosts[i]);
}

/* Of a session that had TLS: what the policy demanded of the certificate. A policy in its test demands it, too, of the report. */
static enum tlsreport_result
judge_protected(const struct route *route, const struct session *session)
{
	const struct route_host *host = session->host;
	bool is_tested = host->reason != ROUTE_BY_DANE && has_policy(route) && route->policy.sts.mode == MTASTS_TESTING;

	if (host->reason == ROUTE_BY_DANE && host->dane.n == 0)
		return TLSREPORT_TLSA_INVALID;
	if (is_tested && !mtasts_allows(&route->policy.sts, str_of(host->name)))
		return TLSREPORT_VALIDATION_FAILURE;
	if (is_tested && session->tls_fault != TLS_FAULT_NONE)
		return results_of_faults[session->tls_fault];
	return TLSREPORT_SUCCESS;
}

static enum tlsreport_result
judge(const struct route *route, const struct session *session)
{
	if (session->tls.version != NULL)
		return judge_protected(route, session);
	if (!session->dialog.caps.has_starttls || session->dialog.was_tls_refused)
		return TLSREPORT_STARTTLS_NOT_SUPPORTED;
	return results_of_faults[session->tls_fault];
}

/* Did it come as far as TLS? The session in the clear that follows a broken handshake says nothing of that. */
static bool
tells_of_tls(const struct session *session)
{
	return session->tls.version != NULL || (session->dialog.knows_caps && !session->must_stay_clear);
}

void
tlsnote_session(const struct delivery *delivery, const struct route *route, const struct session *session,
                const struct outcome *why)
{
	struct tlsreport_fact fact = {.ip = session->connection.address};

	if (!is_wanted(delivery, route) || !tells_of_tls(session))
		return;
	fact.result = judge(route, session);
	if (fact.result != TLSREPORT_SUCCESS && why->stage == OUTCOME_AT_TLS)
		fact.reason = why->text;
	record(delivery, route, session->host, &fact);
}
