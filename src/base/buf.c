/* buf.c - a growing run of bytes. Pure. */

#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

enum { FIRST_CAPACITY = 128 };

static char *
start_of(const struct buf *b)
{
	return b->data == NULL ? NULL : b->data - b->consumed;
}

/* Move the bytes in use back to the start of the memory. */
static void
close_gap(struct buf *b)
{
	char *start = start_of(b);

	if (start == NULL || b->consumed == 0)
		return;
	memmove(start, b->data, b->size + 1);
	b->data = start;
	b->consumed = 0;
}

char *
buf_reserve(struct buf *b, size_t size)
{
	size_t wanted;

	if (b->data != NULL && b->capacity - b->consumed - b->size > size)
		return b->data + b->size;
	/* Moving costs a copy of what is in use; it pays when at least as much was consumed. */
	if (b->data != NULL && b->consumed >= b->size && b->capacity - b->size > size) {
		close_gap(b);
		return b->data + b->size;
	}
	close_gap(b);
	wanted = b->capacity > 0 ? b->capacity : FIRST_CAPACITY;
	while (wanted - b->size <= size && wanted <= SIZE_MAX / 2)
		wanted *= 2;
	if (wanted - b->size <= size)
		wanted = SIZE_MAX;
	b->data = mem_resize(b->data, wanted, 1);
	b->capacity = wanted;
	b->data[b->size] = '\0';
	return b->data + b->size;
}

void
buf_grow(struct buf *b, size_t size)
{
	b->size += size;
	if (b->data != NULL)
		b->data[b->size] = '\0';
}

void
buf_add(struct buf *b, const void *data, size_t size)
{
	char *room = buf_reserve(b, size);

	if (size > 0)
		memcpy(room, data, size);
	buf_grow(b, size);
}

void
buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.data, s.size);
}

void
buf_add_text(struct buf *b, const char *text)
{
	buf_add_str(b, str_of(text));
}

void
buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_vprintf(struct buf *b, const char *format, va_list arguments)
{
	va_list again;
	int size;

	va_copy(again, arguments);
	size = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (size <= 0)
		return;
	vsnprintf(buf_reserve(b, (size_t)size), (size_t)size + 1, format, arguments);
	buf_grow(b, (size_t)size);
}

void
buf_printf(struct buf *b, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	buf_vprintf(b, format, arguments);
	va_end(arguments);
}

void
buf_consume(struct buf *b, size_t n)
{
	if (n >= b->size) {
		buf_clear(b);
		return;
	}
	b->data += n;
	b->consumed += n;
	b->size -= n;
}

void
buf_truncate(struct buf *b, size_t size)
{
	if (size >= b->size)
		return;
	b->size = size;
	b->data[size] = '\0';
}

void
buf_clear(struct buf *b)
{
	b->data = start_of(b);
	b->consumed = 0;
	b->size = 0;
	if (b->data != NULL)
		b->data[0] = '\0';
}

const char *
buf_text(const struct buf *b)
{
	return b->data == NULL ? "" : b->data;
}

struct str
buf_str(const struct buf *b)
{
	return str_make(b->data, b->size);
}

char *
buf_take(struct buf *b)
{
	char *text;

	buf_reserve(b, 0);
	close_gap(b);
	text = b->data;
	*b = (struct buf){0};
	return text;
}

void
buf_free(struct buf *b)
{
	free(start_of(b));
	*b = (struct buf){0};
}

void
buf_wipe_rest(struct buf *b)
{
	if (b->data == NULL)
		return;
	mem_wipe(start_of(b), b->consumed);
	mem_wipe(b->data + b->size, b->capacity - b->consumed - b->size);
}

void
buf_wipe(struct buf *b)
{
	mem_wipe(start_of(b), b->capacity);
	buf_free(b);
}
