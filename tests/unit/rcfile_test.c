/* rcfile_test.c - where configuration files are found, how they are merged, and how an account is chosen. */

#include "config.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/rcfile.h"
#include "tap.h"

enum { NOBODY = 65534 };

static char folder[] = "/tmp/rcfile_test.XXXXXX";

static char *
path_of(const char *name)
{
	struct buf path = {0};

	buf_printf(&path, "%s/%s", folder, name);
	return buf_take(&path);
}

static void
write_file(const char *name, const char *text, mode_t mode)
{
	char *path = path_of(name);
	int fd;

	unlink(path); /* an older one may be read-only */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fchmod(fd, mode) != 0)
		tap_ok(false, "the file %s could be written", path);
	close(fd);
	free(path);
}

static int
remove_entry(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
	(void)facts;
	(void)kind;
	(void)place;
	return strcmp(path, folder) == 0 ? 0 : remove(path);
}

static void
clean_folder(void)
{
	nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static struct config
parse(const char *text, struct err *err)
{
	struct config config = {0};

	config_parse(&config, "rc", str_of(text), err);
	return config;
}

static const char choice[] =
	"account one\nfrom One@x.example\naccount wild\nfrom *@wild.example\naccount tag\nfrom one+tag@x.example\n"
	"account upper\nfrom *@Upper.example\naccount null\nfrom \"\"\naccount late\nfrom one@x.example\n"
	"account twice\nfrom two@x.example@*\naccount default\n";

static void
chooses(const char *sender, const char *expected, const char *sentence)
{
	struct err err = {0};
	struct config config = parse(choice, &err);
	const struct account *account = NULL;

	if (config_choose(&config, NULL, sender, &account, &err))
		tap_is(account->id, expected, sentence);
	else
		tap_ok(false, "%s: %s", sentence, buf_text(&err.text));
	err_clear(&err);
	config_free(&config);
}

static void
cannot_choose(const char *text, const char *id, const char *expected, const char *sentence)
{
	struct err err = {0};
	struct config config = parse(text, &err);
	const struct account *account = NULL;

	tap_ok(!config_choose(&config, id, NULL, &account, &err) && err.exit_code == EX_CONFIG && account == NULL, "%s", sentence);
	tap_is(buf_text(&err.text), expected, "... and says why");
	err_clear(&err);
	config_free(&config);
}

static void
test_choice(void)
{
	struct err err = {0};
	struct config config = {0};
	const struct account *account = NULL;

	chooses("one@X.example", "one", "msmtp 6.8: an address is compared without case");
	chooses("<one@x.example>", "one", "angle brackets do not count");
	chooses("any@wild.example", "wild", "msmtp 6.8: a pattern matches");
	chooses("any@upper.example", "default", "msmtp 6.8: a pattern is case-sensitive");
	chooses("any@Upper.example", "upper", "msmtp 6.8: a pattern matches its own case");
	chooses("one+box@x.example", "one", "msmtp 6.8: +detail is stripped when nothing else matches");
	chooses("one+tag@x.example", "one", "msmtp 6.8: the first match wins, though a later one is exact");
	chooses("two@x.example+tag", "default", "msmtp 6.8: a + behind the @ is no detail");
	chooses("+@", "default", "msmtp 6.8: a + alone before the @ is harmless");
	chooses("other@x.example", "default", "msmtp 6.8: without a match it is the default account");
	chooses("", "null", "msmtp 6.8: the null sender matches an empty from");
	chooses(NULL, "default", "msmtp 6.8: without a sender it is the default account");
	config = parse("account only\nuser me\n", &err);
	tap_ok(config_choose(&config, "only", NULL, &account, &err) && strcmp(account->user, "me") == 0,
	       "an account is chosen by its name");
	tap_ok(config_choose(&config, NULL, "x@y", &account, &err) && strcmp(account->id, "only") == 0,
	       "a single account needs no account default");
	config_free(&config);
	cannot_choose("account work\naccount home\n", NULL, "account default not found in rc; the accounts there are: work, home",
	              "several accounts and no default: they are listed");
	cannot_choose("account work\naccount home\n", "hoem", "account hoem not found in rc (did you mean 'home'?)",
	              "an unknown account is told with the nearest");
	cannot_choose("account work\n", "x", "account x not found in rc; the accounts there are: work", "an unknown account is not replaced by the only one");
	cannot_choose("", NULL, "account default not found: no account is defined in rc", "an empty file has no account");
	tap_ok(config_is_pattern("*@x") && config_is_pattern("a?@x") && config_is_pattern("[ab]@x") && !config_is_pattern("a@x") &&
	       !config_is_pattern("") && !config_is_pattern(NULL), "a from with ?, * or [ is a pattern");
}

/* The user of the account chosen from files; "error: TEXT" when there is none. */
static char *
load(const char *only_file, const char *id)
{
	char *system = path_of("etc"), *home = path_of("home"), *xdg = path_of("xdg");
	struct config_search search = {only_file, system, home, xdg};
	struct config config = {0};
	const struct account *account = NULL;
	struct err err = {0};
	struct buf result = {0};

	if (config_load(&config, &search, &err) && config_choose(&config, id, NULL, &account, &err))
		buf_add_text(&result, account->user);
	else
		buf_printf(&result, "%d: %s; hint: %s", err.exit_code, buf_text(&err.text), buf_text(&err.hint));
	err_clear(&err);
	config_free(&config);
	free(system);
	free(home);
	free(xdg);
	return buf_take(&result);
}

static void
loads(const char *only_file, const char *id, const char *expected, const char *sentence)
{
	char *got = load(only_file, id);

	tap_is(got, expected, sentence);
	free(got);
}

static void
make_folders(void)
{
	static const char *const names[] = {"etc", "home", "xdg", "xdg/mailcrane", "xdg/msmtp", "home/.config"};

	clean_folder();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = path_of(names[i]);

		mkdir(path, 0755);
		free(path);
	}
}

