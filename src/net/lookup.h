/* lookup.h - the addresses of a host, found before a deadline.
 *
 * getaddrinfo(3) honours /etc/hosts, mDNS and whatever else the system is set up with, but knows no deadline; so it
 * runs in a child process. Address literals need none, nor does localhost: it is 127.0.0.1 and ::1 (RFC 6761
 * 6.3). */

#ifndef NET_LOOKUP_H
#define NET_LOOKUP_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

enum { LOOKUP_MOST = 40 }; /* addresses kept of one host */

struct endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t size;
};

struct lookup {
	struct endpoint endpoints[LOOKUP_MOST]; /* best first, as the system sorts (RFC 6724) */
	size_t n;
};

/* Fill *found with the addresses of host (a name, in UTF-8 if need be, or a literal without brackets), each with
 * the port. False: EX_NOHOST (no such name, or it has no address), EX_TEMPFAIL (the look-up failed for now or the
 * deadline passed). */
bool lookup_host(const char *host, int port, int64_t deadline, struct lookup *found, struct err *err);

/* A literal (IPv6 with a zone, too) as an endpoint. False when text is none; no process, no network. */
bool lookup_literal(const char *text, int port, struct endpoint *endpoint);

/* Append the numeric address without its port: "127.0.0.1", "::1". */
void lookup_add_text(const struct endpoint *endpoint, struct buf *b);

/* Does the address belong to this machine itself (127/8, ::1)? */
bool lookup_is_loopback(const struct endpoint *endpoint);

#endif
