/* header.h - reads the header section of a message (RFC 5322 2.2, with the obsolete blank before the colon of 4.5).
 *
 * Pure. Works on text whose line ends are LF. Nothing is copied: fields point into the text. */

#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include <stdbool.h>

#include "base/buf.h"

struct header_field {
	struct str name;  /* as written, without blanks and colon */
	struct str body;  /* behind the colon up to, not including, the last line end; folding kept */
	struct str whole; /* the field with its line ends */
};

/* Take the next field off *rest, which begins at a line start. False at the end of the header section: *rest then begins
 * with the empty line, or with the first line that cannot be a header field, or is empty. */
bool header_next(struct str *rest, struct header_field *field);

bool header_is(const struct header_field *field, const char *name);

/* Is it one of From, Sender, Reply-To, To, Cc and their Resent- forms (RFC 5322 3.6.2, 3.6.3, 3.6.6), which hold an address-list?
 * Not Bcc, which is removed, nor Resent-Reply-To, which there is not. */
bool header_has_addresses(const struct header_field *field);

/* body without folding (CRLF or LF before a blank is dropped) and without blanks at both ends, appended to b. */
void header_add_unfolded(struct buf *b, struct str body);

/* Bytes of the header section at the start of text, without the empty line that ends it. */
size_t header_section_size(struct str text);

#endif
