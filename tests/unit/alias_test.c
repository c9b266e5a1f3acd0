/* alias_test - the aliases file: what stands for a local name, and what is told instead of done. */

#include "config.h"

#include <stdlib.h>
#include <sysexits.h>

#include "base/mem.h"
#include "mail/address.h"
#include "mail/alias.h"
#include "tap.h"

static const char *const local_domains[] = {"localhost", "mail.example.com", NULL};
static const struct alias_rules rules = {.local_domains = local_domains, .domain = "mail.example.com"};

/* The file, the recipients and what they become, each with '|' between; behind '=' the original. "!": a part of the error. */
static const struct {
	const char *name;
	const char *file;
	const char *recipients;
	const char *expected;
} cases[] = {
	{"sendmail 45: names and mailboxes at localhost are replaced",
	 "root: admin@example.org\nteam: bob@example.net, \"Carol C\" <carol@example.net>\n", "team|root@localhost",
	 "bob@example.net=team@mail.example.com|carol@example.net=team@mail.example.com|admin@example.org=root@localhost"},
	{"a mailbox at the mailname is replaced", "root: a@x.example", "root@MAIL.example.com",
	 "a@x.example=root@MAIL.example.com"},
	{"a mailbox elsewhere stays", "root: a@x.example", "root@example.org", "root@example.org"},
	{"a name that is not there is qualified", "root: a@x.example", "joe", "joe@mail.example.com"},
	{"a name that is not there and has a local domain stays", "root: a@x.example", "joe@localhost", "joe@localhost"},
	{"msmtp bug 7: the recipient behind an expanded one is expanded, too", "root: a@x.example\ncron: b@x.example",
	 "root|cron", "a@x.example=root@mail.example.com|b@x.example=cron@mail.example.com"},
	{"names in names are expanded", "a: b, c\nb: c, d@x.example\nc: e@x.example", "a",
	 "e@x.example=a@mail.example.com|d@x.example=a@mail.example.com"},
	{"a target at localhost is looked up again", "a: b@localhost\nb: c@x.example", "a", "c@x.example=a@mail.example.com"},
	{"a mailbox that two names lead to comes once", "a: x@x.example\nb: x@X.example, y@x.example", "a|b",
	 "x@x.example=a@mail.example.com|y@x.example=b@mail.example.com"},
	{"a mailbox that is a recipient already comes once", "a: x@x.example", "x@x.example|a", "x@x.example"},
	{"names match without case", "Root: a@x.example", "rOOT", "a@x.example=rOOT@mail.example.com"},
	{"names match to the letter first", "root: a@x.example\nRoot: b@x.example\nROOT: c@x.example", "Root",
	 "b@x.example=Root@mail.example.com"},
	{"a backslash ends the looking up", "joe: \\joe, joe@x.example", "joe",
	 "joe@mail.example.com=joe@mail.example.com|joe@x.example=joe@mail.example.com"},
	{"a quoted name is one", "\"a b\": c@x.example", "\"a b\"", "c@x.example=\"a b\"@mail.example.com"},
	{"a colon in a quoted name is part of it", "\"a:b\": c@x.example", "\"a:b\"", "c@x.example=\"a:b\"@mail.example.com"},
	{"a comma in a quoted name of a target is part of it", "a: \"Last, First\" <b@x.example>, (x, y) c@x.example", "a",
	 "b@x.example=a@mail.example.com|c@x.example=a@mail.example.com"},
	{"an indented line goes on", "a: b@x.example,\n\tc@x.example\n  , d@x.example\n", "a",
	 "b@x.example=a@mail.example.com|c@x.example=a@mail.example.com|d@x.example=a@mail.example.com"},
	{"comments and empty lines between do not end an entry", "a: b@x.example,\n# x: \"(\n\n  # y\n  c@x.example # z, d\n", "a",
	 "b@x.example=a@mail.example.com|c@x.example=a@mail.example.com"},
	{"comments, empty and indented lines may come first", "# c\n\n   # d\n   a: b@x.example", "a",
	 "b@x.example=a@mail.example.com"},
	{"a '#' inside a word or quotes begins no comment", "a: b#c@x.example, \"d # e\" <f@x.example>", "a",
	 "b#c@x.example=a@mail.example.com|f@x.example=a@mail.example.com"},
	{"a '#' behind a blank begins a comment", "a: b@x.example # , c@x.example", "a", "b@x.example=a@mail.example.com"},
	{"CRLF line ends are none of the address", "a: b@x.example\r\nb: c@x.example\r\n", "a", "b@x.example=a@mail.example.com"},
	{"an empty line with CR does not end an entry", "a: b@x.example,\r\n\r\n c@x.example\r\n", "a",
	 "b@x.example=a@mail.example.com|c@x.example=a@mail.example.com"},
	{"`default` stands for names that are not there", "root: a@x.example\ndefault: b@x.example", "joe|root|jim",
	 "b@x.example=joe@mail.example.com|a@x.example=root@mail.example.com"},
	{"`*` stands for names that are not there", "*: b@x.example", "joe", "b@x.example=joe@mail.example.com"},
	{"`default` comes before `*`", "*: b@x.example\ndefault: c@x.example", "joe", "c@x.example=joe@mail.example.com"},
	{"`default` stands for names in names, too", "a: joe\ndefault: b@x.example", "a", "b@x.example=a@mail.example.com"},
	{"`default` may name a local name", "default: joe", "jim", "joe@mail.example.com=jim@mail.example.com"},
	{"`default` does not stand for qualified mailboxes", "default: joe@x.example", "jim@mail.example.com", "jim@mail.example.com"},
	{"a name that has only refused targets stays", "nobody: /dev/null", "nobody", "nobody@mail.example.com"},
	{"a name in a name that has only refused targets stays", "a: nobody\nnobody: |x", "a|nobody",
	 "nobody@mail.example.com=a@mail.example.com"},
	{"two names with a refused default both stay", "default: |x", "joe|jim", "joe@mail.example.com|jim@mail.example.com"},
	{"a comment, a name or a backslash makes no command or file a mailbox",
	 "a: (c) |prog, (c) /file, X </file>, \\|prog, (c) \":include:/list\", b@x.example", "a",
	 "b@x.example=a@mail.example.com"},
	{"refused targets do not hinder others", "a: \"|prog a, b\", /file, :include:/list, b@x.example", "a",
	 "b@x.example=a@mail.example.com"},
	{"of a name that is there twice the first counts", "a: b@x.example\na: c@x.example", "a", "b@x.example=a@mail.example.com"},
	{"an empty file changes nothing", "", "a@x.example", "a@x.example"},

	{"a loop is an error with its line", "\na: b\nb: a", "a", "!f:2: alias 'a' leads back to itself"},
	{"a default that leads back is a loop", "default: a\na: joe", "a", "!f:2: alias 'a' leads back"},
	{"a name that stands for itself is a loop", "a: A", "a", "!f:1: alias 'a' leads back"},
	{"a loop through a local domain is a loop", "a: a@localhost", "a", "!f:1: alias 'a' leads back"},
	{"a loop that no recipient leads to is none", "a: a\nb: c@x.example", "b", "c@x.example=b@mail.example.com"},
	{"a line without a colon is an error", "a: b\nroot admin\n", "", "!f:2: 'NAME: ADDRESS, ...' is expected"},
	{"a line without a name is an error", ": b", "", "!f:1: alias name: one address is expected"},
	{"a name with a domain is an error", "a@x.example: b", "", "!f:1: alias name 'a@x.example'"},
	{"two names are an error", "a b: c", "", "!f:1: alias name: bad address 'a b'"},
	{"a name without targets is an error", "a: # nothing\nb: c", "", "!f:1: alias 'a': an address is expected"},
	{"a bad target is an error with its own line", "a: b@x.example,\n # c\n  bad@@example.org\n", "", "!f:3: alias 'a': bad address 'bad@@"},
	{"two colons are an error", "a: b: c", "", "!f:1: alias 'a': bad address 'b: c'"},
	{"an empty group is no target", "a: b:;", "", "!f:1: alias 'a': one address is expected"},
	{"M1: a control character in a target is an error", "a: b@x.example\rRCPT TO:<c@x.example>", "", "!f:1: alias 'a': bad address"},
	{"an unclosed quote is an error", "a: \"b\nc: d", "", "!f:1: alias 'a': bad address '\"b': the closing"},
};

