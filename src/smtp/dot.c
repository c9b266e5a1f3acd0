/* dot.c - the wire form of a message. Pure; one memchr(3) for each line. */

#include "config.h"

#include "smtp/dot.h"

void
dot_add(struct dot *dot, struct str text, bool is_stuffed, struct buf *out)
{
	/* Room for the worst case of short lines is made as it is needed; for common mail once. */
	buf_reserve(out, text.size + text.size / 16 + 2);
	while (text.size > 0) {
		size_t end = str_find(text, '\n');

		if (is_stuffed && !dot->is_inside_line && text.data[0] == '.')
			buf_add_char(out, '.');
		buf_add(out, text.data, end);
		dot->is_inside_line = end == text.size;
		if (!dot->is_inside_line)
			buf_add(out, "\r\n", 2);
		text = str_from(text, end + 1);
	}
}

void
dot_end(struct dot *dot, struct buf *out)
{
	buf_add_text(out, dot->is_inside_line ? "\r\n.\r\n" : ".\r\n");
	dot->is_inside_line = false;
}
