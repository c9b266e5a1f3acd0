/* defaults_test.c - what completes an account. */

#include "config.h"

#include <pwd.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "conf/defaults.h"
#include "conf/value.h"
#include "tap.h"

static void
set(struct account *account, const char *name, const char *argument)
{
	struct err err = {0};

	if (!value_set(account, str_of(name), str_of(argument), (struct origin){0}, &err))
		tap_ok(false, "%s %s: %s", name, argument, buf_text(&err.text));
	err_clear(&err);
}

/* An account with the settings of `lines`, "name argument" each. */
static struct account
make(const char *lines)
{
	struct account account = {0};
	struct str rest = str_of(lines), line = {0};

	account_init(&account);
	while (str_next_token(&rest, '\n', &line)) {
		size_t blank = str_find(line, ' ');
		char *name = strndup(line.data, blank);
		struct str argument = str_from(line, blank + 1);
		char *text = strndup(argument.size > 0 ? argument.data : "", argument.size);

		set(&account, name, text);
		free(name);
		free(text);
	}
	return account;
}

static void
refuses(const char *lines, const char *expected)
{
	struct account account = make(lines);
	struct err err = {0};

	tap_ok(!defaults_complete(&account, &err) && err.exit_code == EX_CONFIG, "refused: %s", expected);
	tap_is(buf_text(&err.text), expected, "... with that text");
	err_clear(&err);
	account_free(&account);
}

static void
accepts(const char *lines, const char *sentence)
{
	struct account account = make(lines);
	struct err err = {0};

	tap_ok(defaults_complete(&account, &err), "%s", sentence);
	if (err_is_set(&err))
		tap_note("%s", buf_text(&err.text));
	err_clear(&err);
	account_free(&account);
}

static void
has_port(const char *lines, int port, const char *sentence)
{
	struct account account = make(lines);
	struct err err = {0};

	defaults_complete(&account, &err);
	tap_is_number(account.port, port, sentence);
	err_clear(&err);
	account_free(&account);
}

static void
test_ports(void)
{
	struct account account = make("host h\nproxy_host p");
	struct err err = {0};

	has_port("host h", 25, "msmtp 6.12: the port is 25");
	has_port("host h\ntls on", 25, "msmtp 6.12: the port is 25 with STARTTLS too");
	has_port("host h\ntls on\ntls_starttls off", 465, "msmtp 6.12: the port is 465 with TLS from the first byte");
	has_port("host h\ntls_starttls off", 25, "msmtp 6.12: tls_starttls off alone changes nothing");
	has_port("host h\nport 587\ntls on\ntls_starttls off", 587, "a port that is set stays");
	refuses("host h\nprotocol lmtp", "port not set");
	accepts("socket /s\nprotocol lmtp", "msmtp 6.12: LMTP needs no port on a socket");
	tap_ok(defaults_complete(&account, &err) && account.proxy_port == 1080, "msmtp 6.12: the proxy's port is 1080");
	err_clear(&err);
	account_free(&account);
}

static void
test_checks(void)
{
	refuses("user x", "host not set");
	refuses("host h\ndomain a b", "domain: a b: a character that cannot stand in a domain");
	refuses("host h\ndomain %U", "domain: %U: a character that cannot stand in a domain");
	refuses("host h\ndomain [127.0.0.1 x]", "domain: [127.0.0.1 x]: a blank in an address literal");
	refuses("host h\ndomain [127.0.0.1", "domain: [127.0.0.1: an address literal ends with ']'");
	accepts("host h\ndomain [127.0.0.1]", "the name in EHLO may be an address literal");
	refuses("host h\ntls_key_file k", "tls_key_file requires tls_cert_file");
	refuses("host h\ntls_cert_file k", "tls_cert_file requires tls_key_file");
	refuses("host h\ndkim_domain d", "dkim_domain requires dkim_selector and dkim_key_file");
	refuses("host h\ndkim_selector s\ndkim_key_file k", "dkim_selector and dkim_key_file require dkim_domain");
	refuses("host h\ndkim_domain d\ndkim_selector s\ndkim_key_file k\ndkim_key_file2 l",
	        "dkim_selector2 and dkim_key_file2 must be set together");
	accepts("host h\ndkim_domain d\ndkim_selector s\ndkim_key_file k", "one key is enough to sign");
	refuses("host h\ntls on\ntls_trust_file", "tls requires either tls_trust_file (highly recommended) or tls_fingerprint or a "
	        "disabled tls_certcheck");
	accepts("host h\ntls on\ntls_trust_file\ntls_certcheck off", "msmtp 6.13: tls_certcheck off goes without trust");
	accepts("host h\ntls on\ntls_trust_file\ntls_fingerprint 00112233445566778899aabbccddeeff",
	        "msmtp 6.13: tls_fingerprint goes without tls_trust_file");
	accepts("host h\ntls_trust_file", "without TLS nobody asks for trust");
	refuses("host h\ntls on\ntls_trust_file\ntls_certcheck off\ntls_crl_file c", "tls_crl_file requires tls_trust_file");
	accepts("host h\ntls on\ntls_trust_file\ntls_policy dane-only", "dane-only goes without tls_trust_file");
	refuses("host h\ntls on\ntls_trust_file\ntls_policy dane", "tls requires either tls_trust_file (highly recommended) or "
	        "tls_fingerprint or a disabled tls_certcheck");
	refuses("host h\ntls_policy verify", "'tls_policy verify' needs 'tls on'");
	refuses("socket /s\ntls on", "tls over a socket needs the name of the server");
	accepts("socket /s\ntls on\ntls_host_override h", "tls_host_override names the server behind a socket");
	refuses("host h\nauth on", "authentication is on and 'user' is not set");
	accepts("host h\nauth external", "EXTERNAL needs no user");
	accepts("host h\nauth plain\nuser u", "msmtp 6.14: a method asked for by name is kept, with or without TLS");
}

