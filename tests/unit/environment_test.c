/* environment_test.c - behaviour of conf/environment.c. */

#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/environment.h"
#include "conf/keyword.h"
#include "tap.h"

static struct environment environment;
static struct err err;

/* A URL alone, and whether it is taken. */
static bool
takes(struct account *account, const char *url)
{
	err_clear(&err);
	account_free(account);
	account_init(account);
	return environment_read_url(account, str_of(url), &err);
}

static void
test_schemes(void)
{
	struct account account = {0};

	tap_ok(takes(&account, "smtps://smtp.example.org") && account.tls && !account.tls_starttls && account.auth == AUTH_OFF &&
	               account.port == 0 && account.user == NULL,
	       "smtps:// is TLS from the first byte, and without a user nobody logs in");
	tap_ok(takes(&account, "smtp://smtp.example.org/") && !account.tls && account.port == 0, "smtp:// is without TLS");
	tap_ok(takes(&account, "smtp+tls://smtp.example.org") && account.tls && account.tls_starttls && account.port == 587,
	       "smtp+tls:// is STARTTLS at port 587");
	tap_ok(takes(&account, "SMTP+TLS://smtp.example.org:2525") && account.port == 2525, "a port that is given counts");
	tap_ok(takes(&account, "lmtp://store:24") && account.protocol == PROTOCOL_LMTP, "lmtp:// is LMTP");
	tap_ok(takes(&account, "smtps://[2001:db8::1]:465") && strcmp(account.host, "2001:db8::1") == 0 && account.port == 465,
	       "an IPv6 address stands in brackets");
	account_free(&account);
}

static void
test_user(void)
{
	struct account account = {0};

	tap_ok(takes(&account, "smtps://joe@smtp.example.org") && account.auth == AUTH_ON && account.password == NULL,
	       "a user logs in, and the password may come from elsewhere");
	tap_is(account.user, "joe", "the user is what stands before '@'");
	tap_ok(takes(&account, "smtps://joe%40example.org:p%3aw%2F%25@h") && strcmp(account.user, "joe@example.org") == 0,
	       "the user is decoded");
	tap_is(account.password, "p:w/%", "the password is decoded");
	tap_ok(takes(&account, "smtps://joe@example.org:a:b@h") && strcmp(account.user, "joe@example.org") == 0 &&
	               strcmp(account.host, "h") == 0,
	       "the last '@' stands before the host, and the first ':' behind the user");
	tap_is(account.password, "a:b", "the password may have a ':'");
	account_free(&account);
}

static void
test_refused(void)
{
	static const char *const urls[] = {
		"http://hunter2@h", "hunter2", "smtps:/hunter2@h", "smtps://joe:hunter2@", "smtps://:hunter2@h", "smtps://@h", "smtps://",
		"smtps://joe:hunter2/x@h", "smtps://joe:hunter2@h/x", "smtps://joe:hunter2@h?tls=off", "smtps://joe:hunter2@h#x",
		"smtps://joe:%zzhunter2@h", "smtps://joe:hunter2%2@h", "smtps://joe:hunter2%00@h", "smtps://joe:hunter2@h:0",
		"smtps://joe:hunter2@h:65536", "smtps://joe:hunter2@[::1", "smtps://joe:hunter2@[::1]x", "smtps://h:hunter2",
	};
	struct account account = {0};

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		bool is_refused = !takes(&account, urls[i]) && err.exit_code == EX_CONFIG && err.hint.size > 0;

		tap_ok(is_refused && strstr(buf_text(&err.text), "hunter2") == NULL && strstr(buf_text(&err.hint), "hunter2") == NULL,
		       "refused without a word of it: URL %zu (%s)", i, buf_text(&err.text));
	}
	account_free(&account);
}

/* Nothing of ours in the environment. */
static void
begin(void)
{
	for (size_t i = 0; environ[i] != NULL;) {
		char *name = mem_copy(environ[i], strcspn(environ[i], "="));

		if (strncmp(name, "MAILCRANE_", 10) == 0)
			unsetenv(name);
		else
			i++;
		free(name);
	}
	environment_free(&environment);
}

