/*
 * connection - the state of one session, the lines it reads and the answers it gives, right or faulty.
 */
#ifndef PEER_CONNECTION_H
#define PEER_CONNECTION_H

#include "log.h"
#include "options.h"
#include "shared.h"
#include "store.h"
#include "tls.h"
#include "wire.h"

struct transaction {
	bool has_sender;
	bool wants_utf8;
	bool is_binary;      /* BODY=BINARYMIME, which DATA cannot carry */
	bool is_chunked;     /* a BDAT was seen */
	bool has_failed;     /* a chunk was refused: only RSET helps */
	bool has_body_fault; /* it was done already */
	unsigned n_recipients;
	unsigned long long n_body; /* bytes of data that came */
	struct text envelope;      /* the lines of the .env file */
	struct text recipients;    /* accepted, each with a newline behind */
};

struct connection {
	const struct options *options;
	const struct tls *tls;
	const struct log *log;
	struct shared *shared;
	struct record *record;
	unsigned number; /* from 1 */
	struct wire wire;
	struct text line; /* the last line read, with its line end */
	struct text helo;
	struct text user; /* empty: not authenticated */
	struct text tls_version;
	struct text client_name; /* of the verified client certificate */
	bool is_extended;        /* EHLO or LHLO was said */
	bool is_refusing;        /* the greeting was no 220 */
	bool is_over;
	unsigned place_uses[N_PLACES];
	struct transaction transaction;
	struct store store;
};

/* Serve the connected socket with the built-in engine until the session is over. */
void connection_serve(struct connection *connection, int fd);

/*
 * Read a line into connection->line; a long one without end counts as the end of the session. False: the session is
 * over. Answers gathered so far are sent as soon as the client is silent.
 */
bool connection_line(struct connection *connection);

/*
 * Answer with the text, to which CRLF is added, or do what a fault of this place wants instead. Returns the code of
 * what was sent, 0 when there was none or the session is over.
 */
int connection_answer(struct connection *connection, enum fault_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4), nonnull(1, 3)));

/* Do what a fault wants at a place that is no reply. */
void connection_event(struct connection *connection, enum fault_place place);

/* Whether the client spoke before it was allowed to; then that is logged, and answered if the peer is strict. */
bool connection_is_early(struct connection *connection);

/* Do the handshake. False: the session is over. */
bool connection_start_tls(struct connection *connection);

/* Forget the transaction, stored bytes included. */
void connection_reset_transaction(struct connection *connection);

void connection_free(struct connection *connection);

#endif
