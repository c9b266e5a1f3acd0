/* verify_test.c - the certificate decision, each case against a TLS server in a child. */

#include "config.h"

#include "base/clock.h"
#include "net/digest.h"
#include "net/stream.h"
#include "net_peer.h"
#include "tap.h"

static const char host[] = "mx.example.test";
static struct issued root;
static char *root_path;

/* After the handshake: did the client say anything? 2 if so. */
static int
expect_silence(gnutls_session_t session, int fd)
{
	char data[64];

	(void)fd;
	return gnutls_record_recv(session, data, sizeof(data)) > 0 ? 2 : 0;
}

/* The outcome of one handshake. */
struct result {
	bool is_good;
	int exit_code;
	char text[2048];
	char hint[512];
	int server_status;
};

static struct result
handshake(const struct tls_server *server, const struct tls_settings *settings)
{
	struct result result = {0};
	struct tls_server served = *server;
	struct net_peer peer;
	struct stream stream = {0};
	struct err err = {0};

	if (served.after == NULL)
		served.after = expect_silence;
	peer = net_peer_start(tls_server_run, &served);
	stream_open(&stream, peer.fd);
	result.is_good = stream_start_tls(&stream, settings, clock_deadline(20), &err);
	result.exit_code = err.exit_code;
	snprintf(result.text, sizeof(result.text), "%s", buf_text(&err.text));
	snprintf(result.hint, sizeof(result.hint), "%s", buf_text(&err.hint));
	stream_close(&stream);
	result.server_status = net_peer_wait(&peer);
	err_clear(&err);
	return result;
}

/* The case of one certificate that must be refused with `word` in the text, before anything was sent inside TLS. */
static void
refused(struct recipe recipe, const char *expected_host, const char *word, const char *name)
{
	struct issued leaf = issue(&recipe);
	const struct tls_server server = {.chain = {&leaf}};
	const struct tls_settings settings = {.host = expected_host, .trust_file = root_path, .min_version = 12};
	struct result result = handshake(&server, &settings);

	if (!tap_ok(!result.is_good && result.exit_code == EX_UNAVAILABLE && strstr(result.text, word) != NULL &&
	                    result.server_status == 1,
	            "%s", name))
		tap_note("good %d, exit %d, server %d: %s", result.is_good, result.exit_code, result.server_status,
		         result.text);
	if (strstr(result.text, "SHA256 fingerprint") == NULL || result.hint[0] == '\0')
		tap_ok(false, "%s, with fingerprint and hint", name);
	issued_free(&leaf);
}

static void
accepted(struct recipe recipe, const char *expected_host, const char *name)
{
	struct issued leaf = issue(&recipe);
	const struct tls_server server = {.chain = {&leaf}};
	const struct tls_settings settings = {.host = expected_host, .trust_file = root_path, .min_version = 12};
	struct result result = handshake(&server, &settings);

	if (!tap_ok(result.is_good && result.server_status == 0, "%s", name))
		tap_note("exit %d, server %d: %s", result.exit_code, result.server_status, result.text);
	issued_free(&leaf);
}

static void
test_dates_and_trust(void)
{
	struct issued other = issue(&(struct recipe){.common_name = "Other", .is_authority = true});
	struct issued fake = issue(&(struct recipe){.common_name = "Not an authority", .issuer = &root});
	struct issued leaf = issue(&(struct recipe){.names = {host}, .issuer = &fake});
	const struct tls_server server = {.chain = {&leaf, &fake}};
	const struct tls_settings settings = {.host = host, .trust_file = root_path, .min_version = 12};
	struct result result;

	accepted((struct recipe){.names = {host}, .issuer = &root}, host, "a good certificate is accepted");
	accepted((struct recipe){.names = {host}, .issuer = &root}, "MX.example.test.",
	         "case and a dot at the end do not matter");
	refused((struct recipe){.names = {host}, .issuer = &root, .from_seconds = -7200, .until_seconds = -3600},
	        host, "has expired on 20",
	        "protocol 46: an expired certificate is refused before anything is sent");
	refused((struct recipe){.names = {host}, .issuer = &root, .from_seconds = 3600, .until_seconds = 7200},
	        host, "not yet valid before 20", "protocol 47: a certificate of the future is refused");
	refused((struct recipe){.names = {host}}, host, "self-signed",
	        "protocol 49: a self-signed certificate is refused");
	refused((struct recipe){.names = {host}, .issuer = &other}, host, "unknown authority",
	        "protocol 50: a certificate of an unknown authority is refused");
	result = handshake(&server, &settings);
	if (!tap_ok(!result.is_good && result.exit_code == EX_UNAVAILABLE && result.server_status == 1,
	            "an issuer that is no authority is refused"))
		tap_note("%s", result.text);
	issued_free(&leaf);
	issued_free(&fake);
	issued_free(&other);
}

