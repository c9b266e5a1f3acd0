/* secret_test.c - behaviour of auth/secret.c, with a home and a terminal of its own. */

#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "auth/secret.h"
#include "base/clock.h"
#include "base/file.h"
#include "tap.h"

enum { NOBODY = 65534 };

static char home[] = "/tmp/secret_test.XXXXXX";
static struct err err;
static struct secret secret;

static void
write_netrc(const char *text, mode_t mode)
{
	struct err ignored = {0};
	char *path = file_expand_home("~/.netrc");
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	file_write_all(fd, text, strlen(text), path, &ignored);
	close(fd);
	chmod(path, mode);
	free(path);
}

static struct account
make_account(const char *password, const char *command)
{
	return (struct account){
		.id = (char *)"work",
		.host = (char *)"mail.example",
		.user = (char *)"ann",
		.password = (char *)password,
		.passwordeval = (char *)command,
	};
}

/* The secret of account, NULL when there is none. */
static const char *
find(const struct account *account)
{
	err_clear(&err);
	return secret_find(&secret, account, false, &err) ? buf_text(&secret.text) : NULL;
}

static const char *
find_by_command(const char *command)
{
	const struct account account = make_account(NULL, command);

	return find(&account);
}

static bool
fails(int exit_code, const char *text, const char *hint)
{
	if (err.exit_code == exit_code && strstr(buf_text(&err.text), text) != NULL &&
	    strstr(buf_text(&err.hint), hint) != NULL && strstr(buf_text(&err.text), "hunter2") == NULL &&
	    strstr(buf_text(&err.hint), "hunter2") == NULL)
		return true;
	tap_note("error %d: %s; hint: %s", err.exit_code, buf_text(&err.text), buf_text(&err.hint));
	return false;
}

static void
test_order(void)
{
	struct account account = make_account("from setting", "echo from command");

	write_netrc("machine mail.example login ann password from-netrc\n", 0600);
	tap_is(find(&account), "from setting", "password comes before passwordeval");
	tap_ok(secret.is_known, "a secret that was found is known");
	account.password = NULL;
	tap_is(find(&account), "from command", "passwordeval comes before netrc");
	account.passwordeval = NULL;
	tap_is(find(&account), "from-netrc", "netrc is asked last but for the user");
	account.passwordeval = (char *)"exit 3";
	tap_ok(find(&account) == NULL, "a passwordeval that fails is not replaced by netrc");
	account = make_account(NULL, NULL);
	account.user = (char *)"bob";
	tap_ok(find(&account) == NULL && fails(EX_UNAVAILABLE, "no password for bob at mail.example", "passwordeval") &&
	               strstr(buf_text(&err.hint), "machine mail.example login bob") != NULL,
	       "without any password the hint names the ways to give one");
	account.host = account.user = NULL;
	tap_ok(find(&account) == NULL && err.exit_code == EX_UNAVAILABLE,
	       "an account without host and user has no password");
	tap_ok(!secret.is_known && secret.text.data == NULL, "after a failure no secret is left");
}

static void
test_command(void)
{
	tap_is(find_by_command("printf 'one\\ntwo\\n'"), "one", "the first line of the output is the password");
	tap_is(find_by_command("printf 'one\\r\\r\\n'"), "one", "CR and LF behind it are stripped");
	tap_is(find_by_command("printf ' o n e '"), " o n e ", "blanks belong to it, and no LF is needed");
	tap_is(find_by_command("cat; echo eof"), "eof", "a command that reads stdin finds it empty");
	tap_ok(find_by_command("head -c 501 /dev/zero | tr '\\0' x; echo; echo y") != NULL && secret.text.size == 501,
	       "a line of any length is taken");
	tap_ok(find_by_command("true") == NULL && fails(EX_CONFIG, "passwordeval: ", "account 'work'"),
	       "protocol 79: a passwordeval that prints nothing is an error");
	tap_ok(find_by_command("printf '\\nsecond'") == NULL && fails(EX_CONFIG, "is empty", "by hand"),
	       "an empty first line is an error");
	tap_ok(find_by_command("printf 'a\\0b'") == NULL && fails(EX_CONFIG, "not a text", "by hand"),
	       "a NUL is an error");
	tap_ok(find_by_command("echo hunter2; exit 3") == NULL && fails(EX_CONFIG, "exit status 3", "by hand"),
	       "protocol 79: a passwordeval that fails is an error, whatever it printed");
	tap_ok(find_by_command("head -c 1048576 /dev/zero | tr '\\0' x") == NULL &&
	               fails(EX_CONFIG, "more than 65536", "by hand"),
	       "protocol 79: a passwordeval that prints 1 MiB is an error");
	tap_ok(find_by_command("kill -9 $$ # hunter2") == NULL && fails(EX_CONFIG, "signal 9", "by hand"),
	       "a passwordeval that is killed is an error");
}

