/* clientkey.h - the certificate that a client shows, and its key, from files or from a token (PKCS #11). */

#ifndef NET_CLIENTKEY_H
#define NET_CLIENTKEY_H

#include <gnutls/gnutls.h>

#include "base/err.h"
#include "net/tls.h"

/* What a token may ask for. */
struct clientkey {
	const char *password; /* borrowed until the handshake is over; NULL: none */
	bool is_pin_wanted;   /* a token or a file asked for one */
	bool is_pin_refused;  /* the one that was given */
};

/* Load what the settings name, if they name something, into the credentials, which borrow key until they are freed. A PIN is
 * given once. False: EX_CONFIG. */
bool clientkey_load(struct clientkey *key, gnutls_certificate_credentials_t credentials,
                    const struct tls_settings *settings, struct err *err);

#endif
