/* advice.c - what to do about a refusal. Pure. */

#include "config.h"

#include <string.h>

#include "deliver/advice.h"

/* What must be so with the account for a row to count. */
enum condition {
	ALWAYS,
	WITH_TOKEN,         /* the password is an access token */
	WITHOUT_AUTH,
	WITHOUT_MESSAGE_ID, /* none is added */
	WITHOUT_REPAIR,
	WHEN_FOR_GOOD       /* the outcome is "failed" */
};

struct saying {
	int reply_code;             /* 0: any */
	unsigned short enhanced[3]; /* all 0: any */
	const char *text;           /* somewhere in the reply, without regard to case; NULL: any */
	enum condition when;
	const char *advice;
};

#define APP_PASSWORD                                                                                                       \
	"this provider wants an app password (made in the account's security settings, often after 2-step verification was " \
	"switched on there) instead of the usual one; if 'password' is one already, it may have been revoked"
#define FRESH_TOKEN                                                                                                         \
	"access tokens live for an hour or so: run the passwordeval command by hand and look whether it prints a new one, " \
	"made for this 'user'"
#define OWN_SENDER                                                                                                   \
	"set 'from' to an address that belongs to 'user'; if the sender is a local one such as root, 'identity ADDRESS' " \
	"replaces it in the header, too"
#define TAKES_TOKENS                                                                                                     \
	"this server takes no passwords here: use 'auth xoauth2' with a 'passwordeval' command that prints an access token"
#define KNOWN_USERS "the server relays for known users only: see the setting 'auth'"
#define DAILY_LIMIT \
	"the provider's limit for a day is reached: with 'treat_as_temporary 5.4.5' such mail waits in the queue instead"
#define LONG_BODY "'repair off' sends lines as they are: 'repair safe' re-encodes those of the body that are too long"
#define LONG_HEADER                                                                                                       \
	"long lines of the body are re-encoded already: if it is one of the header, or of a signed or encrypted part, let the " \
	"program that writes the message keep lines below 998 characters"

/* What servers say. The first row that fits counts, so what says more stands first. */
static const struct saying sayings[] = {
	/* AUTH: Google, Microsoft, Yahoo and others. */
	{535, {5, 7, 139}, "SmtpClientAuthentication is disabled", ALWAYS,
     "SMTP AUTH is switched off for this mailbox or its whole organisation (tenant): only the administrator can allow it, no "
     "other 'auth' method helps"},
	{535, {5, 7, 139}, "basic authentication is disabled", ALWAYS, TAKES_TOKENS},
	{550, {5, 7, 30}, "Basic authentication is not supported", ALWAYS, TAKES_TOKENS},
	{534, {5, 7, 9}, "Application-specific password required", ALWAYS, APP_PASSWORD},
	{534, {5, 7, 14}, "web browser", ALWAYS,
     "log in as 'user' with a web browser once, and confirm there what the provider asks; then try again"},
	{535, {0}, NULL, WITH_TOKEN, FRESH_TOKEN},
	{535, {0}, "Username and Password not accepted", ALWAYS, APP_PASSWORD},
	{535, {0}, NULL, ALWAYS, "check 'user' and the password (with passwordeval: run the command by hand and look at its output)"},
	{454, {4, 7, 0}, "Too many login attempts", ALWAYS,
     "wait before the next attempt, and log in less often: mail of 'queue always' goes out by one login for many with --flush, "
     "as do several files given with --message"},
	{432, {4, 3, 2}, "limit exceeded", ALWAYS,
     "set 'max_connections 1'; if many programs send at the same time, 'queue always' leaves the connections to the next --flush"},

	/* What has to come before MAIL. */
	{530, {0}, "STARTTLS", ALWAYS, "the server wants TLS first: set 'tls on'"},
	{538, {0}, NULL, ALWAYS, "the server wants TLS before a login: set 'tls on'"},
	{530, {0}, NULL, ALWAYS, "the server wants TLS or a login first: see the settings 'tls' and 'auth'"},
	{550, {0}, "authentication required", WITHOUT_AUTH, "the server wants a login first: see the setting 'auth'"},
	{550, {0}, "authentication is required", WITHOUT_AUTH, "the server wants a login first: see the setting 'auth'"},
	{553, {5, 7, 1}, "not logged in", ALWAYS, "the server wants a login first: see the setting 'auth'"},
	{0, {0}, "Helo command rejected", ALWAYS, "set 'domain' to the full name of this machine, as others know it"},

	/* Limits. */
	{550, {5, 4, 5}, "sending limit exceeded", WHEN_FOR_GOOD, DAILY_LIMIT},
	{550, {5, 4, 5}, "sending quota exceeded", WHEN_FOR_GOOD, DAILY_LIMIT},

	/* Who it is from. */
	{553, {5, 7, 1}, "not owned by", ALWAYS, OWN_SENDER},
	{0, {5, 7, 60}, "permissions to send as", ALWAYS, OWN_SENDER},
	{0, {0}, "SendAsDenied", ALWAYS, OWN_SENDER},
	{504, {5, 5, 2}, "Sender address rejected: need fully-qualified", ALWAYS,
     "set 'from' to a full address, or 'identity ADDRESS' for local senders such as root, or 'mailname' to the domain they are in"},
	{504, {5, 5, 2}, "Recipient address rejected: need fully-qualified", ALWAYS,
     "name the recipient with a domain, let a file of 'aliases' say who it is, or set 'mailname' to the domain it is in"},
	{550, {5, 7, 1}, "From: header", ALWAYS,
     "the From header has to be one full address: 'identity ADDRESS' mends local ones such as root, 'set_from_header on' "
     "replaces the field by one with 'from'"},
	{550, {5, 7, 26}, NULL, ALWAYS,
     "the server found neither SPF nor DKIM of the sender's domain: if this host may send for that domain, its DNS records need "
     "mending, or mail without a relay needs 'dkim_domain'; else set 'from' to another address"},

	/* The form of the message. */
	{550, {5, 7, 1}, "missing a valid Message-ID", WITHOUT_MESSAGE_ID,
     "set 'set_msgid_header auto' and 'repair safe': then a message without Message-ID gets one"},
	{550, {5, 7, 1}, "missing a valid Message-ID", ALWAYS,
     "if the message came with a Message-ID, it is not one: let the program that writes it leave it out, and it gets a good one"},
	{552, {0}, "bare CR", ALWAYS,
     "no CR leaves this program but in line ends: if a proxy, filter or tunnel stands between, it changes the message"},
	{0, {0}, "lines too long for transport", WITHOUT_REPAIR, LONG_BODY},
	{0, {0}, "lines too long for transport", ALWAYS, LONG_HEADER},
	{500, {0}, "Line too long", WITHOUT_REPAIR, LONG_BODY},
	{500, {0}, "Line too long", ALWAYS, LONG_HEADER},
	{550, {0}, "maximum allowed line length", WITHOUT_REPAIR, LONG_BODY},
	{550, {0}, "maximum allowed line length", ALWAYS, LONG_HEADER},

	/* Whom it is for. */
	{554, {0}, "Relay access denied", ALWAYS, KNOWN_USERS},
	{550, {0}, "unable to relay", ALWAYS, KNOWN_USERS},
	{550, {0}, "relaying denied", ALWAYS, KNOWN_USERS},
	{550, {0}, "relay not permitted", ALWAYS, KNOWN_USERS},
};

