/*
 * sasl - the server's side of those mechanisms that libgsasl has: DIGEST-MD5, SCRAM and ANONYMOUS. No I/O.
 */
#ifndef PEER_SASL_H
#define PEER_SASL_H

#include <gsasl.h>

#include "connection.h"

struct sasl {
	const struct connection *connection;
	Gsasl *library;
	Gsasl_session *session;
	struct text exporter; /* base64 of the channel binding data of this TLS session; empty: none */
	struct text unique;
};

enum sasl_result { SASL_MORE, SASL_DONE, SASL_REFUSED, SASL_MALFORMED };

/* Begin an exchange; sasl->connection is set by the caller. False: libgsasl does not have the mechanism. */
bool sasl_begin(struct sasl *sasl, const char *mechanism);

/* Take a response and replace `challenge`. SASL_DONE: the client is in, once it has got what is in `challenge`. */
enum sasl_result sasl_step(struct sasl *sasl, const struct text *response, struct text *challenge);

/* Who the client says it is; "" when it does not. */
const char *sasl_user(const struct sasl *sasl);

void sasl_end(struct sasl *sasl);

#endif
