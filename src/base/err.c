/* err.c - the one error value, and the one way to make a peer's text harmless. Pure. */

#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

static const struct {
	int code;
	const char *name;
} exit_names[] = {
	{EX_OK, "EX_OK"},
	{EX_USAGE, "EX_USAGE"},
	{EX_DATAERR, "EX_DATAERR"},
	{EX_NOINPUT, "EX_NOINPUT"},
	{EX_NOUSER, "EX_NOUSER"},
	{EX_NOHOST, "EX_NOHOST"},
	{EX_UNAVAILABLE, "EX_UNAVAILABLE"},
	{EX_SOFTWARE, "EX_SOFTWARE"},
	{EX_OSERR, "EX_OSERR"},
	{EX_OSFILE, "EX_OSFILE"},
	{EX_CANTCREAT, "EX_CANTCREAT"},
	{EX_IOERR, "EX_IOERR"},
	{EX_TEMPFAIL, "EX_TEMPFAIL"},
	{EX_PROTOCOL, "EX_PROTOCOL"},
	{EX_NOPERM, "EX_NOPERM"},
	{EX_CONFIG, "EX_CONFIG"},
};

/* Characters of general category Cf outside ASCII, plus the line and paragraph separators: invisible, or able to reorder
 * what the reader sees (Unicode 15). First and last code point of each run. */
static const struct {
	uint32_t first;
	uint32_t last;
} hidden_characters[] = {
	{0x80, 0x9f},
	{0xad, 0xad},
	{0x600, 0x605},
	{0x61c, 0x61c},
	{0x6dd, 0x6dd},
	{0x70f, 0x70f},
	{0x890, 0x891},
	{0x8e2, 0x8e2},
	{0x180e, 0x180e},
	{0x200b, 0x200f},
	{0x2028, 0x202e},
	{0x2060, 0x206f},
	{0xfeff, 0xfeff},
	{0xfff9, 0xfffb},
	{0x110bd, 0x110bd},
	{0x110cd, 0x110cd},
	{0x13430, 0x1343f},
	{0x1bca0, 0x1bca3},
	{0x1d173, 0x1d17a},
	{0xe0001, 0xe0001},
	{0xe0020, 0xe007f},
};

static void __attribute__((format(printf, 3, 0)))
fill(struct err *err, int exit_code, const char *format, va_list arguments)
{
	err->exit_code = exit_code;
	buf_vprintf(&err->text, format, arguments);
}

bool
err_set(struct err *err, int exit_code, const char *format, ...)
{
	va_list arguments;

	if (err_is_set(err))
		return false;
	va_start(arguments, format);
	fill(err, exit_code, format, arguments);
	va_end(arguments);
	return false;
}

bool
err_set_errno(struct err *err, int exit_code, const char *format, ...)
{
	const char *reason = strerror(errno);
	va_list arguments;

	if (err_is_set(err))
		return false;
	va_start(arguments, format);
	fill(err, exit_code, format, arguments);
	va_end(arguments);
	buf_printf(&err->text, ": %s", reason);
	return false;
}

bool
err_prefix(struct err *err, const char *format, ...)
{
	struct buf text = {0};
	va_list arguments;

	va_start(arguments, format);
	buf_vprintf(&text, format, arguments);
	va_end(arguments);
	buf_add_text(&text, ": ");
	buf_add_str(&text, buf_str(&err->text));
	buf_free(&err->text);
	err->text = text;
	return false;
}

bool
err_hint(struct err *err, const char *format, ...)
{
	va_list arguments;

	if (err->hint.size > 0)
		return false;
	va_start(arguments, format);
	buf_vprintf(&err->hint, format, arguments);
	va_end(arguments);
	return false;
}

bool
err_is_set(const struct err *err)
{
	return err->exit_code != 0;
}

bool
err_is_temporary(const struct err *err)
{
	return err->exit_code == EX_TEMPFAIL;
}

bool
err_move(struct err *to, struct err *from)
{
	if (err_is_set(to))
		err_clear(from);
	else {
		err_clear(to);
		*to = *from;
		*from = (struct err){0};
	}
	return false;
}

void
err_clear(struct err *err)
{
	buf_free(&err->text);
	buf_free(&err->hint);
	err->exit_code = 0;
}

const char *
err_exit_name(int exit_code)
{
	for (size_t i = 0; i < sizeof(exit_names) / sizeof(exit_names[0]); i++)
		if (exit_names[i].code == exit_code)
			return exit_names[i].name;
	return "EX_???";
}

/* The code point at the start of a multi-byte sequence; *length is its size in bytes, 0 if it is malformed. */
static uint32_t
decode_utf8(struct str s, size_t *length)
{
	unsigned char lead = (unsigned char)s.data[0];
	size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	uint32_t point = lead & (0xffU >> (size + 1));

	*length = 0;
	if (s.size < size || !str_is_utf8(str_first(s, size)))
		return 0;
	for (size_t i = 1; i < size; i++)
		point = (point << 6) | ((unsigned char)s.data[i] & 0x3fU);
	*length = size;
	return point;
}

static bool
is_hidden(uint32_t point)
{
	for (size_t i = 0; i < sizeof(hidden_characters) / sizeof(hidden_characters[0]); i++)
		if (point >= hidden_characters[i].first && point <= hidden_characters[i].last)
			return true;
	return false;
}

void
err_add_clean(struct buf *b, struct str text)
{
	while (text.size > 0) {
		size_t length = 1;
		char c = text.data[0];

		if ((unsigned char)c >= 0x80) {
			uint32_t point = decode_utf8(text, &length);

			if (length > 0 && !is_hidden(point)) {
				buf_add(b, text.data, length);
				text = str_from(text, length);
				continue;
			}
			length = 1;
		}
		if (c == '\n')
			buf_add_text(b, "\\n");
		else if ((unsigned char)c >= 0x80 || ascii_is_control(c))
			buf_printf(b, "\\x%02x", (unsigned char)c);
		else
			buf_add_char(b, c);
		text = str_from(text, length);
	}
}
