/* recode.c - writes header fields with raw UTF-8 in ASCII. Pure. RFC 2047 5. */

#include "config.h"

#include <string.h>

#include "mail/address.h"
#include "mail/header.h"
#include "mail/phrase.h"
#include "mail/recode.h"
#include "mail/token.h"
#include "mail/word.h"

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static bool
has_line_end(struct str text)
{
	return str_find(text, '\n') < text.size;
}

/* Does text, or a part of it, look like an encoded-word? */
static bool
holds_encoded_word(struct str text)
{
	return text.size > 1 && memmem(text.data, text.size, "=?", 2) != NULL;
}

/* Append text without its line ends, which are those of folding. */
static void
add_unfolded(struct buf *b, struct str text)
{
	while (text.size > 0) {
		size_t size = str_find(text, '\n');

		buf_add_str(b, str_first(text, size));
		text = str_from(text, size + 1);
	}
}

/* --- unstructured text ------------------------------------------------------------------------------------------------- */

/* Take blanks, and what stands behind them up to the next blank, off *rest. False: there is nothing left. */
static bool
next_word(struct str *rest, struct str *blank, struct str *word)
{
	size_t i = 0;

	if (rest->size == 0)
		return false;
	while (i < rest->size && is_space(rest->data[i]))
		i++;
	*blank = str_first(*rest, i);
	*rest = str_from(*rest, i);
	for (i = 0; i < rest->size && !is_space(rest->data[i]);)
		i++;
	*word = str_first(*rest, i);
	*rest = str_from(*rest, i);
	return true;
}

/* From the word, which is 8-bit, to the last one that is, unless an encoded-word comes before; off *rest, too. */
static struct str
take_run(struct str word, struct str *rest)
{
	struct str run = word, ahead = *rest, blank = {0}, next = {0};

	while (next_word(&ahead, &blank, &next) && !word_is_encoded(next)) {
		if (!str_has_8bit(next))
			continue;
		run.size = (size_t)(next.data + next.size - run.data);
		*rest = ahead;
	}
	return run;
}

static bool
begins_with_encoded_word(struct str rest)
{
	struct str blank = {0}, word = {0};

	return next_word(&rest, &blank, &word) && word_is_encoded(word);
}

/* Append blanks in front of a word of this size, on a new line when it would not fit on this one. Behind the last word there is
 * none: a line of blanks alone would end the header section. */
static void
add_blank(struct buf *b, struct str blank, size_t word_size)
{
	if (blank.size > 0 && word_size > 0 && !has_line_end(blank) && word_column(b) + blank.size + word_size > WORD_LINE_MOST)
		buf_add_char(b, '\n');
	buf_add_str(b, blank);
}

/* Append blanks in front of an encoded-word. Those that find no room on a line go into it; and all do behind another one, for
 * blanks between two mean nothing. */
static void
add_blank_before_encoded(struct buf *b, struct str blank, bool follows_encoded, struct buf *text)
{
	struct buf unfolded = {0};
	struct str all;

	add_unfolded(&unfolded, blank);
	all = buf_str(&unfolded);
	if (follows_encoded) {
		buf_add_str(text, all);
		buf_add_text(b, word_column(b) + 1 + WORD_LEAST_ROOM > WORD_LINE_MOST ? "\n " : " ");
	} else if (all.size + WORD_LEAST_ROOM > WORD_LINE_MOST) {
		buf_add_text(b, "\n ");
		buf_add_str(text, str_from(all, 1));
	} else if (all.size > 0) {
		if (has_line_end(blank) || word_column(b) + all.size + WORD_LEAST_ROOM > WORD_LINE_MOST)
			buf_add_char(b, '\n');
		buf_add_str(b, all);
	}
	buf_free(&unfolded);
}