static void
has_sender(const char *lines, const char *wanted, const char *expected, const char *sentence)
{
	struct account account = make(lines);
	struct err err = {0};
	char *sender = NULL;

	set(&account, "host", "h");
	set(&account, "mailname", "mail.example");
	if (defaults_complete(&account, &err) && defaults_sender(&account, wanted, &sender, &err))
		tap_is(sender, expected, sentence);
	else
		tap_is(buf_text(&err.text), expected, sentence);
	free(sender);
	err_clear(&err);
	account_free(&account);
}

static void
test_sender(void)
{
	struct buf own = {0};
	char *login = defaults_login_name();

	buf_printf(&own, "%s@mail.example", login);
	setenv("USER", "crane", 1);
	has_sender("from a@x", NULL, "a@x", "msmtp 6.9: without -f it is from");
	has_sender("from a@x", "b@y", "b@y", "msmtp 6.9: -f overrides from");
	has_sender("from a@x\nallow_from_override off", "b@y", "a@x", "msmtp 6.9: unless allow_from_override is off");
	has_sender("from a@x\nauto_from on\nmaildomain m", "b@y", "crane@m", "msmtp 6.9: auto_from beats both");
	has_sender("from a@x", "<>", "", "msmtp 6.9: -f <> is the null sender");
	has_sender("from a@x", "", "", "msmtp 6.9: so is an empty -f");
	has_sender("from", NULL, "", "msmtp 6.9: so is an empty from");
	has_sender("from *@x", "b@x", "b@x", "a pattern gives way to -f");
	has_sender("from *@x", NULL, "'from *@x' is a pattern and no address to send from", "a pattern is never sent");
	has_sender("from *@x\nallow_from_override off", "b@x", "'from *@x' is a pattern and no address to send from",
	           "a pattern is not sent when -f does not count either");
	has_sender("user u", NULL, buf_text(&own), "where nothing is set it is the login name at mailname");
	has_sender("from b%H@x", "bob%Hotmail@x", "bob%Hotmail@x", "-f is not expanded");
	buf_free(&own);
	free(login);
}

static void
expands(const char *from, const char *expected, const char *sentence)
{
	has_sender(from, NULL, expected, sentence);
}

static void
test_expansion(void)
{
	struct account account = make("host h\ndomain %H.%M\nmailname m");
	struct utsname names = {0};
	struct err err = {0};
	struct buf expected = {0};
	char *login = defaults_login_name();

	setenv("USER", "u", 1);
	setenv("LOGNAME", "l", 1);
	setenv("HOSTNAME", "h.example", 1);
	expands("from %U@%H", "u@h.example", "msmtp 6.10: %U is $USER, %H is $HOSTNAME");
	expands("from %U@%M", "u@mail.example", "msmtp 6.10: %M is mailname");
	expands("from %U@%C", "u@h.example", "msmtp 6.10: %C is the canonical name of %H");
	expands("from a%%b%@x%", "a%%b%@x%", "msmtp 6.10: another % is itself");
	defaults_complete(&account, &err);
	tap_is(account.domain, "h.example.m", "msmtp 6.10: domain knows %H, %C and %M");
	err_clear(&err);
	account_free(&account);
	unsetenv("USER");
	expands("from %U@x", "l@x", "msmtp 6.10: without USER it is $LOGNAME");
	unsetenv("LOGNAME");
	buf_printf(&expected, "%s@x", login);
	expands("from %U@x", buf_text(&expected), "msmtp 6.10: without both it is the login name");
	unsetenv("HOSTNAME");
	uname(&names);
	buf_clear(&expected);
	buf_printf(&expected, "a@%s", names.nodename);
	expands("from a@%H", buf_text(&expected), "msmtp 6.10: without HOSTNAME %H is the system's name");
	buf_free(&expected);
	free(login);
}

