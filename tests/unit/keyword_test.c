/* keyword_test.c - the table of settings, and single values. */

#include "config.h"

#include <stdlib.h>

#include "conf/keyword.h"
#include "conf/value.h"
#include "tap.h"

static const struct origin here = {"test", 1};

/* The value of a setting after `name argument`, or the error. */
static char *
value_after(const char *name, const char *argument, const char *shown)
{
	struct account account = {0};
	struct err err = {0};
	struct buf value = {0};
	size_t row = 0;

	account_init(&account);
	if (!value_set(&account, str_of(name), str_of(argument), here, &err))
		buf_printf(&value, "%s", buf_text(&err.text));
	else if (keyword_find(str_of(shown), &row) == NULL || !value_add(&value, &account, row, false))
		buf_add_text(&value, "(not set)");
	err_clear(&err);
	account_free(&account);
	return buf_take(&value);
}

static void
is_value(const char *name, const char *argument, const char *expected, const char *sentence)
{
	char *value = value_after(name, argument, name);

	tap_is(value, expected, sentence);
	free(value);
}

static void
is_other(const char *name, const char *argument, const char *setting, const char *expected)
{
	char *value = value_after(name, argument, setting);
	struct buf sentence = {0};

	buf_printf(&sentence, "msmtp 6.2: '%s %s' means '%s %s'", name, argument, setting, expected);
	tap_is(value, expected, buf_text(&sentence));
	buf_free(&sentence);
	free(value);
}

static void
test_table(void)
{
	bool is_unique = true, is_parsed = true, has_help = true, is_found = true, has_argument = true;

	for (size_t i = 0; i < keyword_count(); i++) {
		const struct keyword *row = keyword_at(i);
		size_t found = 0;
		struct account account = {0};
		struct err err = {0};

		is_found = is_found && keyword_find(str_of(row->name), &found) == row && found == i;
		has_help = has_help && row->help != NULL && row->help[0] != '\0';
		has_argument = has_argument && (row->metavar != NULL || row->words != NULL);
		for (size_t j = 0; j < i; j++)
			if (keyword_at(j)->offset == row->offset || (row->letter != 0 && keyword_at(j)->letter == row->letter))
				is_unique = false;
		account_init(&account);
		if (row->initial != NULL && !value_set(&account, str_of(row->name), str_of(row->initial), here, &err)) {
			is_parsed = false;
			tap_note("%s", buf_text(&err.text));
		}
		err_clear(&err);
		account_free(&account);
	}
	tap_ok(is_found, "every row is found by its name");
	tap_ok(is_unique, "no two rows share a field or a letter");
	tap_ok(is_parsed, "every built-in value can be written in a file");
	tap_ok(has_help, "every row has a line of help");
	tap_ok(has_argument, "every row has a name for its argument");
}

