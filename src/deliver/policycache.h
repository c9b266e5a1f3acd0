/* policycache.h - MTA-STS policies of domains as they were fetched, one small file each in the spool's policies/.
 *
 * What is read is believed only as a whole: whose file it is and how large (queue/note.h), a checksum, the domain, and the policy
 * by the same parser as when it came. Anything else is as if there were no file. */

#ifndef DELIVER_POLICYCACHE_H
#define DELIVER_POLICYCACHE_H

#include "net/mtasts.h"
#include "queue/spool.h"

/* What is wrong with a fetch; the result types of RFC 8460 4.3.2.2. */
enum policy_fault {
	POLICY_GOOD,
	POLICY_UNREACHABLE, /* sts-policy-fetch-error */
	POLICY_INVALID,     /* sts-policy-invalid */
	POLICY_UNTRUSTED    /* sts-webpki-invalid */
};

struct cached_policy {
	struct mtasts_policy policy; /* only where fetched_at > 0 */
	struct buf text;             /* the same as it came */
	char id[MTASTS_ID_SIZE];     /* of the record it was fetched for */
	int64_t fetched_at;          /* seconds since 1970; 0: never */

	/* The last try, if it failed. */
	int64_t failed_at;           /* 0: it did not */
	char failed_id[MTASTS_ID_SIZE];
	enum policy_fault fault;
	struct buf why;              /* cleaned, one line */
};

/* Read what is kept of the domain (A-labels, lower case). False: nothing; *cached is then zeroed. */
bool policycache_read(struct spool *spool, const char *domain, struct cached_policy *cached);

/* Replace it. False: it could not be written, and the next call will fetch again. */
bool policycache_write(struct spool *spool, const char *domain, const struct cached_policy *cached);

void cached_policy_free(struct cached_policy *cached);

#endif
