/* dot_test.c - the wire form of a message. */

#include "config.h"

#include "smtp/dot.h"
#include "tap.h"

static const struct {
	const char *name;
	const char *text;
	const char *wire;  /* with the end of DATA */
	const char *chunk; /* as in BDAT */
} cases[] = {
	{"line ends become CRLF", "a\nb\n", "a\r\nb\r\n.\r\n", "a\r\nb\r\n"},
	{"a lone dot is doubled", ".\n", "..\r\n.\r\n", ".\r\n"},
	{"a dot in the middle stays", "a.\n.b.\n", "a.\r\n..b.\r\n.\r\n", "a.\r\n.b.\r\n"},
	{"two dots become three", "..\n", "...\r\n.\r\n", "..\r\n"},
	{"an empty message is the lone dot", "", ".\r\n", ""},
	{"a missing last line end is added before the dot", "a", "a\r\n.\r\n", "a"},
	{"empty lines stay", "\n\n.\n\n", "\r\n\r\n..\r\n\r\n.\r\n", "\r\n\r\n.\r\n\r\n"},
};

static void
convert(const char *text, size_t piece, bool is_stuffed, struct buf *out)
{
	struct str rest = str_of(text);
	struct dot dot = {0};

	while (rest.size > 0) {
		dot_add(&dot, str_first(rest, piece), is_stuffed, out);
		rest = str_from(rest, piece);
	}
	if (is_stuffed)
		dot_end(&dot, out);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t piece = 1; piece < 5; piece++) {
			struct buf out = {0};

			convert(cases[i].text, piece, true, &out);
			tap_is(buf_text(&out), cases[i].wire, cases[i].name);
			buf_clear(&out);
			convert(cases[i].text, piece, false, &out);
			tap_is(buf_text(&out), cases[i].chunk, "BDAT needs no dots");
			buf_free(&out);
		}
	return tap_end();
}
