/* sasl_test.c - behaviour of auth/sasl.c against the server side of libgsasl, and against servers that cheat. */

#include "config.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sasl_fixture.h"

static void
test_round_trips(void)
{
	static const char *const names[] = {"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"};
	const struct server right = {.password = password, .iterations = "4096"};
	const struct server wrong = {.password = "other", .iterations = "4096"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool is_in;

		set_up("tim", password);
		is_in = logs_in(names[i], &right);
		if (!is_in)
			tap_note("error: %s", buf_text(&err.text));
		tap_ok(is_in, "%s logs in where the password is right", names[i]);
		tap_ok(!logs_in(names[i], &wrong) && fails(EX_NOPERM, "535"), "%s does not where it is wrong",
		       names[i]);
		identity.has_binding = identity.is_exporter = true;
		identity.binding = STR("0123456789abcdef0123456789abcdef");
		tap_ok(logs_in(names[i], &right), "%s logs in also where channel binding data is known", names[i]);
	}
	set_up("tim,=x", "p\xc3\xa4ss,=w");
	tap_ok(logs_in("SCRAM-SHA-256", &(struct server){.password = "p\xc3\xa4ss,=w", .iterations = "10000"}),
	       "SCRAM logs in with commas, equals signs and UTF-8");
}

static void
test_binding(void)
{
	static const char *const names[] = {"SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"};
	struct server server = {.password = password, .iterations = "4096", .exporter = "AQID", .unique = "BAUG"};

	for (size_t i = 0; i < 2; i++) {
		bool has_response = false;
		struct buf clear = {0};
		struct sasl *sasl;

		set_up("tim", password);
		identity.has_binding = identity.is_exporter = true;
		identity.binding = STR("\1\2\3");
		tap_ok(logs_in(names[i], &server), "%s logs in with tls-exporter", names[i]);
		sasl = begin(names[i], &has_response);
		tap_ok(sasl != NULL && has_response && strncmp(answer_in_clear(&clear), "p=tls-exporter,", 15) == 0,
		       "protocol 75: %s names tls-exporter", names[i]);
		sasl_free(sasl);
		identity.is_exporter = false;
		identity.binding = STR("\4\5\6");
		tap_ok(logs_in(names[i], &server), "%s logs in with tls-unique", names[i]);
		sasl = begin(names[i], &has_response);
		tap_ok(sasl != NULL && strncmp(answer_in_clear(&clear), "p=tls-unique,", 13) == 0,
		       "protocol 75: %s names tls-unique", names[i]);
		sasl_free(sasl);
		identity.binding = STR("\4\5\7");
		tap_ok(!logs_in(names[i], &server) && fails(EX_NOPERM, "535"), "%s fails on another connection's data",
		       names[i]);
		identity.has_binding = false;
		tap_ok(begin(names[i], &has_response) == NULL && fails(EX_PROTOCOL, names[i]), "%s fails without data",
		       names[i]);
		buf_free(&clear);
	}
}

static void
test_vectors(void)
{
	bool has_response = false;
	struct sasl *sasl;

	set_up("tim", password);
	sasl = begin("CRAM-MD5", &has_response);
	tap_ok(sasl != NULL && !has_response && answer.size == 0, "CRAM-MD5 has no initial response");
	steps(sasl, "<1896.697170952@postoffice.reston.mci.net>");
	tap_is(buf_text(&answer), "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw",
	       "CRAM-MD5 writes the example of RFC 2195");
	tap_ok(sasl_finish(sasl, &err), "CRAM-MD5 is complete after its answer");
	sasl_free(sasl);
	sasl = begin("plain", &has_response);
	tap_is(buf_text(&answer), "AHRpbQB0YW5zdGFhZnRhbnN0YWFm",
	       "PLAIN writes the example of RFC 4616, also when named in small letters");
	tap_ok(has_response && sasl_finish(sasl, &err), "PLAIN is complete after its initial response");
	tap_ok(!steps(sasl, "") && fails(EX_NOPERM, "asks on after everything was said"),
	       "protocol 73: a challenge after PLAIN is refused");
	sasl_free(sasl);
	sasl = begin("LOGIN", &has_response);
	tap_ok(!has_response, "LOGIN waits for the server");
	tap_ok(!sasl_finish(sasl, &err) && fails(EX_PROTOCOL, "has not asked"),
	       "LOGIN is not complete before it was asked");
	tap_ok(steps(sasl, "Username:") && strcmp(buf_text(&answer), "dGlt") == 0, "LOGIN gives the user first");
	tap_ok(!sasl_finish(sasl, &err) && fails(EX_PROTOCOL, "has not asked"), "LOGIN is not complete after the user");
	tap_ok(steps(sasl, "Password:") && strcmp(buf_text(&answer), "dGFuc3RhYWZ0YW5zdGFhZg==") == 0,
	       "LOGIN gives the password second");
	tap_ok(sasl_finish(sasl, &err), "LOGIN is complete after the password");
	tap_ok(!steps(sasl, "Again:") && fails(EX_NOPERM, "asks on"), "LOGIN gives nothing a third time");
	sasl_free(sasl);
	sasl = begin("LOGIN", &has_response);
	tap_ok(sasl_step(sasl, STR(""), &answer, &err) && strcmp(buf_text(&answer), "dGlt") == 0,
	       "LOGIN answers an empty challenge as well");
	sasl_free(sasl);
}

