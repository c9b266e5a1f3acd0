/* socks.h - the SOCKS5 handshake on a connected socket (RFC 1928; user/password RFC 1929). The proxy resolves
 * names. */

#ifndef NET_SOCKS_H
#define NET_SOCKS_H

#include "net/connect.h"

/* Ask the proxy behind fd (non-blocking) to connect to target's host and port, before the deadline. False:
 * EX_TEMPFAIL for what may go away (network or host unreachable, refused, TTL), EX_CONFIG for rejected credentials
 * or method, EX_PROTOCOL for nonsense. */
bool socks_connect(int fd, const struct connect_target *target, int64_t deadline, struct err *err);

#endif
