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
	bool is_last_try;     /* a wrong PIN would lock the token, and it was not given */
};

/* Load what the settings name, if they name something, into the credentials, which borrow key until they are freed. A PIN is
 * given once. False: EX_CONFIG. */
bool clientkey_load(struct clientkey *key, gnutls_certificate_credentials_t credentials,
                    const struct tls_settings *settings, struct err *err);

/* The library's question for a PIN (gnutls_pin_callback_t; user is a struct clientkey). 0: `pin` has it. */
int clientkey_give_pin(void *user, int attempt, const char *url, const char *label, unsigned flags, char *pin, size_t most);

#endif
