/* command.h - the one place where SMTP and LMTP commands are written (RFC 5321 4.1.1 and the extensions named below).
 *
 * Every function appends one command with its CRLF, or nothing and false when a part of it must not reach the wire (control
 * characters, unsafe mailbox, line too long): err says what. Pure. */

#ifndef SMTP_COMMAND_H
#define SMTP_COMMAND_H

#include <stdbool.h>

#include "base/err.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "smtp/caps.h"

/* "VERB" or "VERB argument"; the argument may be NULL. For EHLO, HELO, LHLO, STARTTLS, DATA, RSET, QUIT, ETRN. */
bool command_add(struct buf *out, const char *verb, const char *argument, struct err *err);

/* MAIL FROM with the parameters that the server offers and the message asks for: SIZE (RFC 1870), BODY=8BITMIME (RFC 6152),
 * SMTPUTF8 (RFC 6531), REQUIRETLS (RFC 8689), RET and ENVID (RFC 3461). A domain that is not ASCII is written with A-labels
 * unless SMTPUTF8 is used. */
bool command_add_mail(struct buf *out, const struct envelope *envelope, const struct message *message, const struct caps *caps,
                      struct err *err);

/* RCPT TO with NOTIFY and ORCPT (RFC 3461) when the server offers DSN. ORCPT, as ENVID, is left out when it is longer than
 * RFC 3461 allows or is not printable ASCII. */
bool command_add_rcpt(struct buf *out, const struct recipient *recipient, bool uses_smtputf8, const struct caps *caps,
                      struct err *err);

/* AUTH MECHANISM, with an initial response unless it is NULL or the line would pass 512 octets (RFC 4954 section 4);
 * *is_complete says whether it was sent. */
bool command_add_auth(struct buf *out, const char *mechanism, const char *initial, bool *is_complete, struct err *err);

/* BDAT with the size of the chunk in octets (RFC 3030). */
void command_add_bdat(struct buf *out, int64_t size, bool is_last);

/* Does this message to these recipients need the SMTPUTF8 extension? */
bool command_needs_smtputf8(const struct envelope *envelope, const struct message *message);

#endif
