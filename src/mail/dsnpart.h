/* dsnpart.h - the two parts of a notification that are written anew: one for people, one for programs (RFC 3464). Pure.
 *
 * What others said (replies, addresses, identifiers) is cleaned and cut, so it stays within its line and its field. */

#ifndef MAIL_DSNPART_H
#define MAIL_DSNPART_H

#include "mail/dsn.h"

/* Is the notification about this recipient: is its outcome of that kind, and may the sender be told? */
bool dsnpart_is_about(const struct recipient *recipient, enum dsn_action action);

/* Append the body of the part for people. */
void dsnpart_add_text(struct buf *b, const struct dsn *dsn);

/* Append the body of message/delivery-status, or of message/global-delivery-status (RFC 6533), in which UTF-8 may stand. In the
 * former everything is ASCII. */
void dsnpart_add_status(struct buf *b, const struct dsn *dsn, bool is_global);

#endif
