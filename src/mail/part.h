/* part.h - finds the parts of a message that have to be re-encoded, and those that hold them (RFC 2046 5.1, 5.2).
 *
 * Reads the message once, in blocks. Only parts that will change and those around them are remembered; at most
 * PARTS_MOST, nested PART_DEPTH_MOST deep: what is beyond stays as it is. */

#ifndef MAIL_PART_H
#define MAIL_PART_H

#include "mail/content.h"
#include "mail/message.h"

enum {
	PARTS_MOST = 10000,
	PART_DEPTH_MOST = 100,
	PART_LINE_MOST = 998 /* octets of a line without its end (RFC 5321 4.5.3.1.6) */
};

/* What was seen of a stretch of the message. */
struct part_facts {
	int64_t n_octets;     /* with LF line ends */
	int64_t n_lines;
	int64_t n_escaped;    /* octets that quoted-printable cannot write as they are */
	int64_t longest_line; /* bytes, without its end */
	int64_t line_size;    /* bytes of the last line so far */
	bool has_8bit;
	bool has_nul;
	bool is_not_utf8;
};

struct part {
	int64_t begin;           /* of its header section in the message */
	int64_t header_size;     /* without the empty line; may be 0 */
	int64_t body_begin;
	int64_t body_end;        /* without the line end that belongs to the boundary line behind it */
	size_t parent;           /* its index; of the first part: 0 */
	size_t depth;
	struct content content;  /* the boundary is not kept */
	struct part_facts facts; /* of the body, when is_encoded */
	bool is_message;         /* the message itself, or one within it: MIME-Version belongs here */
	bool is_encoded;         /* to be re-encoded */
	bool holds_encoded;      /* a part in it is to be re-encoded */
	bool keeps_8bit;         /* something 8-bit in it stays as it is */
};

/* Zeroed: empty. */
struct part_list {
	struct part *parts;    /* in the order of their begins; the first is the message */
	size_t n_parts;
	size_t capacity;
	bool keeps_8bit;       /* 8-bit octets that the server cannot take stay, in a part that must not be changed */
	bool keeps_long_lines; /* likewise */
	bool keeps_nul;
};

/* List what has to be re-encoded for a server that can take 8-bit octets or not. The list must be empty. False: err says
 * why the message cannot be read. */
bool part_find(const struct message *message, bool may_8bit, struct part_list *list, struct err *err);

void part_list_free(struct part_list *list);

#endif
