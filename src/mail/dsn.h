/* dsn.h - a delivery status notification (RFC 3461, 3464, 6522; with UTF-8 addresses RFC 6533) as the text of a message.
 *
 * Pure but for reading the bytes of the message it is about. */

#ifndef MAIL_DSN_H
#define MAIL_DSN_H

#include <time.h>

#include "mail/envelope.h"
#include "mail/message.h"

enum dsn_action {
	DSN_FAILED,
	DSN_DELAYED
};

enum {
	DSN_WHOLE_MOST = 50 * 1024,       /* bytes of an original that is returned whole although RET does not ask for it */
	DSN_FULL_MOST = 16 * 1024 * 1024  /* the same where RET=FULL does: the notification is made in memory */
};

struct dsn {
	enum dsn_action action;
	const struct envelope *envelope;  /* of the original; it is about the failed, or (delayed) the pending and deferred
	                                   * recipients in it */
	const struct message *message;
	const char *message_id;           /* of the original, with angle brackets; NULL: none */
	const char *queue_id;
	const char *reporting_host;       /* Reporting-MTA */
	const char *id_domain;            /* for its own Message-ID */
	const char *from_name;            /* display name of From, e.g. "mailcrane on box.example.com" */
	const char *from_mailbox;
	const char *to_mailbox;           /* whom it is for */
	time_t arrival;                   /* of the original */
	time_t tried;                     /* of the last attempt */
	time_t retry_until;               /* for delayed; 0: left out */
	time_t now;
	const char *unique;               /* makes Message-ID and boundary its own: letters and digits */
};

/* Is there anybody to tell? NOTIFY=NEVER, or NOTIFY without FAILURE (or DELAY), silences a recipient (RFC 3461 4.1). */
bool dsn_is_wanted(const struct envelope *envelope, enum dsn_action action);

/* Is it the Message-ID of a message that dsn_add() made? NULL: no. */
bool dsn_is_own(const char *message_id);

/* Append the Message-ID that dsn_add() gives to the notification, with angle brackets. */
void dsn_add_message_id(struct buf *b, const struct dsn *dsn);

/* Append the whole message, LF lines of at most 998 octets, to b. Of an original whose body has longer lines, which no encoding
 * can help, the header section alone is in it. False (EX_IOERR): the original could not be read. */
bool dsn_add(struct buf *b, const struct dsn *dsn, struct err *err);

#endif
