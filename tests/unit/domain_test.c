/* domain_test.c - domain names in ASCII. */

#include "config.h"

#include "base/domain.h"
#include "tap.h"

static const struct {
	const char *domain;
	const char *ascii; /* NULL: refused */
} cases[] = {
	{"example.org", "example.org"},
	{"Example.ORG", "Example.ORG"},
	{"example.org.", "example.org"},
	{"my_app.example", "my_app.example"},
	{"b\xc3\xbc" "cher.example", "xn--bcher-kva.example"},
	{"stra\xc3\x9f" "e.example", "xn--strae-oqa.example"},
	{"b\xc3\xbc" "cher\xe3\x80\x82" "example", "xn--bcher-kva.example"},
	{"xn--bcher-kva.example", "xn--bcher-kva.example"},
	{"xn--\xff.example", NULL},
	{"xn--a.example", NULL},
	{"", NULL},
	{".", NULL},
	{"a..b", NULL},
	{".a", NULL},
	{"a b.example", NULL},
	{"-a.example", NULL},
	{"a-.example", NULL},
	{"[127.0.0.1]", NULL},
	{"a@b", NULL},
	{"a\r\nb", NULL},
	{"\xe2\x80\xae" "a.example", NULL},
};

int
main(void)
{
	char label[DOMAIN_LABEL_MOST + 2], name[300];
	struct buf b = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *reason = domain_add_ascii(&b, str_of(cases[i].domain));

		tap_ok((reason == NULL) == (cases[i].ascii != NULL) && strcmp(buf_text(&b), cases[i].ascii != NULL ? cases[i].ascii : "") == 0,
		       "domain %zu becomes %s", i, cases[i].ascii != NULL ? cases[i].ascii : "nothing");
		buf_clear(&b);
	}
	memset(label, 'a', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	tap_ok(domain_add_ascii(&b, str_of(label)) != NULL && b.size == 0, "a label of 64 characters is refused");
	tap_ok(domain_add_ascii(&b, str_of(label + 1)) == NULL, "one of 63 is not");
	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = i % 50 == 49 ? '.' : 'a';
	name[254] = '\0';
	tap_ok(!domain_is_ascii(str_of(name)), "a name of 254 characters is refused");
	name[253] = '\0';
	tap_ok(domain_is_ascii(str_of(name)), "one of 253 is not");
	tap_ok(!domain_is_ascii(STR("a.")) && !domain_is_ascii(STR("")), "a dot at the end is no ASCII name, nor is nothing");
	buf_free(&b);
	return tap_end();
}
