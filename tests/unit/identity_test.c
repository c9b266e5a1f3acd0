/* identity_test.c - rules for senders that only this host knows. */

#include "config.h"

#include <stdlib.h>

#include "mail/identity.h"
#include "tap.h"

#define ONE "ops@example.org"
#define SEVERAL "root=ops@example.org www-data=web@example.org *=noreply@example.org"

static const char *const local_domains[] = {"localhost", "mail.example.com", "box", "box.example.net", NULL};

static bool
read_rules(struct identity *identity, const char *rules, struct err *err)
{
	identity->local_domains = local_domains;
	identity->host = "box";
	return identity_parse(identity, str_of(rules), err);
}

/* "!": a part of the error. */
static const struct {
	const char *name;
	const char *rules;
	const char *sender;
	const char *expected; /* NULL: the sender stays */
} senders[] = {
	{"one address stands for a name without domain", ONE, "root", "ops@example.org"},
	{"one address stands for localhost", ONE, "root@localhost", "ops@example.org"},
	{"one address stands for the mailname, whatever the case", ONE, "root@Mail.Example.COM", "ops@example.org"},
	{"one address stands for the host's short name", ONE, "root@box", "ops@example.org"},
	{"one address stands for the host's full name", ONE, "root@box.example.net", "ops@example.org"},
	{"one address stands for another name without a dot", ONE, "root@web2", "ops@example.org"},
	{"one address stands for localhost.localdomain", ONE, "root@localhost.localdomain", "ops@example.org"},
	{"one address stands for names that end in .local", ONE, "root@nas.local", "ops@example.org"},
	{"one address stands for names that end in .lan", ONE, "root@nas.LAN", "ops@example.org"},
	{"one address stands for names that end in .home.arpa", ONE, "root@nas.home.arpa", "ops@example.org"},
	{"a domain that only ends like a private one stays", ONE, "root@nasalan.example", NULL},
	{"a domain whose last letters are a private name stays", ONE, "root@a.vlan", NULL},
	{"a domain that begins like a private one stays", ONE, "root@local.example.org", NULL},
	{"arpa alone is not private", ONE, "root@1.in-addr.arpa", NULL},
	{"a domain below the mailname stays", ONE, "root@sub.mail.example.com", NULL},
	{"an address elsewhere stays", ONE, "joe@example.org", NULL},
	{"an address literal stays", ONE, "root@[192.0.2.1]", NULL},
	{"an address literal without a dot stays", ONE, "root@[IPv6:2001:db8::1]", NULL},
	{"the null sender stays", ONE, "", NULL},
	{"a rule's own address stays", "ops@mail.example.com", "ops@MAIL.example.com", NULL},
	{"another address where the rule's one is does not", "ops@mail.example.com", "root@mail.example.com",
	 "ops@mail.example.com"},
	{"a name has its own rule", SEVERAL, "www-data@box", "web@example.org"},
	{"names match without case", SEVERAL, "ROOT@box", "ops@example.org"},
	{"'*' is for the rest", SEVERAL, "joe", "noreply@example.org"},
	{"a name comes before '*', wherever it stands", "*=a@x.example root=b@x.example", "root", "b@x.example"},
	{"an address comes behind a name, too", "a@x.example root=b@x.example", "root", "b@x.example"},
	{"without '*' the rest stays", "root=ops@example.org", "joe", NULL},
	{"a rule for a name is not for a name that begins so", "root=ops@example.org", "root2", NULL},
	{"behind the first '=' it is an address", "*=a=b@x.example", "root", "a=b@x.example"},
	{"a quoted name is local, too", ONE, "\"a b@c\"@box", "ops@example.org"},
	{"a '@' in quotes is no domain", ONE, "\"root@example.org\"", "ops@example.org"},
	{"rules may stand apart", "  root=a@x.example \t  b@x.example ", "joe", "b@x.example"},
	{"no rule is an error", " ", "", "!identity: '': an address, or NAME=ADDRESS, is expected"},
	{"an address without domain is an error", "root=ops", "", "!identity: 'root=ops': an address with its domain is expected"},
	{"a name is not a rule", "ops", "", "!identity: 'ops': an address with its domain is expected"},
	{"an empty name is an error", "=ops@example.org", "", "!identity: '=ops@example.org': a name is expected"},
	{"an empty address is an error", "root=", "", "!identity: 'root=': "},
	{"a name with a domain is an error", "root@box=ops@example.org", "", "!identity: 'root@box=ops@example.org': "},
	{"a bad address is an error", "root=a@@x", "", "!identity: 'root=a@@x': "},
	{"M1: a control character is an error", "a@x.example\rRCPT", "", "!identity: 'a@x.example\\x0dRCPT': "},
	{"M1: a control character in a name is an error", "r\x01=a@x.example", "", "!identity: 'r\\x01=a@x.example': "},
	{"an angle bracket is an error", "<a@x.example>", "", "!identity: '<a@x.example>': "},
	{"two rules for a name are an error", "root=a@x.example Root=b@x.example", "", "!identity: 'Root=b@x.example': there is a rule"},
	{"two rules for the rest are an error", "*=a@x.example b@x.example", "", "!identity: 'b@x.example': there is a rule"},
};

