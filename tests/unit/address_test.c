/* address_test - what is an address, what is refused and why, and how it is written again. */

#include "config.h"

#include <stdlib.h>
#include <sysexits.h>

#include "base/mem.h"
#include "mail/address.h"
#include "tap.h"

#define U_UMLAUT "\xc3\xbc"
#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10
#define LABEL60 "." X60

/* Each row: what comes out, mailboxes with '|' between and a display name behind as "=NAME"; or "!" and a part of the reason. */
struct list_case {
	const char *name;
	const char *text;
	const char *expected;
};

static const struct list_case headers[] = {
	{"an addr-spec is a mailbox", "a@x.example", "a@x.example"},
	{"a name and an address in angle brackets are a mailbox", "Joe B <c@example.org>", "c@example.org=Joe B"},
	{"a name in quotes keeps its comma", "\"Last, First\" <b@x.example>", "b@x.example=Last, First"},
	{"two mailboxes are two", "Name <a@x.example>, \"Last, First\" <b@x.example>", "a@x.example=Name|b@x.example=Last, First"},
	{"a comment behind an address is nothing", "d@example.org (Dee)", "d@example.org"},
	{"comments may stand everywhere", "(a)b(c)@(d(e)f)x(g).(h)example(i)", "b@x.example"},
	{"a comment may hold an escaped parenthesis", "(a \\) b) c@x.example", "c@x.example"},
	{"sendmail 40: a group gives its members", "Group: g1@example.org, \"Last, First\" <g2@example.org>;",
	 "g1@example.org|g2@example.org=Last, First"},
	{"sendmail 40: comments, folding and empty elements are passed over",
	 "(c, d@e) g3@example.org (x),\n\tg4@example.org\n ,g5@example.org", "g3@example.org|g4@example.org|g5@example.org"},
	{"sendmail 40: an encoded-word in a name stays as it is", "=?utf-8?q?J=C3=BC?= <g6@example.org>,,",
	 "g6@example.org==?utf-8?q?J=C3=BC?="},
	{"CRLF folding is passed over", "a@x.example,\r\n b@x.example", "a@x.example|b@x.example"},
	{"an encoded-word with commas and parentheses in it is one word", "=?utf-8?Q?Last,_(First?= <a@x.example>",
	 "a@x.example==?utf-8?Q?Last,_(First?="},
	{"an empty group gives nothing", "undisclosed-recipients:;", ""},
	{"an empty group may lack its end", "undisclosed-recipients:", ""},
	{"groups and mailboxes mix", "a@x.example, G: b@x.example,, c@x.example;, d@x.example",
	 "a@x.example|b@x.example|c@x.example|d@x.example"},
	{"nothing gives nothing", "", ""},
	{"blanks and commas give nothing", " ,\t, (x) ,", ""},
	{"M7: a quoted local part stays quoted", "\"john doe\"@x.example", "\"john doe\"@x.example"},
	{"M7: a quoted local part in angle brackets stays quoted", "<\"jane doe\"@x.example>", "\"jane doe\"@x.example"},
	{"quotes that are not needed go", "\"john\"@x.example", "john@x.example"},
	{"backslashes that are not needed go", "\"jo\\hn\"@x.example", "john@x.example"},
	{"quotes and backslashes in a local part stay escaped", "\"a\\\"b\\\\c\"@x.example", "\"a\\\"b\\\\c\"@x.example"},
	{"an '@' in quotes is part of the local part", "\"a@b\"@x.example", "\"a@b\"@x.example"},
	{"a quoted part between dots joins its neighbours", "\"john\".\"q p\".doe@x.example", "\"john.q p.doe\"@x.example"},
	{"an old local part may have blanks and comments around dots", "john . (q) doe @ x . example", "john.doe@x.example"},
	{"two dots in a row demand quotes", "a..b@x.example", "\"a..b\"@x.example"},
	{"a dot at the end of the local part demands quotes", "a.@x.example", "\"a.\"@x.example"},
	{"a dot at the end of the domain goes", "a@x.example.", "a@x.example"},
	{"a dot at the end of a name is part of it", "John Q. Public Jr. <j@x.example>", "j@x.example=John Q. Public Jr."},
	{"M7: a source route is dropped", "<@a.example:b@c.example>", "b@c.example"},
	{"msmtp bug 11: a longer source route is dropped", "Joe <@r1.example,@r2.example:w@x.example>", "w@x.example=Joe"},
	{"a source route with empty elements is dropped", "<,@r1.example, ,@r2.example:w@x.example>", "w@x.example"},
	{"an IPv4 literal is a domain", "a@[127.0.0.1]", "a@[127.0.0.1]"},
	{"an IPv6 literal is a domain", "<a@[ IPv6:::1 ]>", "a@[IPv6:::1]"},
	{"a word alone is a local part", "root", "root"},
	{"words with commas between are local parts", "root, <joe>, \"a b\"", "root|joe|\"a b\""},
	{"UTF-8 passes in both parts", "j" U_UMLAUT "@b" U_UMLAUT "cher.example", "j" U_UMLAUT "@b" U_UMLAUT "cher.example"},
	{"M8: the local part is not normalized", "u\xcc\x88@x.example", "u\xcc\x88@x.example"},
	{"a name may be no UTF-8", "J\xfcrgen <j@x.example>", "j@x.example=J\xfcrgen"},
	{"a control character in a quoted name is dropped", "\"a\x1b$B\" <j@x.example>", "j@x.example=a$B"},
	{"folding in a quoted name is a blank", "\"a\r\n b\" <j@x.example>", "j@x.example=a b"},
	{"an underscore in a domain passes", "root@my_host.example", "root@my_host.example"},
	{"every atom character passes unquoted", "a!#$%&'*+-/=?^_`{|}~@x.example", "a!#$%&'*+-/=?^_`{|}~@x.example"},
	{"a local part of 64 bytes passes", X60 "xxxx@x.example", X60 "xxxx@x.example"},

	{"sendmail 59: two '@' are refused", "bad@@example.org", "!'bad@@example.org': a domain is expected behind the '@'"},
	{"a third part behind a second '@' is refused", "a@b@c", "!','"},
	{"no domain is refused", "a@", "!a domain is expected"},
	{"no local part is refused", "@x.example", "!nothing stands before"},
	{"an empty quoted local part is refused", "\"\"@x.example", "!no local part"},
	{"dots alone are no local part", "..@x.example", "!no local part"},
	{"an unclosed '<' is refused", "<a@x.example", "!'>' is expected"},
	{"a lone '>' is refused", "a@x.example>", "!'>' without '<'"},
	{"two '<' are refused", "<<a@x.example>>", "!an address is expected behind the '<'"},
	{"an empty '<>' is refused in a list", "a@x.example, <>", "!'<>': there is nothing between"},
	{"an unclosed comment is refused", "a@x.example (b", "!')' is missing"},
	{"an unclosed quote is refused", "\"a <b@x.example>", "!closing '\"' is missing"},
	{"msmtp bug 11: two addr-specs without a comma are refused in a header", "a@x.example b@x.example", "!',' is expected"},
	{"two words without '@' are refused in a header", "John Doe", "!several words"},
	{"words before an addr-spec are refused", "John Doe j@x.example", "!several words"},
	{"a blank inside '<>' is refused", "<john doe@x.example>", "!a blank between"},
	{"text behind '>' is refused", "<a@x.example> b", "!',' is expected"},
	{"';' between addresses is refused", "a@x.example; b@x.example", "!',' is expected"},
	{"a group with members needs its end", "G: a@x.example", "!';' is expected"},
	{"a group in a group is refused", "G: H: a@x.example;;", "!a group inside a group"},
	{"a group without a name is refused", ": a@x.example;", "!a name is expected"},
	{"an empty label is refused", "a@x..example", "!a domain is expected|,' is expected"},
	{"a hyphen at the end of a label is refused", "a@x-.example", "!begins or ends with '-'"},
	{"a sign that no domain may have is refused", "a@x!y.example", "!cannot stand in a domain"},
	{"a literal that is no address is refused", "a@[example]", "!an address literal"},
	{"an IPv6 literal without its tag is refused", "a@[::1]", "!an address literal"},
	{"a literal with angle brackets is refused", "a@[1.2.3.4><x]", "!an address literal"},
	{"a local part of 65 bytes is refused", X60 "xxxxx@x.example", "!more than 64 bytes"},
	{"a label of 64 characters is refused", "a@" X60 "xxxx.example", "!more than 63"},
	{"a mailbox of more than 254 bytes is refused", X60 "@a" LABEL60 LABEL60 LABEL60 LABEL60, "!more than 254 bytes"},
	{"a domain of more than 255 bytes is refused", "a@" X60 LABEL60 LABEL60 LABEL60 LABEL60, "!more than 255 bytes"},
	{"M8: a local part that is no UTF-8 is refused", "j\xfc@x.example", "!not valid UTF-8"},
	{"M8: an overlong form is refused", "j\xc0\xaf@x.example", "!not valid UTF-8"},
	{"M8: a surrogate is refused", "j\xed\xa0\x80@x.example", "!not valid UTF-8"},
	{"a domain that IDNA forbids is refused", "a@x\xe2\x80\xaey.example", "!IDNA"},
	{"M1: a control character in a quoted local part is refused", "\"a\tb\"@x.example", "!a control character"},
	{"M1: a C1 control character in a local part is refused", "a\xc2\x85@x.example", "!a control character"},
	{"M1: a bare line end is refused", "a@x.example\r\nRCPT TO:<b@x.example>", "!a control character"},
	{"M1: a line end in quotes is refused", "\"a\r\nb\"@x.example", "!a control character"},
	{"M1: an escaped line end in quotes is refused", "\"a\\\nb\"@x.example", "!a control character"},
	{"M1: a DEL is refused", "a\x7f@x.example", "!a control character"},
	{"a backslash outside quotes is refused", "a\\b@x.example", "!must be quoted"},
	{"an encoded-word is no local part", "=?utf-8?Q?a,b?=@x.example", "!must be quoted"},
};

