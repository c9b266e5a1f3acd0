/* hostlist_test.c - the setting `host` taken apart. */

#include "config.h"

#include <stdlib.h>

#include "base/buf.h"
#include "conf/hostlist.h"
#include "tap.h"

/* The list as "NAME|PORT NAME|PORT"; "bad" behind what could be read when the rest is malformed. */
static void
read_is(const char *host, const char *expected, const char *name)
{
	struct str rest = str_of(host);
	struct hostlist_item item;
	struct buf text = {0};

	while (rest.size > 0) {
		bool is_good = hostlist_next(&rest, &item);

		if (text.size > 0)
			buf_add_char(&text, ' ');
		if (!is_good) {
			buf_add_text(&text, "bad");
			break;
		}
		buf_add_str(&text, item.name);
		buf_printf(&text, "|%d", item.port);
	}
	tap_is(buf_text(&text), expected, name);
	buf_free(&text);
}

static void
test_items(void)
{
	read_is("mail.example.org", "mail.example.org|0", "a name");
	read_is("mail.example.org:587", "mail.example.org|587", "a name with a port");
	read_is("a.example,b.example:465, c.example", "a.example|0 b.example|465 c.example|0", "a list, blanks behind commas");
	read_is("192.0.2.1:25", "192.0.2.1|25", "an IPv4 address with a port");
	read_is("2001:db8::1", "2001:db8::1|0", "an IPv6 address has no port");
	read_is("::1", "::1|0", "the shortest of them");
	read_is("[2001:db8::1]:587,[::1]", "2001:db8::1|587 ::1|0", "brackets are for those with a port");
	read_is("a.example:", "bad", "a port that is not there");
	read_is("a.example:0", "bad", "port 0");
	read_is("a.example:65536", "bad", "a port that is too large");
	read_is("a.example:smtp", "bad", "a port that is no number");
	read_is(":25", "bad", "a name that is not there");
	read_is("[::1", "bad", "a bracket without its end");
	read_is("[::1]x", "bad", "something behind the bracket");
	read_is("a,,b", "a|0 bad", "nothing between commas");
	read_is("a b", "a b|0", "a blank in a name is for the look-up to refuse");
}

static void
first_is(const char *host, const char *expected, const char *sentence)
{
	char *first = hostlist_copy_first(host);

	tap_is(first, expected, sentence);
	free(first);
}

static void
test_forms(void)
{
	struct str domain = {0};

	first_is("[::1]:587, b", "::1", "the first host of a list stands for all");
	first_is("a:25,b", "a", "without its port");
	first_is("a", "a", "as the only one does");
	first_is("srv:example.org", "example.org", "and the domain of srv:");
	tap_ok(hostlist_is_direct(STR("mx")) && hostlist_is_direct(STR("MX")), "mx is direct delivery");
	tap_ok(!hostlist_is_direct(STR("mx.example.org")), "a host whose name begins so is not");
	tap_ok(hostlist_is_service(STR("srv:example.org"), &domain) && str_equals(domain, STR("example.org")), "srv: has a domain");
	tap_ok(!hostlist_is_service(STR("srv.example.org"), &domain), "a host of that name is none");
}

static void
test_complaints(void)
{
	const char *const good[] = {"a", "a:1,b:2", "::1", "mx", "srv:example.org", "münchen.example:25"};
	const char *const bad[] = {"a,", ",a", "a:x", "srv:", "srv:a,b", "srv:a:25", "a,mx", "a,srv:b"};
	struct buf many = {0};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		tap_ok(hostlist_complain(str_of(good[i])) == NULL, "'%s' is right", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		tap_ok(hostlist_complain(str_of(bad[i])) != NULL, "'%s' is not", bad[i]);
	for (int i = 0; i < HOSTLIST_MOST; i++)
		buf_printf(&many, "%sh%d", i > 0 ? "," : "", i);
	tap_ok(hostlist_complain(buf_str(&many)) == NULL, "20 hosts are right");
	buf_add_text(&many, ",one-more");
	tap_ok(hostlist_complain(buf_str(&many)) != NULL, "21 are not");
	buf_free(&many);
}

int
main(void)
{
	test_items();
	test_forms();
	test_complaints();
	return tap_end();
}
