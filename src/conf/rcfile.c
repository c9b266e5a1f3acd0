/* rcfile.c - finds the configuration files, reads them, and merges their accounts. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/rcfile.h"
#include "conf/rcparse.h"
#include "conf/value.h"

enum {
	FILE_SIZE_MOST = 16 * 1024 * 1024,
	MODE_FORBIDDEN = 0177, /* what a file with a password must not allow */
	NONE = -1
};

/* The names of a program's files: in the system's folder, in the home directory, in $XDG_CONFIG_HOME. */
static const struct {
	const char *system;
	const char *home;
	const char *xdg;
} families[] = {
	{"mailcranerc", ".mailcranerc", "mailcrane/config"},
	{"msmtprc", ".msmtprc", "msmtp/config"},
};

/* Indices of config.files; NONE where there is none to read. */
struct found {
	int system;
	int user;
};

static char *
join_path(const char *folder, const char *middle, const char *name)
{
	struct buf path = {0};

	buf_printf(&path, "%s/%s%s", folder, middle, name);
	return buf_take(&path);
}

static struct config_file *
add_file(struct config *config, char *path)
{
	struct config_file *file;

	config->files = mem_resize(config->files, config->n_files + 1, sizeof(*config->files));
	file = &config->files[config->n_files++];
	*file = (struct config_file){.path = path};
	return file;
}

/* Keep what err says about a file that could not be opened or read; err is empty afterwards. */
static void
record_failure(struct config_file *file, int error, struct err *err)
{
	struct str text = buf_str(&err->text);
	struct str opening = STR("cannot open ");

	if (str_starts_with(text, opening) && str_starts_with(str_from(text, opening.size), str_of(file->path)))
		text = str_from(text, opening.size + strlen(file->path) + 2);
	free(file->refusal);
	free(file->hint);
	file->refusal = mem_copy(text.data, text.size);
	file->hint = err->hint.size > 0 ? mem_copy_string(buf_text(&err->hint)) : NULL;
	file->error = error != 0 ? error : EIO;
	file->is_used = false;
	err_clear(err);
}

/* Look whether path is there and take note of it. Its index, or NONE. A file behind a closed folder may be
 * there or not: it is noted as refused. */
static int
look_for(struct config *config, char *path)
{
	struct config_file *file = add_file(config, path);
	struct stat facts = {0};
	struct err err = {0};
	int fd = -1;

	if (stat(path, &facts) == 0) {
		file->exists = true;
		return (int)config->n_files - 1;
	}
	if (errno == ENOENT || errno == ENOTDIR)
		return NONE;
	if (file_open_read(path, &fd, &err)) {
		close(fd);
		file->exists = true;
		return (int)config->n_files - 1;
	}
	record_failure(file, errno, &err);
	return NONE;
}

/* Look for the files of one program. With -C only the system's is taken; the user's are still looked for,
 * because their being there tells which program's files count. */
static struct found
look_for_family(struct config *config, const struct config_search *search, size_t family)
{
	struct found found = {NONE, NONE};
	int index = NONE;
	size_t first = 0; /* of the user's files */

	if (search->system_folder != NULL)
		found.system = look_for(config, join_path(search->system_folder, "", families[family].system));
	first = config->n_files;
	if (search->home != NULL)
		found.user = look_for(config, join_path(search->home, "", families[family].home));
	if (search->xdg_config_home != NULL && search->xdg_config_home[0] != '\0')
		index = look_for(config, join_path(search->xdg_config_home, "", families[family].xdg));
	else if (search->home != NULL)
		index = look_for(config, join_path(search->home, ".config/", families[family].xdg));
	if (found.user == NONE)
		found.user = index;
	for (size_t i = first; i < config->n_files; i++)
		config->files[i].is_replaced = search->only_file != NULL;
	return found;
}

static struct found
look_for_all(struct config *config, const struct config_search *search)
{
	struct found found = {NONE, NONE};

	for (size_t family = 0; family < sizeof(families) / sizeof(families[0]); family++) {
		found = look_for_family(config, search, family);
		if (found.system != NONE || found.user != NONE)
			break;
	}
	if (search->only_file != NULL) {
		add_file(config, mem_copy_string(search->only_file));
		found.user = (int)config->n_files - 1;
	}
	return found;
}

/* msmtp's rule for a user's file that holds a password as such; root may read everything anyway. */
static bool
check_permissions(int fd, const char *path, struct err *err)
{
	struct stat facts = {0};

	if (geteuid() == 0)
		return true;
	if (fstat(fd, &facts) != 0)
		return err_set_errno(err, EX_CONFIG, "%s", path);
	if (facts.st_uid != geteuid()) {
		err_set(err, EX_CONFIG, "%s: contains secrets and therefore must be owned by you: its owner is uid %u, you are uid %u",
		        path, (unsigned)facts.st_uid, (unsigned)geteuid());
		return err_hint(err, "take the password out of the file ('passwordeval'), or make the file yours");
	}
	if ((facts.st_mode & MODE_FORBIDDEN) == 0)
		return true;
	err_set(err, EX_CONFIG, "%s: contains secrets and therefore must have no more than user read/write permissions: mode %04o",
	        path, (unsigned)facts.st_mode & 07777u);
	return err_hint(err, "chmod 600 %s", path);
}

