/* forgetkey.h - a server's key that is known from the first contact (tls_tofu) is forgotten, so that the next one is the first
 * again (--forget-key). */

#ifndef CMD_FORGETKEY_H
#define CMD_FORGETKEY_H

#include "cmd/choose.h"

/* Forget the servers that request.target and the operands name, as "HOST:PORT". Silent when all is well. The exit
 * status is that of the first one that could not be, behind which none is looked at: EX_NOINPUT (no key of it is known), as
 * place_open, as known_forget. */
int forgetkey_run(struct call *call);

#endif