static const char *
make_file(char *path, const char *text)
{
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		tap_ok(false, "a file could be written");
	close(fd);
	return path;
}

static void
is_name(const char *mailname, const char *hosts, const char *node, const char *expected, const char *sentence)
{
	char *name = defaults_host_name(mailname, hosts, node);

	tap_is(name, expected, sentence);
	free(name);
}

static void
test_domain(void)
{
	struct account account = make("host h\ndomain b\xc3\xbc" "cher.example");
	struct err err = {0};

	tap_ok(defaults_complete(&account, &err), "a domain that is not ASCII is accepted");
	tap_is(account.domain, "xn--bcher-kva.example", "and becomes A-labels");
	err_clear(&err);
	account_free(&account);
}

static void
test_host_name(void)
{
	char mail[] = "/tmp/defaults_test.XXXXXX", blank[] = "/tmp/defaults_test.XXXXXX", hosts[] = "/tmp/defaults_test.XXXXXX";

	make_file(mail, "mail.example.org \nsecond\n");
	make_file(blank, "\n");
	make_file(hosts, "127.0.0.1 localhost.localdomain lone\n# 1.1.1.1 no.example node\n10.0.0.1\tnode alias Node.Example.ORG # x\n"
	          "10.0.0.2 other.example other\n");
	is_name(mail, hosts, "node", "mail.example.org", "msmtp 6.10: the first line of the mailname file comes first");
	is_name(blank, hosts, "node", "Node.Example.ORG", "an empty one does not count; the hosts file knows the full name");
	is_name("/nonexistent", hosts, "NODE", "Node.Example.ORG", "names are compared without case");
	is_name(NULL, hosts, "node.local", "node.local", "a name with a dot is full");
	is_name(NULL, hosts, "lone", "lone", "localhost is nobody's full name");
	is_name(NULL, hosts, "unknown", "unknown", "a name that the hosts file does not know stays");
	is_name(NULL, NULL, "node", "node", "without files the name is the system's");
	unlink(mail);
	unlink(blank);
	unlink(hosts);
}

static void
test_own_names(void)
{
	struct defaults_names names = {0};
	struct utsname system = {0};
	bool has_mailname = false, has_localhost = false, has_node = false, has_short = false;
	size_t n = 0;

	uname(&system);
	defaults_find_names(&names, "mail.example.org");
	tap_is(names.node, system.nodename, "the host is shown by its own name");
	for (; names.domains[n] != NULL; n++) {
		has_mailname = has_mailname || strcmp(names.domains[n], "mail.example.org") == 0;
		has_localhost = has_localhost || strcmp(names.domains[n], "localhost") == 0;
		has_node = has_node || strcmp(names.domains[n], system.nodename) == 0;
		has_short = has_short || (strncmp(names.domains[n], system.nodename, strcspn(system.nodename, ".")) == 0 &&
		                          strchr(names.domains[n], '.') == NULL);
	}
	tap_ok(n == 5 && has_mailname && has_localhost && has_node && has_short, "a host goes by all of its names, and localhost");
	defaults_names_free(&names);
	defaults_find_names(&names, NULL);
	tap_ok(names.domains[3] != NULL && names.domains[4] == NULL, "the mailname may be missing");
	defaults_names_free(&names);
	defaults_names_free(&names);
}

static void
test_user(void)
{
	const struct passwd *entry = getpwuid(getuid());
	char *login = defaults_login_name(), *full = defaults_full_name();

	setenv("USER", "liar", 1);
	tap_ok(login[0] != '\0' && (entry == NULL || strcmp(login, entry->pw_name) == 0), "the login name is that of the passwd file");
	tap_ok(full == NULL || strchr(full, ',') == NULL, "the full name is the first part of the gecos field");
	free(login);
	free(full);
}

int
main(void)
{
	test_ports();
	test_checks();
	test_sender();
	test_expansion();
	test_domain();
	test_host_name();
	test_own_names();
	test_user();
	return tap_end();
}
