/* recipients.h - from operands, header fields and the aliases file to an envelope. */

#ifndef CMD_RECIPIENTS_H
#define CMD_RECIPIENTS_H

#include "cmd/choose.h"
#include "mail/envelope.h"
#include "mail/message.h"

/* Fill the envelope: the sender (as -f or the message gave it, and the account's rules), the operands of the call and,
 * with -t, what was found in the message; local names expanded by the account's aliases file, the rest qualified with
 * mailname, each mailbox once; the DSN wishes of the account. False: EX_DATAERR for an address that cannot be
 * understood (it is named), EX_USAGE when there is no recipient, EX_CONFIG for the aliases file. */
bool recipients_fill(struct envelope *envelope, const struct call *call, const struct message_found *found, struct err *err);

#endif
