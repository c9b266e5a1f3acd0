/* talk.c - what the program says to people. Writes to stderr. */

#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "cmd/talk.h"

enum {
	PROGRESS_AFTER_MS = 1000,
	PROGRESS_EVERY_MS = 200
};

/* Some texts have several lines (a list of ways to do something): each gets the name in front. */
static void
say(const char *program, const char *what, struct str text)
{
	struct str line;

	while (str_next_token(&text, '\n', &line))
		fprintf(stderr, "%s: %s%.*s\n", program, what, STR_ARG(line));
}

void
talk_error(const char *program, const struct err *err)
{
	say(program, "", buf_str(&err->text));
	if (err->hint.size > 0)
		say(program, "hint: ", buf_str(&err->hint));
}

void
talk_problems(const char *program, struct str lines)
{
	say(program, "", lines);
}

void
talk_warning(const char *program, const char *text)
{
	say(program, "warning: ", str_of(text));
}

void
talk_warnings(const char *program, struct buf *b)
{
	say(program, "warning: ", buf_str(b));
	buf_clear(b);
}

void
talk_hint(const char *program, const char *hint)
{
	say(program, "hint: ", str_of(hint));
}

void
talk_show_dialogue(void *context, struct str line)
{
	(void)context;
	fprintf(stderr, "%.*s\n", STR_ARG(line));
}

void
talk_progress(void *context, int64_t n_sent, int64_t n_all)
{
	struct talk_progress *progress = context;
	int64_t now;

	if (!progress->is_wanted)
		return;
	now = clock_now();
	if (progress->began == 0)
		progress->began = now;
	if (now - progress->began < PROGRESS_AFTER_MS || now - progress->shown < PROGRESS_EVERY_MS)
		return;
	progress->shown = now;
	fprintf(stderr, "\rsent %.1f of %.1f MiB", (double)n_sent / 1048576.0, (double)n_all / 1048576.0);
}

void
talk_progress_end(struct talk_progress *progress)
{
	if (progress->shown != 0)
		fprintf(stderr, "\r\033[K");
	progress->shown = 0;
}
