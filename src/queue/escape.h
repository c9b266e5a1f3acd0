/* escape.h - values that must not break a line, a field or a word of a queue entry. Pure. */

#ifndef QUEUE_ESCAPE_H
#define QUEUE_ESCAPE_H

#include "base/buf.h"

enum escape_kind {
	ESCAPE_LINE, /* newline, tab and backslash become \n, \t and \\ */
	ESCAPE_WORD  /* and a blank \s */
};

/* Append value. */
void escape_add(struct buf *b, struct str value, enum escape_kind kind);

/* The reverse; *value is the caller's, and set only when true. False: it is not what escape_add() writes for any
 * text without NUL, so that a value has one form only. */
bool escape_read(struct str text, enum escape_kind kind, char **value);

#endif
