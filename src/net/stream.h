/* stream.h - bytes to and from one connected peer, plain or TLS, every wait ending at an absolute deadline.
 *
 * The layer below is a pair of functions, switched once from plain to TLS. wait_fd() inside is the connection's
 * only poll(2). */

#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdint.h>

#include "base/err.h"
#include "net/tls.h"

struct stream;

/* One read or write of the layer below. Returns bytes, 0 at the end of the stream (reads), or one of these: */
enum {
	STREAM_FAILED = -1,     /* err says why */
	STREAM_WANTS_READ = -2, /* try again when the descriptor can be read */
	STREAM_WANTS_WRITE = -3 /* try again when it can be written */
};
struct stream {
	int fd; /* non-blocking; owned; -1 when closed. A zeroed stream must get its fd from stream_open */
	bool is_open;
	ssize_t (*read)(struct stream *stream, char *data, size_t size, struct err *err);
	ssize_t (*write)(struct stream *stream, const char *data, size_t size, struct err *err);
	struct tls *tls;   /* NULL while plain; owned */
	bool is_truncated; /* set by a TLS read that met the end without close_notify */
};

/* Take over a connected non-blocking descriptor. */
void stream_open(struct stream *stream, int fd);

/* Send all of `out` and collect what arrives meanwhile into `in`. Returns when out is empty and, if wants_input, at
 * least one byte was added to in or the peer closed; or, while output is left, as soon as input arrived (out keeps
 * the rest), so that the caller can react to an early reply (it may then append to out or close, but not take bytes
 * away: part of them may be under way in a TLS record); no peer can deadlock us by not reading. *is_at_end: the
 * peer closed its side (bytes before it are in `in`). False: EX_TEMPFAIL (timeout at the deadline: "no answer
 * within N seconds" is the caller's to add; connection reset, lost), EX_PROTOCOL (TLS alerts and the like). Reads
 * at most 64 KiB per call. A TLS stream that ends without close_notify is at its end as well, with is_truncated
 * set. */
struct stream_state {
	bool is_at_end;
	bool is_truncated; /* the end came without TLS close_notify */
	bool is_timed_out; /* false was returned because of the deadline */
};
bool stream_exchange(struct stream *stream, struct buf *out, struct buf *in, bool wants_input, int64_t deadline,
                     struct stream_state *state, struct err *err);

/* Is anything waiting to be read right now on the raw descriptor? (Must be false before a TLS handshake begins.) */
bool stream_has_input(const struct stream *stream);

/* Do the TLS handshake with verification before the deadline; afterwards everything goes through it. False: see
 * tls_handshake. */
bool stream_start_tls(struct stream *stream, const struct tls_settings *settings, int64_t deadline,
                      struct err *err);

/* Close: TLS close_notify is sent if that needs no wait; nothing is waited for. Twice is harmless. */
void stream_close(struct stream *stream);

/* Close the descriptor of this process and nothing else: another process that has it too goes on with the connection. Twice is
 * harmless. */
void stream_forget(struct stream *stream);

#endif
