/* request.c - reads the command line into a request: itself under the name mailcrane, by conf/classic.c under the sendmail
 * names. Does no I/O.
 *
 * getopt_long(3) does the work, so options may stand behind operands, long names may be shortened, and "--"
 * ends them. */

#include "config.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/classic.h"
#include "conf/option.h"
#include "conf/sendmail.h"
#include "conf/value.h"

enum {
	LONG_CODE = 256, /* what getopt_long returns for the option at index 0 */
	NEAR_MOST = 3    /* edits between a mistyped option and the one that was meant */
};

/* The tables getopt_long wants, made from ours. */
struct syntax {
	struct option *long_options;
	char (*names)[sizeof(((struct option_view *)NULL)->name)];
	struct buf letters;
};

static void
add_letter(struct buf *letters, const struct option_view *view)
{
	if (view->letter == 0)
		return;
	buf_add_char(letters, view->letter);
	if (view->argument == OPTION_REQUIRED)
		buf_add_text(letters, ":");
	else if (view->argument != OPTION_BARE)
		buf_add_text(letters, "::");
}

static void
syntax_make(struct syntax *syntax)
{
	struct option_view view = {0};
	size_t n_options = 0, n_long = 0;

	while (option_at(n_options, &view))
		n_options++;
	syntax->long_options = mem_alloc(n_options + 1, sizeof(*syntax->long_options));
	syntax->names = mem_alloc(n_options, sizeof(*syntax->names));
	buf_add_text(&syntax->letters, ":"); /* tell a missing argument from an unknown option */
	for (size_t i = 0; option_at(i, &view); i++) {
		struct option *option = &syntax->long_options[n_long];

		add_letter(&syntax->letters, &view);
		if (view.name[0] == '\0' || view.is_file_only)
			continue;
		memcpy(syntax->names[i], view.name, sizeof(view.name));
		option->name = syntax->names[i];
		option->has_arg = view.argument == OPTION_REQUIRED ? required_argument :
		                  view.argument == OPTION_OPTIONAL ? optional_argument : no_argument;
		option->val = LONG_CODE + (int)i;
		n_long++;
	}
}

static void
syntax_free(struct syntax *syntax)
{
	free(syntax->long_options);
	free(syntax->names);
	buf_free(&syntax->letters);
}

/* Index of the option that getopt_long's code stands for. */
static size_t
index_of(int code)
{
	struct option_view view = {0};
	size_t i = 0;

	if (code >= LONG_CODE)
		return (size_t)(code - LONG_CODE);
	while (option_at(i, &view) && view.letter != code)
		i++;
	return i;
}

static void
replace(char **field, const char *text)
{
	free(*field);
	*field = mem_copy_string(text);
}

static void
add_string(char ***list, size_t *n, const char *text)
{
	*list = mem_resize(*list, *n + 1, sizeof(**list));
	(*list)[(*n)++] = mem_copy_string(text);
}

static const char *
mode_name(enum request_mode mode)
{
	static const char *const names[] = {
		[MODE_SERVERINFO] = "--serverinfo", [MODE_ETRN] = "--rmqs", [MODE_PRINT_CONFIG] = "--print-config",
		[MODE_CHECK] = "--check",
		[MODE_FLUSH] = "--flush", [MODE_MAILQ] = "--mailq", [MODE_SHOW] = "--show", [MODE_HOLD] = "--hold",
		[MODE_RELEASE] = "--release", [MODE_RETRY] = "--retry", [MODE_REMOVE] = "--remove",
		[MODE_QUEUE_CHECK] = "--queue-check", [MODE_ROUTE] = "--route", [MODE_FORGET_KEY] = "--forget-key",
		[MODE_SERVE] = "-bs", [MODE_NEWALIASES] = "-bi", [MODE_VERIFY] = "-bv", [MODE_TLS_REPORT] = "--tls-report",
		[MODE_NOTHING] = "-bh"
	};

	return names[mode];
}

/* All modes but sending exclude each other; --help and --version go with everything. */
static bool
set_mode(struct request *request, enum request_mode mode, struct err *err)
{
	if (request->mode == MODE_HELP || request->mode == MODE_VERSION)
		return true;
	if (request->mode != MODE_SEND && mode != MODE_HELP && mode != MODE_VERSION && request->mode != mode)
		return err_set(err, EX_USAGE, "cannot use both %s and %s", mode_name(request->mode), mode_name(mode));
	request->mode = mode;
	return true;
}

