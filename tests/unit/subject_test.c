/* subject_test.c - the subject inside a certificate, and OpenSSL's hash of it. */

#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/gnutls.h"
#include "net/subject.h"
#include "tap.h"

static const char system_folder[] = "/etc/ssl/certs";

static unsigned
hex_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void
add_hex(struct buf *b, const char *hex)
{
	for (; hex[0] != '\0'; hex += 2)
		buf_add_char(b, (char)(hex_digit(hex[0]) << 4 | hex_digit(hex[1])));
}

/* Made by `openssl req`, hashed by `openssl x509 -subject_hash` of OpenSSL 3.0. */
static void
test_hashes(void)
{
	static const struct {
		const char *name, *der;
		uint32_t hash;
	} cases[] = {
		{"case, and blanks at both ends and in runs, do not matter",
		 "303b310b300906035504061302444531173015060355040a0c0e202054776f202020576f726473203113301106035504030c0a"
		 "4d695865642043617365",
		 0x7266cb8a},
		{"letters beyond ASCII stay as they are",
		 "3025310a3008060355040a0c01423117301506035504030c0e42c3bc6368657220c38472676572", 0x59888f1d},
		{"several attributes in one part of the name are sorted",
		 "303431263009060355040613024445300b060355040a0c047a657461300c06035504030c05416c706861310a3008060355040b"
		 "0c0178",
		 0xdbce878f},
		{"they are sorted as small letters", "302231143008060355040b0c01423008060355040b0c0161310a300806035504030c0178",
		 0xe5e5bc8a},
		{"Latin-1 is the same text",
		 "302f310e300c060355040a14054772f6df65311d301b06092a864886f70d010901160e4d65404578616d706c652e4f5247",
		 0x0a90d1e0},
		{"so is UTF-16",
		 "303831173015060355040a1e0e0047007200f600df0065002020ac311d301b06092a864886f70d010901160e4d65404578616d"
		 "706c652e4f5247",
		 0x1412730b},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf der = {0};
		uint32_t hash = 0;
		bool is_good;

		add_hex(&der, cases[i].der);
		is_good = subject_hash(buf_str(&der), &hash);
		if (!tap_ok(is_good && hash == cases[i].hash, "%s", cases[i].name))
			tap_note("%08x, not %08x", (unsigned)hash, (unsigned)cases[i].hash);
		buf_free(&der);
	}
}

/* A name longer than one octet of length can say. */
static void
test_long(void)
{
	struct buf der = {0};
	uint32_t hash = 0;

	add_hex(&der, "30820163");
	for (int i = 0; i < 5; i++) {
		add_hex(&der, "31453043060355040b0c3c");
		for (int k = 0; k < 60; k++)
			buf_add_char(&der, 'x');
	}
	tap_ok(subject_hash(buf_str(&der), &hash) && hash == 0x5a7c8f0f, "a long name is hashed alike");
	buf_free(&der);
}

static void
test_damage(void)
{
	static const char hex[] = "303b310b300906035504061302444531173015060355040a0c0e202054776f202020576f726473203113301106"
	                          "035504030c0a4d695865642043617365";
	struct buf der = {0};
	struct str subject;
	uint32_t hash = 0;
	size_t n_good = 0;
	bool is_found = false;

	add_hex(&der, hex);
	for (size_t n = 0; n < der.size; n++) {
		n_good += subject_hash(str_first(buf_str(&der), n), &hash);
		is_found = is_found || subject_find(str_first(buf_str(&der), n), &subject);
	}
	tap_is_number((int)n_good, 0, "a name that is cut has no hash");
	tap_ok(!is_found, "what is no certificate has no subject");
	/* Any octet changed: an answer or none, but no harm. */
	for (size_t n = 0; n < der.size; n++)
		for (unsigned value = 0; value < 256; value++) {
			char before = der.data[n];

			der.data[n] = (char)value;
			(void)subject_hash(buf_str(&der), &hash);
			(void)subject_find(buf_str(&der), &subject);
			der.data[n] = before;
		}
	buf_free(&der);
}

static bool
agrees(const char *name, unsigned *n_seen)
{
	gnutls_datum_t pem = {0}, der = {0};
	struct buf path = {0};
	struct str subject = {0};
	char *end = NULL;
	unsigned long told = strtoul(name, &end, 16);
	uint32_t hash = 0;
	bool is_good = true;

	buf_printf(&path, "%s/%s", system_folder, name);
	if (end == name + 8 && *end == '.' && gnutls_load_file(buf_text(&path), &pem) >= 0 &&
	    gnutls_pem_base64_decode2("CERTIFICATE", &pem, &der) >= 0) {
		*n_seen += 1;
		is_good = subject_find(str_make((const char *)der.data, der.size), &subject) &&
		          subject_hash(subject, &hash) && hash == told;
	}
	if (!is_good)
		tap_note("%s is %08x here", name, (unsigned)hash);
	gnutls_free(pem.data);
	gnutls_free(der.data);
	buf_free(&path);
	return is_good;
}

/* The links that the system's own tool has made. */
static void
test_system(void)
{
	DIR *folder = opendir(system_folder);
	const struct dirent *entry;
	unsigned n_seen = 0;
	bool is_good = true;

	while (folder != NULL && (entry = readdir(folder)) != NULL)
		is_good = agrees(entry->d_name, &n_seen) && is_good;
	if (folder != NULL)
		closedir(folder);
	tap_note("%u names", n_seen);
	tap_ok(is_good, "all links in the system's folder have our hash%s", n_seen > 0 ? "" : " # SKIP there are none");
}

int
main(void)
{
	struct err err = {0};

	if (!gnutls_load(&err))
		return 1;
	test_hashes();
	test_long();
	test_damage();
	test_system();
	return tap_end();
}
