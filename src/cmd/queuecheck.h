/* queuecheck.h - is everything in the queue as it should be? (--queue-check, --queue-check=repair) Findings go to stdout. */

#ifndef CMD_QUEUECHECK_H
#define CMD_QUEUECHECK_H

#include "cmd/choose.h"

/* Read every entry in queue/, hold/ and failed/ whole, and look what else lies in the spool's folders: a line for each thing
 * that is not as it should be ("queue/NAME: what"). With request.repairs, what cannot be trusted is put into corrupt/, and
 * what a crash has left is removed. The exit status: 0, nothing was found; EX_DATAERR, something was; as place_open. */
int queuecheck_run(struct call *call);

#endif
