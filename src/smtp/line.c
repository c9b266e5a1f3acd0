/* line.c - takes lines off a buffer of received bytes. Pure. */

#include "config.h"

#include "smtp/line.h"

bool
line_first(const struct buf *in, struct str *line, size_t *taken)
{
	struct str all = buf_str(in);
	size_t end = str_find(all, '\n');

	if (end == all.size)
		return false;
	*taken = end + 1;
	*line = str_first(all, end);
	if (line->size > 0 && line->data[line->size - 1] == '\r')
		line->size--;
	return true;
}
