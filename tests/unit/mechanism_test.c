/* mechanism_test.c - behaviour of auth/mechanism.c. */

#include "config.h"

#include "auth/mechanism.h"
#include "tap.h"

#define ALL "LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS XOAUTH2 GSSAPI"

static struct err err;

/* The name of what is chosen, NULL: nothing (then err is set). */
static const char *
chosen_by(const struct mechanism_wish *wish, const struct mechanism_offer *offer)
{
	const struct mechanism *chosen = NULL;

	err_clear(&err);
	return mechanism_choose(wish, offer, &chosen, &err) ? chosen->name : NULL;
}

static const char *
chosen_name(enum account_auth choice, const char *offered, bool is_protected, bool has_binding)
{
	const struct mechanism_wish wish = {.choice = choice};
	const struct mechanism_offer offer = {str_of(offered), is_protected, has_binding};

	return chosen_by(&wish, &offer);
}

/* Under TLS with a floor. */
static const char *
chosen_above(enum account_auth_min least, enum account_auth choice, const char *offered, bool has_binding)
{
	const struct mechanism_wish wish = {.choice = choice, .least = least};
	const struct mechanism_offer offer = {str_of(offered), true, has_binding};

	return chosen_by(&wish, &offer);
}

/* auth on, under TLS, after another mechanism in the same run. */
static const char *
chosen_after(const char *before, const char *offered, bool has_binding)
{
	const struct mechanism_wish wish = {.choice = AUTH_ON, .before = mechanism_find(before)};
	const struct mechanism_offer offer = {str_of(offered), true, has_binding};

	return chosen_by(&wish, &offer);
}

/* Nothing is chosen; the error says `text` and the hint `hint`. */
static void
is_refused(const char *name_chosen, const char *text, const char *hint, const char *name)
{
	bool holds = name_chosen == NULL && err.exit_code == EX_UNAVAILABLE &&
	             strstr(buf_text(&err.text), text) != NULL && strstr(buf_text(&err.hint), hint) != NULL;

	tap_ok(holds, "%s", name);
	if (!holds)
		tap_note("chosen %s; error: %s; hint: %s", name_chosen == NULL ? "nothing" : name_chosen,
		         buf_text(&err.text), buf_text(&err.hint));
}

static void
test_automatic(void)
{
	tap_is(chosen_name(AUTH_ON, ALL, true, true), "SCRAM-SHA-256-PLUS", "auth on: SCRAM-SHA-256-PLUS is the best");
	tap_is(chosen_name(AUTH_ON, "SCRAM-SHA-256 SCRAM-SHA-1-PLUS", true, true), "SCRAM-SHA-1-PLUS",
	       "auth on: channel binding counts for more than the hash");
	tap_is(chosen_name(AUTH_ON, ALL, true, false), "SCRAM-SHA-256",
	       "auth on: without binding data no -PLUS is chosen");
	tap_is(chosen_name(AUTH_ON, "PLAIN SCRAM-SHA-1", true, false), "SCRAM-SHA-1",
	       "auth on: SCRAM-SHA-1 before PLAIN");
	tap_is(chosen_name(AUTH_ON, "LOGIN PLAIN", true, false), "PLAIN", "auth on: PLAIN before LOGIN");
	tap_is(chosen_name(AUTH_ON, "login", true, false), "LOGIN", "auth on: names are compared without case");
	tap_is(chosen_name(AUTH_ON, ALL, false, false), "SCRAM-SHA-256", "auth on: SCRAM may be used without TLS");
	is_refused(chosen_name(AUTH_ON, "PLAINX XPLAIN SCRAM-SHA-256-PLUSX", true, true),
	           "cannot use an authentication method", "'auth'", "auth on: names are compared as whole words");
	is_refused(chosen_name(AUTH_ON, "CRAM-MD5 DIGEST-MD5 XOAUTH2 EXTERNAL", true, true),
	           "the server offers CRAM-MD5", "name one of them",
	           "auth on: methods that must be named are not chosen");
	is_refused(chosen_name(AUTH_ON, "LOGIN PLAIN CRAM-MD5", false, false),
	           "cannot use a secure authentication method", "set 'tls on'",
	           "protocol 66: LOGIN in clear is refused before anything is sent");
	is_refused(chosen_name(AUTH_ON, "", true, false), "the server does not support authentication", "auth off",
	           "protocol 67: auth on, and the server does not offer AUTH");
	is_refused(chosen_name(AUTH_ON, "", false, false), "the server does not support authentication", "set 'tls on'",
	           "protocol 67: without TLS the hint is to use it");
}

