/*
 * socks - the server side of SOCKS5 (RFC 1928, RFC 1929), in front of the session: the peer is its own target.
 *
 * What the client asks for is logged: `* socks user joe`, `* socks connect name mx.example.test port 25`.
 */
#ifndef PEER_SOCKS_H
#define PEER_SOCKS_H

#include "connection.h"

/* Let the client ask for its connection. False: it was refused or broke the rules, and the session is over. */
bool socks_serve(struct connection *connection);

#endif
