/* reply.c - reads replies of SMTP and LMTP servers (RFC 5321 4.2, RFC 2034). Pure. */

#include "config.h"

#include <string.h>

#include "base/err.h"
#include "smtp/line.h"
#include "smtp/reply.h"

static void
begin(struct reply *reply)
{
	buf_clear(&reply->text);
	reply->code = 0;
	memset(reply->enhanced, 0, sizeof(reply->enhanced));
	reply->n_lines = 0;
	reply->size = 0;
	reply->is_complete = false;
}

/* Take the three digits and what follows them; NULL if the line is well-formed, else why not. */
static const char *
read_code(struct reply *reply, struct str line, bool *is_last)
{
	int code;

	if (str_find(line, '\0') < line.size)
		return "NUL in a reply";
	if (line.size < 3 || line.data[0] < '2' || line.data[0] > '5' || !ascii_is_digit(line.data[1]) ||
	    !ascii_is_digit(line.data[2]))
		return "a reply without a valid code";
	if (line.size > 3 && line.data[3] != ' ' && line.data[3] != '-')
		return "a reply without a blank behind its code";
	code = (line.data[0] - '0') * 100 + (line.data[1] - '0') * 10 + (line.data[2] - '0');
	if (reply->n_lines > 0 && code != reply->code)
		return "a reply whose code changes between its lines";
	reply->code = code;
	*is_last = line.size == 3 || line.data[3] == ' ';
	return NULL;
}

/* One number of an enhanced code (at most three digits), then `separator`, off *text. */
static bool
take_number(struct str *text, char separator, unsigned short *number)
{
	size_t end = str_find(*text, separator);
	uint64_t value;

	if (end > 3 || !str_to_number(str_first(*text, end), 999, &value))
		return false;
	*number = (unsigned short)value;
	*text = str_from(*text, end + 1);
	return true;
}

/* Take "class.subject.detail " off the text if it is there and agrees with the reply code (RFC 2034 section 4). */
static void
take_enhanced(struct reply *reply, struct str *text)
{
	unsigned short enhanced[3];
	struct str rest = *text;

	if (!take_number(&rest, '.', &enhanced[0]) || !take_number(&rest, '.', &enhanced[1]) ||
	    !take_number(&rest, ' ', &enhanced[2]))
		return;
	if (enhanced[0] != reply->code / 100 || enhanced[0] == 3)
		return;
	if (reply->n_lines == 0)
		memcpy(reply->enhanced, enhanced, sizeof(enhanced));
	*text = rest;
}

static void
add_line(struct reply *reply, struct str line)
{
	struct str text = str_from(line, 4);

	take_enhanced(reply, &text);
	if (reply->n_lines > 0)
		buf_add_char(&reply->text, '\n');
	buf_add_str(&reply->text, reply->code == 334 ? text : str_first(text, REPLY_TEXT_MOST));
	reply->n_lines++;
}

enum reply_status
reply_read(struct reply *reply, struct buf *in, const char **why)
{
	struct str line;
	size_t taken;
	bool is_last = false;

	if (reply->is_complete)
		begin(reply);
	while (!is_last) {
		bool is_line = line_first(in, &line, &taken);

		/* Size comes first, so that the pieces in which a reply arrives make no difference. */
		*why = "a reply that is too long";
		if (reply->size + (is_line ? taken : in->size) > REPLY_SIZE_MOST || reply->n_lines == REPLY_LINES_MOST)
			return REPLY_MALFORMED;
		if (!is_line)
			return REPLY_INCOMPLETE;
		*why = read_code(reply, line, &is_last);
		if (*why != NULL)
			return REPLY_MALFORMED;
		reply->size += taken;
		add_line(reply, line);
		buf_consume(in, taken);
	}
	reply->is_complete = true;
	return REPLY_COMPLETE;
}

int
reply_class(const struct reply *reply)
{
	return reply->code / 100;
}

void
reply_add_clean(const struct reply *reply, struct buf *b)
{
	buf_printf(b, "%d", reply->code);
	if (reply->enhanced[0] != 0)
		buf_printf(b, " %u.%u.%u", reply->enhanced[0], reply->enhanced[1], reply->enhanced[2]);
	if (reply->text.size == 0)
		return;
	buf_add_char(b, ' ');
	err_add_clean(b, buf_str(&reply->text));
}

void
reply_free(struct reply *reply)
{
	buf_free(&reply->text);
	*reply = (struct reply){0};
}
