/* direct_test.c - the hosts that take mail for a destination, by a zone in memory. */

#include "config.h"

#include "deliver/direct.h"
#include "tap.h"
#include "zone_kit.h"

static const struct zone_record records[] = {
	{"plain.example", DNS_MX, "20 b.plain.example", false},
	{"plain.example", DNS_MX, "10 a.plain.example", false},
	{"plain.example", DNS_MX, "10 c.plain.example", false},
	{"a.plain.example", DNS_A, "198.51.100.1", false},
	{"a.plain.example", DNS_AAAA, "2001:db8::1", false},
	{"b.plain.example", DNS_A, "198.51.100.2", false},
	{"c.plain.example", DNS_A, "198.51.100.3", false},
	{"nomx.example", DNS_A, "198.51.100.4", false},
	{"null.example", DNS_MX, "0 .", false},
	{"half-null.example", DNS_MX, "0 .", false},
	{"half-null.example", DNS_MX, "10 a.plain.example", false},
	{"fail.example", DNS_MX, "FAIL", false},
	{"bogus.example", DNS_MX, "BOGUS", false},
	{"bogus.example", DNS_A, "198.51.100.5", false},
	{"noaddress.example", DNS_MX, "10 nowhere.example", false},
	{"failaddress.example", DNS_MX, "10 failhost.example", false},
	{"failhost.example", DNS_A, "FAIL", false},
	{"onefails.example", DNS_MX, "10 failhost.example", false},
	{"onefails.example", DNS_MX, "20 b.plain.example", false},
	{"local.example", DNS_MX, "10 loop.local.example", false},
	{"loop.local.example", DNS_A, "127.0.0.1", false},
	{"backup.example", DNS_MX, "10 a.plain.example", false},
	{"backup.example", DNS_MX, "20 loop.local.example", false},
	{"backup.example", DNS_MX, "20 c.plain.example", false},
	{"backup.example", DNS_MX, "30 b.plain.example", false},
	{"alias.example", DNS_MX, "10 alias.plain.example", false},
	{"alias.plain.example", ZONE_CNAME, "a.plain.example", false},
	{"twice.example", DNS_MX, "10 a.plain.example", false},
	{"twice.example", DNS_MX, "20 a.plain.example", false},
	{"v6.example", DNS_MX, "10 six.example", false},
	{"six.example", DNS_AAAA, "2001:db8::6", false},
	{NULL, 0, NULL, false},
};

struct world {
	struct zone zone;
	struct finder finder;
	struct account account;
	struct route route;
};

static void
find(struct world *w, const char *destination, const struct zone_record *of)
{
	*w = (struct world){.zone = {.records = of}};
	w->finder = (struct finder){.ask = zone_ask, .draw = zone_draw, .context = &w->zone};
	w->account = (struct account){.delivery = DELIVER_DIRECT, .port = 25};
	w->route.is_direct = true;
	direct_find(&w->route, &(struct route_query){.account = &w->account, .destination = destination, .finder = &w->finder});
}

/* The hosts as "PREFERENCE NAME ADDRESS,ADDRESS; ...", or why there is none as "! STATE ENHANCED". */
static void
hosts_are(const char *destination, const char *expected, const char *sentence)
{
	struct world w;
	struct buf text = {0};

	find(&w, destination, records);
	for (size_t i = 0; i < w.route.n_hosts; i++) {
		const struct route_host *host = &w.route.hosts[i];

		buf_printf(&text, "%s%d %s ", i > 0 ? "; " : "", host->preference, host->name);
		for (size_t k = 0; k < host->addresses.n; k++) {
			buf_add_text(&text, k > 0 ? "," : "");
			lookup_add_text(&host->addresses.endpoints[k], &text);
		}
		if (host->refusal.size > 0)
			buf_add_text(&text, "refused");
	}
	if (w.route.n_hosts == 0)
		buf_printf(&text, "! %s %u.%u.%u", outcome_state_name(w.route.refusal.state), w.route.refusal.enhanced[0],
		           w.route.refusal.enhanced[1], w.route.refusal.enhanced[2]);
	tap_is(buf_text(&text), expected, sentence);
	if (w.route.n_hosts == 0)
		tap_ok(err_is_set(&w.route.failure) && w.route.refusal.text[0] != '\0', "  and it is told in words: %s", w.route.refusal.text);
	buf_free(&text);
	route_free(&w.route);
}

static void
test_order(void)
{
	hosts_are("plain.example", "10 a.plain.example 2001:db8::1,198.51.100.1; 10 c.plain.example 198.51.100.3; 20 b.plain.example 198.51.100.2",
	          "hosts come by preference, with all their addresses");
	hosts_are("twice.example", "10 a.plain.example 2001:db8::1,198.51.100.1", "a host that is named twice is tried once");
	hosts_are("v6.example", "10 six.example 2001:db8::6", "a host may have IPv6 alone");
	hosts_are("alias.example", "10 alias.plain.example 2001:db8::1,198.51.100.1", "an MX host may be an alias");
	hosts_are("half-null.example", "10 a.plain.example 2001:db8::1,198.51.100.1", "a null MX beside others does not count");
	hosts_are("nomx.example", "0 nomx.example 198.51.100.4", "without MX records the domain is its own host");
	hosts_are("onefails.example", "10 failhost.example refused; 20 b.plain.example 198.51.100.2",
	          "a host whose address cannot be known now does not keep the others from being tried");
}

