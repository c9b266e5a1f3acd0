/* advice_test.c - what servers say leads to the setting or command that helps, and to nothing where that is not certain. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "deliver/advice.h"
#include "tap.h"

/* What is the account like? */
enum kind {
	PLAIN,
	TOKEN,
	NO_LOGIN,
	NO_REPAIR,
	NO_ID
};

/* Texts as providers and servers send them: reply code, enhanced code, the text behind it; then what the advice must name,
 * NULL: there must be none. */
static const struct {
	int code;
	unsigned short enhanced[3];
	const char *text;
	enum kind kind;
	const char *wanted;
} cases[] = {
	{535, {5, 7, 8}, "Username and Password not accepted. For more information, go to", PLAIN, "app password"},
	{535, {5, 7, 8}, "Username and Password not accepted. For more information, go to", TOKEN, "access tokens live"},
	{535, {5, 7, 8}, "Error: authentication failed: UGFzc3dvcmQ6", PLAIN, "check 'user'"},
	{535, {5, 7, 3}, "Authentication unsuccessful", PLAIN, "check 'user'"},
	{535, {5, 7, 3}, "Authentication unsuccessful", TOKEN, "access tokens live"},
	{535, {0}, "authentication failed", PLAIN, "check 'user'"},
	{534, {5, 7, 9}, "Application-specific password required. Learn more at", PLAIN, "app password"},
	{534, {5, 7, 14}, "<https://accounts.example.com/signin> Please log in via your web browser and then try again.", PLAIN,
     "web browser"},
	{534, {5, 7, 9}, "Authentication mechanism is too weak", PLAIN, NULL},
	{535, {5, 7, 139}, "Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit", PLAIN,
     "only the administrator"},
	{535, {5, 7, 139}, "Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.", TOKEN,
     "only the administrator"},
	{535, {5, 7, 139}, "Authentication unsuccessful, basic authentication is disabled.", PLAIN, "auth xoauth2"},
	{535, {5, 7, 139}, "Authentication unsuccessful, the user credentials were incorrect.", PLAIN, "check 'user'"},
	{550, {5, 7, 30}, "Basic authentication is not supported for Client Submission", PLAIN, "auth xoauth2"},
	{550, {5, 7, 30}, "message rejected", PLAIN, NULL},
	{454, {4, 7, 0}, "Too many login attempts, please try again later.", PLAIN, "--flush"},
	{454, {4, 7, 0}, "Temporary authentication failure", PLAIN, NULL},
	{454, {4, 7, 1}, "<r@x>: Relay access denied", PLAIN, NULL},
	{432, {4, 3, 2}, "Concurrent connections limit exceeded. Visit", PLAIN, "max_connections 1"},
	{432, {4, 3, 2}, "STOREDRV.ClientSubmit; sender thread limit exceeded", PLAIN, "max_connections 1"},
	{432, {4, 7, 12}, "A password transition is needed", PLAIN, NULL},
	{530, {5, 7, 0}, "Must issue a STARTTLS command first", PLAIN, "set 'tls on'"},
	{530, {5, 7, 57}, "Client not authenticated to send mail", PLAIN, "'auth'"},
	{538, {5, 7, 11}, "Encryption required for requested authentication mechanism", PLAIN, "set 'tls on'"},
	{550, {5, 7, 1}, "Authentication required", NO_LOGIN, "'auth'"},
	{550, {5, 7, 1}, "Authentication required", PLAIN, NULL},
	{550, {5, 7, 26}, "This mail has been blocked because the sender is unauthenticated.", NO_LOGIN, "SPF"},
	{550, {5, 7, 1}, "the sender is unauthenticated", NO_LOGIN, NULL},
	{550, {5, 4, 5}, "Daily user sending limit exceeded. For more information", PLAIN, "treat_as_temporary 5.4.5"},
	{550, {5, 4, 5}, "Daily SMTP relay sending quota exceeded.", PLAIN, "treat_as_temporary 5.4.5"},
	{550, {5, 4, 5}, "Network congestion", PLAIN, NULL},
	{553, {5, 7, 1}, "<root@localhost>: Sender address rejected: not owned by auth user", PLAIN, "set 'from'"},
	{553, {5, 7, 1}, "<joe@x>: Sender address rejected: not owned by user joe", PLAIN, "'identity ADDRESS'"},
	{553, {5, 7, 1}, "<joe@x>: Sender address rejected: not logged in", NO_LOGIN, "'auth'"},
	{550, {5, 7, 60}, "SMTP; Client does not have permissions to send as this sender", PLAIN, "set 'from'"},
	{554, {5, 2, 252}, "SendAsDenied; joe@x not allowed to send as root@box", PLAIN, "set 'from'"},
	{504, {5, 5, 2}, "<root>: Sender address rejected: need fully-qualified address", PLAIN, "'identity ADDRESS'"},
	{504, {5, 5, 2}, "<ann>: Recipient address rejected: need fully-qualified address", PLAIN, "'aliases'"},
	{504, {5, 5, 2}, "<localhost>: Helo command rejected: need fully-qualified hostname", PLAIN, "set 'domain'"},
	{504, {5, 5, 4}, "Unrecognized authentication type", PLAIN, NULL},
	{550, {5, 7, 1}, "[192.0.2.1] Messages missing a valid Message-ID header are not\\n5.7.1 accepted.", PLAIN, "leave it out"},
	{550, {5, 7, 1}, "Messages missing a valid Message-ID header are not accepted", NO_REPAIR, "repair safe"},
	{550, {5, 7, 1}, "Messages missing a valid Message-ID header are not accepted", NO_ID, "set_msgid_header auto"},
	{550, {5, 7, 1}, "Messages missing a valid address in From: header, or having no From: header, are not accepted.", PLAIN,
     "set_from_header on"},
	{552, {5, 2, 0}, "Message contains bare CR and is violating 822.bis section 2.3", PLAIN, "if a proxy"},
	{552, {5, 2, 2}, "mailbox is full, spare no effort", PLAIN, NULL},
	{550, {0}, "message has lines too long for transport", NO_REPAIR, "repair safe"},
	{550, {0}, "message has lines too long for transport", PLAIN, "998"},
	{500, {0}, "Line too long", NO_REPAIR, "repair safe"},
	{500, {5, 5, 2}, "line too long", PLAIN, "998"},
	{550, {0}, "maximum allowed line length is 998 octets, got 3001", PLAIN, "998"},
	{550, {0}, "maximum allowed line length is 998 octets, got 3001", NO_REPAIR, "repair safe"},
	{500, {5, 5, 1}, "command unrecognized", PLAIN, NULL},
	{554, {5, 7, 1}, "<r@x>: Relay access denied", PLAIN, "relays for known users"},
	{550, {5, 7, 1}, "Unable to relay", PLAIN, "relays for known users"},
	{550, {5, 7, 1}, "relaying denied", PLAIN, "relays for known users"},
	{550, {0}, "relay not permitted", PLAIN, "relays for known users"},
	{550, {5, 7, 1}, "your mail was delayed too often", PLAIN, NULL},
	{550, {5, 1, 1}, "no such user", PLAIN, NULL},
	{451, {4, 7, 1}, "greylisted", PLAIN, NULL},
};

