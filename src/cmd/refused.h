/* refused.h - what becomes of a message that a server refused, under the sendmail names: their callers often look at neither
 * exit status nor standard error. */

#ifndef CMD_REFUSED_H
#define CMD_REFUSED_H

#include "cmd/submission.h"

/* After an attempt, with a queue: keep in failed/ each message that was refused for every recipient; with -oem and -oee also one
 * that was refused for some, with these alone, and queue a notification to its sender. Under any name the same, but as
 * bounce_to says, with a message that came by SMTP and was refused for some; one refused for all is not kept. What cannot be
 * kept is told on stderr.
 * True: the notifications are all that the caller is to get (-oee, SMTP), so the exit status is 0. */
bool refused_keep(struct submission *submission);

#endif
