/* verify_test.c - the certificate decision, each case against a TLS server in a child. */

#include "config.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "net/digest.h"
#include "net/known.h"
#include "net/stream.h"
#include "net/verify.h"
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
	result = handshake(&server, &(struct tls_settings){
					.host = host, .trust_file = root_path, .min_version = 12, .is_of_others = true});
	tap_is(result.hint, "tell the server's operator", "but not where it would not count, for a host of others");
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
	refused((struct recipe){.names = {host}, .purpose = GNUTLS_KP_CODE_SIGNING, .issuer = &root}, host,
	        "not meant for a server", "so is one for signing code");
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
		(struct tls_settings){.host = host, .trust_file = root_path, .min_version = 12, .ocsp = TLS_OCSP_REQUIRE};
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

/* Every way to decide, right and wrong: one certificate that only some of them accept. */
struct way {
	const char *name;
	struct tls_settings settings;
	int expected; /* exit code; 0: accepted */
};

/* In TLS 1.2 and 1.3. A refusal comes in the handshake, so that the server hears nothing inside TLS. */
static void
check_way(const struct way *way, const struct issued *leaf)
{
	static const char *const versions[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"};

	for (size_t i = 0; i < 2; i++) {
		const struct tls_server server = {.chain = {leaf}, .priorities = versions[i]};
		struct tls_settings settings = way->settings;
		struct result result;

		settings.min_version = 12;
		result = handshake(&server, &settings);
		if (!tap_ok(result.is_good == (way->expected == 0) && result.exit_code == way->expected &&
		                    result.server_status == (way->expected != 0),
		            "%s, in TLS 1.%d", way->name, (int)i + 2))
			tap_note("exit %d, server %d: %s", result.exit_code, result.server_status, result.text);
	}
}

/* The settings' texts about a certificate. */
struct texts {
	struct buf fingerprint, also, pin, only;
};

static void
make_texts(struct texts *texts, gnutls_x509_crt_t certificate)
{
	unsigned char octets[64];
	size_t size = sizeof(octets);

	gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, octets, &size);
	for (size_t i = 0; i < size; i++)
		buf_printf(&texts->fingerprint, "%02x", octets[i]);
	buf_printf(&texts->also, "also %s", buf_text(&texts->fingerprint));
	digest_of_key(certificate, octets);
	digest_add_pin(octets, &texts->pin);
	buf_printf(&texts->only, "only %s", buf_text(&texts->pin));
}

static void
free_texts(struct texts *texts)
{
	buf_free(&texts->fingerprint);
	buf_free(&texts->also);
	buf_free(&texts->pin);
	buf_free(&texts->only);
}