static void
test_named(void)
{
	static const enum account_auth in_clear[] = {AUTH_PLAIN,       AUTH_LOGIN,    AUTH_XOAUTH2,
	                                             AUTH_OAUTHBEARER, AUTH_CRAM_MD5, AUTH_DIGEST_MD5};
	static const char everything[] = ALL " OAUTHBEARER EXTERNAL DIGEST-MD5 NTLM";

	tap_is(chosen_name(AUTH_CRAM_MD5, everything, true, false), "CRAM-MD5", "a named method is used");
	tap_is(chosen_name(AUTH_PLAIN, everything, true, true), "PLAIN",
	       "a named method is used although better are offered");
	tap_is(chosen_name(AUTH_EXTERNAL, everything, false, false), "EXTERNAL",
	       "EXTERNAL shows no secret, so it needs no TLS");
	for (size_t i = 0; i < sizeof(in_clear) / sizeof(in_clear[0]); i++)
		is_refused(chosen_name(in_clear[i], everything, false, false), "the connection has no TLS",
		           "auth_cleartext", "a named method that shows the secret is refused without TLS");
	is_refused(chosen_name(AUTH_SCRAM_SHA_256_PLUS, everything, true, false), "needs the channel binding",
	           "auth on", "a named -PLUS is refused without binding data, not weakened");
	is_refused(chosen_name(AUTH_SCRAM_SHA_256, "PLAIN", true, false),
	           "the server does not offer it; the server offers PLAIN", "auth on",
	           "a named method that is not offered is not replaced");
	is_refused(chosen_name(AUTH_PLAIN, "", true, false), "the server does not support authentication", "auth off",
	           "a named method, and the server does not offer AUTH");
	is_refused(chosen_name(AUTH_NTLM, everything, true, true), "NTLM", "auth on",
	           "NTLM is refused also where it is offered");
	is_refused(chosen_name(AUTH_PLAIN, "X\x1b[2J", true, true), "X\\x1b[2J", "auth on",
	           "what the server offers is cleaned");
	tap_ok(chosen_name(AUTH_OFF, everything, true, true) == NULL, "auth off chooses nothing");
}

static void
test_floor(void)
{
	tap_is(chosen_above(AUTH_MIN_SCRAM, AUTH_ON, ALL, false), "SCRAM-SHA-256", "auth_min scram: SCRAM is chosen");
	tap_is(chosen_above(AUTH_MIN_SCRAM_PLUS, AUTH_ON, ALL, true), "SCRAM-SHA-256-PLUS",
	       "auth_min scram-plus: SCRAM with channel binding is chosen");
	is_refused(chosen_above(AUTH_MIN_SCRAM, AUTH_ON, "LOGIN PLAIN", true),
	           "cannot use PLAIN: it is below 'auth_min scram'; the server offers LOGIN PLAIN", "set 'auth_min plain'",
	           "auth_min scram: PLAIN is refused for auth on, with what is offered");
	is_refused(chosen_above(AUTH_MIN_CRAM, AUTH_ON, "LOGIN CRAM-MD5", true), "cannot use LOGIN: it is below 'auth_min cram'",
	           "set 'auth_min plain'", "auth_min cram: LOGIN is refused");
	is_refused(chosen_above(AUTH_MIN_SCRAM_PLUS, AUTH_ON, ALL, false),
	           "cannot use SCRAM-SHA-256: it is below 'auth_min scram-plus'; the server offers LOGIN PLAIN",
	           "set 'auth_min scram'", "auth_min scram-plus: without binding data SCRAM is refused");
	is_refused(chosen_above(AUTH_MIN_SCRAM_PLUS, AUTH_ON, "SCRAM-SHA-256 PLAIN", true), "cannot use SCRAM-SHA-256: it is below",
	           "set 'auth_min scram'", "auth_min scram-plus: a server that offers no -PLUS is refused");
	is_refused(chosen_above(AUTH_MIN_SCRAM, AUTH_ON, "", true), "the server does not support authentication", "auth off",
	           "auth_min scram: where nothing is offered, that is told");
}

