/* sasl_fixture.h - what the cases of sasl_test.c stand on: an account, a client to drive, and libgsasl's server side. */

#ifndef TESTS_UNIT_SASL_FIXTURE_H
#define TESTS_UNIT_SASL_FIXTURE_H

#include <gsasl.h>

#include "base/base64.h"
#include "auth/sasl.h"
#include "tap.h"

static const char password[] = "tanstaaftanstaaf";
static const char password_base64[] = "dGFuc3RhYWZ0YW5zdGFhZ";

static struct err err;
static struct buf answer;
static struct secret secret;
static struct account account;
static struct sasl_identity identity;

static inline void
set_up(const char *user, const char *secret_text)
{
	account = (struct account){.user = (char *)user, .port = 587};
	secret_free(&secret);
	buf_add_text(&secret.text, secret_text);
	secret.is_known = true;
	identity = (struct sasl_identity){.account = &account, .secret = &secret, .host = "mail.example"};
	err_clear(&err);
}

/* Begin with a mechanism; the initial response is in `answer`. NULL: err is set. */
static inline struct sasl *
begin(const char *mechanism, bool *has_response)
{
	struct sasl *sasl = NULL;

	buf_clear(&answer);
	err_clear(&err);
	if (!sasl_start(&sasl, mechanism, &identity, &err))
		return NULL;
	if (!sasl_initial(sasl, has_response, &answer, &err)) {
		sasl_free(sasl);
		return NULL;
	}
	return sasl;
}

/* Answer a challenge given in clear; the answer, in base64, is in `answer`. */
static inline bool
steps(struct sasl *sasl, const char *challenge)
{
	struct buf encoded = {0};
	bool is_good;

	base64_encode(&encoded, str_of(challenge));
	buf_clear(&answer);
	is_good = sasl_step(sasl, buf_str(&encoded), &answer, &err);
	buf_free(&encoded);
	return is_good;
}

/* The error has this exit code and text, and holds no secret. */
static inline bool
fails(int exit_code, const char *text)
{
	bool has_secret = strstr(buf_text(&err.text), password) != NULL ||
	                  strstr(buf_text(&err.hint), password) != NULL ||
	                  strstr(buf_text(&err.text), password_base64) != NULL;
	bool holds = err.exit_code == exit_code && strstr(buf_text(&err.text), text) != NULL && !has_secret;

	if (!holds)
		tap_note("error %d: %s", err.exit_code, buf_text(&err.text));
	err_clear(&err);
	return holds;
}

static inline const char *
answer_in_clear(struct buf *clear)
{
	buf_clear(clear);
	return base64_decode(clear, buf_str(&answer)) ? buf_text(clear) : NULL;
}

/* The server's side: what it knows. */
struct server {
	const char *password;
	const char *iterations;
	const char *exporter; /* base64; NULL: none */
	const char *unique;
};

static inline int
give_text(Gsasl_session *session, Gsasl_property property, const char *text)
{
	return text == NULL ? GSASL_NO_CALLBACK : gsasl_property_set(session, property, text);
}

static inline int
on_server_question(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
	const struct server *server = gsasl_callback_hook_get(library);
	const char *got;

	switch (property) {
	case GSASL_PASSWORD:
		return give_text(session, property, server->password);
	case GSASL_SCRAM_ITER:
		return give_text(session, property, server->iterations);
	case GSASL_CB_TLS_EXPORTER:
		return give_text(session, property, server->exporter);
	case GSASL_CB_TLS_UNIQUE:
		return give_text(session, property, server->unique);
	case GSASL_SERVICE:
		return give_text(session, property, "smtp");
	case GSASL_HOSTNAME:
	case GSASL_REALM:
		return give_text(session, property, "mail.example");
	case GSASL_VALIDATE_SIMPLE:
		got = gsasl_property_fast(session, GSASL_PASSWORD);
		return got != NULL && strcmp(got, server->password) == 0 ? GSASL_OK : GSASL_AUTHENTICATION_ERROR;
	case GSASL_VALIDATE_EXTERNAL:
	case GSASL_VALIDATE_ANONYMOUS:
		return GSASL_OK;
	default:
		return GSASL_NO_CALLBACK;
	}
}

/* Carry lines between client and server session until one of them is done; as SMTP does it. True: the server says 235
 * and the client agrees. */
static inline bool
carry(struct sasl *client, bool has_response, Gsasl_session *server)
{
	char *challenge = NULL;
	bool has_input = has_response;
	int code = GSASL_NEEDS_MORE;

	for (int round = 0; round < 10; round++) {
		const char *input = !has_input || strcmp(buf_text(&answer), "=") == 0 ? "" : buf_text(&answer);
		bool is_good;

		if (code == GSASL_NEEDS_MORE)
			code = gsasl_step64(server, input, &challenge);
		else
			challenge = NULL;
		if (code != GSASL_OK && code != GSASL_NEEDS_MORE)
			return err_set(&err, EX_NOPERM, "535 %s", gsasl_strerror_name(code));
		if (code == GSASL_OK && (challenge == NULL || challenge[0] == '\0')) {
			gsasl_free(challenge);
			return sasl_finish(client, &err);
		}
		has_input = true;
		buf_clear(&answer);
		is_good = sasl_step(client, str_of(challenge), &answer, &err);
		gsasl_free(challenge);
		if (!is_good)
			return false;
		if (code == GSASL_OK)
			return sasl_finish(client, &err);
	}
	return err_set(&err, EX_SOFTWARE, "no end");
}

static inline bool
logs_in(const char *mechanism, const struct server *server)
{
	struct server facts = *server;
	Gsasl *library = NULL;
	Gsasl_session *session = NULL;
	bool has_response = false, is_good = false;
	struct sasl *client = begin(mechanism, &has_response);

	if (client != NULL && gsasl_init(&library) == GSASL_OK) {
		gsasl_callback_set(library, on_server_question);
		gsasl_callback_hook_set(library, &facts);
		if (gsasl_server_start(library, mechanism, &session) == GSASL_OK) {
			is_good = carry(client, has_response, session);
			gsasl_finish(session);
		}
		gsasl_done(library);
	}
	sasl_free(client);
	return is_good;
}

#endif
