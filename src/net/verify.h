/* verify.h - is the peer who it should be? The decision, taken inside the handshake, before anything is sent.
 *
 * The settings make demands on the certificate. Exactly one of them is the ground on which the peer is believed (its
 * authorities and name; its fingerprint; its key; that it was met before; or, with the check switched off, nothing); others
 * may come in addition. All of them must be met.
 *
 * What the settings ask for is prepared first, so that a mistake in them shows before the peer is spoken to. */

#ifndef NET_VERIFY_H
#define NET_VERIFY_H

#include <gnutls/gnutls.h>

#include "base/err.h"
#include "net/digest.h"
#include "net/name.h"
#include "net/tls.h"

/* A zeroed verifier may be freed. */
struct verifier {
	const struct tls_settings *settings;          /* borrowed */
	gnutls_certificate_credentials_t credentials; /* borrowed; they own the trust list once there is one */
	struct buf host;                              /* the name expected, as an A-label; empty: an address is */
	struct name_address address;
	unsigned demands;       /* bits of the table in verify.c; 0: nothing was prepared, nobody is believed */
	struct buf fingerprint; /* digest of the certificate expected; empty: none */
	struct buf pins;        /* digests of keys, 32 bytes each; empty: none */
	bool has_trust_file;
	int trust_fd;
	const char *trust_path;        /* borrowed */
	gnutls_x509_trust_list_t list; /* holds the CRL; once the credentials have it, it is theirs */
	bool is_list_given;
	unsigned char key[DIGEST_SHA256_SIZE]; /* of the peer, when is_new */
	bool is_new;                           /* it was not met before: verify_remember() has work to do */
	bool is_decided;                       /* verify_peer said yes */
	enum tls_fault fault;                  /* why it said no, or would have said it */
};

/* Read the settings (borrowed until verify_free). False: EX_CONFIG. */
bool verify_prepare(struct verifier *verifier, const struct tls_settings *settings,
                    gnutls_certificate_credentials_t credentials, struct err *err);

/* Judge the certificates the peer of the session sent. False: EX_UNAVAILABLE, or EX_CONFIG for the trust file. */
bool verify_peer(struct verifier *verifier, gnutls_session_t session, struct err *err);

/* The handshake has come to its end, so that the peer has its key for sure: remember it, if it is new. False: it cannot be;
 * then the peer is not to be believed either (known_add). */
bool verify_remember(struct verifier *verifier, struct err *err);

/* What the peer was believed for, as tls_facts.verified_by. Constant. */
const char *verify_means(const struct verifier *verifier);

void verify_free(struct verifier *verifier);

#endif
