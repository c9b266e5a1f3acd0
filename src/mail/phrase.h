/* phrase.h - writes a display name (RFC 5322 phrase), with the encoded-words of RFC 2047 where it takes them. Pure. */

#ifndef MAIL_PHRASE_H
#define MAIL_PHRASE_H

#include "base/buf.h"

/* Append text as a phrase: as atoms, as a quoted string, or as UTF-8 encoded-words of at most 75 characters (base64 or Q,
 * whichever is shorter; unknown-8bit when it is not UTF-8), a character never split. Control characters go, runs of blanks
 * become one. Long phrases are folded ("\n "); b is taken to hold what stands on the line so far. Nothing is appended for a
 * text that is empty then. */
void phrase_add(struct buf *b, struct str text);

#endif
