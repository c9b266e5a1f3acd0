/* trust.h - the certification authorities we trust, read only as far as one chain needs them.
 *
 * A bundle holds some 140 authorities; importing them all costs more than the whole rest of a session. Here the
 * file is scanned for certificates whose subject is the issuer or the subject of a member of the peer's chain, byte
 * for byte (as the library compares names), and only these are imported. No other authority can have a part in the
 * verdict. In a folder the files are scanned that may hold such a certificate (folder.h). */

#ifndef NET_TRUST_H
#define NET_TRUST_H

#include <gnutls/x509.h>
#include <stddef.h>

#include "base/err.h"

/* The peer's certificates as sent, the peer's own first. */
struct chain {
	gnutls_x509_crt_t *certificates; /* owned, each of them too */
	unsigned n;
};

void chain_free(struct chain *chain);

/* Open the PEM file, or the folder of PEM files, of authorities: a path, or "system" (also NULL) for the first bundle that
 * exists. *path (borrowed) is its name. False: EX_CONFIG. */
bool trust_open(const char *trust_file, int *fd, const char **path, struct err *err);

/* Read fd, a file to its end or a folder, and add the authorities that matter for the chain to the list. False (EX_CONFIG):
 * it, or a file in it that may matter, cannot be read, or there is no certificate at all. path is for the error. */
bool trust_collect(int fd, const char *path, const struct chain *chain, gnutls_x509_trust_list_t list,
                   struct err *err);

/* Read all revocation lists (PEM) of the file into the list. False: EX_CONFIG, also when one of them is out of
 * date. */
bool trust_add_crl(gnutls_x509_trust_list_t list, const char *path, struct err *err);

#endif
