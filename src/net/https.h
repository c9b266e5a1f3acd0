/* https.h - one GET by HTTPS, by libcurl; for documents that a domain publishes about its mail.
 *
 * Nothing is sent before the server's certificate is judged, by the same rules as those of mail servers (net/verify.h): always,
 * there is no way around it. TLS 1.2 or newer. No redirect is followed, nothing is taken from the environment (proxies), from
 * .netrc, from a cache; no cookie and no login is sent. The name is looked up by net/lookup.h. libcurl is loaded by the first
 * call; it must be the one that uses GnuTLS. */

#ifndef NET_HTTPS_H
#define NET_HTTPS_H

#include <stdint.h>

#include "base/err.h"

struct https_request {
	const char *host;       /* whom the certificate must be for; in A-labels */
	const char *path;       /* begins with a slash */
	const char *connect;    /* ADDRESS:PORT, or [ADDRESS]:PORT, to connect to instead of the host's port 443. NULL: none */
	const char *trust_file; /* "system" (also NULL), or a path of PEM certificates */
	size_t most;            /* bytes of the body */

	/* A SOCKS5 proxy, which looks the host's name up. */
	const char *proxy_host; /* NULL: none */
	int proxy_port;
	const char *proxy_user; /* NULL: no login */
	const char *proxy_password;
};

enum https_fault {
	HTTPS_GOOD,
	HTTPS_UNREACHABLE,      /* everything but the next two: no address, no answer, no TLS, no libcurl */
	HTTPS_UNTRUSTED,        /* the certificate */
	HTTPS_REFUSED           /* a status other than 200 (a redirect is one), or a body larger than `most` */
};

struct https_response {
	enum https_fault fault;
	int status;              /* of HTTP; 0: none came */
	struct buf content_type; /* the field as it came, cleaned; empty: there is none */
	struct buf body;         /* whole; only when all went well */
};

/* Get https://HOST/PATH before the deadline; *response is zeroed. True: the status was 200, and the whole body is there. False:
 * EX_UNAVAILABLE (the certificate, with what is wrong with it; a status other than 200; libcurl is missing, with a hint),
 * EX_DATAERR (body too large), EX_NOHOST, EX_TEMPFAIL (deadline, connection), EX_PROTOCOL (TLS or HTTP are broken), EX_CONFIG
 * (connect, trust_file). err names the address that was asked for; response->fault says whose fault it is. */
bool https_get(const struct https_request *request, int64_t deadline, struct https_response *response, struct err *err);

/* Is text an address and a port as `connect` wants them? */
bool https_is_connect(const char *text);

void https_response_free(struct https_response *response);

/* Version text of libcurl for --version, or why there is none. Constant. */
const char *https_library_version(void);

#endif
