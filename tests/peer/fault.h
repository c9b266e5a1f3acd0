/*
 * fault - what the peer is told to do wrong, where, how often and on which connection.
 *
 * No I/O. A fault is written WHERE[#N][@BYTES][*COUNT][@conn=N]:WHAT, for example rcpt#2:reply=450 4.2.1 later.
 */
#ifndef PEER_FAULT_H
#define PEER_FAULT_H

#include "text.h"

enum fault_place {
	AT_CONNECT,
	AT_GREET,
	AT_EHLO,
	AT_HELO,
	AT_STARTTLS,
	AT_HANDSHAKE,
	AT_AUTH,
	AT_AUTH2, /* every AUTH step after the first */
	AT_MAIL,
	AT_RCPT,
	AT_DATA,
	AT_BODY, /* in the middle of the message data */
	AT_DOT,  /* the final reply, after the dot or the last chunk */
	AT_BDAT,
	AT_RSET,
	AT_NOOP,
	AT_QUIT,
	AT_ANY, /* every reply; as the place of a reply: none of the others */
	N_PLACES
};

enum fault_kind {
	FAULT_NONE,
	FAULT_REPLY, /* text instead of the reply, CRLF is added */
	FAULT_CLOSE,
	FAULT_RESET,
	FAULT_STALL, /* reads on, says nothing */
	FAULT_DELAY, /* then goes on normally */
	FAULT_DRIP,  /* the reply byte by byte with pauses */
	FAULT_RAW,   /* text instead of the reply, as it is */
	FAULT_SPLIT, /* every byte of the reply in its own segment */
	FAULT_STOP_READING,
	FAULT_INJECT,      /* text in the segment of the 220 to STARTTLS */
	FAULT_INJECT_LATE, /* text 50 ms after the 220 to STARTTLS */
	N_KINDS
};

struct fault {
	enum fault_place place;
	enum fault_kind kind;
	unsigned nth;        /* 1: the first of the transaction or, outside one, of the connection; 0: each */
	unsigned count;      /* applies so many times over all connections; 0: always */
	unsigned connection; /* 0: each */
	unsigned long long bytes; /* of the body */
	unsigned wait_ms;
	struct text text;
};

#define FAULTS_MAX 64

struct faults {
	struct fault items[FAULTS_MAX];
	size_t n;
};

/* Add what specification says. False: problem, a string of static storage, tells why not. */
bool fault_parse(struct faults *faults, const char *specification, const char **problem);

/* Whether the fault speaks of this place, for the nth time, on this connection; its count is the caller's. */
bool fault_applies(const struct fault *fault, enum fault_place place, unsigned nth, unsigned connection);

void fault_free(struct faults *faults);

#endif