static void
test_search(void)
{
	char *file = path_of("other"), *missing = path_of("missing");
	struct buf expected = {0};

	make_folders();
	write_file("xdg/msmtp/config", "user xdg-msmtp\n", 0600);
	loads(NULL, NULL, "xdg-msmtp", "msmtp 6.1: the file under XDG_CONFIG_HOME is read");
	write_file("home/.msmtprc", "user home-msmtp\n", 0600);
	loads(NULL, NULL, "home-msmtp", "msmtp 6.1: ~/.msmtprc goes before it");
	write_file("xdg/mailcrane/config", "user xdg\n", 0600);
	loads(NULL, NULL, "xdg", "where a file of mailcrane exists, those of msmtp are not read");
	write_file("home/.mailcranerc", "user home\n", 0600);
	loads(NULL, NULL, "home", "~/.mailcranerc goes before the one under XDG_CONFIG_HOME");
	write_file("other", "user other\n", 0600);
	loads(file, NULL, "other", "msmtp 6.1: -C replaces the user's file");
	buf_printf(&expected, "74: configuration file %s: No such file or directory; hint: ", missing);
	loads(missing, NULL, buf_text(&expected), "msmtp 6.1: a file given with -C must be there (74)");
	write_file("etc/mailcranerc", "account s\nuser system\naccount t\nuser t\n", 0644);
	loads(file, "s", "system", "msmtp 6.1: the system's file is read beside -C");
	write_file("other", "user x\nbad\n", 0600);
	buf_clear(&expected);
	buf_printf(&expected, "78: %s:2:1: unknown command 'bad'; hint: ", file);
	loads(file, "s", buf_text(&expected), "bad content in one file spoils the other");
	free(file);
	free(missing);
	buf_free(&expected);
}

