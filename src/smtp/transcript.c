/* transcript.c - the dialogue as lines for people. Pure. */

#include "config.h"

#include "base/err.h"
#include "smtp/transcript.h"

void
transcript_add(struct dialog *d, const char *who, struct str text)
{
	struct str line;

	if (d->transcript == NULL)
		return;
	while (str_next_token(&text, '\n', &line)) {
		buf_add_text(d->transcript, who);
		err_add_clean(d->transcript, str_trim(line));
		buf_add_char(d->transcript, '\n');
	}
}

void
transcript_add_reply(struct dialog *d)
{
	struct str text = buf_str(&d->reply.text);
	struct buf all = {0};
	struct str line;

	if (d->transcript == NULL)
		return;
	/* What a server says while secrets are exchanged may hold their traces. */
	if (d->reply.code == 334)
		text = STR("(challenge)");
	do {
		bool has_line = str_next_token(&text, '\n', &line);

		buf_printf(&all, "%d%c", d->reply.code, text.size > 0 ? '-' : ' ');
		if (d->reply.enhanced[0] != 0)
			buf_printf(&all, "%u.%u.%u ", d->reply.enhanced[0], d->reply.enhanced[1], d->reply.enhanced[2]);
		if (has_line)
			buf_add_str(&all, line);
		buf_add_char(&all, '\n');
	} while (text.size > 0);
	transcript_add(d, "S: ", buf_str(&all));
	buf_free(&all);
}
