/* describe.h - certificates in words, for errors and for people. All text is cleaned. Pure. */

#ifndef NET_DESCRIBE_H
#define NET_DESCRIBE_H

#include <gnutls/x509-ext.h>
#include <gnutls/x509.h>
#include <time.h>

#include "base/buf.h"
#include "net/name.h"

/* The subjectAltName of a certificate; NULL when there is none, or it cannot be parsed. Free with
 * gnutls_subject_alt_names_deinit. */
gnutls_subject_alt_names_t describe_open_names(gnutls_x509_crt_t certificate);

/* Is the host (an A-label; empty: none) or the address among the names of the certificate? The common name does not
 * count. */
bool describe_has_name(gnutls_x509_crt_t certificate, struct str host, const struct name_address *address);

/* Append the names a certificate was issued for: "a.example, *.b.example, 192.0.2.1 and 7 more"; says so if
 * there are none. */
void describe_names(gnutls_x509_crt_t certificate, struct buf *b);

/* Append the first name that could be given as the name of a host (a dNSName without wildcard). False: there is
 * none. */
bool describe_first_name(gnutls_x509_crt_t certificate, struct buf *b);

/* Append the distinguished name of the subject. */
void describe_subject(gnutls_x509_crt_t certificate, struct buf *b);

/* Append the digest of the whole certificate as "AB:CD:...". */
void describe_fingerprint(gnutls_x509_crt_t certificate, gnutls_digest_algorithm_t digest, struct buf *b);

/* Append the kind of its key and signature: "RSA with 1024 bits, signed with RSA-SHA1". */
void describe_strength(gnutls_x509_crt_t certificate, struct buf *b);

/* Append several indented lines: subject, issuer, validity, names, fingerprints, the digest of its key. */
void describe_certificate(gnutls_x509_crt_t certificate, struct buf *b);

#endif
