/* transcript.c - the dialogue as lines for people. Pure. */

#include "config.h"

#include <string.h>

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

static void
hide_one(struct buf *text, struct str secret)
{
	struct str rest = buf_str(text);
	struct buf clean = {0};

	if (secret.size == 0 || rest.size == 0 || memmem(rest.data, rest.size, secret.data, secret.size) == NULL)
		return;
	while (rest.size > 0) {
		const char *found = memmem(rest.data, rest.size, secret.data, secret.size);
		size_t before = found != NULL ? (size_t)(found - rest.data) : rest.size;

		buf_add_str(&clean, str_first(rest, before));
		if (found != NULL)
			buf_add_text(&clean, "(hidden)");
		rest = str_from(rest, before + (found != NULL ? secret.size : 0));
	}
	buf_wipe(text);
	*text = clean;
}

void
transcript_hide(struct buf *text, struct str hidden)
{
	struct str secret;

	while (str_next_token(&hidden, '\n', &secret))
		hide_one(text, secret);
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
