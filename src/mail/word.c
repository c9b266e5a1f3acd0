/* word.c - writes and recognizes encoded-words. Pure. */

#include "config.h"

#include <string.h>

#include "mail/word.h"

enum {
	SHORTEST = 8, /* characters of an encoded-word without text */
	FRAME_SIZE = 7 /* of an encoded-word, without charset and text: four question marks, two '=', the encoding */
};

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* May c stand for itself in the Q encoding of a phrase (RFC 2047 section 5, rule 3)? */
static bool
is_plain_in_q(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || (c != '\0' && strchr("!*+-/", c) != NULL);
}

static size_t
q_size(struct str text)
{
	size_t size = 0;

	for (size_t i = 0; i < text.size; i++)
		size += is_plain_in_q(text.data[i]) || text.data[i] == ' ' ? 1 : 3;
	return size;
}

static size_t
base64_size(struct str text)
{
	return (text.size + 2) / 3 * 4;
}

static void
add_q(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == ' ')
			buf_add_char(b, '_');
		else if (is_plain_in_q(text.data[i]))
			buf_add_char(b, text.data[i]);
		else
			buf_printf(b, "=%02X", (unsigned char)text.data[i]);
	}
}

static void
add_base64(struct buf *b, struct str text)
{
	for (; text.size > 0; text = str_from(text, 3)) {
		unsigned group = 0;

		for (size_t i = 0; i < 3; i++)
			group = group << 8 | (i < text.size ? (unsigned char)text.data[i] : 0);
		for (size_t i = 0; i < 4; i++)
			buf_add_char(b, i <= text.size ? base64_digits[group >> (18 - 6 * i) & 63] : '=');
	}
}

/* Bytes of the character at the start of text, which is UTF-8 or has no characters of several bytes. */
static size_t
character_size(struct str text, bool is_utf8)
{
	size_t size = 1;

	while (is_utf8 && size < text.size && ((unsigned char)text.data[size] & 0xc0) == 0x80)
		size++;
	return size;
}

void
word_add(struct buf *b, struct str text)
{
	bool is_utf8 = str_is_utf8(text);
	bool is_q = q_size(text) <= base64_size(text);
	const char *charset = is_utf8 ? "UTF-8" : "unknown-8bit";
	size_t frame = strlen(charset) + FRAME_SIZE;

	while (true) {
		size_t room = WORD_MOST - frame;
		size_t size = 0;

		if (word_column(b) + WORD_LEAST_ROOM > WORD_LINE_MOST)
			buf_add_text(b, "\n ");
		if (word_column(b) + WORD_MOST > WORD_LINE_MOST)
			room = WORD_LINE_MOST - word_column(b) - frame;
		while (size < text.size) {
			size_t next = size + character_size(str_from(text, size), is_utf8);
			struct str part = str_first(text, next);

			if ((is_q ? q_size(part) : base64_size(part)) > room)
				break;
			size = next;
		}
		buf_printf(b, "=?%s?%c?", charset, is_q ? 'Q' : 'B');
		(is_q ? add_q : add_base64)(b, str_first(text, size));
		buf_add_text(b, "?=");
		text = str_from(text, size);
		if (text.size == 0)
			break;
		buf_add_text(b, "\n ");
	}
}

bool
word_is_encoded(struct str text)
{
	size_t n_marks = 0;

	if (text.size < SHORTEST || !str_starts_with(text, STR("=?")) ||
	    !str_equals(str_from(text, text.size - 2), STR("?=")) || str_has_8bit(text))
		return false;
	for (size_t i = 0; i < text.size; i++)
		n_marks += text.data[i] == '?';
	return n_marks == 4;
}

size_t
word_column(const struct buf *b)
{
	const char *line_end = b->size > 0 ? memrchr(b->data, '\n', b->size) : NULL;

	return line_end == NULL ? b->size : b->size - (size_t)(line_end + 1 - b->data);
}
