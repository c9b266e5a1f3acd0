/* phrase.c - writes a display name. Pure. */

#include "config.h"

#include "mail/mailbox.h"
#include "mail/phrase.h"
#include "mail/word.h"

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
		if (word.size > WORD_MOST)
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
			buf_add_text(b, word_column(b) + 1 + word.size > WORD_LINE_MOST ? "\n " : " ");
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

void
phrase_add(struct buf *b, struct str text)
{
	struct buf normal = {0};

	add_normalized(&normal, text);
	if (needs_encoding(buf_str(&normal)))
		word_add(b, buf_str(&normal));
	else
		add_words(b, buf_str(&normal));
	buf_free(&normal);
}
