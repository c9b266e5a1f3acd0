/* address.h - mailboxes, groups and lists of RFC 5322 3.4 with the obsolete forms of 4.4, and paths of RFC 5321 4.1.2.
 *
 * Pure. What comes out is safe to write into a command: no control character ever passes, and a local part is quoted exactly
 * when its characters demand it. Non-ASCII (UTF-8, RFC 6531) passes and is marked. */

#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct address {
	char *mailbox;      /* local-part@domain, or the local part alone when it was not qualified; canonical quoting */
	char *display_name; /* decoded of quotes and comments, not of RFC 2047; NULL when there was none */
	size_t local_size;  /* bytes of mailbox before the '@' (all of it when unqualified) */
	size_t offset;      /* where the mailbox (addr-spec) begins in the text that was parsed, and how long it is there: */
	size_t length;      /*   lets a caller qualify it in place without touching the rest */
};

struct address_list {
	struct address *items;
	size_t n_items;
};

/* Parse an address-list (mailboxes, groups, comments, folding, empty elements, source routes, encoded-words in names).
 * Words without '@' are local parts to be qualified later. "undisclosed-recipients:;" gives no item. In an operand
 * (is_operand) several bare addr-specs separated by blanks are taken as several ("a@x b@y"); in a header that is an error.
 * False: EX_DATAERR, err names the text at fault (cleaned) and what was expected. Limits: comment depth 64, local part 64
 * octets, domain 255, path 256 (RFC 5321 4.5.3.1), each refused with that reason. Adds to `list`. */
bool address_parse_list(struct str text, bool is_operand, struct address_list *list, struct err *err);

/* Parse one reverse-path as given to -f or `from`: "a@b", "<a@b>", "Name <a@b>", "local", and "", "<>" for the null one
 * (mailbox is then ""). More than one address: EX_DATAERR. The caller frees *address. */
bool address_parse_path(struct str text, struct address *address, struct err *err);

/* Is the text between < and > exactly a mailbox that may stand in a command: no control characters, no blank or angle bracket
 * outside quotes, sizes within the limits? The last line of defence before the wire. An unqualified local part is one, "" is
 * not: ask for the null reverse-path before. */
bool address_is_safe(const char *mailbox);

/* The domain as a borrowed string; NULL when unqualified or empty. */
const char *address_domain(const struct address *address);

/* mailbox@domain for unqualified ones; others stay. */
void address_qualify(struct address *address, const char *domain);

/* The same mailbox? Local parts to the letter, domains without case (RFC 5321 2.4). */
bool address_equals(const char *a, const char *b);

/* Append the mailbox as a header mailbox: `display_name <mailbox>`, the name quoted or RFC 2047-encoded as needed (UTF-8,
 * encoded-words of at most 75 characters); the mailbox alone when the name is NULL or empty. */
void address_add_header(struct buf *b, const char *display_name, const char *mailbox);

/* Append `domain` in its ASCII form (A-labels, IDNA2008 non-transitional; address literals stay). False: EX_DATAERR. */
bool address_add_ascii_domain(struct buf *b, const char *domain, struct err *err);

void address_free(struct address *address);
void address_list_free(struct address_list *list);

#endif
