/* line.h - takes lines off a buffer of received bytes. Pure. */

#ifndef SMTP_LINE_H
#define SMTP_LINE_H

#include <stdbool.h>

#include "base/buf.h"

/* The first line in `in`, without CRLF or LF; borrowed until `in` changes. *taken is its size with the line end, to be
 * given to buf_consume when the line was used. False: there is no complete line yet. */
bool line_first(const struct buf *in, struct str *line, size_t *taken);

#endif