static void
test_names(void)
{
	static const char *const msmtp[] = {
		"host", "port", "timeout", "connect_timeout", "protocol", "domain", "source_ip", "proxy_host", "proxy_port",
		"socket", "auth", "user", "password", "passwordeval", "ntlmdomain", "tls", "tls_starttls", "tls_trust_file",
		"tls_crl_file", "tls_fingerprint", "tls_key_file", "tls_cert_file", "tls_certcheck", "tls_priorities",
		"tls_host_override", "tls_min_dh_prime_bits", "from", "from_full_name", "allow_from_override", "auto_from",
		"maildomain", "dsn_notify", "dsn_return", "set_from_header", "set_date_header", "set_msgid_header",
		"set_to_header", "remove_bcc_headers", "logfile", "logfile_time_format", "syslog", "aliases",
		"undisclosed_recipients", "add_missing_from_header", "add_missing_date_header", "keepbcc", "tls_nocertcheck",
		"tls_nostarttls", "tls_force_sslv3"
	};
	bool is_known = true;

	for (size_t i = 0; i < sizeof(msmtp) / sizeof(msmtp[0]); i++)
		if (!keyword_is_known(str_of(msmtp[i]))) {
			is_known = false;
			tap_note("%s", msmtp[i]);
		}
	tap_ok(is_known, "msmtp 6.2: every keyword of msmtp is known");
	tap_is(keyword_nearest(STR("tsl")), "tls", "the nearest word to 'tsl' is 'tls'");
	tap_is(keyword_nearest(STR("TLS")), "tls", "the nearest word to 'TLS' is 'tls'");
	tap_is(keyword_nearest(STR("passwordval")), "passwordeval", "the nearest word to 'passwordval' is 'passwordeval'");
	tap_is(keyword_nearest(STR("zzz")), NULL, "no word is near to 'zzz'");
	tap_is(keyword_nearest(STR("")), NULL, "no word is near to nothing");
	is_value("tsl", "on", "unknown command 'tsl' (did you mean 'tls'?)", "msmtp 6.2: an unknown word is named, with the nearest");
	is_value("TLS", "on", "unknown command 'TLS' (did you mean 'tls'?)", "msmtp 6.3: names are case-sensitive");
	is_other("connect_timeout", "7", "timeout", "7");
	is_other("keepbcc", "on", "remove_bcc_headers", "off");
	is_other("keepbcc", "off", "remove_bcc_headers", "on");
	is_other("keepbcc", "", "remove_bcc_headers", "off");
	is_other("add_missing_from_header", "off", "set_from_header", "off");
	is_other("add_missing_from_header", "", "set_from_header", "auto");
	is_other("add_missing_date_header", "off", "set_date_header", "off");
	is_other("tls_nocertcheck", "", "tls_certcheck", "off");
	is_other("tls_nostarttls", "", "tls_starttls", "off");
	is_other("tls_force_sslv3", "on", "tls", "off");
	is_value("tls_nocertcheck", "on", "tls_nocertcheck: takes no argument", "msmtp 6.2: tls_nocertcheck takes no argument");
	is_value("keepbcc", "yes", "keepbcc: the argument is neither on nor off", "an old switch is on or off");
}

static void
test_places(void)
{
	static const char *const good[] = {"192.0.2.1:443", "[2001:db8::1]:8443", "127.0.0.1:65535"};
	static const char *const bad[] = {"192.0.2.1", ":443", "192.0.2.1:0", "192.0.2.1:65536", "2001:db8::1:443", "[192.0.2.1]:443",
	                                  "mta-sts.example.org:443", "[]:443", "192.0.2.1:", "192.0.2.1 :443"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		is_value("mta_sts_connect", good[i], good[i], "mta_sts_connect is an address and a port");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct account account = {0};
		struct err err = {0};

		account_init(&account);
		tap_ok(!value_set(&account, STR("mta_sts_connect"), str_of(bad[i]), here, &err) &&
		               strstr(buf_text(&err.text), "an address and a port, such as 192.0.2.1:443") != NULL,
		       "mta_sts_connect is not '%s'", bad[i]);
		err_clear(&err);
		account_free(&account);
	}
}

