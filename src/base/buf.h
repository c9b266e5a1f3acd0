/* buf.h - a growing run of bytes, always followed by a NUL that is not counted.
 *
 * A zeroed struct buf is empty and valid. Bytes can be taken off the front cheaply (buf_consume), so the same type
 * serves for building text and as an input or output queue. */

#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct buf {
	char *data;      /* the first byte; NULL only while nothing was ever stored */
	size_t size;     /* bytes in use, from data on */
	size_t consumed; /* bytes before data that were taken off the front */
	size_t capacity; /* bytes allocated, counted from data - consumed */
};

void buf_add(struct buf *b, const void *data, size_t size);
void buf_add_str(struct buf *b, struct str s);
void buf_add_text(struct buf *b, const char *text); /* NUL-terminated; NULL adds nothing */
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

/* Room for at least `size` more bytes behind the used ones; the pointer holds until the next call. buf_grow() then takes
 * the bytes written there (at most what was reserved) into use. */
char *buf_reserve(struct buf *b, size_t size);
void buf_grow(struct buf *b, size_t size);

/* Take n bytes (at most size) off the front. */
void buf_consume(struct buf *b, size_t n);

/* Shorten to size bytes; longer stays as it is. */
void buf_truncate(struct buf *b, size_t size);

/* Forget the bytes, keep the memory. */
void buf_clear(struct buf *b);

/* NUL-terminated text, "" when empty; borrowed until the next change. */
const char *buf_text(const struct buf *b);
struct str buf_str(const struct buf *b);

/* Hand the text to the caller, who frees it; b is empty afterwards. Never NULL. */
char *buf_take(struct buf *b);

void buf_free(struct buf *b);

/* Overwrite the memory of b that holds no bytes in use, but did: those that were taken off the front, or forgotten. */
void buf_wipe_rest(struct buf *b);

/* Overwrite all memory of b, then free it: for secrets. A buf that holds a secret must be given its room by buf_reserve
 * first, for growing leaves copies behind. */
void buf_wipe(struct buf *b);

#endif