static void
fill(struct envelope *envelope, const char *recipients)
{
	struct str rest = str_of(recipients), mailbox = {0};

	while (str_next_token(&rest, '|', &mailbox)) {
		char *text = mem_copy(mailbox.data, mailbox.size);

		envelope_add(envelope, text);
		free(text);
	}
}

static char *
show(const struct envelope *envelope)
{
	struct buf shown = {0};

	for (size_t i = 0; i < envelope->n_recipients; i++) {
		buf_add_text(&shown, i > 0 ? "|" : "");
		buf_add_text(&shown, envelope->recipients[i].mailbox);
		buf_add_text(&shown, envelope->recipients[i].original != NULL ? "=" : "");
		buf_add_text(&shown, envelope->recipients[i].original);
	}
	return buf_take(&shown);
}

static void
test_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct alias_table table = {0};
		struct envelope envelope = {0};
		struct err err = {0};
		bool went_well;
		char *shown;

		fill(&envelope, cases[i].recipients);
		went_well = alias_parse(&table, "f", str_of(cases[i].file), &err) &&
		            alias_expand(&table, &rules, &envelope, NULL, &err);
		shown = show(&envelope);
		if (cases[i].expected[0] != '!')
			tap_is(went_well ? shown : buf_text(&err.text), cases[i].expected, cases[i].name);
		else if (!tap_ok(!went_well && err.exit_code == EX_CONFIG &&
		                 strncmp(buf_text(&err.text), cases[i].expected + 1, strlen(cases[i].expected + 1)) == 0,
		                 "%s", cases[i].name))
			tap_note("got %s", went_well ? shown : buf_text(&err.text));
		free(shown);
		envelope_free(&envelope);
		alias_table_free(&table);
		alias_table_free(&table);
		err_clear(&err);
	}
}

