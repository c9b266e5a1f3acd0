/* quoted.h - writes a body as quoted-printable or base64 (RFC 2045 6.7, 6.8), piece by piece.
 *
 * Pure. The text has LF line ends, which stand for CRLF: in quoted-printable they stay line ends, in base64 they are
 * encoded as CRLF. No encoded line is longer than 76 characters; none ends with a blank. */

#ifndef MAIL_QUOTED_H
#define MAIL_QUOTED_H

#include <stdbool.h>

#include "base/buf.h"

enum {
	QUOTED_LINE_MOST = 76,
	QUOTED_GROUP_SIZE = 57 /* octets that make a whole line of base64 */
};

/* Zeroed: at the beginning of a quoted-printable body. */
struct quoted {
	bool is_base64; /* for the caller to set */
	/* Private. */
	size_t column;
	char blank;     /* a space or tab that may yet be the end of a line, which must not be a blank; NUL: none */
	bool is_inside; /* base64: a line was written */
	unsigned char group[QUOTED_GROUP_SIZE];
	size_t group_size;
};

/* Append the encoded form of text to out, as far as it is certain. */
void quoted_add(struct quoted *q, struct str text, struct buf *out);

/* The body is over. Base64 is left without an end of its last line; quoted-printable ends as the text does. */
void quoted_end(struct quoted *q, struct buf *out);

/* Does quoted-printable need three characters for c, which is no line end? (Blanks at the end of a line apart.) */
bool quoted_is_escaped(char c);

#endif