/* --show=ID and its kin. Given twice, the second one is a further id or address. */
static bool
take_target(struct request *request, enum request_mode mode, const char *argument, struct err *err)
{
	if (!set_mode(request, mode, err))
		return false;
	if (argument[0] == '\0')
		return err_set(err, EX_USAGE, "option %s needs an argument", mode_name(mode));
	if (request->target != NULL)
		add_string(&request->operands, &request->n_operands, argument);
	else
		request->target = mem_copy_string(argument);
	return true;
}

static bool
take_sendmail_mode(struct request *request, const char *argument, struct err *err)
{
	enum request_mode mode = MODE_SEND;

	if (!sendmail_mode(argument, &mode, &request->counts_only, err))
		return false;
	return mode == MODE_SEND || set_mode(request, mode, err);
}

static bool
take_queue_check(struct request *request, const char *argument, struct err *err)
{
	if (argument != NULL && strcmp(argument, "repair") != 0)
		return err_set(err, EX_USAGE, "option --queue-check takes no other argument than 'repair'");
	request->repairs = argument != NULL;
	return set_mode(request, MODE_QUEUE_CHECK, err);
}

static bool
take_check(struct request *request, const char *argument, struct err *err)
{
	if (argument != NULL && strcmp(argument, "server") != 0)
		return err_set(err, EX_USAGE, "option --check takes no other argument than 'server'");
	request->checks_server = argument != NULL;
	return set_mode(request, MODE_CHECK, err);
}

static bool
take_queue_action(struct request *request, enum option_act act, const char *argument, struct err *err)
{
	switch (act) {
	case OPTION_ACT_FLUSH:
		return set_mode(request, MODE_FLUSH, err) && sendmail_queue_run(&request->flush, argument, err);
	case OPTION_ACT_FORCE:
		request->flush.is_forced = true;
		return true;
	case OPTION_ACT_NETWORK_UP:
		request->flush.network_up = true;
		return true;
	case OPTION_ACT_ALL_USERS:
		request->flush.all_users = true;
		return true;
	case OPTION_ACT_MAILQ:
		return set_mode(request, MODE_MAILQ, err);
	case OPTION_ACT_JSON:
		request->wants_json = true;
		return true;
	case OPTION_ACT_SHOW:
		return take_target(request, MODE_SHOW, argument, err);
	case OPTION_ACT_HOLD:
		return take_target(request, MODE_HOLD, argument, err);
	case OPTION_ACT_RELEASE:
		return take_target(request, MODE_RELEASE, argument, err);
	case OPTION_ACT_RETRY:
		return take_target(request, MODE_RETRY, argument, err);
	case OPTION_ACT_REMOVE:
		return take_target(request, MODE_REMOVE, argument, err);
	case OPTION_ACT_QUEUE_CHECK:
		return take_queue_check(request, argument, err);
	case OPTION_ACT_ROUTE:
		return take_target(request, MODE_ROUTE, argument, err);
	case OPTION_ACT_FORGET_KEY:
		return take_target(request, MODE_FORGET_KEY, argument, err);
	default:
		return true;
	}
}

static bool
take_action(struct request *request, enum option_act act, const char *argument, struct err *err)
{
	switch (act) {
	case OPTION_SETS:
	case OPTION_ACT_IGNORE:
		return true;
	case OPTION_ACT_IGNORE_DOTS:
		request->ignores_dot = true;
		return true;
	case OPTION_ACT_VERSION:
		return set_mode(request, MODE_VERSION, err);
	case OPTION_ACT_HELP:
		return set_mode(request, MODE_HELP, err);
	case OPTION_ACT_PRETEND:
		request->is_pretending = true;
		return true;
	case OPTION_ACT_DEBUG:
		request->is_debugging = true;
		return true;
	case OPTION_ACT_FILE:
		replace(&request->config_file, argument);
		return true;
	case OPTION_ACT_ACCOUNT:
		replace(&request->account_id, argument);
		return true;
	case OPTION_ACT_SERVERINFO:
		return set_mode(request, MODE_SERVERINFO, err);
	case OPTION_ACT_RMQS:
		replace(&request->etrn_argument, argument);
		return set_mode(request, MODE_ETRN, err);
	case OPTION_ACT_TLS_REPORT:
		replace(&request->report_day, argument);
		return set_mode(request, MODE_TLS_REPORT, err);
	case OPTION_ACT_PRINT_CONFIG:
		return set_mode(request, MODE_PRINT_CONFIG, err);
	case OPTION_ACT_CHECK:
		return take_check(request, argument, err);
	case OPTION_ACT_FROM:
		replace(&request->sender, argument);
		return true;
	case OPTION_ACT_READ_RECIPIENTS:
		request->reads_recipients = true;
		return true;
	case OPTION_ACT_READ_ENVELOPE_FROM:
		request->reads_sender = true;
		return true;
	case OPTION_ACT_MESSAGE:
		add_string(&request->message_files, &request->n_message_files, argument);
		return true;
	case OPTION_ACT_SENDMAIL_MODE:
		return take_sendmail_mode(request, argument, err);
	case OPTION_ACT_SENDMAIL_OPTION:
		sendmail_option(request, argument);
		return true;
	default:
		return take_queue_action(request, act, argument, err);
	}
}

