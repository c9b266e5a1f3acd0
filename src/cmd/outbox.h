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
	struct buf route;                /* describes the route; with direct delivery that of no destination yet */
	char tag[TAG_LENGTH + 1];        /* likewise */
	bool is_direct;
	bool is_open;
};

/* Open the queue of the call's account, and make it if `makes_it`. Where it is not made, is_open may be false after
 * true. */
bool outbox_open(struct outbox *outbox, struct call *call, bool makes_it, struct err *err);

/* Describe the route of mail with this origin, for its tag. */
void outbox_add_route(struct buf *b, const struct entry_origin *origin);

struct backoff outbox_backoff(struct outbox *outbox, const struct call *call);

/* The tag of the way to a destination (deliver/destination.h); NULL: of the relay. */
void outbox_tag(const struct outbox *outbox, const char *destination, struct tls_wish wish, char tag[TAG_LENGTH + 1]);

/* Entries that were made: open and locked. */
struct outbox_entries {
	struct entry *list;
	size_t n;
};

/* Put the parcel's message into the queue for everybody who is pending or deferred: in one entry, with direct delivery in one
 * for each destination. They are added to `entries`. True: they are durable. False: EX_TEMPFAIL, none of it is in the queue. */
bool outbox_put(struct outbox *outbox, const struct parcel *parcel, struct outbox_entries *entries, struct err *err);

/* Unlocks them. Twice is harmless. */
void outbox_entries_free(struct outbox_entries *entries);

/* An entry that was made when its account went another way than now: true when it is to go, in its present account, by the tag
 * it bears. False: it was replaced by others that are (then it is gone), or (err is set) that could not be done. */
bool outbox_keep_entry(struct spool *spool, const struct account *account, struct entry *entry, struct err *err);

/* The call for an entry's origin: the account that was chosen when it was submitted, with the same settings, from
 * the configuration as it is now, and with the secrets of call->environment if it had any from there. False: EX_CONFIG, it is not
 * there any more. */
bool outbox_read_origin(struct call *call, const struct entry_origin *origin, struct err *err);

void outbox_free(struct outbox *outbox);

#endif
