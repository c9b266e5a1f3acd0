/* account_test.c - accounts as a whole. */

#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "conf/account.h"
#include "conf/keyword.h"
#include "conf/rcfile.h"
#include "conf/value.h"
#include "tap.h"

static void
set(struct account *account, const char *name, const char *argument)
{
	struct err err = {0};

	if (!value_set(account, str_of(name), str_of(argument), (struct origin){"file", 7}, &err))
		tap_ok(false, "%s %s: %s", name, argument, buf_text(&err.text));
	err_clear(&err);
}

static void
test_initial(void)
{
	struct account account = {0};
	bool is_anything_set = false;

	account_init(&account);
	for (size_t i = 0; i < keyword_count(); i++)
		is_anything_set = is_anything_set || account.is_set[i];
	tap_ok(!is_anything_set, "nothing is set in a new account");
	tap_ok(!account.tls && account.tls_starttls && account.tls_certcheck && account.port == 0,
	       "msmtp 6.12: TLS is off, and by STARTTLS when it is on; the port is open");
	tap_is(account.tls_trust_file, "system", "msmtp 6.13: the system's certificates are trusted");
	tap_is(account.domain, "localhost", "domain is localhost");
	tap_ok(account.auth == AUTH_OFF && account.auth_cleartext == CLEARTEXT_NEVER,
	       "authentication is off, and secrets never cross the wire in the clear");
	tap_ok(account.allow_from_override && account.remove_bcc_headers && !account.set_to_header && !account.atomic &&
	       account.chunking, "the switches are as the manual says");
	tap_ok(account.set_from_header == SWITCH_AUTO && account.set_date_header == SWITCH_AUTO &&
	       account.set_msgid_header == SWITCH_AUTO, "headers are added when they are absent");
	tap_ok(account.tls_min == 12, "TLS 1.2 is the oldest");
	tap_is(account.logfile_time_format, "%b %d %H:%M:%S", "the log has msmtp's time format");
	account_free(&account);
}

static void
test_copies(void)
{
	struct account a = {0}, b = {0}, c = {0};

	account_init(&a);
	account_init(&b);
	a.id = strdup("a");
	set(&a, "host", "one");
	set(&a, "password", "secret");
	set(&a, "tls", "on");
	set(&b, "host", "two");
	set(&b, "user", "me");
	account_copy(&c, &a);
	tap_ok(strcmp(c.host, "one") == 0 && c.host != a.host && strcmp(c.password, "secret") == 0 && c.tls,
	       "a copy has the values and owns them");
	tap_is(c.id, "a", "a copy has the name");
	set(&b, "tls_trust_file", "");
	account_override(&c, &b);
	tap_is(c.host, "two", "what is set overrides");
	tap_ok(strcmp(c.user, "me") == 0 && c.origins[0].line == 7, "what is set comes with its origin");
	tap_ok(c.tls && strcmp(c.domain, "localhost") == 0, "what is not set does not override");
	tap_is(c.tls_trust_file, "", "a setting that was emptied overrides too");
	set(&b, "user", "");
	account_override(&c, &b);
	tap_is(c.user, NULL, "a setting that was unset unsets");
	account_copy(&c, &a);
	tap_is(c.host, "one", "a copy replaces everything");
	account_free(&a);
	account_free(&b);
	account_free(&c);
	account_free(&c);
	tap_is(c.host, NULL, "an account is freed twice without harm");
}

static bool
has_line(const struct buf *b, const char *line)
{
	struct str rest = buf_str(b), found = {0};

	while (str_next_token(&rest, '\n', &found))
		if (str_equals(found, str_of(line)))
			return true;
	tap_note("no line: %s", line);
	return false;
}

