/* choice.c - which account is used, by name, sender or default, and why there is none. Pure. Its functions are in rcfile.h. */

#include "config.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/rcfile.h"

bool
config_is_pattern(const char *from)
{
	return from != NULL && strpbrk(from, "?*[") != NULL;
}

static bool
matches(const char *from, const char *sender)
{
	if (config_is_pattern(from))
		return fnmatch(from, sender, 0) == 0;
	return str_equals_nocase(str_of(from), str_of(sender));
}

/* sender without "+detail"; the caller's. NULL: there is none before the '@'. */
static char *
strip_detail(const char *sender)
{
	struct str whole = str_of(sender);
	size_t plus = str_find(whole, '+'), at = str_find(whole, '@');
	struct buf b = {0};

	if (at == whole.size || plus > at)
		return NULL;
	buf_add_str(&b, str_first(whole, plus));
	buf_add_str(&b, str_from(whole, at));
	return buf_take(&b);
}

static const struct account *
find_by_sender(const struct config *config, const char *wanted)
{
	const struct account *found = NULL;
	struct str bare = str_trim(str_of(wanted));
	char *sender = NULL, *stripped = NULL;

	if (bare.size > 1 && bare.data[0] == '<' && bare.data[bare.size - 1] == '>')
		bare = str_make(bare.data + 1, bare.size - 2);
	sender = mem_copy(bare.data, bare.size);
	stripped = strip_detail(sender);
	for (size_t i = 0; i < config->n_accounts && found == NULL; i++) {
		const char *from = config->accounts[i].from;

		if (from == NULL)
			continue;
		if (matches(from, sender) || (stripped != NULL && strchr(from, '+') == NULL && matches(from, stripped)))
			found = &config->accounts[i];
	}
	free(sender);
	free(stripped);
	return found;
}

static const struct account *
find_by_id(const struct config *config, const char *id)
{
	for (size_t i = 0; i < config->n_accounts; i++)
		if (strcmp(config->accounts[i].id, id) == 0)
			return &config->accounts[i];
	return NULL;
}

/* "FILE and FILE", the files that were read; false when there was none. */
static bool
add_used_files(struct buf *b, const struct config *config)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_files; i++) {
		if (!config->files[i].is_used)
			continue;
		buf_printf(b, "%s%s", n++ > 0 ? " and " : "", config->files[i].path);
	}
	return n > 0;
}

static void
add_account_names(struct buf *b, const struct config *config)
{
	for (size_t i = 0; i < config->n_accounts; i++)
		buf_printf(b, "%s%s", i > 0 ? ", " : "", config->accounts[i].id);
}

static const char *
nearest_id(const struct config *config, const char *id)
{
	size_t least = strlen(id) / 2;
	const char *nearest = NULL;

	for (size_t i = 0; i < config->n_accounts; i++) {
		size_t distance = str_distance(str_of(id), str_of(config->accounts[i].id));

		if (distance <= least) {
			least = distance;
			nearest = config->accounts[i].id;
		}
	}
	return nearest;
}

/* A file that is there and could not be read is the likeliest reason, so it is the one that is told. */
static const struct config_file *
find_refused(const struct config *config)
{
	for (size_t i = 0; i < config->n_files; i++)
		if (config->files[i].error != 0 && !config->files[i].is_replaced)
			return &config->files[i];
	return NULL;
}

static void
hint_at_places(const struct config *config, struct err *err)
{
	struct buf places = {0};

	for (size_t i = 0; i < config->n_files; i++)
		buf_printf(&places, "%s%s", i > 0 ? ", " : "", config->files[i].path);
	if (places.size > 0)
		err_hint(err, "looked for %s; write one, or name the server with --host", buf_text(&places));
	buf_free(&places);
}

static bool
refuse_id(const struct config *config, const char *id, struct err *err)
{
	const char *nearest = nearest_id(config, id);
	struct buf used = {0}, clean = {0}, names = {0};

	err_add_clean(&clean, str_of(id));
	if (!add_used_files(&used, config)) {
		err_set(err, EX_CONFIG, "account %s not found: no configuration file available", buf_text(&clean));
		hint_at_places(config, err);
	} else if (nearest != NULL) {
		err_set(err, EX_CONFIG, "account %s not found in %s (did you mean '%s'?)", buf_text(&clean), buf_text(&used), nearest);
	} else {
		add_account_names(&names, config);
		err_set(err, EX_CONFIG, "account %s not found in %s; the accounts there are: %s", buf_text(&clean), buf_text(&used),
		        names.size > 0 ? buf_text(&names) : "none");
	}
	buf_free(&used);
	buf_free(&clean);
	buf_free(&names);
	return false;
}

static bool
refuse_default(const struct config *config, struct err *err)
{
	struct buf used = {0}, names = {0};

	add_account_names(&names, config);
	if (!add_used_files(&used, config)) {
		err_set(err, EX_CONFIG, "account default not found: no configuration file available");
		hint_at_places(config, err);
	} else if (config->n_accounts == 0) {
		err_set(err, EX_CONFIG, "account default not found: no account is defined in %s", buf_text(&used));
		err_hint(err, "an account begins with a line 'account NAME', and needs a line 'host SERVER' below it");
	} else {
		err_set(err, EX_CONFIG, "account default not found in %s; the accounts there are: %s", buf_text(&used),
		        buf_text(&names));
		err_hint(err, "choose one with -a, or add the line 'account default : %s'", config->accounts[0].id);
	}
	buf_free(&used);
	buf_free(&names);
	return false;
}

bool
config_choose(const struct config *config, const char *id, const char *sender, const struct account **account,
              struct err *err)
{
	const struct config_file *refused = find_refused(config);

	*account = NULL;
	if (id != NULL)
		*account = find_by_id(config, id);
	else if (sender != NULL)
		*account = find_by_sender(config, sender);
	if (*account == NULL && id == NULL)
		*account = find_by_id(config, "default");
	if (*account == NULL && id == NULL && config->n_accounts == 1)
		*account = &config->accounts[0];
	if (*account != NULL)
		return true;
	if (refused == NULL)
		return id != NULL ? refuse_id(config, id, err) : refuse_default(config, err);
	err_set(err, EX_CONFIG, "cannot read configuration file %s: %s", refused->path, refused->refusal);
	if (refused->hint != NULL)
		err_hint(err, "%s", refused->hint);
	if (id != NULL)
		err_prefix(err, "account %s", id);
	return false;
}
