/* stream.c - bytes to and from one connected peer, plain or TLS, every wait ending at an absolute deadline. */

#include "config.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/stream.h"
#include "net/wait.h"

/* Bytes asked of one read: a full TLS record. */
/* Little enough for what is reserved, and wiped in the end, to be no more than 16 KiB. */
enum { READ_STEP = 16000 };

static ssize_t
would_block(ssize_t wanted)
{
	return errno == EAGAIN || errno == EWOULDBLOCK ? wanted : STREAM_FAILED;
}

static ssize_t
read_plain(struct stream *stream, char *data, size_t size, struct err *err)
{
	ssize_t n;

	do
		n = recv(stream->fd, data, size, 0);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	n = would_block(STREAM_WANTS_READ);
	if (n == STREAM_FAILED)
		err_set_errno(err, EX_TEMPFAIL, "connection lost");
	return n;
}

static ssize_t
write_plain(struct stream *stream, const char *data, size_t size, struct err *err)
{
	ssize_t n;

	do
		n = send(stream->fd, data, size, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	n = would_block(STREAM_WANTS_WRITE);
	if (n == STREAM_FAILED)
		err_set_errno(err, EX_TEMPFAIL, "connection lost");
	return n;
}

static ssize_t
read_tls(struct stream *stream, char *data, size_t size, struct err *err)
{
	return tls_read(stream->tls, data, size, &stream->is_truncated, err);
}

static ssize_t
write_tls(struct stream *stream, const char *data, size_t size, struct err *err)
{
	return tls_write(stream->tls, data, size, err);
}

void
stream_open(struct stream *stream, int fd)
{
	*stream = (struct stream){.fd = fd, .is_open = true, .read = read_plain, .write = write_plain};
}

/* One exchange under way. */
struct exchange {
	struct buf *out;
	struct buf *in;
	struct stream_state *state;
	short events;   /* what the layer below waits for, for poll(2) */
	bool has_input; /* something was read, or the end was seen */
};

/* Read once, without waiting. */
static bool
read_some(struct stream *stream, struct exchange *exchange, struct err *err)
{
	char *room = buf_reserve(exchange->in, READ_STEP);
	ssize_t n = stream->read(stream, room, READ_STEP, err);

	if (n == STREAM_FAILED)
		return false;
	if (n == STREAM_WANTS_READ)
		exchange->events |= POLLIN;
	if (n == STREAM_WANTS_WRITE)
		exchange->events |= POLLOUT;
	if (n > 0)
		buf_grow(exchange->in, (size_t)n);
	if (n == 0) {
		exchange->state->is_at_end = true;
		exchange->state->is_truncated = stream->is_truncated;
	}
	exchange->has_input = n >= 0;
	return true;
}

/* Write until the layer below takes no more. A peer that answered and then closed makes writing fail; what it said
 * before counts more, so input is looked for first. */
static bool
write_all(struct stream *stream, struct exchange *exchange, struct err *err)
{
	while (exchange->out->size > 0) {
		ssize_t n = stream->write(stream, exchange->out->data, exchange->out->size, err);

		if (n == STREAM_FAILED) {
			struct err ignored = {0};
			bool is_read = read_some(stream, exchange, &ignored) && exchange->has_input &&
			               !exchange->state->is_at_end;

			err_clear(&ignored);
			if (is_read)
				err_clear(err);
			return is_read;
		}
		if (n == STREAM_WANTS_READ || n == STREAM_WANTS_WRITE) {
			exchange->events |= n == STREAM_WANTS_READ ? POLLIN : POLLOUT;
			return true;
		}
		buf_consume(exchange->out, (size_t)n);
	}
	return true;
}

static bool
fail_wait(struct stream_state *state, struct err *err)
{
	state->is_timed_out = errno == ETIMEDOUT;
	if (state->is_timed_out)
		return err_set(err, EX_TEMPFAIL, "timed out");
	return err_set_errno(err, EX_TEMPFAIL, "waiting for the peer");
}

bool
stream_exchange(struct stream *stream, struct buf *out, struct buf *in, bool wants_input, int64_t deadline,
                struct stream_state *state, struct err *err)
{
	struct exchange exchange = {.out = out, .in = in, .state = state};

	*state = (struct stream_state){0};
	if (!stream->is_open)
		return err_set(err, EX_TEMPFAIL, "the connection is closed");
	for (;;) {
		bool was_writing = out->size > 0;

		exchange.events = 0;
		if (!write_all(stream, &exchange, err))
			return false;
		if (exchange.has_input)
			return true;
		/* An answer cannot be here before the question has left: the first look would be in vain. Otherwise
		 * look, for records inside TLS are invisible to poll(2), and an early reply must stop a long body.
		 */
		if (wants_input && was_writing && exchange.events == 0 &&
		    (stream->tls == NULL || !tls_has_input(stream->tls)))
			exchange.events = POLLIN;
		else if (!read_some(stream, &exchange, err))
			return false;
		if (exchange.has_input || (!wants_input && out->size == 0))
			return true;
		if (!wait_fd(stream->fd, exchange.events, deadline))
			return fail_wait(state, err);
	}
}

bool
stream_has_input(const struct stream *stream)
{
	char byte;

	return stream->is_open && recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool
stream_start_tls(struct stream *stream, const struct tls_settings *settings, int64_t deadline, struct err *err)
{
	if (!tls_handshake(&stream->tls, stream->fd, settings, deadline, err))
		return false;
	stream->read = read_tls;
	stream->write = write_tls;
	return true;
}

void
stream_close(struct stream *stream)
{
	if (!stream->is_open)
		return;
	tls_close(stream->tls);
	close(stream->fd);
	*stream = (struct stream){.fd = -1};
}

void
stream_forget(struct stream *stream)
{
	if (!stream->is_open)
		return;
	tls_forget(stream->tls);
	close(stream->fd);
	*stream = (struct stream){.fd = -1};
}
