/* digest.h - fingerprints of certificates and pins of keys, as text and as bytes. Pure. */

#ifndef NET_DIGEST_H
#define NET_DIGEST_H

#include <gnutls/x509.h>

#include "base/err.h"

enum { DIGEST_SHA256_SIZE = 32 };

/* Append the bytes of a fingerprint: hex digits, ':' or blanks between bytes allowed, as long as SHA-256, SHA-1 or
 * MD5. False: EX_CONFIG. */
bool digest_parse_fingerprint(struct str text, struct buf *b, struct err *err);

/* Append the 32 bytes of each pin, separated by commas or blanks: "sha256/BASE64", "sha256//BASE64" or hex. False:
 * EX_CONFIG. */
bool digest_parse_pins(struct str text, struct buf *b, struct err *err);

/* Take the word, which a blank must follow, off the front of *text. False: it is not there. */
bool digest_take_word(struct str *text, struct str word);

/* The algorithm whose digests have this size: SHA-256, SHA-1 or MD5. */
gnutls_digest_algorithm_t digest_of_size(size_t size);

/* The certificate's SubjectPublicKeyInfo in DER; to be freed with gnutls_free. */
bool digest_export_key(gnutls_x509_crt_t certificate, gnutls_datum_t *der);

/* SHA-256 of the certificate's SubjectPublicKeyInfo (RFC 7469 2.4). */
bool digest_of_key(gnutls_x509_crt_t certificate, unsigned char octets[DIGEST_SHA256_SIZE]);

/* Append a pin as digest_parse_pins reads it: "sha256/BASE64". */
void digest_add_pin(const unsigned char octets[DIGEST_SHA256_SIZE], struct buf *b);

#endif
