/* secret.c - where a secret comes from: settings, files, commands, credentials, the keyring, netrc files, the user. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "auth/credential.h"
#include "auth/keyring.h"
#include "auth/netrc.h"
#include "auth/prompt.h"
#include "auth/secret.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "conf/environment.h"
#include "conf/hostlist.h"

enum {
	COMMAND_SECONDS = 120,
	COMMAND_MOST = 65536, /* bytes */
	WORDS_MOST = 64,      /* of a command without a shell, one more than there may be */
	NETRC_MOST = 65536    /* bytes */
};

static const char system_netrc[] = SYSCONFDIR "/netrc";

struct netrc_file {
	const char *path;
	bool is_private; /* the user's own, which others must not read */
};

/* What is on the way to a secret. */
struct search {
	struct secret *secret;
	const struct account *account;
	bool may_prompt;
	struct buf remark; /* why a place that was looked into had none: "; ..." for each */
	const char *hint;  /* what to do about it; constant; NULL */
};

static void
keep(struct secret *secret, struct str text)
{
	buf_reserve(&secret->text, text.size);
	buf_add_str(&secret->text, text);
	secret->is_known = true;
}

/* Cut text, a secret as it was printed or typed, after its first line. False: nothing is left, or it holds a NUL. */
static bool
keep_first_line(struct secret *secret)
{
	struct str line = str_first(buf_str(&secret->text), str_find(buf_str(&secret->text), '\n'));

	while (line.size > 0 && line.data[line.size - 1] == '\r')
		line.size--;
	buf_truncate(&secret->text, line.size);
	secret->is_known = line.size > 0 && str_find(line, '\0') == line.size;
	return secret->is_known;
}

/* The next word of a command without a shell, to its place in `to`: blanks separate, double quotes hold together and are
 * dropped. False: there is none, or (*is_good) a quotation mark is not closed. */
static bool
next_word(const char **from, char **to, const char **word, bool *is_good)
{
	bool is_quoted = false;

	while (ascii_is_blank(**from))
		(*from)++;
	if (**from == '\0')
		return false;
	*word = *to;
	for (; **from != '\0' && (is_quoted || !ascii_is_blank(**from)); (*from)++) {
		if (**from == '"')
			is_quoted = !is_quoted;
		else
			*(*to)++ = **from;
	}
	if (**from != '\0')
		(*from)++;
	*(*to)++ = '\0';
	*is_good = !is_quoted;
	return !is_quoted;
}

static bool
lacks_program(const char *name, struct err *err)
{
	err_set(err, EX_CONFIG, "there is no program ");
	err_add_clean(&err->text, str_of(name));
	return false;
}

static bool
run_words(const struct search *search, struct err *err)
{
	const char *from = search->account->passwordexec;
	char *text = mem_alloc(strlen(from) + 1, 1), *to = text, *program = NULL;
	const char *words[WORDS_MOST + 1] = {0};
	bool is_good = true;
	size_t n = 0;

	while (n < WORDS_MOST && next_word(&from, &to, &words[n], &is_good))
		n++;
	if (!is_good)
		err_set(err, EX_CONFIG, "a quotation mark is never closed");
	else if (n == WORDS_MOST || n == 0)
		is_good = err_set(err, EX_CONFIG, "there must be from 1 to %d words", WORDS_MOST - 1);
	else if ((program = proc_find_program(words[0])) == NULL)
		is_good = lacks_program(words[0], err);
	if (is_good) {
		const struct proc_command command = {.words = words, .is_alone = !search->may_prompt};

		words[0] = program;
		is_good = proc_run_command(&command, COMMAND_MOST, clock_deadline(COMMAND_SECONDS), &search->secret->text, err);
	}
	free(program);
	free(text);
	return is_good;
}

static bool
run_line(const struct search *search, struct err *err)
{
	const struct proc_command command = {.line = search->account->passwordeval, .is_alone = !search->may_prompt};

	return proc_run_command(&command, COMMAND_MOST, clock_deadline(COMMAND_SECONDS), &search->secret->text, err);
}

/* What was read is a secret, or err says that `what` is no such thing. */
static bool
keep_read(struct secret *secret, const char *what, struct err *err)
{
	if (keep_first_line(secret))
		return true;
	return err_set(err, EX_CONFIG, "%s is %s", what, secret->text.size == 0 ? "empty" : "not a text");
}

