/*
 * sasl - the server's side of those mechanisms that libgsasl has.
 */
#include "config.h"

#include <gnutls/gnutls.h>
#include <string.h>

#include "sasl.h"

static int
give(Gsasl_session *session, Gsasl_property property, const struct text *text)
{
	return text->size == 0 ? GSASL_NO_CALLBACK : gsasl_property_set(session, property, text->bytes);
}

/* The password, for the right user only. */
static int
give_password(const struct options *options, Gsasl_session *session)
{
	const char *user = gsasl_property_fast(session, GSASL_AUTHID);

	if (user == NULL || strcmp(user, options->user) != 0)
		return GSASL_NO_PASSWORD;
	return gsasl_property_set(session, GSASL_PASSWORD, options->password);
}

static int
on_question(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
	const struct sasl *sasl = gsasl_callback_hook_get(library);
	const struct options *options = sasl->connection->options;

	switch (property) {
	case GSASL_PASSWORD:
		return give_password(options, session);
	case GSASL_SCRAM_ITER:
		return gsasl_property_set(session, property, options->scram_iterations);
	case GSASL_CB_TLS_EXPORTER:
		return give(session, property, &sasl->exporter);
	case GSASL_CB_TLS_UNIQUE:
		return give(session, property, &sasl->unique);
	case GSASL_SERVICE:
		return gsasl_property_set(session, property, "smtp");
	case GSASL_HOSTNAME:
	case GSASL_REALM:
		return gsasl_property_set(session, property, options->name);
	case GSASL_QOPS:
		return gsasl_property_set(session, property, "qop-auth");
	case GSASL_VALIDATE_ANONYMOUS:
		return GSASL_OK;
	default:
		return GSASL_NO_CALLBACK;
	}
}

static void
find_binding(gnutls_session_t session, gnutls_channel_binding_t kind, struct text *encoded)
{
	gnutls_datum_t data = {0};
	gnutls_datum_t base64 = {0};

	if (gnutls_session_channel_binding(session, kind, &data) < 0)
		return;
	if (gnutls_base64_encode2(&data, &base64) >= 0)
		text_append(encoded, base64.data, base64.size);
	gnutls_free(base64.data);
	gnutls_free(data.data);
}

bool
sasl_begin(struct sasl *sasl, const char *mechanism)
{
	gnutls_session_t tls = sasl->connection->wire.session;

	if (tls != NULL && gnutls_protocol_get_version(tls) == GNUTLS_TLS1_3)
		find_binding(tls, GNUTLS_CB_TLS_EXPORTER, &sasl->exporter);
	else if (tls != NULL)
		find_binding(tls, GNUTLS_CB_TLS_UNIQUE, &sasl->unique);
	if (gsasl_init(&sasl->library) != GSASL_OK)
		return false;
	gsasl_callback_hook_set(sasl->library, sasl);
	gsasl_callback_set(sasl->library, on_question);
	return gsasl_server_start(sasl->library, mechanism, &sasl->session) == GSASL_OK;
}

/* The log tells what the client bound itself to: the beginning of its first message is no secret. */
static void
log_binding(const struct sasl *sasl, const struct text *response)
{
	const char *first = text_string(response);

	if (strncmp(first, "n,", 2) == 0 || strncmp(first, "y,", 2) == 0 || strncmp(first, "p=", 2) == 0)
		log_event(sasl->connection->log, sasl->connection->number, '*', "channel binding %.*s",
			  (int)strcspn(first, ","), first);
}

enum sasl_result
sasl_step(struct sasl *sasl, const struct text *response, struct text *challenge)
{
	char *answer = NULL;
	size_t size = 0;
	int code = 0;

	log_binding(sasl, response);
	code = gsasl_step(sasl->session, text_string(response), response->size, &answer, &size);
	text_clear(challenge);
	if (answer != NULL)
		text_append(challenge, answer, size);
	gsasl_free(answer);
	if (code == GSASL_OK)
		return SASL_DONE;
	if (code == GSASL_NEEDS_MORE)
		return SASL_MORE;
	log_event(sasl->connection->log, sasl->connection->number, '*', "sasl: %s", gsasl_strerror(code));
	return code == GSASL_MECHANISM_PARSE_ERROR ? SASL_MALFORMED : SASL_REFUSED;
}

const char *
sasl_user(const struct sasl *sasl)
{
	const char *user = sasl->session == NULL ? NULL : gsasl_property_fast(sasl->session, GSASL_AUTHID);

	return user == NULL ? "" : user;
}

void
sasl_end(struct sasl *sasl)
{
	if (sasl->session != NULL)
		gsasl_finish(sasl->session);
	if (sasl->library != NULL)
		gsasl_done(sasl->library);
	text_free(&sasl->exporter);
	text_free(&sasl->unique);
	*sasl = (struct sasl){0};
}
