/*
 * body - message data: up to the dot, or so many bytes of a chunk, into the store.
 */
#include "config.h"

#include <string.h>

#include "body.h"

/* A line of RFC 5322 without its CRLF. */
#define LINE_LIMIT 998

/* So many bytes of a line without end are left lying until more of it has come. */
#define PARTIAL_MAX 1024

#define LENIENT_WAIT_MS 50

/* Where the data has got to. */
struct position {
	struct connection *connection;
	struct violations *violations;
	size_t line_size; /* bytes of the present line that were taken before; 0: at its start */
	bool is_joined;   /* the line follows a bare LF: a dot there means nothing */
	bool has_ended;
};

/* One line, or one end of a line in the lenient way of reading; sizes include the line end. */
struct piece {
	const char *bytes;
	size_t size;
	size_t end_size; /* 0: the line goes on */
};

static void
report(const struct connection *connection, bool *seen, const char *what)
{
	if (!*seen)
		log_event(connection->log, connection->number, '!', "%s", what);
	*seen = true;
}

static void
check_piece(const struct position *position, const struct piece *piece)
{
	const struct connection *connection = position->connection;
	struct violations *violations = position->violations;
	size_t inner = piece->size - piece->end_size;

	if (position->line_size + inner > LINE_LIMIT)
		report(connection, &violations->has_long_line, "long-line");
	if (piece->end_size == 1 && piece->bytes[inner] == '\n')
		report(connection, &violations->has_bare_lf, "bare-lf");
	if ((piece->end_size == 1 && piece->bytes[inner] == '\r') || memchr(piece->bytes, '\r', inner) != NULL)
		report(connection, &violations->has_bare_cr, "bare-cr");
	if (connection->log->has_bodies)
		log_bytes(connection->log, connection->number, 'C', piece->bytes, piece->size);
}

/* The next piece by the rule that only CRLF ends a line. False: more of it must come first. */
static bool
next_piece(const char *bytes, size_t size, struct piece *piece)
{
	const char *newline = memchr(bytes, '\n', size);

	*piece = (struct piece){.bytes = bytes};
	if (newline != NULL) {
		piece->size = (size_t)(newline - bytes) + 1;
		piece->end_size = newline > bytes && newline[-1] == '\r' ? 2 : 1;
		return true;
	}
	/* the last byte stays, it may be the CR of a CRLF */
	piece->size = size - 1;
	return size >= PARTIAL_MAX;
}

/* The next piece as a server reads it for which CR, LF and CRLF all end a line. */
static bool
next_lenient_piece(const char *bytes, size_t size, struct piece *piece)
{
	size_t at = 0;

	while (at < size && bytes[at] != '\r' && bytes[at] != '\n')
		at++;
	*piece = (struct piece){.bytes = bytes, .size = at};
	if (at == size)
		return size >= PARTIAL_MAX;
	if (at + 1 == size && bytes[at] == '\r' && at != 1)
		return false;
	piece->end_size = at + 1 < size && bytes[at] == '\r' && bytes[at + 1] == '\n' ? 2 : 1;
	piece->size += piece->end_size;
	return true;
}

/* Take the pieces that are there; returns how many bytes that were. */
static size_t
take_pieces(struct position *position, const char *bytes, size_t size)
{
	struct store *store = &position->connection->store;
	bool is_lenient = position->connection->options->has_lenient_dot;
	struct piece piece = {0};
	size_t at = 0;
	size_t run = 0;

	while (at < size && !position->has_ended) {
		if (!(is_lenient ? next_lenient_piece : next_piece)(bytes + at, size - at, &piece))
			break;
		if (bytes[at] == '.' && position->line_size == 0 && !position->is_joined) {
			store_message(store, bytes + run, at - run);
			run = at + 1;
			position->has_ended = piece.size - piece.end_size == 1 && (is_lenient || piece.end_size == 2);
		}
		if (position->has_ended)
			run = at + piece.size;
		else
			check_piece(position, &piece);
		position->line_size = piece.end_size == 0 ? position->line_size + piece.size : 0;
		position->is_joined = piece.end_size == 0 ? position->is_joined : !is_lenient && piece.end_size == 1;
		at += piece.size;
	}
	store_message(store, bytes + run, at - run);
	store_raw(store, bytes, at);
	return at;
}

/* Do what a fault wants in the middle of the data, once enough of it came. */
static void
check_fault(struct connection *connection)
{
	const struct faults *faults = &connection->options->faults;
	struct transaction *transaction = &connection->transaction;

	for (size_t i = 0; i < faults->n && !transaction->has_body_fault; i++) {
		if (faults->items[i].place != AT_BODY || transaction->n_body < faults->items[i].bytes)
			continue;
		transaction->has_body_fault = true;
		connection_event(connection, AT_BODY);
	}
}

/* Wait for more data, with the faults of the middle of it. False: the session is over. */
static bool
read_more(struct connection *connection)
{
	check_fault(connection);
	if (connection->is_over)
		return false;
	if (wire_gather(&connection->wire, true) != WIRE_END)
		return true;
	log_event(connection->log, connection->number, '*', "%s in the middle of data", connection->wire.reason);
	connection->is_over = true;
	return false;
}

bool
body_until_dot(struct connection *connection, struct violations *violations)
{
	struct position position = {.connection = connection, .violations = violations};
	struct wire *wire = &connection->wire;

	for (;;) {
		size_t taken = take_pieces(&position, wire_bytes(wire), wire_size(wire));
		bool ends_with_cr = taken != 0 && wire_bytes(wire)[taken - 1] == '\r';

		wire_take(wire, taken);
		connection->transaction.n_body += taken;
		if (position.has_ended && ends_with_cr && wire_size(wire) == 0)
			(void)wire_fill(wire, LENIENT_WAIT_MS);
		if (position.has_ended && ends_with_cr && wire_size(wire) != 0 && wire_bytes(wire)[0] == '\n')
			wire_take(wire, 1);
		if (position.has_ended) {
			check_fault(connection);
			return !connection->is_over;
		}
		if (!read_more(connection))
			return false;
	}
}

bool
body_chunk(struct connection *connection, unsigned long long size, bool is_wanted)
{
	struct wire *wire = &connection->wire;

	while (size != 0) {
		size_t n = wire_size(wire) > size ? (size_t)size : wire_size(wire);

		if (is_wanted) {
			store_message(&connection->store, wire_bytes(wire), n);
			store_raw(&connection->store, wire_bytes(wire), n);
		}
		wire_take(wire, n);
		size -= n;
		connection->transaction.n_body += n;
		if (size != 0 && !read_more(connection))
			return false;
	}
	check_fault(connection);
	return !connection->is_over;
}