static struct account
account_of(enum kind kind)
{
	return (struct account){
		.auth = kind == TOKEN ? AUTH_XOAUTH2 : kind == NO_LOGIN ? AUTH_OFF : AUTH_PLAIN,
		.repair = kind == NO_REPAIR ? REPAIR_OFF : REPAIR_SAFE,
		.set_msgid_header = kind == NO_ID ? SWITCH_OFF : SWITCH_AUTO,
	};
}

static void
test_sayings(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct account account = account_of(cases[i].kind);
		struct outcome outcome = {.state = OUTCOME_FAILED, .stage = OUTCOME_AT_END, .reply_code = cases[i].code};
		const char *advice;
		bool is_good;

		memcpy(outcome.enhanced, cases[i].enhanced, sizeof(outcome.enhanced));
		outcome_set_text(&outcome, str_of(cases[i].text));
		advice = advice_for(&account, &outcome);
		is_good = cases[i].wanted == NULL ? advice == NULL : advice != NULL && strstr(advice, cases[i].wanted) != NULL;
		tap_ok(is_good, "%d %u.%u.%u %s (%d): %s", cases[i].code, cases[i].enhanced[0], cases[i].enhanced[1],
		       cases[i].enhanced[2], cases[i].text, (int)cases[i].kind, advice == NULL ? "(nothing)" : advice);
	}
}

static const char *
advice_at(struct account *account, enum outcome_state state, enum outcome_stage stage, int code, const char *text)
{
	struct outcome outcome = {.state = state, .stage = stage, .reply_code = code};

	outcome_set_text(&outcome, str_of(text));
	return advice_for(account, &outcome);
}

static bool
names(const char *advice, const char *wanted)
{
	return advice != NULL && strstr(advice, wanted) != NULL;
}

static void
test_sessions(void)
{
	struct account account = {.tls = true, .tls_starttls = true, .port = 465, .auth = AUTH_PLAIN};
	const struct outcome limit = {.state = OUTCOME_DEFERRED, .reply_code = 550, .enhanced = {5, 4, 5},
	                              .text = "Daily user sending limit exceeded"};

	tap_ok(names(advice_at(&account, OUTCOME_DEFERRED, OUTCOME_AT_GREETING, 0, "no answer"), "set 'tls_starttls off'"),
	       "STARTTLS at port 465 is recognised");
	account.port = 2465;
	tap_ok(names(advice_at(&account, OUTCOME_DEFERRED, OUTCOME_AT_GREETING, 0, "no answer"), "if this port"),
	       "at another port it is only a guess");
	account.tls_starttls = false;
	account.port = 587;
	tap_ok(names(advice_at(&account, OUTCOME_DEFERRED, OUTCOME_AT_TLS, 0, "no TLS"), "tls_starttls on"),
	       "TLS from the first byte at port 587 is recognised");
	account.port = 465;
	tap_ok(names(advice_at(&account, OUTCOME_DEFERRED, OUTCOME_AT_TLS, 0, "the server does not offer STARTTLS"), "'tls off'"),
	       "a server without STARTTLS");
	tap_ok(names(advice_at(&account, OUTCOME_DEFERRED, OUTCOME_AT_AUTH, 0, "the server does not offer AUTH"), "'auth off'"),
	       "a server without AUTH");
	account.tls = false;
	tap_ok(names(advice_at(&account, OUTCOME_DEFERRED, OUTCOME_AT_AUTH, 0, "the server does not offer AUTH"), "'tls on'"),
	       "the same without TLS");
	tap_ok(advice_at(&account, OUTCOME_DEFERRED, OUTCOME_AT_CONNECT, 0, "relay access denied: 554") == NULL,
	       "our own words are not taken for a server's");
	tap_ok(advice_at(&account, OUTCOME_DELIVERED, OUTCOME_AT_END, 250, "ok") == NULL, "success needs no advice");
	tap_ok(advice_for(&account, &limit) == NULL, "a limit that is waited for already needs none");
}

int
main(void)
{
	test_sayings();
	test_sessions();
	return tap_end();
}
