/*
 * tls - the server side of TLS as the options want it. No I/O but reading the files named in the options.
 */
#ifndef PEER_TLS_H
#define PEER_TLS_H

#include <gnutls/gnutls.h>

#include "options.h"

struct tls {
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key; /* empty: no tickets */
	bool asks_client;
};

/*
 * Read or make the certificates; without a file they are made in memory. False: *problem tells why not. When TLS is not
 * wanted only those are made that the options want written.
 */
bool tls_prepare(struct tls *tls, const struct options *options, bool is_wanted, const char **problem);

/* A session for one handshake; the caller's. NULL: no memory. */
gnutls_session_t tls_session(const struct tls *tls);

/* Append "TLS1.3 CIPHER", and the server name the client asked for. */
void tls_describe(gnutls_session_t session, struct text *text);

/* Append the common name of the client's certificate if it was verified. False: none, or not good. */
bool tls_client_name(const struct tls *tls, gnutls_session_t session, struct text *name);

void tls_free(struct tls *tls);

#endif