/* Any right of others is too many, but only where the file holds the password. */
static bool
is_open_netrc_refused(void)
{
	const struct account account = make_account(NULL, NULL);
	static const mode_t refused[] = {0640, 0604, 0620, 0602, 0660};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		write_netrc("machine mail.example login ann password hunter2\n", refused[i]);
		if (find(&account) != NULL ||
		    !fails(EX_CONFIG, "contains secrets and therefore must be closed", "chmod 600 /"))
			return false;
	}
	write_netrc("machine mail.example login ann password hunter2\n", 0600);
	if (find(&account) == NULL)
		return false;
	write_netrc("machine other.example login ann password hunter2\n", 0644);
	return find(&account) == NULL && err.exit_code == EX_UNAVAILABLE;
}

static bool
is_closed_netrc_told(void)
{
	const struct account account = make_account(NULL, NULL);

	write_netrc("machine mail.example login ann password hunter2\n", 0000);
	return find(&account) == NULL && fails(EX_UNAVAILABLE, "Permission denied", "passwordeval");
}

/* The file belongs to root and can be read by all. */
static bool
is_foreign_netrc_refused(void)
{
	const struct account account = make_account(NULL, NULL);

	return find(&account) == NULL && fails(EX_CONFIG, "must belong to you", "as root: chown");
}

static bool
holds_for_nobody(bool (*check)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
			_exit(2);
		_exit(check() ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
test_netrc(void)
{
	const struct account account = make_account(NULL, NULL);

	chmod(home, 0777);
	tap_ok(holds_for_nobody(is_open_netrc_refused), "a netrc file with the password must be closed to others");
	tap_ok(holds_for_nobody(is_closed_netrc_told),
	       "a netrc file that cannot be read is named where no password is found");
	if (geteuid() == 0) {
		write_netrc("machine mail.example login ann password hunter2\n", 0644);
		tap_ok(holds_for_nobody(is_foreign_netrc_refused), "a netrc file of another user is refused");
		tap_is(find(&account), "hunter2", "root's netrc file is not checked, as the configuration file");
	}
	chmod(home, 0700);
	write_netrc("machine mail.example login ann password \"hunter2", 0600);
	tap_ok(find(&account) == NULL && fails(EX_CONFIG, ".netrc: line 1: the quotation mark", "mend /tmp/"),
	       "a malformed netrc file is named with its line");
	write_netrc("machine mail.example login ann\n", 0600);
	tap_ok(find(&account) == NULL && fails(EX_UNAVAILABLE, "no password for", ""),
	       "a netrc entry without password is none");
	write_netrc("machine mail.example login ann password \"\"\n", 0600);
	tap_ok(find(&account) == NULL && err.exit_code == EX_UNAVAILABLE, "an empty netrc password is none");
}

/* A child with a terminal of its own, that looks for a secret there and ends with 0 if it is `expected`. */
static pid_t
start_prompt(int *master, const char *expected)
{
	pid_t pid;
	char name[100];

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*master < 0 || grantpt(*master) != 0 || unlockpt(*master) != 0 ||
	    ptsname_r(*master, name, sizeof(name)) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		struct account account = make_account(NULL, NULL);
		int slave;

		account.user = (char *)"bob\x1b[2J";
		/* A shell makes what it runs in the background ignore it. */
		signal(SIGINT, SIG_DFL);
		setsid();
		slave = open(name, O_RDWR | O_CLOEXEC);
		if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
			_exit(3);
		if (!secret_find(&secret, &account, true, &err))
			_exit(2);
		_exit(strcmp(buf_text(&secret.text), expected) == 0 ? 0 : 1);
	}
	return pid;
}

/* Everything the terminal shows until `text` is among it, or 5 seconds have passed. */
static void
read_screen(int master, struct buf *screen, const char *text)
{
	struct pollfd wanted = {.fd = master, .events = POLLIN};
	int64_t deadline = clock_deadline(5);
	char data[200];

	while (strstr(buf_text(screen), text) == NULL && poll(&wanted, 1, clock_poll_timeout(deadline)) > 0) {
		ssize_t n = read(master, data, sizeof(data));

		if (n <= 0)
			break;
		buf_add(screen, data, (size_t)n);
	}
}

static bool
has_echo(int master)
{
	struct termios state = {0};

	return tcgetattr(master, &state) == 0 && (state.c_lflag & ECHO) != 0;
}

static bool
loses_echo(int master)
{
	for (int i = 0; i < 100 && has_echo(master); i++)
		poll(NULL, 0, 20);
	return !has_echo(master);
}

static void
test_prompt(void)
{
	struct buf screen = {0};
	int master = -1, status = 0;
	pid_t pid;

	write_netrc("", 0600);
	pid = start_prompt(&master, "open sesame");
	if (pid < 0) {
		tap_note("there are no pseudo terminals here");
		return;
	}
	read_screen(master, &screen, "mail.example: ");
	tap_is(buf_text(&screen),
	       "password for bob\\x1b[2J at mail.example: ", "the prompt names user and host, cleaned");
	tap_ok(loses_echo(master), "the echo is off while the password is typed");
	if (write(master, "open sesame\n", 12) != 12)
		tap_note("nothing can be typed");
	read_screen(master, &screen, "\n");
	waitpid(pid, &status, 0);
	tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "what is typed is the password");
	tap_ok(strstr(buf_text(&screen), "sesame") == NULL, "the password is not shown");
	close(master);
	buf_free(&screen);
}