static void
test_variables(void)
{
	size_t row = 0;

	begin();
	environment_take(&environment);
	tap_ok(!environment.is_used && !environment.has_url, "without variables nothing is used");
	setenv("MAILCRANE_FROM", "joe@example.org", 1);
	setenv("MAILCRANE_TLS_TRUST_FILE", "/ca.pem", 1);
	setenv("MAILCRANE_USER", "", 1);
	setenv("MAILCRANE_CONNECT_TIMEOUT", "7", 1);
	environment_take(&environment);
	tap_ok(environment.is_used && !environment.has_url && strcmp(environment.settings.from, "joe@example.org") == 0 &&
	               strcmp(environment.settings.tls_trust_file, "/ca.pem") == 0,
	       "a setting is the variable of its name in capitals");
	keyword_find(STR("from"), &row);
	tap_is(environment.settings.origins[row].file, "environment", "its origin is the environment");
	tap_ok(environment.settings.timeout == 7, "so is an old name");
	keyword_find(STR("user"), &row);
	tap_ok(!environment.settings.is_set[row], "an empty variable counts as none");
	begin();
	setenv("MAILCRANE_URL", "smtps://joe@h:465", 1);
	setenv("MAILCRANE_PORT", "2465", 1);
	environment_take(&environment);
	tap_ok(environment.has_url && environment.settings.port == 2465, "a variable comes before what the URL says");
	begin();
	setenv("MAILCRANE_PORT", "0", 1);
	setenv("MAILCRANE_TLS", "perhaps", 1);
	environment_take(&environment);
	tap_ok(environment.fault.exit_code == EX_CONFIG && strncmp(buf_text(&environment.fault.text), "MAILCRANE_", 10) == 0,
	       "a value that cannot be used is kept as the fault of its variable: %s", buf_text(&environment.fault.text));
}

static void
test_unknown(void)
{
	begin();
	setenv("MAILCRANE_HOTS", "h", 1);
	setenv("MAILCRANE_PEERS", "/p", 1);
	setenv("MAILCRANE_from", "x", 1);
	setenv("MAILCRANE_ENVIRONMENT", "on", 1);
	environment_take(&environment);
	tap_ok(strstr(buf_text(&environment.warnings), "MAILCRANE_HOTS is the variable of no setting (did you mean MAILCRANE_HOST?)\n") != NULL,
	       "an unknown variable is told with the nearest one");
	tap_ok(strstr(buf_text(&environment.warnings), "PEERS") == NULL, "but not one of the build and the tests");
	tap_ok(strstr(buf_text(&environment.warnings), "MAILCRANE_from is") != NULL, "names are in capitals");
	tap_ok(strstr(buf_text(&environment.warnings), "MAILCRANE_ENVIRONMENT is") != NULL && !environment.settings.environment,
	       "a setting for the system's file is no variable");
	tap_ok(!environment.is_used, "what is unknown is not used");
	unsetenv("MAILCRANE_HOTS");
	unsetenv("MAILCRANE_PEERS");
	unsetenv("MAILCRANE_from");
	environment_free(&environment);
}

