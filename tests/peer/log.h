/*
 * log - the transcript: `CONN MS C: text` with the milliseconds since the peer began.
 *
 * One write() per line to a file opened for appending, so that the children of the peer may share it. Control and
 * non-ASCII bytes are escaped. The kinds: C: a line of the client, S: of the server, * an event, ! a violation.
 */
#ifndef PEER_LOG_H
#define PEER_LOG_H

#include <stdbool.h>
#include <stddef.h>

struct log {
	int fd; /* -1: none */
	bool shows_dialogue;
	bool has_color;
	bool has_bodies;
	bool has_secrets;
	long long began_ms;
};

/* Milliseconds of a clock that never goes back. */
long long log_now(void);

/* Whether anybody reads it; spares the caller work when not. */
bool log_wanted(const struct log *log);

/* One line; kind is 'C', 'S', '*' or '!'. A CRLF at the end of bytes is left out. */
void log_bytes(const struct log *log, unsigned connection, char kind, const char *bytes, size_t size);

void log_event(const struct log *log, unsigned connection, char kind, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The lines of a reply, each with kind 'S'. */
void log_reply(const struct log *log, unsigned connection, const char *bytes, size_t size);

/* A line of the client; what follows the first n_public words is hidden unless secrets are wanted. */
void log_secret(const struct log *log, unsigned connection, const char *bytes, size_t size, unsigned n_public);

#endif
