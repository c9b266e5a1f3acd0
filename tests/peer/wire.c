/*
 * wire - one connection as bytes: the raw socket with its counts, TLS above it, input that is looked at before it is
 * taken, and answers that are gathered until the client has nothing more to say.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "wire.h"

#define RAW_SIZE (64u * 1024)
#define IN_SIZE (256u * 1024)
#define OUT_MAX (64u * 1024)
#define PATIENCE_MS 100

static bool
wait_for(const struct wire *wire, short events, int wait_ms)
{
	struct pollfd item = {.fd = wire->fd, .events = events};
	int n = 0;

	do {
		n = poll(&item, 1, wait_ms);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

/* One recv, counted. */
static ssize_t
receive(struct wire *wire, void *bytes, size_t size)
{
	ssize_t n = recv(wire->fd, bytes, size, MSG_DONTWAIT);

	if (n <= 0)
		return n;
	wire->record->reads++;
	wire->record->bytes_in += (unsigned long long)n;
	if (wire->has_sent && !wire->is_closing)
		wire->record->flights++;
	wire->has_sent = false;
	return n;
}

/* Send all, waiting for room. */
static bool
transmit(struct wire *wire, const char *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = send(wire->fd, bytes + at, size - at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			(void)wait_for(wire, POLLOUT, -1);
			continue;
		}
		if (n < 0)
			return false;
		wire->has_sent = true;
		wire->record->bytes_out += (unsigned long long)n;
		at += (size_t)n;
	}
	return true;
}

static ssize_t
pull(gnutls_transport_ptr_t pointer, void *bytes, size_t size)
{
	struct wire *wire = pointer;

	if (wire->raw_at == wire->raw.size) {
		ssize_t n = 0;

		text_clear(&wire->raw);
		wire->raw_at = 0;
		text_reserve(&wire->raw, RAW_SIZE);
		n = receive(wire, wire->raw.bytes, RAW_SIZE);
		if (n <= 0) {
			gnutls_transport_set_errno(wire->session, n < 0 ? errno : 0);
			return n;
		}
		wire->raw.size = (size_t)n;
	}
	if (size > wire->raw.size - wire->raw_at)
		size = wire->raw.size - wire->raw_at;
	memcpy(bytes, wire->raw.bytes + wire->raw_at, size);
	wire->raw_at += size;
	return (ssize_t)size;
}

/* Records that are ready at the same time leave in one segment. */
static ssize_t
push(gnutls_transport_ptr_t pointer, const giovec_t *parts, int n_parts)
{
	struct wire *wire = pointer;
	struct text joined = {0};
	ssize_t size = 0;

	for (int i = 0; i < n_parts; i++)
		text_append(&joined, parts[i].iov_base, parts[i].iov_len);
	size = (ssize_t)joined.size;
	if (!transmit(wire, text_string(&joined), joined.size)) {
		gnutls_transport_set_errno(wire->session, errno);
		size = -1;
	}
	text_free(&joined);
	return size;
}

static void
end(struct wire *wire, const char *reason)
{
	if (!wire->has_ended)
		wire->reason = reason;
	wire->has_ended = true;
}

/* One attempt to read into the free room of in; 0: nothing there now, or the end. */
static size_t
read_some(struct wire *wire, size_t room)
{
	ssize_t n = 0;

	if (wire->session == NULL) {
		n = receive(wire, wire->in.bytes + wire->in.size, room);
		if (n == 0)
			end(wire, "client closed");
		else if (n < 0 && errno != EAGAIN && errno != EINTR)
			end(wire, strerror(errno));
	} else {
		n = gnutls_record_recv(wire->session, wire->in.bytes + wire->in.size, room);
		if (n == 0)
			end(wire, "client closed TLS");
		else if (n == GNUTLS_E_PREMATURE_TERMINATION)
			end(wire, "client closed without closing TLS");
		else if (n == GNUTLS_E_FATAL_ALERT_RECEIVED)
			end(wire, gnutls_alert_get_name(gnutls_alert_get(wire->session)));
		else if (n < 0 && gnutls_error_is_fatal((int)n))
			end(wire, gnutls_strerror((int)n));
	}
	return n > 0 ? (size_t)n : 0;
}

/* Read all that is there without waiting, into a full buffer at most. */
static bool
read_available(struct wire *wire)
{
	size_t n = 0;
	size_t total = 0;

	if (wire->in_at == wire->in.size) {
		text_clear(&wire->in);
		wire->in_at = 0;
	} else if (wire->in_at > IN_SIZE / 2) {
		text_drop(&wire->in, wire->in_at);
		wire->in_at = 0;
	}
	if (wire->in.capacity - wire->in.size < IN_SIZE / 2 + 1 || wire->in.bytes == NULL)
		text_reserve(&wire->in, IN_SIZE);
	while (!wire->has_ended && wire->in.capacity - wire->in.size > 1) {
		n = read_some(wire, wire->in.capacity - wire->in.size - 1);
		wire->in.size += n;
		total += n;
		if (n == 0 || wire->session == NULL)
			break;
	}
	wire->in.bytes[wire->in.size] = '\0';
	return total != 0;
}

