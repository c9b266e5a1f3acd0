/* hint.h - what is known of a route (an account as a message was submitted with it): when it may be tried again,
 * and why not now.
 *
 * Files routes/TAG, replaced by an atomic rename, not synced: hints only. Any of them may be removed at any time;
 * the worst that happens is one connection too early. Slots bound the connections of all processes to a route. */

#ifndef QUEUE_HINT_H
#define QUEUE_HINT_H

#include "queue/spool.h"

struct hint {
	unsigned n_failures;   /* in a row; 0: the route is well */
	int64_t not_before;    /* seconds since 1970; 0: now. Whether that is due: retry_is_due(), for the clock may be wrong */
	bool is_held;          /* the account is on hold: its login or the server's certificate was refused */
	int64_t since;         /* of the first failure in the row */
	char account[128];     /* for people */
	char text[512];        /* why; cleaned */
};

/* Read the hint of a tag. What is not there or makes no sense is a route that is well. */
void hint_read(struct spool *spool, struct str tag, struct hint *hint);

/* Replace it; a route that is well has no file. Trouble is not worth an error: false, and the caller goes on. */
bool hint_write(struct spool *spool, struct str tag, const struct hint *hint);

/* Every route that is not well; for mailq. Stops when `see` returns false. */
void hint_each(struct spool *spool, bool (*see)(void *context, const char *tag, const struct hint *hint), void *context);

/* Take one of `most` slots of the route: a descriptor to close. -1: all are taken (*is_busy), or no lock can be had. */
int hint_take_slot(struct spool *spool, struct str tag, int most, bool *is_busy);

#endif
