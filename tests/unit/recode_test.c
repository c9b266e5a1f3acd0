/* recode_test.c - raw UTF-8 in header fields becomes encoded-words that mean the same, and all other fields stay. */

#include "config.h"

#include "decode_words.h"
#include "mail/recode.h"
#include "message_kit.h"
#include "tap.h"

#define E_ACUTE "\xc3\xa9"
#define O_UML "\xc3\xb6"
#define JOERG "=?UTF-8?B?SsO2cmc=?="

struct row {
	const char *name;
	const char *section;
	const char *expected; /* NULL: it stays */
};

static const struct row rows[] = {
	{"Subject: the words that need it", "Subject: a caf" E_ACUTE " b\n", "Subject: a =?UTF-8?B?Y2Fmw6k=?= b\n"},
	{"Comments, in capitals, with a blank before the colon", "COMMENTS : caf" E_ACUTE "\n", "COMMENTS : =?UTF-8?B?Y2Fmw6k=?=\n"},
	{"from the first word to the last that needs it, blanks with them", "Subject: " E_ACUTE " two  blanks " E_ACUTE " end\n",
	 "Subject: =?UTF-8?B?w6kgdHdvICBibGFua3Mgw6k=?= end\n"},
	{"without a blank behind the colon", "Subject:" E_ACUTE "\n", "Subject:=?UTF-8?B?w6k=?=\n"},
	{"folding between words goes where they are encoded", "Subject: " E_ACUTE "\n\t" E_ACUTE "\n x\n",
	 "Subject: =?UTF-8?B?w6kJw6k=?=\n x\n"},
	{"a folded first line", "Subject:\n caf" E_ACUTE "\n", "Subject:\n =?UTF-8?B?Y2Fmw6k=?=\n"},
	{"behind an encoded-word the blank is in the next one", "Subject: =?utf-8?q?a?= " E_ACUTE "\n",
	 "Subject: =?utf-8?q?a?= =?UTF-8?B?IMOp?=\n"},
	{"in front of an encoded-word as well", "Subject: " E_ACUTE " =?utf-8?q?a?= b\n",
	 "Subject: =?UTF-8?B?w6kg?= =?utf-8?q?a?= b\n"},
	{"on both sides", "Subject: " E_ACUTE " =?utf-8?q?a?= " E_ACUTE "\n",
	 "Subject: =?UTF-8?B?w6kg?= =?utf-8?q?a?= =?UTF-8?B?IMOp?=\n"},
	{"a display name", "From: J" O_UML "rg <a@x>\n", "From: " JOERG " <a@x>\n"},
	{"a display name in quotes", "To: \"J" O_UML "rg, M.\" <a@x>\n", "To: =?UTF-8?B?SsO2cmcsIE0u?= <a@x>\n"},
	{"a name of several words", "Cc: Dr. J" O_UML "rg   M\n <a@x>\n", "Cc: =?UTF-8?B?RHIuIErDtnJnIE0=?=\n <a@x>\n"},
	{"a name without blanks around it gets them", "To:J" O_UML "rg<a@x>,J" O_UML "rg<b@x>\n",
	 "To: " JOERG " <a@x>, " JOERG " <b@x>\n"},
	{"of several names only those that need it", "To: \"A, B\" <a@x>, J" O_UML "rg <b@x> , c@x\n",
	 "To: \"A, B\" <a@x>, " JOERG " <b@x> , c@x\n"},
	{"the name of a group", "To: J" O_UML "rg: a@x, J" O_UML "rg <b@x>;\n", "To: " JOERG " : a@x, " JOERG " <b@x>;\n"},
	{"a comment", "From: a@x (J" O_UML "rg)\n", "From: a@x (" JOERG ")\n"},
	{"a comment behind a name", "Sender: J" O_UML "rg (J" O_UML "rg) <a@x>\n", "Sender: " JOERG " (" JOERG ") <a@x>\n"},
	{"Reply-To and Resent-From", "Reply-To: J" O_UML "rg <a@x>\nResent-From: J" O_UML "rg <a@x>\n",
	 "Reply-To: " JOERG " <a@x>\nResent-From: " JOERG " <a@x>\n"},
	{"an address stays raw, its name does not", "From: J" O_UML "rg <" O_UML "@x>\n", "From: " JOERG " <" O_UML "@x>\n"},
	{"a bare address stays", "From: " O_UML "@" O_UML ".example\n", NULL},
	{"a route in UTF-8 is no name of a group", "From: <@" O_UML ":a@x>\n", NULL},
	{"a nested comment stays", "From: a@x (b (" O_UML "))\n", NULL},
	{"a comment with a backslash stays", "From: a@x (" O_UML "\\))\n", NULL},
	{"a comment with an encoded-word stays", "From: a@x (" O_UML " =?utf-8?q?a?=)\n", NULL},
	{"a name with an encoded-word stays", "From: =?utf-8?q?a?= " O_UML " <a@x>\n", NULL},
	{"a name with a comment in it stays", "From: A (x) " O_UML " <a@x>\n", NULL},
	{"a bracket that is not closed leaves the field alone", "From: " O_UML " <a@x\n", NULL},
	{"no address-list stays", "From: " O_UML " [x] <a@x>\n", NULL},
	{"what is not UTF-8 stays, beside what is", "Subject: \xe9\nComments: " E_ACUTE "\n", "Subject: \xe9\nComments: =?UTF-8?B?w6k=?=\n"},
	{"other fields stay", "X-Subject: " E_ACUTE "\nReceived: " E_ACUTE "\nContent-Type: text/plain; name=" E_ACUTE "\n", NULL},
	{"ASCII stays, however it is written", "subject :  a\t b \nTo: \"a\" <b@x>,\n c@x\n", NULL},
};

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *expected = rows[i].expected != NULL ? rows[i].expected : rows[i].section;
		struct buf b = {0};
		bool is_changed = recode_section(&b, str_of(rows[i].section));

		tap_is(buf_text(&b), expected, rows[i].name);
		if (is_changed != (rows[i].expected != NULL))
			tap_ok(false, "and says whether it changed anything: %s", rows[i].name);
		buf_free(&b);
	}
}

