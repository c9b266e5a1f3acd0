/* dns.h - DNS records with the verdict of DNSSEC, by libunbound; several questions at once, every wait ending at a deadline.
 *
 * libunbound is loaded by the first question. What is bogus is a failure, whatever data came with it. Names are in
 * A-labels (net/name.h), without a dot at the end. */

#ifndef NET_DNS_H
#define NET_DNS_H

#include <stdint.h>

#include "base/err.h"

enum dns_type {
	DNS_A = 1,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_TLSA = 52
};

enum dns_result {
	DNS_FAILED,  /* for now: SERVFAIL, no answer before the deadline, bogus; query.why says which */
	DNS_FOUND,   /* there is at least one record */
	DNS_NO_DATA, /* the name has none of this type */
	DNS_NO_NAME  /* there is no such name */
};

enum {
	DNS_NAME_SIZE = 256,    /* of a name as text, with its NUL */
	DNS_RECORDS_MOST = 100  /* records of one answer that are kept */
};

struct dns_settings {
	const char *server;       /* ADDRESS[@PORT] of the resolver; NULL: those of /etc/resolv.conf */
	const char *trust_anchor; /* file of DNSKEY or DS records; NULL: the system's; "": none. Without one nothing is secure */
};

/* One question. Its answer's absence has a verdict as well: is_secure holds for DNS_NO_DATA and DNS_NO_NAME too. */
struct dns_query {
	/* Set by the caller. */
	const char *name;             /* borrowed */
	enum dns_type type;

	/* Set by dns_ask(). */
	enum dns_result result;
	bool is_secure;               /* validated, each CNAME on the way included */
	bool is_bogus;                /* validation failed: the result is DNS_FAILED */
	char canonical[DNS_NAME_SIZE]; /* the name that the records belong to: that behind the last CNAME, or name itself */
	struct buf records;           /* for dns_next(); owned */
	size_t n_records;
	char why[160];                /* of a failure, in words for people: "no answer from 192.0.2.1", cleaned */
};

struct dns;

/* Read the settings (borrowed no longer than the call), load the library. False: EX_UNAVAILABLE (built without libunbound, or it
 * cannot be loaded: says what is missing and how to get it), EX_CONFIG (server or trust_anchor cannot be used). */
bool dns_open(struct dns **dns, const struct dns_settings *settings, struct err *err);

/* Ask n questions at once and wait for all answers, no longer than to the deadline; those that are not there by then have
 * failed. Never an error: each query has its result. The queries' former contents but name and type must be zero. */
void dns_ask(struct dns *dns, struct dns_query *queries, size_t n, int64_t deadline);

/* Take the rdata of the next record off *rest, which begins as buf_str(&query->records). False: no more. */
bool dns_next(struct str *rest, struct str *rdata);

void dns_query_free(struct dns_query *query);

/* NULL is harmless. A child that was forked while it was open must not use it, and must not close it. */
void dns_close(struct dns *dns);

/* "1.17.1", or why there is none, in brackets; for --version. Constant. */
const char *dns_library_version(void);

#endif
