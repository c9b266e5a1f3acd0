/* record_test.c - the rdata of DNS records: what is well-formed is read, whatever else comes is no record. */

#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/record.h"
#include "tap.h"

#define RDATA(literal) str_make("" literal, sizeof(literal) - 1)
#define LABEL_63 "\077aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* In memory of its own, so that a sanitizer sees a byte read too many. */
static char *
copy_of(struct str rdata)
{
	char *copy = malloc(rdata.size > 0 ? rdata.size : 1);

	if (copy == NULL)
		abort();
	if (rdata.size > 0)
		memcpy(copy, rdata.data, rdata.size);
	return copy;
}

/* The host of an MX record; NULL: refused. Borrowed until the next call. */
static const char *
mx_host(struct str rdata)
{
	static struct record_mx mx;
	char *copy = copy_of(rdata);
	bool is_read = record_read_mx(str_make(copy, rdata.size), &mx);

	free(copy);
	return is_read ? mx.host : NULL;
}

static void
test_mx(void)
{
	struct record_mx mx;

	tap_ok(record_read_mx(RDATA("\0\012\2mx\7example\3org\0"), &mx), "an MX record is read");
	tap_is_number(mx.preference, 10, "its preference is that of the record");
	tap_is(mx.host, "mx.example.org", "its host has no dot at the end");
	tap_ok(record_read_mx(RDATA("\377\376\1a\0"), &mx) && mx.preference == 65534, "the preference is an unsigned number of two octets");
	tap_is(mx_host(RDATA("\0\0\2MX\7ExAmple\0")), "mx.example", "a host is told in lower case");
	tap_is(mx_host(RDATA("\0\0\0")), "", "the root is the host of a null MX");
	tap_is(mx_host(RDATA("\0\0\5_m_x-\1a\0")), NULL, "a hyphen at the end of a label is refused");
	tap_is(mx_host(RDATA("\0\0\3m_x\1a\0")), "m_x.a", "an underscore is taken");
	tap_is(mx_host(RDATA("\0\0" LABEL_63 "\1a\0")), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.a",
	       "a label of 63 octets is taken");
}

static void
test_short(void)
{
	struct str whole = RDATA("\0\012\2mx\7example\3org\0");
	struct str srv_whole = RDATA("\0\1\0\2\1\321\2mx\7example\0");
	struct record_srv srv;
	bool is_refused = true;

	for (size_t size = 0; size < whole.size; size++)
		is_refused = is_refused && mx_host(str_first(whole, size)) == NULL;
	tap_ok(is_refused, "an MX record that ends too early is refused, wherever it ends");
	is_refused = true;
	for (size_t size = 0; size < srv_whole.size; size++) {
		char *copy = copy_of(str_first(srv_whole, size));

		is_refused = is_refused && !record_read_srv(str_make(copy, size), &srv);
		free(copy);
	}
	tap_ok(is_refused, "an SRV record that ends too early is refused, wherever it ends");
	tap_is(mx_host(RDATA("\0\0\1a\0x")), NULL, "octets behind the name are refused");
	tap_is(mx_host(RDATA("\0\0\0\0")), NULL, "octets behind the root are refused");
}

static void
test_names(void)
{
	char long_name[2 + 5 * 64 + 1] = {0};

	tap_is(mx_host(RDATA("\0\0\300\014")), NULL, "a compression pointer is refused");
	tap_is(mx_host(RDATA("\0\0\2mx\300\014")), NULL, "a compression pointer behind a label is refused");
	tap_is(mx_host(RDATA("\0\0\100" LABEL_63 "\1a\0")), NULL, "a label of 64 octets is refused");
	tap_is(mx_host(RDATA("\0\0\2m\0\1a\0")), NULL, "a NUL in a label is refused");
	tap_is(mx_host(RDATA("\0\0\4mx.b\1a\0")), NULL, "a dot in a label is refused");
	tap_is(mx_host(RDATA("\0\0\4mx b\1a\0")), NULL, "a blank in a label is refused");
	tap_is(mx_host(RDATA("\0\0\4mx\r\n\1a\0")), NULL, "a line end in a label is refused");
	tap_is(mx_host(RDATA("\0\0\4mx\303\244\1a\0")), NULL, "UTF-8 in a label is refused");
	tap_is(mx_host(RDATA("\0\0\4mx>b\1a\0")), NULL, "a bracket in a label is refused");
	tap_is(mx_host(RDATA("\0\0\1/\1a\0")), NULL, "a slash is refused");
	tap_is(mx_host(RDATA("\0\0\003127\0010\0010\0011\0")), NULL, "an address in the place of a name is refused");
	tap_is(mx_host(RDATA("\0\0\00242\0")), NULL, "a number as the only label is refused");
	tap_is(mx_host(RDATA("\0\0\00242\2a1\0")), "42.a1", "a number is taken as another label than the last");
	/* Three labels of 63 octets and one of 61 make the longest name: 255 octets with its lengths and its end. */
	for (size_t i = 0; i < 4; i++) {
		long_name[2 + i * 64] = i < 3 ? 63 : 61;
		memset(&long_name[3 + i * 64], 'b', i < 3 ? 63 : 61);
	}
	tap_ok(mx_host(str_make(long_name, 2 + 255)) != NULL, "a name of 255 octets is taken");
	tap_is_number((long long)strlen(mx_host(str_make(long_name, 2 + 255))), 253, "as text it has 253");
	long_name[2 + 3 * 64] = 62;
	long_name[2 + 4 * 64 - 1] = 'b';
	tap_is(mx_host(str_make(long_name, 2 + 256)), NULL, "a name of 256 octets is refused");
	for (size_t i = 3; i < 5; i++) {
		long_name[2 + i * 64] = 63;
		memset(&long_name[3 + i * 64], 'b', 63);
	}
	tap_is(mx_host(str_make(long_name, sizeof(long_name))), NULL, "a name of 321 octets is refused");
}

