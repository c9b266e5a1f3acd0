/*
 * auth - the server side of AUTH (RFC 4954): PLAIN, LOGIN, CRAM-MD5, EXTERNAL, XOAUTH2, OAUTHBEARER; the rest by sasl.
 */
#include "config.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <unistd.h>

#include "auth.h"
#include "ehlo.h"
#include "sasl.h"

enum verdict {
	AUTH_YES,
	AUTH_NO,
	AUTH_CANCELLED,
	AUTH_MALFORMED,
	AUTH_SETTLED, /* a fault has answered already, or the session is over */
};

/* One exchange. */
struct exchange {
	struct connection *connection;
	const char *mechanism;
	bool has_initial;     /* response holds the initial one, which nobody has used */
	struct text response; /* decoded */
	struct text user;     /* who it is, should the verdict be yes */
	unsigned n_steps;
};

struct mechanism {
	const char *name;
	enum verdict (*run)(struct exchange *exchange);
};

static bool
decode(struct text *decoded, const char *bytes, size_t size)
{
	gnutls_datum_t in = {.data = (unsigned char *)bytes, .size = (unsigned)size};
	gnutls_datum_t out = {0};

	text_clear(decoded);
	if (size == 0)
		return true;
	if (gnutls_base64_decode2(&in, &out) < 0)
		return false;
	text_append(decoded, out.data, out.size);
	gnutls_free(out.data);
	return true;
}

static void
encode(struct text *encoded, const struct text *plain)
{
	gnutls_datum_t in = {.data = (unsigned char *)plain->bytes, .size = (unsigned)plain->size};
	gnutls_datum_t out = {0};

	if (plain->size == 0 || gnutls_base64_encode2(&in, &out) < 0)
		return;
	text_append(encoded, out.data, out.size);
	gnutls_free(out.data);
}

/* Answer a step of the exchange; the first one is at another place for faults than the rest. */
static int
answer(struct exchange *exchange, const char *text)
{
	enum fault_place place = exchange->n_steps++ == 0 ? AT_AUTH : AT_AUTH2;

	return connection_answer(exchange->connection, place, "%s", text);
}

/* Send a challenge and read the response to it. AUTH_YES: it is in exchange->response. */
static enum verdict
challenge(struct exchange *exchange, const struct text *plain)
{
	struct connection *connection = exchange->connection;
	struct text line = {0};
	size_t size = 0;
	int code = 0;

	text_add(&line, "334 ");
	encode(&line, plain);
	code = answer(exchange, text_string(&line));
	text_free(&line);
	if (code != 334 || !connection_line(connection))
		return AUTH_SETTLED;
	log_secret(connection->log, connection->number, connection->line.bytes, connection->line.size, 0);
	if (connection_is_early(connection))
		return AUTH_SETTLED;
	size = strcspn(connection->line.bytes, "\r\n");
	if (text_is(connection->line.bytes, size, "*"))
		return AUTH_CANCELLED;
	return decode(&exchange->response, connection->line.bytes, size) ? AUTH_YES : AUTH_MALFORMED;
}

/* Get the initial response, by an empty challenge if it did not come along. */
static enum verdict
first_response(struct exchange *exchange)
{
	static const struct text nothing = {0};

	return exchange->has_initial ? AUTH_YES : challenge(exchange, &nothing);
}

static bool
is_user(const struct connection *connection, const char *name, size_t size)
{
	return size == strlen(connection->options->user) && memcmp(name, connection->options->user, size) == 0;
}

static bool
is_password(const struct connection *connection, const char *word, size_t size)
{
	return size == strlen(connection->options->password) &&
	       memcmp(word, connection->options->password, size) == 0;
}

/* RFC 4616: authorization identity, NUL, user, NUL, password. */
static enum verdict
run_plain(struct exchange *exchange)
{
	enum verdict verdict = first_response(exchange);
	const struct text *response = &exchange->response;
	const char *user = NULL;
	const char *password = NULL;
	const char *end = text_string(response) + response->size;

	if (verdict != AUTH_YES)
		return verdict;
	user = memchr(text_string(response), '\0', response->size);
	password = user == NULL ? NULL : memchr(user + 1, '\0', (size_t)(end - user - 1));
	if (password == NULL || memchr(password + 1, '\0', (size_t)(end - password - 1)) != NULL)
		return AUTH_MALFORMED;
	text_append(&exchange->user, user + 1, (size_t)(password - user - 1));
	if (user != response->bytes &&
	    !is_user(exchange->connection, response->bytes, (size_t)(user - response->bytes)))
		return AUTH_NO;
	return is_user(exchange->connection, exchange->user.bytes, exchange->user.size) &&
			       is_password(exchange->connection, password + 1, (size_t)(end - password - 1))
		       ? AUTH_YES
		       : AUTH_NO;
}