static void
test_external(void)
{
	bool has_response = false;
	struct sasl *sasl;

	set_up(NULL, "");
	identity.secret = NULL;
	sasl = begin("EXTERNAL", &has_response);
	tap_ok(has_response, "EXTERNAL has an initial response");
	tap_is(buf_text(&answer), "=", "the initial response of EXTERNAL without user is an equals sign");
	tap_ok(sasl_finish(sasl, &err), "EXTERNAL is complete after its initial response");
	sasl_free(sasl);
	account.user = (char *)"tim";
	sasl = begin("EXTERNAL", &has_response);
	tap_is(buf_text(&answer), "dGlt", "EXTERNAL with a user asks for that identity");
	sasl_free(sasl);
	tap_ok(logs_in("EXTERNAL", &(struct server){0}), "EXTERNAL logs in");
}

static void
test_anonymous(void)
{
	bool has_response = false;
	struct sasl *sasl;

	set_up(NULL, "");
	identity.secret = NULL;
	sasl = begin("ANONYMOUS", &has_response);
	tap_ok(sasl != NULL && has_response, "ANONYMOUS has an initial response, and needs neither user nor secret");
	tap_is(buf_text(&answer), "YW5vbnltb3Vz", "ANONYMOUS tells nothing about the user");
	tap_ok(sasl_finish(sasl, &err), "ANONYMOUS is complete after its initial response");
	sasl_free(sasl);
	account.user = (char *)"tim";
	sasl = begin("ANONYMOUS", &has_response);
	tap_is(buf_text(&answer), "YW5vbnltb3Vz", "ANONYMOUS does not tell the user's name either");
	sasl_free(sasl);
	tap_ok(logs_in("ANONYMOUS", &(struct server){0}), "ANONYMOUS logs in");
}

/* Begin SCRAM-SHA-256 and answer its first message with the client's nonce, some more nonce, and `rest`. */
static struct sasl *
begin_scram(const char *rest, bool *is_good)
{
	bool has_response = false;
	struct buf clear = {0}, first = {0};
	struct sasl *sasl;
	const char *nonce;

	set_up("tim", password);
	sasl = begin("SCRAM-SHA-256", &has_response);
	nonce = strstr(answer_in_clear(&clear), ",r=") + 3;
	buf_printf(&first, "r=%smore,s=QSXCR+Q6sek8bf92,%s", nonce, rest);
	*is_good = steps(sasl, buf_text(&first));
	buf_free(&clear);
	buf_free(&first);
	return sasl;
}

static void
is_count_refused(const char *count, const char *name)
{
	clock_t began = clock();
	bool is_good = false;
	struct buf rest = {0};
	struct sasl *sasl;

	buf_printf(&rest, "i=%s", count);
	sasl = begin_scram(buf_text(&rest), &is_good);
	tap_ok(!is_good && answer.size == 0 && fails(EX_PROTOCOL, "SCRAM-SHA-256: ") &&
	               clock() - began < CLOCKS_PER_SEC,
	       "%s", name);
	sasl_free(sasl);
	buf_free(&rest);
}