static void
test_classes(void)
{
	static const struct {
		enum account_auth choice;
		enum account_auth_min class;
	} rows[] = {
		{AUTH_ANONYMOUS, AUTH_MIN_PLAIN},       {AUTH_PLAIN, AUTH_MIN_PLAIN},
		{AUTH_LOGIN, AUTH_MIN_PLAIN},           {AUTH_XOAUTH2, AUTH_MIN_PLAIN},
		{AUTH_OAUTHBEARER, AUTH_MIN_PLAIN},     {AUTH_CRAM_MD5, AUTH_MIN_CRAM},
		{AUTH_DIGEST_MD5, AUTH_MIN_CRAM},       {AUTH_GSSAPI, AUTH_MIN_SCRAM},
		{AUTH_SCRAM_SHA_1, AUTH_MIN_SCRAM},     {AUTH_SCRAM_SHA_256, AUTH_MIN_SCRAM},
		{AUTH_EXTERNAL, AUTH_MIN_SCRAM_PLUS},   {AUTH_SCRAM_SHA_1_PLUS, AUTH_MIN_SCRAM_PLUS},
		{AUTH_SCRAM_SHA_256_PLUS, AUTH_MIN_SCRAM_PLUS},
	};
	static const char everything[] = ALL " OAUTHBEARER EXTERNAL DIGEST-MD5 ANONYMOUS";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *name = mechanism_of_choice(rows[i].choice)->name;
		const char *class = mechanism_class_name(rows[i].class);
		struct buf text = {0};

		tap_ok(chosen_above(rows[i].class, rows[i].choice, everything, true) == name, "%s may be named with auth_min %s",
		       name, class);
		if (rows[i].class == AUTH_MIN_SCRAM_PLUS)
			continue;
		buf_printf(&text, "cannot use %s: it is below 'auth_min %s'; the server offers LOGIN", name,
		           mechanism_class_name(rows[i].class + 1));
		is_refused(chosen_above(rows[i].class + 1, rows[i].choice, everything, true), buf_text(&text),
		           "name another method", "and not with the next word of auth_min");
		buf_free(&text);
	}
}

static void
test_before(void)
{
	tap_is(chosen_after("SCRAM-SHA-256", "SCRAM-SHA-256 PLAIN", false), "SCRAM-SHA-256",
	       "in the same run the same method is used again");
	tap_is(chosen_after("SCRAM-SHA-256", ALL, true), "SCRAM-SHA-256-PLUS", "in the same run a stronger one may be used");
	tap_is(chosen_after("PLAIN", "LOGIN", false), "LOGIN", "LOGIN is not weaker than PLAIN");
	is_refused(chosen_after("SCRAM-SHA-256", "PLAIN LOGIN", false),
	           "cannot use PLAIN: it is weaker than SCRAM-SHA-256, which this run used before; the server offers PLAIN LOGIN",
	           "between the server and you", "a server that offers only PLAIN after SCRAM gets nothing");
	is_refused(chosen_after("SCRAM-SHA-256", "SCRAM-SHA-1", false), "weaker than SCRAM-SHA-256",
	           "between the server and you", "SHA-1 after SHA-256 is refused");
	is_refused(chosen_after("SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", true), "weaker than SCRAM-SHA-1-PLUS",
	           "between the server and you", "no channel binding after channel binding is refused");
}

static void
test_finding(void)
{
	tap_ok(mechanism_find("scram-sha-1-plus") == mechanism_of_choice(AUTH_SCRAM_SHA_1_PLUS),
	       "a method is found by its name");
	tap_ok(mechanism_find("SCRAM-SHA-51") == NULL && mechanism_of_choice(AUTH_ON) == NULL,
	       "what is not a method is not found");
}

int
main(void)
{
	test_automatic();
	test_named();
	test_floor();
	test_classes();
	test_before();
	test_finding();
	err_clear(&err);
	return tap_end();
}