static enum verdict
run_login(struct exchange *exchange)
{
	struct text prompt = {0};
	enum verdict verdict = AUTH_YES;

	text_add(&prompt, "Username:");
	if (!exchange->has_initial)
		verdict = challenge(exchange, &prompt);
	if (verdict == AUTH_YES) {
		text_append(&exchange->user, exchange->response.bytes, exchange->response.size);
		text_clear(&prompt);
		text_add(&prompt, "Password:");
		verdict = challenge(exchange, &prompt);
	}
	text_free(&prompt);
	if (verdict != AUTH_YES)
		return verdict;
	return is_user(exchange->connection, text_string(&exchange->user), exchange->user.size) &&
			       is_password(exchange->connection, text_string(&exchange->response),
					   exchange->response.size)
		       ? AUTH_YES
		       : AUTH_NO;
}

/* Append what RFC 2195 expects for this challenge. */
static void
append_cram(struct text *expected, const struct options *options, const struct text *prompt)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[16] = {0};

	(void)gnutls_hmac_fast(GNUTLS_MAC_MD5, options->password, strlen(options->password), prompt->bytes,
			       prompt->size, digest);
	text_format(expected, "%s ", options->user);
	for (size_t i = 0; i < sizeof(digest); i++)
		text_format(expected, "%c%c", digits[digest[i] >> 4], digits[digest[i] & 15]);
}

static enum verdict
run_cram_md5(struct exchange *exchange)
{
	const struct options *options = exchange->connection->options;
	struct text prompt = {0};
	struct text expected = {0};
	enum verdict verdict = AUTH_MALFORMED;

	text_format(&prompt, "<%ld.%lld@%s>", (long)getpid(), log_now(), options->name);
	append_cram(&expected, options, &prompt);
	if (!exchange->has_initial)
		verdict = challenge(exchange, &prompt);
	if (verdict == AUTH_YES &&
	    (expected.size != exchange->response.size ||
	     memcmp(expected.bytes, text_string(&exchange->response), expected.size) != 0))
		verdict = AUTH_NO;
	if (verdict == AUTH_YES)
		text_add(&exchange->user, options->user);
	text_free(&prompt);
	text_free(&expected);
	return verdict;
}

/* RFC 4422: the certificate says who it is, the response at most who it acts for. */
static enum verdict
run_external(struct exchange *exchange)
{
	const struct text *name = &exchange->connection->client_name;
	enum verdict verdict = first_response(exchange);

	if (verdict != AUTH_YES)
		return verdict;
	if (name->size == 0)
		return AUTH_NO;
	if (exchange->response.size == 0)
		text_append(&exchange->user, name->bytes, name->size);
	else
		text_append(&exchange->user, exchange->response.bytes, exchange->response.size);
	return strcmp(exchange->user.bytes, name->bytes) == 0 ||
			       is_user(exchange->connection, exchange->user.bytes, exchange->user.size)
		       ? AUTH_YES
		       : AUTH_NO;
}

/* The value behind key, up to \x01 or the stop byte. False: there is none. */
static bool
find_value(const struct text *response, const char *key, char stop, struct text *value)
{
	const char *found = response->size == 0
				    ? NULL
				    : memmem(response->bytes, response->size, key, strlen(key));

	if (found == NULL)
		return false;
	for (found += strlen(key); *found != '\0' && *found != '\001' && *found != stop; found++)
		text_append(value, found, 1);
	return true;
}

/* XOAUTH2 as documented by Google, OAUTHBEARER by RFC 7628; the token is the password. */
static enum verdict
run_bearer(struct exchange *exchange)
{
	enum verdict verdict = first_response(exchange);
	struct text problem = {0};
	struct text token = {0};
	bool ok = false;

	if (verdict != AUTH_YES)
		return verdict;
	ok = find_value(&exchange->response, "auth=Bearer ", '\001', &token);
	ok = ok && (find_value(&exchange->response, "user=", '\001', &exchange->user) ||
		    find_value(&exchange->response, "a=", ',', &exchange->user));
	if (!ok) {
		verdict = AUTH_MALFORMED;
	} else if (!is_user(exchange->connection, text_string(&exchange->user), exchange->user.size) ||
		   !is_password(exchange->connection, text_string(&token), token.size)) {
		text_add(&problem, "{\"status\":\"401\",\"schemes\":\"bearer\"}");
		verdict = challenge(exchange, &problem);
		if (verdict != AUTH_SETTLED)
			verdict = AUTH_NO;
	}
	text_free(&problem);
	text_free(&token);
	return verdict;
}

