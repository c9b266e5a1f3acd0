/*
 * body - message data: up to the dot, or so many bytes of a chunk, into the store.
 *
 * Memory does not grow with the message, and no byte is looked at but by memchr.
 */
#ifndef PEER_BODY_H
#define PEER_BODY_H

#include "connection.h"

/* What was wrong with lines behind DATA; each is logged once per message. */
struct violations {
	bool has_bare_cr;
	bool has_bare_lf;
	bool has_long_line;
};

/* Receive up to the final dot. False: the session is over. */
bool body_until_dot(struct connection *connection, struct violations *violations);

/* Receive a chunk; it is thrown away unless wanted. False: the session is over. */
bool body_chunk(struct connection *connection, unsigned long long size, bool is_wanted);

#endif