/* A certificate of a stranger for another host, and one of our root for this host. */
static void
test_ways(void)
{
	struct issued strange = issue(&(struct recipe){.names = {"other.test"}});
	struct issued good = issue(&(struct recipe){.names = {host}, .issuer = &root});
	struct texts s = {0}, g = {0};

	make_texts(&s, strange.certificate);
	make_texts(&g, good.certificate);
	{
		const char *s_print = buf_text(&s.fingerprint), *g_print = buf_text(&g.fingerprint);
		const char *s_also = buf_text(&s.also), *g_also = buf_text(&g.also);
		const char *s_pin = buf_text(&s.pin), *g_pin = buf_text(&g.pin);
		const char *s_only = buf_text(&s.only), *g_only = buf_text(&g.only);
		const struct way of_stranger[] = {
			{"unchecked takes any certificate", {.host = host, .is_unchecked = true}, 0},
			{"unchecked with another pin does not", {.host = host, .is_unchecked = true, .pin = g_pin}, 69},
			{"nor with another 'only' pin", {.host = host, .is_unchecked = true, .pin = g_only}, 69},
			{"nor with another 'also' fingerprint", {.host = host, .is_unchecked = true, .fingerprint = g_also}, 69},
			{"unchecked makes up for another fingerprint, as msmtp has it",
		         {.host = host, .is_unchecked = true, .fingerprint = g_print},
		         0},
			{"a fingerprint is enough", {.host = host, .trust_file = root_path, .fingerprint = s_print}, 0},
			{"another one is not", {.host = host, .trust_file = root_path, .fingerprint = g_print}, 69},
			{"an 'also' fingerprint is not enough", {.host = host, .trust_file = root_path, .fingerprint = s_also}, 69},
			{"a fingerprint and another pin are not",
		         {.host = host, .trust_file = root_path, .fingerprint = s_print, .pin = g_pin},
		         69},
			{"an 'only' pin is enough", {.host = host, .trust_file = root_path, .pin = s_only}, 0},
			{"also without any trust file, and without a name", {.trust_file = "", .pin = s_only}, 0},
			{"another one is not enough", {.host = host, .trust_file = root_path, .pin = g_only}, 69},
			{"a pin without the word is not enough", {.host = host, .trust_file = root_path, .pin = s_pin}, 69},
			{"an 'only' pin and another 'also' fingerprint are not",
		         {.host = host, .trust_file = root_path, .pin = s_only, .fingerprint = g_also},
		         69},
			{"trust alone refuses a stranger", {.host = host, .trust_file = root_path}, 69},
			{"no trust at all is a fault of the configuration", {.host = host, .trust_file = ""}, 78},
			{"a pin is no trust", {.host = host, .trust_file = "", .pin = s_pin}, 78},
			{"nor is an 'also' fingerprint", {.host = host, .trust_file = "", .fingerprint = s_also}, 78},
			{"'only' with nothing behind it is a fault", {.host = host, .trust_file = root_path, .pin = "only"}, 78},
			{"so is 'also'", {.host = host, .trust_file = root_path, .fingerprint = "also "}, 78},
			{"a required OCSP response without authorities is a fault",
		         {.host = host, .trust_file = root_path, .pin = s_only, .ocsp = TLS_OCSP_REQUIRE},
		         78},
		};
		const struct way of_good[] = {
			{"trust takes a good certificate", {.host = host, .trust_file = root_path}, 0},
			{"with its pin", {.host = host, .trust_file = root_path, .pin = g_pin}, 0},
			{"with its 'also' fingerprint", {.host = host, .trust_file = root_path, .fingerprint = g_also}, 0},
			{"with both", {.host = host, .trust_file = root_path, .pin = g_pin, .fingerprint = g_also}, 0},
			{"not with another pin", {.host = host, .trust_file = root_path, .pin = s_pin}, 69},
			{"nor with another 'also' fingerprint", {.host = host, .trust_file = root_path, .fingerprint = s_also}, 69},
			{"nor with another fingerprint alone", {.host = host, .trust_file = root_path, .fingerprint = s_print}, 69},
			{"nor with another 'only' pin", {.host = host, .trust_file = root_path, .pin = s_only}, 69},
			{"nor without an OCSP response that is required",
		         {.host = host, .trust_file = root_path, .ocsp = TLS_OCSP_REQUIRE},
		         69},
			{"without asking for one it is taken", {.host = host, .trust_file = root_path, .ocsp = TLS_OCSP_OFF}, 0},
		};

		for (size_t i = 0; i < sizeof(of_stranger) / sizeof(of_stranger[0]); i++)
			check_way(&of_stranger[i], &strange);
		for (size_t i = 0; i < sizeof(of_good) / sizeof(of_good[0]); i++)
			check_way(&of_good[i], &good);
	}
	free_texts(&s);
	free_texts(&g);
	issued_free(&strange);
	issued_free(&good);
}

