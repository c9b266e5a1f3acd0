/* newaliases.h - newaliases, -bi, -I: the aliases file is read as it is, so there is nothing to build; it is checked. */

#ifndef CMD_NEWALIASES_H
#define CMD_NEWALIASES_H

#include "cmd/choose.h"

/* The exit status: EX_OK and silence when all is well, or there is no such file, or no configuration at all (installers of other
 * packages call this); EX_CONFIG for a fault, which is told on stderr. */
int newaliases_run(struct call *call);

#endif
