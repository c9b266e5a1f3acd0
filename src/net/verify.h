/* verify.h - is the peer who it should be? The decision, taken inside the handshake, before anything is sent.
 *
 * What the settings ask for is prepared first, so that a mistake in them shows before the peer is spoken to. */

#ifndef NET_VERIFY_H
#define NET_VERIFY_H

#include <gnutls/gnutls.h>

#include "base/err.h"
#include "net/name.h"
#include "net/tls.h"

/* A zeroed verifier may be freed. */
struct verifier {
	const struct tls_settings *settings;          /* borrowed */
	gnutls_certificate_credentials_t credentials; /* borrowed; they own the trust list once there is one */
	struct buf host;                              /* the name expected, as an A-label; empty: an address is */
	struct name_address address;
	struct buf fingerprint; /* digest of the certificate expected; empty: none */
	struct buf pins;        /* digests of keys, 32 bytes each; empty: none */
	bool has_trust_file;
	int trust_fd;
	const char *trust_path;        /* borrowed */
	gnutls_x509_trust_list_t list; /* holds the CRL; NULL once the credentials own it */
	bool is_decided;               /* verify_peer said yes */
	const char *means;             /* by which, as tls_facts.verified_by; constant */
};

/* Read the settings (borrowed until verify_free). False: EX_CONFIG. */
bool verify_prepare(struct verifier *verifier, const struct tls_settings *settings,
                    gnutls_certificate_credentials_t credentials, struct err *err);

/* Judge the certificates the peer of the session sent. False: EX_UNAVAILABLE, or EX_CONFIG for the trust file. */
bool verify_peer(struct verifier *verifier, gnutls_session_t session, struct err *err);

void verify_free(struct verifier *verifier);

#endif
