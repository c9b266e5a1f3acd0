/*
 * certificate - a small authority for tests: makes a CA, a server certificate, right or wrong in one way, and a client
 * certificate. All in memory, as PEM; only certificate_write does I/O.
 */
#ifndef PEER_CERTIFICATE_H
#define PEER_CERTIFICATE_H

#include <stdbool.h>

#include "options.h"

enum certificate_fault {
	CERTIFICATE_RIGHT,
	CERTIFICATE_EXPIRED,
	CERTIFICATE_NOT_YET,
	CERTIFICATE_WRONG_NAME,  /* wrong.example.invalid */
	CERTIFICATE_SELF_SIGNED, /* ca.pem is another one */
	CERTIFICATE_CN_ONLY,     /* no alternative names */
	CERTIFICATE_CLIENT_EKU,  /* only fit for clients */
	CERTIFICATE_RSA1024,
	CERTIFICATE_SHA1,
	CERTIFICATE_NUL_SAN,     /* each name followed by NUL and .evil.example */
	CERTIFICATE_IP_AS_DNS,   /* addresses stand in names of type DNS */
	CERTIFICATE_WILDCARD,    /* *.example.test */
	CERTIFICATE_UNKNOWN_CA,  /* ca.pem is another one than the issuer */
	CERTIFICATE_CA_FALSE,    /* the issuer is issued by the CA, but no CA itself */
	CERTIFICATE_MUST_STAPLE, /* and no staple is given */
};

struct certificates {
	struct text ca;
	struct text chain; /* of the server, its own first */
	struct text key;
	struct text client; /* for the user's name, issued by the CA */
	struct text client_key;
};

/* Make all of them as options say: names, fault, user. False: *problem tells why not. */
bool certificate_make(struct certificates *certificates, const struct options *options, const char **problem);

/* Write them into the directory, which is made if it does not exist. False: errno tells why not. */
bool certificate_write(const struct certificates *certificates, const char *directory);

void certificate_free(struct certificates *certificates);

#endif
