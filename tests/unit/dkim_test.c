/* dkim_test.c - the canonical forms of RFC 6376, whatever the pieces are; what is signed; the field and how it is folded. */

#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "mail/dkim.h"
#include "tap.h"

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10

static void
take_piece(void *context, struct str bytes)
{
	buf_add_str(context, bytes);
}

/* The canonical form of the body, given in pieces of this size; 0: whole. The caller's. */
static char *
canonical_body(struct str text, size_t piece)
{
	struct buf out = {0};
	struct dkim_body body = {.add = take_piece, .context = &out};

	for (size_t at = 0; at < text.size; at += piece == 0 ? text.size : piece)
		dkim_body_add(&body, str_first(str_from(text, at), piece == 0 ? text.size : piece));
	dkim_body_end(&body);
	return buf_take(&out);
}

static const struct {
	const char *text;
	const char *expected;
	const char *name;
} bodies[] = {
	{" C \nD \t E\n\n\n", " C\r\nD E\r\n", "RFC 6376 3.4.5: the body of the example"},
	{"", "", "an empty body is nothing"},
	{"\n\n\n", "", "a body of empty lines is nothing"},
	{" \t \n \n", "", "a body of blanks is nothing"},
	{"x", "x\r\n", "a line without end gets one"},
	{"x  ", "x\r\n", "blanks in front of the end of the text are no text"},
	{"x\n\n\ny\n\n", "x\r\n\r\n\r\ny\r\n", "empty lines inside count, those at the end do not"},
	{"a\n \n\t\nb\n", "a\r\n\r\n\r\nb\r\n", "lines of blanks are empty lines"},
	{"\n\na\n", "\r\n\r\na\r\n", "empty lines at the beginning count"},
	{"a \t\t b\t\n\tc\n", "a b\r\n c\r\n", "a run of blanks is one, also at the beginning of a line"},
	{"Hi.\n\nWe lost the game.  Are you hungry yet?\n\nJoe.\n",
     "Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n", "RFC 8463 A: the body of the example"},
	{".\n..\n", ".\r\n..\r\n", "dots are not doubled"},
};

static void
test_bodies(void)
{
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct str text = str_of(bodies[i].text);
		bool is_same = true;
		char *whole = canonical_body(text, 0);

		tap_is(whole, bodies[i].expected, bodies[i].name);
		for (size_t piece = 1; piece <= text.size; piece++) {
			char *pieces = canonical_body(text, piece);

			is_same = is_same && strcmp(pieces, whole) == 0;
			free(pieces);
		}
		tap_ok(is_same, "%s, in pieces of any size", bodies[i].name);
		free(whole);
	}
}

struct measure {
	size_t n;
	size_t most;
};

static void
measure_piece(void *context, struct str bytes)
{
	struct measure *measure = context;

	measure->n += bytes.size;
	if (bytes.size > measure->most)
		measure->most = bytes.size;
}

static void
test_long_bodies(void)
{
	enum { N = 1000000 };
	struct measure measure = {0};
	struct dkim_body body = {.add = measure_piece, .context = &measure};
	char *lines = mem_alloc(N, 1);

	memset(lines, '\n', N);
	dkim_body_add(&body, str_make(lines, N));
	tap_is_number((long long)measure.n, 0, "empty lines are held back");
	dkim_body_add(&body, STR("x"));
	dkim_body_end(&body);
	tap_is_number((long long)measure.n, 2 * N + 3, "and given when text follows");
	tap_ok(measure.most < 10000, "in small pieces: %zu bytes at most", measure.most);
	free(lines);
}

static void
field_is(const char *name, const char *value, const char *expected, const char *title)
{
	struct buf b = {0};

	dkim_add_field(&b, str_of(name), str_of(value));
	tap_is(buf_text(&b), expected, title);
	buf_free(&b);
}

static void
test_fields(void)
{
	field_is("A", " X", "a:X", "RFC 6376 3.4.5: the first field of the example");
	field_is("B", " Y\t\n\tZ  ", "b:Y Z", "RFC 6376 3.4.5: the second field of the example");
	field_is("SUBJect", "AbC", "subject:AbC", "the name is in lower case, the value as it is");
	field_is("x", "", "x:", "an empty value");
	field_is("x", " \n \n ", "x:", "a value of blanks");
	field_is("x", "a\n b\n\t\tc", "x:a b c", "folding is one blank");
}

/* The names, then the canonical form of what they name. */
static void
named_is(const char *section, const char *names, const char *expected, const char *title)
{
	struct buf b = {0};

	dkim_add_named(&b, str_of(section), str_of(names));
	tap_is(buf_text(&b), expected, title);
	buf_free(&b);
}

static void
test_named(void)
{
	const char *section = "To: one\nFrom: f\nTO : two\nX: x\nto: three\n";

	named_is(section, "from:to", "from:f\r\nto:three\r\n", "a field is taken from the bottom");
	named_is(section, "to:to:to:to:from", "to:three\r\nto:two\r\nto:one\r\nfrom:f\r\n",
	         "a name that comes again is the next one up, and nothing when there is none left");
	named_is(section, "from : to :\n x", "from:f\r\nto:three\r\nx:x\r\n", "blanks and folding around the names do not matter");
	named_is(section, "", "", "no names, no fields");
	named_is("From: Joe SixPack <joe@football.example.com>\nTo: Suzie Q <suzie@shopping.example.net>\n"
	         "Subject: Is dinner ready?\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\n"
	         "Message-ID: <20030712040037.46341.5F8J@football.example.com>\n",
	         "from : to : subject : date : message-id : from : subject : date",
	         "from:Joe SixPack <joe@football.example.com>\r\nto:Suzie Q <suzie@shopping.example.net>\r\n"
	         "subject:Is dinner ready?\r\ndate:Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
	         "message-id:<20030712040037.46341.5F8J@football.example.com>\r\n",
	         "RFC 8463 A: the fields of the example");
}