static void
test_senders(void)
{
	for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
		struct identity identity = {0};
		struct err err = {0};
		const char *expected = senders[i].expected;
		bool is_read = read_rules(&identity, senders[i].rules, &err);

		if (expected != NULL && expected[0] == '!') {
			if (!tap_ok(!is_read && err.exit_code == EX_CONFIG && strstr(buf_text(&err.text), expected + 1) != NULL, "%s",
			            senders[i].name))
				tap_note("got %s", buf_text(&err.text));
		} else {
			tap_is(is_read ? identity_find(&identity, senders[i].sender) : "(error)", expected, senders[i].name);
		}
		identity_free(&identity);
		identity_free(&identity);
		err_clear(&err);
	}
}

static const struct {
	const char *name;
	const char *rules;
	const char *field;
	const char *expected; /* NULL: untouched */
} fields[] = {
	{"users 2: cron's From has its comment in the name", ONE, "From: root (Cron Daemon)\n",
	 "From: \"root@box (Cron Daemon)\" <ops@example.org>\n"},
	{"users 2: PHP's From has its name", ONE,
	 "From: PHP <www-data@box>\n", "From: \"PHP (www-data@box)\" <ops@example.org>\n"},
	{"users 2: smartd's From at localhost shows the host", ONE, "From: smartd <root@localhost>\n",
	 "From: \"smartd (root@box)\" <ops@example.org>\n"},
	{"a bare address becomes the name", ONE, "From: root@box.example.net\n", "From: \"root@box\" <ops@example.org>\n"},
	{"the name of the field and the blanks behind it stay", ONE,
	 "FROM :\t root\n", "FROM :\t \"root@box\" <ops@example.org>\n"},
	{"blanks at the end stay", ONE, "From: root \t\n", "From: \"root@box\" <ops@example.org> \t\n"},
	{"an address in angle brackets has no name of its own", ONE,
	 "From: <root>\n", "From: \"root@box\" <ops@example.org>\n"},
	{"another host's domain is shown as it was", ONE,
	 "From: root@nas.local\n", "From: \"root@nas.local\" <ops@example.org>\n"},
	{"an address elsewhere is untouched", ONE, "From: root (Cron Daemon) <joe@example.org>\n", NULL},
	{"a name without a rule is untouched", "root=ops@example.org", "From: joe\n", NULL},
	{"the address of a rule is untouched", "ops@box", "From: ops@box\n", NULL},
	{"what cannot be understood is untouched", ONE, "From: root root\n", NULL},
	{"an encoded name without an address is untouched", ONE, "From: =?UTF-8?Q?Joe?=\n", NULL},
	{"an empty field is untouched", ONE, "From:\n", NULL},
	{"an empty group is untouched", ONE, "From: undisclosed:;\n", NULL},
	{"of several mailboxes only the local ones change", SEVERAL,
	 "From: Joe <joe@example.org>, root (x),\n\twww-data@box , a@x.example\n",
	 "From: Joe <joe@example.org>, \"root@box (x)\" <ops@example.org>,\n\t\"www-data@box\" <web@example.org> , a@x.example\n"},
	{"empty elements stay", ONE, "From: ,, root ,\n", "From: ,, \"root@box\" <ops@example.org> ,\n"},
	{"a group stays one", ONE,
	 "From: Us (x): root, joe@example.org;\n", "From: Us (x): \"root@box\" <ops@example.org>, joe@example.org;\n"},
	{"a comma in quotes ends no mailbox", ONE,
	 "From: \"Last, First\" <root>\n", "From: \"Last, First (root@box)\" <ops@example.org>\n"},
	{"a comma in a comment ends no mailbox", ONE, "From: root (a, b)\n", "From: \"root@box (a, b)\" <ops@example.org>\n"},
	{"a route goes with its mailbox", ONE, "From: X <@a.example,@b.example:root@box>, joe@example.org\n",
	 "From: \"X (root@box)\" <ops@example.org>, joe@example.org\n"},
	{"quotes and backslashes in the name are escaped", ONE, "From: \"a \\\"b\\\" \\\\c\" <root>\n",
	 "From: \"a \\\"b\\\" \\\\c (root@box)\" <ops@example.org>\n"},
	{"quotes in the comment are escaped", ONE,
	 "From: root (a \"b\" \\) c)\n", "From: \"root@box (a \\\"b\\\" ) c)\" <ops@example.org>\n"},
	{"a nested comment stays whole", ONE, "From: root (a (b) c)\n", "From: \"root@box (a (b) c)\" <ops@example.org>\n"},
	{"a comment beside a name stays a comment", ONE, "From: PHP <www-data> (x\\) y)\n",
	 "From: \"PHP (www-data@box)\" <ops@example.org>\n (x\\) y)\n"},
	{"two comments stay comments", ONE, "From: (a) root (b)\n", "From: \"root@box\" <ops@example.org>\n (a) (b)\n"},
	{"an encoded name stays encoded", ONE, "From: =?UTF-8?Q?J=C3=BC?= <root>\n",
	 "From: =?UTF-8?Q?J=C3=BC?=\n \"(root@box)\" <ops@example.org>\n"},
	{"an encoded name of several words stays whole", ONE, "From: The =?UTF-8?Q?J=C3=BC?= \"X Y\" <root>\n",
	 "From: The =?UTF-8?Q?J=C3=BC?= \"X Y\"\n \"(root@box)\" <ops@example.org>\n"},
	{"an encoded comment stays a comment", ONE, "From: root (=?UTF-8?Q?J=C3=BC?=)\n",
	 "From: \"root@box\" <ops@example.org>\n (=?UTF-8?Q?J=C3=BC?=)\n"},
	{"a name in UTF-8 is encoded", ONE,
	 "From: J\xc3\xbc <root>\n", "From: =?UTF-8?B?SsO8IChyb290QGJveCk=?= <ops@example.org>\n"},
	{"a folded comment becomes one text", ONE,
	 "From: root (Cron\n Daemon)\n", "From: \"root@box (Cron Daemon)\" <ops@example.org>\n"},
	{"a folded field keeps its folding", ONE, "From:\n root\n", "From:\n \"root@box\" <ops@example.org>\n"},
	{"a field without line end gets none", ONE, "From: root", "From: \"root@box\" <ops@example.org>"},
	{"a quoted name is shown quoted", ONE, "From: \"a b\"@box\n", "From: \"\\\"a b\\\"@box\" <ops@example.org>\n"},
};

