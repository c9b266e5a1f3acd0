/* policy_words.h - words for what deliver/policy.h finds, for the tests that print it. */

#ifndef UNIT_POLICY_WORDS_H
#define UNIT_POLICY_WORDS_H

#include "deliver/policy.h"

static const char *const policy_sources[] = {
	[POLICY_FROM_NOWHERE] = "nowhere", [POLICY_FROM_CACHE] = "cache", [POLICY_FROM_HOST] = "host"
};

/* RFC 8460 4.3.2.2. */
static const char *const policy_faults[] = {
	[POLICY_GOOD] = "good",
	[POLICY_UNREACHABLE] = "sts-policy-fetch-error",
	[POLICY_INVALID] = "sts-policy-invalid",
	[POLICY_UNTRUSTED] = "sts-webpki-invalid",
};

#endif
