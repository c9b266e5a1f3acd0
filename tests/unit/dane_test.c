/* dane_test.c - TLSA records against certificates made here: the matcher by itself, and inside the handshake. */

#include "config.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/dane.h"
#include "net/gnutls.h"
#include "net/stream.h"
#include "net_peer.h"
#include "tap.h"

static const char base[] = "mx.example.test";
static struct issued root;
static struct issued leaf;  /* of the root, for the base domain */
static struct issued alien; /* for the base domain as well, but of another authority */
static struct issued other_root;

/* Records in the form in which DNS keeps them. */
static void
add_record(struct buf *records, const unsigned char kind[3], const void *data, size_t size)
{
	buf_add_char(records, (char)((size + 3) >> 8));
	buf_add_char(records, (char)(size + 3));
	buf_add(records, kind, 3);
	buf_add(records, data, size);
}

/* What the record "usage selector matching" of a certificate holds; by the library alone. */
static void
add_association(struct buf *data, gnutls_x509_crt_t certificate, unsigned selector, unsigned matching)
{
	gnutls_datum_t der = {0};
	unsigned char digest[64];

	if (selector == 0) {
		gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der);
	} else {
		gnutls_pubkey_t key;

		gnutls_pubkey_init(&key);
		gnutls_pubkey_import_x509(key, certificate, 0);
		gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der);
		gnutls_pubkey_deinit(key);
	}
	if (matching == 0) {
		buf_add(data, der.data, der.size);
	} else {
		gnutls_hash_fast(matching == 1 ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_SHA512, der.data, der.size, digest);
		buf_add(data, digest, matching == 1 ? 32 : 64);
	}
	gnutls_free(der.data);
}

/* "2 0 1" and the like, of a certificate. */
static void
add_tlsa(struct buf *records, const char *kind, const struct issued *issued)
{
	const unsigned char octets[3] = {(unsigned char)(kind[0] - '0'), (unsigned char)(kind[2] - '0'),
	                                 (unsigned char)(kind[4] - '0')};
	struct buf data = {0};

	add_association(&data, issued->certificate, octets[1], octets[2]);
	add_record(records, octets, data.data, data.size);
	buf_free(&data);
}

/* The certificates are borrowed, the array is not. */
static struct chain
chain_of(const struct issued *first, const struct issued *second, const struct issued *third)
{
	struct chain chain = {.certificates = mem_alloc(3, sizeof(gnutls_x509_crt_t))};
	const struct issued *const all[] = {first, second, third};

	for (size_t i = 0; i < 3 && all[i] != NULL; i++)
		chain.certificates[chain.n++] = all[i]->certificate;
	return chain;
}

static struct dane
dane_of(const struct buf *records)
{
	struct dane dane = {0};

	snprintf(dane.base, sizeof(dane.base), "%s", base);
	dane_read(&dane, buf_str(records));
	return dane;
}

/* Do the records match the chain? The records are emptied, the array of the chain is freed. */
static bool
verify(struct buf *records, struct chain chain, struct err *err)
{
	struct dane dane = dane_of(records);
	bool is_good = dane_verify(&dane, &chain, err);

	dane_free(&dane);
	buf_clear(records);
	free(chain.certificates);
	return is_good;
}

/* The only record is of this kind and of this certificate. */
static void
accepted(const char *kind, const struct issued *issued, struct chain chain, const char *name)
{
	struct buf records = {0};
	struct err err = {0};

	add_tlsa(&records, kind, issued);
	if (!tap_ok(verify(&records, chain, &err) && !err_is_set(&err), "%s: %s", kind, name))
		tap_note("%s", buf_text(&err.text));
	err_clear(&err);
	buf_free(&records);
}

static void
refused(const char *kind, const struct issued *issued, struct chain chain, const char *word, const char *name)
{
	struct buf records = {0};
	struct err err = {0};
	bool is_good;

	add_tlsa(&records, kind, issued);
	is_good = verify(&records, chain, &err);
	if (!tap_ok(!is_good && err.exit_code == EX_UNAVAILABLE && strstr(buf_text(&err.text), word) != NULL,
	            "%s: %s", kind, name))
		tap_note("good %d, exit %d: %s", is_good, err.exit_code, buf_text(&err.text));
	err_clear(&err);
	buf_free(&records);
}