/* Type or send something that ends the prompt; the child's status. */
static int
status_after(const char *typed, int number, bool *has_echo_again)
{
	struct buf screen = {0};
	int master = -1, slave, status = -1;
	pid_t pid = start_prompt(&master, "x");

	if (pid < 0)
		return -1;
	/* With this descriptor the terminal outlives the child. */
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	read_screen(master, &screen, "mail.example: ");
	loses_echo(master);
	if (number != 0)
		kill(pid, number);
	else if (write(master, typed, strlen(typed)) < 0)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	*has_echo_again = has_echo(slave);
	close(slave);
	close(master);
	buf_free(&screen);
	return status;
}

static void
test_prompt_ending(void)
{
	bool has_echo_again = false;
	int status = status_after(NULL, SIGTERM, &has_echo_again);

	tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM && has_echo_again,
	       "SIGTERM ends the program at the prompt, and the echo is on again");
	status = status_after("ab\003", 0, &has_echo_again);
	tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT && has_echo_again,
	       "Control-C ends the program at the prompt, and the echo is on again");
	status = status_after("\004", 0, &has_echo_again);
	tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == 2 && has_echo_again,
	       "Control-D at the prompt gives no password");
	status = status_after("\n", 0, &has_echo_again);
	tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == 2 && has_echo_again,
	       "an empty line at the prompt gives no password");
}