static const struct list_case operands[] = {
	{"sendmail 39: addresses with commas are two", "a@example.org,b@example.org", "a@example.org|b@example.org"},
	{"sendmail 39: a name with an address is one", "Joe B <c@example.org>", "c@example.org=Joe B"},
	{"sendmail 39: an address with a comment is one", "d@example.org (Dee)", "d@example.org"},
	{"sendmail 46: an address may begin with '-'", "-odd@example.org", "-odd@example.org"},
	{"two addr-specs with a blank are two in an operand", "a@x.example b@y.example", "a@x.example|b@y.example"},
	{"three with a tab and a comment are three", "a@x.example\tb@y.example (x) c", "a@x.example|b@y.example|c"},
	{"names without '@' are each a local part in an operand", "Name Surname", "Name|Surname"},
	{"local parts before an addr-spec are recipients of their own", "root joe a@x.example", "root|joe|a@x.example"},
	{"a dot at the end of a domain does not swallow the next word", "a@x.example. b@y.example", "a@x.example|b@y.example"},
	{"a quoted local part in an operand stays", "\"john doe\"@x.example", "\"john doe\"@x.example"},
	{"an empty operand gives nothing", "", ""},
	{"a quoted name without an address is refused in an operand", "\"John Doe\" j@x.example", "!several words"},
	{"a bare address before a name is refused", "a@x.example Joe <b@x.example>", "!an address is expected|,' is expected"},
	{"a bare address before '<' is refused", "a@x.example <b@x.example>", "!',' is expected"},
	{"a lone '-' is refused", "-", "!a lone '-'"},
	{"addresses without a blank between are refused", "a@[127.0.0.1]b@x.example", "!',' is expected"},
	{"sendmail 59: two '@' are refused in an operand", "bad@@example.org", "!a domain is expected"},
	{"sendmail 63: CR LF in an operand is refused", "a@b>\r\nRCPT TO:<v@y", "!a control character"},
	{"sendmail 63: folding in an operand is refused", "a@b,\n v@y", "!a control character"},
	{"an escape character in an operand's name is refused", "\"a\x1b\" <a@b>", "!a control character"},
	{"a word that cannot be a local name is refused", "Name Sur[name", "!closing ']'"},
};

