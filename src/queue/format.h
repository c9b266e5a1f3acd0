/* format.h - the bytes of a queue entry: written and read. Pure.
 *
 * Line 1, of fixed width, all numbers in hexadecimal:
 *
 *     MCQ1 HEAD.... N....... SIZE............ CREATED......... FL CRC.....
 *
 * HEAD: bytes of the head with the empty line behind the recipients; N: recipients; SIZE: bytes of the message;
 * CREATED: seconds since 1970; FL: two flags, B or -, W or -; CRC: CRC-32C (RFC 9260 appendix A) of the head, in
 * which the CRC's digits and the flags are '0' and each state byte is 'T'. Digits above 9 are small letters. The
 * lines below, in this order, a letter and its value:
 *
 *     A account           S reverse-path
 *     C file              M message-id                 (not without one)
 *     O name value        P REQUIRETLS RET=FULL|HDRS ENVID=...    (those there are; not without any)
 *     I id                F header_size wire_size longest_line flags
 *
 * C only with a file of its own, O once for each setting. Flags of F: 8 (8-bit body), h (8-bit header), u (UTF-8
 * header), n (NUL), t (TLS-Required: No), or -. Then a line for each recipient: the state byte, the mailbox, and
 * where it has them "\tNOTIFY=..." and "\tORCPT=...". In all values newline, tab and backslash are \n, \t and \\; blanks are \s where
 * they would separate (P, and HOST of the journal). Nothing else is escaped, so that a value has one form only. */

#ifndef QUEUE_FORMAT_H
#define QUEUE_FORMAT_H

#include <stdint.h>

#include "queue/entry.h"

enum {
	FORMAT_FIRST_LINE = 69,               /* bytes, with its LF; firstline.c asserts it */
	FORMAT_FLAGS_AT = 57,                 /* offset of FL */
	FORMAT_HEAD_MOST = 64 * 1024 * 1024,  /* a head larger than this is not ours */
	FORMAT_END_MOST = 40                  /* bytes of the line behind the message */
};

/* Append the head of an entry: content's envelope becomes the recipients' lines; those that are delivered are left
 * out, and failed ones unless the entry is for failed/. *n is how many there are; a head without any can be written
 * but not read. */
void format_add_head(struct buf *b, const struct entry_content *content, const char *id, size_t *n);

/* Append the line behind the message ("\nMCEND size crc\n"). */
void format_add_end(struct buf *b, int64_t size, uint32_t crc);

/* The sizes that line 1 tells, to know how much to read; what stands behind the line does not matter. False: it is
 * no such line. */
bool format_first_line(struct str line, size_t *head_size, size_t *n_recipients, int64_t *message_size);

/* Read a whole head. Fills entry's created, flags, origin, message_id, envelope, states, state_offsets, id and the
 * message's facts (not its bytes). False: *why (constant) says what is wrong with it. What was filled is the
 * caller's to free either way. */
bool format_read_head(struct entry *entry, struct str head, const char **why);

/* The line behind the message, from its first newline on; what stands behind it (the journal) does not matter. */
bool format_read_end(struct str line, int64_t size, uint32_t *crc);

/* The state byte of an outcome: D, F, U (went out whole, no answer) or T. */
char format_state(const struct outcome *outcome);

/* Journal: "J TIME RECIPIENT STATE STAGE CODE X.Y.Z HOST TEXT\n"; RECIPIENT counts from 0, STAGE is a word, CODE,
 * X.Y.Z and HOST are "-" when there is none. Append a line; read all lines that are whole into the outcomes of
 * entry's envelope (but for their state, which the state byte tells), tried and n_attempts; a torn or senseless
 * line is passed over. Lines of the same time are one attempt. */
void format_add_journal(struct buf *b, time_t now, size_t recipient, const struct outcome *outcome);
void format_read_journal(struct entry *entry, struct str journal);

/* CRC-32C of text, going on from crc (0 to begin). */
uint32_t format_crc(uint32_t crc, struct str text);

#endif