static const char *const digests[] = {"0 1", "1 1", "0 2", "1 2", "0 0", "1 0"};

static const char *
kind_of(char usage, size_t i)
{
	static char kind[6];

	snprintf(kind, sizeof(kind), "%c %s", usage, digests[i]);
	return kind;
}

static void
test_end_entity(void)
{
	struct issued expired = issue(&(struct recipe){.names = {"other.test"},
	                                               .from_seconds = -7200,
	                                               .until_seconds = -3600,
	                                               .purpose = GNUTLS_KP_TLS_WWW_CLIENT});

	for (size_t i = 0; i < 6; i++) {
		accepted(kind_of('3', i), &leaf, chain_of(&leaf, NULL, NULL), "the server's own certificate");
		accepted(kind_of('3', i), &expired, chain_of(&expired, NULL, NULL),
		         "neither dates, name nor purpose matter");
		refused(kind_of('3', i), &alien, chain_of(&leaf, NULL, NULL), "matches none",
		        "another certificate is refused");
		refused(kind_of('3', i), &root, chain_of(&leaf, &root, NULL), "matches none",
		        "only the server's own certificate counts");
	}
	issued_free(&expired);
}

static void
test_trust_anchor(void)
{
	struct issued middle =
		issue(&(struct recipe){.common_name = "Middle", .is_authority = true, .issuer = &root});
	struct issued deep = issue(&(struct recipe){.names = {"*.example.test"}, .issuer = &middle});

	for (size_t i = 0; i < 6; i++) {
		accepted(kind_of('2', i), &root, chain_of(&leaf, &root, NULL), "the issuer");
		accepted(kind_of('2', i), &root, chain_of(&deep, &middle, &root), "the issuer's issuer, a wildcard");
		accepted(kind_of('2', i), &root, chain_of(&deep, &root, &middle), "a chain out of order");
		accepted(kind_of('2', i), &middle, chain_of(&deep, &middle, &root),
		         "an issuer that is no root, which is sent too");
		accepted(kind_of('2', i), &middle, chain_of(&deep, &middle, NULL), "an issuer that is no root");
		refused(kind_of('2', i), &other_root, chain_of(&leaf, &root, NULL), "",
		        "another authority is refused");
		refused(kind_of('2', i), &root, chain_of(&alien, &root, NULL),
		        "not issued by the trust anchor of the record",
		        "a foreign certificate that comes with the trust anchor is refused");
		refused(kind_of('2', i), &root, chain_of(&alien, &other_root, &root), "not issued by",
		        "a foreign chain that comes with the trust anchor is refused");
		refused(kind_of('2', i), &leaf, chain_of(&leaf, &root, NULL), "matches none",
		        "the server's own certificate is no trust anchor");
		refused(kind_of('2', i), &leaf, chain_of(&leaf, &leaf, NULL), "matches none",
		        "the server's own certificate is no trust anchor when it is sent twice");
	}
	accepted("2 0 0", &root, chain_of(&leaf, NULL, NULL), "the issuer need not be sent");
	accepted("2 1 0", &root, chain_of(&leaf, NULL, NULL), "the issuer need not be sent");
	accepted("2 0 0", &root, chain_of(&deep, &middle, NULL), "the issuer's issuer need not be sent");
	accepted("2 1 0", &root, chain_of(&deep, &middle, NULL), "the issuer's issuer need not be sent");
	refused("2 0 0", &root, chain_of(&alien, NULL, NULL), "not issued by",
	        "a certificate of another authority is refused");
	refused("2 1 0", &root, chain_of(&alien, NULL, NULL), "not issued by",
	        "a certificate of another authority is refused");
	refused("2 0 1", &root, chain_of(&leaf, NULL, NULL), "nothing above the server's own certificate",
	        "an issuer that is not sent cannot be known by its digest");
	issued_free(&middle);
	issued_free(&deep);
}

