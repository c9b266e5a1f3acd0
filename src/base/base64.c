/* base64.c - base64 of RFC 4648 section 4. Pure. */

#include "config.h"

#include <stdint.h>

#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct buf *b, struct str data)
{
	buf_reserve(b, (data.size + 2) / 3 * 4);
	while (data.size > 0) {
		const unsigned char *in = (const unsigned char *)data.data;
		uint32_t bits = (uint32_t)in[0] << 16;

		if (data.size > 1)
			bits |= (uint32_t)in[1] << 8;
		if (data.size > 2)
			bits |= in[2];
		buf_add_char(b, digits[bits >> 18]);
		buf_add_char(b, digits[bits >> 12 & 63]);
		buf_add_char(b, data.size > 1 ? digits[bits >> 6 & 63] : '=');
		buf_add_char(b, data.size > 2 ? digits[bits & 63] : '=');
		data = str_from(data, 3);
	}
}

/* 0 to 63; 64 for anything else. */
static uint32_t
digit_value(char c)
{
	return (uint32_t)str_find(str_make(digits, 64), c);
}

/* One group of four; is_last allows padding. Appends one to three bytes. */
static bool
decode_group(struct buf *b, const char *group, bool is_last)
{
	size_t n_digits = is_last && group[3] == '=' ? (group[2] == '=' ? 2 : 3) : 4;
	uint32_t bits = 0;

	for (size_t i = 0; i < n_digits; i++) {
		uint32_t value = digit_value(group[i]);

		if (value > 63)
			return false;
		bits |= value << (18 - 6 * i);
	}
	/* Bits behind the last whole byte must be zero, or one text could be written in several ways. */
	if ((n_digits == 2 && (bits & 0xffff) != 0) || (n_digits == 3 && (bits & 0xff) != 0))
		return false;
	for (size_t i = 0; i + 1 < n_digits; i++)
		buf_add_char(b, (char)(bits >> (16 - 8 * i) & 0xff));
	return true;
}

bool
base64_decode(struct buf *b, struct str text)
{
	size_t before = b->size;

	if (text.size % 4 != 0)
		return false;
	buf_reserve(b, text.size / 4 * 3);
	for (; text.size > 0; text = str_from(text, 4))
		if (!decode_group(b, text.data, text.size == 4)) {
			buf_truncate(b, before);
			return false;
		}
	return true;
}
