/* word_test.c - encoded-words as they are written: their length, their lines, and what they decode to. */

#include "config.h"

#include "decode_words.h"
#include "mail/word.h"
#include "tap.h"

#define O_UML "\xc3\xb6"
#define TREBLE "\xf0\x9d\x84\x9e"

static void
is_written(const char *before, const char *text, const char *expected, const char *name)
{
	struct buf b = {0};

	buf_add_text(&b, before);
	word_add(&b, str_of(text));
	tap_is(buf_text(&b), expected, name);
	buf_free(&b);
}

/* Many characters of one kind behind a column: lines of at most 76, words of at most 75, and they decode to the text. */
static void
is_sound(size_t column, const char *character, const char *name)
{
	struct buf b = {0}, text = {0}, decoded = {0};
	struct str rest, line = {0};
	bool holds = true;

	for (size_t i = 0; i < column; i++)
		buf_add_char(&b, ':');
	for (size_t i = 0; i < 300; i++)
		buf_add_text(&text, character);
	word_add(&b, buf_str(&text));
	rest = buf_str(&b);
	while (str_next_token(&rest, '\n', &line)) {
		size_t at = str_find(line, '=');

		holds = holds && (line.size <= WORD_LINE_MOST || line.size == column) && str_trim(line).size > 0;
		/* No character is split: each word is UTF-8 by itself. */
		if (at < line.size) {
			struct buf one = {0};

			holds = holds && words_decode(str_from(line, at), &one) && str_is_utf8(buf_str(&one));
			buf_free(&one);
		}
	}
	holds = holds && words_decode(str_from(buf_str(&b), column), &decoded);
	/* A fold in front of the first word is a blank. */
	tap_ok(holds && str_equals(str_trim(buf_str(&decoded)), buf_str(&text)), "%s", name);
	buf_free(&b);
	buf_free(&text);
	buf_free(&decoded);
}

static void
test_recognition(void)
{
	tap_ok(word_is_encoded(STR("=?utf-8?q?a_b?=")) && word_is_encoded(STR("=?x?B?YQ==?=")), "encoded-words are seen");
	tap_ok(!word_is_encoded(STR("=?utf-8?q?a?")) && !word_is_encoded(STR("x=?utf-8?q?a?=")) &&
	           !word_is_encoded(STR("=?=")) && !word_is_encoded(STR("=?utf-8?q?" O_UML "?=")) &&
	           !word_is_encoded(STR("=?a?q?x?=y=?a?q?x?=")) && !word_is_encoded(STR("")),
	       "what only looks like one is none");
}

int
main(void)
{
	is_written("", "J" O_UML "rg Meier", "=?UTF-8?Q?J=C3=B6rg_Meier?=", "mostly ASCII: Q");
	is_written("", O_UML O_UML O_UML, "=?UTF-8?B?w7bDtsO2?=", "mostly not: base64");
	is_written("", "a\xff", "=?unknown-8bit?Q?a=FF?=", "what is not UTF-8 has the charset unknown-8bit");
	is_written("", "?_=\t" "a b c d e f g h", "=?UTF-8?Q?=3F=5F=3D=09a_b_c_d_e_f_g_h?=", "signs with a meaning are escaped");
	is_written("123456789 123456789 123456789 123456789 123456 ", O_UML,
	           "123456789 123456789 123456789 123456789 123456 \n =?UTF-8?B?w7Y=?=", "no room on the line: a new one");
	is_sound(0, O_UML, "base64 in many lines");
	is_sound(30, "aaaa" O_UML, "Q in many lines, from the middle of a line on");
	is_sound(46, TREBLE, "characters of four octets are not split, with the least room there is");
	is_sound(47, TREBLE, "and with too little");
	is_sound(200, O_UML, "behind a line that is too long already");
	test_recognition();
	return tap_end();
}