static const struct list_case paths[] = {
	{"an addr-spec is a path", "a@b", "a@b"},
	{"an addr-spec in angle brackets is a path", "<a@b>", "a@b"},
	{"a name with an address is a path", "Name <a@b>", "a@b=Name"},
	{"a local part is a path", "user", "user"},
	{"an empty text is the null path", "", ""},
	{"'<>' is the null path", "<>", ""},
	{"'<>' with blanks is the null path", " < > ", ""},
	{"a path with '-' before an '@' passes", "-a@b", "-a@b"},
	{"a plus behind the '@' is refused, not copied", "a@b+c", "!cannot stand in a domain"},
	{"a percent sign stays as it is", "bob%Hotmail@x.example", "bob%Hotmail@x.example"},
	{"two addresses are refused", "a@x b@y", "!exactly one address"},
	{"two addresses with a comma are refused", "a@x,b@y", "!exactly one address"},
	{"an empty group is no path", "G:;", "!exactly one address"},
	{"commas alone are no path", ",", "!exactly one address"},
	{"an option is no path", "-t", "!looks like an option"},
	{"protocol 81: CR LF in a path is refused", "a@b>\r\nRCPT TO:<evil@y", "!a control character"},
	{"msmtp bug 5: CR LF before a header line is refused", "a@b\r\nBcc: <evil@y>", "!a control character"},
	{"a line end alone is no null path", "\n", "!a control character"},
	{"a folded null path is refused", "<\n >", "!a control character"},
};

