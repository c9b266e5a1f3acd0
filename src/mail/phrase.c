/* phrase.c - writes a display name. Pure. */

#include "config.h"

#include <string.h>

#include "mail/mailbox.h"
#include "mail/phrase.h"

enum {
	LINE_MOST = 76,         /* with encoded-words (RFC 2047 section 2); RFC 5322 recommends 78 for others */
	ENCODED_WORD_MOST = 75,
	FRAME_SIZE = 7,         /* of an encoded-word, without charset and text: four question marks, two '=', the encoding */
	LEAST_ROOM = 30         /* an encoded-word with less than this left on the line begins a new one */
};

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
phrase_column(const struct buf *b)
{
	const char *line_end = b->size > 0 ? memrchr(b->data, '\n', b->size) : NULL;

	return line_end == NULL ? b->size : b->size - (size_t)(line_end + 1 - b->data);
}

static void
add_normalized(struct buf *b, struct str text)
{
	bool wants_blank = false;

	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (c == ' ' || (c >= '\t' && c <= '\r')) {
			wants_blank = b->size > 0;
		} else if (!ascii_is_control(c)) {
			if (wants_blank)
				buf_add_char(b, ' ');
			wants_blank = false;
			buf_add_char(b, c);
		}
	}
}

/* Must it be encoded? Also when it could not be folded otherwise. */
static bool
needs_encoding(struct str text)
{
	struct str word = {0};

	if (str_has_8bit(text))
		return true;
	while (str_next_word(&text, &word))
		if (word.size > ENCODED_WORD_MOST)
			return true;
	return false;
}

static bool
needs_quotes(struct str text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] != ' ' && !mailbox_is_atom_char(text.data[i]))
			return true;
	return false;
}

/* Append ASCII words, folding between them. */
static void
add_words(struct buf *b, struct str text)
{
	struct str word = {0};
	bool is_quoted = needs_quotes(text);
	bool is_first = true;

	if (is_quoted)
		buf_add_char(b, '"');
	while (str_next_word(&text, &word)) {
		if (!is_first)
			buf_add_text(b, phrase_column(b) + 1 + word.size > LINE_MOST ? "\n " : " ");
		is_first = false;
		for (size_t i = 0; i < word.size; i++) {
			if (word.data[i] == '"' || word.data[i] == '\\')
				buf_add_char(b, '\\');
			buf_add_char(b, word.data[i]);
		}
	}
	if (is_quoted)
		buf_add_char(b, '"');
}

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

/* Append text as encoded-words, each with as many characters as fit. */
static void
add_encoded(struct buf *b, struct str text)
{
	bool is_utf8 = str_is_utf8(text);
	bool is_q = q_size(text) <= base64_size(text);
	const char *charset = is_utf8 ? "UTF-8" : "unknown-8bit";
	size_t frame = strlen(charset) + FRAME_SIZE;

	while (true) {
		size_t room = ENCODED_WORD_MOST - frame;
		size_t size = 0;

		if (phrase_column(b) + LEAST_ROOM > LINE_MOST)
			buf_add_text(b, "\n ");
		if (phrase_column(b) + ENCODED_WORD_MOST > LINE_MOST)
			room = LINE_MOST - phrase_column(b) - frame;
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

void
phrase_add(struct buf *b, struct str text)
{
	struct buf normal = {0};

	add_normalized(&normal, text);
	if (needs_encoding(buf_str(&normal)))
		add_encoded(b, buf_str(&normal));
	else
		add_words(b, buf_str(&normal));
	buf_free(&normal);
}