static void
test_acquaintance(void)
{
	struct issued leaf = issue(&(struct recipe){.names = {"other.test"}});
	struct issued renewed = issue(&(struct recipe){.names = {"third.test"}, .key_of = &leaf});
	struct issued old = issue(&(struct recipe){
		.names = {host}, .key_of = &leaf, .from_seconds = -7200, .until_seconds = -3600});
	struct issued weak = issue(&(struct recipe){.names = {host}, .rsa_bits = 1024});
	struct issued other = issue(&(struct recipe){.names = {host}, .issuer = &root});
	char *path = scratch_path("known-keys");
	struct way way = {.settings = {.host = host, .trust_file = root_path, .acquaintance = {path, "mx.example.test:25", "forget "}}};
	struct result result;

	way.name = "an expired certificate is refused at the first contact";
	way.expected = EX_UNAVAILABLE;
	check_way(&way, &old);
	way.name = "so is a key that is too weak";
	check_way(&way, &weak);
	tap_ok(access(path, F_OK) != 0, "and neither is remembered");
	way.name = "a stranger is taken the first time, and when met again";
	way.expected = 0;
	check_way(&way, &leaf);
	way.name = "with a new certificate, too";
	check_way(&way, &renewed);
	way.expected = EX_UNAVAILABLE;
	way.name = "but not with one that has expired";
	check_way(&way, &old);
	way.name = "another key is refused, trusted authority or not";
	check_way(&way, &other);
	result = handshake(&(struct tls_server){.chain = {&other}}, &way.settings);
	tap_ok(strstr(result.text, "another key than before") != NULL && strstr(result.text, " since 20") != NULL &&
	               strstr(result.hint, "'forget mx.example.test:25'") != NULL,
	       "the refusal tells both keys, and how to accept the new one");
	way.name = "a file of known keys that cannot be used is a fault of the configuration";
	way.expected = EX_CONFIG;
	if (chmod(path, 0644) != 0)
		abort();
	check_way(&way, &leaf);
	(void)unlink(path);
	way.settings.acquaintance.file = "/nonexistent/known-keys";
	way.expected = EX_CANTCREAT;
	way.name = "so is a folder that is not there";
	check_way(&way, &leaf);
	free(path);
	issued_free(&leaf);
	issued_free(&renewed);
	issued_free(&old);
	issued_free(&weak);
	issued_free(&other);
}

/* What verify_peer() says of a session, whatever the verifier holds. */
static struct verifier *verifier_asked;
static int exit_code_given;

static int
ask_verifier(gnutls_session_t session)
{
	struct err err = {0};
	bool is_good = verify_peer(verifier_asked, session, &err);

	exit_code_given = err.exit_code;
	err_clear(&err);
	return is_good ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

/* A verifier that nothing was asked of: somebody forgot to. */
static void
test_undecided(void)
{
	struct issued leaf = issue(&(struct recipe){.names = {host}, .issuer = &root});
	struct tls_server server = {.chain = {&leaf}, .after = expect_silence};
	const struct tls_settings settings = {.host = host, .trust_file = root_path};
	struct verifier verifier = {.settings = &settings};
	struct net_peer peer = net_peer_start(tls_server_run, &server);
	gnutls_certificate_credentials_t credentials = NULL;
	gnutls_session_t session = NULL;
	int code;

	verifier_asked = &verifier;
	gnutls_certificate_allocate_credentials(&credentials);
	gnutls_init(&session, GNUTLS_CLIENT);
	gnutls_set_default_priority(session);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_session_set_verify_function(session, ask_verifier);
	fcntl(peer.fd, F_SETFL, fcntl(peer.fd, F_GETFL) & ~O_NONBLOCK);
	gnutls_transport_set_int(session, peer.fd);
	do
		code = gnutls_handshake(session);
	while (code < 0 && gnutls_error_is_fatal(code) == 0);
	tap_ok(code < 0 && exit_code_given == EX_SOFTWARE && !verifier.is_decided,
	       "a verifier of which nothing was asked believes nobody");
	gnutls_deinit(session);
	gnutls_certificate_free_credentials(credentials);
	close(peer.fd);
	net_peer_wait(&peer);
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
	test_ways();
	test_acquaintance();
	test_undecided();
	issued_free(&root);
	free(root_path);
	scratch_remove();
	return tap_end();
}
