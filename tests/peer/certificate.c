/*
 * certificate - a small authority for tests: makes a CA, a server certificate, right or wrong in one way, and a client
 * certificate.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "certificate.h"

#define DAY (24L * 60 * 60)

/* A certificate with its key, and whatever is wrong with it. */
struct identity {
	const char *common_name;
	gnutls_x509_crt_t certificate;
	gnutls_x509_privkey_t key;
	const struct list *names; /* NULL: no alternative names */
	enum certificate_fault fault;
	bool is_authority;
	bool is_client;
};

static const struct list default_names = {.items = {"localhost", "127.0.0.1", "::1"}, .n = 3};

static void
free_identity(struct identity *identity)
{
	if (identity->certificate != NULL)
		gnutls_x509_crt_deinit(identity->certificate);
	if (identity->key != NULL)
		gnutls_x509_privkey_deinit(identity->key);
	*identity = (struct identity){0};
}

/* Append tag, length and value in DER; values are below 64 KiB. */
static void
append_der(struct text *text, unsigned tag, const void *value, size_t size)
{
	unsigned char head[4] = {(unsigned char)tag, 0x82, (unsigned char)(size >> 8), (unsigned char)size};

	if (size < 128) {
		head[1] = (unsigned char)size;
		text_append(text, head, 2);
	} else {
		text_append(text, head, 4);
	}
	text_append(text, value, size);
}

static void
append_name(struct text *names, const char *name, enum certificate_fault fault)
{
	static const char evil[] = "\0.evil.example";
	unsigned char address[16] = {0};
	struct text dns = {0};
	bool is_v4 = inet_pton(AF_INET, name, address) == 1;

	if (fault != CERTIFICATE_IP_AS_DNS && (is_v4 || inet_pton(AF_INET6, name, address) == 1)) {
		append_der(names, 0x87, address, is_v4 ? 4 : 16);
		return;
	}
	text_add(&dns, name);
	if (fault == CERTIFICATE_NUL_SAN)
		text_append(&dns, evil, sizeof(evil) - 1);
	append_der(names, 0x82, dns.bytes, dns.size);
	text_free(&dns);
}

/* Written by hand, as the library refuses the names an attacker would use. */
static int
set_alternative_names(const struct identity *identity)
{
	struct text names = {0};
	struct text sequence = {0};
	int result = 0;

	if (identity->fault == CERTIFICATE_WRONG_NAME) {
		append_name(&names, "wrong.example.invalid", identity->fault);
	} else if (identity->fault == CERTIFICATE_WILDCARD) {
		append_name(&names, "*.example.test", identity->fault);
	} else {
		for (size_t i = 0; i < identity->names->n; i++)
			append_name(&names, identity->names->items[i], identity->fault);
	}
	append_der(&sequence, 0x30, names.bytes, names.size);
	result = gnutls_x509_crt_set_extension_by_oid(identity->certificate, "2.5.29.17", sequence.bytes,
						      sequence.size, 0);
	text_free(&names);
	text_free(&sequence);
	return result;
}

static int
set_validity(const struct identity *identity)
{
	time_t now = time(NULL);
	time_t from = now - DAY;
	time_t until = now + 3650 * DAY;
	int result = 0;

	if (identity->fault == CERTIFICATE_EXPIRED) {
		from = now - 30 * DAY;
		until = now - DAY;
	}
	if (identity->fault == CERTIFICATE_NOT_YET)
		from = now + 30 * DAY;
	result = gnutls_x509_crt_set_activation_time(identity->certificate, from);
	return result < 0 ? result : gnutls_x509_crt_set_expiration_time(identity->certificate, until);
}

/* Serial number, name and key identifier. */
static int
set_subject(const struct identity *identity)
{
	gnutls_x509_crt_t certificate = identity->certificate;
	unsigned char serial[16] = {0};
	unsigned char key_id[20] = {0};
	size_t key_id_size = sizeof(key_id);
	int result = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	serial[0] = (unsigned char)((serial[0] & 0x7f) | 1);
	if (result >= 0)
		result = gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial));
	if (result >= 0)
		result = gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0,
						       identity->common_name,
						       (unsigned)strlen(identity->common_name));
	if (result >= 0)
		result = gnutls_x509_crt_set_key(certificate, identity->key);
	if (result >= 0)
		result = gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA1, key_id, &key_id_size);
	if (result >= 0)
		result = gnutls_x509_crt_set_subject_key_id(certificate, key_id, key_id_size);
	return result;
}