/* MAILCRANE_ and the name of the setting in capitals, until the next call. */
static const char *
variable_of(const struct keyword *keyword)
{
	static struct buf name;

	buf_clear(&name);
	buf_add_text(&name, "MAILCRANE_");
	for (const char *c = keyword->name; *c != '\0'; c++)
		buf_add_char(&name, *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
	return buf_text(&name);
}

static void
test_hiding(void)
{
	char password[] = "MAILCRANE_PASSWORD=hunter2", url[] = "MAILCRANE_URL=smtps://joe:hunter2@h";

	begin();
	putenv(password);
	putenv(url);
	setenv("MAILCRANE_PASSWORD_FILE", "/hunter2", 1);
	setenv("MAILCRANE_PASSWORDEVAL", "echo hunter2", 1);
	setenv("MAILCRANE_PROXY_PASSWORD", "hunter2", 1);
	setenv("MAILCRANE_DOMAIN", "kept", 1);
	for (size_t row = 0; row < keyword_count(); row++)
		if ((keyword_at(row)->flags & (KEYWORD_IS_SECRET | KEYWORD_IS_PASSWORD)) != 0)
			setenv(variable_of(keyword_at(row)), "hunter2", 0);
	setenv("MAILCRANE_TLS_KEY_PASSWORDS", "hunter2", 1);
	environment_take(&environment);
	tap_is(environment.settings.password, "hunter2", "the password is taken");
	for (size_t row = 0; row < keyword_count(); row++)
		if ((keyword_at(row)->flags & (KEYWORD_IS_SECRET | KEYWORD_IS_PASSWORD)) != 0)
			tap_ok(getenv(variable_of(keyword_at(row))) == NULL, "no child will find %s in its environment",
			       variable_of(keyword_at(row)));
	tap_ok(getenv("MAILCRANE_TLS_KEY_PASSWORDS") == NULL, "nor a variable whose name is only meant to be such a one");
	tap_ok(getenv("MAILCRANE_PASSWORD") == NULL && getenv("MAILCRANE_URL") == NULL && getenv("MAILCRANE_PASSWORD_FILE") == NULL &&
	               getenv("MAILCRANE_PASSWORDEVAL") == NULL && getenv("MAILCRANE_PROXY_PASSWORD") == NULL,
	       "no child will find it in its environment");
	tap_ok(password[sizeof("MAILCRANE_PASSWORD=") - 1] == '\0' && url[sizeof("MAILCRANE_URL=") - 1] == '\0' &&
	               memmem(url, sizeof(url), "hunter2", 7) == NULL,
	       "what the variables held is overwritten where it stood");
	tap_is(getenv("MAILCRANE_DOMAIN"), "kept", "other variables stay");
	begin();
}

static void
set_variable(const char *name, const char *value)
{
	char variable[64];

	snprintf(variable, sizeof(variable), "MAILCRANE_%s", name);
	setenv(variable, value, 1);
}

/* The account of "joe" at "h", by the proxy "p" with the key "k", with what the variables lend. */
static const struct account *
lend(void)
{
	static struct account account;

	account_free(&account);
	account_init(&account);
	account.host = strdup("h");
	account.user = strdup("joe");
	account.proxy_host = strdup("p");
	account.tls_key_file = strdup("k");
	environment_take(&environment);
	environment_lend_secrets(&environment, &account);
	return &account;
}

/* What is left of the password of variables for host and user. */
static const char *
lent(const char *host, const char *user)
{
	const struct account *account;

	begin();
	set_variable("PASSWORD", "hunter2");
	if (host != NULL)
		set_variable("HOST", host);
	if (user != NULL)
		set_variable("USER", user);
	account = lend();
	return account->password == NULL ? "none" : account->password;
}

/* The account when `secret` is a variable, and perhaps one that says what it is for. */
static const struct account *
lent_beside(const char *secret, const char *name, const char *value)
{
	begin();
	set_variable(secret, "hunter2");
	if (name != NULL)
		set_variable(name, value);
	return lend();
}

static void
test_lending(void)
{
	tap_is(lent("h", "joe"), "hunter2", "a secret is lent to the account that the variables are about");
	tap_is(lent(NULL, NULL), "hunter2", "and to any where they name none");
	tap_is(lent("other", "joe"), "none", "but not to one at another host");
	tap_is(lent("h", "ann"), "none", "nor to one of another user");
	tap_is(lent_beside("PROXY_PASSWORD", NULL, NULL)->proxy_password, "hunter2", "the password of a proxy is lent where no proxy is named");
	tap_is(lent_beside("PROXY_PASSWORD", "PROXY_HOST", "p")->proxy_password, "hunter2", "and where this one is");
	tap_ok(lent_beside("PROXY_PASSWORD", "PROXY_HOST", "other")->proxy_password == NULL, "but not to another proxy");
	tap_ok(lent_beside("PROXY_PASSWORD", "PROXY_USER", "ann")->proxy_password == NULL, "nor for another user there");
	tap_is(lent_beside("TLS_KEY_PASSWORD", "TLS_KEY_FILE", "k")->tls_key_password, "hunter2", "the passphrase of a key is lent for this key");
	tap_ok(lent_beside("TLS_KEY_PASSWORD", "TLS_KEY_FILE", "other")->tls_key_password == NULL, "and for no other");
	lent("other", NULL);
	begin();
}

static bool
allows(const char *path, const char *text, mode_t mode)
{
	struct err ignored = {0};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	file_write_all(fd, text, strlen(text), path, &ignored);
	fchmod(fd, mode);
	close(fd);
	return environment_is_allowed(path);
}

static void
test_permission(void)
{
	char path[] = "/tmp/environment_test.XXXXXX";

	close(mkstemp(path));
	if (geteuid() == 0) {
		tap_ok(allows(path, "environment on\n", 0644), "root's file can allow variables");
		tap_ok(!allows(path, "# environment on\nenvironment off\n", 0644), "by 'on' only");
		tap_ok(!allows(path, "environment on\naccount x\nenvironment off\n", 0644), "the last line counts");
		tap_ok(!allows(path, "environment on\n", 0664) && !allows(path, "environment on\n", 0646),
		       "a file that others can write allows nothing");
		chown(path, 65534, 65534) == 0 ? (void)0 : tap_note("cannot give the file away");
	}
	tap_ok(!allows(path, "environment on\n", 0644), "a file of somebody else allows nothing");
	unlink(path);
	tap_ok(!environment_is_allowed(path), "no file allows nothing");
}

int
main(void)
{
	test_schemes();
	test_user();
	test_refused();
	test_variables();
	test_unknown();
	test_hiding();
	test_lending();
	test_permission();
	err_clear(&err);
	environment_free(&environment);
	return tap_end();
}
