/* demand_test.c - what TLS the hosts of a destination owe, by a zone in memory. */

#include "config.h"

#include "deliver/route.h"
#include "tap.h"
#include "zone_kit.h"

#define SOME_DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct zone_record records[] = {
	{"signed.example", DNS_MX, "10 mx.signed.example", false},
	{"mx.signed.example", DNS_A, "198.51.100.1", false},
	{"outside.example", DNS_MX, "10 mx.open.example", false},
	{"mx.open.example", DNS_A, "198.51.100.2", true},
	{"open.example", DNS_MX, "10 mx.open.example", true},
	{"own.example", DNS_MX, "10 own.example", true},
	{"own.example", DNS_A, "198.51.100.3", true},
	{"bare.example", DNS_A, "198.51.100.4", true},
	{"dane.example", DNS_MX, "10 mx.dane.example", false},
	{"mx.dane.example", DNS_A, "198.51.100.5", false},
	{"_25._tcp.mx.dane.example", DNS_TLSA, "3 1 1 " SOME_DIGEST, false},
	{"useless.example", DNS_MX, "10 mx.useless.example", false},
	{"mx.useless.example", DNS_A, "198.51.100.6", false},
	{"_25._tcp.mx.useless.example", DNS_TLSA, "1 1 1 " SOME_DIGEST, false},
	{NULL, 0, NULL, false},
};

enum wish { NO_WISH, REQUIRED, WAIVED };

/* "may", "must" (with any certificate), "name" (with one for the name), "dane", or "! why" for a host that is not to be tried. */
static void
demand_is(const char *destination, enum wish wish, const char *expected, const char *sentence)
{
	struct zone zone = {.records = records};
	struct finder finder = {.ask = zone_ask, .draw = zone_draw, .context = &zone};
	struct account account = {.delivery = DELIVER_DIRECT, .port = 25};
	struct route route = {0};
	struct buf text = {0};
	const struct route_host *host;

	route_find(&route, &(struct route_query){
				   .account = &account,
				   .destination = destination,
				   .wish = {.is_required = wish == REQUIRED, .is_waived = wish == WAIVED},
				   .finder = &finder,
			   });
	host = route.n_hosts == 1 ? &route.hosts[0] : NULL;
	if (host == NULL)
		buf_add_text(&text, "no host");
	else if (host->refusal.size > 0)
		buf_printf(&text, "! %s", buf_text(&host->refusal));
	else
		buf_add_text(&text, host->tls_settings.dane != NULL && host->dane.n > 0 ? "dane" :
		                    host->tls == ROUTE_TLS_MAY ? "may" : host->tls_settings.is_unchecked ? "must" : "name");
	tap_is(buf_text(&text), expected, sentence);
	tap_ok((host != NULL && host->refusal.size > 0) == (route.refusal.state == OUTCOME_DEFERRED),
	       "  and mail waits only where no host is left");
	buf_free(&text);
	route_free(&route);
}

int
main(void)
{
	static const char nobody[] = "! neither DNSSEC nor an MTA-STS policy vouches for its name, and REQUIRETLS needs one of them";

	demand_is("signed.example", NO_WISH, "may", "where nothing is published TLS is taken if it is offered");
	demand_is("dane.example", NO_WISH, "dane", "TLSA records that count are heeded");
	demand_is("useless.example", NO_WISH, "must", "records none of which can be used: TLS with any certificate");
	demand_is("dane.example", WAIVED, "may", "TLS-Required: No waives them");
	demand_is("dane.example", REQUIRED, "dane", "REQUIRETLS: TLSA records are proof");
	demand_is("useless.example", REQUIRED, "! none of its TLSA records can be used, and REQUIRETLS needs one",
	          "REQUIRETLS: those that cannot be used are not");
	demand_is("signed.example", REQUIRED, "name", "REQUIRETLS: with a validated MX record the certificate must have its name");
	demand_is("outside.example", REQUIRED, "name", "REQUIRETLS: the addresses need not be validated, too");
	demand_is("open.example", REQUIRED, nobody, "REQUIRETLS: a name that anybody may have put into DNS is none");
	demand_is("own.example", REQUIRED, "name", "REQUIRETLS: but the domain's own name is");
	demand_is("bare.example", REQUIRED, "name", "REQUIRETLS: also where there is no MX record");
	return tap_end();
}
