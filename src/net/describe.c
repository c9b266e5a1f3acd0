/* describe.c - certificates in words; the layout of msmtp's --serverinfo, whose fingerprint lines people copy.
 * Pure. */

#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "net/describe.h"
#include "net/digest.h"
#include "net/gnutls.h"

enum { NAMES_MOST = 5, DIGEST_MOST = 64 };

static const char subject_alt_name_oid[] = "2.5.29.17";

gnutls_subject_alt_names_t
describe_open_names(gnutls_x509_crt_t certificate)
{
	gnutls_subject_alt_names_t names = NULL;
	gnutls_datum_t extension = {0};
	unsigned is_critical = 0;

	if (gnutls_x509_crt_get_extension_by_oid2(certificate, subject_alt_name_oid, 0, &extension, &is_critical) <
	    0)
		return NULL;
	if (gnutls_subject_alt_names_init(&names) < 0)
		names = NULL;
	if (names != NULL && gnutls_x509_ext_import_subject_alt_names(&extension, names, 0) < 0) {
		gnutls_subject_alt_names_deinit(names);
		names = NULL;
	}
	gnutls_free(extension.data);
	return names;
}

bool
describe_has_name(gnutls_x509_crt_t certificate, struct str host, const struct name_address *address)
{
	gnutls_subject_alt_names_t names = describe_open_names(certificate);
	gnutls_datum_t name = {0};
	unsigned type = 0;
	bool is_found = false;

	for (unsigned i = 0; !is_found && names != NULL; i++) {
		if (gnutls_subject_alt_names_get(names, i, &type, &name, NULL) != 0)
			break;
		if (type == GNUTLS_SAN_DNSNAME)
			is_found = name_matches(str_make((const char *)name.data, name.size), host);
		else if (type == GNUTLS_SAN_IPADDRESS && address->size > 0)
			is_found = name.size == address->size && memcmp(name.data, address->octets, name.size) == 0;
	}
	if (names != NULL)
		gnutls_subject_alt_names_deinit(names);
	return is_found;
}

/* One dNSName or iPAddress in words; false for the other kinds. */
static bool
add_name(unsigned type, const gnutls_datum_t *name, struct buf *b)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (type == GNUTLS_SAN_DNSNAME) {
		err_add_clean(b, str_make((const char *)name->data, name->size));
		return true;
	}
	if (type != GNUTLS_SAN_IPADDRESS || (name->size != 4 && name->size != 16))
		return false;
	if (inet_ntop(name->size == 4 ? AF_INET : AF_INET6, name->data, text, sizeof(text)) == NULL)
		return false;
	buf_add_text(b, text);
	return true;
}

void
describe_names(gnutls_x509_crt_t certificate, struct buf *b)
{
	gnutls_subject_alt_names_t names = describe_open_names(certificate);
	gnutls_datum_t name = {0};
	unsigned type = 0;
	unsigned n_names = 0;

	for (unsigned i = 0; names != NULL && gnutls_subject_alt_names_get(names, i, &type, &name, NULL) == 0;
	     i++) {
		struct buf text = {0};

		if (add_name(type, &name, &text) && n_names++ < NAMES_MOST) {
			buf_add_text(b, n_names > 1 ? ", " : "");
			buf_add_str(b, buf_str(&text));
		}
		buf_free(&text);
	}
	if (names != NULL)
		gnutls_subject_alt_names_deinit(names);
	if (n_names > NAMES_MOST)
		buf_printf(b, " and %u more", n_names - NAMES_MOST);
	if (n_names == 0)
		buf_add_text(b, "no host name (only the subjectAltName counts)");
}

bool
describe_first_name(gnutls_x509_crt_t certificate, struct buf *b)
{
	gnutls_subject_alt_names_t names = describe_open_names(certificate);
	gnutls_datum_t name = {0};
	unsigned type = 0;
	bool is_found = false;

	for (unsigned i = 0; names != NULL && gnutls_subject_alt_names_get(names, i, &type, &name, NULL) == 0;
	     i++) {
		struct str text = str_make((const char *)name.data, name.size);

		/* Equal to itself is only what can be the name of a host. */
		is_found = type == GNUTLS_SAN_DNSNAME && name_matches(text, text);
		if (is_found) {
			err_add_clean(b, text);
			break;
		}
	}
	if (names != NULL)
		gnutls_subject_alt_names_deinit(names);
	return is_found;
}

static void
add_distinguished_name(int code, gnutls_datum_t *text, struct buf *b)
{
	if (code < 0) {
		buf_add_text(b, "(unreadable)");
		return;
	}
	err_add_clean(b, str_make((const char *)text->data, text->size));
	gnutls_free(text->data);
}

void
describe_subject(gnutls_x509_crt_t certificate, struct buf *b)
{
	gnutls_datum_t text = {0};

	add_distinguished_name(gnutls_x509_crt_get_dn3(certificate, &text, 0), &text, b);
}

void
describe_fingerprint(gnutls_x509_crt_t certificate, gnutls_digest_algorithm_t digest, struct buf *b)
{
	unsigned char octets[DIGEST_MOST] = {0};
	size_t size = sizeof(octets);

	if (gnutls_x509_crt_get_fingerprint(certificate, digest, octets, &size) < 0)
		size = 0;
	for (size_t i = 0; i < size; i++)
		buf_printf(b, "%s%02X", i > 0 ? ":" : "", octets[i]);
}

void
describe_strength(gnutls_x509_crt_t certificate, struct buf *b)
{
	unsigned bits = 0;
	int key = gnutls_x509_crt_get_pk_algorithm(certificate, &bits);
	int signature = gnutls_x509_crt_get_signature_algorithm(certificate);
	const char *key_name = gnutls_pk_get_name((gnutls_pk_algorithm_t)key);
	const char *signature_name = gnutls_sign_get_name((gnutls_sign_algorithm_t)signature);

	buf_printf(b, "%s with %u bits, signed with %s", key_name != NULL ? key_name : "unknown key", bits,
	           signature_name != NULL ? signature_name : "an unknown algorithm");
}

void
describe_certificate(gnutls_x509_crt_t certificate, struct buf *b)
{
	unsigned char key[DIGEST_SHA256_SIZE] = {0};
	gnutls_datum_t issuer = {0};

	buf_add_text(b, "    Subject:\n        ");
	describe_subject(certificate, b);
	buf_add_text(b, "\n    Names:\n        ");
	describe_names(certificate, b);
	buf_add_text(b, "\n    Issuer:\n        ");
	add_distinguished_name(gnutls_x509_crt_get_issuer_dn3(certificate, &issuer, 0), &issuer, b);
	buf_add_text(b, "\n    Validity:\n        Activation time: ");
	clock_add_date(b, gnutls_x509_crt_get_activation_time(certificate));
	buf_add_text(b, "\n        Expiration time: ");
	clock_add_date(b, gnutls_x509_crt_get_expiration_time(certificate));
	buf_add_text(b, "\n    Fingerprints:\n        SHA256: ");
	describe_fingerprint(certificate, GNUTLS_DIG_SHA256, b);
	buf_add_text(b, "\n        SHA1 (deprecated): ");
	describe_fingerprint(certificate, GNUTLS_DIG_SHA1, b);
	buf_add_char(b, '\n');
	if (!digest_of_key(certificate, key))
		return;
	buf_add_text(b, "    Public key:\n        ");
	digest_add_pin(key, b);
	buf_add_char(b, '\n');
}