static char *
show(const struct address_list *list)
{
	struct buf shown = {0};

	for (size_t i = 0; i < list->n_items; i++) {
		buf_add_text(&shown, i > 0 ? "|" : "");
		buf_add_text(&shown, list->items[i].mailbox);
		if (list->items[i].display_name != NULL) {
			buf_add_char(&shown, '=');
			buf_add_text(&shown, list->items[i].display_name);
		}
	}
	return buf_take(&shown);
}

/* Is one of the reasons (with '|' between) in text? */
static bool
has_reason(const char *text, const char *reasons)
{
	struct str rest = str_of(reasons);
	struct str reason = {0};

	while (str_next_token(&rest, '|', &reason))
		if (memmem(text, strlen(text), reason.data, reason.size) != NULL)
			return true;
	return false;
}

static void
check(const struct list_case *row, bool went_well, const struct address_list *list, struct err *err)
{
	char *shown = show(list);

	if (row->expected[0] != '!') {
		tap_is(went_well ? shown : buf_text(&err->text), row->expected, row->name);
	} else if (!tap_ok(!went_well && err->exit_code == EX_DATAERR && has_reason(buf_text(&err->text), row->expected + 1),
	                   "%s", row->name)) {
		tap_note("got %s%s", went_well ? "addresses: " : "", went_well ? shown : buf_text(&err->text));
	}
	free(shown);
	err_clear(err);
}

static void
test_lists(const struct list_case *rows, size_t n_rows, bool is_operand)
{
	for (size_t i = 0; i < n_rows; i++) {
		struct address_list list = {0};
		struct err err = {0};
		bool went_well = address_parse_list(str_of(rows[i].text), is_operand, &list, &err);

		check(&rows[i], went_well, &list, &err);
		for (size_t k = 0; k < list.n_items; k++)
			if (!address_is_safe(list.items[k].mailbox))
				tap_ok(false, "what comes out is safe: %s", list.items[k].mailbox);
		address_list_free(&list);
	}
}

static void
test_paths(void)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct address_list list = {.items = mem_alloc(1, sizeof(struct address))};
		struct err err = {0};
		bool went_well = address_parse_path(str_of(paths[i].text), &list.items[0], &err);

		list.n_items = 1;
		if (!went_well)
			list.n_items = 0;
		check(&paths[i], went_well, &list, &err);
		address_list_free(&list);
	}
}

/* `depth` comments inside each other and an address. */
static bool
is_depth_allowed(int depth)
{
	struct address_list list = {0};
	struct buf text = {0};
	struct err err = {0};
	bool went_well;

	for (int i = 0; i < depth; i++)
		buf_add_char(&text, '(');
	for (int i = 0; i < depth; i++)
		buf_add_char(&text, ')');
	buf_add_text(&text, "a@x.example");
	went_well = address_parse_list(buf_str(&text), false, &list, &err);
	address_list_free(&list);
	buf_free(&text);
	err_clear(&err);
	return went_well;
}