/* A secret in argv is everybody's to read. */
static bool
refuse_secret(const struct option_view *view, struct err *err)
{
	err_set(err, EX_USAGE, "%s --%s: the arguments of a process can be read by every user",
	        (view->setting->flags & KEYWORD_IS_URI) != 0 ? "no PIN can stand in" : "there is no option", view->name);
	if (strcmp(view->keyword, "password") != 0)
		return err_hint(err, "put '%s' into the configuration file (mode 0600)", view->keyword);
	return err_hint(err, "give the password by --passwordeval=COMMAND, by 'password' or 'passwordeval' in the configuration "
	                "file (mode 0600), by ~/.netrc, or at the prompt");
}

static bool
take_setting(struct request *request, const struct option_view *view, const char *argument, struct err *err)
{
	const struct origin origin = {"command line", 0};

	if (view->setting != NULL && ((view->setting->flags & KEYWORD_IS_SECRET) != 0 ||
	                              keyword_secret(view->setting, str_of(argument)).size > 0))
		return refuse_secret(view, err);
	if (value_set(&request->overrides, str_of(view->keyword), str_of(argument), origin, err))
		return true;
	err->exit_code = EX_USAGE;
	return err_prefix(err, "command line");
}

/* "-X" or "--NAME" for messages. */
static void
add_option_name(struct buf *b, int code)
{
	struct option_view view = {0};

	if (code < LONG_CODE)
		buf_printf(b, "-%c", code);
	else if (option_at(index_of(code), &view))
		buf_printf(b, "--%s", view.name);
}

/* An option that is not in the table: a setting for files only, a short form of several, or one that is close. */
static bool
refuse_long(struct str name, struct err *err)
{
	struct option_view view = {0};
	struct buf clean = {0}, starts = {0};
	size_t least = NEAR_MOST + 1, n_starts = 0;
	char nearest[sizeof(view.name)] = "";

	err_add_clean(&clean, name);
	for (size_t i = 0; option_at(i, &view); i++) {
		size_t distance = view.name[0] == '\0' ? least : str_distance(name, str_of(view.name));

		if (view.is_file_only && distance == 0) {
			err_set(err, EX_USAGE, "'%s' can only be set in a configuration file, not by --%s", view.keyword, view.name);
			goto out;
		}
		if (view.is_file_only || view.name[0] == '\0')
			continue;
		if (str_starts_with(str_of(view.name), name))
			buf_printf(&starts, "%s--%s", n_starts++ > 0 ? ", " : "", view.name);
		if (distance < least && !view.is_hidden) {
			least = distance;
			memcpy(nearest, view.name, sizeof(nearest));
		}
	}
	if (n_starts > 1)
		err_set(err, EX_USAGE, "option --%s is short for several: %s", buf_text(&clean), buf_text(&starts));
	else if (nearest[0] != '\0' && least * 2 < strlen(nearest))
		err_set(err, EX_USAGE, "unknown option --%s (did you mean --%s?)", buf_text(&clean), nearest);
	else
		err_set(err, EX_USAGE, "unknown option --%s", buf_text(&clean));
	err_hint(err, "--help lists the options");
out:
	buf_free(&clean);
	buf_free(&starts);
	return false;
}

/* What getopt_long did not like: code is '?' or ':', optopt the option when it is known. */
static bool
refuse_option(int code, const char *word, struct err *err)
{
	struct buf name = {0}, clean = {0};
	bool is_long = word != NULL && word[0] == '-' && word[1] == '-';

	if (code == '?' && optopt == 0 && is_long) {
		struct str whole = str_of(word + 2);

		return refuse_long(str_first(whole, str_find(whole, '=')), err);
	}
	if (code == '?' && optopt < LONG_CODE) {
		char letter = (char)optopt;

		err_add_clean(&clean, str_make(&letter, 1));
		err_set(err, EX_USAGE, "unknown option -%s", buf_text(&clean));
		err_hint(err, "--help lists the options");
		buf_free(&clean);
		return false;
	}
	add_option_name(&name, optopt);
	if (code == ':')
		err_set(err, EX_USAGE, "option %s needs an argument", buf_text(&name));
	else
		err_set(err, EX_USAGE, "option %s takes no argument", buf_text(&name));
	buf_free(&name);
	return false;
}

