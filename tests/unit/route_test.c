/* route_test.c - from an account to the hosts to try. */

#include "config.h"

#include "deliver/route.h"
#include "tap.h"

/* What is told about the certificate of a relay with these settings. */
static void
explained(struct account account, const char *expected)
{
	char host[] = "mx.example";
	struct route route;

	account.host = host;
	account.tls = true;
	route_find(&route, &(struct route_query){.account = &account});
	tap_is(buf_text(&route.hosts[0].explanation), expected, "the route tells what the certificate must be");
	route_free(&route);
}

static void
test_explanations(void)
{
	char digest[] = "00", also[] = "also 00", only[] = "only 00";

	explained((struct account){.tls_certcheck = true}, "tls on: TLS from the first byte on, with a certificate for mx.example");
	explained((struct account){.tls_tofu = true}, "tls on: TLS from the first byte on, with any certificate");
	explained((struct account){.tls_certcheck = true, .tls_tofu = true},
	          "tls on: TLS from the first byte on, with the key of the first contact");
	explained((struct account){.tls_certcheck = true, .tls_fingerprint = digest, .tls_pin = only},
	          "tls on: TLS from the first byte on, with the certificate of tls_fingerprint, and a key of tls_pin");
	explained((struct account){.tls_certcheck = true, .tls_fingerprint = also, .tls_pin = only},
	          "tls on: TLS from the first byte on, with a key of tls_pin, and the certificate of tls_fingerprint");
	explained((struct account){.tls_pin = digest},
	          "tls on: TLS from the first byte on, with any certificate, and a key of tls_pin");
	explained((struct account){.tls_certcheck = true, .tls_pin = digest},
	          "tls on: TLS from the first byte on, with a certificate for mx.example, and a key of tls_pin");
}

int
main(void)
{
	char host[] = "mx.example", override[] = "mail.example", empty[] = "", path[] = "/run/lmtp";
	struct account account = {.host = host, .port = 587, .tls = true, .tls_starttls = true, .tls_certcheck = true,
	                          .tls_crl_file = empty, .socket = empty};
	struct route route;

	route_find(&route, &(struct route_query){.account = &account});
	tap_ok(route.n_hosts == 1 && route.hosts[0].tls == ROUTE_TLS_STARTTLS && route.hosts[0].target.port == 587,
	       "tls on with tls_starttls on demands STARTTLS");
	tap_is(route.hosts[0].tls_settings.host, "mx.example", "the certificate is held against the host");
	tap_ok(route.hosts[0].target.socket == NULL && route.hosts[0].tls_settings.crl_file == NULL, "empty settings are not set");
	tap_ok(!route.hosts[0].tls_settings.is_unchecked, "certificates are checked");
	route_free(&route);
	account.tls_starttls = false;
	account.tls_host_override = override;
	account.tls_certcheck = false;
	route_find(&route, &(struct route_query){.account = &account});
	tap_ok(route.hosts[0].tls == ROUTE_TLS_IMPLICIT && route.hosts[0].tls_settings.is_unchecked,
	       "tls_starttls off is TLS from the first byte; tls_certcheck off is handed down");
	tap_is(route.hosts[0].tls_settings.host, "mail.example", "tls_host_override is the name in the certificate");
	route_free(&route);
	account.tls = false;
	account.socket = path;
	route_find(&route, &(struct route_query){.account = &account});
	tap_ok(route.hosts[0].tls == ROUTE_TLS_NONE, "tls off is no TLS");
	tap_is(route.hosts[0].name, "/run/lmtp", "a socket gives the name");
	route_free(&route);
	route_free(&route);
	test_explanations();
	return tap_end();
}