static void
test_bombs(void)
{
	struct address_list list = {0};
	struct buf text = {0};
	struct err err = {0};

	tap_ok(is_depth_allowed(64), "comments may be nested 64 deep");
	tap_ok(!is_depth_allowed(65), "M5: comments nested 65 deep are refused");
	tap_ok(!is_depth_allowed(100000), "M5: 100000 nested comments are refused");
	for (int i = 0; i < 100000; i++)
		buf_add_text(&text, "G:;,");
	tap_ok(address_parse_list(buf_str(&text), false, &list, &err) && list.n_items == 0, "M5: 100000 empty groups give nothing");
	buf_clear(&text);
	for (int i = 0; i < 10000; i++)
		buf_printf(&text, "user%d@example.org,\n ", i);
	tap_ok(address_parse_list(buf_str(&text), false, &list, &err) && list.n_items == 10000, "M7: 10000 recipients are read");
	address_list_free(&list);
	address_list_free(&list);
	tap_ok(!address_parse_list(str_make("a\0b@x.example", 13), false, &list, &err), "M1: a NUL is refused");
	err_clear(&err);
	tap_ok(!address_parse_list(str_make("\"a\0b\" <c@x.example>", 19), false, &list, &err), "M1: a NUL in a name is refused");
	address_list_free(&list);
	buf_free(&text);
	err_clear(&err);
}

