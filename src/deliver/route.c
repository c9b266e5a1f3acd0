/* route.c - the hosts to try for an account. Pure. */

#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "deliver/route.h"

static bool
is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* NULL for what is not set, so that the layers below have one way to say so. */
static const char *
given(const char *text)
{
	return is_given(text) ? text : NULL;
}

static struct connect_target
target_of(const struct account *account)
{
	return (struct connect_target){
		.host = account->host,
		.port = account->port,
		.socket = given(account->socket),
		.source_ip = given(account->source_ip),
		.proxy_host = given(account->proxy_host),
		.proxy_port = account->proxy_port,
		.proxy_user = given(account->proxy_user),
		.proxy_password = given(account->proxy_password),
	};
}

static const enum tls_ocsp ocsp_of[] = {
	[OCSP_ON] = TLS_OCSP_ON,
	[OCSP_OFF] = TLS_OCSP_OFF,
	[OCSP_REQUIRE] = TLS_OCSP_REQUIRE,
};

static struct tls_settings
tls_settings_of(const struct account *account)
{
	return (struct tls_settings){
		.host = is_given(account->tls_host_override) ? account->tls_host_override : account->host,
		.trust_file = account->tls_trust_file,
		.crl_file = given(account->tls_crl_file),
		.fingerprint = given(account->tls_fingerprint),
		.pin = given(account->tls_pin),
		.key_file = given(account->tls_key_file),
		.cert_file = given(account->tls_cert_file),
		.key_password = given(account->tls_key_password),
		.priorities = given(account->tls_priorities),
		.min_version = account->tls_min,
		.min_dh_prime_bits = account->tls_min_dh_prime_bits,
		.is_unchecked = !account->tls_certcheck,
		.ocsp = ocsp_of[account->tls_ocsp],
	};
}

void
route_make(struct route *route, const struct account *account)
{
	struct route_host *host = mem_alloc(1, sizeof(*host));

	host->name = is_given(account->socket) ? account->socket : account->host;
	host->target = target_of(account);
	host->tls_settings = tls_settings_of(account);
	if (account->tls)
		host->tls = account->tls_starttls ? ROUTE_TLS_STARTTLS : ROUTE_TLS_IMPLICIT;
	*route = (struct route){.hosts = host, .n_hosts = 1};
}

void
route_free(struct route *route)
{
	free(route->hosts);
	*route = (struct route){0};
}
