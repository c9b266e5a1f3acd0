/* anchor.c - a certificate in DER (X.690) around a bare key. Pure. */

#include "config.h"

#include "base/buf.h"
#include "net/anchor.h"
#include "net/gnutls.h"

enum { TAG_BIT_STRING = 0x03, TAG_SEQUENCE = 0x30, LENGTH_LONG = 0x80 };

/* [0] { INTEGER 2 }: version 3; INTEGER 1: the serial number. */
static const char version_and_serial[] = "\xa0\x03\x02\x01\x02\x02\x01\x01";

/* ecdsa-with-SHA256. */
static const char algorithm[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";

/* From 1950 until the date that means "never" (RFC 5280 4.1.2.5). */
static const char validity[] = "\x30\x20\x17\x0d"
			       "500101000000Z"
			       "\x18\x0f"
			       "99991231235959Z";

/* [3] { SEQUENCE { basicConstraints, critical, { cA TRUE } } } */
static const char constraints[] = "\xa3\x13\x30\x11\x30\x0f\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff";

static void
add_literal(struct buf *b, const char *octets, size_t size_with_nul)
{
	buf_add(b, octets, size_with_nul - 1);
}

static void
add_element(struct buf *b, unsigned char tag, const struct buf *content)
{
	unsigned n_more = 0;

	for (size_t size = content->size; size > 0; size >>= 8)
		n_more++;
	buf_add_char(b, (char)tag);
	if (content->size >= LENGTH_LONG)
		buf_add_char(b, (char)(LENGTH_LONG | n_more));
	else
		n_more = 1;
	while (n_more-- > 0)
		buf_add_char(b, (char)(content->size >> (8 * n_more)));
	buf_add_str(b, buf_str(content));
}

/* The part that is signed, in other certificates. */
static void
add_signed_part(struct buf *b, struct str key, struct str name)
{
	struct buf part = {0};

	add_literal(&part, version_and_serial, sizeof(version_and_serial));
	add_literal(&part, algorithm, sizeof(algorithm));
	buf_add_str(&part, name);
	add_literal(&part, validity, sizeof(validity));
	buf_add_str(&part, name);
	buf_add_str(&part, key);
	add_literal(&part, constraints, sizeof(constraints));
	add_element(b, TAG_SEQUENCE, &part);
	buf_free(&part);
}

bool
anchor_of_key(struct str key, struct str name, gnutls_x509_crt_t *certificate)
{
	struct buf part = {0};
	struct buf signature = {0};
	struct buf whole = {0};
	gnutls_datum_t der;
	bool is_good;

	add_signed_part(&part, key, name);
	add_literal(&part, algorithm, sizeof(algorithm));
	/* No unused bits, and one octet of zeros for a signature. */
	buf_add(&signature, "\0\0", 2);
	add_element(&part, TAG_BIT_STRING, &signature);
	add_element(&whole, TAG_SEQUENCE, &part);
	der = (gnutls_datum_t){.data = (unsigned char *)whole.data, .size = (unsigned)whole.size};
	is_good = gnutls_x509_crt_init(certificate) >= 0;
	if (is_good && gnutls_x509_crt_import(*certificate, &der, GNUTLS_X509_FMT_DER) < 0) {
		gnutls_x509_crt_deinit(*certificate);
		is_good = false;
	}
	buf_free(&part);
	buf_free(&signature);
	buf_free(&whole);
	return is_good;
}