static void
test_durations(void)
{
	static const char fault[] = "is not a time such as 90s, 30m, 12h or 5d";
	struct account account = {0};
	struct buf expected = {0};

	is_value("queue_lifetime", "90", "90s", "a time without a unit is in seconds");
	is_value("queue_lifetime", "90s", "90s", "90s");
	is_value("queue_lifetime", "30m", "30m", "30m");
	is_value("queue_lifetime", "12h", "12h", "12h");
	is_value("queue_lifetime", "5d", "5d", "5d");
	is_value("queue_lifetime", "2w", "14d", "two weeks are 14 days");
	is_value("queue_lifetime", "120", "2m", "a time is shown in the largest unit that fits");
	is_value("queue_lifetime", "172800", "2d", "also in days");
	is_value("queue_lifetime", "090", "90s", "a time is decimal, whatever it begins with");
	is_value("queue_lifetime", "2147483647", "2147483647s", "the longest time");
	is_value("submit_timeout", "off", "off", "submit_timeout can be off");
	is_value("submit_timeout", "1m", "1m", "submit_timeout has units");
	is_value("submit_timeout", "0", "submit_timeout: '0' is not a time such as 90s, 30m, 12h or 5d and not 'off'",
	         "submit_timeout 0 is refused");
	is_value("queue_lifetime", "", "queue_lifetime: an argument is missing", "an empty time is refused");
	for (const char *const *argument = (const char *const[]){"0", "0d", "d", "-1", "+1", "5x", "5D", "1h30m", "5 d", "0x10", "1.5h",
	     "off", "2147483648", "24856d", "99999999999999999999d", NULL}; *argument != NULL; argument++) {
		buf_clear(&expected);
		buf_printf(&expected, "queue_lifetime: '%s' %s", *argument, fault);
		is_value("queue_lifetime", *argument, buf_text(&expected), "what is no time is refused");
	}
	account_init(&account);
	tap_ok(account.queue_lifetime == 5 * 86400 && account.submit_timeout == 30, "the units are right: 5 d and 30 s");
	account_free(&account);
	buf_free(&expected);
}

static void
test_queue(void)
{
	static const char bounce_fault[] = "local, sender, or an address with a domain";
	static const char code_fault[] = "a list of enhanced codes that begin with 5, such as 5.4.5 5.7.1";
	struct account account = {0};
	struct err err = {0};
	struct buf expected = {0};

	is_value("queue", "always", "always", "queue always");
	is_value("queue", "maybe", "queue: 'maybe' is not one of: on off always", "queue has three words");
	is_value("queue_dir", "/var/q", "/var/q", "queue_dir is a path");
	is_value("queue_dir", "q", "queue_dir: 'q' is not an absolute path", "a queue that depends on the working directory is refused");
	is_value("queue_dir", "~q", "queue_dir: '~q' is not an absolute path", "so is one of somebody's home");
	is_value("bounce_to", "sender", "sender", "bounce_to sender");
	is_value("bounce_to", "joe@example.org", "joe@example.org", "bounce_to an address");
	is_value("bounce_to", "", "local", "bounce_to nothing is local");
	for (const char *const *argument = (const char *const[]){"joe", "Local", "a b@c", "@c", "a@", NULL}; *argument != NULL;
	     argument++) {
		buf_clear(&expected);
		buf_printf(&expected, "bounce_to: '%s' is not %s", *argument, bounce_fault);
		is_value("bounce_to", *argument, buf_text(&expected), "what is no address is refused");
	}
	is_value("treat_as_temporary", "5.4.5, 5.7.1,5.2.100", "5.4.5, 5.7.1,5.2.100", "codes with blanks and commas");
	is_value("treat_as_temporary", "", "(not set)", "an empty list unsets");
	is_value("dkim_domain", "example.org", "example.org", "dkim_domain is a domain");
	is_value("dkim_selector", "mail._2027", "mail._2027", "dkim_selector is a part of one");
	is_value("dkim_selector", "a;b", "dkim_selector: 'a;b' is not a domain name, or a part of one", "no tag can be added by it");
	is_value("dkim_domain", "", "(not set)", "an empty dkim_domain unsets");
	is_value("identity", "ops@example.org", "ops@example.org", "identity can be an address");
	is_value("identity", "root=a@x.example *=b@x.example", "root=a@x.example *=b@x.example", "identity can be a list of rules");
	is_value("identity", "off", "(not set)", "identity off unsets");
	is_value("identity", "", "identity: an argument is missing", "identity needs an argument");
	is_value("identity", "root", "identity: 'root' is not off, an address with a domain, or NAME=ADDRESS and *=ADDRESS, "
	         "each name once", "identity is no name");
	for (const char *const *argument = (const char *const[]){"4.4.5", "550", "5.4", "5.4.5.6", "5.4.5x", "5..5", "5.04.5", "5.4.1000",
	     "5.x.1", NULL}; *argument != NULL; argument++) {
		buf_clear(&expected);
		buf_printf(&expected, "treat_as_temporary: '%s' is not %s", *argument, code_fault);
		is_value("treat_as_temporary", *argument, buf_text(&expected), "what is no such code is refused");
	}
	for (const char *const *argument = (const char *const[]){"192.0.2.1", "127.0.0.1@5353", "2001:db8::53", "::1@65535",
	     "fe80::1%eth0@53", NULL}; *argument != NULL; argument++)
		is_value("dns_server", *argument, *argument, "dns_server is an address, perhaps with a port");
	is_value("dns_server", "", "(not set)", "an empty dns_server unsets");
	for (const char *const *argument = (const char *const[]){"ns.example.org", "192.0.2.1:53", "192.0.2.1@", "192.0.2.1@0",
	     "192.0.2.1@65536", "@53", "192.0.2.1%eth0", "1.2", "192.0.2.1 192.0.2.2", NULL}; *argument != NULL; argument++) {
		buf_clear(&expected);
		buf_printf(&expected, "dns_server: '%s' is not an address, perhaps with a port behind: 192.0.2.1, 127.0.0.1@5353, "
		           "2001:db8::53", *argument);
		is_value("dns_server", *argument, buf_text(&expected), "what is no address is refused");
	}
	is_value("dns_trust_anchor", "/etc/anchor", "/etc/anchor", "dns_trust_anchor is a path");
	is_value("dns_trust_anchor", "", "", "an empty dns_trust_anchor is none");
	account_init(&account);
	value_set(&account, STR("queue_dir"), STR("~/q"), here, &err);
	tap_ok(account.queue_dir != NULL && account.queue_dir[0] != '~', "~/ is the home directory");
	account_free(&account);
	account_init(&account);
	tap_ok(account.queue == QUEUE_ON && account.queue_dir == NULL && account.queue_lanes == 2 && account.max_connections == 2 &&
	       account.pipeline_depth == 1 && strcmp(account.bounce_to, "local") == 0 && account.treat_as_temporary == NULL,
	       "the queue is on, with the defaults of the manual");
	account_free(&account);
	buf_free(&expected);
}

