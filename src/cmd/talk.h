/* talk.h - what the program says to people: errors, hints, warnings, the dialogue, progress; all on stderr. */

#ifndef CMD_TALK_H
#define CMD_TALK_H

#include "base/err.h"
#include "deliver/session.h"

/* "PROGRAM: text", and "PROGRAM: hint: hint" when there is one. PROGRAM is the name it was called by. */
void talk_error(const char *program, const struct err *err);
void talk_problems(const char *program, struct str lines); /* "PROGRAM: line" for each */
void talk_warning(const char *program, const char *text);
/* A warning for each line of b, which is emptied. */
void talk_warnings(const char *program, struct buf *b);
void talk_hint(const char *program, const char *hint);

/* For --debug: each line of the dialogue as it happens. context is unused. */
void talk_show_dialogue(void *context, struct str line);

/* Progress of one message, when stderr is a terminal and it takes longer than a second; talk_progress_end removes the line. */
struct talk_progress {
	bool is_wanted;
	int64_t began;     /* clock_now() of the first call */
	int64_t shown;     /* of the last line; 0: none yet */
};
void talk_progress(void *context, int64_t n_sent, int64_t n_all);
void talk_progress_end(struct talk_progress *progress);

#endif
