/* mailbox.h - what may stand in a mailbox: characters, quoting and sizes (RFC 5321 4.1.2 and 4.5.3.1, RFC 6531), domains in
 * ASCII (RFC 5890).
 *
 * Pure. Reasons are constant texts that finish "bad address 'X': ". */

#ifndef MAIL_MAILBOX_H
#define MAIL_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* May c stand in an atom (RFC 5322 3.2.3, RFC 6532)? Octets above 0x7f may. */
bool mailbox_is_atom_char(char c);

/* Bytes of the local part, quotes included, at the start of a mailbox; all of it when there is no '@' behind. */
size_t mailbox_local_size(struct str mailbox);

/* Append a local part, given without quotes and backslashes, quoted only when it must be. */
void mailbox_add_local(struct buf *b, struct str content);

/* Why the text cannot be a mailbox in a command; NULL: it can. Without '@' it is a local part. */
const char *mailbox_fault(struct str mailbox);

/* Append the domain in ASCII: A-labels for non-ASCII ones; ASCII names and address literals stay, a dot at the end goes.
 * NULL, or the reason why it cannot be a domain, and nothing is appended. */
const char *mailbox_add_ascii_domain(struct buf *b, struct str domain);

#endif
