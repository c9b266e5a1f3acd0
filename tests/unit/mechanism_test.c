/* mechanism_test.c - behaviour of auth/mechanism.c. */

#include "config.h"

#include "auth/mechanism.h"
#include "tap.h"

#define ALL "LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS XOAUTH2 GSSAPI"

static struct err err;

/* The name of what is chosen, NULL: nothing (then err is set). */
static const char *
chosen_name(enum account_auth choice, const char *offered, bool is_protected, bool has_binding)
{
	const struct mechanism_offer offer = {str_of(offered), is_protected, has_binding};
	const struct mechanism *chosen = NULL;

	err_clear(&err);
	return mechanism_choose(choice, &offer, &chosen, &err) ? chosen->name : NULL;
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
	test_finding();
	err_clear(&err);
	return tap_end();
}
