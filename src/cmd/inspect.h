/* inspect.h - everything about an entry of the queue, and the message itself (--show). On stdout. */

#ifndef CMD_INSPECT_H
#define CMD_INSPECT_H

#include "cmd/choose.h"

/* Show the entries that request.target and the operands name. The exit status: the worst of walk_find, EX_DATAERR (the
 * entry cannot be read), EX_IOERR. Changes nothing. */
int inspect_run(struct call *call);

#endif
