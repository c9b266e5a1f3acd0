/*
 * text - bytes that grow, and the few ways the peer looks at them.
 *
 * No I/O. A zeroed struct text is empty and may be freed; twice is harmless. An allocation that fails ends the process:
 * a test server has nothing better to do. Letters are compared as ASCII, whatever the locale.
 */
#ifndef PEER_TEXT_H
#define PEER_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct text {
	char *bytes; /* NULL while nothing was ever appended; otherwise a NUL follows the last byte */
	size_t size;
	size_t capacity;
};

void text_free(struct text *text);

/* Forget the content, keep the memory. */
void text_clear(struct text *text);

/* Make room for more bytes behind the content, and for the NUL. */
void text_reserve(struct text *text, size_t more);

void text_append(struct text *text, const void *bytes, size_t size);
void text_add(struct text *text, const char *string);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3), nonnull));
void text_format_list(struct text *text, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0), nonnull(1, 2)));

/* The content as a string; "" when empty. */
const char *text_string(const struct text *text);

/* Remove the first size bytes. */
void text_drop(struct text *text, size_t size);

/* Append source with \xNN \\ \r \n \0 and \*N{...} (the braced text N times) resolved. False: a wrong escape. */
bool text_unescape(struct text *text, const char *source, size_t size);

/* Append bytes for a reader: control and non-ASCII bytes as \xNN. */
void text_escape(struct text *text, const char *bytes, size_t size);

/* Whether bytes begin with word, which is compared without regard to case. */
bool text_begins(const char *bytes, size_t size, const char *word);

/* Whether bytes are word, without regard to case. */
bool text_is(const char *bytes, size_t size, const char *word);

/* Read the size digits of bytes as a number of at most max. False: something else stands there. */
bool text_number(const char *bytes, size_t size, unsigned long long max, unsigned long long *number);

#endif
