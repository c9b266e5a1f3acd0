/* destination.h - where mail goes that is delivered directly: the domains of its recipients. Pure.
 *
 * A destination is the domain of a mailbox in A-labels and lower case, or an address literal with its brackets. What it says
 * about DNS is up to deliver/direct. */

#ifndef DELIVER_DESTINATION_H
#define DELIVER_DESTINATION_H

#include "base/buf.h"
#include "mail/envelope.h"
#include "mail/message.h"

/* What a message says about TLS (RFC 8689): messages that say other things do not share a route. At most one is true. */
struct tls_wish {
	bool is_required; /* REQUIRETLS */
	bool is_waived;   /* TLS-Required: No */
};

struct tls_wish destination_wish(const struct envelope *envelope, const struct message *message);

/* Append the destination of a mailbox; "" for one without a domain, or with one that cannot be. */
void destination_add(struct buf *b, const char *mailbox);

/* Append to the description of an account's route in the queue that it is one destination's: each has a tag, hints and
 * connections of its own. */
void destination_add_route(struct buf *route, const char *destination, struct tls_wish wish);

/* Which recipients of an envelope are in one of the wanted states, for one destination (NULL: for all). wanted has room for all
 * of them. Returns how many. */
enum { DESTINATION_PENDING = 1, DESTINATION_DEFERRED = 2 };
size_t destination_mark(const struct envelope *envelope, const char *destination, unsigned states, bool *wanted);

/* The destination of the first recipient who is in one of the wanted states, for the caller to free; NULL: nobody is. */
char *destination_first(const struct envelope *envelope, unsigned states);

/* An envelope of the marked recipients alone. Everything in it is borrowed from the whole one but the array of recipients, which
 * destination_join() frees after it has copied their outcomes back. */
void destination_split(const struct envelope *whole, const bool *wanted, struct envelope *part);
void destination_join(struct envelope *whole, const bool *wanted, struct envelope *part);

/* The same without the outcomes. */
void destination_end(struct envelope *part);

#endif