static void
test_merge(void)
{
	struct buf expected = {0};

	make_folders();
	write_file("etc/msmtprc", "account default\nuser system\ndomain system\naccount only\nuser only-system\n", 0644);
	loads(NULL, NULL, "system", "msmtp 6.7: the system's account counts where the user has no file");
	write_file("home/.msmtprc", "account default\nuser mine\naccount more\nuser more\n", 0600);
	loads(NULL, NULL, "mine", "msmtp 6.7: the user's account replaces the system's");
	loads(NULL, "only", "only-system", "msmtp 6.7: other accounts of the system stay");
	write_file("home/.msmtprc", "account u : only\n", 0600);
	buf_printf(&expected, "78: %s/home/.msmtprc:1:12: account only not (yet) defined; hint: ", folder);
	loads(NULL, NULL, buf_text(&expected), "msmtp 6.7: a user's account cannot inherit from the system's");
	buf_free(&expected);
}

static void
test_merge_order(void)
{
	char *system = path_of("etc"), *home = path_of("home");
	struct config_search search = {.system_folder = system, .home = home};
	struct config config = {0};
	struct err err = {0};

	make_folders();
	write_file("etc/mailcranerc", "account a\ndomain s\naccount b\n", 0644);
	write_file("home/.mailcranerc", "account c\naccount a\n", 0600);
	tap_ok(config_load(&config, &search, &err) && config.n_accounts == 3 && strcmp(config.accounts[0].id, "c") == 0 &&
	       strcmp(config.accounts[1].id, "a") == 0 && strcmp(config.accounts[2].id, "b") == 0,
	       "msmtp 6.7: first the user's accounts, then the system's that were not replaced");
	tap_ok(strcmp(config.accounts[1].domain, "localhost") == 0, "msmtp 6.7: an account is replaced whole");
	tap_ok(config.n_files == 3 && config.files[0].is_used && config.files[1].is_used && !config.files[2].exists,
	       "the files looked for are known in their order");
	err_clear(&err);
	config_free(&config);
	free(system);
	free(home);
}

/* Run `check` as nobody where the test runs as root (who may read everything), else as it is. */
static void
as_nobody(void (*check)(void))
{
	uid_t before = geteuid();

	if (before == 0 && seteuid(NOBODY) != 0)
		tap_ok(false, "the test can become another user");
	check();
	if (before == 0 && seteuid(before) != 0)
		abort();
}

static void
give_to_nobody(const char *name)
{
	char *path = path_of(name);

	if (geteuid() == 0 && chown(path, NOBODY, NOBODY) != 0)
		tap_ok(false, "the test can give a file away");
	free(path);
}

static void
check_closed(void)
{
	char *got = load(NULL, NULL);

	tap_ok(strstr(got, "home/.msmtprc: contains secrets and therefore must have no more than user read/write permissions: mode 0640"
	              "; hint: chmod 600 ") != NULL && strncmp(got, "78: ", 4) == 0,
	       "msmtp 6.17: a file with a password that others may read is refused");
	tap_note("%s", got);
	free(got);
}

static void
check_open(void)
{
	loads(NULL, NULL, "me", "msmtp 6.17: a file with a password that only its owner may read is used");
}

static void
check_harmless(void)
{
	loads(NULL, NULL, "me", "msmtp 6.17: a file without a password may be readable");
}

static void
check_no_eval(void)
{
	char *got = load(NULL, NULL), *trace = path_of("home/trace");

	tap_ok(strstr(got, "contains secrets") != NULL && access(trace, F_OK) != 0, "permissions are checked before eval runs");
	free(got);
	free(trace);
}

static void
check_owner(void)
{
	char *got = load(NULL, NULL);

	tap_ok(strstr(got, "contains secrets and therefore must be owned by you: its owner is uid 0") != NULL,
	       "msmtp 6.17: a file with a password that belongs to another is refused");
	free(got);
}

static void
check_refused(void)
{
	char *got = load(NULL, NULL);

	tap_ok(strncmp(got, "78: cannot read configuration file ", 35) == 0 && strstr(got, "etc/mailcranerc: Permission denied") != NULL &&
	       strstr(got, "uid 65534 may not read it: owner 0, mode 0600") != NULL && strstr(got, "not found") == NULL &&
	       got[strlen(got) - 1] != ' ',
	       "a file that may not be read is never told as an account that was not found");
	tap_note("%s", got);
	free(got);
	got = load(NULL, "work");
	tap_ok(strncmp(got, "78: account work: cannot read configuration file ", 49) == 0,
	       "nor when an account was asked for by name");
	free(got);
}

