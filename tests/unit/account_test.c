/* account_test.c - accounts as a whole. */

#include "config.h"

#include <stdlib.h>

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

int
main(void)
{
	test_initial();
	test_copies();
	test_pretend();
	test_print_config();
	return tap_end();
}
