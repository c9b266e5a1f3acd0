/* escape.c - values that must not break a line, a field or a word of a queue entry. Pure. */

#include "config.h"

#include "queue/escape.h"

/* The letter that stands for c behind a backslash; 0: c stands for itself. */
static char
letter_of(char c, enum escape_kind kind)
{
	switch (c) {
	case '\n':
		return 'n';
	case '\t':
		return 't';
	case '\\':
		return '\\';
	case ' ':
		return kind == ESCAPE_WORD ? 's' : 0;
	default:
		return 0;
	}
}

/* The reverse; 0: the letter stands for nothing. */
static char
meaning_of(char letter, enum escape_kind kind)
{
	switch (letter) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case '\\':
		return '\\';
	case 's':
		return kind == ESCAPE_WORD ? ' ' : 0;
	default:
		return 0;
	}
}

void
escape_add(struct buf *b, struct str value, enum escape_kind kind)
{
	size_t done = 0;

	for (size_t i = 0; i < value.size; i++) {
		char letter = letter_of(value.data[i], kind);

		if (letter == 0)
			continue;
		buf_add(b, value.data + done, i - done);
		buf_add_char(b, '\\');
		buf_add_char(b, letter);
		done = i + 1;
	}
	buf_add_str(b, str_from(value, done));
}

/* Append the character at the start of *text, which is taken off. False: it cannot stand there. */
static bool
read_char(struct buf *b, struct str *text, enum escape_kind kind)
{
	char c = text->data[0];
	size_t size = 1;

	if (c == '\\') {
		c = text->size > 1 ? meaning_of(text->data[1], kind) : 0;
		size = 2;
	} else if (letter_of(c, kind) != 0)
		c = 0;
	if (c == 0)
		return false;
	buf_add_char(b, c);
	*text = str_from(*text, size);
	return true;
}

bool
escape_read(struct str text, enum escape_kind kind, char **value)
{
	struct buf b = {0};

	while (text.size > 0) {
		if (!read_char(&b, &text, kind)) {
			buf_free(&b);
			return false;
		}
	}
	*value = buf_take(&b);
	return true;
}
