/*
 * ledger - where each recipient of a test is: with the server, in the queue, on hold, failed, in a notification. It reads the files
 * itself and shares no code with the program.
 */
#ifndef CRASH_LEDGER_H
#define CRASH_LEDGER_H

#include "world.h"

enum { LEDGER_RECIPIENTS = 8 };

enum ledger_place { IN_NOTHING, IN_QUEUE, IN_HOLD, IN_FAILED };

struct ledger_recipient {
	unsigned n_served;          /* messages the server took for it */
	unsigned n_told;            /* notifications that it failed */
	unsigned n_delays;          /* notifications that it takes long */
	unsigned n_entries;         /* files of the queue it is in */
	enum ledger_place place;
	char state;                 /* T, U, D, F there */
};

struct ledger {
	struct ledger_recipient (*messages)[LEDGER_RECIPIENTS]; /* [m][r] */
	unsigned n_messages;
	unsigned n_entries;         /* in queue, hold, failed */
	unsigned n_others;          /* of these in queue: about nobody of the test, as a notification on its way */
	unsigned n_temporary;       /* in tmp */
	unsigned n_corrupt;         /* in corrupt */
	unsigned n_broken;          /* entries, messages with the server or notifications that are not whole: text says which */
	char text[256];
};

void ledger_make(struct ledger *ledger, unsigned n_messages);
void ledger_clear(struct ledger *ledger);
void ledger_free(struct ledger *ledger);

/* Add what is in a spool's folders. */
void ledger_read_spool(struct ledger *ledger, const char *spool);

/* Add what the server took, and remove the files. */
void ledger_take_mail(struct ledger *ledger, const char *mail);

/* Add the first n messages that the server took. Returns how many there were. */
unsigned ledger_read_mail(struct ledger *ledger, const char *mail, unsigned n);

/* Add the counts of what was served and told of another one. */
void ledger_add_served(struct ledger *ledger, const struct ledger *other);

#endif
