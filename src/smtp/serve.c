/* serve.c - from bytes to commands and texts. Pure; one memchr(3) for each line of text. */

#include "config.h"

#include "smtp/line.h"
#include "smtp/serve.h"
#include "smtp/servecommand.h"

/* --- replies ------------------------------------------------------------------------------------------------------- */

/* Other people's words are in some texts. */
static void
add_printable(struct buf *b, struct str text, size_t most)
{
	for (size_t i = 0; i < text.size && b->size < most; i++) {
		char c = text.data[i];

		buf_add_char(b, c == '\n' || c == '\t' ? ' ' : c < ' ' || c > '~' ? '?' : c);
	}
}

void
serve_reply(struct serve *s, int code, const char *enhanced, struct str text)
{
	size_t most = s->out.size + SERVE_REPLY_MOST;

	buf_printf(&s->out, "%d ", code);
	if (enhanced != NULL)
		buf_printf(&s->out, "%s ", enhanced);
	add_printable(&s->out, text, most);
	buf_add_text(&s->out, "\r\n");
}

void
serve_reset(struct serve *s)
{
	envelope_free(&s->envelope);
	s->envelope = (struct envelope){0};
	s->is_refused = false;
}

/* --- text ---------------------------------------------------------------------------------------------------------- */

static void
begin_text(struct serve *s)
{
	buf_clear(&s->text);
	s->text_offset = 0;
	s->text_size = 0;
	s->is_too_large = false;
	s->place = SERVE_AT_START;
}

/* Of a message that is too large nothing more is kept. */
static void
keep_bytes(struct serve *s, const char *data, size_t size)
{
	int64_t most = s->offer->size_most;

	if (most > 0 && (int64_t)size > most - s->text_size)
		s->is_too_large = true;
	if (s->is_too_large)
		return;
	buf_add(&s->text, data, size);
	s->text_size += (int64_t)size;
}

/* Take what stands within a line, up to and with its LF. Returns the bytes taken. */
static size_t
take_inside(struct serve *s, struct str input)
{
	size_t end = str_find(input, '\n');
	size_t size = end < input.size ? end + 1 : end;
	bool is_behind_cr = end > 0 ? input.data[end - 1] == '\r' : s->place == SERVE_BEHIND_CR;

	keep_bytes(s, input.data, size);
	if (end < input.size && (is_behind_cr || !s->is_crlf))
		s->place = SERVE_AT_START;
	else
		s->place = end == input.size && is_behind_cr ? SERVE_BEHIND_CR : SERVE_INSIDE;
	return size;
}

/* Take text from `in`. True: its end was read. */
static bool
take_text(struct serve *s)
{
	struct str input = buf_str(&s->in);
	bool has_ended = false;
	size_t at = 0;

	while (at < input.size && !has_ended) {
		char c = input.data[at];

		if (s->place == SERVE_AT_START && c == '.') {
			s->place = SERVE_BEHIND_DOT;
			at++;
		} else if (s->place == SERVE_BEHIND_DOT && c == (s->is_crlf ? '\r' : '\n')) {
			s->place = SERVE_BEHIND_DOT_CR;
			has_ended = !s->is_crlf;
			at++;
		} else if (s->place == SERVE_BEHIND_DOT_CR && c == '\n') {
			has_ended = true;
			at++;
		} else {
			/* The dot was only there to be taken off (RFC 5321 4.5.2). */
			if (s->place == SERVE_BEHIND_DOT_CR) {
				keep_bytes(s, "\r", 1);
				s->place = SERVE_BEHIND_CR;
			}
			at += take_inside(s, str_from(input, at));
		}
	}
	buf_consume(&s->in, at);
	return has_ended;
}

/* Everything up to here is with the caller. */
static void
forget_kept(struct serve *s)
{
	s->text_offset += (int64_t)s->text.size;
	buf_clear(&s->text);
}

static void
end_text(struct serve *s)
{
	s->stage = SERVE_MESSAGE;
	if (s->is_too_large)
		serve_refuse(s, 552, "5.3.4", STR("the message is larger than this host takes"));
}

/* --- commands ------------------------------------------------------------------------------------------------------ */

static void
refuse_long_line(struct serve *s)
{
	serve_reply(s, 500, "5.5.2", STR("line too long"));
	s->n_faults++;
}

static void
take_command(struct serve *s, struct str line, size_t taken)
{
	s->is_crlf = taken - line.size == 2;
	if (line.size > SERVE_LINE_MOST)
		refuse_long_line(s);
	else
		servecommand_run(s, line);
	if (s->stage == SERVE_TEXT)
		begin_text(s);
}

/* Take one line from `in`. False: there is no complete one. */
static bool
take_line(struct serve *s)
{
	struct str line;
	size_t taken;

	if (!line_first(&s->in, &line, &taken)) {
		/* The CR of its end may be there already. */
		if (s->is_skipping || s->in.size > SERVE_LINE_MOST + 1) {
			s->is_skipping = true;
			buf_consume(&s->in, s->in.size);
		}
		return false;
	}
	if (s->is_skipping)
		refuse_long_line(s);
	else
		take_command(s, line, taken);
	s->is_skipping = false;
	buf_consume(&s->in, taken);
	if (s->n_faults >= SERVE_FAULTS_MOST) {
		serve_reply(s, 421, "4.7.0", STR("too many lines that are no commands"));
		s->stage = SERVE_CLOSE;
	}
	return true;
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

void
serve_start(struct serve *s, const struct serve_offer *offer)
{
	*s = (struct serve){.offer = offer};
	buf_printf(&s->out, "220 %s ESMTP mailcrane\r\n", offer->host_name);
}

enum serve_want
serve_next(struct serve *s)
{
	forget_kept(s);
	for (;;) {
		switch (s->stage) {
		case SERVE_COMMAND:
			if (!take_line(s))
				return SERVE_WANT_INPUT;
			break;
		case SERVE_TEXT:
			if (take_text(s))
				end_text(s);
			if (s->text.size > 0)
				return SERVE_WANT_KEEP;
			if (s->stage == SERVE_TEXT)
				return SERVE_WANT_INPUT;
			break;
		case SERVE_MESSAGE:
			return SERVE_WANT_MESSAGE;
		case SERVE_CLOSE:
			return SERVE_WANT_CLOSE;
		}
	}
}

static void
end_transaction(struct serve *s)
{
	serve_reset(s);
	s->stage = SERVE_COMMAND;
}

void
serve_accept(struct serve *s, const char *id)
{
	struct buf text = {0};

	/* Programs look for these words and take the id from behind them. */
	buf_printf(&text, "Ok: queued as %s", id);
	serve_reply(s, 250, "2.0.0", buf_str(&text));
	buf_free(&text);
	end_transaction(s);
}

void
serve_refuse(struct serve *s, int code, const char *enhanced, struct str text)
{
	serve_reply(s, code, enhanced, text);
	end_transaction(s);
}

void
serve_free(struct serve *s)
{
	buf_free(&s->in);
	buf_free(&s->out);
	buf_free(&s->text);
	envelope_free(&s->envelope);
	*s = (struct serve){0};
}
