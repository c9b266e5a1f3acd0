/* choose.c - the account for this call. Reads configuration files. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/choose.h"
#include "conf/defaults.h"
#include "conf/keyword.h"

static bool
has_host_option(const struct call *call)
{
	return call->request.overrides.host != NULL;
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

	if (has_host_option(call))
		return true;
	return config_load(&call->config, &search, err);
}

/* An account that consists of the command line alone. */
static void
make_account_of_options(struct call *call)
{
	account_init(&call->account);
	free(call->account.id);
	call->account.id = mem_copy_string("(command line)");
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
	else if (!choose_from_files(call, sender, err))
		return false;
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
