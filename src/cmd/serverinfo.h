/* serverinfo.h - --serverinfo: what a server offers, its certificate; and --rmqs: ask it to deliver a queue (ETRN, RFC 1985). */

#ifndef CMD_SERVERINFO_H
#define CMD_SERVERINFO_H

#include "cmd/choose.h"

/* Both return the exit status; problems were told on stderr. */
int serverinfo_run(struct call *call);
int serverinfo_run_etrn(struct call *call);

#endif
