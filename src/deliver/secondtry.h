/* secondtry.h - recipients who were put off by one host and are asked of the next. */

#ifndef DELIVER_SECONDTRY_H
#define DELIVER_SECONDTRY_H

#include "mail/envelope.h"

struct second_try;

/* Zeroed is none. */
struct second_tries {
	struct second_try *list;
	size_t n;
};

/* May the next host be asked: was it a reply for now to a command about a message, or what this host cannot do? */
bool secondtry_may_ask(const struct outcome *outcome);

/* Make those of whom the next host may be asked pending again, and keep what was said. The envelope stays where it is until
 * secondtry_end(). Returns how many there are. */
size_t secondtry_reopen(struct second_tries *tries, struct envelope *envelope);

/* For whoever is pending still what was kept counts. Frees. */
void secondtry_end(struct second_tries *tries);

#endif
