/* downgrade.h - a server that used to offer a strong login and takes a weak one now: noticed from one run to the next,
 * where there is a queue to keep a memory in. */

#ifndef CMD_DOWNGRADE_H
#define CMD_DOWNGRADE_H

#include "cmd/choose.h"
#include "queue/spool.h"

/* After the sessions of a run: note what kind of login the server took, or warn that it took a weaker one than before. Only for
 * `auth on` without an auth_min of the user's, who has decided otherwise. */
void downgrade_look(const struct call *call, struct spool *spool);

#endif
