/* policy.h - the MTA-STS policy of a domain (RFC 8461): from the cache, or from the domain's policy host.
 *
 * Asked only for a domain that is not protected by DANE. Whoever asks has looked for the TXT record before; what came of it is
 * given. A policy that was fetched once is in force until it expires, whatever becomes of the record and of the host. */

#ifndef DELIVER_POLICY_H
#define DELIVER_POLICY_H

#include <time.h>

#include "conf/account.h"
#include "deliver/policycache.h"
#include "net/https.h"

enum {
	POLICY_SECONDS = 60,      /* the patience that is usual for a look at a policy host */
	POLICY_PAUSE = 300        /* seconds until a fetch that failed is tried again for the same record (RFC 8461 3.3) */
};

struct policy_query {
	const char *domain;                 /* the recipients', in A-labels without a dot at the end */
	struct mtasts_record record;        /* what the TXT records of _mta-sts.DOMAIN say; zeroed: none, or nobody knows */
	const char *connect;                /* for https.h; NULL: none */
	const char *trust_file;             /* "system", or a path */
	const char *proxy_host;             /* a SOCKS5 proxy; NULL: none */
	int proxy_port;
	const char *proxy_user;
	const char *proxy_password;
	struct spool *spool;                /* where policies are kept; NULL, or not open: nowhere */
	time_t now;
};

enum policy_source {
	POLICY_FROM_NOWHERE,                /* there is no policy: the mode is none */
	POLICY_FROM_CACHE,
	POLICY_FROM_HOST
};

struct policy {
	enum policy_source source;
	struct mtasts_policy sts;           /* what is in force */
	struct buf text;                    /* the same as it came */
	char id[MTASTS_ID_SIZE];
	enum policy_fault fault;            /* of the fetch, now or just before; a cached policy may be in force despite it */
	struct buf why;                     /* in words, cleaned */
};

/* Take over what the account says about fetching; borrowed. Whether policies are to be heeded at all (mta_sts) is the caller's to
 * ask. */
void policy_use_account(struct policy_query *query, const struct account *account);

/* Find the policy that is in force for the domain; *policy is zeroed. Ends at the deadline. Never an error: what cannot be
 * fetched is a policy from the cache, or none, and policy->fault. */
void policy_find(struct policy *policy, const struct policy_query *query, int64_t deadline);

void policy_free(struct policy *policy);

#endif