static void
add_text(struct buf *b, struct str body)
{
	struct str rest = body, blank = {0}, word = {0};
	bool follows_encoded = false;

	while (next_word(&rest, &blank, &word)) {
		struct buf text = {0};
		struct str next = {0};

		if (!str_has_8bit(word)) {
			add_blank(b, blank, word.size);
			buf_add_str(b, word);
			follows_encoded = word_is_encoded(word);
			continue;
		}
		add_blank_before_encoded(b, blank, follows_encoded, &text);
		add_unfolded(&text, take_run(word, &rest));
		if (begins_with_encoded_word(rest)) {
			struct str ahead = rest;

			next_word(&ahead, &blank, &next);
			add_unfolded(&text, blank);
		}
		word_add(b, buf_str(&text));
		follows_encoded = false;
		buf_free(&text);
	}
}

/* --- addresses --------------------------------------------------------------------------------------------------------- */

/* The words of what may turn out to be a display name or the name of a group. */
struct name {
	struct buf text;  /* their meaning */
	size_t start;
	size_t end;
	size_t n_words;
	bool has_8bit;
	bool stays;       /* it has encoded-words, or a comment among its words */
};

static void
name_clear(struct name *name)
{
	struct buf text = name->text;

	buf_clear(&text);
	*name = (struct name){.text = text};
}

static void
name_add(struct name *name, struct str body, const struct token *token)
{
	struct str gap = name->n_words > 0 ? str_from(str_first(body, token->start), name->end) : (struct str){0};
	struct str word = str_from(str_first(body, token->end), token->start);

	if (name->n_words++ == 0)
		name->start = token->start;
	else if (token->follows_blank)
		buf_add_char(&name->text, ' ');
	name->end = token->end;
	name->has_8bit = name->has_8bit || str_has_8bit(word);
	name->stays = name->stays || holds_encoded_word(word) || str_trim(gap).size > 0;
	token_add_meaning(&name->text, body, token);
}

/* Begin a new line in the place of the blanks at the end of b. */
static void
fold(struct buf *b)
{
	while (b->size > 0 && is_space(b->data[b->size - 1]))
		buf_truncate(b, b->size - 1);
	buf_add_text(b, "\n ");
}

/* Append the name in front of `sign`, with blanks around it. Returns where it goes on in body. */
static size_t
add_name(struct buf *b, struct str body, const struct name *name, const struct token *sign)
{
	struct str gap = str_from(str_first(body, sign->start), name->end);
	size_t sign_size = str_find(str_from(body, sign->start), '>') + 1;

	if (word_column(b) + WORD_LEAST_ROOM > WORD_LINE_MOST)
		fold(b);
	else if (b->size > 0 && !is_space(b->data[b->size - 1]))
		buf_add_char(b, ' ');
	phrase_add(b, buf_str(&name->text));
	if (sign->sign == '<' && str_trim(gap).size == 0 && word_column(b) + gap.size + sign_size > WORD_LINE_MOST) {
		buf_add_text(b, "\n ");
		return sign->start;
	}
	if (gap.size == 0 || !is_space(gap.data[0]))
		buf_add_char(b, ' ');
	return name->end;
}

static bool
is_word(const struct token *token)
{
	return token->kind == TOKEN_ATOM || token->kind == TOKEN_QUOTED || token->kind == TOKEN_ENCODED ||
	       (token->kind == TOKEN_SIGN && token->sign == '.');
}

/* Append the address-list with its names encoded. */
static void
add_names(struct buf *b, struct str body)
{
	struct token token = token_next(body, 0);
	struct name name = {0};
	bool is_inside_angle = false;
	size_t n_kept = 0;

	for (; token.kind != TOKEN_END; token = token_next(body, token.end)) {
		if (is_word(&token)) {
			name_add(&name, body, &token);
			continue;
		}
		if (name.has_8bit && !name.stays && !is_inside_angle && (token.sign == '<' || token.sign == ':')) {
			buf_add_str(b, str_from(str_first(body, name.start), n_kept));
			n_kept = add_name(b, body, &name, &token);
		}
		if (token.sign == '<' || token.sign == '>')
			is_inside_angle = token.sign == '<';
		name_clear(&name);
	}
	buf_add_str(b, str_from(body, n_kept));
	buf_free(&name.text);
}

