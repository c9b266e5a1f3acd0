/* recode.h - writes header fields with raw UTF-8 in ASCII (RFC 2047), for servers without SMTPUTF8 (RFC 6531).
 *
 * Pure. Of Subject and Comments the words that need it are encoded, of fields with addresses display names, names of groups and
 * comments. Decoded they are what they were, but for blanks around a name. Addresses stay as they are, and so does what is
 * not UTF-8, what is no address-list, a name or comment that has encoded-words already or is nested, and every other
 * field, byte for byte. */

#ifndef MAIL_RECODE_H
#define MAIL_RECODE_H

#include <stdbool.h>

#include "base/buf.h"

/* Append a header section (LF line ends) with its fields encoded. Returns whether any of them was changed. */
bool recode_section(struct buf *b, struct str section);

#endif
