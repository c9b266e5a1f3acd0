/* mtasts.h - MTA-STS (RFC 8461): the TXT record, the policy, and whether an MX host is in it. Pure.
 *
 * Fields are case-sensitive; an unknown field is passed over; of a field that comes twice the first counts, but for "mx".
 * What breaks the grammar in any other way is no record, or no policy, as a whole. */

#ifndef NET_MTASTS_H
#define NET_MTASTS_H

#include <stdint.h>

#include "base/err.h"

enum {
	MTASTS_ID_SIZE = 33,           /* of a record's id with its NUL */
	MTASTS_POLICY_MOST = 65536,    /* bytes of a policy */
	MTASTS_MX_MOST = 100,          /* patterns of a policy */
	MTASTS_AGE_MOST = 31557600     /* seconds: the longest max_age there is */
};

/* What the TXT records of _mta-sts.DOMAIN say together. Zeroed before the first one. */
struct mtasts_record {
	unsigned n;                    /* records that begin with "v=STSv1;"; others are somebody else's */
	char id[MTASTS_ID_SIZE];       /* of the last of them; "": it is malformed */
};

/* Take the text of one more TXT record, its strings one behind the other. */
void mtasts_add_record(struct mtasts_record *record, struct str text);

/* Is there a policy to be had? Only where exactly one record is for us, and well-formed (RFC 8461 3.1). */
bool mtasts_has_policy(const struct mtasts_record *record);

/* Is it an id, 1 to 32 letters and digits? */
bool mtasts_is_id(struct str text);

enum mtasts_mode {
	MTASTS_NONE,
	MTASTS_TESTING,                /* deliver whatever the policy says, and report it */
	MTASTS_ENFORCE                 /* only to hosts of the policy, with a certificate that is valid for their names */
};

struct mtasts_policy {
	enum mtasts_mode mode;
	int64_t max_age;               /* seconds */
	struct buf mx;                 /* the patterns in lower case, each with '\n' behind; owned */
	size_t n_mx;
};

/* Read a policy; *policy is zeroed. False: EX_DATAERR, err says what is wrong with it and in which line; *policy is empty. */
bool mtasts_parse(struct mtasts_policy *policy, struct str text, struct err *err);

/* Take the next pattern off *rest, which begins as buf_str(&policy->mx). False: no more. */
bool mtasts_next_mx(struct str *rest, struct str *pattern);

/* May mail go to this host (in A-labels)? "*." in a pattern stands for exactly one label (RFC 8461 4.1). */
bool mtasts_allows(const struct mtasts_policy *policy, struct str host);

/* "none", "testing", "enforce". Constant. */
const char *mtasts_mode_name(enum mtasts_mode mode);

/* Append the name that the TXT record of the domain has, and that of the host with its policy. */
void mtasts_add_record_name(struct buf *b, struct str domain);
void mtasts_add_host_name(struct buf *b, struct str domain);

void mtasts_policy_free(struct mtasts_policy *policy);

#endif
