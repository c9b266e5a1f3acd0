/* canonical_test.c - line ends, dots, NUL and where the header section ends. */

#include "config.h"

#include "mail/canonical.h"
#include "message_kit.h"

struct row {
	const char *name;
	struct str text;
	struct str header;
	struct str body;
	bool ends_at_lone_dot;
};

/* The sequences by which a lenient server could be made to see the end of a message, and what is kept of them. */
static const struct row smuggling_rows[] = {
	{"protocol 83: \\n.\\n keeps its line",
	 KIT_TEXT("S: s\n\na\n.\nb\n"), KIT_TEXT("S: s\n"), KIT_TEXT("a\n.\nb\n"), false},
	{"protocol 83: \\r.\\r is a line with a dot",
	 KIT_TEXT("S: s\n\na\r.\rb\n"), KIT_TEXT("S: s\n"), KIT_TEXT("a\n.\nb\n"), false},
	{"protocol 83: \\r\\n.\\r is a line with a dot",
	 KIT_TEXT("S: s\n\na\r\n.\rb\n"), KIT_TEXT("S: s\n"), KIT_TEXT("a\n.\nb\n"), false},
	{"protocol 83: \\n.\\r\\n is a line with a dot",
	 KIT_TEXT("S: s\n\na\n.\r\nb\n"), KIT_TEXT("S: s\n"), KIT_TEXT("a\n.\nb\n"), false},
	{"protocol 83: \\r.\\r\\n is a line with a dot",
	 KIT_TEXT("S: s\n\na\r.\r\nb\n"), KIT_TEXT("S: s\n"), KIT_TEXT("a\n.\nb\n"), false},
	{"protocol 83: \\r\\r\\n.\\r\\r\\n is a line with a dot",
	 KIT_TEXT("S: s\n\na\r\r\n.\r\r\nb\n"), KIT_TEXT("S: s\n"), KIT_TEXT("a\n.\nb\n"), false},
	{"protocol 83: NUL \\r\\n.\\r\\n keeps the NUL and the line",
	 KIT_TEXT("S: s\n\na\0\r\n.\r\nb\n"), KIT_TEXT("S: s\n"), KIT_TEXT("a\0\n.\nb\n"), false},
	{"protocol 83: a dot as the first line is kept",
	 KIT_TEXT(".\nb\n"), KIT_TEXT(""), KIT_TEXT(".\nb\n"), false},
	{"protocol 83: a dot at the end of input gets its line end",
	 KIT_TEXT("S: s\n\na\n."), KIT_TEXT("S: s\n"), KIT_TEXT("a\n.\n"), false},
	{"protocol 83: a missing last line end is added",
	 KIT_TEXT("S: s\n\na"), KIT_TEXT("S: s\n"), KIT_TEXT("a\n"), false},
};

static const struct row line_rows[] = {
	{"sendmail 55: a bare CR in the body ends a line",
	 KIT_TEXT("S: s\n\n10%\r50%\r100%\ndone\r\n"),
	 KIT_TEXT("S: s\n"), KIT_TEXT("10%\n50%\n100%\ndone\n"), false},
	{"sendmail 56: CR CR LF is one line end",
	 KIT_TEXT("S: s\r\r\n\r\r\nx\r\r\n"), KIT_TEXT("S: s\n"), KIT_TEXT("x\n"), false},
	{"two bare CR are two line ends",
	 KIT_TEXT("S: s\n\na\r\rb\n"), KIT_TEXT("S: s\n"), KIT_TEXT("a\n\nb\n"), false},
	{"CR at the end of input is one line end",
	 KIT_TEXT("S: s\n\na\r\r"), KIT_TEXT("S: s\n"), KIT_TEXT("a\n"), false},
	{"CR alone in the body is an empty line",
	 KIT_TEXT("S: s\n\n\r"), KIT_TEXT("S: s\n"), KIT_TEXT("\n"), false},
	{"CR before NUL and LF is a line end of its own in the body",
	 KIT_TEXT("S: s\n\na\r\0\nb\n"), KIT_TEXT("S: s\n"), KIT_TEXT("a\n\0\nb\n"), false},
	{"a CR in the header is a space and makes no field",
	 KIT_TEXT("S: a\rBcc: b\n\n"), KIT_TEXT("S: a Bcc: b\n"), KIT_TEXT(""), false},
	{"a CR at the start of a header line folds it",
	 KIT_TEXT("S: a\n\rBcc: b\n\n"), KIT_TEXT("S: a\n Bcc: b\n"), KIT_TEXT(""), false},
	{"CR between name and colon is a blank",
	 KIT_TEXT("Bcc\r: b\n\n"), KIT_TEXT("Bcc : b\n"), KIT_TEXT(""), false},
	{"a message with CR alone is one header line",
	 KIT_TEXT("S: a\rT: b\r\rx\r"), KIT_TEXT("S: a T: b  x\n"), KIT_TEXT(""), false},
	{"text without a header keeps bare CR as line ends",
	 KIT_TEXT("10%\r50%\r\n"), KIT_TEXT(""), KIT_TEXT("10%\n50%\n"), false},
	{"sendmail 54: NUL in the header is dropped, in the body kept",
	 KIT_TEXT("S: s\0t\n\na\0b\n"), KIT_TEXT("S: st\n"), KIT_TEXT("a\0b\n"), false},
	{"a NUL does not end the header",
	 KIT_TEXT("S: s\0\nT: t\n\nx\n"), KIT_TEXT("S: s\nT: t\n"), KIT_TEXT("x\n"), false},
	{"a line of NUL alone is empty and ends the header",
	 KIT_TEXT("S: s\n\0\0\nT: t\n"), KIT_TEXT("S: s\n"), KIT_TEXT("T: t\n"), false},
	{"a NUL in front of a field name is dropped",
	 KIT_TEXT("\0B\0cc: b\n\nx\n"), KIT_TEXT("Bcc: b\n"), KIT_TEXT("x\n"), false},
};

