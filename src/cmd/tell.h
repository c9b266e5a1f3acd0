/* tell.h - what became of the messages of a call, on stderr, on stdout and in the log. */

#ifndef CMD_TELL_H
#define CMD_TELL_H

#include "cmd/submission.h"

/* A failure before any connection: nobody has got anything. Clears err. Returns the exit status. */
int tell_failure(struct submission *submission, struct err *err);

/* What became of each message, how many notifications there are, and warnings. Returns the worst exit status. */
int tell_outcomes(struct submission *submission);

#endif
