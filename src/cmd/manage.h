/* manage.h - entries of the queue put on hold, released, tried again or removed (--hold, --release, --retry, --remove). */

#ifndef CMD_MANAGE_H
#define CMD_MANAGE_H

#include "cmd/choose.h"

/* Do it to the entries that request.target and the operands name: ids, the beginning of an id, or "all"; for --release also
 * an account's id, whose routes may be tried at once then. An entry that somebody works on is waited for, 2 seconds at most
 * in all. Silent when all is well. The exit status is the worst of: as walk_find; EX_USAGE (not with an entry in this
 * state); EX_TEMPFAIL (it is being delivered just now); EX_DATAERR (it cannot be read, and was put into corrupt/); EX_NOPERM
 * (it is somebody else's); EX_IOERR. */
int manage_run(struct call *call);

#endif
