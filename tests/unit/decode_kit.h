/* decode_kit.h - reads quoted-printable and base64 to the letter of RFC 2045; shares nothing with the code that writes them. */

#ifndef TESTS_UNIT_DECODE_KIT_H
#define TESTS_UNIT_DECODE_KIT_H

#include <string.h>

#include "base/buf.h"

enum { DECODE_LINE_MOST = 76 };

static inline int
decode_hex(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *found = c == '\0' ? NULL : strchr(digits, c);

	return found == NULL ? -1 : (int)(found - digits);
}

/* False: not quoted-printable, a line longer than 76 characters, a blank at the end of one, a soft line break at the end. */
static inline bool
decode_quoted(struct str text, struct buf *decoded)
{
	size_t column = 0;

	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (c == '\n') {
			if (i > 0 && (text.data[i - 1] == ' ' || text.data[i - 1] == '\t'))
				return false;
			column = 0;
			buf_add_char(decoded, c);
			continue;
		}
		if (c == '=' && i + 1 < text.size && text.data[i + 1] == '\n') {
			if (column + 1 > DECODE_LINE_MOST || i + 2 == text.size)
				return false;
			column = 0;
			i++;
			continue;
		}
		if (c == '=') {
			if (i + 2 >= text.size || decode_hex(text.data[i + 1]) < 0 || decode_hex(text.data[i + 2]) < 0)
				return false;
			c = (char)(decode_hex(text.data[i + 1]) * 16 + decode_hex(text.data[i + 2]));
			i += 2;
			column += 2;
		} else if ((c < ' ' && c != '\t') || c > '~') {
			return false;
		}
		if (++column > DECODE_LINE_MOST)
			return false;
		buf_add_char(decoded, c);
	}
	return text.size == 0 || (text.data[text.size - 1] != ' ' && text.data[text.size - 1] != '\t');
}

/* Line ends are CRLF inside base64 and LF in decoded. False: not base64, or a line longer than 76 characters. */
static inline bool
decode_base64(struct str text, struct buf *decoded)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0;
	unsigned n_bits = 0;
	size_t n_digits = 0;
	size_t n_padding = 0;
	size_t column = 0;

	for (size_t i = 0; i < text.size; i++) {
		const char *found;

		if (text.data[i] == '\n') {
			column = 0;
			continue;
		}
		if (++column > DECODE_LINE_MOST)
			return false;
		if (text.data[i] == '=') {
			n_padding++;
			continue;
		}
		found = text.data[i] == '\0' ? NULL : strchr(digits, text.data[i]);
		if (found == NULL || n_padding > 0)
			return false;
		n_digits++;
		bits = (bits << 6 | (unsigned)(found - digits)) & 0xffff;
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		if ((bits >> n_bits & 0xff) == '\n' && decoded->size > 0 && decoded->data[decoded->size - 1] == '\r')
			buf_truncate(decoded, decoded->size - 1);
		buf_add_char(decoded, (char)(bits >> n_bits & 0xff));
	}
	return n_padding < 3 && (n_digits + n_padding) % 4 == 0;
}

#endif
