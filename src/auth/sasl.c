/* sasl.c - one AUTH exchange with one mechanism, by libgsasl or by our own OAUTHBEARER and XOAUTH2. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "auth/gsasl.h"
#include "auth/mechanism.h"
#include "auth/oauth.h"
#include "auth/sasl.h"
#include "base/base64.h"
#include "base/mem.h"

enum {
	ITERATIONS_LEAST = 4096,    /* RFC 5802 section 5.1 */
	ITERATIONS_MOST = 10000000, /* some seconds of work; more is an attack */
	SERVER_ERROR_MOST = 200     /* bytes of a SCRAM server error that are shown */
};

/* Secrets that libgsasl keeps in a session and frees without wiping. */
static const Gsasl_property secret_properties[] = {
	GSASL_PASSWORD,
	GSASL_DIGEST_MD5_HASHED_PASSWORD,
	GSASL_SCRAM_SALTED_PASSWORD,
	GSASL_SCRAM_SERVERKEY,
	GSASL_SCRAM_STOREDKEY,
	GSASL_CB_TLS_EXPORTER,
	GSASL_CB_TLS_UNIQUE,
};

struct sasl {
	const struct mechanism *mechanism;
	struct sasl_identity identity;
	Gsasl *library; /* NULL for a mechanism of ours */
	Gsasl_session *session;
	bool is_begun;        /* the client has said something */
	bool is_done;         /* the mechanism has come to its end */
	bool is_refused;      /* the server has refused, inside the mechanism */
	struct buf objection; /* why our own callback did not go on */
	struct buf reason;
};

bool
sasl_choose(const struct account *account, const struct mechanism_offer *offer, struct sasl_history *history,
            const char **name, struct err *err)
{
	struct mechanism_wish wish = {.choice = account->auth, .least = account->auth_min};
	const struct mechanism *chosen = NULL;

	*name = NULL;
	if (history != NULL)
		wish.before = history->strongest;
	if (history != NULL && history->is_over)
		return err_set(err, EX_NOPERM, "a login was refused before: none is tried again in the same run");
	if (!mechanism_choose(&wish, offer, &chosen, err))
		return false;
	if (history != NULL)
		history->strongest = chosen;
	*name = chosen->name;
	return true;
}

bool
sasl_needs_secret(const struct account *account)
{
	const struct mechanism *named = mechanism_of_choice(account->auth);

	return account->auth != AUTH_OFF && (named == NULL || (named->traits & MECHANISM_NEEDS_NO_SECRET) == 0);
}

/* Give the session a text; it keeps a copy. */
static int
give(Gsasl_session *session, Gsasl_property property, const char *text)
{
	if (text == NULL)
		return GSASL_NO_CALLBACK;
	return gsasl_property_set(session, property, text);
}

/* SCRAM: the server says how often the password is to be hashed. Few make it easy to guess, many block us. */
static int
give_password(struct sasl *sasl)
{
	const char *count = gsasl_property_fast(sasl->session, GSASL_SCRAM_ITER);
	uint64_t n = 0;

	if ((sasl->mechanism->traits & MECHANISM_IS_SCRAM) != 0 &&
	    (!str_to_number(str_of(count), ITERATIONS_MOST, &n) || n < ITERATIONS_LEAST)) {
		buf_add_text(&sasl->objection, "the server's iteration count ");
		err_add_clean(&sasl->objection, str_first(str_of(count), 20));
		buf_printf(&sasl->objection, " is not within %d and %d", ITERATIONS_LEAST, ITERATIONS_MOST);
		return GSASL_AUTHENTICATION_ERROR;
	}
	if (sasl->identity.secret == NULL)
		return GSASL_NO_PASSWORD;
	return give(sasl->session, GSASL_PASSWORD, buf_text(&sasl->identity.secret->text));
}