static const struct row section_rows[] = {
	{"sendmail 47: text without a header is body",
	 KIT_TEXT("hi\n"), KIT_TEXT(""), KIT_TEXT("hi\n"), false},
	{"sendmail 48: a leading empty line is the end of no header",
	 KIT_TEXT("\nhi\n"), KIT_TEXT(""), KIT_TEXT("hi\n"), false},
	{"sendmail 49: lines of an mbox in front go, those in the body stay",
	 KIT_TEXT("From joe Sat\n>From x\n>>From y\nS: s\n\nFrom y\n>From z\n"),
	 KIT_TEXT("S: s\n"), KIT_TEXT("From y\n>From z\n"), false},
	{"an mbox line that NUL and CR disguise goes too",
	 KIT_TEXT(">\0From\rjoe\nS: s\n\nx\n"), KIT_TEXT("S: s\n"), KIT_TEXT("x\n"), false},
	{"an mbox line known at its end takes no other with it",
	 KIT_TEXT("From \nS: s\n\nx\n"), KIT_TEXT("S: s\n"), KIT_TEXT("x\n"), false},
	{"an mbox line is all there is",
	 KIT_TEXT("From joe"), KIT_TEXT(""), KIT_TEXT(""), false},
	{"an mbox line inside the header begins the body",
	 KIT_TEXT("S: s\nFrom joe\nT: t\n"), KIT_TEXT("S: s\n"), KIT_TEXT("From joe\nT: t\n"), false},
	{"From with blanks and a colon is a field, not an mbox line",
	 KIT_TEXT("From : a@x\n\n"), KIT_TEXT("From : a@x\n"), KIT_TEXT(""), false},
	{"sendmail 50: the first line that is no field begins the body",
	 KIT_TEXT("S: s\nnot a header\nTo: o\n\nx\n"),
	 KIT_TEXT("S: s\n"), KIT_TEXT("not a header\nTo: o\n\nx\n"), false},
	{"sendmail 51: a header without an end is a header",
	 KIT_TEXT("S: s\nTo: o"), KIT_TEXT("S: s\nTo: o\n"), KIT_TEXT(""), false},
	{"sendmail 52: nothing is nothing",
	 KIT_TEXT(""), KIT_TEXT(""), KIT_TEXT(""), false},
	{"a blank line ends the header and is dropped",
	 KIT_TEXT("S: s\n \t\r\nT: t\n"), KIT_TEXT("S: s\n"), KIT_TEXT("T: t\n"), false},
	{"blanks at the end of input end the header",
	 KIT_TEXT("S: s\n  "), KIT_TEXT("S: s\n"), KIT_TEXT(""), false},
	{"folded lines belong to their field",
	 KIT_TEXT("S: s\r\n  t\r\n\tu\r\n\r\nx\r\n"), KIT_TEXT("S: s\n  t\n\tu\n"), KIT_TEXT("x\n"), false},
	{"a folded line before any field is body",
	 KIT_TEXT(" a\rb\nS: s\n"), KIT_TEXT(""), KIT_TEXT(" a\nb\nS: s\n"), false},
	{"a colon without a name is no field",
	 KIT_TEXT("S: s\n: x\n"), KIT_TEXT("S: s\n"), KIT_TEXT(": x\n"), false},
	{"a name with an 8-bit octet is no field",
	 KIT_TEXT("S: s\nX\xc3\xa9: x\n"), KIT_TEXT("S: s\n"), KIT_TEXT("X\xc3\xa9: x\n"), false},
	{"a name without a colon at the end of input is body",
	 KIT_TEXT("S: s\nword"), KIT_TEXT("S: s\n"), KIT_TEXT("word\n"), false},
};

