/* mailq.h - what is in the queue: as Postfix's mailq shows it, or in JSON (--mailq, -bp, -bpc, -bP). On stdout. */

#ifndef CMD_MAILQ_H
#define CMD_MAILQ_H

#include "cmd/choose.h"

/* The exit status: 0 also when an entry cannot be read, for which there is a line on stderr. Changes nothing, makes nothing. */
int mailq_run(struct call *call);

#endif
