/* token.h - the words and signs of RFC 5322 3.2, comments and folding left out.
 *
 * Pure. A token is a range of the text; nothing is copied. */

#ifndef MAIL_TOKEN_H
#define MAIL_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum token_kind {
	TOKEN_END,     /* the text is over */
	TOKEN_ATOM,    /* atom characters; an encoded-word is one, too */
	TOKEN_QUOTED,  /* a quoted string with its quotes */
	TOKEN_ENCODED, /* an encoded-word with characters that no atom may have: only good for a display name */
	TOKEN_LITERAL, /* [ ... ] */
	TOKEN_SIGN,    /* one of < > , ; : @ . */
	TOKEN_FAULTY   /* fault says why */
};

struct token {
	enum token_kind kind;
	char sign;
	bool follows_blank; /* blanks, folding or a comment before it */
	size_t start;
	size_t end;
	const char *fault;  /* constant text; NULL unless TOKEN_FAULTY */
};

/* The token at or after byte `at`. Comments may be nested 64 deep. */
struct token token_next(struct str text, size_t at);

/* Append what the token means: quotes, backslashes and folding gone. */
void token_add_meaning(struct buf *b, struct str text, const struct token *token);

#endif