static void
test_pretend(void)
{
	struct account account = {0};
	struct buf b = {0};

	account_init(&account);
	set(&account, "host", "mail.example.org");
	set(&account, "password", "hush");
	set(&account, "auth", "on");
	set(&account, "timeout", "60");
	account_print(&b, &account, false);
	tap_ok(has_line(&b, "host = mail.example.org"), "--pretend shows a text");
	tap_ok(has_line(&b, "password = *") && strstr(buf_text(&b), "hush") == NULL, "--pretend hides the password");
	tap_ok(has_line(&b, "user = (not set)"), "--pretend says what is not set");
	tap_ok(has_line(&b, "auth = choose") && has_line(&b, "timeout = 60 seconds") && has_line(&b, "source ip = (not set)") &&
	       has_line(&b, "proxy port = 0") && has_line(&b, "dsn_return = (not set)") && has_line(&b, "tls_starttls = on"),
	       "--pretend has msmtp's keys and words");
	set(&account, "auth", "off");
	set(&account, "timeout", "off");
	set(&account, "tls_trust_file", "");
	buf_clear(&b);
	account_print(&b, &account, false);
	tap_ok(has_line(&b, "auth = none") && has_line(&b, "timeout = off") && has_line(&b, "tls_trust_file = (not set)"),
	       "--pretend has msmtp's words for what is off");
	buf_free(&b);
	account_free(&account);
}

static void
test_print_config(void)
{
	struct account account = {0};
	const struct account *again = NULL;
	struct config config = {.refuses_eval = true};
	struct err err = {0};
	struct buf b = {0}, b2 = {0};

	account_init(&account);
	account.id = strdup("work");
	set(&account, "host", "mail.example.org");
	set(&account, "password", "hush");
	set(&account, "user", "\"quoted\"");
	set(&account, "from", "");
	set(&account, "passwordeval", " pass show x # y ");
	set(&account, "auth", "on");
	account_print(&b, &account, true);
	tap_ok(has_line(&b, "# file:7") && has_line(&b, "host mail.example.org"), "--print-config says where a setting comes from");
	tap_ok(has_line(&b, "# default") && has_line(&b, "tls_starttls on"), "--print-config shows defaults");
	tap_ok(has_line(&b, "# password *") && strstr(buf_text(&b), "hush") == NULL, "--print-config hides the password");
	tap_ok(config_parse(&config, "printed", buf_str(&b), &err) && config_choose(&config, "work", NULL, &again, &err),
	       "what --print-config wrote can be read back");
	tap_note("%s", buf_text(&err.text));
	tap_ok(again != NULL && strcmp(again->user, "\"quoted\"") == 0 && strcmp(again->from, "") == 0 &&
	       strcmp(again->passwordeval, " pass show x # y ") == 0 && again->auth == AUTH_ON && again->password == NULL,
	       "what was read back is the same but for secrets");
	if (again != NULL)
		account_print(&b2, again, true);
	tap_ok(strstr(buf_text(&b2), "# printed:") != NULL, "its origins are those of the copy");
	buf_free(&b);
	buf_free(&b2);
	err_clear(&err);
	config_free(&config);
	account_free(&account);
}

static void
test_temporary(void)
{
	static const unsigned short quota[] = {5, 4, 5}, policy[] = {5, 7, 1}, other[] = {5, 4, 50}, none[] = {0, 0, 0};
	struct account account = {0};

	account_init(&account);
	tap_ok(!account_treats_as_temporary(&account, quota) && !account_treats_as_temporary(&account, none),
	       "a refusal for good is one");
	set(&account, "treat_as_temporary", "5.4.5, 5.7.1");
	tap_ok(account_treats_as_temporary(&account, quota) && account_treats_as_temporary(&account, policy),
	       "the codes that are listed are for now");
	tap_ok(!account_treats_as_temporary(&account, other) && !account_treats_as_temporary(&account, none), "others are not");
	account_free(&account);
}