static void
test_notes(void)
{
	static const char file[] =
		"a: |cmd,\n  \"|prog x, y\", /dev/null\nb: :INCLUDE:/etc/list, c@x.example\na: d@x.example\nc: |\x1b";
	struct alias_table table = {0};
	struct alias_notes notes = {0};
	struct envelope envelope = {0};
	struct err err = {0};

	tap_ok(alias_parse(&table, "f", str_of(file), &err), "a file with refused targets is read");
	tap_is_number((long long)table.notes.n_items, 6, "every refused target and every double name is told");
	tap_is(table.notes.items[0], "f:1: '|cmd' is left out: commands are never run", "a command is told");
	tap_is(table.notes.items[1], "f:2: '\"|prog x, y\"' is left out: commands are never run", "a quoted command is told with its line");
	tap_is(table.notes.items[2], "f:2: '/dev/null' is left out: files are never written to", "a file is told");
	tap_is(table.notes.items[3], "f:3: ':INCLUDE:/etc/list' is left out: files are never included", "an inclusion is told");
	tap_is(table.notes.items[4], "f:5: '|\\x1b' is left out: commands are never run", "what is told is cleaned");
	tap_is(table.notes.items[5], "f:4: alias 'a' is left out: line 1 has it already", "a double name is told");
	fill(&envelope, "b|b@localhost");
	tap_ok(alias_expand(&table, &rules, &envelope, &notes, &err), "expanding goes well with refused targets");
	tap_is_number((long long)notes.n_items, 1, "only the refused targets that were met are told, each once");
	alias_notes_free(&notes);
	alias_notes_free(&notes);
	envelope_free(&envelope);
	alias_table_free(&table);
}

/* A chain of n names, then an address. */
static bool
is_chain_allowed(int n)
{
	struct alias_table table = {0};
	struct envelope envelope = {0};
	struct buf file = {0};
	struct err err = {0};
	bool went_well;

	for (int i = 0; i < n; i++)
		buf_printf(&file, "n%d: n%d%s\n", i, i + 1, i + 1 == n ? "@x.example" : "");
	envelope_add(&envelope, "n0");
	went_well = alias_parse(&table, "f", buf_str(&file), &err) && alias_expand(&table, &rules, &envelope, NULL, &err);
	buf_free(&file);
	envelope_free(&envelope);
	alias_table_free(&table);
	err_clear(&err);
	return went_well;
}

