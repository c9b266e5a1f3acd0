/* anchor.h - a trust anchor that is nothing but a key and a name (RFC 5280 6.1.1), in the form the library can use. Pure. */

#ifndef NET_ANCHOR_H
#define NET_ANCHOR_H

#include <gnutls/x509.h>

#include "base/str.h"

/* Wrap the key (a SubjectPublicKeyInfo in DER) in a certificate of an authority with this name (a Name in DER). It has no dates
 * that could be over, and no signature worth the name: it is good for a list of trust anchors and for nothing else. The
 * certificate is the caller's; false: there is no key or no name in what was given. */
bool anchor_of_key(struct str key, struct str name, gnutls_x509_crt_t *certificate);

#endif
