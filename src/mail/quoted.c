/* quoted.c - quoted-printable and base64 of RFC 2045. Pure. */

#include "config.h"

#include <stdint.h>

#include "mail/quoted.h"

enum { TEXT_MOST = QUOTED_LINE_MOST - 1 }; /* room for the "=" of a soft line break */

static const char hex_digits[] = "0123456789ABCDEF";
static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool
quoted_is_escaped(char c)
{
	return !(c >= ' ' && c <= '~' && c != '=') && c != '\t';
}

/* --- quoted-printable ----------------------------------------------------------------------------------------------- */

/* Begin a new line by a soft break, if size characters do not fit into this one. */
static void
make_room(struct quoted *q, size_t size, struct buf *out)
{
	if (q->column + size > TEXT_MOST) {
		buf_add_text(out, "=\n");
		q->column = 0;
	}
}

static void
add_escaped(struct quoted *q, char c, struct buf *out)
{
	unsigned char octet = (unsigned char)c;
	char escape[3] = {'=', hex_digits[octet >> 4], hex_digits[octet & 15]};

	make_room(q, sizeof(escape), out);
	buf_add(out, escape, sizeof(escape));
	q->column += sizeof(escape);
}

/* The blank that was held back: what comes next is known now. */
static void
release_blank(struct quoted *q, bool is_at_end, struct buf *out)
{
	if (q->blank == '\0')
		return;
	if (is_at_end)
		add_escaped(q, q->blank, out);
	else {
		make_room(q, 1, out);
		buf_add_char(out, q->blank);
		q->column++;
	}
	q->blank = '\0';
}

/* How many characters at the start of text stand for themselves, being followed by something else than a line end? */
static size_t
plain_size(struct str text)
{
	size_t n = 0;

	while (n < text.size && !quoted_is_escaped(text.data[n]) &&
	       (!ascii_is_blank(text.data[n]) || (n + 1 < text.size && text.data[n + 1] != '\n')))
		n++;
	return n;
}

static void
add_plain(struct quoted *q, struct str text, struct buf *out)
{
	while (text.size > 0) {
		bool was_inside = q->column > 0;
		struct str part;

		make_room(q, 1, out);
		/* A line that begins by a soft break must not look like a boundary. */
		if (was_inside && q->column == 0 && text.data[0] == '-') {
			add_escaped(q, '-', out);
			text = str_from(text, 1);
			continue;
		}
		part = str_first(text, TEXT_MOST - q->column);
		buf_add_str(out, part);
		q->column += part.size;
		text = str_from(text, part.size);
	}
}

static void
add_quoted(struct quoted *q, struct str text, struct buf *out)
{
	while (text.size > 0) {
		char c = text.data[0];
		size_t n = plain_size(text);

		release_blank(q, c == '\n', out);
		if (n > 0) {
			add_plain(q, str_first(text, n), out);
			text = str_from(text, n);
			continue;
		}
		if (c == '\n') {
			buf_add_char(out, c);
			q->column = 0;
		} else if (ascii_is_blank(c) && text.size == 1)
			q->blank = c;
		else
			add_escaped(q, c, out);
		text = str_from(text, 1);
	}
}

/* --- base64 ----------------------------------------------------------------------------------------------------------- */

/* Write the group as one line. */
static void
write_group(struct quoted *q, struct buf *out)
{
	if (q->group_size > 0 && q->is_inside)
		buf_add_char(out, '\n');
	for (size_t i = 0; i < q->group_size; i += 3) {
		size_t n = q->group_size - i;
		uint32_t bits = (uint32_t)q->group[i] << 16;

		if (n > 1)
			bits |= (uint32_t)q->group[i + 1] << 8;
		if (n > 2)
			bits |= q->group[i + 2];
		buf_add_char(out, base64_digits[bits >> 18]);
		buf_add_char(out, base64_digits[bits >> 12 & 63]);
		buf_add_char(out, n > 1 ? base64_digits[bits >> 6 & 63] : '=');
		buf_add_char(out, n > 2 ? base64_digits[bits & 63] : '=');
	}
	q->is_inside = true;
	q->group_size = 0;
}

static void
add_octet(struct quoted *q, char c, struct buf *out)
{
	q->group[q->group_size++] = (unsigned char)c;
	if (q->group_size == QUOTED_GROUP_SIZE)
		write_group(q, out);
}

static void
add_base64(struct quoted *q, struct str text, struct buf *out)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '\n')
			add_octet(q, '\r', out);
		add_octet(q, text.data[i], out);
	}
}

void
quoted_add(struct quoted *q, struct str text, struct buf *out)
{
	(q->is_base64 ? add_base64 : add_quoted)(q, text, out);
}

void
quoted_end(struct quoted *q, struct buf *out)
{
	if (q->is_base64 && q->group_size > 0)
		write_group(q, out);
	release_blank(q, true, out);
}