static const struct row dot_rows[] = {
	{"sendmail 8: a lone dot ends the message",
	 KIT_TEXT("S: s\n\na\n.\nb\n"), KIT_TEXT("S: s\n"), KIT_TEXT("a\n"), true},
	{"a lone dot with CR LF ends the message",
	 KIT_TEXT("S: s\n\na\r\n.\r\r\nb\r\n"), KIT_TEXT("S: s\n"), KIT_TEXT("a\n"), true},
	{"a dot and the end of input end the message",
	 KIT_TEXT("S: s\n\na\n."), KIT_TEXT("S: s\n"), KIT_TEXT("a\n"), true},
	{"a dot, CR and the end of input end the message",
	 KIT_TEXT("S: s\n\na\n.\r"), KIT_TEXT("S: s\n"), KIT_TEXT("a\n"), true},
	{"a lone dot as the first line of the body ends the message",
	 KIT_TEXT("S: s\n\n.\nb\n"), KIT_TEXT("S: s\n"), KIT_TEXT(""), true},
	{"a lone dot in the header ends the message",
	 KIT_TEXT("S: s\n.\nT: t\n"), KIT_TEXT("S: s\n"), KIT_TEXT(""), true},
	{"a lone dot as the first line ends the message",
	 KIT_TEXT(".\r\nT: t\n"), KIT_TEXT(""), KIT_TEXT(""), true},
	{"a lone dot in the header at the end of input ends the message",
	 KIT_TEXT("S: s\n."), KIT_TEXT("S: s\n"), KIT_TEXT(""), true},
	{"a lone dot behind a first line without a header ends the message",
	 KIT_TEXT("hi\n.\nb\n"), KIT_TEXT(""), KIT_TEXT("hi\n"), true},
	{"sendmail 7: other lines with dots stay as they are",
	 KIT_TEXT("S: s\n\n..\n.x\n. \n x.\n.\rend\n"),
	 KIT_TEXT("S: s\n"), KIT_TEXT("..\n.x\n. \n x.\n.\nend\n"), true},
	{"a dot behind a bare CR is no lone dot",
	 KIT_TEXT("S: s\n\n10%\r.\nend\n"), KIT_TEXT("S: s\n"), KIT_TEXT("10%\n.\nend\n"), true},
	{"a dot behind a CR at the start of a line is no lone dot",
	 KIT_TEXT("S: s\n\n\r.\nend\n"), KIT_TEXT("S: s\n"), KIT_TEXT("\n.\nend\n"), true},
	{"without the rule a lone dot in the header begins the body",
	 KIT_TEXT("S: s\n.\nT: t\n"), KIT_TEXT("S: s\n"), KIT_TEXT(".\nT: t\n"), false},
};

/* Canonicalise text given in pieces of `piece` bytes (0: whole). */
static void
convert(struct str text, bool ends_at_lone_dot, size_t piece, struct buf *header, struct buf *body)
{
	struct canonical c = {.ends_at_lone_dot = ends_at_lone_dot};
	struct str next;

	while (text.size > 0) {
		next = str_first(text, piece > 0 ? piece : text.size);
		text = str_from(text, next.size);
		next = str_from(next, canonical_header(&c, next, header));
		if (c.part != CANONICAL_HEADER)
			canonical_body(&c, next, body);
	}
	canonical_end_header(&c, header);
	canonical_end_body(&c, body);
}

