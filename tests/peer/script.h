/*
 * script - dialogue files: what the server says and what the client must say, played over a real connection.
 */
#ifndef PEER_SCRIPT_H
#define PEER_SCRIPT_H

#include "connection.h"

enum step_kind {
	STEP_SEND,
	STEP_EXPECT,
	STEP_TLS,
	STEP_CLOSE,
	STEP_RESET,
	STEP_STALL,
	STEP_WAIT,
	STEP_BODY,
};

struct step {
	enum step_kind kind;
	struct text bytes; /* to send or to expect, with CRLF */
	unsigned wait_ms;
};

struct script {
	struct step *steps;
	size_t n;
};

struct scripts {
	struct script *items;
	size_t n;
};

/* Read dialogue files, with commas between their names. False: problem tells FILE:LINE and what is wrong. */
bool script_load(struct scripts *scripts, const char *files, struct text *problem);

/* Whether a handshake happens in one of them. */
bool script_wants_tls(const struct scripts *scripts);

/*
 * Play the script of this connection's number, or the last one, on the connected socket. What differs is logged and
 * counted as a mismatch, and ends the session.
 */
void script_play(struct connection *connection, const struct scripts *scripts, int fd);

void script_free(struct scripts *scripts);

#endif
