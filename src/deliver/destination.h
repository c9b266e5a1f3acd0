/* destination.h - where mail goes that is delivered directly: the domains of its recipients. Pure.
 *
 * A destination is the domain of a mailbox in A-labels and lower case, or an address literal with its brackets. What it says
 * about DNS is up to deliver/direct. */

#ifndef DELIVER_DESTINATION_H
#define DELIVER_DESTINATION_H

#include "mail/envelope.h"

/* Append the destination of a mailbox; "" for one without a domain, or with one that cannot be. */
void destination_add(struct buf *b, const char *mailbox);

/* Which recipients of an envelope are in one of the wanted states, for one destination (NULL: for all). wanted has room for all
 * of them. Returns how many. */
enum { DESTINATION_PENDING = 1, DESTINATION_DEFERRED = 2 };
size_t destination_mark(const struct envelope *envelope, const char *destination, unsigned states, bool *wanted);

/* The destination of the first recipient who is in one of the wanted states, as a text for the caller to free; NULL: nobody is. */
char *destination_first(const struct envelope *envelope, unsigned states);

/* An envelope of the marked recipients alone. Everything in it is borrowed from the whole one but the array of recipients, which
 * destination_join() frees after it has copied their outcomes back. */
void destination_split(const struct envelope *whole, const bool *wanted, struct envelope *part);
void destination_join(struct envelope *whole, const bool *wanted, struct envelope *part);

#endif
