/* send.h - the main job: messages from stdin or files to an account's host, one submission as a whole. */

#ifndef CMD_SEND_H
#define CMD_SEND_H

#include "cmd/choose.h"

/* Returns the exit status; problems were told on stderr and logged. */
int send_run(struct call *call);

#endif