static void
test_limits(void)
{
	struct alias_table table = {0};
	struct envelope envelope = {0};
	struct buf file = {0};
	struct err err = {0};

	tap_ok(is_chain_allowed(64), "names may be nested 64 deep");
	tap_ok(!is_chain_allowed(65), "names nested 65 deep are an error");
	buf_add_text(&file, "all: ");
	for (int i = 0; i < 1000; i++)
		buf_printf(&file, "u%d@x.example,\n ", i);
	envelope_add(&envelope, "all");
	tap_ok(alias_parse(&table, "f", buf_str(&file), &err) && alias_expand(&table, &rules, &envelope, NULL, &err) &&
	       envelope.n_recipients == 1000, "msmtp bug 10: none of 1000 targets is dropped");
	alias_table_free(&table);
	envelope_free(&envelope);
	buf_clear(&file);
	for (int i = 0; i < 60; i++)
		buf_printf(&file, "d%d: d%d, d%d@localhost, d%d\n", i, i + 1, i + 1, i + 1);
	envelope_add(&envelope, "d0");
	tap_ok(alias_parse(&table, "f", buf_str(&file), &err) && alias_expand(&table, &rules, &envelope, NULL, &err),
	       "names that multiply at every level are expanded once each");
	alias_table_free(&table);
	envelope_free(&envelope);
	buf_free(&file);
}

static void
test_envelope(void)
{
	static const struct alias_rules bare = {0};
	struct alias_table table = {0};
	struct envelope envelope = {.reverse_path = mem_copy_string("me@x.example")};
	struct err err = {0};
	char *shown;

	fill(&envelope, "a|b@x.example");
	envelope.recipients[0].notify = NOTIFY_DELAY;
	envelope.recipients[1].notify = NOTIFY_NEVER;
	tap_ok(alias_parse(&table, "f", STR("a: c@x.example, d\nl: m\nm: l"), &err), "a file is read");
	tap_ok(alias_expand(&table, &bare, &envelope, NULL, &err), "rules may be empty");
	shown = show(&envelope);
	tap_is(shown, "c@x.example=a|d=a|b@x.example", "without a domain local names stay unqualified");
	tap_ok(envelope.recipients[1].notify == NOTIFY_DELAY && envelope.recipients[2].notify == NOTIFY_NEVER,
	       "notify goes over to what stands for a name");
	tap_is(envelope.reverse_path, "me@x.example", "the reverse-path stays");
	tap_ok(!envelope_add(&envelope, "c@x.example"), "the envelope knows its new recipients");
	envelope_add(&envelope, "l");
	tap_ok(!alias_expand(&table, &bare, &envelope, NULL, &err) && envelope.n_recipients == 4,
	       "the envelope is as before when there is a loop");
	err_clear(&err);
	tap_ok(!alias_check(&table, &bare, &err) && err.exit_code == EX_CONFIG, "a check finds loops that nobody asked for");
	tap_is(buf_text(&err.hint), "write \\l for the mailbox itself", "a hint tells how to end a loop");
	err_clear(&err);
	alias_table_free(&table);
	tap_ok(alias_parse(&table, "f", STR("a: b, b\nb: c\ndefault: d@x.example"), &err) && alias_check(&table, &rules, &err),
	       "a check of names without loops goes well");
	tap_ok(alias_concerns(&bare, &envelope), "an unqualified recipient wants the file");
	free(shown);
	envelope_free(&envelope);
	fill(&envelope, "a@x.example|b@localhost");
	tap_ok(!alias_concerns(&bare, &envelope), "msmtp 28: without a local recipient the file is not wanted");
	tap_ok(alias_concerns(&rules, &envelope), "a recipient at a local domain wants the file");
	envelope_free(&envelope);
	alias_table_free(&table);
	err_clear(&err);
}

int
main(void)
{
	test_cases();
	test_notes();
	test_limits();
	test_envelope();
	return tap_end();
}
