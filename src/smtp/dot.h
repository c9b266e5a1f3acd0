/* dot.h - the wire form of a message: CRLF line ends, and for DATA every line that begins with a dot gets one more
 * (RFC 5321 4.5.2). Pure. */

#ifndef SMTP_DOT_H
#define SMTP_DOT_H

#include <stdbool.h>

#include "base/buf.h"

struct dot {
	bool is_inside_line; /* the last byte given was not a line end; zeroed means "at the start of a line" */
};

/* Append `text`, whose line ends are LF and which holds no CR, to `out` in wire form. Any splitting gives the same
 * bytes. is_stuffed is for DATA; BDAT counts its octets and needs no dots. */
void dot_add(struct dot *dot, struct str text, bool is_stuffed, struct buf *out);

/* Append what ends a message sent by DATA: CRLF if a line is open, then the lone dot. */
void dot_end(struct dot *dot, struct buf *out);

#endif
