/* staple.h - the stapled OCSP responses (RFC 6066 8, RFC 6960) of a session: a response that is there must be good. */

#ifndef NET_STAPLE_H
#define NET_STAPLE_H

#include <gnutls/gnutls.h>

#include "net/trust.h"

enum staple_state {
	STAPLE_NONE, /* the server sent none about its own certificate */
	STAPLE_GOOD,
	STAPLE_LATE, /* one is not of today; perhaps the clock is wrong */
	STAPLE_BAD   /* one is not about its certificate, not of its issuer, or does not say that all is well */
};

/* Look at the responses about the certificates of the chain (TLS 1.3 may have one for each). `list` are the authorities
 * trusted, the chain's own issuers among them. *fault gets what is wrong with STAPLE_LATE and STAPLE_BAD. Reads the
 * clock. */
enum staple_state staple_check(gnutls_session_t session, const struct chain *chain, gnutls_x509_trust_list_t list,
                               struct buf *fault);

#endif
