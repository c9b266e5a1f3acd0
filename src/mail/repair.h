/* repair.h - what is read from the header section of a message, and what is removed from it and put in front of it.
 *
 * Pure, but for the random part of a Message-ID. The section is taken apart into a list of fields once; each rule then is one
 * function that changes what is written of them. What no rule touches is written byte for byte as it was. */

#ifndef MAIL_REPAIR_H
#define MAIL_REPAIR_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/envelope.h"
#include "mail/header.h"
#include "mail/message.h"

struct repair_field {
	struct header_field field; /* as it was, or as a rule made it; points into the section, or to made */
	struct str written;        /* what the message will have of it, with line ends: field.whole until a rule changes it */
	char *made;                /* what a rule made of it, when it did; written points there */
};

struct repair {
	struct repair_field *fields;
	size_t n_fields;
	size_t resent_begin;   /* the first block of Resent- fields (RFC 5322 3.6.6); none: both are 0 */
	size_t resent_end;
	bool waives_tls;       /* "TLS-Required: No" is among them */
	struct buf in_front;   /* generated fields */
	char *message_id;      /* generated, with angle brackets; NULL: none */
};

/* List the fields of a header section (without the empty line), which must outlive the repair. False: EX_DATAERR, more
 * than 100 Received fields, a loop (RFC 5321 6.3). */
bool repair_open(struct repair *repair, struct str section, struct err *err);

/* Fill found from the fields: recipients and sender as the rules want them (False: EX_DATAERR, err names field and text),
 * message_id when the message has one. */
bool repair_collect(const struct repair *repair, const struct message_rules *rules, struct message_found *found,
                    struct err *err);

/* Apply all rules. envelope: the recipients that replaces_to lists; may be NULL. */
void repair_apply(struct repair *repair, const struct message_rules *rules, const struct envelope *envelope);

/* Append the repaired section, without the empty line. */
void repair_write(const struct repair *repair, struct buf *section);

void repair_free(struct repair *repair);

#endif
