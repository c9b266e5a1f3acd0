/* quoted_test.c - quoted-printable and base64 decode to what was encoded, in lines that everybody takes. */

#include "config.h"

#include <stdlib.h>

#include "decode_kit.h"
#include "mail/quoted.h"
#include "tap.h"

#define TEXT(literal) {"" literal, sizeof(literal) - 1}

/* Encode text in pieces of random size up to `most`; 0: at once. */
static struct buf
encode(struct str text, bool is_base64, size_t most)
{
	struct quoted quoted = {.is_base64 = is_base64};
	struct buf encoded = {0};

	while (text.size > 0) {
		struct str piece = most == 0 ? text : str_first(text, 1 + (size_t)random() % most);

		quoted_add(&quoted, piece, &encoded);
		text = str_from(text, piece.size);
	}
	quoted_end(&quoted, &encoded);
	return encoded;
}

/* Encoded in any pieces it is the same, and decodes to text. */
static bool
survives(struct str text, bool is_base64)
{
	struct buf whole = encode(text, is_base64, 0);
	struct buf decoded = {0};
	bool holds = (is_base64 ? decode_base64 : decode_quoted)(buf_str(&whole), &decoded) &&
	             str_equals(buf_str(&decoded), text);

	for (size_t most = 1; most <= 5; most++) {
		struct buf again = encode(text, is_base64, most);

		holds = holds && str_equals(buf_str(&whole), buf_str(&again));
		buf_free(&again);
	}
	buf_free(&whole);
	buf_free(&decoded);
	return holds;
}

static void
test_known(void)
{
	static const struct {
		struct str text;
		const char *encoded;
		const char *name;
	} cases[] = {
		{TEXT("caf\xc3\xa9 = 1\n"), "caf=C3=A9 =3D 1\n", "8-bit octets and '=' are escaped, the rest is readable"},
		{TEXT("a \nb\t\n \n"), "a=20\nb=09\n=20\n", "a blank at the end of a line is escaped"},
		{TEXT("a "), "a=20", "a blank at the end of the body is escaped"},
		{TEXT("a  b"), "a  b", "blanks within a line are not"},
		{TEXT("a\0b\x7f\r"), "a=00b=7F=0D", "control characters are escaped"},
		{TEXT(".\n..\n"), ".\n..\n", "dots stay dots"},
		{TEXT(""), "", "nothing is nothing"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf encoded = encode(cases[i].text, false, 0);
		bool is_whole = survives(cases[i].text, false);

		tap_is(is_whole ? buf_text(&encoded) : "(does not decode)", cases[i].encoded, cases[i].name);
		buf_free(&encoded);
	}
}

static void
test_lines(void)
{
	struct buf text = {0};
	struct buf encoded = {0};

	for (int i = 0; i < 75; i++)
		buf_add_char(&text, 'x');
	encoded = encode(buf_str(&text), false, 0);
	tap_ok(encoded.size == 75, "75 characters fit on a line");
	buf_free(&encoded);
	buf_add_text(&text, "--boundary\n");
	encoded = encode(buf_str(&text), false, 0);
	tap_ok(strstr(buf_text(&encoded), "x=\n=2D-boundary\n") != NULL, "a soft line break never makes a boundary line");
	tap_ok(survives(buf_str(&text), false), "and decodes all the same");
	buf_free(&encoded);
	buf_free(&text);
}

static void
test_base64(void)
{
	static const struct {
		struct str text;
		const char *encoded;
		const char *name;
	} cases[] = {
		{TEXT("foobar"), "Zm9vYmFy", "base64: RFC 4648 section 10, no padding"},
		{TEXT("fooba"), "Zm9vYmE=", "base64: RFC 4648 section 10, one octet of padding"},
		{TEXT("foob"), "Zm9vYg==", "base64: RFC 4648 section 10, two octets of padding"},
		{TEXT("a\n"), "YQ0K", "base64: a line end is CRLF (RFC 2045 6.8)"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf encoded = encode(cases[i].text, true, 0);

		tap_is(buf_text(&encoded), cases[i].encoded, cases[i].name);
		buf_free(&encoded);
	}
}

static void
test_random(void)
{
	static const char often[] = "  \t\n=.-ax\xc3\xa9";
	bool is_quoted_well = true;
	bool is_base64_well = true;

	for (int round = 0; round < 3000; round++) {
		struct buf text = {0};
		size_t size = (size_t)random() % 300;

		/* A CR would be told from a line end by nobody. */
		while (text.size < size) {
			char c = often[(size_t)random() % (sizeof(often) - 1)];

			if (random() % 4 == 0)
				c = (char)(random() % 256);
			buf_add_char(&text, c == '\r' ? 'r' : c);
		}
		is_quoted_well = is_quoted_well && survives(buf_str(&text), false);
		is_base64_well = is_base64_well && survives(buf_str(&text), true);
		buf_free(&text);
	}
	tap_ok(is_quoted_well, "quoted-printable: any octets come back, however they were cut, in lines of at most 76");
	tap_ok(is_base64_well, "base64: any octets come back, however they were cut, in lines of at most 76");
}

int
main(void)
{
	test_known();
	test_lines();
	test_base64();
	test_random();
	return tap_end();
}