/* pass(1) keeps its passwords with gpg. */
static bool
uses_gpg(const char *command)
{
	return strstr(command, "gpg") != NULL || str_starts_with(str_trim(str_of(command)), STR("pass "));
}

static bool
hint_at_command(const struct search *search, const char *setting, const char *command, struct err *err)
{
	struct buf hint = {0};

	buf_printf(&hint,
	           "run the %s command of account '%s' by hand with </dev/null%s: it must print the password as "
	           "its first line and end with status 0 within %d seconds",
	           setting, search->account->id == NULL ? "" : search->account->id,
	           search->may_prompt ? "" : " and without a terminal", COMMAND_SECONDS);
	if (uses_gpg(command))
		buf_printf(&hint,
		           "\nif gpg says 'No secret key': it looks into the keyring of uid %u, in GNUPGHOME or ~/.gnupg; if it "
		           "cannot ask for a passphrase: give it to gpg-agent beforehand, or use a key without one",
		           (unsigned int)geteuid());
	err_hint(err, "%s", buf_text(&hint));
	buf_free(&hint);
	return false;
}

static bool
ask_command(struct search *search, const char *setting, const char *command,
            bool (*run)(const struct search *, struct err *), struct err *err)
{
	if (run(search, err) && keep_read(search->secret, "the first line of what the command printed", err))
		return true;
	err_prefix(err, "%s", setting);
	return hint_at_command(search, setting, command, err);
}

/* Look into one netrc file. False only for an error. A file that is there and cannot be opened is told in remark. */
static bool
ask_netrc(struct secret *secret, const struct account *account, const struct netrc_file *file, struct buf *remark,
          struct err *err)
{
	const char *path = file->path;
	struct err refusal = {0};
	struct str password = {0};
	struct buf text = {0};
	bool is_good;
	int fd = -1;

	if (!file_open_read(path, &fd, &refusal)) {
		if (errno != ENOENT && errno != ENOTDIR)
			buf_printf(remark, "; %s", buf_text(&refusal.text));
		err_clear(&refusal);
		return true;
	}
	buf_reserve(&text, NETRC_MOST + 1);
	is_good = file_read_all(fd, NETRC_MOST, &text, err) &&
	          netrc_search(&text, account->host, account->user, &password, err);
	if (!is_good) {
		err->exit_code = EX_CONFIG;
		err_prefix(err, "%s", path);
		err_hint(err, "mend %s, or set 'password' or 'passwordeval'", path);
	}
	if (password.size > 0 && file->is_private)
		is_good = file_is_private(fd, path, err);
	if (password.size > 0 && is_good && str_find(password, '\0') == password.size)
		keep(secret, password);
	close(fd);
	buf_wipe(&text);
	return is_good;
}

static bool
ask_netrc_files(struct secret *secret, const struct account *account, struct buf *remark, struct err *err)
{
	const struct netrc_file shared = {system_netrc, false};
	struct netrc_file own = {NULL, true};
	char *path;
	bool is_good;

	if (account->host == NULL || account->user == NULL)
		return true;
	path = file_expand_home("~/.netrc");
	own.path = path;
	is_good = path[0] != '/' || ask_netrc(secret, account, &own, remark, err);
	free(path);
	if (!is_good || secret->is_known)
		return is_good;
	return ask_netrc(secret, account, &shared, remark, err);
}

static bool
complain(const struct search *search, struct err *err)
{
	const char *user = search->account->user == NULL ? "" : search->account->user;
	const char *host = search->account->host == NULL ? "" : search->account->host;
	struct buf text = {0};

	buf_add_text(&text, "no password for ");
	err_add_clean(&text, str_of(user));
	buf_add_text(&text, " at ");
	err_add_clean(&text, str_of(host));
	buf_add_str(&text, buf_str(&search->remark));
	err_set(err, EX_UNAVAILABLE, "%s", buf_text(&text));
	buf_free(&text);
	if (search->hint != NULL)
		return err_hint(err, "%s", search->hint);
	/* In a container: the account has no file. */
	if (search->account->origin.file == environment_origin)
		return err_hint(err, "set MAILCRANE_PASSWORD_FILE to a file that holds it, or MAILCRANE_PASSWORD to the password itself");
	return err_hint(
		err,
		"set 'passwordeval' (a command that prints it) or 'password' for the account, or add \"machine %s "
		"login %s password ...\" to ~/.netrc",
		host, user);
}