/* No line but one that was longer is above 76, none is blank, and the whole decodes to the text without folding. */
static void
is_sound(struct str section, const char *name)
{
	struct buf b = {0}, decoded = {0}, unfolded = {0};
	struct str rest, line = {0};
	bool holds = recode_section(&b, section) && words_decode(buf_str(&b), &decoded);

	rest = buf_str(&b);
	while (str_next_token(&rest, '\n', &line))
		holds = holds && line.size <= 76 && str_trim(line).size > 0;
	for (size_t i = 0; i < section.size; i++)
		if (section.data[i] != '\n')
			buf_add_char(&unfolded, section.data[i]);
	if (!tap_ok(holds && str_equals(buf_str(&decoded), buf_str(&unfolded)), "%s", name))
		tap_note("%s", buf_text(&b));
	buf_free(&b);
	buf_free(&decoded);
	buf_free(&unfolded);
}

#define TEN "123456789 "
#define BLANKS "          "

static void
test_lines(void)
{
	struct buf b = {0};

	is_sound(STR("Subject: " TEN TEN TEN TEN TEN TEN TEN TEN TEN E_ACUTE " " TEN TEN TEN TEN TEN TEN TEN TEN "\n"),
	         "a long subject is folded, and means the same");
	is_sound(STR("Subject: x" BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS E_ACUTE "\n"),
	         "blanks that find no room on a line go into the encoded-word");
	is_sound(STR("Subject: x\n" BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS E_ACUTE "\n"),
	         "so do those of folding: no line is blank");
	recode_section(&b, STR("Subject: " E_ACUTE " " TEN TEN TEN TEN TEN BLANKS BLANKS BLANKS "\nTo: a@x\n"));
	tap_is(buf_text(&b), "Subject: =?UTF-8?B?w6k=?= " TEN TEN TEN TEN TEN BLANKS BLANKS BLANKS "\nTo: a@x\n",
	       "blanks at the end do not get a line of their own");
	buf_clear(&b);
	is_sound(STR("Subject: x" BLANKS BLANKS BLANKS BLANKS E_ACUTE "\n"), "fewer blanks begin the next line");
	recode_section(&b, STR("To: a@x.example, bb@x.example, cc@x.example, dd@x.example,      J" O_UML "rg <e@x>\n"));
	tap_is(buf_text(&b), "To: a@x.example, bb@x.example, cc@x.example, dd@x.example,\n " JOERG " <e@x>\n",
	       "a name that finds no room on the line begins a new one");
	buf_clear(&b);
	recode_section(&b, STR("To: J" O_UML "rg <a.long.local.part.that.fills.its.line@with.a.long.domain.example>\n"));
	tap_is(buf_text(&b), "To: " JOERG "\n <a.long.local.part.that.fills.its.line@with.a.long.domain.example>\n",
	       "and so does the address behind it");
	buf_free(&b);
}

int
main(void)
{
	test_rows();
	test_lines();
	return tap_end();
}