/* Only for -PLUS: libgsasl 2.2 fails the other SCRAM mechanisms when it is given any binding. */
static int
give_binding(struct sasl *sasl, Gsasl_property property)
{
	const struct sasl_identity *identity = &sasl->identity;
	struct buf text = {0};
	int code;

	if ((sasl->mechanism->traits & MECHANISM_NEEDS_BINDING) == 0 || !identity->has_binding ||
	    identity->is_exporter != (property == GSASL_CB_TLS_EXPORTER))
		return GSASL_NO_CALLBACK;
	base64_encode(&text, identity->binding);
	code = give(sasl->session, property, buf_text(&text));
	buf_wipe(&text);
	return code;
}

/* libgsasl asks for everything here, at the moment it needs it. */
static int
on_question(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
	struct sasl *sasl = session == NULL ? NULL : gsasl_session_hook_get(session);

	(void)library;
	if (sasl == NULL)
		return GSASL_NO_CALLBACK;
	switch (property) {
	case GSASL_AUTHID:
		return give(session, property, sasl->identity.account->user);
	case GSASL_AUTHZID:
		/* Only EXTERNAL has nothing else to name the user by (RFC 4422 appendix A). */
		if (sasl->mechanism->choice != AUTH_EXTERNAL)
			return GSASL_NO_CALLBACK;
		return give(session, property, sasl->identity.account->user);
	case GSASL_PASSWORD:
		return give_password(sasl);
	case GSASL_SERVICE:
		return give(session, property, "smtp");
	case GSASL_HOSTNAME:
		return give(session, property, sasl->identity.host);
	case GSASL_ANONYMOUS_TOKEN:
		/* RFC 4505: any text, for the server's log. */
		return give(session, property, "anonymous");
	case GSASL_QOP:
		return give(session, property, "qop-auth");
	case GSASL_CB_TLS_EXPORTER:
	case GSASL_CB_TLS_UNIQUE:
		return give_binding(sasl, property);
	default:
		return GSASL_NO_CALLBACK;
	}
}

/* Does the account have what the mechanism needs? */
static bool
check_identity(const struct mechanism *mechanism, const struct sasl_identity *identity, struct err *err)
{
	const char *user = identity->account->user;

	if ((mechanism->traits & MECHANISM_NEEDS_NO_SECRET) != 0)
		return true;
	if (user == NULL || user[0] == '\0') {
		err_set(err, EX_CONFIG, "%s needs the setting 'user'", mechanism->name);
		return err_hint(err, "set 'user' for the account, or 'auth off'");
	}
	if (identity->secret == NULL || !identity->secret->is_known) {
		err_set(err, EX_CONFIG, "%s needs a secret", mechanism->name);
		return err_hint(err, "set 'passwordeval' or 'password' for the account");
	}
	return true;
}

static bool
open_session(struct sasl *sasl, struct err *err)
{
	int code;

	if (!gsasl_load(err))
		return false;
	code = gsasl_init(&sasl->library);
	if (code == GSASL_OK) {
		gsasl_callback_set(sasl->library, on_question);
		code = gsasl_client_start(sasl->library, sasl->mechanism->name, &sasl->session);
	}
	if (code != GSASL_OK)
		return err_set(err, EX_UNAVAILABLE, "libgsasl cannot use %s: %s", sasl->mechanism->name,
		               gsasl_strerror(code));
	gsasl_session_hook_set(sasl->session, sasl);
	return true;
}

bool
sasl_start(struct sasl **sasl, const char *mechanism, const struct sasl_identity *identity, struct err *err)
{
	const struct mechanism *found = mechanism_find(mechanism);
	struct sasl *started;

	*sasl = NULL;
	if (found == NULL)
		return err_set(err, EX_UNAVAILABLE, "there is no authentication method '%s'", mechanism);
	if (!check_identity(found, identity, err))
		return false;
	started = mem_alloc(1, sizeof(*started));
	started->mechanism = found;
	started->identity = *identity;
	if ((found->traits & MECHANISM_IS_OURS) == 0 && !open_session(started, err)) {
		sasl_free(started);
		return false;
	}
	*sasl = started;
	return true;
}