static void
names_are(const char *section, const char *expected, const char *title)
{
	struct buf b = {0};

	dkim_add_names(&b, str_of(section));
	tap_is(buf_text(&b), expected, title);
	buf_free(&b);
}

static void
test_names(void)
{
	names_are("From: a\n", "from:from", "From is named once more than it is there");
	names_are("", "from", "even if it is not there");
	names_are("Received: x\nReturn-Path: x\nDKIM-Signature: x\nX-Spam: x\nBcc: x\nComments: x\nTo: x\nFrom: x\n", "from:from:to",
	          "what is added, changed or taken away on the way is not signed");
	names_are("To: a\nCc: b\nTo: c\nfrom: d\n", "from:from:to:to:cc", "a field that is there twice is named twice");
	names_are("List-Unsubscribe-Post: List-Unsubscribe=One-Click\nList-Unsubscribe: <https://x>\nFrom: a\n",
	          "from:from:list-unsubscribe:list-unsubscribe-post", "RFC 8058 4: both fields of the one click are signed");
	names_are("MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: 7bit\nMessage-ID: <a@b>\nDate: d\nSubject: s\n"
	          "Reply-To: r\nSender: s\nIn-Reply-To: i\nReferences: r\nResent-From: f\nFrom: f\n",
	          "from:from:sender:reply-to:subject:date:message-id:in-reply-to:references:mime-version:content-type:"
	          "content-transfer-encoding:resent-from",
	          "the fields that make a message");
}

static void
test_alignment(void)
{
	tap_ok(dkim_is_aligned(STR("From: a@example.org\n"), "example.org"), "From at the domain");
	tap_ok(dkim_is_aligned(STR("From: A <a@Sub.Example.ORG>\n"), "example.org"), "From below it, without regard to case");
	tap_ok(dkim_is_aligned(STR("From: a@example.org, b@x.example.org\n"), "example.org"), "several authors");
	tap_ok(!dkim_is_aligned(STR("From: a@example.org, b@example.net\n"), "example.org"), "one of them is somewhere else");
	tap_ok(!dkim_is_aligned(STR("From: a@notexample.org\n"), "example.org"), "a name that only ends alike is another");
	tap_ok(!dkim_is_aligned(STR("From: a@org\n"), "example.org"), "a shorter name is another");
	tap_ok(!dkim_is_aligned(STR("From: root\n"), "example.org"), "no domain");
	tap_ok(!dkim_is_aligned(STR("Subject: s\n"), "example.org"), "no From");
	tap_ok(!dkim_is_aligned(STR("From: undisclosed:;\n"), "example.org"), "nobody in it");
	tap_ok(!dkim_is_aligned(STR("From: a@example.org\nFrom: b@example.org\n"), "example.org"), "two of them");
	tap_ok(!dkim_is_aligned(STR("From: <a@example.org\n"), "example.org"), "one that is none");
}

static size_t
longest_line(struct str text)
{
	struct str line = {0};
	size_t most = 0;

	while (str_next_token(&text, '\n', &line))
		if (line.size > most)
			most = line.size;
	return most;
}

static void
test_tags(void)
{
	struct dkim_tags tags = {"rsa-sha256", "example.org", "mail", STR("from:from:subject"), STR("aGFzaA==")};
	struct buf field = {0}, names = {0}, signature = {0};

	dkim_add_tags(&field, &tags);
	tap_is(buf_text(&field),
	       "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=mail;\n h=from:from:subject;\n bh=aGFzaA==;\n b=",
	       "the tags in their order, without l=, t= and x=");
	dkim_add_signature(&field, STR("c2lnbmF0dXJl"));
	tap_ok(strstr(buf_text(&field), "\n b=c2lnbmF0dXJl\n") != NULL, "a short signature is one line");
	buf_clear(&field);
	tags.domain = A60 ".example.org";
	dkim_add_names(&names, STR("Date: d\nFrom: f\nSubject: s\nTo: t\nCc: c\nMessage-ID: m\nReferences: r\nIn-Reply-To: i\n"
	                           "MIME-Version: m\nContent-Type: c\nContent-Transfer-Encoding: c\nList-Id: l\nList-Unsubscribe: u\n"));
	tags.names = buf_str(&names);
	dkim_add_tags(&field, &tags);
	for (int i = 0; i < 684; i++)
		buf_add_char(&signature, (char)('a' + i % 26));
	dkim_add_signature(&field, buf_str(&signature));
	tap_ok(longest_line(buf_str(&field)) <= 78, "no line is above 78 characters: %zu", longest_line(buf_str(&field)));
	tap_ok(strstr(buf_text(&field), "\n d=" A60 ".example.org;") != NULL, "a tag that does not fit stands on the next line");
	buf_free(&field);
	buf_free(&names);
	buf_free(&signature);
}

int
main(void)
{
	test_bodies();
	test_long_bodies();
	test_fields();
	test_named();
	test_names();
	test_alignment();
	test_tags();
	return tap_end();
}
