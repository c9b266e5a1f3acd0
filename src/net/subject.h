/* subject.h - the subject of a certificate, found in its DER without parsing the rest, and the number under which a folder
 * of certificates files it. */

#ifndef NET_SUBJECT_H
#define NET_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* The subject of the certificate (RFC 5280 4.1) as DER, borrowed from der; false when der is none, or ends before the
 * subject does. */
bool subject_find(struct str der, struct str *subject);

/* The hash of a name in DER as OpenSSL has it since 1.0 (`openssl x509 -subject_hash`): of its canonical form, in which
 * case and runs of blanks do not matter. Needs GnuTLS loaded. False: the name cannot be parsed. */
bool subject_hash(struct str name, uint32_t *hash);

#endif