static void
test_fields(void)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct identity identity = {0};
		struct header_field field = {0};
		struct err err = {0};
		struct buf text = {0};
		struct str rest = str_of(fields[i].field);
		bool is_changed;

		buf_add_text(&text, "X: y\n");
		is_changed = read_rules(&identity, fields[i].rules, &err) && header_next(&rest, &field) &&
		             identity_rewrite(&identity, &field, &text);
		if (!is_changed && text.size != 5)
			tap_ok(false, "nothing is left behind by a field that is untouched");
		tap_is(is_changed ? buf_text(&text) + 5 : NULL, fields[i].expected, fields[i].name);
		buf_free(&text);
		identity_free(&identity);
		err_clear(&err);
	}
}

static void
test_visible(void)
{
	struct identity identity = {0};
	struct err err = {0};
	struct buf text = {0};
	struct str rest = STR("From: root\n");
	struct header_field field = {0};

	tap_ok(read_rules(&identity, ONE, &err), "a rule is read");
	identity_add_visible(&text, &identity, "Root", "root@mail.example.com");
	tap_is(buf_text(&text), "Root (root@box)", "a generated name tells the host");
	buf_clear(&text);
	identity_add_visible(&text, &identity, "", "root@web2");
	tap_is(buf_text(&text), "root@web2", "an empty name is none");
	buf_clear(&text);
	identity.host = NULL;
	identity.local_domains = NULL;
	tap_is(identity_find(&identity, "root@box"), "ops@example.org", "without names of this host a name without a dot is local");
	header_next(&rest, &field);
	tap_ok(identity_rewrite(&identity, &field, &text), "without names of this host a field is rewritten");
	tap_is(buf_text(&text), "From: root <ops@example.org>\n", "and shows the original as it was");
	buf_free(&text);
	identity_free(&identity);
	err_clear(&err);
}

int
main(void)
{
	test_senders();
	test_fields();
	test_visible();
	return tap_end();
}
