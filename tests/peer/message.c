/*
 * message - DATA and BDAT: receive a message, keep it, and answer for it.
 */
#include "config.h"

#include <string.h>

#include "body.h"
#include "ehlo.h"
#include "message.h"

/* Why the message as a whole is refused; NULL: it is not. */
static const char *
find_refusal(const struct connection *connection, const struct violations *violations)
{
	const struct options *options = connection->options;
	unsigned long long limit = ehlo_size_limit(connection);

	if (options->is_strict && (violations->has_bare_cr || violations->has_bare_lf))
		return "554 5.6.0 CR and LF come only together";
	if (options->is_strict && violations->has_long_line)
		return "554 5.6.0 line is too long";
	if (limit != 0 && connection->store.size > limit)
		return "552 5.3.4 message is larger than I take";
	if (options->has_refuse_rule && store_has_subject(&connection->store, "[data5]"))
		return "554 5.6.0 message is refused";
	if (options->has_refuse_rule && store_has_subject(&connection->store, "[data4]"))
		return "451 4.3.0 message is not taken now";
	return NULL;
}

/* The refusal of one recipient after the message, for LMTP; NULL: none. */
static const char *
find_late_refusal(const struct connection *connection, const char *address, size_t size)
{
	if (!connection->options->has_refuse_rule)
		return NULL;
	if (text_begins(address, size, "lateperm"))
		return "550 5.2.1 mailbox is closed";
	if (text_begins(address, size, "latetemp"))
		return "450 4.2.2 mailbox is full";
	return NULL;
}

static void
complete_envelope(const struct connection *connection, struct text *envelope)
{
	text_append(envelope, connection->transaction.envelope.bytes, connection->transaction.envelope.size);
	text_format(envelope, "helo %s\n", text_string(&connection->helo));
	if (connection->tls_version.size != 0)
		text_format(envelope, "tls %s\n", text_string(&connection->tls_version));
	if (connection->user.size != 0)
		text_format(envelope, "user %s\n", text_string(&connection->user));
	text_format(envelope, "mode %s\n", connection->transaction.is_chunked ? "bdat" : "data");
}

/* Keep the message; its number, 0 when that went wrong. */
static unsigned
keep(struct connection *connection)
{
	struct text envelope = {0};
	unsigned number = 0;

	complete_envelope(connection, &envelope);
	number = store_commit(&connection->store, connection->shared, &envelope);
	text_free(&envelope);
	return number;
}

static void
answer_for_each(struct connection *connection, const char *refusal, bool *is_accepted)
{
	const struct text *recipients = &connection->transaction.recipients;
	const char *newline = NULL;

	for (size_t at = 0; at < recipients->size && !connection->is_over;) {
		const char *address = recipients->bytes + at;
		const char *problem = refusal;
		int code = 0;

		newline = memchr(address, '\n', recipients->size - at);
		if (newline == NULL)
			return;
		if (problem == NULL)
			problem = find_late_refusal(connection, address, (size_t)(newline - address));
		code = connection_answer(connection, AT_DOT, "%s", problem != NULL ? problem : "250 2.1.5 delivered");
		*is_accepted = *is_accepted || code / 100 == 2;
		at = (size_t)(newline - recipients->bytes) + 1;
	}
}

/* Answer for the whole message, and keep it if the answer was yes. */
static void
conclude(struct connection *connection, const struct violations *violations)
{
	const char *refusal = find_refusal(connection, violations);
	unsigned n_recipients = connection->transaction.n_recipients;
	bool is_accepted = false;
	unsigned number = 0;

	if (connection->options->is_lmtp)
		answer_for_each(connection, refusal, &is_accepted);
	else if (refusal != NULL)
		is_accepted = connection_answer(connection, AT_DOT, "%s", refusal) / 100 == 2;
	else
		is_accepted = connection_answer(connection, AT_DOT, "250 2.0.0 queued as %u.%u", connection->number,
						connection->record->messages + 1) / 100 == 2;
	if (is_accepted) {
		/* nothing was sent yet but with a fault, so the file is there before the client knows */
		number = keep(connection);
		connection->record->messages++;
		connection->record->recipients += n_recipients;
		log_event(connection->log, connection->number, number == 0 ? '!' : '*',
			  number == 0 ? "message could not be written" : "message %04u kept", number);
	}
	connection_reset_transaction(connection);
}

void
message_data(struct connection *connection)
{
	struct transaction *transaction = &connection->transaction;
	struct violations violations = {0};
	const char *problem = NULL;
	int code = 0;

	if (transaction->is_chunked)
		problem = "503 5.5.1 not among chunks";
	else if (transaction->is_binary)
		problem = "503 5.5.1 BINARYMIME needs BDAT";
	else if (!transaction->has_sender)
		problem = "503 5.5.1 MAIL first";
	else if (transaction->n_recipients == 0)
		problem = "554 5.5.1 no valid recipients";
	code = connection_answer(connection, AT_DATA, "%s", problem != NULL ? problem : "354 go on, end with a dot");
	if (code / 100 != 3)
		return;
	store_begin(&connection->store, connection->options, connection->number);
	if (body_until_dot(connection, &violations))
		conclude(connection, &violations);
}

/* Why a chunk cannot be taken; NULL: it can. */
static const char *
find_chunk_problem(const struct connection *connection)
{
	const struct transaction *transaction = &connection->transaction;

	if (!ehlo_offers(connection, "CHUNKING"))
		return "502 5.5.1 no CHUNKING here";
	if (!transaction->has_sender)
		return "503 5.5.1 MAIL first";
	if (transaction->has_failed)
		return "503 5.5.1 RSET first";
	if (transaction->n_recipients == 0)
		return "554 5.5.1 no valid recipients";
	return NULL;
}

static bool
parse_chunk(const char *arguments, size_t size, unsigned long long *chunk, bool *is_last)
{
	const char *space = memchr(arguments, ' ', size);
	size_t digits = space == NULL ? size : (size_t)(space - arguments);

	*is_last = space != NULL && text_is(space + 1, size - digits - 1, "LAST");
	return (space == NULL || *is_last) && text_number(arguments, digits, 1ULL << 50, chunk);
}

static bool
is_early(struct connection *connection)
{
	return !ehlo_offers(connection, "PIPELINING") && connection_is_early(connection);
}

void
message_bdat(struct connection *connection, const char *arguments, size_t size)
{
	static const struct violations none = {0};
	struct transaction *transaction = &connection->transaction;
	const char *problem = find_chunk_problem(connection);
	unsigned long long chunk = 0;
	bool is_last = false;

	if (!parse_chunk(arguments, size, &chunk, &is_last)) {
		(void)connection_answer(connection, AT_BDAT, "501 5.5.4 BDAT SIZE [LAST] expected");
		return;
	}
	if (problem == NULL && !transaction->is_chunked) {
		transaction->is_chunked = true;
		store_begin(&connection->store, connection->options, connection->number);
	}
	if (!body_chunk(connection, chunk, problem == NULL))
		return;
	log_event(connection->log, connection->number, '*', "chunk of %llu bytes", chunk);
	if (is_early(connection))
		return;
	if (problem != NULL) {
		(void)connection_answer(connection, AT_BDAT, "%s", problem);
		transaction->has_failed = transaction->has_sender;
		return;
	}
	if (is_last) {
		connection->place_uses[AT_BDAT]++;
		conclude(connection, &none);
		return;
	}
	if (connection_answer(connection, AT_BDAT, "250 2.0.0 chunk of %llu bytes", chunk) / 100 != 2) {
		transaction->has_failed = true;
		store_abort(&connection->store);
	}
}
