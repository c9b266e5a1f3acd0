/* dkim.h - what a DKIM signature (RFC 6376, 8301, 8463) is made of: the canonical forms, the fields to be signed, the field
 * DKIM-Signature itself.
 *
 * Pure. Whoever hashes and signs gets the bytes for it here. Both canonicalisations are "relaxed" (RFC 6376 3.4.2, 3.4.4). What
 * comes in is in the kept form of a message (mail/message.h): lines end with LF and hold no CR; what goes out to be hashed has
 * CRLF. The field has neither l= (RFC 6376 8.2) nor t= nor x=: it depends on the message and the key alone, so that every
 * attempt to deliver a message sends the same bytes. */

#ifndef MAIL_DKIM_H
#define MAIL_DKIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* The body on its way into its canonical form, which `add` gets in pieces of a few KiB. Any splitting of the body gives the
 * same bytes in total. Zeroed by the caller, who sets the first two. */
struct dkim_body {
	void (*add)(void *context, struct str bytes);
	void *context;

	int64_t n_line_ends; /* read and not given out: those at the end do not count */
	bool has_blank;      /* so with blanks */
	bool has_text;       /* something was given out */
	struct buf out;
};

void dkim_body_add(struct dkim_body *body, struct str text);

/* The body is over. Frees what the struct holds. */
void dkim_body_end(struct dkim_body *body);

/* Append "name:value" in canonical form, without a line end. */
void dkim_add_field(struct buf *b, struct str name, struct str value);

/* Append the canonical form of the fields of the header section that `names` asks for, as h= does: names with colons, and
 * perhaps blanks, between; a name that comes again is the next such field from the bottom up, and one that is not there is
 * nothing (RFC 6376 5.4.2). Each with CRLF. */
void dkim_add_named(struct buf *b, struct str section, struct str names);

/* Append the names of the fields of the header section that are worth signing, in lower case with colons between, each as often
 * as it is there; From once more, so that none can be added (RFC 6376 8.15). */
void dkim_add_names(struct buf *b, struct str section);

/* May the domain sign for the author: has the section one From, and are all its addresses at the domain (in ASCII) or below it?
 * Others would not gain by it (DMARC, RFC 7489 3.1.1). */
bool dkim_is_aligned(struct str section, const char *domain);

struct dkim_tags {
	const char *algorithm; /* "rsa-sha256", "ed25519-sha256" */
	const char *domain;    /* d=, in ASCII */
	const char *selector;  /* s=, in ASCII */
	struct str names;      /* h=, from dkim_add_names() */
	struct str body_hash;  /* bh=, in base64 */
};

/* Append "DKIM-Signature:" and all tags but the signature, up to "b=", folded: no line is above 78 characters that need not be.
 * What stands behind the colon is, by dkim_add_field(), the last thing to be hashed for the signature. */
void dkim_add_tags(struct buf *field, const struct dkim_tags *tags);

/* Append the signature (in base64) to such a field, folded, and the line end. */
void dkim_add_signature(struct buf *field, struct str signature);

#endif
