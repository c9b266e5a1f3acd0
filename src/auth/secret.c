/* secret.c - where a secret comes from: settings, a command, netrc files, the user. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "auth/netrc.h"
#include "auth/secret.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "conf/hostlist.h"

enum {
	COMMAND_SECONDS = 120,
	COMMAND_MOST = 65536, /* bytes */
	NETRC_MOST = 65536,   /* bytes */
	PROMPT_SECONDS = 300,
	PROMPT_MOST = 4096, /* bytes; no terminal gives a longer line at once */
	SIGNAL_LOOK_MS = 100
};

static const char system_netrc[] = SYSCONFDIR "/netrc";

/* Signals that end the program; during a prompt they wait until the echo is on again. */
static const int ending_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

struct netrc_file {
	const char *path;
	bool is_private; /* the user's own, which others must not read */
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

static bool
ask_command(struct secret *secret, const struct account *account, struct err *err)
{
	const char *id = account->id == NULL ? "" : account->id;

	if (!proc_run(account->passwordeval, COMMAND_MOST, clock_deadline(COMMAND_SECONDS), &secret->text, err))
		err_prefix(err, "passwordeval");
	else if (!keep_first_line(secret))
		err_set(err, EX_CONFIG, "passwordeval: the first line of what the command printed is %s",
		        secret->text.size == 0 ? "empty" : "not a text");
	if (secret->is_known)
		return true;
	err_hint(err,
	         "run the passwordeval command of account '%s' by hand with </dev/null: it must print the password as "
	         "its first line and end with status 0 within %d seconds",
	         id, COMMAND_SECONDS);
	return false;
}

/* A password in a file of the user's own must be the user's alone (fstat on what was really read). */
static bool
check_rights(int fd, const char *path, struct err *err)
{
	struct stat facts = {0};

	if (fstat(fd, &facts) != 0)
		return err_set_errno(err, EX_CONFIG, "%s", path);
	if (geteuid() == 0)
		return true;
	if (facts.st_uid != geteuid()) {
		err_set(err, EX_CONFIG,
		        "%s: contains secrets and therefore must belong to you (uid %u), but its owner is %u", path,
		        (unsigned int)geteuid(), (unsigned int)facts.st_uid);
		return err_hint(err, "as root: chown %u %s", (unsigned int)geteuid(), path);
	}
	if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		err_set(err, EX_CONFIG,
		        "%s: contains secrets and therefore must be closed to others, but its mode is %04o", path,
		        (unsigned int)facts.st_mode & 07777U);
		return err_hint(err, "chmod 600 %s", path);
	}
	return true;
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
		is_good = check_rights(fd, path, err);
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

/* Has a signal come that wants to end the program? It is blocked now. */
static bool
is_ending(void)
{
	sigset_t pending;

	sigemptyset(&pending);
	sigpending(&pending);
	for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++)
		if (sigismember(&pending, ending_signals[i]) == 1)
			return true;
	return false;
}

/* Read a line from the terminal into text until the deadline, an ending signal, or the end of the terminal. */
static void
read_line(int tty, struct buf *text, int64_t deadline)
{
	struct pollfd wanted = {.fd = tty, .events = POLLIN};
	char *room = buf_reserve(text, PROMPT_MOST);

	while (!is_ending() && clock_poll_timeout(deadline) > 0) {
		ssize_t n;

		if (poll(&wanted, 1, SIGNAL_LOOK_MS) <= 0)
			continue;
		n = read(tty, room, PROMPT_MOST);
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0)
			buf_grow(text, (size_t)n);
		return;
	}
}

/* Signals stay blocked while the echo is off; the one that was to end the program does so after it is on again. */
static void
read_without_echo(int tty, struct buf *text)
{
	struct termios before = {0}, quiet;
	struct err ignored = {0};
	sigset_t blocked, mask;
	bool has_echo;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTSTP);
	for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++)
		sigaddset(&blocked, ending_signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &mask);
	has_echo = tcgetattr(tty, &before) == 0;
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	quiet.c_lflag |= ICANON | ISIG;
	if (has_echo && tcsetattr(tty, TCSAFLUSH, &quiet) == 0) {
		read_line(tty, text, clock_deadline(PROMPT_SECONDS));
		tcsetattr(tty, TCSAFLUSH, &before);
		/* Before a waiting signal ends the program: the shell's prompt wants a line of its own. */
		file_write_all(tty, "\n", 1, "/dev/tty", &ignored);
		err_clear(&ignored);
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* False: there is no terminal, or nothing was typed. */
static bool
ask_user(struct secret *secret, const struct account *account)
{
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct buf prompt = {0};
	struct err ignored = {0};

	if (tty < 0)
		return false;
	buf_add_text(&prompt, "password for ");
	err_add_clean(&prompt, str_of(account->user));
	buf_add_text(&prompt, " at ");
	err_add_clean(&prompt, str_of(account->host));
	buf_add_text(&prompt, ": ");
	if (file_write_all(tty, prompt.data, prompt.size, "/dev/tty", &ignored))
		read_without_echo(tty, &secret->text);
	close(tty);
	buf_free(&prompt);
	err_clear(&ignored);
	return keep_first_line(secret);
}

static bool
complain(const struct account *account, const struct buf *remark, struct err *err)
{
	const char *user = account->user == NULL ? "" : account->user;
	const char *host = account->host == NULL ? "" : account->host;
	struct buf text = {0};

	buf_add_text(&text, "no password for ");
	err_add_clean(&text, str_of(user));
	buf_add_text(&text, " at ");
	err_add_clean(&text, str_of(host));
	buf_add_str(&text, buf_str(remark));
	err_set(err, EX_UNAVAILABLE, "%s", buf_text(&text));
	buf_free(&text);
	return err_hint(
		err,
		"set 'passwordeval' (a command that prints it) or 'password' for the account, or add \"machine %s "
		"login %s password ...\" to ~/.netrc",
		host, user);
}

static bool
find(struct secret *secret, const struct account *account, bool may_prompt, struct err *err)
{
	struct buf remark = {0};
	bool is_good = true;

	secret_free(secret);
	if (account->password != NULL && account->password[0] != '\0')
		keep(secret, str_of(account->password));
	else if (account->passwordeval != NULL && account->passwordeval[0] != '\0')
		is_good = ask_command(secret, account, err);
	else
		is_good = ask_netrc_files(secret, account, &remark, err);
	if (is_good && !secret->is_known && !(may_prompt && ask_user(secret, account)))
		is_good = complain(account, &remark, err);
	buf_free(&remark);
	if (!is_good)
		secret_free(secret);
	return is_good;
}

/* A login is the same at all hosts of a list: it is looked up and asked for by the first one's name. */
bool
secret_find(struct secret *secret, const struct account *account, bool may_prompt, struct err *err)
{
	struct str host = hostlist_first(str_of(account->host));
	struct account at_first = *account;
	char *name = host.size > 0 ? mem_copy(host.data, host.size) : NULL;
	bool is_good;

	if (name != NULL)
		at_first.host = name;
	is_good = find(secret, &at_first, may_prompt, err);
	free(name);
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
}
