/* word.h - encoded-words of RFC 2047: text that is not ASCII, within header fields. Pure. */

#ifndef MAIL_WORD_H
#define MAIL_WORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum {
	WORD_MOST = 75,       /* characters of an encoded-word */
	WORD_LINE_MOST = 76,  /* of a line that has one (RFC 2047 section 2); RFC 5322 recommends 78 for others */
	WORD_LEAST_ROOM = 30  /* an encoded-word with less than this left on the line begins a new one */
};

/* Append text, which is not empty, as encoded-words (base64 or Q, whichever is shorter; UTF-8, or unknown-8bit when it is
 * not), a character never split. They may stand in a phrase, a comment or unstructured text. Folded ("\n ") between and in front
 * of them; b is taken to hold what stands on the line so far. */
void word_add(struct buf *b, struct str text);

/* Is the whole text one encoded-word? */
bool word_is_encoded(struct str text);

/* Characters on the last line of b. */
size_t word_column(const struct buf *b);

#endif
