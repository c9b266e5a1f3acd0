/* name_test.c - host names in ASCII, names of certificates, address literals. */

#include "config.h"

#include "net/name.h"
#include "tap.h"

static void
test_ascii(void)
{
	static const struct {
		const char *name;
		const char *ascii; /* NULL: refused */
	} cases[] = {
		{"mx.example.test", "mx.example.test"},
		{"localhost", "localhost"},
		{"MX.Example.Test.", "MX.Example.Test"},
		{"_dmarc.example.test", "_dmarc.example.test"},
		{"b\xc3\xbc"
	         "cher.example",
	         "xn--bcher-kva.example"},
		{"stra\xc3\x9f"
	         "e.de",
	         "xn--strae-oqa.de"},
		{"b\xc3\xbc"
	         "cher\xe3\x80\x82"
	         "example",
	         "xn--bcher-kva.example"},
		{"xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"", NULL},
		{".", NULL},
		{"a..b", NULL},
		{".a", NULL},
		{"a..", NULL},
		{"a b.example", NULL},
		{"a\rb", NULL},
		{"-a.example", NULL},
		{"a-.example", NULL},
		{"[127.0.0.1]", NULL},
		{"xn--a-.example", NULL},
		{"a\xff.example", NULL},
		{"\xe2\x80\xae"
	         "evil.example",
	         NULL},
		{"a/b", NULL},
	};
	char label[66] = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = {0};
		struct err err = {0};
		bool is_good = name_to_ascii(cases[i].name, &b, &err);
		char name[80];

		snprintf(name, sizeof(name), "case %zu becomes %s", i + 1,
		         cases[i].ascii != NULL ? cases[i].ascii : "nothing, EX_NOHOST");
		tap_ok(cases[i].ascii != NULL ? is_good && strcmp(buf_text(&b), cases[i].ascii) == 0
		                              : !is_good && err.exit_code == EX_NOHOST && b.size == 0,
		       "%s", name);
		buf_free(&b);
		err_clear(&err);
	}
	for (size_t size = 63; size <= 64; size++) {
		struct buf b = {0};
		struct err err = {0};

		memset(label, 'a', size);
		tap_ok(name_to_ascii(label, &b, &err) == (size == 63), "a label of %zu bytes is %s", size,
		       size == 63 ? "good" : "refused");
		buf_free(&b);
		err_clear(&err);
	}
}

static void
test_length(void)
{
	struct buf name = {0};

	for (size_t i = 0; i < 127; i++)
		buf_add_text(&name, i > 0 ? ".a" : "a");
	for (size_t size = 253; size <= 255; size += 2) {
		struct buf b = {0};
		struct err err = {0};

		tap_ok(name_to_ascii(buf_text(&name), &b, &err) == (size == 253), "a name of %zu bytes is %s", size,
		       size == 253 ? "good" : "refused");
		buf_add_text(&name, ".a");
		buf_free(&b);
		err_clear(&err);
	}
	buf_free(&name);
}

static void
test_matches(void)
{
	static const struct {
		const char *pattern;
		const char *host;
		bool holds;
	} cases[] = {
		{"mx.example.test", "mx.example.test", true},
		{"MX.example.TEST", "mx.EXAMPLE.test", true},
		{"mx.example.test", "mx.example.tes", false},
		{"mx.example.test.", "mx.example.test", false},
		{"*.example.test", "mx.example.test", true},
		{"*.example.test", "a.mx.example.test", false},
		{"*.example.test", "example.test", false},
		{"*.example.test", ".example.test", false},
		{"*.test", "example.test", false},
		{"*", "test", false},
		{"*.", "test", false},
		{"m*.example.test", "mx.example.test", false},
		{"*x.example.test", "mx.example.test", false},
		{"mx.*.test", "mx.example.test", false},
		{"*.*.test", "mx.example.test", false},
		{"", "", false},
		{"mx .example.test", "mx .example.test", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		tap_ok(name_matches(str_of(cases[i].pattern), str_of(cases[i].host)) == cases[i].holds,
		       "protocol 56: '%s' %s '%s'", cases[i].pattern, cases[i].holds ? "covers" : "does not cover",
		       cases[i].host);
	tap_ok(!name_matches(str_make("mx.example.test\0.evil", 21), STR("mx.example.test")),
	       "protocol 55: NUL does not end a name");
}

static void
test_address(void)
{
	struct name_address address = {0};

	tap_ok(name_to_address("192.0.2.1", &address) && address.size == 4 && address.octets[0] == 192,
	       "an IPv4 literal is an address");
	tap_ok(name_to_address("::1", &address) && address.size == 16 && address.octets[15] == 1,
	       "an IPv6 literal is an address");
	tap_ok(!name_to_address("192.0.2.1.", &address) && !name_to_address("192.0.2", &address) &&
	               !name_to_address("a.example", &address) && !name_to_address("[::1]", &address) &&
	               address.size == 0,
	       "other texts are none");
}

int
main(void)
{
	test_ascii();
	test_length();
	test_matches();
	test_address();
	return tap_end();
}