static void
test_numbers(void)
{
	is_value("port", "587", "587", "a port is a number");
	is_value("port", "0x1A", "26", "msmtp 6.2: 0x1A is 26");
	is_value("port", "025", "21", "msmtp 6.2: 025 is 21, in octal");
	is_value("port", "0587", "port: '0587' is not a number from 1 to 65535", "msmtp 6.2: 0587 is no octal number");
	is_value("port", "0", "port: '0' is not a number from 1 to 65535", "port 0 is refused");
	is_value("port", "65535", "65535", "port 65535 is the last");
	is_value("port", "65536", "port: '65536' is not a number from 1 to 65535", "port 65536 is refused");
	is_value("port", "-1", "port: '-1' is not a number from 1 to 65535", "a sign is refused");
	is_value("port", "+1", "port: '+1' is not a number from 1 to 65535", "a plus is refused");
	is_value("port", "25x", "port: '25x' is not a number from 1 to 65535", "something behind the number is refused");
	is_value("port", "99999999999999999999", "port: '99999999999999999999' is not a number from 1 to 65535",
	         "a number beyond all types is refused");
	is_value("timeout", "off", "off", "a timeout can be off");
	is_value("timeout", "60", "60", "a timeout is in seconds");
	is_value("timeout", "0", "timeout: '0' is not a number of at least 1 and not 'off'", "a timeout of 0 is refused");
	is_value("pipeline_depth", "100", "100", "pipeline_depth goes up to 100");
	is_value("pipeline_depth", "101", "pipeline_depth: '101' is not a number from 1 to 100", "pipeline_depth 101 is refused");
	is_value("queue_lanes", "20", "20", "queue_lanes goes up to 20");
	is_value("queue_lanes", "0", "queue_lanes: '0' is not a number from 1 to 20", "queue_lanes 0 is refused");
	is_value("max_connections", "21", "max_connections: '21' is not a number from 1 to 20", "max_connections 21 is refused");
	is_value("proxy_port", "", "(not set)", "msmtp 6.4: an empty proxy_port unsets it");
	is_value("tls_min_dh_prime_bits", "", "(not set)", "msmtp 6.4: an empty tls_min_dh_prime_bits unsets it");
	is_value("max_message_size", "5000000000", "5000000000", "a size may be larger than 32 bits");
	is_value("max_message_size", "unlimited", "unlimited", "a size can be unlimited");
}

