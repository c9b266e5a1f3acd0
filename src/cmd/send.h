/* send.h - the main job: messages from stdin or files to an account's host, one submission as a whole. */

#ifndef CMD_SEND_H
#define CMD_SEND_H

#include "cmd/submission.h"

/* Returns the exit status; problems were told on stderr and logged. */
int send_run(struct call *call);

/* The same for the one message in submission->given; the configuration files were read, and the account is chosen anew.
 * What became of it is in delivery.parcels[0], or, where it was neither tried nor queued, in `trouble`. submission_free()
 * it. */
int send_given(struct submission *submission);

#endif