static bool
take_options(struct request *request, int argc, char **argv, struct err *err)
{
	struct syntax syntax = {0};
	bool is_good = true;

	syntax_make(&syntax);
	optind = 0; /* glibc and musl: start anew */
	opterr = 0;
	while (is_good) {
		int code = getopt_long(argc, argv, buf_text(&syntax.letters), syntax.long_options, NULL);
		struct option_view view = {0};

		if (code == -1)
			break;
		if (code == '?' || code == ':') {
			is_good = refuse_option(code, optind > 0 && optind <= argc ? argv[optind - 1] : NULL, err);
			break;
		}
		option_at(index_of(code), &view);
		if (view.keyword == NULL)
			is_good = take_action(request, view.act, optarg, err);
		else
			is_good = take_setting(request, &view, optarg, err);
	}
	syntax_free(&syntax);
	return is_good;
}

/* Options that only say more about a queue operation. */
static bool
check_queue(const struct request *request, struct err *err)
{
	const struct request_flush *flush = &request->flush;
	const char *option = flush->network_up ? "--network-up" : flush->all_users ? "--all-users" : "--force";

	bool is_about_queue = request->mode >= MODE_FLUSH && request->mode <= MODE_QUEUE_CHECK;
	bool does_more = request->mode == MODE_SERVE || request->mode == MODE_FORGET_KEY || request->mode == MODE_CHECK ||
	                 request->mode == MODE_TLS_REPORT;

	if (request->is_pretending && (is_about_queue || does_more))
		return err_set(err, EX_USAGE, "cannot use both --pretend and %s", mode_name(request->mode));
	if (request->mode != MODE_FLUSH && (flush->is_forced || flush->network_up || flush->all_users))
		return err_set(err, EX_USAGE, "%s goes with --flush", option);
	if (!request->wants_json)
		return true;
	if (request->counts_only != COUNT_NONE)
		return err_set(err, EX_USAGE, "--json does not go with -bpc and -bP");
	if (request->mode != MODE_MAILQ && request->mode != MODE_SHOW && request->mode != MODE_QUEUE_CHECK &&
	    request->mode != MODE_ROUTE && request->mode != MODE_CHECK)
		return err_set(err, EX_USAGE, "--json goes with --mailq, --show, --queue-check, --route and --check");
	return true;
}

/* What cannot go together. */
static bool
check_combination(const struct request *request, struct err *err)
{
	if (request->account_id != NULL && request->overrides.host != NULL)
		return err_set(err, EX_USAGE, "cannot use both --host and --account");
	if (request->sender != NULL && request->reads_sender)
		return err_set(err, EX_USAGE, "cannot use both --from and --read-envelope-from");
	if (request->mode != MODE_SEND && request->reads_recipients)
		return err_set(err, EX_USAGE, "too many arguments: no message is sent, so there can be no recipients");
	if (request->mode == MODE_VERIFY && request->n_operands == 0)
		return err_set(err, EX_USAGE, "no addresses given");
	if (request->mode != MODE_SEND && request->mode != MODE_VERIFY && request->n_operands > 0 &&
	    request->target == NULL)
		return err_set(err, EX_USAGE, "too many arguments: no message is sent, so there can be no recipients");
	if (request->mode != MODE_SEND && request->n_message_files > 0)
		return err_set(err, EX_USAGE, "too many arguments: no message is sent, so --message has no meaning");
	return check_queue(request, err);
}

bool
request_parse(struct request *request, int argc, char **argv, struct err *err)
{
	memset(request, 0, sizeof(*request));
	account_init(&request->overrides);
	request->name = classic_name(argc > 0 ? argv[0] : NULL);
	if (request->name != NAME_MAILCRANE)
		return classic_parse(request, argc, argv, err);
	if (!take_options(request, argc, argv, err))
		return false;
	for (int i = optind; i < argc; i++)
		add_string(&request->operands, &request->n_operands, argv[i]);
	if (request->mode == MODE_HELP || request->mode == MODE_VERSION)
		return true;
	return check_combination(request, err);
}

static void
free_strings(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

void
request_free(struct request *request)
{
	free(request->config_file);
	free(request->account_id);
	free(request->sender);
	free(request->etrn_argument);
	free(request->target);
	free(request->report_day);
	free(request->envid);
	free(request->log_tag);
	for (size_t i = 0; i < request->flush.n_filters; i++)
		free(request->flush.filters[i].text);
	free_strings(request->message_files, request->n_message_files);
	free_strings(request->operands, request->n_operands);
	account_free(&request->overrides);
	memset(request, 0, sizeof(*request));
}