/* The words for a failure of libgsasl. */
static bool
explain(struct sasl *sasl, int code, struct err *err)
{
	const char *name = sasl->mechanism->name;

	if (sasl->objection.size > 0)
		return err_set(err, EX_PROTOCOL, "%s: %s", name, buf_text(&sasl->objection));
	switch (code) {
	case GSASL_SASLPREP_ERROR:
		err_set(err, EX_CONFIG, "%s: user name or password holds characters that SASLprep (RFC 4013) forbids",
		        name);
		return err_hint(err,
		                "check the password's encoding (it must be UTF-8), or set another method with 'auth'");
	case GSASL_GSSAPI_INIT_SEC_CONTEXT_ERROR:
	case GSASL_GSSAPI_ACQUIRE_CRED_ERROR:
	case GSASL_GSSAPI_IMPORT_NAME_ERROR:
		err_set(err, EX_UNAVAILABLE, "%s: there is no usable ticket for smtp at %s", name,
		        sasl->identity.host == NULL ? "the server" : sasl->identity.host);
		return err_hint(err, "check with klist that there is a valid ticket, and get one with kinit");
	case GSASL_AUTHENTICATION_ERROR:
		return err_set(err, EX_PROTOCOL, "%s: the server could not prove that it knows the password", name);
	case GSASL_MECHANISM_PARSE_ERROR:
		return err_set(err, EX_PROTOCOL, "%s: the server's challenge is not what the method allows", name);
	default:
		return err_set(err, EX_PROTOCOL, "%s: %s", name, gsasl_strerror(code));
	}
}

/* One step of libgsasl, the answer in base64. */
static bool
step_library(struct sasl *sasl, struct str challenge, struct buf *out, struct err *err)
{
	char *answer = NULL;
	size_t size = 0;
	int code = gsasl_step(sasl->session, challenge.data == NULL ? "" : challenge.data, challenge.size, &answer,
	                      &size);

	if (code != GSASL_OK && code != GSASL_NEEDS_MORE)
		return explain(sasl, code, err);
	sasl->is_done = code == GSASL_OK;
	base64_encode(out, str_make(answer, size));
	if (answer != NULL) {
		mem_wipe(answer, size);
		gsasl_free(answer);
	}
	return true;
}

static bool
start_oauth(struct sasl *sasl, struct buf *out, struct err *err)
{
	const struct oauth_login login = {
		.user = sasl->identity.account->user,
		.token = buf_text(&sasl->identity.secret->text),
		.host = sasl->identity.host == NULL ? "" : sasl->identity.host,
		.port = sasl->identity.account->port,
	};
	struct buf text = {0};
	bool is_good;

	if (sasl->mechanism->choice == AUTH_XOAUTH2)
		is_good = oauth_xoauth2(&text, &login, err);
	else
		is_good = oauth_bearer(&text, &login, err);
	if (is_good)
		base64_encode(out, buf_str(&text));
	buf_wipe(&text);
	sasl->is_done = is_good;
	return is_good || err_prefix(err, "%s", sasl->mechanism->name);
}

bool
sasl_initial(struct sasl *sasl, bool *has_response, struct buf *out, struct err *err)
{
	size_t before = out->size;
	bool is_good;

	*has_response = false;
	if ((sasl->mechanism->traits & MECHANISM_SERVER_FIRST) != 0)
		return true;
	sasl->is_begun = true;
	if ((sasl->mechanism->traits & MECHANISM_IS_OURS) != 0)
		is_good = start_oauth(sasl, out, err);
	else
		is_good = step_library(sasl, (struct str){0}, out, err);
	*has_response = is_good;
	if (is_good && out->size == before)
		buf_add_char(out, '=');
	return is_good;
}

/* The server refuses and says why in JSON; its reply comes once it got this answer (RFC 7628 section 3.2.3). */
static bool
answer_refusal(struct sasl *sasl, struct str json, struct buf *out)
{
	sasl->is_refused = true;
	oauth_add_reason(&sasl->reason, json, buf_text(&sasl->identity.secret->text));
	if (sasl->mechanism->choice == AUTH_OAUTHBEARER)
		buf_add_text(out, "AQ==");
	return true;
}

