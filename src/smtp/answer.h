/* answer.h - what replies mean: each records facts in the dialog and results in its orders. Pure. */

#ifndef SMTP_ANSWER_H
#define SMTP_ANSWER_H

#include "smtp/dialog.h"

/* d->reply is complete: record it as the answer to the oldest unanswered command. */
void answer_record(struct dialog *d);

/* End the session because of the reply, or (answer_fail) for a reason of our own. The first failure stays. */
void answer_fail_by_reply(struct dialog *d, int exit_code, enum outcome_stage about, const char *what);
void answer_fail(struct dialog *d, int exit_code, enum outcome_stage about, const char *text);

#endif