static void
test_srv(void)
{
	struct record_srv srv;

	tap_ok(record_read_srv(RDATA("\0\1\0\2\1\321\2mx\7example\0"), &srv), "an SRV record is read");
	tap_ok(srv.priority == 1 && srv.weight == 2 && srv.port == 465, "priority, weight and port are in this order");
	tap_is(srv.host, "mx.example", "and the host behind them");
	tap_ok(record_read_srv(RDATA("\0\0\0\0\377\377\0"), &srv) && srv.host[0] == '\0' && srv.port == 65535,
	       "the root as the host says that there is no such service");
}

static void
test_tlsa(void)
{
	struct record_tlsa tlsa;
	struct str whole = RDATA("\3\1\1abc");
	bool is_refused = true;

	for (size_t size = 0; size < 4; size++) {
		char *copy = copy_of(str_first(whole, size));

		is_refused = is_refused && !record_read_tlsa(str_make(copy, size), &tlsa);
		free(copy);
	}
	tap_ok(is_refused, "a TLSA record of 0 to 3 octets is refused");
	tap_ok(record_read_tlsa(whole, &tlsa) && tlsa.usage == 3 && tlsa.selector == 1 && tlsa.matching == 1, "a TLSA record is read");
	tap_ok(str_equals(tlsa.data, STR("abc")) && tlsa.data.data == whole.data + 3, "its data is that of the rdata");
	tap_ok(record_read_tlsa(RDATA("\377\376\375x"), &tlsa) && tlsa.usage == 255, "numbers that nobody knows are told");
}

static bool
is_address(enum dns_type type, struct str rdata, const char *expected)
{
	struct endpoint endpoint;
	struct buf text = {0};
	char *copy = copy_of(rdata);
	bool is_read = record_read_address(type, str_make(copy, rdata.size), 2525, &endpoint);
	bool is_right = is_read == (expected != NULL);

	if (is_read && is_right) {
		lookup_add_text(&endpoint, &text);
		is_right = strcmp(buf_text(&text), expected) == 0 &&
		           ntohs(type == DNS_A ? endpoint.v4.sin_port : endpoint.v6.sin6_port) == 2525;
	}
	buf_free(&text);
	free(copy);
	return is_right;
}

static void
test_addresses(void)
{
	tap_ok(is_address(DNS_A, RDATA("\300\0\2\1"), "192.0.2.1"), "an A record is an address, with the port");
	tap_ok(is_address(DNS_A, RDATA("\300\0\2"), NULL), "an A record of three octets is refused");
	tap_ok(is_address(DNS_A, RDATA("\300\0\2\1\0"), NULL), "an A record of five octets is refused");
	tap_ok(is_address(DNS_A, RDATA(""), NULL), "an empty A record is refused");
	tap_ok(is_address(DNS_A, RDATA("\0\0\0\0"), NULL), "0.0.0.0, which is this host to connect(2), is refused");
	tap_ok(is_address(DNS_AAAA, RDATA("\040\1\015\270\0\0\0\0\0\0\0\0\0\0\0\1"), "2001:db8::1"), "an AAAA record is an address");
	tap_ok(is_address(DNS_AAAA, RDATA("\040\1\015\270\0\0\0\0\0\0\0\0\0\0\0"), NULL), "an AAAA record of 15 octets is refused");
	tap_ok(is_address(DNS_AAAA, RDATA("\040\1\015\270\0\0\0\0\0\0\0\0\0\0\0\1\0"), NULL), "an AAAA record of 17 octets is refused");
	tap_ok(is_address(DNS_AAAA, RDATA("\300\0\2\1"), NULL), "an AAAA record of four octets is refused");
	tap_ok(is_address(DNS_AAAA, RDATA("\0\0\0\0\0\0\0\0\0\0\377\377\177\0\0\1"), NULL), "an IPv4 address within IPv6 is refused");
	tap_ok(is_address(DNS_AAAA, RDATA("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), NULL), "::, which is this host to connect(2), is refused");
	tap_ok(is_address(DNS_MX, RDATA("\300\0\2\1"), NULL), "another type is no address");
}

/* The text of a TXT record behind what stands there; NULL: refused. */
static const char *
text_of(struct buf *text, struct str rdata)
{
	char *copy = copy_of(rdata);
	bool is_read;

	buf_clear(text);
	buf_add_text(text, "before:");
	is_read = record_add_text(str_make(copy, rdata.size), text);
	free(copy);
	if (!is_read && strcmp(buf_text(text), "before:") != 0)
		return "something was added";
	return is_read ? buf_text(text) : NULL;
}

static void
test_text(void)
{
	struct buf text = {0};

	tap_is(text_of(&text, RDATA("\7v=STSv1")), "before:v=STSv1", "a TXT record of one string is read");
	tap_is(text_of(&text, RDATA("\2ab\0\3cde")), "before:abcde", "several strings stand one behind the other");
	tap_is(text_of(&text, RDATA("\0")), "before:", "an empty string is one");
	tap_is(text_of(&text, RDATA("")), NULL, "a TXT record has at least one string");
	tap_is(text_of(&text, RDATA("\3ab")), NULL, "a string that ends too early is refused");
	tap_is(text_of(&text, RDATA("\1a\377")), NULL, "a length without its string is refused, and nothing is added");
	tap_ok(text_of(&text, RDATA("\3a\0b")) != NULL && text.size == 10, "a NUL in it is kept");
	buf_free(&text);
}

int
main(void)
{
	test_mx();
	test_short();
	test_names();
	test_srv();
	test_tlsa();
	test_addresses();
	test_text();
	return tap_end();
}
