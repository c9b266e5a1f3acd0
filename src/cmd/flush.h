/* flush.h - --flush, -q, runq: deliver what is due, in a few lanes beside each other. */

#ifndef CMD_FLUSH_H
#define CMD_FLUSH_H

#include "cmd/choose.h"

/* The exit status: 0 also when mail stays deferred, and when another flush is at work already (it looks again when
 * it is finished); otherwise why nothing could be done. */
int flush_run(struct call *call);

#endif