/* A SCRAM server may say "e=invalid-proof" instead of giving its own proof (RFC 5802 section 7). */
static bool
is_server_error(struct sasl *sasl, struct str text, struct err *err)
{
	struct buf shown = {0};

	if ((sasl->mechanism->traits & MECHANISM_IS_SCRAM) == 0 || !str_starts_with(text, STR("e=")))
		return false;
	err_add_clean(&shown, str_first(str_from(text, 2), SERVER_ERROR_MOST));
	err_set(err, EX_NOPERM, "%s: the server says %s", sasl->mechanism->name, buf_text(&shown));
	buf_free(&shown);
	return true;
}

/* A challenge in clear: answer it. */
static bool
step_text(struct sasl *sasl, struct str text, struct buf *out, struct err *err)
{
	const struct mechanism *mechanism = sasl->mechanism;
	bool is_first = !sasl->is_begun;

	sasl->is_begun = true;
	if ((mechanism->traits & MECHANISM_BINARY_CHALLENGE) == 0 && str_find(text, '\0') < text.size)
		return err_set(err, EX_PROTOCOL, "%s: the server's challenge is not a text", mechanism->name);
	if ((mechanism->traits & MECHANISM_IS_OURS) != 0 && !sasl->is_refused && text.size > 0)
		return answer_refusal(sasl, text, out);
	if (sasl->is_done)
		return err_set(err, EX_NOPERM, "%s: the server asks on after everything was said", mechanism->name);
	if (is_first && text.size == 0 && (mechanism->traits & MECHANISM_EMPTY_CHALLENGE) == 0)
		return err_set(err, EX_PROTOCOL, "%s: the server's challenge is empty", mechanism->name);
	if (is_server_error(sasl, text, err))
		return false;
	return step_library(sasl, text, out, err);
}

bool
sasl_step(struct sasl *sasl, struct str challenge, struct buf *out, struct err *err)
{
	struct buf text = {0};
	bool is_good;

	if (challenge.size > SASL_CHALLENGE_MOST)
		return err_set(err, EX_PROTOCOL, "%s: the server's challenge has more than %d octets",
		               sasl->mechanism->name, SASL_CHALLENGE_MOST);
	if (!base64_decode(&text, challenge))
		is_good = err_set(err, EX_PROTOCOL, "%s: the server's challenge is not base64", sasl->mechanism->name);
	else
		is_good = step_text(sasl, buf_str(&text), out, err);
	/* What a server sends may be what we sent. */
	buf_wipe(&text);
	return is_good;
}

bool
sasl_finish(struct sasl *sasl, struct err *err)
{
	if (sasl->is_refused)
		return err_set(err, EX_PROTOCOL, "%s: the server accepts the login that it refused before",
		               sasl->mechanism->name);
	if (sasl->is_done)
		return true;
	return err_set(err, EX_PROTOCOL, "%s: the server says that the login is complete, but has not %s",
	               sasl->mechanism->name,
	               sasl->is_begun && (sasl->mechanism->traits & MECHANISM_IS_SCRAM) != 0
	                       ? "proved that it knows the password"
	                       : "asked for all of it");
}

const char *
sasl_reason(const struct sasl *sasl)
{
	return buf_text(&sasl->reason);
}

static void
wipe_session(Gsasl_session *session)
{
	for (size_t i = 0; i < sizeof(secret_properties) / sizeof(secret_properties[0]); i++) {
		const char *text = gsasl_property_fast(session, secret_properties[i]);

		if (text != NULL)
			mem_wipe((char *)text, strlen(text));
	}
}

void
sasl_free(struct sasl *sasl)
{
	if (sasl == NULL)
		return;
	if (sasl->session != NULL) {
		wipe_session(sasl->session);
		gsasl_finish(sasl->session);
	}
	if (sasl->library != NULL)
		gsasl_done(sasl->library);
	/* Its SASLprep gives copies of the password back as they are. */
	mem_sweep();
	buf_free(&sasl->objection);
	buf_wipe(&sasl->reason);
	free(sasl);
}

const char *
sasl_library_version(void)
{
	const char *version = NULL;
	struct err err = {0};

	if (gsasl_load(&err))
		version = gsasl_check_version(NULL);
	err_clear(&err);
	return version == NULL ? "(cannot be loaded)" : version;
}
