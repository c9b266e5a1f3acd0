/* option.c - the table of options: actions, and one option for every setting. Pure. */

#include "config.h"

#include <string.h>

#include "conf/option.h"

struct action {
	const char *name; /* NULL: only the letter */
	char letter;
	enum option_argument argument;
	enum option_act act;
	const char *metavar;
	const char *help; /* NULL: hidden */
	bool is_file;
};

static const struct action actions[] = {
	{"version", 0, OPTION_BARE, OPTION_ACT_VERSION, NULL, "print the version and what it was built with", false},
	{"help", 0, OPTION_BARE, OPTION_ACT_HELP, NULL, "print this help", false},
	{"pretend", 'P', OPTION_BARE, OPTION_ACT_PRETEND, NULL, "print the settings that would be used, and exit", false},
	{"print-config", 0, OPTION_BARE, OPTION_ACT_PRINT_CONFIG, NULL, "print each setting and where it comes from", false},
	{"check", 0, OPTION_OPTIONAL, OPTION_ACT_CHECK, "server", "say what is right and wrong; with =server log in too", false},
	{"debug", 'd', OPTION_ATTACHED, OPTION_ACT_DEBUG, NULL, "print the dialogue with the server on standard error", false},
	{NULL, 'v', OPTION_BARE, OPTION_ACT_DEBUG, NULL, NULL, false},
	{"serverinfo", 'S', OPTION_BARE, OPTION_ACT_SERVERINFO, NULL, "print information about the server", false},
	{"route", 0, OPTION_REQUIRED, OPTION_ACT_ROUTE, "ADDRESS", "print where mail for an address would go; nothing is sent", false},
	{"rmqs", 0, OPTION_REQUIRED, OPTION_ACT_RMQS, "HOST|@DOMAIN|#QUEUE", "ask the server to send what it holds (ETRN)", false},
	{"forget-key", 0, OPTION_REQUIRED, OPTION_ACT_FORGET_KEY, "HOST:PORT", "forget a server's key that tls_tofu knows", false},
	{"tls-report", 0, OPTION_OPTIONAL, OPTION_ACT_TLS_REPORT, "DAY", "print what was written down about TLS on a day (RFC 8460)",
	 false},
	{"file", 'C', OPTION_REQUIRED, OPTION_ACT_FILE, "FILE", "configuration file to read instead of the user's", true},
	{"account", 'a', OPTION_REQUIRED, OPTION_ACT_ACCOUNT, "ID", "account to use", false},
	{"from", 'f', OPTION_REQUIRED, OPTION_ACT_FROM, "ADDRESS", "envelope sender; also chooses the account", false},
	{"read-recipients", 't', OPTION_BARE, OPTION_ACT_READ_RECIPIENTS, NULL, "send to the recipients in the header too", false},
	{"read-envelope-from", 0, OPTION_BARE, OPTION_ACT_READ_ENVELOPE_FROM, NULL, "take the envelope sender from the header",
	 false},
	{"message", 0, OPTION_REQUIRED, OPTION_ACT_MESSAGE, "FILE",
	 "send this file instead of standard input; may be repeated", true},
	{"flush", 'q', OPTION_ATTACHED, OPTION_ACT_FLUSH, NULL, "deliver what is due in the queue", false},
	{"force", 0, OPTION_BARE, OPTION_ACT_FORCE, NULL, "with --flush: also what is not due (-qf)", false},
	{"network-up", 0, OPTION_BARE, OPTION_ACT_NETWORK_UP, NULL, "with --flush: servers that were out of reach are tried again now", false},
	{"all-users", 0, OPTION_BARE, OPTION_ACT_ALL_USERS, NULL, "with --flush, for root: the queues of all users", false},
	{"mailq", 0, OPTION_BARE, OPTION_ACT_MAILQ, NULL, "list the queue (-bp)", false},
	{"json", 0, OPTION_BARE, OPTION_ACT_JSON, NULL, "with --mailq, --show, --queue-check, --route, --check: as a JSON document", false},
	{"show", 0, OPTION_REQUIRED, OPTION_ACT_SHOW, "ID", "print a queued message and what is known of it", false},
	{"hold", 0, OPTION_REQUIRED, OPTION_ACT_HOLD, "ID|all", "put queued messages aside", false},
	{"release", 0, OPTION_REQUIRED, OPTION_ACT_RELEASE, "ID|ACCOUNT|all", "the opposite, also for an account on hold", false},
	{"retry", 0, OPTION_REQUIRED, OPTION_ACT_RETRY, "ID|all", "make queued or failed messages due now", false},
	{"remove", 0, OPTION_REQUIRED, OPTION_ACT_REMOVE, "ID|all", "delete queued messages", false},
	{"queue-check", 0, OPTION_OPTIONAL, OPTION_ACT_QUEUE_CHECK, "repair", "look for damage in the queue", false},
	{NULL, 'b', OPTION_REQUIRED, OPTION_ACT_SENDMAIL_MODE, NULL, NULL, false},
	{NULL, 'A', OPTION_REQUIRED, OPTION_ACT_IGNORE, NULL, NULL, false},
	{NULL, 'B', OPTION_REQUIRED, OPTION_ACT_IGNORE, NULL, NULL, false},
	{NULL, 'G', OPTION_BARE, OPTION_ACT_IGNORE, NULL, NULL, false},
	{NULL, 'h', OPTION_REQUIRED, OPTION_ACT_IGNORE, NULL, NULL, false},
	{NULL, 'i', OPTION_BARE, OPTION_ACT_IGNORE_DOTS, NULL, NULL, false},
	{NULL, 'L', OPTION_REQUIRED, OPTION_ACT_IGNORE, NULL, NULL, false},
	{NULL, 'm', OPTION_BARE, OPTION_ACT_IGNORE, NULL, NULL, false},
	{NULL, 'n', OPTION_BARE, OPTION_ACT_IGNORE, NULL, NULL, false},
	{NULL, 'O', OPTION_REQUIRED, OPTION_ACT_SENDMAIL_OPTION, NULL, NULL, false},
	{NULL, 'o', OPTION_REQUIRED, OPTION_ACT_SENDMAIL_OPTION, NULL, NULL, false},
};

