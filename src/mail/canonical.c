/* canonical.c - brings the bytes of a message into the kept form: LF line ends and no CR. Pure. RFC 5322 2.1, 2.2, 4.5. */

#include "config.h"

#include <string.h>

#include "mail/canonical.h"

/* A character of a field name (RFC 5322 3.6.8), the colon apart. */
static bool
is_name_char(char byte)
{
	return byte > ' ' && byte < 0x7f;
}

/* In a header section a CR that ends no line is a space. */
static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The next byte of the undecided line as it would stand in the header section; false at its end. */
static bool
next_kept(const struct canonical *c, size_t *at, char *byte)
{
	while (*at < c->undecided_size && c->undecided[*at] == '\0')
		(*at)++;
	if (*at == c->undecided_size)
		return false;
	*byte = c->undecided[(*at)++];
	if (*byte == '\r')
		*byte = ' ';
	return true;
}

/* Does the undecided line begin with ">*From "? */
static bool
is_mbox_line(const struct canonical *c)
{
	static const char word[] = "From ";
	size_t at = 0;
	size_t n_matched = 0;
	char byte = '\0';

	while (n_matched < sizeof(word) - 1 && next_kept(c, &at, &byte)) {
		if (byte == word[n_matched])
			n_matched++;
		else if (byte != '>' || n_matched > 0)
			return false;
	}
	return n_matched == sizeof(word) - 1;
}

static bool
is_lone_dot(const struct canonical *c)
{
	if (!c->ends_at_lone_dot || c->undecided_size == 0 || c->undecided[0] != '.')
		return false;
	for (size_t i = 1; i < c->undecided_size; i++) {
		if (c->undecided[i] != '\r')
			return false;
	}
	return true;
}

/* One byte of a line that belongs to a field. */
static void
take_field_byte(struct canonical *c, char byte, struct buf *header)
{
	switch (byte) {
	case '\0':
		return;
	case '\r':
		if (c->n_pending_cr == CANONICAL_UNDECIDED_MOST)
			buf_add_char(header, ' ');
		else
			c->n_pending_cr++;
		return;
	case '\n':
		c->n_pending_cr = 0;
		c->line = CANONICAL_LINE_START;
		break;
	default:
		for (; c->n_pending_cr > 0; c->n_pending_cr--)
			buf_add_char(header, ' ');
		break;
	}
	buf_add_char(header, byte);
}

/* The undecided line belongs to a field. */
static void
accept_line(struct canonical *c, struct buf *header)
{
	c->line = CANONICAL_LINE_FIELD;
	for (size_t i = 0; i < c->undecided_size; i++)
		take_field_byte(c, c->undecided[i], header);
	c->undecided_size = 0;
}

/* The undecided line is not of the header section; it stays for canonical_body(), unless it is one of an mbox. */
static void
refuse_line(struct canonical *c)
{
	if (c->n_fields > 0 || !is_mbox_line(c)) {
		c->part = CANONICAL_BODY;
		return;
	}
	c->line = CANONICAL_LINE_DROPPED;
	c->undecided_size = 0;
}

static void
decide_by(struct canonical *c, char byte, struct buf *header)
{
	bool is_behind_name = c->line == CANONICAL_LINE_NAME || c->line == CANONICAL_LINE_BEHIND_NAME;

	if (byte == '\0')
		return;
	if (is_blank(byte)) {
		c->line = is_behind_name ? CANONICAL_LINE_BEHIND_NAME : CANONICAL_LINE_BLANK;
	} else if (c->line == CANONICAL_LINE_BLANK && c->n_fields > 0) {
		accept_line(c, header);
	} else if (byte == ':' && is_behind_name) {
		c->n_fields++;
		accept_line(c, header);
	} else if (is_name_char(byte) && byte != ':' &&
	           (c->line == CANONICAL_LINE_START || c->line == CANONICAL_LINE_NAME)) {
		c->line = CANONICAL_LINE_NAME;
	} else {
		refuse_line(c);
	}
}

/* An undecided line is at its end. */
static void
end_undecided(struct canonical *c)
{
	if (c->line == CANONICAL_LINE_START || c->line == CANONICAL_LINE_BLANK) {
		c->part = CANONICAL_BODY;
		c->undecided_size = 0;
	} else if (is_lone_dot(c)) {
		c->part = CANONICAL_END;
		c->undecided_size = 0;
	} else {
		refuse_line(c);
	}
}

static void
take_undecided_byte(struct canonical *c, char byte, struct buf *header)
{
	bool is_full;

	if (byte == '\n') {
		end_undecided(c);
		if (c->line == CANONICAL_LINE_DROPPED)
			c->line = CANONICAL_LINE_START;
		else if (c->undecided_size > 0)
			c->undecided[c->undecided_size++] = '\n';
		return;
	}
	c->undecided[c->undecided_size++] = byte;
	is_full = c->undecided_size == CANONICAL_UNDECIDED_MOST;
	decide_by(c, byte, header);
	if (!is_full || c->undecided_size == 0 || c->part != CANONICAL_HEADER)
		return;
	/* Blanks in front of a folded line mean nothing: those that find no room are dropped. */
	if (c->line == CANONICAL_LINE_BLANK && c->n_fields > 0)
		c->undecided_size--;
	else
		refuse_line(c);
}