static int
set_extensions(const struct identity *identity)
{
	static const unsigned char staple[] = {0x30, 3, 2, 1, 5};
	gnutls_x509_crt_t certificate = identity->certificate;
	unsigned usage = identity->is_authority ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
						: GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT;
	bool is_client = identity->is_client || identity->fault == CERTIFICATE_CLIENT_EKU;
	int result = gnutls_x509_crt_set_basic_constraints(certificate, identity->is_authority, -1);

	if (result >= 0)
		result = gnutls_x509_crt_set_key_usage(certificate, usage);
	if (result >= 0 && !identity->is_authority)
		result = gnutls_x509_crt_set_key_purpose_oid(
			certificate, is_client ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (result >= 0 && identity->names != NULL && identity->fault != CERTIFICATE_CN_ONLY)
		result = set_alternative_names(identity);
	if (result >= 0 && identity->fault == CERTIFICATE_MUST_STAPLE)
		result = gnutls_x509_crt_set_extension_by_oid(certificate, "1.3.6.1.5.5.7.1.24", staple,
							      sizeof(staple), 0);
	return result;
}

/* Make the identity's certificate and key; issuer NULL: it signs itself. Less than 0: a code of GnuTLS. */
static int
issue(struct identity *identity, const struct identity *issuer)
{
	bool is_rsa = identity->fault == CERTIFICATE_RSA1024;
	gnutls_digest_algorithm_t digest =
		identity->fault == CERTIFICATE_SHA1 ? GNUTLS_DIG_SHA1 : GNUTLS_DIG_SHA256;
	int result = gnutls_x509_crt_init(&identity->certificate);

	if (result >= 0)
		result = gnutls_x509_privkey_init(&identity->key);
	if (result >= 0)
		result = gnutls_x509_privkey_generate(identity->key, is_rsa ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA,
						      is_rsa ? 1024
							     : (unsigned)GNUTLS_CURVE_TO_BITS(
								       GNUTLS_ECC_CURVE_SECP256R1),
						      0);
	if (result >= 0)
		result = gnutls_x509_crt_set_version(identity->certificate, 3);
	if (result >= 0)
		result = set_subject(identity);
	if (result >= 0)
		result = set_validity(identity);
	if (result >= 0)
		result = set_extensions(identity);
	if (issuer == NULL)
		issuer = identity;
	if (result >= 0)
		result = gnutls_x509_crt_sign2(identity->certificate, issuer->certificate, issuer->key, digest, 0);
	return result;
}

static int
append_pem(struct text *certificate_text, struct text *key_text, const struct identity *identity)
{
	gnutls_datum_t datum = {0};
	int result = gnutls_x509_crt_export2(identity->certificate, GNUTLS_X509_FMT_PEM, &datum);

	if (result < 0)
		return result;
	text_append(certificate_text, datum.data, datum.size);
	gnutls_free(datum.data);
	if (key_text == NULL)
		return 0;
	result = gnutls_x509_privkey_export2(identity->key, GNUTLS_X509_FMT_PEM, &datum);
	if (result < 0)
		return result;
	text_append(key_text, datum.data, datum.size);
	gnutls_free(datum.data);
	return 0;
}

/* The server's certificate and the chain the fault wants. */
static int
make_server(struct certificates *certificates, const struct options *options, const struct identity *authority)
{
	struct identity between = {.common_name = "peer test issuer"};
	struct identity server = {.fault = (enum certificate_fault)options->certificate_fault};
	const struct identity *issuer = authority;
	int result = 0;

	server.names = options->certificate_names.n != 0 ? &options->certificate_names : &default_names;
	server.common_name = server.names->items[0];
	if (server.fault == CERTIFICATE_SELF_SIGNED)
		issuer = NULL;
	if (server.fault == CERTIFICATE_UNKNOWN_CA || server.fault == CERTIFICATE_CA_FALSE) {
		between.is_authority = server.fault == CERTIFICATE_UNKNOWN_CA;
		result = issue(&between, server.fault == CERTIFICATE_CA_FALSE ? authority : NULL);
		issuer = &between;
	}
	if (result >= 0)
		result = issue(&server, issuer);
	if (result >= 0)
		result = append_pem(&certificates->chain, &certificates->key, &server);
	if (result >= 0 && server.fault == CERTIFICATE_CA_FALSE)
		result = append_pem(&certificates->chain, NULL, &between);
	free_identity(&server);
	free_identity(&between);
	return result;
}

static bool
write_file(const char *directory, const char *name, const struct text *content, mode_t mode)
{
	struct text path = {0};
	bool ok = false;
	int fd = -1;

	text_format(&path, "%s/%s", directory, name);
	fd = open(text_string(&path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	text_free(&path);
	if (fd < 0)
		return false;
	ok = write(fd, content->bytes, content->size) == (ssize_t)content->size;
	return close(fd) == 0 && ok;
}

bool
certificate_make(struct certificates *certificates, const struct options *options, const char **problem)
{
	struct identity authority = {.common_name = "peer test CA", .is_authority = true};
	struct identity client = {.common_name = options->user, .is_client = true};
	int result = issue(&authority, NULL);

	if (result >= 0)
		result = append_pem(&certificates->ca, NULL, &authority);
	if (result >= 0)
		result = make_server(certificates, options, &authority);
	if (result >= 0)
		result = issue(&client, &authority);
	if (result >= 0)
		result = append_pem(&certificates->client, &certificates->client_key, &client);
	free_identity(&client);
	free_identity(&authority);
	*problem = gnutls_strerror(result);
	return result >= 0;
}

bool
certificate_write(const struct certificates *certificates, const char *directory)
{
	if (mkdir(directory, 0755) != 0 && errno != EEXIST)
		return false;
	return write_file(directory, "ca.pem", &certificates->ca, 0644) &&
	       write_file(directory, "cert.pem", &certificates->chain, 0644) &&
	       write_file(directory, "key.pem", &certificates->key, 0600) &&
	       write_file(directory, "client.pem", &certificates->client, 0644) &&
	       write_file(directory, "client-key.pem", &certificates->client_key, 0600);
}

void
certificate_free(struct certificates *certificates)
{
	text_free(&certificates->ca);
	text_free(&certificates->chain);
	text_free(&certificates->key);
	text_free(&certificates->client);
	text_free(&certificates->client_key);
}
