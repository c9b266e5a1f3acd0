/* digest.c - fingerprints of certificates and pins of keys. Pure. */

#include "config.h"

#include "base/base64.h"
#include "net/digest.h"
#include "net/gnutls.h"

/* Characters of a SHA-256 digest in base64. */
enum { BASE64_SIZE = 44 };

/* The value of a hex digit, -1 for others. */
static int
hex_value(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Append the bytes of hex digits; ':' and blanks may stand between bytes. */
static bool
parse_hex(struct str text, struct buf *b)
{
	while (text.size > 0) {
		int high;
		int low;

		if (text.data[0] == ':' || ascii_is_blank(text.data[0])) {
			text = str_from(text, 1);
			continue;
		}
		high = hex_value(text.data[0]);
		low = text.size > 1 ? hex_value(text.data[1]) : -1;
		if (high < 0 || low < 0)
			return false;
		buf_add_char(b, (char)(high << 4 | low));
		text = str_from(text, 2);
	}
	return true;
}

bool
digest_take_word(struct str *text, struct str word)
{
	struct str rest = *text, first = {0};

	if (!str_next_word(&rest, &first) || !str_equals_nocase(first, word))
		return false;
	*text = rest;
	return true;
}

gnutls_digest_algorithm_t
digest_of_size(size_t size)
{
	switch (size) {
	case 16:
		return GNUTLS_DIG_MD5;
	case 20:
		return GNUTLS_DIG_SHA1;
	case DIGEST_SHA256_SIZE:
		return GNUTLS_DIG_SHA256;
	default:
		return GNUTLS_DIG_UNKNOWN;
	}
}

bool
digest_parse_fingerprint(struct str text, struct buf *b, struct err *err)
{
	if (parse_hex(text, b) && digest_of_size(b->size) != GNUTLS_DIG_UNKNOWN)
		return true;
	return err_set(err, EX_CONFIG,
	               "tls_fingerprint must be the 64, 40 or 32 hex digits of a SHA256, SHA1 or MD5 digest");
}

static bool
parse_pin(struct str text, struct buf *b)
{
	size_t before = b->size;

	if (!str_starts_with_nocase(text, STR("sha256/")))
		return parse_hex(text, b) && b->size == before + DIGEST_SHA256_SIZE;
	text = str_from(text, STR("sha256/").size);
	/* "sha256//" as curl writes it, but the digest may begin with '/' as well. */
	if (str_starts_with(text, STR("/")) && text.size > BASE64_SIZE)
		text = str_from(text, 1);
	return base64_decode(b, text) && b->size == before + DIGEST_SHA256_SIZE;
}

bool
digest_parse_pins(struct str text, struct buf *b, struct err *err)
{
	while (text.size > 0) {
		struct str part = {0};
		struct str pin = {0};

		(void)str_next_token(&text, ',', &part);
		while (str_next_word(&part, &pin))
			if (!parse_pin(pin, b))
				return err_set(
					err, EX_CONFIG,
					"tls_pin has a part that is neither sha256/BASE64 nor 64 hex digits: %.*s",
					STR_ARG(pin));
	}
	return b->size > 0 || err_set(err, EX_CONFIG, "tls_pin is empty");
}

bool
digest_export_key(gnutls_x509_crt_t certificate, gnutls_datum_t *der)
{
	gnutls_pubkey_t key = NULL;
	bool is_good;

	if (gnutls_pubkey_init(&key) < 0)
		return false;
	is_good = gnutls_pubkey_import_x509(key, certificate, 0) >= 0 &&
	          gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, der) >= 0;
	gnutls_pubkey_deinit(key);
	return is_good;
}

bool
digest_of_key(gnutls_x509_crt_t certificate, unsigned char octets[DIGEST_SHA256_SIZE])
{
	gnutls_datum_t der = {0};
	bool is_good = digest_export_key(certificate, &der) &&
	               gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, octets) >= 0;

	gnutls_free(der.data);
	return is_good;
}

void
digest_add_pin(const unsigned char octets[DIGEST_SHA256_SIZE], struct buf *b)
{
	buf_add_text(b, "sha256/");
	base64_encode(b, str_make((const char *)octets, DIGEST_SHA256_SIZE));
}
