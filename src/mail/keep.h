/* keep.h - where the bytes of a message go while it is made: memory as long as they are few, then an unlinked spool file.
 *
 * The facts of struct message (sizes, longest line, 8-bit, NUL) are taken on the way. */

#ifndef MAIL_KEEP_H
#define MAIL_KEEP_H

#include "mail/message.h"

struct keep {
	struct message *message;
	bool has_header;       /* set by the caller when the section and its empty line are kept: what comes then is body */
	/* Private. */
	int64_t n_lines;
	int64_t line_size;     /* bytes of the last line so far */
};

/* Begin a message without bytes; keep must be zeroed. message_free() ends it in any case. */
void keep_open(struct keep *keep, struct message *message);

/* The caller appended to message->memory, which held `from` bytes before: take the facts, and write it out when it is
 * much. False: the spool file cannot be made or written (EX_CANTCREAT, EX_IOERR). */
bool keep_added(struct keep *keep, size_t from, struct err *err);

/* Nothing more will come, and message->header_size is set. */
bool keep_end(struct keep *keep, struct err *err);

#endif