/* The user's file, nobody's own. */
static void
write_private(const char *text, mode_t mode)
{
	write_file("home/.msmtprc", text, mode);
	give_to_nobody("home/.msmtprc");
}

static void
test_permissions(void)
{
	struct buf text = {0};

	make_folders();
	chmod(folder, 0755);
	write_private("user me\npassword x\n", 0640);
	give_to_nobody("home");
	as_nobody(check_closed);
	write_private("user me\npassword x\n", 0600);
	as_nobody(check_open);
	write_private("user me\npassword x\n", 0400);
	as_nobody(check_open);
	write_private("user me\npassword\npasswordeval x\n", 0644);
	as_nobody(check_harmless);
	write_private("user me\neval echo password x\n", 0644);
	as_nobody(check_harmless);
	buf_printf(&text, "eval echo user me; touch %s/home/trace\npassword x\n", folder);
	write_private(buf_text(&text), 0644);
	as_nobody(check_no_eval);
	write_file("etc/msmtprc", "user me\npassword x\n", 0644);
	write_private("", 0600);
	as_nobody(check_harmless);
	if (geteuid() == 0) {
		write_file("home/.msmtprc", "user me\npassword x\n", 0644);
		loads(NULL, NULL, "me", "msmtp 6.17: root may have it as it likes");
		make_folders();
		write_file("home/.msmtprc", "user me\npassword x\n", 0444);
		as_nobody(check_owner);
		make_folders();
		write_file("etc/mailcranerc", "account work\naccount b\n", 0600);
		as_nobody(check_refused);
	}
	buf_free(&text);
}

static void
test_unreadable(void)
{
	char *file = path_of("home/.mailcranerc"), *got = NULL;

	make_folders();
	mkdir(file, 0755);
	write_file("etc/mailcranerc", "account default\nuser system\n", 0644);
	loads(NULL, NULL, "system", "msmtp 6.1: a user's file that cannot be read is passed over");
	got = load(file, NULL);
	tap_ok(strncmp(got, "74: ", 4) == 0 && strstr(got, "Is a directory") != NULL, "msmtp 6.1: with -C it is an error (74)");
	tap_note("%s", got);
	free(got);
	rmdir(file);
	make_folders();
	got = load(NULL, NULL);
	tap_ok(strncmp(got, "78: account default not found: no configuration file available; hint: looked for ", 81) == 0,
	       "where there is no file at all, the places are listed");
	free(got);
	free(file);
}

static void
test_environment(void)
{
	struct account account = {0};
	struct err err = {0};

	unsetenv("SMTPSERVER");
	setenv("EMAIL", "me@x.example", 1);
	tap_ok(!config_from_environment(&account, &err) && !err_is_set(&err), "msmtp 6.11: without SMTPSERVER there is no account");
	setenv("SMTPSERVER", "mail.x.example", 1);
	tap_ok(config_from_environment(&account, &err) && strcmp(account.host, "mail.x.example") == 0 &&
	       strcmp(account.from, "me@x.example") == 0 && strcmp(account.origins[0].file, "environment") == 0,
	       "msmtp 6.11: SMTPSERVER is the host and EMAIL the sender");
	account_free(&account);
	unsetenv("EMAIL");
	tap_ok(config_from_environment(&account, &err) && account.from == NULL, "msmtp 6.11: EMAIL may be absent");
	account_free(&account);
	setenv("SMTPSERVER", "a\nb", 1);
	tap_ok(!config_from_environment(&account, &err) && err.exit_code == EX_CONFIG, "a value that cannot be used is told");
	err_clear(&err);
	account_free(&account);
}

int
main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	test_choice();
	test_search();
	test_merge();
	test_merge_order();
	test_permissions();
	test_unreadable();
	test_environment();
	clean_folder();
	rmdir(folder);
	return tap_end();
}
