/* canonical.h - brings the bytes of a message, as programs feed them, into the kept form: LF line ends and no CR.
 *
 * Pure, and split at any byte the input gives the same result. The header section is told from the body while it passes,
 * for the two are treated differently (CR*LF is one line end in both):
 *
 *            header section            body
 *     CR     a space                   a line end
 *     NUL    dropped                   kept
 *
 * Lines of an mbox in front (">*From ") are dropped. The section ends at the first line that is empty or blank, which is
 * dropped as well, or at the first line that cannot be a field (RFC 5322 2.2, 4.5), which is the first of the body.
 * A line is known to be a field or not after CANONICAL_UNDECIDED_MOST bytes: a name longer than that is none. In a run of more
 * than that many CR the first ones count as bare, so that memory does not grow with the input. */

#ifndef MAIL_CANONICAL_H
#define MAIL_CANONICAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum { CANONICAL_UNDECIDED_MOST = 998 };

enum canonical_part {
	CANONICAL_HEADER,
	CANONICAL_BODY,
	CANONICAL_END /* a lone dot was read */
};

/* What is known of the current line of the header section. */
enum canonical_line {
	CANONICAL_LINE_START,
	CANONICAL_LINE_BLANK,       /* nothing but blanks: the end of the section, or a folded line */
	CANONICAL_LINE_NAME,        /* in what may be a field name */
	CANONICAL_LINE_BEHIND_NAME, /* blanks after it: a colon must follow */
	CANONICAL_LINE_FIELD,       /* decided: it belongs to a field */
	CANONICAL_LINE_DROPPED      /* decided: an mbox line */
};

/* Zeroed: at the beginning of a message. */
struct canonical {
	bool ends_at_lone_dot; /* for the caller to set: a line ".", ended by CR*LF or the end of input, ends the message */
	enum canonical_part part;
	size_t n_fields;       /* fields seen so far */
	/* Private. */
	enum canonical_line line;
	char undecided[CANONICAL_UNDECIDED_MOST]; /* the current line as it came, while it is not decided what it is */
	size_t undecided_size;
	size_t n_pending_cr;   /* CR read that may yet be part of a line end */
	bool is_inside_line;   /* body: something was read since the last LF */
	bool has_pending_dot;  /* body: the line so far is a dot, not passed on */
};

/* Take input while it belongs to the header section and append what is kept to header. Returns the bytes taken: less than
 * input.size when the section ended, seen by c->part; the rest is for canonical_body(). */
size_t canonical_header(struct canonical *c, struct str input, struct buf *header);

/* The input ended within the header section. Then c->part is not CANONICAL_HEADER any more. */
void canonical_end_header(struct canonical *c, struct buf *header);

/* Take input as body and append what is kept to body, at most input.size + 2 * CANONICAL_UNDECIDED_MOST bytes. Returns the
 * bytes taken: less than input.size only when a lone dot ended the message. */
size_t canonical_body(struct canonical *c, struct str input, struct buf *body);

/* The input ended: a line without end gets one. */
void canonical_end_body(struct canonical *c, struct buf *body);

#endif