/* `account` as it comes out of its stored settings. */
static bool
store_and_read(struct account *again, const struct account *account)
{
	struct buf stored = {0};
	struct err err = {0};
	bool is_good;

	account_init(again);
	account_add_settings(&stored, account);
	is_good = account_read_settings(again, buf_str(&stored), &err);
	if (!is_good)
		tap_note("%s: %s", buf_text(&stored), buf_text(&err.text));
	buf_free(&stored);
	err_clear(&err);
	return is_good;
}

/* Does `name argument` survive? */
static void
survives(const char *name, const char *argument)
{
	struct account account = {0}, again = {0};
	struct buf a = {0}, b = {0};
	bool is_same = false;
	size_t row = 0;

	account_init(&account);
	set(&account, name, argument);
	keyword_find(str_of(name), &row);
	if (store_and_read(&again, &account)) {
		bool has_a = value_add(&a, &account, row, false), has_b = value_add(&b, &again, row, false);

		is_same = has_a == has_b && str_equals(buf_str(&a), buf_str(&b));
		for (size_t i = 0; i < keyword_count(); i++)
			is_same = is_same && again.is_set[i] == (i == row);
	}
	tap_ok(is_same, "%s '%s' is the same after it was stored", name, argument);
	buf_free(&a);
	buf_free(&b);
	account_free(&account);
	account_free(&again);
}

/* What has had its effect when a message is queued is not stored with it, and does not make its route another one. */
static void
is_not_stored(const char *name, const char *argument)
{
	struct account account = {0};
	struct buf stored = {0};

	account_init(&account);
	set(&account, name, argument);
	account_add_settings(&stored, &account);
	tap_ok(stored.size == 0, "%s '%s' is not stored", name, argument);
	buf_free(&stored);
	account_free(&account);
}

/* A valid value of a row without words. */
static const char *
example_of(const struct keyword *keyword)
{
	static const char *const examples[] = {
		"host", "[2001:db8::1]:587,mail.example.org",
		"tls_fingerprint", "0E:A3:01:BC:70:4C:F0:F5:B4:F6:8A:18:C7:A5:5E:41",
		"dsn_notify", "failure,delay",
		"mta_sts_connect", "[::1]:443",
		"bounce_to", "\"a\\\\b\"@example.org",
		"treat_as_temporary", "5.4.5, 5.7.1",
		"dns_server", "fe80::1%eth0@5353",
		NULL
	};

	for (const char *const *example = examples; *example != NULL; example += 2)
		if (strcmp(keyword->name, example[0]) == 0)
			return example[1];
	if (strncmp(keyword->name, "dkim_", 5) == 0 && (keyword->flags & KEYWORD_IS_PATH) == 0)
		return "b\xc3\xbc" "cher.example";
	if (keyword->type != KEYWORD_TEXT)
		return "17";
	return (keyword->flags & (KEYWORD_IS_PATH | KEYWORD_IS_FILE)) != 0 ? "/a \\n\tb\\" : " a \\n\tb\\ \"q\" \xc3\xa4 ";
}

static bool
may_be_empty(const struct keyword *keyword)
{
	bool is_text = keyword->type == KEYWORD_TEXT && keyword->words == NULL;

	return (keyword->flags & KEYWORD_NEEDS_ARGUMENT) == 0 && (is_text || keyword->empty != NULL);
}

static void
test_stored(void)
{
	for (size_t i = 0; i < keyword_count(); i++) {
		const struct keyword *keyword = keyword_at(i);

		if ((keyword->flags & (KEYWORD_IS_SECRET | KEYWORD_OF_MESSAGE)) != 0)
			continue;
		for (const struct keyword_word *word = keyword->words; word != NULL && word->word != NULL; word++)
			survives(keyword->name, word->word);
		if (keyword->words == NULL || keyword->type == KEYWORD_LONG)
			survives(keyword->name, example_of(keyword));
		if (may_be_empty(keyword))
			survives(keyword->name, "");
	}
	survives("passwordeval", "a\nb\r\n\x01\\n");
	is_not_stored("dsn_notify", "failure,delay");
	is_not_stored("dsn_return", "full");
	is_not_stored("from_full_name", "Joe");
	survives("queue_lifetime", "90");
	survives("submit_timeout", "86400");
}

