/*
 * text - bytes that grow, and the few ways the peer looks at them.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

/* what one \*N{...} may grow to, in bytes */
#define REPEAT_MAX (256u * 1024 * 1024)

static char
lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

static int
hex_value(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte = lower(byte);
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Append the repetition that begins behind \*; *used says how many bytes of source it took. */
static bool
append_repetition(struct text *text, const char *source, size_t size, size_t *used)
{
	const char *open = memchr(source, '{', size);
	const char *close = open == NULL ? NULL : memchr(open, '}', size - (size_t)(open - source));
	unsigned long long times = 0;
	struct text once = {0};
	bool ok = false;

	if (close == NULL || !text_number(source, (size_t)(open - source), REPEAT_MAX, &times))
		return false;
	if (!text_unescape(&once, open + 1, (size_t)(close - open - 1)))
		goto out;
	if (once.size != 0 && times > REPEAT_MAX / once.size)
		goto out;
	text_reserve(text, (size_t)times * once.size);
	for (unsigned long long i = 0; i < times; i++)
		text_append(text, once.bytes, once.size);
	*used = (size_t)(close - source) + 1;
	ok = true;
out:
	text_free(&once);
	return ok;
}

/* Append the one escape behind a backslash; *used says how many bytes of source it took. */
static bool
append_escape(struct text *text, const char *source, size_t size, size_t *used)
{
	static const char letters[] = "\\rn0";
	static const char values[] = "\\\r\n";
	const char *letter = NULL;

	*used = 1;
	if (size == 0)
		return false;
	if (source[0] == '*') {
		bool ok = append_repetition(text, source + 1, size - 1, used);

		*used += 1;
		return ok;
	}
	if (source[0] == 'x') {
		int high = size < 3 ? -1 : hex_value(source[1]);
		int low = size < 3 ? -1 : hex_value(source[2]);
		char byte = (char)(high * 16 + low);

		if (high < 0 || low < 0)
			return false;
		text_append(text, &byte, 1);
		*used = 3;
		return true;
	}
	letter = source[0] == '\0' ? NULL : strchr(letters, source[0]);
	if (letter == NULL)
		return false;
	text_append(text, &values[letter - letters], 1);
	return true;
}

void
text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

void
text_clear(struct text *text)
{
	text->size = 0;
	if (text->bytes != NULL)
		text->bytes[0] = '\0';
}

void
text_reserve(struct text *text, size_t more)
{
	size_t capacity = text->capacity < 64 ? 64 : text->capacity;
	char *bytes = NULL;

	if (text->bytes != NULL && text->capacity - text->size > more)
		return;
	while (capacity - text->size <= more)
		capacity *= 2;
	bytes = realloc(text->bytes, capacity);
	if (bytes == NULL)
		_exit(71);
	text->bytes = bytes;
	text->capacity = capacity;
	text->bytes[text->size] = '\0';
}

void
text_append(struct text *text, const void *bytes, size_t size)
{
	text_reserve(text, size);
	if (size != 0)
		memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
	text->bytes[text->size] = '\0';
}

void
text_add(struct text *text, const char *string)
{
	text_append(text, string, strlen(string));
}

void
text_format(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_format_list(text, format, arguments);
	va_end(arguments);
}

void
text_format_list(struct text *text, const char *format, va_list arguments)
{
	va_list copy;
	int size = 0;

	va_copy(copy, arguments);
	size = vsnprintf(NULL, 0, format, copy);
	va_end(copy);
	if (size < 0)
		return;
	text_reserve(text, (size_t)size);
	(void)vsnprintf(text->bytes + text->size, (size_t)size + 1, format, arguments);
	text->size += (size_t)size;
}

const char *
text_string(const struct text *text)
{
	return text->bytes == NULL ? "" : text->bytes;
}

void
text_drop(struct text *text, size_t size)
{
	if (size == 0)
		return;
	memmove(text->bytes, text->bytes + size, text->size - size);
	text->size -= size;
	text->bytes[text->size] = '\0';
}

bool
text_unescape(struct text *text, const char *source, size_t size)
{
	for (size_t at = 0; at < size;) {
		const char *backslash = memchr(source + at, '\\', size - at);
		size_t plain = backslash == NULL ? size - at : (size_t)(backslash - source) - at;
		size_t used = 0;

		text_append(text, source + at, plain);
		at += plain;
		if (backslash == NULL)
			return true;
		at++;
		if (!append_escape(text, source + at, size - at, &used))
			return false;
		at += used;
	}
	return true;
}

void
text_escape(struct text *text, const char *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";

	text_reserve(text, size);
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		char escape[4] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};

		if (byte >= ' ' && byte < 0x7f)
			text_append(text, &bytes[i], 1);
		else
			text_append(text, escape, sizeof(escape));
	}
}

bool
text_begins(const char *bytes, size_t size, const char *word)
{
	size_t word_size = strlen(word);

	if (size < word_size)
		return false;
	for (size_t i = 0; i < word_size; i++)
		if (lower(bytes[i]) != lower(word[i]))
			return false;
	return true;
}

bool
text_is(const char *bytes, size_t size, const char *word)
{
	return size == strlen(word) && text_begins(bytes, size, word);
}

bool
text_number(const char *bytes, size_t size, unsigned long long max, unsigned long long *number)
{
	unsigned long long value = 0;

	if (size == 0)
		return false;
	for (size_t i = 0; i < size; i++) {
		unsigned digit = (unsigned)(bytes[i] - '0');

		if (bytes[i] < '0' || digit > 9 || value > max / 10 || value * 10 > max - digit)
			return false;
		value = value * 10 + digit;
	}
	*number = value;
	return true;
}
