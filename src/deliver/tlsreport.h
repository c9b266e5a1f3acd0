/* tlsreport.h - what there is to say about TLS on the way to other domains, in the words of RFC 8460: written down for each
 * session, and added up for a day. It stays on this machine: nothing is sent.
 *
 * A day is one of UTC (RFC 8460 4.1). Its file reports/YYYY-MM-DD of the spool has one line of JSON for each session. */

#ifndef DELIVER_TLSREPORT_H
#define DELIVER_TLSREPORT_H

#include <time.h>

#include "queue/spool.h"

enum tlsreport_policy {
	TLSREPORT_NO_POLICY,     /* no-policy-found */
	TLSREPORT_STS,
	TLSREPORT_TLSA,
	N_TLSREPORT_POLICIES
};

/* RFC 8460 4.3. */
enum tlsreport_result {
	TLSREPORT_SUCCESS,
	TLSREPORT_STARTTLS_NOT_SUPPORTED,
	TLSREPORT_CERTIFICATE_HOST_MISMATCH,
	TLSREPORT_CERTIFICATE_EXPIRED,
	TLSREPORT_CERTIFICATE_NOT_TRUSTED,
	TLSREPORT_VALIDATION_FAILURE,       /* none of the others */
	TLSREPORT_TLSA_INVALID,
	TLSREPORT_DNSSEC_INVALID,
	TLSREPORT_DANE_REQUIRED,
	TLSREPORT_STS_POLICY_FETCH_ERROR,
	TLSREPORT_STS_POLICY_INVALID,
	TLSREPORT_STS_WEBPKI_INVALID,
	N_TLSREPORT_RESULTS
};

enum {
	TLSREPORT_LINE_MOST = 8192,                /* bytes of a line */
	TLSREPORT_FILE_MOST = 16 * 1024 * 1024,    /* bytes of a day; what comes behind is not written down */
	TLSREPORT_DAY_SIZE = sizeof("2026-11-28")
};

/* One session, or what kept it from coming about. Text may be anything; NULL: not known. */
struct tlsreport_fact {
	enum tlsreport_policy type;
	const char *domain;      /* whose policy it is: the recipients' */
	struct str policy;       /* the policy's lines: that of MTA-STS as it came, TLSA records one a line; empty: none */
	struct str mx;           /* patterns of an MTA-STS policy, each with '\n' behind */
	enum tlsreport_result result;
	const char *mx_host;     /* receiving-mx-hostname */
	const char *ip;          /* receiving-ip */
	const char *own_ip;      /* sending-mta-ip */
	const char *reason;      /* of a failure, in words: failure-reason-code */
};

/* Write one session down. False, without a word: the caller goes on. Of a fact that is too long for a line the policy, the
 * patterns and the reason are left out. Not synced. */
bool tlsreport_record(struct spool *spool, const struct tlsreport_fact *fact, time_t when);

/* Who reports. */
struct tlsreport_author {
	const char *organization; /* organization-name */
	const char *contact;      /* contact-info */
};

/* Append the report of the day as JSON (RFC 8460 4.4) on one line. False: EX_NOINPUT (nothing was written down on that day),
 * EX_UNAVAILABLE (Jansson cannot be loaded). *n_unread: lines that make no sense, which are passed over. */
bool tlsreport_add(struct spool *spool, const char *day, const struct tlsreport_author *author, struct buf *b, size_t *n_unread,
                   struct err *err);

/* Put the day of `when` into day. */
void tlsreport_day(time_t when, char day[TLSREPORT_DAY_SIZE]);

/* Is text a day, "YYYY-MM-DD"? */
bool tlsreport_is_day(struct str text);

#endif
