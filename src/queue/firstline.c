/* firstline.c - line 1 of a queue entry as numbers. Pure. */

#include "config.h"

#include <string.h>

#include "queue/firstline.h"

enum {
	HEAD_AT = 5, /* offsets in line 1, each 1 behind the field before */
	N_AT = HEAD_AT + 8 + 1,
	SIZE_AT = N_AT + 8 + 1,
	CREATED_AT = SIZE_AT + 16 + 1,
	FLAGS_AT = CREATED_AT + 16 + 1,
	CRC_AT = FLAGS_AT + 2 + 1,
	LINE_END_AT = CRC_AT + 8,
	CRC_DIGITS = 8,
	N_FLAGS = 2
};

_Static_assert(LINE_END_AT + 1 == FORMAT_FIRST_LINE, "the width of line 1");
_Static_assert((int)FLAGS_AT == (int)FORMAT_FLAGS_AT, "where the flags are");

static const char magic[] = "MCQ1 ";

static void
put_hex(char *at, size_t n_digits, uint64_t value)
{
	while (n_digits-- > 0) {
		at[n_digits] = "0123456789abcdef"[value & 0xf];
		value >>= 4;
	}
}

static bool
is_hex(char c)
{
	return ascii_is_digit(c) || (c >= 'a' && c <= 'f');
}

void
firstline_put(char line[FORMAT_FIRST_LINE], const struct firstline *first)
{
	memset(line, ' ', FORMAT_FIRST_LINE);
	memcpy(line, magic, sizeof(magic) - 1);
	put_hex(line + HEAD_AT, 8, first->head_size);
	put_hex(line + N_AT, 8, first->n_recipients);
	put_hex(line + SIZE_AT, 16, first->message_size);
	put_hex(line + CREATED_AT, 16, first->created);
	memset(line + FLAGS_AT, '0', N_FLAGS);
	put_hex(line + CRC_AT, CRC_DIGITS, 0);
	line[LINE_END_AT] = '\n';
}

void
firstline_finish(char line[FORMAT_FIRST_LINE], const struct firstline *first)
{
	line[FLAGS_AT] = (first->flags & ENTRY_BOUNCED) != 0 ? 'B' : '-';
	line[FLAGS_AT + 1] = (first->flags & ENTRY_DELAY_TOLD) != 0 ? 'W' : '-';
	put_hex(line + CRC_AT, CRC_DIGITS, first->crc);
}

bool
firstline_read_hex(struct str digits, uint64_t most, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < digits.size; i++) {
		char c = digits.data[i];

		if (!is_hex(c))
			return false;
		*value = *value << 4 | (uint64_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
	}
	return *value <= most;
}

bool
firstline_read(struct str line, struct firstline *first)
{
	char expected[FORMAT_FIRST_LINE];

	if (line.size < FORMAT_FIRST_LINE)
		return false;
	if (!firstline_read_hex(str_make(line.data + HEAD_AT, 8), FORMAT_HEAD_MOST, &first->head_size) ||
	    !firstline_read_hex(str_make(line.data + N_AT, 8), UINT32_MAX, &first->n_recipients) ||
	    !firstline_read_hex(str_make(line.data + SIZE_AT, 16), FIRSTLINE_SIZE_MOST, &first->message_size) ||
	    !firstline_read_hex(str_make(line.data + CREATED_AT, 16), FIRSTLINE_CREATED_MOST, &first->created) ||
	    !firstline_read_hex(str_make(line.data + CRC_AT, CRC_DIGITS), UINT32_MAX, &first->crc))
		return false;
	first->flags = (line.data[FLAGS_AT] == 'B' ? ENTRY_BOUNCED : 0) | (line.data[FLAGS_AT + 1] == 'W' ? ENTRY_DELAY_TOLD : 0);
	firstline_put(expected, first);
	memcpy(expected + FLAGS_AT, line.data + FLAGS_AT, N_FLAGS);
	memcpy(expected + CRC_AT, line.data + CRC_AT, CRC_DIGITS);
	/* A recipient has two bytes at least, and an empty line follows. */
	return memcmp(expected, line.data, FORMAT_FIRST_LINE) == 0 && first->n_recipients > 0 &&
	       first->head_size > FORMAT_FIRST_LINE && first->n_recipients < (first->head_size - FORMAT_FIRST_LINE) / 2;
}