static void
test_scram_counts(void)
{
	bool is_good = false;
	struct sasl *sasl = begin_scram("i=4096", &is_good);

	tap_ok(is_good && answer.size > 0, "an iteration count of 4096 is good enough");
	sasl_free(sasl);
	is_count_refused("1", "protocol 69: an iteration count of 1 is refused before the password is used");
	is_count_refused("4095", "an iteration count of 4095 is refused");
	is_count_refused("10000001", "an iteration count above ten million is refused");
	is_count_refused("2000000000", "protocol 70: an iteration count of 2000000000 is refused within a second");
	is_count_refused("18446744073709551617", "an iteration count beyond 64 bits is refused");
	is_count_refused("-1", "a negative iteration count is refused");
	is_count_refused("x", "an iteration count that is no number is refused");
	sasl = begin_scram("i=1", &is_good);
	tap_ok(!is_good && fails(EX_PROTOCOL, "iteration count 1 is not within 4096 and 10000000"),
	       "the iteration count is named in the error");
	sasl_free(sasl);
}

static void
test_scram_proof(void)
{
	bool is_good = false;
	struct sasl *sasl = begin_scram("i=4096", &is_good);

	tap_ok(!steps(sasl, "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=") &&
	               fails(EX_PROTOCOL, "the server could not prove that it knows the password"),
	       "protocol 71: a wrong server signature is refused");
	tap_ok(!sasl_finish(sasl, &err) && err.exit_code == EX_PROTOCOL, "after a wrong signature 235 does not count");
	sasl_free(sasl);
	sasl = begin_scram("i=4096", &is_good);
	tap_ok(!sasl_finish(sasl, &err) && fails(EX_PROTOCOL, "has not proved that it knows the password"),
	       "protocol 72: 235 instead of the server's proof is refused");
	tap_ok(!steps(sasl, "e=invalid-proof\x1b[2J") && fails(EX_NOPERM, "the server says invalid-proof\\x1b[2J"),
	       "a server error of SCRAM is a refused login, cleaned");
	sasl_free(sasl);
	sasl = begin_scram("i=4096", &is_good);
	tap_ok(!steps(sasl, "") && err.exit_code == EX_PROTOCOL, "an empty message instead of the proof is refused");
	sasl_free(sasl);
	set_up("tim", password);
	sasl = begin("SCRAM-SHA-256", &is_good);
	tap_ok(!steps(sasl, "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096") &&
	               fails(EX_PROTOCOL, "SCRAM-SHA-256: "),
	       "a nonce that is not the client's is refused");
	tap_ok(!sasl_finish(sasl, &err) && fails(EX_PROTOCOL, "has not proved"),
	       "235 after the client's first message is refused");
	sasl_free(sasl);
}

static void
is_challenge_refused(const char *mechanism, struct str challenge, const char *text, const char *name)
{
	bool has_response = false;
	struct sasl *sasl;

	set_up("tim", password);
	sasl = begin(mechanism, &has_response);
	buf_clear(&answer);
	tap_ok(!sasl_step(sasl, challenge, &answer, &err) && answer.size == 0 && fails(EX_PROTOCOL, text), "%s", name);
	sasl_free(sasl);
}

static void
test_challenges(void)
{
	static char huge[SASL_CHALLENGE_MOST + 4];
	bool has_response = false;
	struct sasl *sasl;

	is_challenge_refused("CRAM-MD5", STR("<not base64>"), "is not base64",
	                     "protocol 68: a challenge that is not base64 is refused");
	is_challenge_refused("LOGIN", STR("VXNlcm5hbWU6 "), "is not base64", "a blank behind the base64 is refused");
	is_challenge_refused("CRAM-MD5", STR(""), "is empty", "an empty challenge of CRAM-MD5 is refused");
	is_challenge_refused("DIGEST-MD5", STR(""), "is empty", "an empty challenge of DIGEST-MD5 is refused");
	is_challenge_refused("DIGEST-MD5", STR("cmVhbG09"),
	                     "DIGEST-MD5: ", "a malformed challenge of DIGEST-MD5 is refused");
	is_challenge_refused("CRAM-MD5", STR("PGEAYj4="), "is not a text", "a challenge with a NUL is refused");
	memset(huge, 'A', sizeof(huge));
	is_challenge_refused("CRAM-MD5", str_make(huge, sizeof(huge)), "more than 12288 octets",
	                     "a challenge of more than 12288 octets is refused");
	memset(huge, 'Q', sizeof(huge));
	set_up("tim", password);
	sasl = begin("CRAM-MD5", &has_response);
	tap_ok(sasl_step(sasl, str_make(huge, SASL_CHALLENGE_MOST), &answer, &err),
	       "a challenge of 12288 octets is answered");
	sasl_free(sasl);
}