/* A self-signed certificate with all that an authority needs, in the place of the server's own. */
static void
test_self_signed(void)
{
	struct issued self = issue(&(struct recipe){.names = {base}, .is_authority = true});

	for (size_t i = 0; i < 6; i++)
		refused(kind_of('2', i), &self, chain_of(&self, NULL, NULL), "matches none",
		        "a self-signed certificate is not its own trust anchor");
	accepted("3 1 1", &self, chain_of(&self, NULL, NULL), "a self-signed certificate is the server's own");
	issued_free(&self);
}

/* What is checked of a chain to a trust anchor. */
static void
test_chain(void)
{
	static const struct {
		struct recipe recipe;
		const char *word;
		const char *name;
	} cases[] = {
		{{.names = {"mail.example.test"}}, "not for mx.example.test", "another name is refused"},
		{{.common_name = "mx.example.test"}, "no host name", "a common name does not count"},
		{{.names = {"*.test"}}, "is for *.test", "a wildcard does not cover two labels"},
		{{.names = {base}, .from_seconds = -7200, .until_seconds = -3600}, "has expired", "expired is refused"},
		{{.names = {base}, .from_seconds = 3600, .until_seconds = 7200}, "not yet valid", "the future is refused"},
		{{.names = {base}, .purpose = GNUTLS_KP_TLS_WWW_CLIENT}, "not meant for a server", "for clients is refused"},
		{{.names = {base}, .rsa_bits = 1024}, "too weak", "RSA 1024 is refused"},
		{{.names = {base}, .digest = GNUTLS_DIG_SHA1}, "too weak", "SHA-1 is refused"},
	};
	struct issued fake = issue(&(struct recipe){.common_name = "No authority", .issuer = &root});
	struct issued of_fake = issue(&(struct recipe){.names = {base}, .issuer = &fake});
	struct issued old_root = issue(&(struct recipe){
		.common_name = "Old", .is_authority = true, .from_seconds = -7200, .until_seconds = -3600});
	struct issued of_old = issue(&(struct recipe){.names = {base}, .issuer = &old_root});

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipe recipe = cases[i].recipe;
		struct issued bad;

		recipe.issuer = &root;
		bad = issue(&recipe);
		refused("2 0 1", &root, chain_of(&bad, &root, NULL), cases[i].word, cases[i].name);
		refused("2 1 1", &root, chain_of(&bad, &root, NULL), cases[i].word, cases[i].name);
		refused("2 0 0", &root, chain_of(&bad, NULL, NULL), cases[i].word, cases[i].name);
		refused("2 1 0", &root, chain_of(&bad, NULL, NULL), cases[i].word, cases[i].name);
		issued_free(&bad);
	}
	refused("2 0 1", &fake, chain_of(&of_fake, &fake, &root), "no certification authority",
	        "an issuer that is no authority is no trust anchor");
	refused("2 0 1", &old_root, chain_of(&of_old, &old_root, NULL), "expired", "an expired trust anchor is refused");
	accepted("2 1 0", &old_root, chain_of(&of_old, NULL, NULL), "a bare key has no dates");
	issued_free(&fake);
	issued_free(&of_fake);
	issued_free(&old_root);
	issued_free(&of_old);
}

static void
test_names(void)
{
	struct issued mail = issue(&(struct recipe){.names = {"example.org"}, .issuer = &root});
	struct chain chain = chain_of(&mail, &root, NULL);
	struct buf records = {0};
	struct err err = {0};
	struct dane dane;

	add_tlsa(&records, "2 0 1", &root);
	dane = dane_of(&records);
	tap_ok(!dane_verify(&dane, &chain, &err), "a name that is none of those asked for is refused");
	err_clear(&err);
	snprintf(dane.names[1], sizeof(dane.names[1]), "example.org");
	tap_ok(dane_verify(&dane, &chain, &err), "the next hop's domain is a name of the server");
	snprintf(dane.names[1], sizeof(dane.names[1]), "example.com");
	tap_ok(!dane_verify(&dane, &chain, &err) &&
	               strstr(buf_text(&err.text), "for example.org, not for mx.example.test or example.com") != NULL,
	       "the error says all names that would have done");
	tap_ok(strncmp(buf_text(&err.text), "TLSA record 2 0 1 of mx.example.test: ", 38) == 0 &&
	               strcmp(buf_text(&err.hint), "tell the operator of mx.example.test that its certificate and its "
	                                           "TLSA records must agree") == 0,
	       "the error names the record, and no setting as a way out");
	err_clear(&err);
	dane_free(&dane);
	free(chain.certificates);
	buf_free(&records);
	issued_free(&mail);
}