void
wire_open(struct wire *wire, int fd, struct record *record, unsigned round_trip_ms)
{
	int on = 1;

	*wire = (struct wire){.fd = fd, .record = record, .round_trip_ms = round_trip_ms};
	/* refused on a unix socket, which has no such delay */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

const char *
wire_bytes(const struct wire *wire)
{
	return text_string(&wire->in) + wire->in_at;
}

size_t
wire_size(const struct wire *wire)
{
	return wire->in.size - wire->in_at;
}

void
wire_take(struct wire *wire, size_t size)
{
	wire->in_at += size;
}

enum wire_wait
wire_fill(struct wire *wire, int wait_ms)
{
	long long until = log_now() + wait_ms;

	while (!read_available(wire)) {
		int left_ms = wait_ms < 0 ? -1 : (int)(until - log_now());

		if (wire->has_ended)
			return WIRE_END;
		if (wait_ms >= 0 && left_ms < 0)
			return WIRE_SILENCE;
		if (!wait_for(wire, POLLIN, left_ms) && wait_ms >= 0)
			return WIRE_SILENCE;
	}
	return WIRE_INPUT;
}

enum wire_wait
wire_gather(struct wire *wire, bool is_partial)
{
	enum wire_wait found = WIRE_SILENCE;

	if (wire->out.size != 0) {
		found = wire_fill(wire, is_partial ? PATIENCE_MS : 0);
		if (found == WIRE_SILENCE && !wire_flush(wire))
			return WIRE_END;
	}
	return found == WIRE_SILENCE ? wire_fill(wire, -1) : found;
}

bool
wire_is_ahead(struct wire *wire)
{
	return wire_size(wire) != 0 || wire_fill(wire, 0) == WIRE_INPUT;
}

void
wire_queue(struct wire *wire, const char *bytes, size_t size)
{
	text_append(&wire->out, bytes, size);
	if (wire->out.size > OUT_MAX)
		(void)wire_flush(wire);
}

static bool
send_now(struct wire *wire, const char *bytes, size_t size)
{
	if (wire->session == NULL)
		return transmit(wire, bytes, size);
	for (size_t at = 0; at < size;) {
		ssize_t n = gnutls_record_send(wire->session, bytes + at, size - at);

		if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
			continue;
		if (n < 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

bool
wire_flush(struct wire *wire)
{
	bool ok = true;

	if (wire->out.size == 0)
		return true;
	if (wire->round_trip_ms != 0)
		(void)poll(NULL, 0, (int)wire->round_trip_ms);
	ok = send_now(wire, wire->out.bytes, wire->out.size);
	text_clear(&wire->out);
	if (!ok)
		end(wire, "client does not listen");
	return ok;
}

bool
wire_drip(struct wire *wire, const char *bytes, size_t size, unsigned pause_ms)
{
	bool ok = wire_flush(wire);

	for (size_t i = 0; i < size && ok; i++) {
		ok = send_now(wire, bytes + i, 1);
		if (pause_ms != 0 && i + 1 < size)
			(void)poll(NULL, 0, (int)pause_ms);
	}
	if (!ok)
		end(wire, "client does not listen");
	return ok;
}

int
wire_start_tls(struct wire *wire, gnutls_session_t session)
{
	int result = 0;

	/* bytes sent behind STARTTLS were read already and belong to TLS */
	text_clear(&wire->raw);
	text_append(&wire->raw, wire_bytes(wire), wire_size(wire));
	wire->raw_at = 0;
	text_clear(&wire->in);
	wire->in_at = 0;
	wire->session = session;
	gnutls_transport_set_ptr(session, wire);
	gnutls_transport_set_pull_function(session, pull);
	gnutls_transport_set_vec_push_function(session, push);
	do {
		result = gnutls_handshake(session);
		if (result == GNUTLS_E_AGAIN)
			(void)wait_for(wire, gnutls_record_get_direction(session) ? POLLOUT : POLLIN, -1);
	} while (result < 0 && !gnutls_error_is_fatal(result));
	/* as servers do, so that the client knows why */
	if (result < 0 && gnutls_error_is_fatal(result))
		(void)gnutls_alert_send_appropriate(session, result);
	return result;
}

const char *
wire_clear_alert(const struct wire *wire)
{
	const unsigned char *record = (const unsigned char *)wire->raw.bytes;

	/* type, version, size, level, description */
	if (wire->raw.size != 7 || record[0] != 21 || record[4] != 2)
		return NULL;
	return gnutls_alert_get_name((gnutls_alert_description_t)record[6]);
}

void
wire_drain(struct wire *wire, int wait_ms)
{
	long long until = log_now() + wait_ms;
	enum wire_wait found = WIRE_INPUT;

	wire->is_closing = true;
	while (found == WIRE_INPUT) {
		long long left_ms = until - log_now();

		if (wait_ms >= 0 && left_ms <= 0)
			return;
		wire_take(wire, wire_size(wire));
		found = wire_fill(wire, wait_ms < 0 ? -1 : (int)left_ms);
	}
}

void
wire_freeze(struct wire *wire)
{
	wire->is_closing = true;
	(void)wait_for(wire, POLLRDHUP, -1);
}

void
wire_close(struct wire *wire)
{
	wire->is_closing = true;
	if (wire_flush(wire) && wire->session != NULL)
		(void)gnutls_bye(wire->session, GNUTLS_SHUT_WR);
	(void)shutdown(wire->fd, SHUT_WR);
	wire_drain(wire, 2000);
}

void
wire_reset(struct wire *wire)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(wire->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	(void)close(wire->fd);
	wire->fd = -1;
}

void
wire_free(struct wire *wire)
{
	if (wire->session != NULL)
		gnutls_deinit(wire->session);
	if (wire->fd >= 0)
		(void)close(wire->fd);
	text_free(&wire->raw);
	text_free(&wire->in);
	text_free(&wire->out);
	*wire = (struct wire){.fd = -1};
}