static bool
is_token_used(const struct account *account)
{
	return account->auth == AUTH_OAUTHBEARER || account->auth == AUTH_XOAUTH2;
}

static bool
is_so(enum condition condition, const struct account *account, const struct outcome *outcome)
{
	switch (condition) {
	case WITH_TOKEN:
		return is_token_used(account);
	case WITHOUT_AUTH:
		return account->auth == AUTH_OFF;
	case WITHOUT_MESSAGE_ID:
		return account->set_msgid_header == SWITCH_OFF || account->repair == REPAIR_OFF;
	case WITHOUT_REPAIR:
		return account->repair == REPAIR_OFF;
	case WHEN_FOR_GOOD:
		return outcome->state == OUTCOME_FAILED;
	case ALWAYS:
		break;
	}
	return true;
}

static bool
is_said(const struct saying *saying, const struct outcome *outcome)
{
	const unsigned short none[3] = {0};

	if (saying->reply_code != 0 && saying->reply_code != outcome->reply_code)
		return false;
	if (memcmp(saying->enhanced, none, sizeof(none)) != 0 &&
	    memcmp(saying->enhanced, outcome->enhanced, sizeof(outcome->enhanced)) != 0)
		return false;
	return saying->text == NULL || str_contains_nocase(str_of(outcome->text), str_of(saying->text));
}

static const char *
advice_for_reply(const struct account *account, const struct outcome *outcome)
{
	if (outcome->reply_code == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(sayings) / sizeof(sayings[0]); i++)
		if (is_said(&sayings[i], outcome) && is_so(sayings[i].when, account, outcome))
			return sayings[i].advice;
	return NULL;
}

/* The two usual confusions of ports and kinds of TLS. */
static const char *
advice_for_session(const struct account *account, const struct outcome *outcome)
{
	if (outcome->stage == OUTCOME_AT_MAIL && strstr(outcome->text, "the message requires TLS") != NULL)
		return "'require_tls off' sends without this demand; nothing was sent now";
	/* The rest is about the settings for a relay. */
	if (account->delivery == DELIVER_DIRECT)
		return NULL;
	if (account->tls && account->tls_starttls && account->port == 465 && outcome->stage == OUTCOME_AT_GREETING)
		return "port 465 speaks TLS from the first byte on: set 'tls_starttls off', or use port 587";
	if (account->tls && account->tls_starttls && outcome->stage == OUTCOME_AT_GREETING && outcome->reply_code == 0)
		return "if this port speaks TLS from the first byte on, as 465 does, set 'tls_starttls off'";
	if (account->tls && !account->tls_starttls && outcome->stage == OUTCOME_AT_TLS &&
	    (account->port == 587 || account->port == 25))
		return "this port usually begins in the clear: set 'tls_starttls on', or use port 465";
	if (outcome->stage == OUTCOME_AT_TLS && strstr(outcome->text, "does not offer STARTTLS") != NULL)
		return "if the server really has no TLS, 'tls off' sends without it; nothing was sent now";
	if (outcome->stage == OUTCOME_AT_AUTH && strstr(outcome->text, "does not offer AUTH") != NULL)
		return account->tls ? "use 'auth off' if no login is needed here, or the port for submission (587 or 465)"
		                    : "most servers offer AUTH only under TLS: set 'tls on'";
	return NULL;
}

const char *
advice_for(const struct account *account, const struct outcome *outcome)
{
	const char *advice;

	if (outcome->state == OUTCOME_DELIVERED)
		return NULL;
	advice = advice_for_reply(account, outcome);
	return advice != NULL ? advice : advice_for_session(account, outcome);
}
