/* firstline.h - line 1 of a queue entry as numbers (queue/format.h has the picture). Pure. */

#ifndef QUEUE_FIRSTLINE_H
#define QUEUE_FIRSTLINE_H

#include "queue/format.h"

struct firstline {
	uint64_t head_size;
	uint64_t n_recipients;
	uint64_t message_size;
	uint64_t created;      /* seconds since 1970, at most FIRSTLINE_CREATED_MOST */
	uint64_t crc;          /* of the head */
	unsigned flags;        /* ENTRY_ bits */
};

#define FIRSTLINE_SIZE_MOST ((uint64_t)1 << 60)    /* bytes of a message, with room for sums */
#define FIRSTLINE_CREATED_MOST ((uint64_t)1 << 40) /* the year 36812 */

/* Write it as the checksum sees it: its own digits and the flags are '0'. */
void firstline_put(char line[FORMAT_FIRST_LINE], const struct firstline *first);

/* Write the flags and the checksum into it. */
void firstline_finish(char line[FORMAT_FIRST_LINE], const struct firstline *first);

/* Read it; what stands behind it does not matter, and an unknown flag is not set. False: it is no such line. */
bool firstline_read(struct str line, struct firstline *first);

/* `digits` are all of a number in hexadecimal, at most `most`. */
bool firstline_read_hex(struct str digits, uint64_t most, uint64_t *value);

#endif
