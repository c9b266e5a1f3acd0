/*
 * ehlo - what the peer offers at this point of a session. No I/O.
 */
#ifndef PEER_EHLO_H
#define PEER_EHLO_H

#include "connection.h"

/* Append the lines of the reply to EHLO, CRLF between them, none at the end. */
void ehlo_lines(const struct connection *connection, struct text *reply);

/* Whether this keyword is offered now. */
bool ehlo_offers(const struct connection *connection, const char *keyword);

/* The size limit of messages in bytes; 0: none. */
unsigned long long ehlo_size_limit(const struct connection *connection);

/* Whether the mechanism may be used now. */
bool ehlo_offers_mechanism(const struct connection *connection, const char *name, size_t size);

#endif
