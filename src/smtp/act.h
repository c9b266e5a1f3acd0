/* act.h - writes the command of a stage into the dialog's output and notes that its answer is awaited. Pure. */

#ifndef SMTP_ACT_H
#define SMTP_ACT_H

#include "smtp/dialog.h"

enum { ACT_GO_ON = -1 };

/* Do what the stage asks for. Returns an enum dialog_want when the session has to do something, else ACT_GO_ON. */
int act_on_stage(struct dialog *d, enum dialog_stage stage);

/* Record that a command of this stage, `size` octets long, waits for its answer; order is NULL for the session's own. */
struct dialog_pending *act_await(struct dialog *d, enum dialog_stage stage, struct order *order, size_t size);

/* The i-th oldest unanswered command; whether there is one says n_pending. */
struct dialog_pending *act_pending(struct dialog *d, size_t i);

#endif