/* Bytes of the comment at the start of text, with its parentheses. */
static size_t
comment_size(struct str text, bool *is_plain)
{
	size_t depth = 0;

	*is_plain = true;
	for (size_t i = 0; i < text.size; i++) {
		*is_plain = *is_plain && text.data[i] != '\\' && (text.data[i] != '(' || i == 0);
		if (text.data[i] == '\\')
			i++;
		else if (text.data[i] == '(')
			depth++;
		else if (text.data[i] == ')' && --depth == 0)
			return i + 1;
	}
	return text.size;
}

/* Append what stands between two tokens, its comments encoded. */
static void
add_gap(struct buf *b, struct str gap)
{
	while (gap.size > 0) {
		size_t size = str_find(gap, '(');
		struct buf text = {0};
		struct str comment;
		bool is_plain;

		buf_add_str(b, str_first(gap, size));
		gap = str_from(gap, size);
		comment = str_first(gap, comment_size(gap, &is_plain));
		gap = str_from(gap, comment.size);
		if (!str_has_8bit(comment) || !is_plain || holds_encoded_word(comment)) {
			buf_add_str(b, comment);
			continue;
		}
		add_unfolded(&text, str_make(comment.data + 1, comment.size - 2));
		buf_add_char(b, '(');
		word_add(b, buf_str(&text));
		buf_add_char(b, ')');
		buf_free(&text);
	}
}

/* Append the address-list with its comments encoded. */
static void
add_comments(struct buf *b, struct str body)
{
	struct token token = {0};

	do {
		size_t end = token.end;

		token = token_next(body, end);
		add_gap(b, str_from(str_first(body, token.start), end));
		buf_add_str(b, str_from(str_first(body, token.end), token.start));
	} while (token.kind != TOKEN_END);
}

static bool
is_address_list(struct str body)
{
	struct address_list list = {0};
	struct err ignored = {0};
	bool holds = address_parse_list(body, false, &list, &ignored);

	address_list_free(&list);
	err_clear(&ignored);
	return holds;
}

static void
add_addresses(struct buf *b, struct str name, struct str body)
{
	struct buf named = {0};

	/* The name of the field counts for the length of the line. */
	buf_add_str(&named, name);
	add_names(&named, body);
	buf_add_str(b, name);
	add_comments(b, str_from(buf_str(&named), name.size));
	buf_free(&named);
}

/* --- the section ------------------------------------------------------------------------------------------------------- */

static bool
is_text_field(const struct header_field *field)
{
	return header_is(field, "Subject") || header_is(field, "Comments");
}

/* Append the field, encoded. False: it has to stay as it is, and nothing is appended. */
static bool
add_field(struct buf *b, const struct header_field *field)
{
	struct str name = str_first(field->whole, (size_t)(field->body.data - field->whole.data));
	struct buf recoded = {0};
	bool is_changed;

	if (!str_has_8bit(field->body) || !str_is_utf8(field->body))
		return false;
	if (is_text_field(field)) {
		buf_add_str(&recoded, name);
		add_text(&recoded, field->body);
	} else if (header_has_addresses(field) && is_address_list(field->body)) {
		add_addresses(&recoded, name, field->body);
	}
	buf_add_str(&recoded, str_from(field->whole, name.size + field->body.size));
	is_changed = recoded.size > 1 && !str_equals(buf_str(&recoded), field->whole);
	if (is_changed)
		buf_add_str(b, buf_str(&recoded));
	buf_free(&recoded);
	return is_changed;
}

bool
recode_section(struct buf *b, struct str section)
{
	struct header_field field = {0};
	bool is_changed = false;

	while (header_next(&section, &field)) {
		if (add_field(b, &field))
			is_changed = true;
		else
			buf_add_str(b, field.whole);
	}
	buf_add_str(b, section);
	return is_changed;
}