static struct result
refuse_nul(void)
{
	struct issued leaf = issue(
		&(struct recipe){.raw_name = "mx.example.test\0.evil.test", .raw_name_size = 26, .issuer = &root});
	const struct tls_server server = {.chain = {&leaf}};
	const struct tls_settings settings = {.host = host, .trust_file = root_path, .min_version = 12};
	struct result result = handshake(&server, &settings);

	issued_free(&leaf);
	return result;
}

static void
test_names(void)
{
	struct issued wrong = issue(
		&(struct recipe){.names = {"mail.example.test", "b", "c", "d", "e", "f", "g"}, .issuer = &root});
	const struct tls_server server = {.chain = {&wrong}};
	const struct tls_settings settings = {.host = host, .trust_file = root_path, .min_version = 12};
	struct result result = handshake(&server, &settings);

	if (!tap_ok(!result.is_good &&
	                    strstr(result.text,
	                           "is for mail.example.test, b, c, d, e and 2 more, not for mx.example.test") !=
	                            NULL,
	            "protocol 48: a wrong name is refused, naming what was expected and presented"))
		tap_note("%s", result.text);
	tap_is(result.hint, "set 'tls_host_override mail.example.test' if that is the right name",
	       "the hint names the setting");
	result = refuse_nul();
	tap_ok(!result.is_good && strstr(result.hint, "tls_host_override") == NULL,
	       "no setting is suggested for a name that no host can have");
	refused((struct recipe){.common_name = host, .issuer = &root}, host, "no host name",
	        "protocol 51: a common name does not count");
	refused((struct recipe){.common_name = host, .email = "a@example.test", .issuer = &root}, host,
	        "no host name", "protocol 51: a common name beside a mail address does not count");
	refused((struct recipe){.raw_name = "mx.example.test\0.evil.test", .raw_name_size = 26, .issuer = &root},
	        host, "not for", "protocol 55: a name with NUL inside is refused");
	accepted((struct recipe){.names = {"*.example.test"}, .issuer = &root}, host,
	         "protocol 56: a wildcard covers one label");
	refused((struct recipe){.raw_name = "a\033[1mb", .raw_name_size = 6, .issuer = &root}, host,
	        "is for a\\x1b[1mb, not for", "protocol 48: names are shown without control characters");
	refused((struct recipe){.names = {"*.example.test"}, .issuer = &root}, "a.mx.example.test", "not for",
	        "protocol 56: a wildcard does not cover two labels");
	refused((struct recipe){.names = {"*.test", "*", "m*.example.test", "*.example.test."}, .issuer = &root},
	        host, "not for", "wildcards that are too wide, partial or malformed are refused");
	accepted((struct recipe){.names = {"xn--bcher-kva.example.test"}, .issuer = &root},
	         "b\xc3\xbc"
	         "cher.example.test",
	         "a name in UTF-8 is compared in ASCII");
	issued_free(&wrong);
}

static void
test_addresses(void)
{
	struct recipe good = {.address = {127, 0, 0, 1}, .address_size = 4, .issuer = &root};
	struct issued leaf = issue(&good);
	const struct tls_server server = {.chain = {&leaf}, .forbids_sni = true};
	struct tls_settings settings = {.host = "127.0.0.1", .trust_file = root_path, .min_version = 12};
	struct result result = handshake(&server, &settings);

	tap_ok(result.is_good && result.server_status == 0,
	       "protocol 57: an address matches an iPAddress, and no SNI is sent");
	refused((struct recipe){.names = {"127.0.0.1"}, .common_name = "127.0.0.1", .issuer = &root}, "127.0.0.1",
	        "not for", "protocol 57: an address as dNSName is refused");
	accepted((struct recipe){.address = {[15] = 1}, .address_size = 16, .issuer = &root}, "::1",
	         "an IPv6 address matches its iPAddress");
	refused(good, "127.0.0.2", "is for 127.0.0.1, not for 127.0.0.2", "another address is refused");
	issued_free(&leaf);
}