static void
test_oauth(void)
{
	static const char error_json[] = "{\"status\":\"invalid_token\",\"scope\":\"https://mail.example/\"}";
	bool has_response = false;
	struct sasl *sasl;

	set_up("tim", password);
	sasl = begin("XOAUTH2", &has_response);
	tap_ok(has_response, "XOAUTH2 has an initial response");
	tap_is(buf_text(&answer), "dXNlcj10aW0BYXV0aD1CZWFyZXIgdGFuc3RhYWZ0YW5zdGFhZgEB",
	       "XOAUTH2 gives user and token");
	tap_is(sasl_reason(sasl), "", "as long as nothing was refused there is no reason");
	tap_ok(steps(sasl, error_json) && answer.size == 0, "XOAUTH2 answers error JSON with an empty line");
	tap_is(sasl_reason(sasl), "status invalid_token, scope https://mail.example/",
	       "the status of the error JSON is the reason");
	tap_ok(!steps(sasl, error_json) && fails(EX_NOPERM, "asks on"), "XOAUTH2 answers error JSON only once");
	tap_ok(!sasl_finish(sasl, &err) && fails(EX_PROTOCOL, "refused before"), "235 after error JSON is refused");
	sasl_free(sasl);
	sasl = begin("OAUTHBEARER", &has_response);
	tap_ok(has_response && sasl_finish(sasl, &err), "OAUTHBEARER is complete after its initial response");
	tap_ok(steps(sasl, "{\"status\":\"tanstaaftanstaaf\"}") && strcmp(buf_text(&answer), "AQ==") == 0,
	       "OAUTHBEARER answers error JSON with AQ==");
	tap_is(sasl_reason(sasl), "", "protocol 76: a server that sends the token back does not make us show it");
	sasl_free(sasl);
	sasl = begin("OAUTHBEARER", &has_response);
	tap_ok(!steps(sasl, "") && fails(EX_NOPERM, "asks on"), "an empty challenge after OAUTHBEARER is refused");
	sasl_free(sasl);
	set_up("tim", "a\001host=evil");
	tap_ok(begin("OAUTHBEARER", &has_response) == NULL && fails(EX_CONFIG, "control character"),
	       "a token with a control character is never sent");
}

static void
test_start(void)
{
	bool has_response = false;
	struct sasl *sasl = NULL;

	set_up("tim", password);
	tap_ok(!sasl_start(&sasl, "NTLM", &identity, &err) && sasl == NULL && fails(EX_UNAVAILABLE, "NTLM"),
	       "NTLM cannot be started");
	identity.secret = NULL;
	tap_ok(!sasl_start(&sasl, "PLAIN", &identity, &err) && fails(EX_CONFIG, "needs a secret"),
	       "PLAIN needs a secret");
	set_up(NULL, password);
	tap_ok(!sasl_start(&sasl, "XOAUTH2", &identity, &err) && fails(EX_CONFIG, "'user'"), "XOAUTH2 needs a user");
	set_up("tim", "\xff\xfe");
	sasl = begin("SCRAM-SHA-256", &has_response);
	tap_ok(sasl != NULL, "SCRAM begins without looking at the password");
	sasl_free(sasl);
	sasl_free(NULL);
	set_up("tim", password);
	account.auth = AUTH_ON;
	tap_ok(sasl_needs_secret(&account), "auth on needs a secret");
	account.auth = AUTH_XOAUTH2;
	tap_ok(sasl_needs_secret(&account), "XOAUTH2 needs a secret");
	account.auth = AUTH_EXTERNAL;
	tap_ok(!sasl_needs_secret(&account), "EXTERNAL needs no secret");
	account.auth = AUTH_GSSAPI;
	tap_ok(!sasl_needs_secret(&account), "GSSAPI needs no secret");
	account.auth = AUTH_ANONYMOUS;
	tap_ok(!sasl_needs_secret(&account), "ANONYMOUS needs no secret");
	account.auth = AUTH_OFF;
	tap_ok(!sasl_needs_secret(&account), "auth off needs no secret");
	tap_ok(sasl_library_version()[0] >= '1', "the library says its version");
}