static void
test_places(void)
{
	static const struct {
		const char *name;
		const char *text;
		const char *place;
	} cases[] = {
		{"the place of a bare word is the word", " (x) root (y)", "root"},
		{"the place of a mailbox begins behind '<'", "Joe < joe >", "joe"},
		{"the place of a mailbox begins behind its route", "Joe <@a.example:joe@b.example>", "joe@b.example"},
		{"the place of a quoted local part has its quotes", "G: \"a b\";", "\"a b\""},
		{"the place of a mailbox with comments inside is all of it", "a (x) @ b (y) . c (z)", "a (x) @ b (y) . c"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct address_list list = {0};
		struct err err = {0};
		char *place = NULL;

		if (address_parse_list(str_of(cases[i].text), false, &list, &err) && list.n_items == 1)
			place = mem_copy(cases[i].text + list.items[0].offset, list.items[0].length);
		tap_is(place, cases[i].place, cases[i].name);
		free(place);
		address_list_free(&list);
		err_clear(&err);
	}
}

static void
test_safety(void)
{
	static const struct {
		const char *mailbox;
		bool is_safe;
	} cases[] = {
		{"a@x.example", true}, {"root", true}, {"\"a b\"@x.example", true}, {"\"a>b\"@x.example", true},
		{"a@[127.0.0.1]", true}, {"j" U_UMLAUT "@x.example", true}, {"", false}, {"@", false}, {"a@", false}, {"@x", false},
		{"a b@x.example", false}, {"a@x.example>", false}, {"<a@x.example", false}, {"a@x.example\r\n", false},
		{"a@x.example\r\nRCPT TO:<b@y", false}, {"\"a\r\n\"@x.example", false}, {"\"a\"b@x.example", false},
		{"\"a@x.example", false}, {"\"a\\\"@x.example", false}, {"a@x.example b", false}, {"a@x.example BODY=8BITMIME", false},
		{"a@[127.0.0.1]>", false}, {"a@b@c", false}, {"\"\"@x", false}, {"a\x80@x.example", false}, {"a@x.example.", false},
		{"a..b@x.example", false}, {".a@x.example", false}, {"\"a\"", true}, {"a@\"b\"", false}, {"a\x7f@x", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		tap_ok(address_is_safe(cases[i].mailbox) == cases[i].is_safe, "protocol 81: row %zu is %s", i,
		       cases[i].is_safe ? "safe" : "not safe");
	tap_ok(!address_is_safe(NULL), "no mailbox is not safe");
}

static void
test_parts(void)
{
	struct address address = {0};
	struct err err = {0};

	tap_ok(address_equals("a@X.example", "a@x.EXAMPLE"), "domains are equal without case");
	tap_ok(!address_equals("A@x.example", "a@x.example"), "local parts are equal to the letter");
	tap_ok(!address_equals("\"a@B\"@x", "\"a@b\"@x"), "what follows an '@' in quotes is no domain");
	tap_ok(!address_equals("a", "a@x") && address_equals("", ""), "an unqualified mailbox equals only itself");
	address_parse_path(STR("\"a@b\""), &address, &err);
	tap_ok(address_domain(&address) == NULL, "a quoted '@' begins no domain");
	address_qualify(&address, "x.example");
	tap_is(address.mailbox, "\"a@b\"@x.example", "an unqualified mailbox is qualified");
	tap_is(address_domain(&address), "x.example", "and has the domain then");
	address_qualify(&address, "y.example");
	tap_is(address.mailbox, "\"a@b\"@x.example", "a qualified mailbox stays");
	address_free(&address);
	address_free(&address);
	address_parse_path(STR("<>"), &address, &err);
	address_qualify(&address, "y.example");
	tap_is(address.mailbox, "", "the null path is never qualified");
	address_free(&address);
}

static void
test_header_form(void)
{
	static const struct {
		const char *name;
		const char *display_name;
		const char *expected;
	} cases[] = {
		{"no name is the mailbox alone", NULL, "From: a@x.example"},
		{"an empty name is the mailbox alone", " \t", "From: a@x.example"},
		{"a name of atoms is written as it is", "Joe  B", "From: Joe B <a@x.example>"},
		{"a name with a dot is quoted", "Joe B.", "From: \"Joe B.\" <a@x.example>"},
		{"msmtp bug 14: a name with specials is quoted", "Doe, John \"x\" (y)", "From: \"Doe, John \\\"x\\\" (y)\" <a@x.example>"},
		{"a backslash is escaped", "a\\b", "From: \"a\\\\b\" <a@x.example>"},
		{"a line end in a name is a blank", "x\r\nBcc: v@y.example", "From: \"x Bcc: v@y.example\" <a@x.example>"},
		{"control characters in a name go", "a\x1b\x7f" "b", "From: ab <a@x.example>"},
		{"a name with an umlaut is one encoded-word in Q", "J" U_UMLAUT "rgen Mustermann",
		 "From: =?UTF-8?Q?J=C3=BCrgen_Mustermann?= <a@x.example>"},
		{"a name that is shorter in base64 is written so", U_UMLAUT U_UMLAUT U_UMLAUT, "From: =?UTF-8?B?w7zDvMO8?= <a@x.example>"},
		{"a name that is no UTF-8 says so", "J\xfcrgen", "From: =?unknown-8bit?Q?J=FCrgen?= <a@x.example>"},
		{"an encoded-word stays as it is", "=?utf-8?q?J=C3=BC?=", "From: =?utf-8?q?J=C3=BC?= <a@x.example>"},
		{"a long name in words is folded", X60 " " X10 " b", "From: " X60 "\n " X10 " b <a@x.example>"},
		{"a long mailbox goes to a line of its own", X60, "From: " X60 "\n <a@x.example>"},
		{"a long encoded name is folded between encoded-words",
		 U_UMLAUT X60 X10, "From: =?UTF-8?Q?=C3=BC" X10 X10 X10 X10 X10 "xx?=\n"
		 " =?UTF-8?Q?" X10 "xxxxxxxx?= <a@x.example>"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = {0};

		buf_add_text(&b, "From: ");
		address_add_header(&b, cases[i].display_name, "a@x.example");
		tap_is(buf_text(&b), cases[i].expected, cases[i].name);
		buf_free(&b);
	}
}

static void
add_decoded(struct buf *b, struct str base64)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, n_bits = 0;

	for (size_t i = 0; i < base64.size && base64.data[i] != '='; i++) {
		bits = (bits << 6 | (unsigned)(strchr(digits, base64.data[i]) - digits)) & 0xffff;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			buf_add_char(b, (char)(bits >> n_bits & 0xff));
		}
	}
}

/* Long names of characters of several bytes: all lines short, every encoded-word made of whole characters. */
static void
test_encoded_lines(void)
{
	struct buf name = {0}, b = {0}, decoded = {0};
	struct str rest = {0}, line = {0};
	bool is_short = true, is_whole = true;

	for (int i = 0; i < 60; i++)
		buf_add_text(&name, i % 3 == 0 ? "\xf0\x9f\x90\x8e" : i % 3 == 1 ? "\xe2\x82\xac" : "a");
	buf_add_text(&b, "Resent-From: ");
	address_add_header(&b, buf_text(&name), "a@x.example");
	rest = buf_str(&b);
	while (str_next_token(&rest, '\n', &line)) {
		struct str text = str_from(line, str_find(line, '=') + strlen("=?UTF-8?B?"));

		is_short = is_short && line.size <= 76;
		add_decoded(&decoded, str_first(text, str_find(text, '?')));
		is_whole = is_whole && str_is_utf8(buf_str(&decoded));
	}
	tap_ok(is_short, "no line with an encoded-word has more than 76 characters");
	tap_ok(is_whole, "no character is split between encoded-words");
	tap_is(buf_text(&decoded), buf_text(&name), "the encoded-words together are the name");
	buf_free(&decoded);
	buf_free(&name);
	buf_free(&b);
}

static void
test_ascii_domains(void)
{
	static const struct list_case cases[] = {
		{"an ASCII domain stays", "Example.org", "Example.org"},
		{"a dot at the end goes", "example.org.", "example.org"},
		{"an umlaut becomes an A-label", "B" U_UMLAUT "cher.example", "xn--bcher-kva.example"},
		{"M8: a decomposed umlaut becomes the same A-label", "bu\xcc\x88" "cher.example", "xn--bcher-kva.example"},
		{"a sharp s stays one", "stra\xc3\x9f" "e.de", "xn--strae-oqa.de"},
		{"an ideographic full stop is a dot", "b" U_UMLAUT "cher\xe3\x80\x82" "example", "xn--bcher-kva.example"},
		{"an A-label stays", "xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"an underscore is not deleted", "_dmarc.example", "_dmarc.example"},
		{"an underscore beside an umlaut is not deleted", "_a.b" U_UMLAUT ".example", "_a.xn--b-eha.example"},
		{"an IPv4 literal stays", "[127.0.0.1]", "[127.0.0.1]"},
		{"an IPv6 literal stays", "[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"},
		{"a false A-label is refused", "xn--\x61-.example", "!"},
		{"an A-label that decodes to nothing allowed is refused", "xn--0000h.example", "!IDNA"},
		{"an empty label is refused", "a..b", "!two dots"},
		{"a dot at the start is refused", ".b", "!a dot at the start"},
		{"a blank is refused", "a b.example", "!cannot stand"},
		{"an emoji is refused", "\xf0\x9f\x90\x8e.example", "!IDNA"},
		{"a bidirectional override is refused", "a\xe2\x80\xae.example", "!IDNA"},
		{"a fullwidth '@' is refused", "a\xef\xbc\xa0" "b.example", "!"},
		{"bytes that are no UTF-8 are refused", "b\xfc.example", "!IDNA"},
		{"an empty domain is refused", "", "!empty"},
		{"a dot alone is refused", ".", "!two dots"},
		{"an IDN whose A-label is too long is refused",
		 U_UMLAUT X60 ".example", "!"},
		{"a name of 254 characters is refused", X60 LABEL60 LABEL60 LABEL60 "." X10, "!253"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = {0};
		struct err err = {0};
		bool went_well = address_add_ascii_domain(&b, cases[i].text, &err);

		if (cases[i].expected[0] != '!')
			tap_is(went_well ? buf_text(&b) : buf_text(&err.text), cases[i].expected, cases[i].name);
		else if (!tap_ok(!went_well && b.size == 0 && err.exit_code == EX_DATAERR &&
		                 strstr(buf_text(&err.text), cases[i].expected + 1) != NULL, "%s", cases[i].name))
			tap_note("got %s, %s", buf_text(&b), buf_text(&err.text));
		buf_free(&b);
		err_clear(&err);
	}
}

int
main(void)
{
	test_lists(headers, sizeof(headers) / sizeof(headers[0]), false);
	test_lists(operands, sizeof(operands) / sizeof(operands[0]), true);
	test_paths();
	test_bombs();
	test_places();
	test_safety();
	test_parts();
	test_header_form();
	test_encoded_lines();
	test_ascii_domains();
	return tap_end();
}
