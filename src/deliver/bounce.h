/* bounce.h - tells the sender of a message in the queue what became of it: by a delivery status notification (mail/dsn.h) in the
 * spool's Maildir bounces/, or by one that is sent as a new entry of the queue, as the setting bounce_to says.
 *
 * What is told lasts before it is noted: the failure is on the disk (entry_record), then the notification is, then the entry's
 * flag; only then the caller moves the entry to failed/. A crash in between repeats the step. In the Maildir the repetition
 * finds the file of the entry's id; a notification that is sent may be sent once more, with the same Message-ID.
 *
 * There is never a notification about a message without a sender, so none about a notification. One of ours that nobody
 * takes is put into the Maildir as it is. */

#ifndef DELIVER_BOUNCE_H
#define DELIVER_BOUNCE_H

#include "conf/account.h"
#include "queue/entry.h"

enum { BOUNCE_HOURLY_MOST = 20 }; /* notifications of a spool within an hour; the first half of them may be about delays */

enum bounce_way {
	BOUNCE_NONE,    /* nobody is to be told, or everybody was */
	BOUNCE_KEPT,    /* it is in bounces/new */
	BOUNCE_QUEUED,  /* it is in the queue */
	BOUNCE_LIMITED  /* there were too many within the hour; the entry in failed/ is all that tells of it. For the log */
};

struct bounce_context {
	/* Set by the caller. */
	struct spool *spool;
	const struct account *account; /* of the entry, completed: bounce_to, mailname, queue_lifetime */
	struct str route;              /* of the account, as in struct entry_content, for a notification that is sent */
	time_t now;
	time_t tried;                  /* when the entry was tried last; 0: entry->tried tells */

	/* Set by bounce_failed() and bounce_delayed(). */
	enum bounce_way way;
	char id[ID_LENGTH + 1];        /* of the new entry, when it is BOUNCE_QUEUED */
};

/* Tell the sender of an entry whose recipients are all final, some of them failed, all that recorded; then flag it
 * ENTRY_BOUNCED. At once true when it is flagged. False (EX_TEMPFAIL, EX_IOERR, EX_CANTCREAT): it is not certain that
 * the notification will last, the entry is not flagged and must stay where it is. */
bool bounce_failed(struct bounce_context *context, struct entry *entry, struct err *err);

/* Tell that it takes long, once: ENTRY_DELAY_TOLD. Where the server was not reached the notification is kept here whatever
 * bounce_to says, for it could not be sent before the message itself. */
bool bounce_delayed(struct bounce_context *context, struct entry *entry, struct err *err);

/* How many notifications in the Maildir nobody has seen; 0 when there is no spool. */
size_t bounce_count(struct spool *spool);

#endif
