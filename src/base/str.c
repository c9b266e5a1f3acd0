/* str.c - borrowed pieces of text. Pure; ASCII only. */

#include "config.h"

#include <string.h>

#include "base/str.h"

enum { DISTANCE_MOST = 63 };

char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
ascii_is_alpha(char c)
{
	c = ascii_lower(c);
	return c >= 'a' && c <= 'z';
}

bool
ascii_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool
ascii_is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool
is_space(char c)
{
	return ascii_is_blank(c) || c == '\r' || c == '\n';
}

struct str
str_of(const char *text)
{
	if (text == NULL)
		return (struct str){0};
	return (struct str){text, strlen(text)};
}

struct str
str_make(const char *data, size_t size)
{
	return (struct str){data, size};
}

bool
str_equals(struct str a, struct str b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool
str_equals_nocase(struct str a, struct str b)
{
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++)
		if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
			return false;
	return true;
}

bool
str_starts_with(struct str s, struct str prefix)
{
	return s.size >= prefix.size && str_equals(str_first(s, prefix.size), prefix);
}

bool
str_starts_with_nocase(struct str s, struct str prefix)
{
	return s.size >= prefix.size && str_equals_nocase(str_first(s, prefix.size), prefix);
}

size_t
str_find(struct str s, char c)
{
	const char *found = s.size > 0 ? memchr(s.data, c, s.size) : NULL;

	return found == NULL ? s.size : (size_t)(found - s.data);
}

size_t
str_search_nocase(struct str s, struct str part)
{
	for (size_t i = 0; i + part.size <= s.size; i++)
		if (str_starts_with_nocase(str_from(s, i), part))
			return i;
	return s.size;
}

bool
str_contains_nocase(struct str s, struct str part)
{
	return part.size == 0 || str_search_nocase(s, part) < s.size;
}

struct str
str_from(struct str s, size_t from)
{
	if (s.size == 0)
		return s;
	if (from > s.size)
		from = s.size;
	return (struct str){s.data + from, s.size - from};
}

struct str
str_first(struct str s, size_t n)
{
	return (struct str){s.data, n < s.size ? n : s.size};
}

struct str
str_trim(struct str s)
{
	while (s.size > 0 && is_space(s.data[0]))
		s = str_from(s, 1);
	while (s.size > 0 && is_space(s.data[s.size - 1]))
		s.size--;
	return s;
}

bool
str_next_token(struct str *rest, char separator, struct str *token)
{
	size_t end = str_find(*rest, separator);

	if (rest->size == 0)
		return false;
	*token = str_first(*rest, end);
	*rest = str_from(*rest, end + 1);
	return true;
}

bool
str_next_word(struct str *rest, struct str *word)
{
	size_t end = 0;

	while (rest->size > 0 && ascii_is_blank(rest->data[0]))
		*rest = str_from(*rest, 1);
	while (end < rest->size && !ascii_is_blank(rest->data[end]))
		end++;
	*word = str_first(*rest, end);
	*rest = str_from(*rest, end);
	return word->size > 0;
}

bool
str_to_number(struct str s, uint64_t most, uint64_t *number)
{
	uint64_t value = 0;

	if (s.size == 0)
		return false;
	for (size_t i = 0; i < s.size; i++) {
		uint64_t digit = (uint64_t)(s.data[i] - '0');

		if (!ascii_is_digit(s.data[i]) || digit > most || value > (most - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*number = value;
	return true;
}

bool
str_has_8bit(struct str s)
{
	for (size_t i = 0; i < s.size; i++)
		if ((unsigned char)s.data[i] >= 0x80)
			return true;
	return false;
}

uint64_t
str_hash(uint64_t sum, struct str s)
{
	for (size_t i = 0; i < s.size; i++)
		sum = (sum ^ (unsigned char)s.data[i]) * UINT64_C(0x100000001b3);
	return sum;
}

bool
str_has_control(struct str s)
{
	for (size_t i = 0; i < s.size; i++)
		if (ascii_is_control(s.data[i]))
			return true;
	return false;
}

/* Length in bytes of the well-formed UTF-8 sequence at the start of s; 0 if there is none (RFC 3629 section 4). */
static size_t
utf8_length(struct str s)
{
	const unsigned char *b = (const unsigned char *)s.data;
	size_t length = b[0] < 0x80 ? 1 : b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;

	if (length == 1)
		return 1;
	if (b[0] < 0xc2 || b[0] > 0xf4 || s.size < length)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f))
		return 0;
	if ((b[0] == 0xf0 && b[1] < 0x90) || (b[0] == 0xf4 && b[1] > 0x8f))
		return 0;
	return length;
}

bool
str_is_utf8(struct str s)
{
	while (s.size > 0) {
		size_t length = utf8_length(s);

		if (length == 0)
			return false;
		s = str_from(s, length);
	}
	return true;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t
str_distance(struct str a, struct str b)
{
	size_t rows[3][DISTANCE_MOST + 1] = {{0}};
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	if (a.size > DISTANCE_MOST || b.size > DISTANCE_MOST)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.size; j++)
		above[j] = j;
	for (size_t i = 1; i <= a.size; i++) {
		size_t *spare = before;

		row[0] = i;
		for (size_t j = 1; j <= b.size; j++) {
			bool is_same = a.data[i - 1] == b.data[j - 1];

			row[j] = least(above[j - 1] + !is_same, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[b.size];
}
