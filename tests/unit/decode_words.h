/* decode_words.h - reads encoded-words (RFC 2047 section 6) without the code that writes them, for tests and fuzz targets. */

#ifndef TESTS_UNIT_DECODE_WORDS_H
#define TESTS_UNIT_DECODE_WORDS_H

#include <stdlib.h>

#include "base/buf.h"

static inline int
words_digit(char c, const char *digits)
{
	for (int i = 0; digits[i] != '\0'; i++)
		if (digits[i] == c)
			return i;
	return -1;
}

/* Append what the text of an encoded-word stands for. False: it is none. */
static inline bool
words_decode_one(struct str text, bool is_base64, struct buf *b)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char hexadecimal[] = "0123456789ABCDEF";
	unsigned bits = 0;
	int n_bits = 0;

	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (is_base64) {
			if (c == '=')
				return i + 2 >= text.size;
			if (words_digit(c, base64) < 0)
				return false;
			bits = bits << 6 | (unsigned)words_digit(c, base64);
			n_bits += 6;
			if (n_bits >= 8) {
				n_bits -= 8;
				buf_add_char(b, (char)(bits >> n_bits & 0xff));
			}
		} else if (c == '=') {
			int high = i + 2 < text.size ? words_digit(text.data[i + 1], hexadecimal) : -1;
			int low = i + 2 < text.size ? words_digit(text.data[i + 2], hexadecimal) : -1;

			if (high < 0 || low < 0)
				return false;
			buf_add_char(b, (char)(high * 16 + low));
			i += 2;
		} else {
			buf_add_char(b, (char)(c == '_' ? ' ' : c));
		}
	}
	return true;
}

/* The encoded-word at the start of text, of the charset UTF-8 and written as this program does it; 0: there is none. */
static inline size_t
words_size(struct str text, bool *is_base64, struct str *content)
{
	static const struct str q = STR("=?UTF-8?Q?"), base64 = STR("=?UTF-8?B?");
	size_t end;

	if (!str_starts_with(text, q) && !str_starts_with(text, base64))
		return 0;
	*is_base64 = str_starts_with(text, base64);
	end = q.size + str_find(str_from(text, q.size), '?');
	if (end + 1 >= text.size || text.data[end + 1] != '=')
		return 0;
	*content = str_from(str_first(text, end), q.size);
	return end + 2;
}

/* Append text unfolded, with its encoded-words decoded and the blanks between two of them dropped. False: an encoded-word
 * of ours is broken, or is longer than 75 characters. */
static inline bool
words_decode(struct str text, struct buf *b)
{
	struct buf plain = {0};
	size_t at = 0, n_blanks = 0;
	bool follows_word = false, is_well = true;

	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] != '\n')
			buf_add_char(&plain, text.data[i]);
	while (at < plain.size && is_well) {
		bool is_base64 = false;
		struct str content = {0};
		size_t size = words_size(str_from(buf_str(&plain), at), &is_base64, &content);

		if (size > 0) {
			if (follows_word)
				buf_truncate(b, b->size - n_blanks);
			is_well = size <= 75 && words_decode_one(content, is_base64, b);
			follows_word = true;
			n_blanks = 0;
			at += size;
			continue;
		}
		n_blanks = ascii_is_blank(plain.data[at]) ? n_blanks + 1 : 0;
		follows_word = follows_word && ascii_is_blank(plain.data[at]);
		buf_add_char(b, plain.data[at++]);
	}
	buf_free(&plain);
	return is_well;
}

#endif