static void
test_refusals(void)
{
	hosts_are("null.example", "! failed 5.1.10", "a null MX is final");
	hosts_are("nothing.example", "! failed 5.1.2", "a domain that does not exist is final");
	hosts_are("fail.example", "! deferred 4.4.3", "a failing question is not");
	hosts_are("bogus.example", "! deferred 4.4.3", "nor is a bogus answer, and nobody asks for addresses after it");
	hosts_are("noaddress.example", "! failed 5.4.4", "MX hosts without any address are final");
	hosts_are("failaddress.example", "10 failhost.example refused", "not so if the address could not be asked for");
	hosts_are("local.example", "! failed 5.4.6", "mail that would come back to this machine is final");
	hosts_are("", "! failed 5.1.2", "an address without a domain has no server");
	hosts_are("[not-an-address]", "! failed 5.1.2", "a literal that is none");
}

static void
test_self(void)
{
	hosts_are("backup.example", "10 a.plain.example 2001:db8::1,198.51.100.1",
	          "where this machine is a host itself, it and those that come with it or after it are left out");
	hosts_are("[127.0.0.1]", "! failed 5.4.6", "a literal may not be this machine either");
}

static void
test_literals(void)
{
	hosts_are("[198.51.100.9]", "0 198.51.100.9 198.51.100.9", "an address literal is its own host");
	hosts_are("[IPv6:2001:db8::9]", "0 2001:db8::9 2001:db8::9", "of IPv6 too");
}

static void
test_bounds(void)
{
	enum { N = 1000 };
	struct zone_record *many = calloc(2 * N + 1, sizeof(*many));
	char (*texts)[2][40] = calloc(N, sizeof(*texts));
	struct world w;
	size_t n_addresses = 0;

	for (size_t i = 0; i < N; i++) {
		snprintf(texts[i][0], sizeof(texts[i][0]), "%zu h%zu.many.example", i, i);
		snprintf(texts[i][1], sizeof(texts[i][1]), "h%zu.many.example", i);
		many[i] = (struct zone_record){"many.example", DNS_MX, texts[i][0], false};
		many[N + i] = (struct zone_record){texts[i % 20][1], DNS_A, "198.51.100.7", false};
	}
	find(&w, "many.example", many);
	for (size_t i = 0; i < w.route.n_hosts; i++)
		n_addresses += w.route.hosts[i].addresses.n;
	tap_ok(w.route.n_hosts > 0 && w.route.n_hosts <= ROUTE_HOSTS_MOST, "of 1000 MX hosts at most 20 are tried (%zu)", w.route.n_hosts);
	tap_ok(n_addresses <= ROUTE_ADDRESSES_MOST, "at no more than 40 addresses (%zu)", n_addresses);
	tap_ok(w.zone.n_rounds == 2 && w.zone.n_questions <= 41, "asked for in two rounds, with 41 questions (%zu)", w.zone.n_questions);
	route_free(&w.route);
	free(many);
	free(texts);
}

/* Of three the last and the first change places, and nothing else moves. */
static uint32_t
draw_swap(void *context, uint32_t below)
{
	(void)context;
	return below == 3 ? 0 : below - 1;
}

static void
test_shuffle(void)
{
	struct world w;

	find(&w, "plain.example", records);
	route_free(&w.route);
	w.route.is_direct = true;
	w.finder.draw = draw_swap;
	direct_find(&w.route, &(struct route_query){.account = &w.account, .destination = "plain.example", .finder = &w.finder});
	tap_is(w.route.hosts[0].name, "c.plain.example", "equal preferences are shuffled");
	tap_is(w.route.hosts[2].name, "b.plain.example", "and stay before the others");
	route_free(&w.route);
}

static void
test_security(void)
{
	static const struct zone_record mixed[] = {
		{"secure.example", DNS_MX, "10 host.secure.example", false},
		{"host.secure.example", DNS_A, "198.51.100.1", false},
		{"open.example", DNS_MX, "10 host.secure.example", true},
		{"outside.example", DNS_MX, "10 host.open.example", false},
		{"host.open.example", DNS_A, "198.51.100.2", true},
		{NULL, 0, NULL, false},
	};
	struct world w;

	find(&w, "secure.example", mixed);
	tap_ok(w.route.hosts[0].is_secure, "MX and address validated: the host is secure");
	route_free(&w.route);
	find(&w, "open.example", mixed);
	tap_ok(!w.route.hosts[0].is_secure, "an MX that is not validated makes its host insecure");
	route_free(&w.route);
	find(&w, "outside.example", mixed);
	tap_ok(!w.route.hosts[0].is_secure, "and so does an address that is not");
	route_free(&w.route);
}

int
main(void)
{
	test_order();
	test_refusals();
	test_self();
	test_literals();
	test_bounds();
	test_shuffle();
	test_security();
	return tap_end();
}
