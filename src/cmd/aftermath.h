/* aftermath.h - what goes on in another process when a call is over for its caller.
 *
 * Two things: a message whose text went out, but whose answer takes longer than a call may take, is queued, and a
 * child waits for the answer; and after a message was sent, a child goes on over the same connection with what is
 * due in the queue. */

#ifndef CMD_AFTERMATH_H
#define CMD_AFTERMATH_H

#include "cmd/detach.h"
#include "cmd/submission.h"

/* Put the hooks and the limit into the submission's delivery. */
void aftermath_arrange(struct submission *submission);

/* In the child, when its delivery has ended: settle, go on with the queue, end the process. */
_Noreturn void aftermath_finish(struct submission *submission);

/* After direct delivery, which has no connection to go on with: a child delivers what is due. For other accounts, and where
 * nothing is due, nothing. */
void aftermath_flush(struct submission *submission);

/* A lane for a child of this submission. */
struct lane aftermath_lane(struct submission *submission);

#endif