/* Read the file at index into parse. False: bad content. A file that cannot be read is noted and is no failure. */
static bool
read_file(struct config *config, int index, bool is_user_file, struct rcparse *parse, struct err *err)
{
	struct config_file *file = &config->files[index];
	struct err failure = {0};
	struct stat facts = {0};
	struct buf text = {0};
	int fd = -1;
	bool is_good = true;

	if (!file_open_read(file->path, &fd, &failure)) {
		int error = errno;

		file->exists = error != ENOENT && error != ENOTDIR;
		record_failure(file, error, &failure);
		return true;
	}
	file->exists = true;
	errno = 0;
	if (!file_read_all(fd, FILE_SIZE_MOST, &text, &failure)) {
		record_failure(file, errno, &failure);
		goto out;
	}
	file->is_used = true;
	if (config->only_looks)
		goto out;
	*parse = (struct rcparse){file->path, config->refuses_eval, config->is_alone, !is_user_file, NULL, 0};
	file->has_secret = rcparse_has_secret(buf_str(&text));
	if (fstat(fd, &facts) == 0)
		file->mode = facts.st_mode & 07777U;
	is_good = (!is_user_file || !file->has_secret || check_permissions(fd, file->path, err)) &&
	          rcparse_read(parse, buf_str(&text), err);
out:
	close(fd);
	buf_wipe(&text);
	return is_good;
}

/* Move the accounts of parse behind those of config; one whose name is there already is dropped. */
static void
merge(struct config *config, struct rcparse *parse)
{
	for (size_t i = 0; i < parse->n_accounts; i++) {
		bool is_there = false;

		for (size_t j = 0; j < config->n_accounts; j++)
			is_there = is_there || strcmp(config->accounts[j].id, parse->accounts[i].id) == 0;
		if (is_there)
			continue;
		config->accounts = mem_resize(config->accounts, config->n_accounts + 1, sizeof(*config->accounts));
		config->accounts[config->n_accounts++] = parse->accounts[i];
		memset(&parse->accounts[i], 0, sizeof(parse->accounts[i]));
	}
	rcparse_free(parse);
}

bool
config_load(struct config *config, const struct config_search *search, struct err *err)
{
	struct rcparse system = {0}, user = {0};
	struct found found = look_for_all(config, search);
	bool is_good = true;

	if (found.system != NONE)
		is_good = read_file(config, found.system, false, &system, err);
	/* What somebody else wrote could make root run a command (eval, passwordeval): sudo often leaves HOME as it is. */
	if (is_good && found.user != NONE && search->only_file == NULL && !file_is_roots(config->files[found.user].path, err)) {
		record_failure(&config->files[found.user], EPERM, err);
		found.user = NONE;
	}
	if (is_good && found.user != NONE)
		is_good = read_file(config, found.user, true, &user, err);
	if (is_good && search->only_file != NULL) {
		const struct config_file *file = &config->files[found.user];

		if (!file->is_used) {
			is_good = err_set(err, EX_IOERR, "configuration file %s: %s", file->path, file->refusal);
			if (file->hint != NULL)
				err_hint(err, "%s", file->hint);
		}
	}
	if (is_good)
		merge(config, &user);
	if (is_good)
		merge(config, &system);
	rcparse_free(&system);
	rcparse_free(&user);
	return is_good;
}

bool
config_parse(struct config *config, const char *name, struct str text, struct err *err)
{
	struct config_file *file = add_file(config, mem_copy_string(name));
	struct rcparse parse = {.name = file->path, .refuses_eval = config->refuses_eval};
	bool is_good = rcparse_read(&parse, text, err);

	file->exists = file->is_used = true;
	if (is_good)
		merge(config, &parse);
	rcparse_free(&parse);
	return is_good;
}

bool
config_from_environment(struct account *account, struct err *err)
{
	const struct origin origin = {"environment", 0};
	const char *host = secure_getenv("SMTPSERVER"), *from = secure_getenv("EMAIL");

	memset(account, 0, sizeof(*account));
	if (host == NULL || host[0] == '\0')
		return false;
	account_init(account);
	account->id = mem_copy_string("default");
	account->origin = origin;
	if (!value_set(account, STR("host"), str_of(host), origin, err))
		return err_prefix(err, "SMTPSERVER");
	if (from != NULL && from[0] != '\0' && !value_set(account, STR("from"), str_of(from), origin, err))
		return err_prefix(err, "EMAIL");
	return true;
}

static void
free_file(struct config_file *file)
{
	free(file->path);
	free(file->refusal);
	free(file->hint);
}

void
config_free(struct config *config)
{
	for (size_t i = 0; i < config->n_accounts; i++)
		account_free(&config->accounts[i]);
	for (size_t i = 0; i < config->n_files; i++)
		free_file(&config->files[i]);
	free(config->accounts);
	free(config->files);
	memset(config, 0, sizeof(*config));
}
