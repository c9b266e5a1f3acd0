/* content_test.c - what a header section says about its body is understood as RFC 2045 has it. */

#include "config.h"

#include "mail/content.h"
#include "tap.h"

static const struct {
	const char *section;
	const char *boundary;
	enum content_kind kind;
	enum content_encoding encoding;
	const char *name;
} cases[] = {
	{"", NULL, CONTENT_TEXT, CONTENT_7BIT, "nothing said is text in 7bit"},
	{"content-TYPE: TEXT/Plain; charset=x\n", NULL, CONTENT_TEXT, CONTENT_7BIT, "case does not matter"},
	{"Content-Type: nonsense\n", NULL, CONTENT_TEXT, CONTENT_7BIT, "what is no type is text"},
	{"Content-Type: image/png\nContent-Transfer-Encoding: Binary\n", NULL, CONTENT_DATA, CONTENT_BINARY, "an image is data"},
	{"Content-Type: multipart/mixed; boundary=abc\n", "abc", CONTENT_MULTIPART, CONTENT_7BIT, "a boundary as a word"},
	{"Content-Type: multipart/mixed;\n\tboundary=\"a b;\\\"c\"; x=y\n", "a b;\"c", CONTENT_MULTIPART, CONTENT_7BIT,
	 "a boundary in quotes, folded, with what would end a word"},
	{"Content-Type: multipart/mixed; boundary=----=_Part/1:2\n", "----=_Part/1:2", CONTENT_MULTIPART, CONTENT_7BIT,
	 "a boundary that should have been quoted"},
	{"Content-Type: (a) multipart (b(c)\\)) / mixed (; boundary=no) ; x=\"; boundary=no\"; Boundary = abc (d)\n", "abc",
	 CONTENT_MULTIPART, CONTENT_7BIT, "comments and other parameters are passed over"},
	{"Content-Type: multipart/mixed\n", NULL, CONTENT_SEALED, CONTENT_7BIT, "a multipart without boundary is sealed"},
	{"Content-Type: multipart/mixed; boundary=\"a\tb\"\n", NULL, CONTENT_SEALED, CONTENT_7BIT,
	 "a boundary with a control character is none"},
	{"Content-Type: multipart/mixed; boundary=abc\nContent-Transfer-Encoding: base64\n", NULL, CONTENT_SEALED,
	 CONTENT_ENCODED, "an encoded multipart is sealed"},
	{"Content-Type: multipart/Signed; boundary=abc\n", NULL, CONTENT_SEALED, CONTENT_7BIT, "multipart/signed is sealed"},
	{"Content-Type: multipart/encrypted; boundary=abc\n", NULL, CONTENT_SEALED, CONTENT_7BIT,
	 "multipart/encrypted is sealed"},
	{"Content-Type: message/rfc822\n", NULL, CONTENT_MESSAGE, CONTENT_7BIT, "a message within"},
	{"Content-Type: message/partial; id=1\n", NULL, CONTENT_SEALED, CONTENT_7BIT, "other messages are sealed"},
	{"Content-Type: message/global\n", NULL, CONTENT_DATA, CONTENT_7BIT, "message/global may be encoded (RFC 6532 3.7)"},
	{"Content-Transfer-Encoding: quoted-printable\n", NULL, CONTENT_SEALED, CONTENT_ENCODED,
	 "what is encoded already is sealed"},
	{"Content-Transfer-Encoding: x-uuencode\n", NULL, CONTENT_SEALED, CONTENT_ENCODED, "an unknown encoding is sealed"},
	{"Content-Transfer-Encoding: 8bit (really)\n", NULL, CONTENT_TEXT, CONTENT_8BIT, "8bit with a comment"},
	{"Content-Transfer-Encoding: 7-bit\n", NULL, CONTENT_TEXT, CONTENT_7BIT, "7bit, misspelt"},
	{"Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n", NULL, CONTENT_SEALED, CONTENT_ENCODED,
	 "two encodings that disagree are sealed"},
};

int
main(void)
{
	struct content content = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool has_boundary;

		content_read(&content, str_of(cases[i].section), false);
		has_boundary = cases[i].boundary == NULL
		                   ? content.boundary == NULL
		                   : content.boundary != NULL && strcmp(content.boundary, cases[i].boundary) == 0;
		tap_ok(has_boundary && content.kind == cases[i].kind && content.encoding == cases[i].encoding, "%s",
		       cases[i].name);
		content_free(&content);
	}
	content_read(&content, STR("X: y\n"), true);
	tap_ok(content.kind == CONTENT_MESSAGE, "a part of a digest that says nothing is a message");
	content_free(&content);
	content_read(&content, STR("MIME-Version: 1.0\nContent-Type: multipart/digest; boundary=b\n"), false);
	tap_ok(content.is_digest && content.has_version && content.has_type && !content.has_encoding, "what is there is noted");
	content_free(&content);
	content_free(&content);
	return tap_end();
}
