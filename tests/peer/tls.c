/*
 * tls - the server side of TLS as the options want it.
 */
#include "config.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "tls.h"

static const char *const priorities[] = {
	[TLS_MAX_1_1] = "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0:+SIGN-RSA-SHA1:+SIGN-ECDSA-SHA1",
	[TLS_MAX_1_2] = "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0",
	[TLS_MAX_1_2_NO_EMS] = "NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_SESSION_HASH",
	[TLS_MAX_1_3] = "NORMAL",
};

static gnutls_datum_t
datum_of(const struct text *text)
{
	return (gnutls_datum_t){.data = (unsigned char *)text->bytes, .size = (unsigned)text->size};
}

static bool
use_made_certificate(struct tls *tls, const struct options *options, const char **problem)
{
	struct certificates made = {0};
	gnutls_datum_t chain = {0};
	gnutls_datum_t key = {0};
	int result = 0;

	if (!certificate_make(&made, options, problem))
		goto out;
	if (options->make_certificate_directory != NULL &&
	    !certificate_write(&made, options->make_certificate_directory)) {
		*problem = strerror(errno);
		goto out;
	}
	*problem = NULL;
	if (tls == NULL)
		goto out;
	chain = datum_of(&made.chain);
	key = datum_of(&made.key);
	result = gnutls_certificate_set_x509_key_mem(tls->credentials, &chain, &key, GNUTLS_X509_FMT_PEM);
	if (result < 0)
		*problem = gnutls_strerror(result);
out:
	certificate_free(&made);
	return *problem == NULL;
}

/* The file as it is: the library would not send one that is out of date or about another certificate. */
static int
give_staple(gnutls_session_t session, void *file, gnutls_datum_t *response)
{
	(void)session;
	return gnutls_load_file(file, response) < 0 ? GNUTLS_E_NO_CERTIFICATE_STATUS : 0;
}

static int
use_files(struct tls *tls, const struct options *options)
{
	int result = 0;

	if (options->certificate_file != NULL)
		result = gnutls_certificate_set_x509_key_file(tls->credentials, options->certificate_file,
							      options->key_file, GNUTLS_X509_FMT_PEM);
	if (result >= 0 && options->client_ca_file != NULL) {
		result = gnutls_certificate_set_x509_trust_file(tls->credentials, options->client_ca_file,
								GNUTLS_X509_FMT_PEM);
		tls->asks_client = true;
	}
	return result;
}

/* Behind the certificates, which it belongs to. */
static void
use_staple(struct tls *tls, const struct options *options)
{
	if (options->staple_file != NULL)
		gnutls_certificate_set_ocsp_status_request_function(tls->credentials, give_staple,
								    (void *)(uintptr_t)options->staple_file);
}

bool
tls_prepare(struct tls *tls, const struct options *options, bool is_wanted, const char **problem)
{
	int result = 0;

	*tls = (struct tls){0};
	if (!is_wanted)
		return options->make_certificate_directory == NULL || use_made_certificate(NULL, options, problem);
	result = gnutls_certificate_allocate_credentials(&tls->credentials);
	if (result >= 0)
		result = gnutls_priority_init(&tls->priority, priorities[options->tls_max], NULL);
	if (result >= 0 && options->has_tickets)
		result = gnutls_session_ticket_key_generate(&tls->ticket_key);
	if (result >= 0)
		result = use_files(tls, options);
	if (result < 0) {
		*problem = gnutls_strerror(result);
		return false;
	}
	if (options->certificate_file == NULL && !use_made_certificate(tls, options, problem))
		return false;
	use_staple(tls, options);
	return true;
}

gnutls_session_t
tls_session(const struct tls *tls)
{
	gnutls_session_t session = NULL;
	bool has_tickets = tls->ticket_key.size != 0;
	unsigned flags = GNUTLS_SERVER | GNUTLS_NONBLOCK | (has_tickets ? 0u : (unsigned)GNUTLS_NO_TICKETS);

	if (gnutls_init(&session, flags) < 0)
		return NULL;
	if (gnutls_priority_set(session, tls->priority) < 0 ||
	    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->credentials) < 0 ||
	    (has_tickets && gnutls_session_ticket_enable_server(session, &tls->ticket_key) < 0)) {
		gnutls_deinit(session);
		return NULL;
	}
	gnutls_certificate_server_set_request(session, tls->asks_client ? GNUTLS_CERT_REQUEST : GNUTLS_CERT_IGNORE);
	return session;
}

void
tls_describe(gnutls_session_t session, struct text *text)
{
	char name[256] = "";
	size_t size = sizeof(name) - 1;
	unsigned type = 0;

	text_format(text, "%s %s", gnutls_protocol_get_name(gnutls_protocol_get_version(session)),
		    gnutls_cipher_get_name(gnutls_cipher_get(session)));
	if (gnutls_session_is_resumed(session))
		text_add(text, " resumed");
	if (gnutls_server_name_get(session, name, &size, &type, 0) == 0)
		text_format(text, " sni %s", name);
}

bool
tls_client_name(const struct tls *tls, gnutls_session_t session, struct text *name)
{
	unsigned status = 0;
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
	gnutls_x509_crt_t certificate = NULL;
	char common_name[256] = "";
	size_t size = sizeof(common_name);
	bool ok = false;

	if (!tls->asks_client || chain == NULL || n == 0)
		return false;
	if (gnutls_certificate_verify_peers2(session, &status) < 0 || status != 0)
		return false;
	if (gnutls_x509_crt_init(&certificate) < 0)
		return false;
	if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) >= 0 &&
	    gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, common_name, &size) >= 0) {
		text_append(name, common_name, size);
		ok = true;
	}
	gnutls_x509_crt_deinit(certificate);
	return ok;
}

void
tls_free(struct tls *tls)
{
	if (tls->credentials != NULL)
		gnutls_certificate_free_credentials(tls->credentials);
	if (tls->priority != NULL)
		gnutls_priority_deinit(tls->priority);
	gnutls_free(tls->ticket_key.data);
	*tls = (struct tls){0};
}
