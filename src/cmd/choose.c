/* choose.c - the account for this call. Reads configuration files. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/choose.h"
#include "cmd/log.h"
#include "conf/defaults.h"
#include "conf/keyword.h"
#include "conf/value.h"

static bool
has_host_option(const struct call *call)
{
	const struct account *overrides = &call->request.overrides;

	/* Of an entry with variables over an account from a file, the host may be one of them. */
	if (call->is_from_queue && overrides->environment && call->request.account_id != NULL)
		return false;
	return overrides->host != NULL;
}

bool
choose_may_ask(const struct call *call)
{
	enum request_mode mode = call->request.mode;

	return call->request.name == NAME_MAILCRANE && !call->is_from_queue &&
	       (mode == MODE_SEND || mode == MODE_SERVERINFO || mode == MODE_ETRN || mode == MODE_PRINT_CONFIG);
}

/* What is named on the command line stands alone: --host, and -C against a URL. The variables could hold the password of
 * another server. */
bool
choose_uses_environment(const struct call *call)
{
	if (call->environment == NULL || !call->environment->is_used || call->is_from_queue || has_host_option(call))
		return false;
	return !call->environment->has_url || call->request.config_file == NULL;
}

static bool
has_url(const struct call *call)
{
	return choose_uses_environment(call) && call->environment->has_url;
}

/* Tell what is odd about the variables, and refuse what cannot be used. */
static bool
check_environment(struct call *call, struct err *err)
{
	struct str rest = {0}, line = {0};

	if (call->environment == NULL || call->is_from_queue || has_host_option(call))
		return true;
	rest = buf_str(&call->environment->warnings);
	while (str_next_token(&rest, '\n', &line)) {
		char *text = mem_copy(line.data, line.size);

		log_warning(call, text);
		free(text);
	}
	if (!choose_uses_environment(call) || !err_is_set(&call->environment->fault))
		return true;
	err_set(err, call->environment->fault.exit_code, "%s", buf_text(&call->environment->fault.text));
	if (call->environment->fault.hint.size > 0)
		err_hint(err, "%s", buf_text(&call->environment->fault.hint));
	return false;
}

bool
choose_read_files(struct call *call, struct err *err)
{
	struct config_search search = {
		.only_file = call->request.config_file,
		.system_folder = SYSCONFDIR,
		.home = file_home(),
		.xdg_config_home = secure_getenv("XDG_CONFIG_HOME"),
	};

	call->config.is_alone = !choose_may_ask(call);
	if (!check_environment(call, err))
		return false;
	if (has_host_option(call) || has_url(call))
		return true;
	return config_load(&call->config, &search, err);
}

/* An account that consists of the command line alone. */
static void
make_account_of_options(struct call *call)
{
	account_init(&call->account);
	free(call->account.id);
	/* An entry that was made by variables had the account of those. */
	call->account.id = mem_copy_string(call->is_from_queue && call->request.overrides.environment ? "default" : "(command line)");
}

/* An account that consists of variables. Containers collect what is written to standard error, so the log goes there. */
static bool
make_account_of_environment(struct call *call, struct err *err)
{
	const struct origin origin = {environment_origin, 0};
	const char *id = call->request.account_id;
	const char *syslog;

	if (id != NULL && strcmp(id, "default") != 0) {
		err_set(err, EX_CONFIG, "account %s not found: MAILCRANE_URL is set, and makes an account 'default'", id);
		return err_hint(err, "unset MAILCRANE_URL, or name the configuration file with -C");
	}
	account_init(&call->account);
	free(call->account.id);
	call->account.id = mem_copy_string("default");
	call->account.origin = origin;
	account_override(&call->account, &call->environment->settings);
	syslog = call->account.syslog;
	if (call->account.logfile != NULL || (syslog != NULL && strcmp(syslog, "off") != 0))
		return true;
	return value_set(&call->account, STR("logfile"), STR(LOG_STDERR), origin, err);
}

static bool
choose_from_files(struct call *call, const char *sender, struct err *err)
{
	const struct account *chosen = NULL;
	struct err environment = {0};

	if (config_choose(&call->config, call->request.account_id, sender, &chosen, err)) {
		account_copy(&call->account, chosen);
		return true;
	}
	if (call->request.account_id != NULL)
		return false;
	/* A socket is all that an account needs. */
	if (call->request.overrides.socket != NULL && call->config.n_accounts == 0) {
		err_clear(err);
		make_account_of_options(call);
		return true;
	}
	if (choose_uses_environment(call) && call->config.n_accounts == 0 && call->environment->settings.host != NULL) {
		err_clear(err);
		return make_account_of_environment(call, err);
	}
	if (config_from_environment(&call->account, &environment)) {
		err_clear(err);
		return true;
	}
	if (err_is_set(&environment)) {
		err_clear(err);
		err_move(err, &environment);
	}
	return false;
}

bool
choose_account(struct call *call, const char *sender, struct err *err)
{
	if (has_host_option(call))
		make_account_of_options(call);
	else if (has_url(call) ? !make_account_of_environment(call, err) : !choose_from_files(call, sender, err))
		return false;
	if (choose_uses_environment(call)) {
		account_forget_passwords(&call->account, &call->environment->settings, NULL);
		account_override(&call->account, &call->environment->settings);
	}
	account_forget_passwords(&call->account, &call->request.overrides, environment_origin);
	account_override(&call->account, &call->request.overrides);
	call->has_account = true;
	if (defaults_complete(&call->account, err))
		return true;
	if (call->account.id != NULL && !has_host_option(call))
		err_prefix(err, "account %s", call->account.id);
	return false;
}

bool
choose_same_account(const struct call *call, const char *sender, struct err *err)
{
	const struct account *chosen = NULL;

	/* Without files, or where none of their accounts was right, the sender had no part in the choice. */
	if (has_host_option(call) || call->request.account_id != NULL || call->account.origin.line == 0)
		return true;
	if (!config_choose(&call->config, NULL, sender, &chosen, err))
		return false;
	if (strcmp(chosen->id, call->account.id) == 0)
		return true;
	err_set(err, EX_USAGE, "the sender in this message belongs to account %s, and the messages before it to account %s", chosen->id,
	        call->account.id);
	return err_hint(err, "send them by a call each, or all of them by the account named with -a");
}

void
call_free(struct call *call)
{
	request_free(&call->request);
	config_free(&call->config);
	account_free(&call->account);
}