/* Are so many of the records taken? */
static void
counts(struct buf *records, size_t n, size_t n_seen, const char *name)
{
	struct dane dane = dane_of(records);

	if (!tap_ok(dane.n == n && dane.n_seen == n_seen, "%s", name))
		tap_note("%zu of %zu", dane.n, dane.n_seen);
	dane_free(&dane);
	buf_clear(records);
}

static void
test_usable(void)
{
	static const unsigned char zeros[70] = {0};
	struct buf records = {0};
	struct err err = {0};

	counts(&records, 0, 0, "no record is none");
	add_tlsa(&records, "0 0 1", &root);
	add_tlsa(&records, "1 1 1", &leaf);
	counts(&records, 0, 2, "the usages 0 and 1 cannot be used, but are seen");
	for (unsigned char usage = 0; usage < 6; usage++)
		for (unsigned char selector = 0; selector < 4; selector++)
			for (unsigned char matching = 1; matching < 5; matching++)
				add_record(&records, (unsigned char[]){usage, selector, matching}, zeros,
				           matching == 2 ? 64 : 32);
	counts(&records, 4, 96, "usages, selectors and matching types that nobody knows cannot be used");
	for (unsigned char size = 0; size < 70; size++)
		add_record(&records, (const unsigned char *)"\3\1\1", zeros, size);
	counts(&records, 1, 70, "SHA-256 has 32 octets and no other number");
	for (unsigned char size = 0; size < 70; size++)
		add_record(&records, (const unsigned char *)"\2\0\2", zeros, size);
	counts(&records, 1, 70, "SHA-512 has 64 octets and no other number");
	add_record(&records, (const unsigned char *)"\3\0\0", zeros, 50);
	add_record(&records, (const unsigned char *)"\3\1\0", zeros, 50);
	add_record(&records, (const unsigned char *)"\2\0\0", zeros, 50);
	add_record(&records, (const unsigned char *)"\2\1\0", zeros, 50);
	counts(&records, 0, 4, "full data that is no certificate, or no key, cannot be used");
	buf_add(&records, "\0\2\3\1\0\0\0\3\3\1\1", 11);
	counts(&records, 0, 3, "a record that is cut short cannot be used, but is seen");
	add_tlsa(&records, "1 1 1", &alien);
	add_tlsa(&records, "3 1 1", &leaf);
	add_record(&records, (const unsigned char *)"\3\1\1", zeros, 20);
	tap_ok(verify(&records, chain_of(&leaf, NULL, NULL), &err), "a usable record counts among those that are not");
	add_tlsa(&records, "1 1 1", &leaf);
	tap_ok(!verify(&records, chain_of(&leaf, NULL, NULL), &err) &&
	               strstr(buf_text(&err.text), "none of them can be used") != NULL,
	       "records that cannot be used match nothing");
	err_clear(&err);
	buf_free(&records);
}

static void
test_many(void)
{
	struct buf records = {0};
	struct err err = {0};
	unsigned char digest[32] = {0};

	for (int i = 0; i < 41; i++) {
		digest[0] = (unsigned char)i;
		add_record(&records, (const unsigned char *)"\3\1\1", digest, sizeof(digest));
	}
	counts(&records, 40, 41, "of 41 records 40 are kept");
	for (int i = 0; i < 39; i++) {
		digest[0] = (unsigned char)i;
		add_record(&records, (const unsigned char *)"\3\1\1", digest, sizeof(digest));
	}
	add_tlsa(&records, "3 1 1", &leaf);
	tap_ok(verify(&records, chain_of(&leaf, NULL, NULL), &err), "the last of 40 records counts");
	for (int i = 0; i < 39; i++)
		add_record(&records, (const unsigned char *)"\3\1\1", digest, sizeof(digest));
	tap_ok(!verify(&records, chain_of(&leaf, NULL, NULL), &err) &&
	               strstr(buf_text(&err.text), "; and 36 more") != NULL,
	       "of many records some are shown");
	err_clear(&err);
	buf_free(&records);
}

