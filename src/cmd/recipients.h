/* recipients.h - from operands, header fields and the aliases file to an envelope. */

#ifndef CMD_RECIPIENTS_H
#define CMD_RECIPIENTS_H

#include "cmd/choose.h"
#include "mail/envelope.h"
#include "mail/message.h"

/* The aliases file: the setting `aliases`; where it is not set, under the sendmail names, /etc/aliases, if it can be read. NULL:
 * none. */
const char *recipients_aliases(const struct call *call);

/* The part of recipients_fill() that is about local names: expand them by the aliases file, qualify the rest, each mailbox once.
 * False: EX_CONFIG for the aliases file. */
bool recipients_expand(struct envelope *envelope, const struct call *call, struct err *err);

/* Fill the envelope: the sender (as -f or the message gave it, and the account's rules), the operands of the call and,
 * with -t, what was found in the message; local names expanded by the account's aliases file, the rest qualified with
 * mailname, each mailbox once; the DSN wishes of the account and the call. False: EX_DATAERR for an address that cannot be
 * understood (it is named), EX_USAGE when there is no recipient, EX_CONFIG for the aliases file. */
bool recipients_fill(struct envelope *envelope, const struct call *call, const struct message_found *found, struct err *err);

/* The same for an envelope that came by SMTP: its sender is held against the account's rules, local names are expanded and
 * qualified; of the DSN wishes the account's count where it has none. */
bool recipients_copy(struct envelope *envelope, const struct call *call, const struct envelope *given, struct err *err);

#endif
