/* settle.h - what becomes of a queue entry after an attempt: done, put off, failed, told to the sender. */

#ifndef CMD_SETTLE_H
#define CMD_SETTLE_H

#include "cmd/backoff.h"
#include "deliver/delivery.h"
#include "queue/entry.h"

/* What settling needs to know of the attempt. */
struct settlement {
	const char *program;
	struct spool *spool;
	const struct account *account;
	bool has_reached;    /* the server answered: an old message may expire */
};

/* Lend an entry's message and envelope to a parcel, to be delivered; give them back. */
void settle_lend(struct entry *entry, struct parcel *parcel);
void settle_take_back(struct entry *entry, struct parcel *parcel);

/* Write the attempt down: outcomes; removed when everybody has it; the sender told and the entry moved to failed/
 * when nobody is left to be tried and somebody failed; else the time of the next attempt. One line in the account's
 * log. The parcel gets back what was lent. Trouble with the disk is told on stderr and in the log, and leaves the
 * entry for another attempt. */
void settle_attempt(const struct settlement *about, struct entry *entry, struct parcel *parcel);

/* Make removals durable that are not yet. */
void settle_sync(const char *program, struct spool *spool);

#endif