static void
test_agility(void)
{
	struct buf records = {0};
	struct err err = {0};

	add_tlsa(&records, "3 1 2", &alien);
	add_tlsa(&records, "3 1 1", &leaf);
	tap_ok(!verify(&records, chain_of(&leaf, NULL, NULL), &err),
	       "beside a wrong SHA-512 the right SHA-256 does not count");
	err_clear(&err);
	add_tlsa(&records, "3 1 1", &leaf);
	add_tlsa(&records, "3 1 2", &alien);
	tap_ok(!verify(&records, chain_of(&leaf, NULL, NULL), &err), "whatever comes first");
	err_clear(&err);
	add_tlsa(&records, "3 1 1", &alien);
	add_tlsa(&records, "3 1 2", &leaf);
	tap_ok(verify(&records, chain_of(&leaf, NULL, NULL), &err), "the right SHA-512 does");
	add_tlsa(&records, "3 0 2", &alien);
	add_tlsa(&records, "3 1 1", &leaf);
	tap_ok(verify(&records, chain_of(&leaf, NULL, NULL), &err), "another selector is a matter of its own");
	add_tlsa(&records, "2 1 2", &other_root);
	add_tlsa(&records, "3 1 1", &leaf);
	tap_ok(verify(&records, chain_of(&leaf, NULL, NULL), &err), "another usage is a matter of its own");
	add_tlsa(&records, "3 1 2", &alien);
	add_tlsa(&records, "3 1 0", &leaf);
	tap_ok(verify(&records, chain_of(&leaf, NULL, NULL), &err), "full data counts beside any digest");
	add_record(&records, (const unsigned char *)"\3\1\2", "short", 5);
	add_tlsa(&records, "3 1 1", &leaf);
	tap_ok(verify(&records, chain_of(&leaf, NULL, NULL), &err), "a SHA-512 that cannot be used displaces nothing");
	err_clear(&err);
	buf_free(&records);
}

/* Any of several records will do, and one anchor whose chain is no good does not spoil the others. */
static void
test_several(void)
{
	struct issued client =
		issue(&(struct recipe){.names = {base}, .purpose = GNUTLS_KP_TLS_WWW_CLIENT, .issuer = &root});
	struct buf records = {0};
	struct err err = {0};

	add_tlsa(&records, "2 0 1", &root);
	add_tlsa(&records, "3 1 1", &client);
	tap_ok(verify(&records, chain_of(&client, &root, NULL), &err) && !err_is_set(&err),
	       "the server's own certificate makes up for a chain that is no good");
	add_tlsa(&records, "3 1 1", &leaf);
	add_tlsa(&records, "2 0 1", &other_root);
	tap_ok(verify(&records, chain_of(&alien, &other_root, NULL), &err), "the new key and the old may differ in all");
	err_clear(&err);
	buf_free(&records);
	issued_free(&client);
}

