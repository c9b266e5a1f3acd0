/* serve.h - SMTP with whoever is on standard input and output (-bs): each message is submitted as one on stdin would be. */

#ifndef CMD_SERVE_H
#define CMD_SERVE_H

#include "cmd/choose.h"

/* Serve until QUIT or the end of the input. Nothing is said on stderr. Returns EX_OK, whatever became of the messages, for
 * the client was told; EX_CONFIG when there is no account to send with (told on stderr, too), EX_IOERR when nobody can be
 * talked to. */
int serve_run(struct call *call);

#endif
