/* serveparameter.h - reads what stands behind MAIL and RCPT: the path and the parameters (RFC 5321 4.1.2, RFC 1870, 3461, 4954,
 * 6152, 6531). Pure. */

#ifndef SMTP_SERVEPARAMETER_H
#define SMTP_SERVEPARAMETER_H

#include "mail/envelope.h"

/* Why a command is refused; code 0: it is not. */
struct serveparameter_fault {
	int code;
	const char *enhanced;
	struct buf text;
};

/* What MAIL said. size 0: not said. */
struct serveparameter_mail {
	uint64_t size;
};

/* "FROM:<a@b> SIZE=1 ..." into envelope->reverse_path, RET and ENVID. Blanks behind the colon are fine, and an address without
 * angle brackets is. False: fault is set (free its text), the envelope is as it was. */
bool serveparameter_read_mail(struct str argument, struct envelope *envelope, struct serveparameter_mail *mail,
                              struct serveparameter_fault *fault);

/* "TO:<a@b> NOTIFY=..." as one more recipient, if it is not one already. */
bool serveparameter_read_rcpt(struct str argument, struct envelope *envelope, struct serveparameter_fault *fault);

#endif
