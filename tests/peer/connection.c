/*
 * connection - the state of one session, the lines it reads and the answers it gives, right or faulty.
 */
#include "config.h"

#include <poll.h>
#include <string.h>

#include "connection.h"
#include "ehlo.h"
#include "smtp.h"
#include "socks.h"

#define LINE_MAX_SIZE (1024u * 1024)
#define INJECT_WAIT_MS 50
#define EARLY_WAIT_MS 1000 /* a client that was invited may have a busy machine */

/* The next fault for this place that is not used up; delays are served at once. */
static const struct fault *
take_fault(struct connection *connection, enum fault_place place)
{
	const struct faults *faults = &connection->options->faults;

	for (size_t i = 0; i < faults->n; i++) {
		const struct fault *fault = &faults->items[i];
		unsigned nth = connection->place_uses[fault->place == AT_ANY ? AT_ANY : place];

		if (!fault_applies(fault, place, nth, connection->number))
			continue;
		if (fault->count != 0 && atomic_fetch_add(&connection->shared->fault_uses[i], 1) >= fault->count)
			continue;
		if (fault->kind != FAULT_DELAY)
			return fault;
		(void)wire_flush(&connection->wire);
		(void)poll(NULL, 0, (int)fault->wait_ms);
	}
	return NULL;
}

static void
finish(struct connection *connection, const char *how)
{
	log_event(connection->log, connection->number, '*', "%s", how);
	connection->is_over = true;
}

/* Do what silences or ends the session. */
static void
perform_ending(struct connection *connection, enum fault_kind kind)
{
	struct wire *wire = &connection->wire;

	(void)wire_flush(wire);
	switch (kind) {
	case FAULT_STALL:
		log_event(connection->log, connection->number, '*', "stall");
		wire_drain(wire, -1);
		finish(connection, "end of stall");
		break;
	case FAULT_STOP_READING:
		log_event(connection->log, connection->number, '*', "stop reading");
		wire_freeze(wire);
		finish(connection, "end of stop reading");
		break;
	case FAULT_RESET:
		wire_reset(wire);
		finish(connection, "reset");
		break;
	default:
		finish(connection, "close");
		break;
	}
}

static int
code_of(const struct text *reply)
{
	unsigned long long code = 0;

	return reply->size >= 3 && text_number(reply->bytes, 3, 999, &code) ? (int)code : 0;
}

/* Send the reply in the way the fault wants; the reply may be replaced. */
static void
perform_reply(struct connection *connection, const struct fault *fault, struct text *reply)
{
	struct wire *wire = &connection->wire;

	if (fault->kind == FAULT_REPLY || fault->kind == FAULT_RAW) {
		text_clear(reply);
		text_append(reply, fault->text.bytes, fault->text.size);
	}
	if (fault->kind == FAULT_REPLY)
		text_add(reply, "\r\n");
	log_reply(connection->log, connection->number, text_string(reply), reply->size);
	if (fault->kind == FAULT_INJECT)
		text_append(reply, fault->text.bytes, fault->text.size);
	if (fault->kind == FAULT_DRIP || fault->kind == FAULT_SPLIT)
		(void)wire_drip(wire, reply->bytes, reply->size, fault->wait_ms);
	else
		wire_queue(wire, text_string(reply), reply->size);
	if (fault->kind == FAULT_INJECT_LATE) {
		(void)wire_flush(wire);
		(void)poll(NULL, 0, INJECT_WAIT_MS);
		wire_queue(wire, text_string(&fault->text), fault->text.size);
	}
}

static int
perform(struct connection *connection, const struct fault *fault, struct text *reply)
{
	static const struct fault none = {0};
	int code = 0;

	if (connection->is_over)
		return 0;
	if (fault == NULL)
		fault = &none;
	if (fault->kind == FAULT_STALL || fault->kind == FAULT_STOP_READING || fault->kind == FAULT_RESET ||
	    fault->kind == FAULT_CLOSE) {
		perform_ending(connection, fault->kind);
		return 0;
	}
	perform_reply(connection, fault, reply);
	code = code_of(reply);
	if (code == 421)
		finish(connection, "close after 421");
	return code;
}

int
connection_answer(struct connection *connection, enum fault_place place, const char *format, ...)
{
	struct text reply = {0};
	const struct fault *fault = NULL;
	va_list arguments;
	int code = 0;

	va_start(arguments, format);
	text_format_list(&reply, format, arguments);
	va_end(arguments);
	text_add(&reply, "\r\n");
	connection->place_uses[AT_ANY]++;
	if (place != AT_ANY)
		connection->place_uses[place]++;
	if (place == AT_DOT && connection->transaction.is_chunked)
		fault = take_fault(connection, AT_BDAT);
	if (fault == NULL)
		fault = take_fault(connection, place);
	code = perform(connection, fault, &reply);
	text_free(&reply);
	return code;
}

void
connection_event(struct connection *connection, enum fault_place place)
{
	struct text nothing = {0};
	const struct fault *fault = NULL;

	connection->place_uses[place]++;
	fault = take_fault(connection, place);
	if (fault != NULL)
		(void)perform(connection, fault, &nothing);
	(void)wire_flush(&connection->wire);
	text_free(&nothing);
}