static void
test_error(void)
{
	struct buf records = {0};
	struct buf demanded = {0};
	struct buf presented = {0};
	struct err err = {0};
	struct buf text = {0};

	add_association(&demanded, alien.certificate, 1, 1);
	add_association(&presented, leaf.certificate, 1, 1);
	buf_add_text(&text, "the certificate matches none of the TLSA records of mx.example.test: 3 1 1 demands ");
	for (size_t i = 0; i < 32; i++)
		buf_printf(&text, "%02x", (unsigned char)demanded.data[i]);
	buf_add_text(&text, ", presented is ");
	for (size_t i = 0; i < 32; i++)
		buf_printf(&text, "%02x", (unsigned char)presented.data[i]);
	add_tlsa(&records, "3 1 1", &alien);
	verify(&records, chain_of(&leaf, &root, NULL), &err);
	tap_is(buf_text(&err.text), buf_text(&text), "the error says what is demanded and what was presented");
	err_clear(&err);
	add_tlsa(&records, "2 0 1", &alien);
	add_tlsa(&records, "3 0 0", &alien);
	verify(&records, chain_of(&leaf, &root, NULL), &err);
	buf_clear(&text);
	buf_clear(&demanded);
	add_association(&demanded, alien.certificate, 0, 1);
	buf_add_text(&text, "3 0 0 demands data with SHA-256 ");
	for (size_t i = 0; i < 32; i++)
		buf_printf(&text, "%02x", (unsigned char)demanded.data[i]);
	tap_ok(strstr(buf_text(&err.text), buf_text(&text)) != NULL, "full data is shown as its digest");
	err_clear(&err);
	buf_free(&text);
	buf_free(&demanded);
	buf_free(&presented);
	buf_free(&records);
}

/* A handshake with the records; the word that says by what the server was verified, or the error. */
static void
handshake(const struct buf *records, const struct tls_server *server, char word[200])
{
	struct dane dane = dane_of(records);
	struct tls_settings settings = {
		.host = dane.base,
		.trust_file = "/nonexistent/ca.pem",
		.crl_file = "/nonexistent/crl.pem",
		.fingerprint = "not hex",
		.pin = "not base64",
		.min_version = 12,
		.dane = &dane,
	};
	struct net_peer peer = net_peer_start(tls_server_run, server);
	struct tls *tls = NULL;
	struct tls_facts facts = {0};
	struct err err = {0};

	if (tls_handshake(&tls, peer.fd, &settings, clock_deadline(20), &err)) {
		tls_describe(tls, &facts);
		snprintf(word, 200, "%s%s", facts.verified_by, facts.is_verified ? "" : ", not verified");
	} else {
		snprintf(word, 200, "%d: %.100s", err.exit_code, buf_text(&err.text));
	}
	tls_facts_free(&facts);
	tls_close(tls);
	close(peer.fd);
	(void)net_peer_wait(&peer);
	err_clear(&err);
	dane_free(&dane);
}

static void
test_handshake(void)
{
	const struct tls_server server = {.chain = {&leaf, &root}};
	struct buf records = {0};
	char word[200];

	add_tlsa(&records, "3 1 1", &leaf);
	handshake(&records, &server, word);
	tap_is(word, "dane", "a TLSA record decides, whatever the account says about trust");
	buf_clear(&records);
	add_tlsa(&records, "2 1 1", &root);
	handshake(&records, &server, word);
	tap_is(word, "dane", "as does that of a trust anchor");
	buf_clear(&records);
	add_tlsa(&records, "3 1 1", &alien);
	handshake(&records, &server, word);
	tap_ok(strncmp(word, "69: the certificate matches none of the TLSA records of mx.example.test", 70) == 0,
	       "no match ends the handshake");
	buf_clear(&records);
	add_tlsa(&records, "1 1 1", &alien);
	handshake(&records, &server, word);
	tap_is(word, "none, not verified", "where no record can be used nobody is verified, and the connection is encrypted");
	buf_clear(&records);
	handshake(&records, &server, word);
	tap_ok(strncmp(word, "69: ", 4) == 0, "without any record there is nothing that could be accepted");
	buf_free(&records);
}

int
main(void)
{
	struct err err = {0};

	if (!tap_ok(gnutls_load(&err), "the library is there"))
		return tap_end();
	root = issue(&(struct recipe){.common_name = "Test root", .is_authority = true});
	other_root = issue(&(struct recipe){.common_name = "Other root", .is_authority = true});
	leaf = issue(&(struct recipe){.names = {base}, .issuer = &root});
	alien = issue(&(struct recipe){.names = {base}, .issuer = &other_root});
	test_usable();
	test_many();
	test_agility();
	test_end_entity();
	test_trust_anchor();
	test_self_signed();
	test_chain();
	test_names();
	test_several();
	test_error();
	test_handshake();
	issued_free(&leaf);
	issued_free(&alien);
	issued_free(&root);
	issued_free(&other_root);
	return tap_end();
}