static void
test_words(void)
{
	static const char *const methods[] = {
		"on", "off", "plain", "login", "external", "cram-md5", "digest-md5", "scram-sha-1", "scram-sha-1-plus",
		"scram-sha-256", "scram-sha-256-plus", "gssapi", "oauthbearer", "xoauth2", "ntlm"
	};
	bool is_same = true;

	is_value("tls", "", "on", "msmtp 6.4: an empty argument switches on");
	is_value("tls_certcheck", "off", "off", "a switch can be off");
	is_value("tls", "On", "tls: 'On' is not one of: on off", "msmtp 6.3: on and off are case-sensitive");
	is_value("tls", "yes", "tls: 'yes' is not one of: on off", "a switch knows only its words");
	is_value("auth", "", "on", "msmtp 6.4: an empty auth is on");
	is_value("set_from_header", "", "auto", "msmtp 6.4: an empty set_from_header is auto");
	is_value("set_date_header", "on", "set_date_header: 'on' is not one of: auto off", "set_date_header cannot be on");
	is_value("syslog", "", "LOG_USER", "msmtp 6.4: an empty syslog is LOG_USER");
	is_value("syslog", "on", "LOG_USER", "syslog on is LOG_USER");
	is_value("syslog", "LOG_LOCAL7", "LOG_LOCAL7", "syslog knows the local facilities");
	is_value("dsn_return", "hdrs", "headers", "hdrs is headers");
	is_value("chunking", "off", "off", "chunking can be off");
	is_value("tls_policy", "dane-only", "dane-only", "tls_policy can be dane-only");
	is_value("tls_min", "1.3", "1.3", "tls_min can be 1.3");
	is_value("auth_cleartext", "", "auth_cleartext: an argument is missing", "auth_cleartext needs an argument");
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		char *value = value_after("auth", methods[i], "auth");

		is_same = is_same && strcmp(value, methods[i]) == 0;
		free(value);
	}
	tap_ok(is_same, "msmtp 6.14: every method can be asked for by name");
	is_value("protocol", "", "protocol: an argument is missing", "msmtp 6.4: protocol needs an argument");
	is_value("port", "", "port: an argument is missing", "msmtp 6.4: port needs an argument");
	is_value("timeout", "", "timeout: an argument is missing", "msmtp 6.4: timeout needs an argument");
	is_value("host", "", "host: an argument is missing", "msmtp 6.4: host needs an argument");
	is_value("dsn_notify", "", "dsn_notify: an argument is missing", "msmtp 6.4: dsn_notify needs an argument");
	is_value("dsn_return", "", "dsn_return: an argument is missing", "msmtp 6.4: dsn_return needs an argument");
	is_value("allow_from_override", "", "allow_from_override: an argument is missing",
	         "msmtp 6.4: allow_from_override needs an argument");
}