static enum verdict
carry(struct exchange *exchange, struct sasl *sasl)
{
	enum sasl_result result = SASL_MORE;
	struct text prompt = {0};
	enum verdict verdict = AUTH_YES;

	while (result == SASL_MORE && verdict == AUTH_YES) {
		result = sasl_step(sasl, &exchange->response, &prompt);
		if (result == SASL_MORE || (result == SASL_DONE && prompt.size > 0))
			verdict = challenge(exchange, &prompt);
	}
	text_free(&prompt);
	if (verdict == AUTH_YES && result != SASL_DONE)
		verdict = result == SASL_MALFORMED ? AUTH_MALFORMED : AUTH_NO;
	return verdict;
}

static enum verdict
run_library(struct exchange *exchange)
{
	struct sasl sasl = {.connection = exchange->connection};
	enum verdict verdict = sasl_begin(&sasl, exchange->mechanism) ? carry(exchange, &sasl) : AUTH_NO;

	text_add(&exchange->user, sasl_user(&sasl));
	sasl_end(&sasl);
	return verdict;
}

static const struct mechanism mechanisms[] = {
	{"PLAIN", run_plain},       {"LOGIN", run_login},     {"CRAM-MD5", run_cram_md5},
	{"EXTERNAL", run_external}, {"XOAUTH2", run_bearer}, {"OAUTHBEARER", run_bearer},
	{"DIGEST-MD5", run_library},
	{"SCRAM-SHA-1", run_library},
	{"SCRAM-SHA-1-PLUS", run_library},
	{"SCRAM-SHA-256", run_library},
	{"SCRAM-SHA-256-PLUS", run_library},
	{"ANONYMOUS", run_library},
};

static const struct mechanism *
find_mechanism(const struct connection *connection, const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (text_is(name, size, mechanisms[i].name) &&
		    ehlo_offers_mechanism(connection, mechanisms[i].name, strlen(mechanisms[i].name)))
			return &mechanisms[i];
	return NULL;
}

static void
conclude(struct exchange *exchange, enum verdict verdict)
{
	static const char *const replies[] = {
		[AUTH_YES] = "235 2.7.0 welcome",
		[AUTH_NO] = "535 5.7.8 credentials are wrong",
		[AUTH_CANCELLED] = "501 5.7.0 as you like",
		[AUTH_MALFORMED] = "501 5.5.2 that cannot be decoded",
	};
	struct connection *connection = exchange->connection;
	int code = 0;

	if (verdict == AUTH_SETTLED)
		return;
	code = answer(exchange, replies[verdict]);
	if (code / 100 != 2)
		return;
	text_clear(&connection->user);
	text_add(&connection->user, exchange->user.size == 0 ? "(nobody)" : text_string(&exchange->user));
	log_event(connection->log, connection->number, '*', "authenticated %s", text_string(&connection->user));
}

/* Why AUTH cannot be served now; NULL: it can. */
static const char *
find_obstacle(const struct connection *connection)
{
	if (connection->options->mechanisms == NULL)
		return "502 5.5.1 no AUTH here";
	if (connection->wire.session == NULL && !connection->options->auth_in_clear)
		return "538 5.7.11 not without encryption";
	if (!connection->is_extended)
		return "503 5.5.1 EHLO first";
	if (connection->user.size != 0 || connection->transaction.has_sender)
		return "503 5.5.1 not now";
	return NULL;
}

void
auth_command(struct connection *connection, const char *arguments, size_t size)
{
	const char *space = memchr(arguments, ' ', size);
	size_t name = space == NULL ? size : (size_t)(space - arguments);
	const struct mechanism *mechanism = find_mechanism(connection, arguments, name);
	struct exchange exchange = {.connection = connection, .has_initial = space != NULL};
	const char *obstacle = find_obstacle(connection);

	if (obstacle != NULL || mechanism == NULL) {
		(void)connection_answer(connection, AT_AUTH, "%s",
					obstacle != NULL ? obstacle : "504 5.5.4 unknown mechanism");
		return;
	}
	exchange.mechanism = mechanism->name;
	if (space != NULL && !text_is(space + 1, size - name - 1, "=") &&
	    !decode(&exchange.response, space + 1, size - name - 1))
		conclude(&exchange, AUTH_MALFORMED);
	else
		conclude(&exchange, mechanism->run(&exchange));
	text_free(&exchange.response);
	text_free(&exchange.user);
}