static void
test_choose(void)
{
	struct mechanism_offer offer = {STR("PLAIN LOGIN"), true, false};
	struct sasl_history history = {0};
	const char *name = NULL;

	set_up("tim", password);
	account.auth = AUTH_ON;
	tap_ok(sasl_choose(&account, &offer, &history, &name, &err) && strcmp(name, "PLAIN") == 0,
	       "the best method is chosen by its name");
	offer.is_protected = false;
	tap_ok(!sasl_choose(&account, &offer, &history, &name, &err) && name == NULL &&
	               fails(EX_UNAVAILABLE, "cannot use a secure authentication method"),
	       "protocol 66: without TLS no method is chosen that shows the password");
	offer = (struct mechanism_offer){STR("SCRAM-SHA-256 PLAIN"), true, false};
	tap_ok(sasl_choose(&account, &offer, &history, &name, &err) && strcmp(name, "SCRAM-SHA-256") == 0,
	       "in the same run a stronger method may follow");
	offer.words = STR("PLAIN");
	tap_ok(!sasl_choose(&account, &offer, &history, &name, &err) && name == NULL &&
	               fails(EX_UNAVAILABLE, "weaker than SCRAM-SHA-256"),
	       "protocol 68: and then no weaker one any more");
	account.auth_min = AUTH_MIN_SCRAM;
	history = (struct sasl_history){0};
	tap_ok(!sasl_choose(&account, &offer, &history, &name, &err) && fails(EX_UNAVAILABLE, "below 'auth_min scram'"),
	       "what is below auth_min is not chosen");
	offer.words = STR("SCRAM-SHA-256");
	history.is_over = true;
	tap_ok(!sasl_choose(&account, &offer, &history, &name, &err) && name == NULL && fails(EX_NOPERM, "refused before"),
	       "protocol 77: after a refused login nothing is chosen");
}

/* Run check in a child that ends without looking for leaks: the libraries leave a few bytes behind where they fail. */
static bool
holds_in_child(bool (*check)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(check() ? 0 : 1);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
is_bad_password_told(void)
{
	bool is_good = false;
	struct buf clear = {0}, first = {0};
	struct sasl *sasl;

	set_up("tim", "a\xff\xfe"
	              "b");
	sasl = begin("SCRAM-SHA-256", &is_good);
	buf_printf(&first, "r=%sx,s=QSXCR+Q6sek8bf92,i=4096", strstr(answer_in_clear(&clear), ",r=") + 3);
	is_good = !steps(sasl, buf_text(&first)) && err.hint.size > 0 && fails(EX_CONFIG, "SASLprep");
	sasl_free(sasl);
	buf_free(&clear);
	buf_free(&first);
	return is_good;
}

static bool
is_missing_ticket_told(void)
{
	bool has_response = false;
	struct sasl *sasl;

	setenv("KRB5CCNAME", "FILE:/nonexistent/ticket", 1);
	setenv("KRB5_CONFIG", "/dev/null", 1);
	set_up("tim", password);
	identity.secret = NULL;
	sasl = begin("GSSAPI", &has_response);
	if (sasl == NULL)
		return (err.hint.size > 0 || strstr(buf_text(&err.text), "libgsasl cannot use") != NULL) &&
		       fails(EX_UNAVAILABLE, "GSSAPI");
	sasl_free(sasl);
	return false;
}

static void
test_library_faults(void)
{
	tap_ok(holds_in_child(is_bad_password_told),
	       "a password that is not UTF-8 is a fault of the configuration for SCRAM");
	tap_ok(holds_in_child(is_missing_ticket_told), "GSSAPI without a ticket fails with a hint");
}

int
main(void)
{
	test_round_trips();
	test_binding();
	test_vectors();
	test_external();
	test_anonymous();
	test_scram_counts();
	test_scram_proof();
	test_challenges();
	test_oauth();
	test_start();
	test_choose();
	test_library_faults();
	secret_free(&secret);
	buf_free(&answer);
	err_clear(&err);
	return tap_end();
}
