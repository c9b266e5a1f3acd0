/* token.c - the words and signs of RFC 5322 3.2. Pure; the time is linear in the text. */

#include "config.h"

#include <string.h>

#include "mail/mailbox.h"
#include "mail/token.h"

enum { COMMENT_DEPTH_MOST = 64 };

static const char signs[] = "<>,;:@.";

/* Bytes of a blank or a line end that is followed by a blank (CRLF or LF) at `at`; 0: none. */
static size_t
blank_size(struct str text, size_t at)
{
	size_t i = at;

	if (i >= text.size)
		return 0;
	if (ascii_is_blank(text.data[i]))
		return 1;
	if (text.data[i] == '\r')
		i++;
	if (i + 1 < text.size && text.data[i] == '\n' && ascii_is_blank(text.data[i + 1]))
		return i + 2 - at;
	return 0;
}

/* May the octet at `at` stand inside quotes or a comment? RFC 5322 4.1 lets old texts have control characters there. */
static bool
is_quotable(struct str text, size_t at)
{
	char c = text.data[at];

	return c != '\0' && ((c != '\r' && c != '\n') || blank_size(text, at) > 0);
}

static const char *
skip_comment(struct str text, size_t *at)
{
	size_t depth = 0;

	for (; *at < text.size; ++*at) {
		char c = text.data[*at];

		if (c == '\r' || c == '\n' || c == '\0') {
			if (!is_quotable(text, *at))
				return "a control character in a comment";
			*at += blank_size(text, *at) - 1;
		} else if (c == '(' && ++depth > COMMENT_DEPTH_MOST) {
			return "comments are nested more than 64 deep";
		} else if (c == ')' && --depth == 0) {
			++*at;
			return NULL;
		} else if (c == '\\' && *at + 1 < text.size && is_quotable(text, *at + 1)) {
			++*at;
		}
	}
	return "')' is missing at the end of a comment";
}

/* Go to the next byte that is neither blank nor comment. NULL or the fault. */
static const char *
skip_blanks(struct str text, size_t *at)
{
	while (*at < text.size) {
		size_t size = blank_size(text, *at);

		if (size > 0) {
			*at += size;
		} else if (text.data[*at] == '(') {
			const char *fault = skip_comment(text, at);

			if (fault != NULL)
				return fault;
		} else {
			break;
		}
	}
	return NULL;
}

static struct token
make_faulty(struct token token, size_t end, const char *fault)
{
	token.kind = TOKEN_FAULTY;
	token.end = end;
	token.fault = fault;
	return token;
}

/* A quoted string or an address literal, which end at `last`. */
static struct token
read_enclosed(struct str text, struct token token, char last)
{
	size_t at = token.start + 1;

	for (; at < text.size && text.data[at] != last; at++) {
		if (!is_quotable(text, at))
			return make_faulty(token, at + 1, "a control character");
		if (text.data[at] == '\\' && at + 1 < text.size && is_quotable(text, at + 1))
			at++;
	}
	if (at >= text.size)
		return make_faulty(token, text.size, last == '"' ? "the closing '\"' is missing" : "the closing ']' is missing");
	token.kind = last == '"' ? TOKEN_QUOTED : TOKEN_LITERAL;
	token.end = at + 1;
	return token;
}

/* Bytes of an encoded-word =?charset?B?text?= at `at`; 0: there is none. */
static size_t
encoded_word_size(struct str text, size_t at)
{
	size_t marks[4] = {0}; /* where the question marks are */
	size_t n = 0;

	if (at + 1 >= text.size || text.data[at] != '=' || text.data[at + 1] != '?')
		return 0;
	for (size_t i = at + 1; i < text.size && n < 4; i++) {
		if (ascii_is_blank(text.data[i]) || ascii_is_control(text.data[i]))
			return 0;
		if (text.data[i] == '?')
			marks[n++] = i;
	}
	if (n < 4 || marks[1] == marks[0] + 1 || marks[2] != marks[1] + 2)
		return 0;
	if (strchr("BbQq", text.data[marks[1] + 1]) == NULL)
		return 0;
	return marks[3] + 1 < text.size && text.data[marks[3] + 1] == '=' ? marks[3] + 2 - at : 0;
}

static struct token
read_atom(struct str text, struct token token)
{
	size_t at = token.start;
	size_t encoded_end = at + encoded_word_size(text, at);

	while (at < text.size && mailbox_is_atom_char(text.data[at]))
		at++;
	token.kind = TOKEN_ATOM;
	token.end = at;
	if (at < encoded_end) {
		token.kind = TOKEN_ENCODED;
		token.end = encoded_end;
	}
	return token;
}

struct token
token_next(struct str text, size_t at)
{
	struct token token = {0};
	const char *fault;
	char c;

	token.start = at;
	fault = skip_blanks(text, &at);
	if (fault != NULL)
		return make_faulty(token, at, fault);
	token.follows_blank = at > token.start;
	token.start = at;
	token.end = at;
	if (at >= text.size)
		return token;
	c = text.data[at];
	if (mailbox_is_atom_char(c))
		return read_atom(text, token);
	if (c == '"')
		return read_enclosed(text, token, '"');
	if (c == '[')
		return read_enclosed(text, token, ']');
	if (c != '\0' && strchr(signs, c) != NULL) {
		token.kind = TOKEN_SIGN;
		token.sign = c;
		token.end = at + 1;
		return token;
	}
	return make_faulty(token, at + 1, ascii_is_control(c) ? "a control character" : "a character that must be quoted");
}

void
token_add_meaning(struct buf *b, struct str text, const struct token *token)
{
	struct str whole = str_from(str_first(text, token->end), token->start);

	if (token->kind == TOKEN_LITERAL) {
		buf_add_char(b, '[');
		buf_add_str(b, str_trim(str_make(whole.data + 1, whole.size - 2)));
		buf_add_char(b, ']');
		return;
	}
	if (token->kind != TOKEN_QUOTED) {
		buf_add_str(b, whole);
		return;
	}
	for (size_t i = 1; i + 1 < whole.size; i++) {
		char c = whole.data[i];

		if (c == '\r' || c == '\n')
			continue;
		if (c == '\\' && i + 2 < whole.size)
			c = whole.data[++i];
		if (c != '\r' && c != '\n')
			buf_add_char(b, c);
	}
}
