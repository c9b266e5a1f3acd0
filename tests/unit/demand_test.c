/* demand_test.c - what TLS a host owes us, by a zone in memory. MTA-STS has tests of its own. */

#include "config.h"

#include "deliver/route.h"
#include "tap.h"
#include "zone_kit.h"

#define LEAF "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static const struct zone_record records[] = {
	{"plain.example", DNS_A, "198.51.100.1", false},
	{"dane.example", DNS_A, "198.51.100.2", false},
	{"_25._tcp.dane.example", DNS_TLSA, "3 1 1 " LEAF, false},
	{"unusable.example", DNS_A, "198.51.100.3", false},
	{"_25._tcp.unusable.example", DNS_TLSA, "1 1 1 " LEAF, false},
	{"fail.example", DNS_A, "198.51.100.4", false},
	{"_25._tcp.fail.example", DNS_TLSA, "FAIL", false},
	{"bogus.example", DNS_A, "198.51.100.4", false},
	{"_25._tcp.bogus.example", DNS_TLSA, "BOGUS", false},
	{"unsigned.example", DNS_A, "198.51.100.5", true},
	{"_25._tcp.unsigned.example", DNS_TLSA, "3 1 1 " LEAF, false},
	{"half.example", DNS_A, "198.51.100.6", false},
	{"_25._tcp.half.example", DNS_TLSA, "3 1 1 " LEAF, true},
	{"alias.example", ZONE_CNAME, "dane.example", false},
	{"second.example", ZONE_CNAME, "plain.example", false},
	{"_25._tcp.second.example", DNS_TLSA, "3 1 1 " LEAF, false},
	{"_submission._tcp.signed.example", DNS_SRV, "0 0 25 dane.example", false},
	{"_submission._tcp.forged.example", DNS_SRV, "0 0 25 dane.example", true},
	{"known.example", DNS_MX, "10 mx.known.example", false},
	{"mx.known.example", DNS_A, "198.51.100.7", false},
	{"outside.example", DNS_MX, "10 mx.open.example", false},
	{"mx.open.example", DNS_A, "198.51.100.8", true},
	{"open.example", DNS_MX, "10 mx.open.example", true},
	{"own.example", DNS_MX, "10 own.example", true},
	{"own.example", DNS_A, "198.51.100.9", true},
	{NULL, 0, NULL, false},
};

struct world {
	struct zone zone;
	struct finder finder;
	struct account account;
	struct route route;
};

static const char *
summary(const struct route *route)
{
	static char text[80];
	static const char *const tls[] = {"none", "starttls", "implicit", "may"};
	static const char *const reasons[] = {"account", "dane", "policy", "nothing"};
	const struct route_host *host = &route->hosts[0];

	if (route->n_hosts == 0)
		return "no host";
	snprintf(text, sizeof(text), "%s %s%s%s", tls[host->tls], reasons[host->reason],
	         host->tls_settings.is_unchecked ? " unchecked" : "", host->refusal.size > 0 ? " refused" : "");
	return text;
}

static void
find(struct world *w, const char *destination, struct tls_wish wish)
{
	w->zone = (struct zone){.records = records};
	w->finder = (struct finder){.ask = zone_ask, .draw = zone_draw, .context = &w->zone};
	route_find(&w->route, &(struct route_query){.account = &w->account, .destination = destination, .wish = wish, .finder = &w->finder});
}

static void
direct_is(enum account_tls_policy policy, struct tls_wish wish, const char *destination, const char *expected, const char *sentence)
{
	struct world w = {.account = {.delivery = DELIVER_DIRECT, .port = 25, .tls_policy = policy, .tls_certcheck = true}};

	find(&w, destination, wish);
	tap_is(summary(&w.route), expected, sentence);
	route_free(&w.route);
}