enum { N_ACTIONS = sizeof(actions) / sizeof(actions[0]) };

/* tls_trust_file is --tls-trust-file. */
static void
set_name(struct option_view *view, const char *name)
{
	size_t i = 0;

	for (; name[i] != '\0' && i + 1 < sizeof(view->name); i++)
		view->name[i] = name[i] == '_' ? '-' : name[i];
	view->name[i] = '\0';
}

static void
view_action(const struct action *action, struct option_view *view)
{
	if (action->name != NULL)
		set_name(view, action->name);
	view->letter = action->letter;
	view->argument = action->argument;
	view->metavar = action->metavar;
	view->help = action->help;
	view->is_file = action->is_file;
	view->act = action->act;
	view->is_queue = action->act >= OPTION_ACT_FLUSH && action->act <= OPTION_ACT_QUEUE_CHECK;
	view->is_hidden = action->help == NULL;
}

static void
view_setting(const struct keyword *setting, struct option_view *view)
{
	bool is_number = setting->type == KEYWORD_NUMBER || setting->type == KEYWORD_LONG;

	set_name(view, setting->name);
	view->letter = setting->letter;
	view->argument = setting->empty != NULL && !is_number ? OPTION_OPTIONAL : OPTION_REQUIRED;
	view->metavar = setting->metavar;
	view->help = setting->help;
	view->setting = setting;
	view->keyword = setting->name;
	view->is_file_only = (setting->flags & KEYWORD_FILE_ONLY) != 0;
	view->is_file = (setting->flags & (KEYWORD_IS_PATH | KEYWORD_IS_FILE)) != 0;
	view->is_hidden = (setting->flags & (KEYWORD_FILE_ONLY | KEYWORD_IS_SECRET)) != 0;
}

static void
view_alias(const struct keyword_alias *alias, struct option_view *view)
{
	set_name(view, alias->name);
	view->argument = alias->on == NULL && alias->setting != NULL ? OPTION_REQUIRED : OPTION_OPTIONAL;
	view->is_hidden = true;
	view->keyword = alias->name;
	view->is_file_only = alias->is_file_only;
}

bool
option_at(size_t index, struct option_view *view)
{
	size_t n_settings = keyword_count();

	memset(view, 0, sizeof(*view));
	if (index < N_ACTIONS)
		view_action(&actions[index], view);
	else if (index - N_ACTIONS < n_settings)
		view_setting(keyword_at(index - N_ACTIONS), view);
	else if (index - N_ACTIONS - n_settings < keyword_alias_count())
		view_alias(keyword_alias_at(index - N_ACTIONS - n_settings), view);
	else
		return false;
	return true;
}
