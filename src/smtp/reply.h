/* reply.h - reads replies of SMTP and LMTP servers (RFC 5321 4.2) from a buffer, strictly and within bounds.
 *
 * A reply is one or more lines "CODE-text", the last one "CODE text" or "CODE", all with the same code [2-5][0-9][0-9].
 * Lines end with CRLF; LF alone is accepted, as some servers send it. A NUL, another shape, a changed code, a line
 * above 64 KiB, more than 256 lines or more than 64 KiB in all is malformed: the connection cannot be trusted any more. Pure. */

#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include <stdbool.h>

#include "base/buf.h"

enum {
	REPLY_LINES_MOST = 256,
	REPLY_SIZE_MOST = 64 * 1024, /* bytes of one reply, and of one line */
	REPLY_TEXT_MOST = 4 * 1024   /* bytes of a line's text that are kept; of 334 all: a challenge is whole or it is wrong */
};

struct reply {
	int code;                   /* 0 before the first line */
	unsigned short enhanced[3]; /* RFC 2034 code of the first line, only if its class is the code's; else zeros */
	struct buf text;            /* lines joined by LF, without codes; raw: clean it before it is shown */
	size_t n_lines;
	size_t size;                /* bytes read so far */
	bool is_complete;           /* the next reply_read begins a new one */
};

enum reply_status {
	REPLY_INCOMPLETE, /* more bytes are needed */
	REPLY_COMPLETE,
	REPLY_MALFORMED   /* *why says how; constant text */
};

/* Take lines off `in` until one reply is complete. May be called again with more bytes after REPLY_INCOMPLETE. */
enum reply_status reply_read(struct reply *reply, struct buf *in, const char **why);

/* First digit: 2 to 5. */
int reply_class(const struct reply *reply);

/* Append "550 5.1.1 text" cleaned, lines joined by "\n" written as such. */
void reply_add_clean(const struct reply *reply, struct buf *b);

void reply_free(struct reply *reply);

#endif
