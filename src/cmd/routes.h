/* routes.h - --route=ADDRESS: the hosts that mail for an address would be tried at, and what TLS each of them owes, without
 * sending anything. */

#ifndef CMD_ROUTES_H
#define CMD_ROUTES_H

#include "cmd/choose.h"

/* Print them on stdout, as text or with --json as a document. Returns EX_OK, or of several addresses the worst: EX_NOHOST, there
 * can be no host; EX_TEMPFAIL, it cannot be told now; EX_DATAERR, it is no address; or what choose_account() says. */
int routes_run(struct call *call);

#endif