static void
test_published(void)
{
	static const struct tls_wish none = {0};

	direct_is(TLS_POLICY_MAY, none, "plain.example", "may nothing unchecked", "where nothing is published TLS is as it is offered");
	direct_is(TLS_POLICY_MAY, none, "dane.example", "starttls dane unchecked", "TLSA records demand TLS");
	direct_is(TLS_POLICY_MAY, none, "unusable.example", "starttls dane unchecked", "so do those that cannot be used");
	direct_is(TLS_POLICY_MAY, none, "fail.example", "may nothing unchecked refused", "a question that fails keeps the host from being tried");
	direct_is(TLS_POLICY_MAY, none, "bogus.example", "may nothing unchecked refused", "and so does a bogus answer");
	direct_is(TLS_POLICY_MAY, none, "unsigned.example", "may nothing unchecked", "nobody asks about a host that is not signed");
	direct_is(TLS_POLICY_MAY, none, "half.example", "may nothing unchecked", "TLSA records that are not signed do not count");
	direct_is(TLS_POLICY_MAY, none, "alias.example", "starttls dane unchecked", "those of the name behind an alias count");
	direct_is(TLS_POLICY_MAY, none, "second.example", "starttls dane unchecked", "where it has none, those of the alias do");
}

static void
test_settings(void)
{
	static const struct tls_wish none = {0}, required = {.is_required = true}, waived = {.is_waived = true};

	direct_is(TLS_POLICY_ENCRYPT, none, "plain.example", "starttls account unchecked", "encrypt: any certificate");
	direct_is(TLS_POLICY_VERIFY, none, "plain.example", "starttls account", "verify: one for the name");
	direct_is(TLS_POLICY_DANE, none, "plain.example", "may nothing unchecked", "dane: where there is something");
	direct_is(TLS_POLICY_DANE_ONLY, none, "plain.example", "may nothing unchecked refused", "dane-only: nobody else");
	direct_is(TLS_POLICY_DANE_ONLY, none, "unusable.example", "starttls dane unchecked refused", "nor whose records cannot be used");
	direct_is(TLS_POLICY_MAY, required, "plain.example", "starttls account", "REQUIRETLS: a certificate for the name");
	direct_is(TLS_POLICY_MAY, required, "dane.example", "starttls dane", "or by DANE");
	direct_is(TLS_POLICY_MAY, required, "unusable.example", "starttls dane refused", "and not by records that cannot be used");
	direct_is(TLS_POLICY_MAY, waived, "dane.example", "may nothing unchecked", "TLS-Required: No overrules what is published");
	direct_is(TLS_POLICY_MAY, waived, "fail.example", "may nothing unchecked", "and what cannot be known");
	direct_is(TLS_POLICY_ENCRYPT, waived, "dane.example", "starttls account unchecked", "but not the settings");
	direct_is(TLS_POLICY_DANE_ONLY, waived, "dane.example", "starttls dane unchecked", "dane-only among them");
}

/* Who vouches for the name that the certificate must have (RFC 8689 section 4.2.1)? */
static void
test_requiretls(void)
{
	static const struct tls_wish required = {.is_required = true};

	direct_is(TLS_POLICY_MAY, required, "known.example", "starttls account", "REQUIRETLS: a validated MX record does");
	direct_is(TLS_POLICY_MAY, required, "outside.example", "starttls account", "though the addresses are not");
	direct_is(TLS_POLICY_MAY, required, "open.example", "starttls account refused", "one that anybody may have put into DNS does not");
	direct_is(TLS_POLICY_MAY, required, "own.example", "starttls account", "the domain's own name needs nobody");
}

static void
relay_is(const char *host_setting, const char *expected, const char *sentence)
{
	char host[80];
	struct world w = {.account = {.host = host, .port = 25, .tls = true, .tls_starttls = true, .tls_certcheck = true,
	                              .tls_policy = TLS_POLICY_DANE}};

	snprintf(host, sizeof(host), "%s", host_setting);
	find(&w, NULL, (struct tls_wish){0});
	tap_is(summary(&w.route), expected, sentence);
	route_free(&w.route);
}

static void
test_relays(void)
{
	relay_is("dane.example", "starttls dane", "a relay may have TLSA records");
	relay_is("plain.example", "starttls account", "one without them is checked by the settings");
	relay_is("198.51.100.9", "starttls account", "an address has none");
	relay_is("srv:signed.example", "starttls dane", "signed SRV records lead to those of their host");
	relay_is("srv:forged.example", "starttls account", "SRV records that nobody signed do not");
}

int
main(void)
{
	test_published();
	test_settings();
	test_requiretls();
	test_relays();
	return tap_end();
}