/* A file in home with this text; its path until the next call. */
static const char *
write_file(const char *name, const char *text, mode_t mode)
{
	static struct buf path;
	struct err ignored = {0};
	int fd;

	buf_clear(&path);
	buf_printf(&path, "%s/%s", home, name);
	unlink(buf_text(&path));
	fd = open(buf_text(&path), O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	file_write_all(fd, text, strlen(text), name, &ignored);
	close(fd);
	chmod(buf_text(&path), mode);
	return buf_text(&path);
}

static void
remove_file(const char *name)
{
	struct buf path = {0};

	buf_printf(&path, "%s/%s", home, name);
	unlink(buf_text(&path));
	buf_free(&path);
}

static void
test_file(void)
{
	struct account account = make_account(NULL, "echo from command");

	account.password_file = (char *)write_file("word", "from file\r\nsecond\n", 0644);
	tap_is(find(&account), "from file", "password_file comes before passwordeval, and its first line is the password");
	tap_is(secret.source, "password_file", "where a secret was found is known");
	write_file("word", "", 0600);
	tap_ok(find(&account) == NULL && fails(EX_CONFIG, "password_file: /tmp/", "first line"), "an empty file is an error");
	remove_file("word");
	tap_ok(find(&account) == NULL && fails(EX_CONFIG, "No such file", ""), "and so is one that is not there");
	account.password_file = (char *)"/dev/zero";
	tap_ok(find(&account) == NULL && fails(EX_CONFIG, "is no regular file", ""), "a device is no password file");
	account.password_file = (char *)write_file("word", "", 0600);
	remove_file("word");
	tap_ok(mkfifo(account.password_file, 0600) == 0 && find(&account) == NULL && fails(EX_CONFIG, "is no regular file", ""),
	       "nor is a pipe, and nobody waits for a writer");
	remove_file("word");
}

static void
test_words(void)
{
	struct account account = make_account(NULL, NULL);

	account.passwordexec = (char *)" printf  %s:%s 'a\t\"b  $HOME;\"  ";
	tap_is(find(&account), "'a:b  $HOME;", "passwordexec splits at blanks, keeps quoted words, and knows no shell");
	account.passwordexec = (char *)"printf \"hunter2";
	tap_ok(find(&account) == NULL && fails(EX_CONFIG, "passwordexec: a quotation mark", "by hand"), "an open quotation is an error");
	account.passwordexec = (char *)"no-such-program hunter2";
	tap_ok(find(&account) == NULL && fails(EX_CONFIG, "there is no program no-such-program", "by hand"),
	       "a program that is not there is an error, without its arguments");
	account.passwordexec = (char *)"false hunter2";
	tap_ok(find(&account) == NULL && fails(EX_CONFIG, "exit status 1", "by hand"), "and so is one that fails");
	account.passwordexec = (char *)"a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a "
	                               "a a a a a a a a a a a a a a a a a a a a";
	tap_ok(find(&account) == NULL && fails(EX_CONFIG, "from 1 to 63 words", ""), "too many words are an error");
}

static void
test_credentials(void)
{
	struct account account = make_account(NULL, NULL);
	struct buf other = {0};

	setenv("CREDENTIALS_DIRECTORY", home, 1);
	write_netrc("machine mail.example login ann password from-netrc\n", 0600);
	tap_is(find(&account), "from-netrc", "a folder of credentials without ours is passed over");
	write_file("mailcrane.password", "for all\n", 0400);
	tap_is(find(&account), "for all", "a credential comes before netrc");
	write_file("mailcrane.work.password", "for work", 0400);
	tap_is(find(&account), "for work", "and that of the account before that of all");
	account.id = (char *)"../work";
	tap_is(find(&account), "for all", "the name of an account leads to no other folder");
	account.id = (char *)"work";
	write_file("mailcrane.work.password", "", 0400);
	tap_ok(find(&account) == NULL && fails(EX_CONFIG, "credential: mailcrane.work.password is empty", ""),
	       "an empty credential is an error");
	remove_file("mailcrane.work.password");
	remove_file("mailcrane.password");
	write_netrc("", 0600);
	buf_printf(&other, "%s/mailcrane.password", home);
	if (symlink(write_file("word", "hunter2", 0600), buf_text(&other)) != 0)
		tap_note("no links here");
	tap_ok(find(&account) == NULL && fails(EX_UNAVAILABLE, "credential mailcrane.password: is a link", ""),
	       "a credential that is a link is not followed");
	unlink(buf_text(&other));
	if (mkfifo(buf_text(&other), 0600) != 0)
		tap_note("no pipes here");
	tap_ok(find(&account) == NULL && fails(EX_CONFIG, "is no regular file", ""), "nor does a pipe make us wait");
	unlink(buf_text(&other));
	unsetenv("CREDENTIALS_DIRECTORY");
	remove_file("word");
	buf_free(&other);
}

/* Our secret-tool: "search" tells what is in `found`, whatever else is asked. It notes its arguments. */
static void
write_tool(const char *script)
{
	struct buf text = {0};

	buf_printf(&text, "#!/bin/sh\necho \"$@\" >%s/asked\n%s\n", home, script);
	write_file("secret-tool", buf_text(&text), 0700);
	buf_free(&text);
}

static bool
was_asked(const char *arguments)
{
	struct buf text = {0}, path = {0};
	struct err ignored = {0};
	bool is_so;

	buf_printf(&path, "%s/asked", home);
	is_so = file_read_path(buf_text(&path), 1000, &text, &ignored) && str_equals(str_trim(buf_str(&text)), str_of(arguments));
	if (!is_so)
		tap_note("it was asked: %s", buf_text(&text));
	buf_free(&text);
	buf_free(&path);
	err_clear(&ignored);
	return is_so;
}

static void
test_keyring(void)
{
	struct account account = make_account(NULL, NULL);
	struct buf path = {0};

	write_netrc("machine mail.example login ann password from-netrc\n", 0600);
	buf_printf(&path, "%s:%s", home, getenv("PATH"));
	setenv("PATH", buf_text(&path), 1);
	setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere", 1);
	write_tool("printf '[/org/x/1]\\nlabel = mail\\nsecret = from keyring\\ncreated = 2000\\n'; echo hunter2 >&2");
	tap_is(find(&account), "from-netrc", "the keyring is asked only if the account says so");
	account.keyring = true;
	tap_is(find(&account), "from keyring", "it comes before netrc, as with msmtp");
	tap_ok(was_asked("search host mail.example service smtp user ann"), "with msmtp's attributes, and without unlocking it");
	err_clear(&err);
	write_tool("printf 'from lookup'");
	tap_ok(secret_find(&secret, &account, true, &err) && was_asked("lookup host mail.example service smtp user ann"),
	       "where somebody can be asked it may be unlocked");
	tap_is(buf_text(&secret.text), "from lookup", "what it prints is the password");
	write_netrc("", 0600);
	write_tool("printf '[/org/x/1]\\nlabel = mail\\nsecret = \\n'");
	tap_ok(find(&account) == NULL && fails(EX_UNAVAILABLE, "keyring: it is locked", "unlock"), "a locked keyring is told");
	write_tool("echo hunter2; exit 1");
	tap_ok(find(&account) == NULL && fails(EX_UNAVAILABLE, "; keyring: command '", "secret-tool store"), "a failure is told, not taken");
	unsetenv("DBUS_SESSION_BUS_ADDRESS");
	setenv("XDG_RUNTIME_DIR", home, 1);
	remove_file("asked");
	tap_ok(find(&account) == NULL && fails(EX_UNAVAILABLE, "there is no D-Bus session", "DBUS_SESSION_BUS_ADDRESS") && !was_asked(""),
	       "without a session bus nobody is asked, and it is told");
	remove_file("secret-tool");
	setenv("PATH", home, 1);
	tap_ok(find(&account) == NULL && fails(EX_UNAVAILABLE, "there is no program secret-tool", "install"), "so is a missing program");
	setenv("PATH", buf_text(&path) + strlen(home) + 1, 1);
	buf_free(&path);
}

static bool
is_protected(void)
{
	struct rlimit limit = {1, 1};

	secret_protect_process();
	return prctl(PR_GET_DUMPABLE) == 0 && getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 &&
	       limit.rlim_max == 0;
}

static void
test_protection(void)
{
	struct account account = make_account("hunter2", NULL);

	tap_ok(holds_for_nobody(is_protected), "a protected process leaves no core and cannot be looked into");
	find(&account);
	secret_free(&secret);
	secret_free(&secret);
	tap_ok(secret.text.data == NULL && !secret.is_known, "freeing twice is harmless");
}

int
main(void)
{
	char *netrc;

	if (mkdtemp(home) == NULL)
		return 1;
	setenv("HOME", home, 1);
	test_order();
	test_command();
	test_netrc();
	test_file();
	test_words();
	test_credentials();
	test_keyring();
	test_prompt();
	test_prompt_ending();
	test_protection();
	netrc = file_expand_home("~/.netrc");
	unlink(netrc);
	free(netrc);
	rmdir(home);
	secret_free(&secret);
	err_clear(&err);
	return tap_end();
}