static void
test_stored_paths(void)
{
	static const char *const kept[] = {"tls_trust_file", "system", "tls_trust_file", "", "logfile", "-", "tls_key_file",
	                                   "pkcs11:token=a;object=b", "socket", "/run/s", NULL};
	struct account account = {0}, again = {0};
	struct buf expected = {0};
	char *folder = getcwd(NULL, 0);

	account_init(&account);
	set(&account, "logfile", "log/a b");
	set(&account, "socket", "s");
	buf_printf(&expected, "%s/log/a b", folder);
	store_and_read(&again, &account);
	tap_is(again.logfile, buf_text(&expected), "a relative path is stored as an absolute one");
	buf_clear(&expected);
	buf_printf(&expected, "%s/s", folder);
	tap_is(again.socket, buf_text(&expected), "so is the path of a socket");
	for (size_t i = 0; kept[i] != NULL; i += 2)
		survives(kept[i], kept[i + 1]);
	free(folder);
	buf_free(&expected);
	account_free(&account);
	account_free(&again);
}

static void
test_stored_texts(void)
{
	struct account account = {0};
	struct buf b = {0};
	struct err err = {0};
	size_t row = 0;

	account_init(&account);
	account_add_settings(&b, &account);
	tap_ok(b.size == 0, "where nothing is set, nothing is stored");
	set(&account, "host", "h");
	set(&account, "passwordeval", "a\\b\nc");
	set(&account, "password", "hush");
	set(&account, "proxy_password", "hush");
	set(&account, "timeout", "off");
	set(&account, "user", "");
	account_add_settings(&b, &account);
	tap_is(buf_text(&b), "host h\ntimeout off\nuser \npasswordeval a\\\\b\\nc\n", "each setting has one line, and secrets have none");
	account_free(&account);
	account_init(&account);
	tap_ok(account_read_settings(&account, STR(""), &err), "no settings are no error");
	tap_ok(account_read_settings(&account, STR("host h\n\nkeepbcc on"), &err) && strcmp(account.host, "h") == 0 &&
	       !account.remove_bcc_headers, "a name of an older release is understood");
	keyword_find(STR("host"), &row);
	tap_is(account.origins[row].file, "command line", "they are settings of the command line again");
	for (const char *const *text = (const char *const[]){"host", "nosuch x\n", "host a\\tb\n", "host a\\", "port 0\n", " host x", NULL};
	     *text != NULL; text++) {
		tap_ok(!account_read_settings(&account, str_of(*text), &err) && err.exit_code == EX_CONFIG, "'%s' is refused", *text);
		err_clear(&err);
	}
	account_free(&account);
	buf_free(&b);
}

static void
test_forgetting(void)
{
	struct account target = {0}, nearer = {0};

	account_init(&target);
	account_init(&nearer);
	set(&target, "password", "hush");
	set(&target, "passwordexec", "cat x");
	set(&target, "user", "ann");
	account_forget_passwords(&target, &nearer, NULL);
	tap_ok(target.password != NULL && target.passwordexec != NULL, "who names no way to a password takes none away");
	set(&nearer, "passwordeval", "echo x");
	account_forget_passwords(&target, &nearer, "environment");
	tap_ok(target.password != NULL, "of another origin than that named none is forgotten");
	account_forget_passwords(&target, &nearer, NULL);
	tap_ok(target.password == NULL && target.passwordexec == NULL && strcmp(target.user, "ann") == 0,
	       "a way to the password that is nearer takes the place of all others, and of nothing else");
	account_free(&target);
	account_free(&nearer);
}

int
main(void)
{
	test_initial();
	test_copies();
	test_pretend();
	test_print_config();
	test_temporary();
	test_stored();
	test_stored_paths();
	test_stored_texts();
	test_forgetting();
	return tap_end();
}