/* --- the places, each a function that returns false for an error only ---------------------------------------------- */

static bool
look_at_setting(struct search *search, struct err *err)
{
	const char *password = search->account->password;

	(void)err;
	if (password != NULL && password[0] != '\0')
		keep(search->secret, str_of(password));
	return true;
}

static bool
look_at_file(struct search *search, struct err *err)
{
	const char *path = search->account->password_file;

	if (path == NULL || path[0] == '\0')
		return true;
	if (credential_read_file(&search->secret->text, path, err) && keep_read(search->secret, path, err))
		return true;
	err_hint(err, "the first line of the file must be the password");
	return err_prefix(err, "password_file");
}

static bool
look_at_line(struct search *search, struct err *err)
{
	const char *line = search->account->passwordeval;

	return line == NULL || line[0] == '\0' || ask_command(search, "passwordeval", line, run_line, err);
}

static bool
look_at_words(struct search *search, struct err *err)
{
	const char *words = search->account->passwordexec;

	return words == NULL || words[0] == '\0' || ask_command(search, "passwordexec", words, run_words, err);
}

static bool
look_at_credentials(struct search *search, struct err *err)
{
	char *name = NULL;
	bool is_good = credential_find(&search->secret->text, search->account, &name, &search->remark, err);

	if (is_good && name != NULL)
		is_good = keep_read(search->secret, name, err) || err_prefix(err, "credential");
	free(name);
	return is_good;
}

static bool
look_at_keyring(struct search *search, struct err *err)
{
	const struct account *account = search->account;

	(void)err;
	if (!account->keyring || account->host == NULL || account->user == NULL)
		return true;
	keyring_ask(&search->secret->text, account, search->may_prompt, &search->remark, &search->hint);
	if (!keep_first_line(search->secret))
		buf_wipe(&search->secret->text);
	return true;
}

static bool
look_at_netrc(struct search *search, struct err *err)
{
	return ask_netrc_files(search->secret, search->account, &search->remark, err);
}

static bool
look_at_user(struct search *search, struct err *err)
{
	(void)err;
	if (search->may_prompt && proc_is_in_foreground() && prompt_ask(&search->secret->text, search->account))
		keep_first_line(search->secret);
	return true;
}

/* The order in which they are asked. */
static const struct {
	const char *name;
	bool (*look)(struct search *search, struct err *err);
} places[] = {
	{"password", look_at_setting},
	{"password_file", look_at_file},
	{"passwordeval", look_at_line},
	{"passwordexec", look_at_words},
	{"a credential of the service", look_at_credentials},
	{"the keyring", look_at_keyring},
	{"netrc", look_at_netrc},
	{"the terminal", look_at_user},
};

bool
secret_find(struct secret *secret, const struct account *account, bool may_prompt, struct err *err)
{
	/* A login is the same at all hosts of a list: it is looked up and asked for by the first one's name. */
	char *host = hostlist_copy_first(account->host);
	struct account at_first = *account;
	struct search search = {.secret = secret, .account = &at_first, .may_prompt = may_prompt};
	bool is_good = true;

	secret_free(secret);
	at_first.host = host;
	for (size_t i = 0; is_good && !secret->is_known && i < sizeof(places) / sizeof(places[0]); i++) {
		is_good = places[i].look(&search, err);
		secret->source = places[i].name;
	}
	is_good = is_good && (secret->is_known || complain(&search, err));
	buf_free(&search.remark);
	free(host);
	/* It need not be written to the swap; where too little may be locked, mail is sent all the same. */
	if (is_good)
		mlock(secret->text.data, secret->text.size);
	else
		secret_free(secret);
	return is_good;
}

void
secret_protect_process(void)
{
	const struct rlimit none = {0};

	/* Each is a help, not a condition: where the system refuses one, mail is sent all the same. */
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &none);
}

void
secret_free(struct secret *secret)
{
	buf_wipe(&secret->text);
	secret->is_known = false;
	secret->source = NULL;
}