size_t
canonical_header(struct canonical *c, struct str input, struct buf *header)
{
	size_t i = 0;

	for (; i < input.size && c->part == CANONICAL_HEADER; i++) {
		if (c->line == CANONICAL_LINE_FIELD)
			take_field_byte(c, input.data[i], header);
		else if (c->line != CANONICAL_LINE_DROPPED)
			take_undecided_byte(c, input.data[i], header);
		else if (input.data[i] == '\n')
			c->line = CANONICAL_LINE_START;
	}
	return i;
}

void
canonical_end_header(struct canonical *c, struct buf *header)
{
	if (c->part != CANONICAL_HEADER)
		return;
	if (c->line == CANONICAL_LINE_FIELD)
		take_field_byte(c, '\n', header);
	else if (c->line != CANONICAL_LINE_DROPPED)
		end_undecided(c);
	if (c->part == CANONICAL_HEADER)
		c->part = CANONICAL_BODY;
}

/* Pass on what was held back: it was no line end and no lone dot. */
static void
release_pending(struct canonical *c, struct buf *body)
{
	if (c->has_pending_dot)
		buf_add_char(body, '.');
	c->has_pending_dot = false;
	for (; c->n_pending_cr > 0; c->n_pending_cr--)
		buf_add_char(body, '\n');
}

/* One byte of the body where it matters what came before or will come next. */
static void
take_body_byte(struct canonical *c, char byte, struct buf *body)
{
	if (byte == '\r') {
		c->is_inside_line = true;
		if (c->n_pending_cr < CANONICAL_UNDECIDED_MOST) {
			c->n_pending_cr++;
			return;
		}
		if (c->has_pending_dot)
			buf_add_char(body, '.');
		c->has_pending_dot = false;
		buf_add_char(body, '\n');
		return;
	}
	if (byte == '\n') {
		c->n_pending_cr = 0;
		c->is_inside_line = false;
		if (c->has_pending_dot)
			c->part = CANONICAL_END;
		else
			buf_add_char(body, '\n');
		return;
	}
	release_pending(c, body);
	c->has_pending_dot = c->ends_at_lone_dot && !c->is_inside_line && byte == '.';
	c->is_inside_line = true;
	if (!c->has_pending_dot)
		buf_add_char(body, byte);
}

/* The first LF with a dot behind it, or end. A dot that begins the next input is found by is_inside_line. */
static const char *
find_dot_line(const char *data, const char *end)
{
	const char *line_end;

	while ((line_end = memchr(data, '\n', (size_t)(end - data))) != NULL) {
		data = line_end + 1;
		if (data < end && *data == '.')
			return line_end;
	}
	return end;
}

static const char *
find_cr(const char *data, const char *end)
{
	const char *found = memchr(data, '\r', (size_t)(end - data));

	return found != NULL ? found : end;
}

static size_t
take_body(struct canonical *c, struct str input, struct buf *body)
{
	const char *data = input.data;
	const char *end = data + input.size;
	const char *cr = find_cr(data, end);
	const char *dot_line = c->ends_at_lone_dot ? find_dot_line(data, end) : end;
	const char *plain_end;

	while (data < end && c->part == CANONICAL_BODY) {
		/* Each is looked for again only when it was passed, so the time is linear. */
		if (cr < data)
			cr = find_cr(data, end);
		if (dot_line < data)
			dot_line = find_dot_line(data, end);
		if (c->n_pending_cr > 0 || c->has_pending_dot || data == cr ||
		    (c->ends_at_lone_dot && !c->is_inside_line && *data == '.')) {
			take_body_byte(c, *data++, body);
			continue;
		}
		plain_end = dot_line < end && dot_line < cr ? dot_line + 1 : cr;
		buf_add(body, data, (size_t)(plain_end - data));
		c->is_inside_line = plain_end[-1] != '\n';
		data = plain_end;
	}
	return (size_t)(data - input.data);
}

size_t
canonical_body(struct canonical *c, struct str input, struct buf *body)
{
	struct str undecided = str_make(c->undecided, c->undecided_size);

	c->undecided_size = 0;
	if (undecided.size > 0)
		take_body(c, undecided, body);
	return input.size > 0 ? take_body(c, input, body) : 0;
}

void
canonical_end_body(struct canonical *c, struct buf *body)
{
	canonical_body(c, str_make(NULL, 0), body);
	if (c->part == CANONICAL_BODY && c->is_inside_line)
		take_body_byte(c, '\n', body);
	c->part = CANONICAL_END;
}