static void
test_strength(void)
{
	refused((struct recipe){.names = {host}, .purpose = GNUTLS_KP_TLS_WWW_CLIENT, .issuer = &root}, host,
	        "not meant for a server", "protocol 52: a certificate for clients only is refused");
	refused((struct recipe){.names = {host}, .rsa_bits = 1024, .issuer = &root}, host, "RSA with 1024 bits",
	        "protocol 53: a key of RSA 1024 is refused");
	refused((struct recipe){.names = {host}, .digest = GNUTLS_DIG_SHA1, .issuer = &root}, host, "too weak",
	        "protocol 54: a signature with SHA-1 is refused");
	refused((struct recipe){.names = {host}, .is_must_staple = true, .issuer = &root}, host, "must-staple",
	        "protocol 58: must-staple without an OCSP response is refused");
	accepted((struct recipe){.names = {host}, .rsa_bits = 2048, .issuer = &root}, host, "RSA 2048 is accepted");
}

/* A CRL of the root that revokes the certificate (NULL: none), with the given date of the next one. */
static void
write_crl(const char *path, gnutls_x509_crt_t revoked, long next_seconds)
{
	gnutls_x509_crl_t crl = NULL;
	gnutls_datum_t pem = {0};
	time_t now = time(NULL);
	unsigned char number = 1;

	gnutls_x509_crl_init(&crl);
	gnutls_x509_crl_set_version(crl, 2);
	gnutls_x509_crl_set_this_update(crl, now - 86400);
	gnutls_x509_crl_set_next_update(crl, now + next_seconds);
	gnutls_x509_crl_set_number(crl, &number, 1);
	if (revoked != NULL)
		gnutls_x509_crl_set_crt(crl, revoked, now - 3600);
	if (gnutls_x509_crl_sign2(crl, root.certificate, root.key, GNUTLS_DIG_SHA256, 0) < 0 ||
	    gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &pem) < 0)
		abort();
	write_file(path, "w", pem.data, pem.size);
	gnutls_free(pem.data);
	gnutls_x509_crl_deinit(crl);
}

static void
test_crl(void)
{
	struct issued leaf = issue(&(struct recipe){.names = {host}, .issuer = &root});
	const struct tls_server server = {.chain = {&leaf}};
	char *path = scratch_path("crl.pem");
	struct tls_settings settings = {.host = host, .trust_file = root_path, .crl_file = path, .min_version = 12};
	struct result result;

	write_crl(path, leaf.certificate, 86400);
	result = handshake(&server, &settings);
	tap_ok(!result.is_good && result.exit_code == EX_UNAVAILABLE && strstr(result.text, "revoked") != NULL &&
	               result.server_status == 1,
	       "protocol 59: a revoked certificate is refused");
	write_crl(path, NULL, 86400);
	result = handshake(&server, &settings);
	if (!tap_ok(result.is_good, "a revocation list without the certificate lets it pass"))
		tap_note("%s", result.text);
	write_crl(path, NULL, -3600);
	result = handshake(&server, &settings);
	tap_ok(!result.is_good && result.exit_code == EX_CONFIG &&
	               strstr(result.text, "out of date since 20") != NULL,
	       "a revocation list that is out of date is a fault of the configuration");
	settings.crl_file = "/nonexistent/crl.pem";
	result = handshake(&server, &settings);
	tap_ok(!result.is_good && result.exit_code == EX_CONFIG && result.server_status == 1,
	       "protocol 59: a revocation list that cannot be read is a fault of the configuration");
	settings.crl_file = root_path;
	result = handshake(&server, &settings);
	tap_ok(!result.is_good && result.exit_code == EX_CONFIG,
	       "a file without revocation list is a fault of the configuration");
	free(path);
	issued_free(&leaf);
}

static void
test_fingerprint(void)
{
	static const struct {
		gnutls_digest_algorithm_t digest;
		const char *name;
	} digests[] = {{GNUTLS_DIG_SHA256, "SHA256"}, {GNUTLS_DIG_SHA1, "SHA1"}, {GNUTLS_DIG_MD5, "MD5"}};
	struct issued leaf =
		issue(&(struct recipe){.names = {"other.test"}, .from_seconds = -7200, .until_seconds = -3600});
	const struct tls_server server = {.chain = {&leaf}};
	struct tls_settings settings = {.host = host, .trust_file = "", .min_version = 12};
	struct result result;

	for (size_t i = 0; i < 3; i++) {
		unsigned char octets[64];
		size_t size = sizeof(octets);
		struct buf text = {0};

		gnutls_x509_crt_get_fingerprint(leaf.certificate, digests[i].digest, octets, &size);
		for (size_t k = 0; k < size; k++)
			buf_printf(&text, k % 2 == 0 ? "%02x:" : "%02X ", octets[k]);
		settings.fingerprint = buf_text(&text);
		result = handshake(&server, &settings);
		tap_ok(result.is_good, "a %s fingerprint replaces trust, name and dates", digests[i].name);
		text.data[0] = text.data[0] == '0' ? '1' : '0';
		result = handshake(&server, &settings);
		tap_ok(!result.is_good && result.exit_code == EX_UNAVAILABLE && result.server_status == 1,
		       "another %s fingerprint is refused", digests[i].name);
		buf_free(&text);
	}
	settings.fingerprint = "12:34";
	result = handshake(&server, &settings);
	tap_is_number(result.exit_code, EX_CONFIG,
	              "a fingerprint of no known length is a fault of the configuration");
	settings.fingerprint = NULL;
	result = handshake(&server, &settings);
	tap_is_number(result.exit_code, EX_CONFIG, "nothing to verify with is a fault of the configuration");
	settings.is_unchecked = true;
	result = handshake(&server, &settings);
	tap_ok(result.is_good, "with the check switched off any certificate passes");
	issued_free(&leaf);
}

