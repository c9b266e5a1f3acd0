/* reason.h - why a certificate is refused, in words: what is wrong, what was expected and presented, and what mends
 * it. Pure but for the clock. */

#ifndef NET_REASON_H
#define NET_REASON_H

#include "base/err.h"
#include "net/staple.h"
#include "net/tls.h"
#include "net/trust.h"

/* What was found out about a chain. */
struct reason {
	const struct chain *chain;
	const char *host;     /* the name or address expected */
	unsigned status;      /* gnutls_certificate_status_t bits; 0: trusted */
	bool is_name_wrong;   /* the host is not among the certificate's names */
	enum staple_state staple; /* what there is of OCSP responses */
	bool is_of_others;        /* as in struct tls_settings */
	const char *staple_fault; /* what is wrong with one: STAPLE_LATE, STAPLE_BAD */
	bool is_staple_missing;   /* one was demanded by the settings and is not there */
};

/* True when nothing is wrong. False: EX_UNAVAILABLE with everything that is wrong, and a hint. */
bool reason_check(const struct reason *reason, struct err *err);

/* The same in one word. */
enum tls_fault reason_fault(const struct reason *reason);

#endif