static bool
gives(struct str text, bool ends_at_lone_dot, struct str expected_header, struct str expected_body)
{
	bool holds = true;

	for (size_t piece = 0; piece < 5; piece++) {
		struct buf header = {0};
		struct buf body = {0};

		convert(text, ends_at_lone_dot, piece, &header, &body);
		if (!str_equals(buf_str(&header), expected_header) || !str_equals(buf_str(&body), expected_body)) {
			holds = false;
			tap_note("pieces of %zu, header %zu bytes: %.60s", piece, header.size,
			         buf_text(&header));
			tap_note("body %zu bytes: %.60s", body.size, buf_text(&body));
		}
		buf_free(&header);
		buf_free(&body);
	}
	return holds;
}

static void
test_rows(const struct row *rows, size_t n_rows)
{
	for (size_t i = 0; i < n_rows; i++)
		tap_ok(gives(rows[i].text, rows[i].ends_at_lone_dot, rows[i].header, rows[i].body), "%s",
		       rows[i].name);
}

static void
add_many(struct buf *b, char c, size_t n)
{
	memset(buf_reserve(b, n), c, n);
	buf_grow(b, n);
}

/* Where a line is long enough that it must be decided what it is before it is over. */
static void
test_bounds(void)
{
	struct buf text = {0};
	struct buf expected = {0};

	add_many(&text, 'x', CANONICAL_UNDECIDED_MOST - 1);
	buf_add_text(&text, ":b\n");
	tap_ok(gives(buf_str(&text), false, buf_str(&text), STR("")), "a field name of 997 bytes is one");
	buf_clear(&text);
	add_many(&text, 'x', CANONICAL_UNDECIDED_MOST);
	buf_add_text(&text, ":b\n");
	tap_ok(gives(buf_str(&text), false, STR(""), buf_str(&text)), "a field name of 998 bytes is none");
	buf_clear(&text);
	add_many(&text, 'x', 5000);
	buf_add_text(&expected, buf_text(&text));
	buf_add_char(&expected, '\n');
	tap_ok(gives(buf_str(&text), true, STR(""), buf_str(&expected)),
	       "a long line without a header is body");
	buf_clear(&text);
	buf_add_text(&text, "From ");
	add_many(&text, ' ', 3000);
	buf_add_text(&text, "\nBcc: b\n");
	tap_ok(gives(buf_str(&text), false, STR("Bcc: b\n"), STR("")),
	       "a long mbox line is dropped to its end");
	buf_free(&text);
	buf_free(&expected);
}

/* Runs of blanks and CR, of which only so many are remembered. */
static void
test_runs(void)
{
	struct buf text = {0};
	struct buf expected = {0};

	buf_add_text(&text, "S: s\n");
	add_many(&text, ' ', 3000);
	buf_add_text(&text, "t\nBcc: b\n");
	buf_add_text(&expected, "S: s\n");
	add_many(&expected, ' ', CANONICAL_UNDECIDED_MOST - 1);
	buf_add_text(&expected, "t\nBcc: b\n");
	tap_ok(gives(buf_str(&text), false, buf_str(&expected), STR("")),
	       "a folded line with 3000 blanks does not end the header");
	buf_clear(&text);
	buf_add_text(&text, "S: s\n");
	add_many(&text, ' ', 3000);
	buf_add_text(&text, "\nBcc: b\n");
	tap_ok(gives(buf_str(&text), false, STR("S: s\n"), STR("Bcc: b\n")),
	       "a line of 3000 blanks ends the header");
	buf_clear(&text);
	buf_clear(&expected);
	buf_add_text(&text, "S: s\n\nx");
	add_many(&text, '\r', 3000);
	buf_add_text(&text, "\ny\n");
	buf_add_text(&expected, "x");
	add_many(&expected, '\n', 3000 - CANONICAL_UNDECIDED_MOST + 1);
	buf_add_text(&expected, "y\n");
	tap_ok(gives(buf_str(&text), false, STR("S: s\n"), buf_str(&expected)),
	       "of 3000 CR before LF the last 998 belong to it");
	buf_free(&text);
	buf_free(&expected);
}

int
main(void)
{
	test_rows(smuggling_rows, sizeof(smuggling_rows) / sizeof(smuggling_rows[0]));
	test_rows(line_rows, sizeof(line_rows) / sizeof(line_rows[0]));
	test_rows(section_rows, sizeof(section_rows) / sizeof(section_rows[0]));
	test_rows(dot_rows, sizeof(dot_rows) / sizeof(dot_rows[0]));
	test_bounds();
	test_runs();
	return tap_end();
}
