/* id.h - names of queue entries: sortable by the time they were made, and never reused.
 *
 * An id is 19 characters of 0-9 and A-V (base 32, in the order of ASCII): 11 for the microseconds since 1970 (55
 * bits), 8 random ones (40 bits). It is the name of the entry wherever it lies, the queue id in the log, in mailq
 * and in notifications. Pure but for id_make(). */

#ifndef QUEUE_ID_H
#define QUEUE_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum {
	ID_LENGTH = 19,
	TAG_LENGTH = 8   /* of the route: part of the file's name, so that it can be known without opening the file */
};

/* An id for now; text gets a NUL. Random bytes are the kernel's (getrandom). */
void id_make(char text[ID_LENGTH + 1]);

/* The same of these parts. */
void id_format(char text[ID_LENGTH + 1], int64_t microseconds, uint64_t random_bits);

bool id_is_valid(struct str text);

/* Microseconds since 1970 when it was made; -1: it is no id. */
int64_t id_time(struct str text);

/* A tag for the route that is described by text: a hash in the same alphabet. */
void id_tag(char tag[TAG_LENGTH + 1], struct str text);

/* A file's name is ID.TAG. Split it: false if it is no such name; *id and *tag are parts of it. */
bool id_split(struct str name, struct str *id, struct str *tag);

#endif