bool
connection_line(struct connection *connection)
{
	struct wire *wire = &connection->wire;
	const char *newline = NULL;
	size_t seen = 0;

	for (;;) {
		newline = memchr(wire_bytes(wire) + seen, '\n', wire_size(wire) - seen);
		if (newline != NULL)
			break;
		seen = wire_size(wire);
		if (seen > LINE_MAX_SIZE) {
			finish(connection, "close: endless line");
			return false;
		}
		if (wire_gather(wire, seen != 0) == WIRE_END) {
			finish(connection, wire->reason);
			return false;
		}
	}
	text_clear(&connection->line);
	text_append(&connection->line, wire_bytes(wire), (size_t)(newline - wire_bytes(wire)) + 1);
	wire_take(wire, connection->line.size);
	return true;
}

bool
connection_is_early(struct connection *connection)
{
	if (!wire_is_ahead(&connection->wire))
		return false;
	if (ehlo_offers(connection, "PIPECONNECT") || ehlo_offers(connection, "X_PIPE_CONNECT"))
		return false;
	log_event(connection->log, connection->number, '!', "early-talk");
	if (!connection->options->is_strict)
		return false;
	(void)connection_answer(connection, AT_ANY, "554 5.5.0 you spoke before it was your turn");
	connection->is_over = true;
	return true;
}

bool
connection_start_tls(struct connection *connection)
{
	gnutls_session_t session = tls_session(connection->tls);
	int result = 0;

	if (session == NULL) {
		finish(connection, "close: no TLS session");
		return false;
	}
	connection_event(connection, AT_HANDSHAKE);
	if (connection->is_over) {
		gnutls_deinit(session);
		return false;
	}
	result = wire_start_tls(&connection->wire, session);
	if (result < 0) {
		const char *alert = result == GNUTLS_E_FATAL_ALERT_RECEIVED
					    ? gnutls_alert_get_name(gnutls_alert_get(session))
					    : wire_clear_alert(&connection->wire);

		log_event(connection->log, connection->number, '*', "tls failed: %s%s%s", gnutls_strerror(result),
			  alert == NULL ? "" : ": alert ", alert == NULL ? "" : alert);
		connection->is_over = true;
		return false;
	}
	tls_describe(session, &connection->tls_version);
	log_event(connection->log, connection->number, '*', "tls %s", text_string(&connection->tls_version));
	if (tls_client_name(connection->tls, session, &connection->client_name))
		log_event(connection->log, connection->number, '*', "client certificate %s",
			  text_string(&connection->client_name));
	return true;
}

void
connection_reset_transaction(struct connection *connection)
{
	struct transaction *transaction = &connection->transaction;

	store_abort(&connection->store);
	text_free(&transaction->envelope);
	text_free(&transaction->recipients);
	*transaction = (struct transaction){0};
	connection->place_uses[AT_RCPT] = 0;
	connection->place_uses[AT_BDAT] = 0;
	connection->place_uses[AT_DOT] = 0;
}

/* The flights before the first byte: SYN, and the ACK after which a server-first protocol speaks. */
static void
count_first_flights(struct connection *connection)
{
	bool is_implicit = connection->options->tls == TLS_IMPLICIT;

	connection->record->flights = is_implicit ? 1 : 2;
	connection->wire.has_sent = is_implicit;
}

static void
greet(struct connection *connection)
{
	const struct options *options = connection->options;
	int code = 0;

	/* a client that was invited to speak early does so in the flight that lets the greeting out */
	if (ehlo_offers(connection, "PIPECONNECT") || ehlo_offers(connection, "X_PIPE_CONNECT"))
		(void)wire_fill(&connection->wire, EARLY_WAIT_MS);
	else if (connection_is_early(connection))
		return;
	code = connection_answer(connection, AT_GREET, "220 %s%s%s", options->name,
				 options->greeting == NULL || options->greeting[0] != '\0' ? " " : "",
				 options->greeting != NULL ? options->greeting
				 : options->is_lmtp        ? "LMTP ready"
							   : "ESMTP ready");
	connection->is_refusing = code / 100 != 2;
}

void
connection_serve(struct connection *connection, int fd)
{
	wire_open(&connection->wire, fd, connection->record, (unsigned)connection->options->round_trip_ms);
	connection->store = (struct store){.message_fd = -1, .raw_fd = -1};
	count_first_flights(connection);
	connection_event(connection, AT_CONNECT);
	if (!connection->is_over && connection->options->socks != NULL)
		(void)socks_serve(connection);
	if (!connection->is_over && connection->options->tls == TLS_IMPLICIT)
		(void)connection_start_tls(connection);
	if (!connection->is_over)
		greet(connection);
	while (!connection->is_over && connection_line(connection))
		smtp_command(connection);
	if (connection->wire.fd >= 0)
		wire_close(&connection->wire);
}

void
connection_free(struct connection *connection)
{
	connection_reset_transaction(connection);
	wire_free(&connection->wire);
	text_free(&connection->line);
	text_free(&connection->helo);
	text_free(&connection->user);
	text_free(&connection->tls_version);
	text_free(&connection->client_name);
}