static void
test_texts(void)
{
	static const char list_expected[] =
		" is not off, never, or a list of failure, delay and success with commas and without blanks";
	struct buf expected = {0};

	setenv("HOME", "/home/crane", 1);
	is_value("user", "", "(not set)", "msmtp 6.4: an empty text unsets");
	is_value("from", "", "", "msmtp 6.4: an empty from is the null sender");
	is_value("tls_trust_file", "", "", "an empty tls_trust_file is none");
	is_value("logfile", "~/log", "/home/crane/log", "~ in a file is the home directory");
	is_value("logfile", "a~", "a~", "~ elsewhere is itself");
	is_value("socket", "~/s", "~/s", "~ in socket is itself");
	is_value("password", "x # y", "*", "a password is never shown");
	is_value("proxy_password", "x", "*", "a proxy's password is never shown");
	is_value("passwordeval", "pass show x", "pass show x", "a password's command is shown");
	is_value("domain", "a\r\nRSET", "domain: 'a\\x0d\\nRSET' is not free of control characters",
	         "a control character never gets into a setting");
	is_value("dsn_notify", "off", "(not set)", "dsn_notify off unsets");
	is_value("dsn_notify", "never", "never", "dsn_notify can be never");
	is_value("dsn_notify", "failure,delay,success", "failure,delay,success", "dsn_notify can be a list");
	buf_printf(&expected, "dsn_notify: 'never,delay'%s", list_expected);
	is_value("dsn_notify", "never,delay", buf_text(&expected), "never is not part of a list");
	buf_clear(&expected);
	buf_printf(&expected, "dsn_notify: 'delay,delay'%s", list_expected);
	is_value("dsn_notify", "delay,delay", buf_text(&expected), "a condition stands once in a list");
	is_value("dsn_notify", "delay,", "dsn_notify: 'delay,' is not a list without a comma at its end",
	         "a list does not end with a comma");
	buf_free(&expected);
}

static void
test_fingerprints(void)
{
	is_value("tls_fingerprint", "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF",
	         "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF", "msmtp 6.13: 16 bytes are MD5");
	is_value("tls_fingerprint", "00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF 00 11 22 33",
	         "00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF 00 11 22 33", "msmtp 6.13: 20 bytes are SHA1, blanks separate");
	is_value("tls_fingerprint", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
	         "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "msmtp 6.13: 32 bytes are SHA256");
	is_value("tls_fingerprint", "0011", "tls_fingerprint: '0011' is not a fingerprint of 32 bytes (SHA256), 20 (SHA1) or 16 (MD5)",
	         "msmtp 6.13: another length is refused");
	is_value("tls_fingerprint", "0g", "tls_fingerprint: '0g' is not a SHA256, SHA1 or MD5 fingerprint in hexadecimal digits with "
	         "':' between bytes", "another digit is refused");
}

static void
test_failure_changes_nothing(void)
{
	struct account account = {0};
	struct err err = {0};
	size_t row = 0;

	account_init(&account);
	keyword_find(STR("user"), &row);
	value_set(&account, STR("user"), STR("a"), here, &err);
	tap_ok(account.is_set[row] && account.origins[row].line == 1, "a setting remembers that and where it was set");
	tap_ok(!value_set(&account, STR("user"), STR("b\1"), here, &err) && strcmp(account.user, "a") == 0,
	       "a refused value leaves the old one");
	err_clear(&err);
	tap_ok(!value_set(&account, STR("user"), str_make("a\0b", 3), here, &err), "a NUL byte is refused");
	err_clear(&err);
	tap_ok(!value_set(&account, STR("password"), str_make("a\0b", 3), here, &err) &&
	       strstr(buf_text(&err.text), "NUL") != NULL, "a NUL byte is refused in a password too");
	err_clear(&err);
	account_free(&account);
}

int
main(void)
{
	test_table();
	test_names();
	test_numbers();
	test_places();
	test_durations();
	test_queue();
	test_words();
	test_texts();
	test_fingerprints();
	test_failure_changes_nothing();
	return tap_end();
}
