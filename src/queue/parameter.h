/* parameter.h - what the sender wishes (RFC 3461, 8689), as it stands in a queue entry: line P, NOTIFY of a
 * recipient.
 *
 * Pure. Reading takes only what adding writes. */

#ifndef QUEUE_PARAMETER_H
#define QUEUE_PARAMETER_H

#include "mail/envelope.h"

/* Append "REQUIRETLS RET=... ENVID=..." or those of them that there are; nothing where there is none. */
void parameter_add(struct buf *b, const struct envelope *envelope);
bool parameter_is_any(const struct envelope *envelope);
bool parameter_read(struct str text, struct envelope *envelope);

/* Append "FAILURE,DELAY" and the like; nothing when notify is 0. */
void parameter_add_notify(struct buf *b, unsigned notify);
bool parameter_read_notify(struct str text, unsigned *notify);

#endif
