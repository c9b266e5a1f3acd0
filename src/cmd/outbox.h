/* outbox.h - the queue as a submission sees it: where its account's mail is kept, and how an entry comes back to
 * its account. */

#ifndef CMD_OUTBOX_H
#define CMD_OUTBOX_H

#include "cmd/backoff.h"
#include "cmd/choose.h"
#include "deliver/delivery.h"
#include "queue/entry.h"

struct outbox {
	struct spool spool;
	struct entry_origin origin;      /* of the call's account */
	struct buf route;                /* describes the route */
	char tag[TAG_LENGTH + 1];
	bool is_open;
};

/* Open the queue of the call's account, and make it if `makes_it`. Where it is not made, is_open may be false after
 * true. */
bool outbox_open(struct outbox *outbox, struct call *call, bool makes_it, struct err *err);

/* Describe the route of mail with this origin, for its tag. */
void outbox_add_route(struct buf *b, const struct entry_origin *origin);

struct backoff outbox_backoff(struct outbox *outbox, const struct call *call);

/* Put the parcel's message into the queue for everybody who is pending or deferred. True: it is durable; entry is
 * open and locked, to be entry_free'd. False: EX_TEMPFAIL, it is not in the queue. */
bool outbox_put(struct outbox *outbox, const struct parcel *parcel, struct entry *entry, struct err *err);

/* The call for an entry's origin: the account that was chosen when it was submitted, with the same settings, from
 * the configuration as it is now, and with the secrets of call->environment if it had any from there. False: EX_CONFIG, it is not
 * there any more. */
bool outbox_read_origin(struct call *call, const struct entry_origin *origin, struct err *err);

void outbox_free(struct outbox *outbox);

#endif