static void
test_pins(void)
{
	struct issued leaf = issue(&(struct recipe){.names = {host}, .issuer = &root});
	const struct tls_server server = {.chain = {&leaf}};
	struct tls_settings settings = {.host = host, .trust_file = root_path, .min_version = 12};
	unsigned char octets[DIGEST_SHA256_SIZE] = {0};
	const unsigned char zeros[DIGEST_SHA256_SIZE] = {0};
	struct buf wrong = {0};
	struct buf right = {0};
	struct result result;

	digest_add_pin(zeros, &wrong);
	settings.pin = buf_text(&wrong);
	result = handshake(&server, &settings);
	tap_ok(!result.is_good && result.exit_code == EX_UNAVAILABLE && strstr(result.text, "tls_pin") != NULL &&
	               result.server_status == 1,
	       "protocol 60: another key is refused in spite of a good authority");
	digest_of_key(leaf.certificate, octets);
	buf_printf(&right, "%s, ", buf_text(&wrong));
	digest_add_pin(octets, &right);
	settings.pin = buf_text(&right);
	result = handshake(&server, &settings);
	tap_ok(result.is_good, "one of several pins is enough");
	settings.host = "other.test";
	result = handshake(&server, &settings);
	tap_ok(!result.is_good && strstr(result.text, "not for other.test") != NULL,
	       "a pin does not replace the name");
	settings.pin = buf_text(&wrong);
	settings.is_unchecked = true;
	result = handshake(&server, &settings);
	tap_ok(!result.is_good, "a pin counts even where the check is switched off");
	settings.pin = "sha256/AAAA";
	result = handshake(&server, &settings);
	tap_is_number(result.exit_code, EX_CONFIG, "a malformed pin is a fault of the configuration");
	settings =
		(struct tls_settings){.host = host, .trust_file = root_path, .min_version = 12, .wants_ocsp = true};
	result = handshake(&server, &settings);
	tap_ok(!result.is_good && strstr(result.text, "tls_ocsp") != NULL,
	       "a missing OCSP response is refused when one is demanded");
	buf_free(&wrong);
	buf_free(&right);
	issued_free(&leaf);
}

static void
test_trust_file(void)
{
	struct issued leaf = issue(&(struct recipe){.names = {host}, .issuer = &root});
	const struct tls_server server = {.chain = {&leaf}};
	struct tls_settings settings = {.host = host, .trust_file = "/nonexistent/ca.pem", .min_version = 12};
	char *empty = scratch_path("empty.pem");
	struct result result = handshake(&server, &settings);

	tap_ok(result.exit_code == EX_CONFIG && strstr(result.text, "/nonexistent/ca.pem") != NULL,
	       "a trust file that cannot be read is a fault of the configuration");
	write_file(empty, "w", "no certificate\n", 15);
	settings.trust_file = empty;
	result = handshake(&server, &settings);
	tap_ok(result.exit_code == EX_CONFIG && strstr(result.text, "holds no certificate") != NULL,
	       "a trust file without certificate is a fault of the configuration");
	settings.trust_file = root_path;
	settings.host = "";
	result = handshake(&server, &settings);
	tap_is_number(result.exit_code, EX_CONFIG, "without a name to compare with there is no TLS");
	free(empty);
	issued_free(&leaf);
}

int
main(void)
{
	root = issue(&(struct recipe){.common_name = "Test root", .is_authority = true});
	root_path = scratch_path("root.pem");
	write_certificate(root_path, root.certificate);
	test_dates_and_trust();
	test_names();
	test_addresses();
	test_strength();
	test_crl();
	test_fingerprint();
	test_pins();
	test_trust_file();
	issued_free(&root);
	free(root_path);
	scratch_remove();
	return tap_end();
}
