/* connect.h - a connected socket: addresses raced (RFC 8305), SOCKS5 (RFC 1928, 1929), unix sockets; everything
 * ends at the deadline. */

#ifndef NET_CONNECT_H
#define NET_CONNECT_H

#include <stdint.h>

#include "base/err.h"

struct lookup;

struct connect_target {
	const char *host; /* name or address literal without brackets */
	const struct lookup *found; /* its addresses; NULL: they are looked up. Not with a proxy */
	int port;
	const char *socket;     /* unix socket path; overrides all others. NULL: none */
	const char *source_ip;  /* literal to bind to; addresses of the other family are skipped. NULL: none */
	const char *proxy_host; /* SOCKS5; the proxy resolves the host's name. NULL: none */
	int proxy_port;
	const char *proxy_user; /* NULL: no authentication offered */
	const char *proxy_password;
	const char *avoid;      /* addresses not to be tried, as in connection.address, separated by blanks. NULL: none */
};

struct connection {
	int fd;           /* non-blocking, close-on-exec, TCP_NODELAY; owned */
	char address[64]; /* numeric address of the peer (of the proxy, if one is used), "" for a unix socket */
	bool has_no_other;          /* after false: the host has no address but those to be avoided */
	bool is_loopback; /* the peer is this machine (127/8, ::1, unix socket) and there is no proxy */
};

/* Connect before the absolute deadline. Name look-up happens in a child process and ends at the deadline too.
 * False: EX_NOHOST (the name does not exist), EX_TEMPFAIL (refused, timed out, look-up failed for now: each address
 * that was tried with its reason is in the text), EX_CONFIG (source_ip is no address). */
bool connect_to(const struct connect_target *target, int64_t deadline, struct connection *connection,
                struct err *err);

#endif
