/*
 * wire - one connection as bytes: the raw socket with its counts, TLS above it, input that is looked at before it is
 * taken, and answers that are gathered until the client has nothing more to say.
 *
 * Does all I/O with the client. Nothing here has a deadline of its own: the child that owns the wire has an alarm.
 */
#ifndef PEER_WIRE_H
#define PEER_WIRE_H

#include <gnutls/gnutls.h>

#include "shared.h"
#include "text.h"

struct wire {
	int fd;
	gnutls_session_t session; /* NULL: plain */
	struct record *record;
	unsigned round_trip_ms; /* before each flight of answers */
	struct text raw;        /* received, not yet decrypted */
	size_t raw_at;
	struct text in; /* readable, what is before in_at was taken */
	size_t in_at;
	struct text out;    /* gathered answers */
	bool has_sent;      /* since bytes were read last: the next bytes are a flight */
	bool is_closing;    /* the session is over, what comes now is no flight */
	bool has_ended;     /* the client closed, reset or broke TLS */
	const char *reason; /* how it ended */
};

enum wire_wait { WIRE_INPUT, WIRE_SILENCE, WIRE_END };

/* Take over the connected socket. */
void wire_open(struct wire *wire, int fd, struct record *record, unsigned round_trip_ms);

/* The readable bytes. */
const char *wire_bytes(const struct wire *wire);
size_t wire_size(const struct wire *wire);

/* Take the first size readable bytes. */
void wire_take(struct wire *wire, size_t size);

/*
 * Read more, wait_ms at most (less than 0: as long as it takes). What was gathered is not sent. WIRE_END: no more will
 * come.
 */
enum wire_wait wire_fill(struct wire *wire, int wait_ms);

/*
 * The same without end, but first send what was gathered, as soon as the client is silent. A client that is in the
 * middle of something (is_partial) is given 100 ms to go on before that.
 */
enum wire_wait wire_gather(struct wire *wire, bool is_partial);

/* Whether input is there that nobody has taken, without waiting. */
bool wire_is_ahead(struct wire *wire);

/* Gather an answer; what grows beyond 64 KiB is sent. */
void wire_queue(struct wire *wire, const char *bytes, size_t size);

/* Send what was gathered. False: the client is gone. */
bool wire_flush(struct wire *wire);

/* Send what was gathered, then bytes one by one, each followed by a pause. */
bool wire_drip(struct wire *wire, const char *bytes, size_t size, unsigned pause_ms);

/* Do the handshake of a session that has its credentials. Less than 0: a code of GnuTLS. */
int wire_start_tls(struct wire *wire, gnutls_session_t session);

/* The alert the client sent in clear before the handshake failed; NULL: none. */
const char *wire_clear_alert(const struct wire *wire);

/* Say no more and read all that comes until the client closes, wait_ms at most (less than 0: no limit). */
void wire_drain(struct wire *wire, int wait_ms);

/* Neither read nor write until the client is gone. */
void wire_freeze(struct wire *wire);

/* Send what was gathered, say farewell, wait up to 2 s for the client to close. */
void wire_close(struct wire *wire);

/* End the connection with RST. */
void wire_reset(struct wire *wire);

void wire_free(struct wire *wire);

#endif
