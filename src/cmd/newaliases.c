/* newaliases.c - newaliases: check the aliases file. Reads it and the configuration. */

#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/newaliases.h"
#include "cmd/recipients.h"
#include "cmd/talk.h"
#include "conf/defaults.h"
#include "mail/alias.h"

enum { FILE_SIZE_MOST = 16 * 1024 * 1024 };

/* Commands, files and inclusions: what stands for them is lost when mail comes. */
static bool
has_refused_target(const struct alias_table *table)
{
	for (size_t i = 0; i < table->n_entries; i++)
		for (size_t j = 0; j < table->entries[i].n_targets; j++)
			if (table->entries[i].targets[j].kind == ALIAS_REFUSED)
				return true;
	return false;
}

static bool
check(const struct call *call, const char *path, struct str text, struct err *err)
{
	struct defaults_names names = {0};
	const struct alias_rules rules = {.local_domains = names.domains, .domain = call->account.mailname};
	struct alias_table table = {0};
	bool is_good;

	defaults_find_names(&names, call->account.mailname);
	is_good = alias_parse(&table, path, text, err) && alias_check(&table, &rules, err);
	defaults_names_free(&names);
	for (size_t i = 0; i < table.notes.n_items; i++)
		talk_warning(call->program, table.notes.items[i]);
	if (is_good && has_refused_target(&table)) {
		is_good = err_set(err, EX_CONFIG, "%s: there are targets that are not supported", path);
		err_hint(err, "only addresses and other names can stand for a name");
	}
	alias_table_free(&table);
	return is_good;
}

static bool
read_and_check(const struct call *call, const char *path, struct err *err)
{
	struct buf text = {0};
	bool is_good = file_read_path(path, FILE_SIZE_MOST, &text, err) && check(call, path, buf_str(&text), err);

	buf_free(&text);
	return is_good;
}

int
newaliases_run(struct call *call)
{
	struct err err = {0}, no_account = {0};
	const char *path = NULL;
	bool is_good = choose_read_files(call, &err);
	int exit_code = EX_OK;

	/* Without an account there may still be the file of the system. */
	if (is_good && !choose_account(call, NULL, &no_account))
		err_clear(&no_account);
	if (is_good)
		path = recipients_aliases(call);
	if (path != NULL && (access(path, F_OK) == 0 || errno != ENOENT))
		is_good = read_and_check(call, path, &err);
	if (!is_good) {
		exit_code = EX_CONFIG;
		talk_error(call->program, &err);
	}
	err_clear(&err);
	return exit_code;
}
