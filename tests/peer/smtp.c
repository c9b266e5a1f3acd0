/*
 * smtp - the built-in engine: what each command of SMTP and LMTP does and answers.
 */
#include "config.h"

#include <string.h>

#include "auth.h"
#include "ehlo.h"
#include "message.h"
#include "parameters.h"
#include "smtp.h"

/* The arguments of a command, without the line end. */
struct arguments {
	const char *bytes;
	size_t size;
};

struct command {
	const char *name;
	void (*run)(struct connection *connection, const struct arguments *arguments);
	bool ends_group; /* the client may send nothing more before the answer (RFC 2920) */
};

static void
say_hello(struct connection *connection, const struct arguments *arguments, bool is_extended)
{
	struct text lines = {0};
	enum fault_place place = is_extended ? AT_EHLO : AT_HELO;
	int code = 0;

	if (arguments->size == 0) {
		(void)connection_answer(connection, place, "501 5.5.4 who are you?");
		return;
	}
	connection_reset_transaction(connection);
	text_clear(&connection->helo);
	text_escape(&connection->helo, arguments->bytes, arguments->size);
	if (is_extended)
		ehlo_lines(connection, &lines);
	else
		text_format(&lines, "250 %s", connection->options->name);
	code = connection_answer(connection, place, "%s", text_string(&lines));
	text_free(&lines);
	if (code / 100 == 2)
		connection->is_extended = is_extended;
	else
		text_clear(&connection->helo);
}

static void
run_ehlo(struct connection *connection, const struct arguments *arguments)
{
	if (connection->options->is_lmtp)
		(void)connection_answer(connection, AT_EHLO, "500 5.5.1 this is LMTP, say LHLO");
	else
		say_hello(connection, arguments, true);
}

static void
run_lhlo(struct connection *connection, const struct arguments *arguments)
{
	if (connection->options->is_lmtp)
		say_hello(connection, arguments, true);
	else
		(void)connection_answer(connection, AT_EHLO, "500 5.5.1 this is not LMTP");
}

static void
run_helo(struct connection *connection, const struct arguments *arguments)
{
	if (connection->options->is_lmtp)
		(void)connection_answer(connection, AT_HELO, "500 5.5.1 this is LMTP, say LHLO");
	else
		say_hello(connection, arguments, false);
}

static void
run_starttls(struct connection *connection, const struct arguments *arguments)
{
	int code = 0;

	if (connection->options->tls != TLS_STARTTLS || connection->wire.session != NULL) {
		(void)connection_answer(connection, AT_STARTTLS, "502 5.5.1 no STARTTLS here");
		return;
	}
	if (arguments->size != 0) {
		(void)connection_answer(connection, AT_STARTTLS, "501 5.5.4 STARTTLS has no arguments");
		return;
	}
	code = connection_answer(connection, AT_STARTTLS, "220 2.0.0 go on");
	if (code / 100 != 2 || !wire_flush(&connection->wire) || !connection_start_tls(connection))
		return;
	connection_reset_transaction(connection);
	text_clear(&connection->helo);
	connection->is_extended = false;
}

static void
run_auth(struct connection *connection, const struct arguments *arguments)
{
	auth_command(connection, arguments->bytes, arguments->size);
}

/* The refusal the conventions of the tests want for this address; NULL: none. */
static const char *
refusal_of(const struct connection *connection, const struct path *path, bool is_mail)
{
	if (!connection->options->has_refuse_rule)
		return NULL;
	if (is_mail)
		return text_begins(path->address, path->address_size, "badfrom") ? "550 5.7.1 this sender is refused"
										 : NULL;
	if (text_begins(path->address, path->address_size, "perm"))
		return "550 5.1.1 no such user";
	if (text_begins(path->address, path->address_size, "temp"))
		return "450 4.2.1 mailbox is busy";
	return NULL;
}

static void
add_to_envelope(struct connection *connection, const char *word, const struct path *path)
{
	struct text *envelope = &connection->transaction.envelope;

	text_format(envelope, "%s ", word);
	text_append(envelope, path->address, path->address_size);
	if (path->address_size == 0)
		text_add(envelope, "<>");
	if (path->parameters_size != 0)
		text_add(envelope, " ");
	text_append(envelope, path->parameters, path->parameters_size);
	text_add(envelope, "\n");
}

static void
run_mail(struct connection *connection, const struct arguments *arguments)
{
	struct transaction *transaction = &connection->transaction;
	struct path path = {0};
	const char *problem = NULL;
	int code = 0;

	if (connection->helo.size == 0 && (connection->options->is_strict || connection->options->is_lmtp))
		problem = "503 5.5.1 say hello first";
	else if (transaction->has_sender)
		problem = "503 5.5.1 one sender is enough";
	else if (!parameters_split(arguments->bytes, arguments->size, "FROM:", &path))
		problem = "501 5.5.4 MAIL FROM:<address> expected";
	else
		problem = parameters_check(connection, &path, true);
	if (problem == NULL)
		problem = refusal_of(connection, &path, true);
	code = connection_answer(connection, AT_MAIL, "%s", problem != NULL ? problem : "250 2.1.0 sender is fine");
	if (code / 100 != 2) {
		transaction->wants_utf8 = false;
		transaction->is_binary = false;
		return;
	}
	transaction->has_sender = true;
	add_to_envelope(connection, "from", &path);
}

static void
run_rcpt(struct connection *connection, const struct arguments *arguments)
{
	struct transaction *transaction = &connection->transaction;
	int recipients_max = connection->options->recipients_max;
	struct path path = {0};
	const char *problem = NULL;
	int code = 0;

	if (!transaction->has_sender || transaction->is_chunked)
		problem = "503 5.5.1 MAIL first";
	else if (!parameters_split(arguments->bytes, arguments->size, "TO:", &path) || path.address_size == 0)
		problem = "501 5.5.4 RCPT TO:<address> expected";
	else
		problem = parameters_check(connection, &path, false);
	if (problem == NULL && recipients_max != 0 && transaction->n_recipients >= (unsigned)recipients_max)
		problem = "452 4.5.3 too many recipients";
	if (problem == NULL)
		problem = refusal_of(connection, &path, false);
	code = connection_answer(connection, AT_RCPT, "%s", problem != NULL ? problem : "250 2.1.5 recipient is fine");
	if (code / 100 != 2 || !transaction->has_sender)
		return;
	transaction->n_recipients++;
	add_to_envelope(connection, "to", &path);
	text_append(&transaction->recipients, path.address, path.address_size);
	text_add(&transaction->recipients, "\n");
}

static void
run_data(struct connection *connection, const struct arguments *arguments)
{
	(void)arguments;
	message_data(connection);
}

static void
run_bdat(struct connection *connection, const struct arguments *arguments)
{
	message_bdat(connection, arguments->bytes, arguments->size);
}

static void
run_rset(struct connection *connection, const struct arguments *arguments)
{
	(void)arguments;
	connection_reset_transaction(connection);
	(void)connection_answer(connection, AT_RSET, "250 2.0.0 forgotten");
}

static void
run_noop(struct connection *connection, const struct arguments *arguments)
{
	(void)arguments;
	(void)connection_answer(connection, AT_NOOP, "250 2.0.0 done, which was easy");
}

static void
run_vrfy(struct connection *connection, const struct arguments *arguments)
{
	(void)arguments;
	(void)connection_answer(connection, AT_ANY, "252 2.1.5 try and see");
}

static void
run_help(struct connection *connection, const struct arguments *arguments)
{
	(void)arguments;
	(void)connection_answer(connection, AT_ANY, "214 2.0.0 see RFC 5321");
}

static void
run_quit(struct connection *connection, const struct arguments *arguments)
{
	(void)arguments;
	connection->record->has_quit = true;
	if (connection_answer(connection, AT_QUIT, "221 2.0.0 bye") != 0)
		connection->is_over = true;
}

static const struct command commands[] = {
	{"EHLO", run_ehlo, true},  {"HELO", run_helo, true},  {"LHLO", run_lhlo, true},
	{"STARTTLS", run_starttls, true}, {"AUTH", run_auth, true},  {"MAIL", run_mail, false},
	{"RCPT", run_rcpt, false}, {"DATA", run_data, true},  {"BDAT", run_bdat, false},
	{"RSET", run_rset, false}, {"NOOP", run_noop, true},  {"VRFY", run_vrfy, true},
	{"HELP", run_help, true},  {"QUIT", run_quit, false},
};

static const struct command *
find_command(const char *line, size_t size)
{
	size_t word = 0;

	while (word < size && line[word] != ' ')
		word++;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (text_is(line, word, commands[i].name))
			return &commands[i];
	return NULL;
}

static void
log_command(const struct connection *connection, const struct command *command)
{
	const struct text *line = &connection->line;

	if (command != NULL && command->run == run_auth)
		log_secret(connection->log, connection->number, line->bytes, line->size, 2);
	else
		log_bytes(connection->log, connection->number, 'C', line->bytes, line->size);
}

/* Whether the client runs ahead of the answer to this command, and was told so. */
static bool
is_early(struct connection *connection, const struct command *command)
{
	bool has_groups = connection->is_extended && ehlo_offers(connection, "PIPELINING");

	if (command != NULL && (command->run == run_bdat || command->run == run_quit))
		return false;
	if (has_groups && (command == NULL || !command->ends_group))
		return false;
	return connection_is_early(connection);
}

/* Whether the line itself is refused. */
static bool
is_refused(struct connection *connection, const struct command *command, bool has_cr)
{
	if (!has_cr) {
		log_event(connection->log, connection->number, '!', "bare-lf");
		if (connection->options->is_strict) {
			(void)connection_answer(connection, AT_ANY, "500 5.5.2 lines end with CRLF");
			return true;
		}
	}
	if (connection->is_refusing && (command == NULL || command->run != run_quit)) {
		(void)connection_answer(connection, AT_ANY, "503 5.5.1 I told you");
		return true;
	}
	if (command == NULL) {
		(void)connection_answer(connection, AT_ANY, "500 5.5.1 unknown command");
		return true;
	}
	return false;
}

void
smtp_command(struct connection *connection)
{
	struct text *line = &connection->line;
	bool has_cr = line->size >= 2 && line->bytes[line->size - 2] == '\r';
	size_t size = line->size - (has_cr ? 2 : 1);
	const struct command *command = find_command(line->bytes, size);
	struct arguments arguments = {0};
	struct text bytes = {0};

	connection->record->commands++;
	log_command(connection, command);
	if (is_early(connection, command) || is_refused(connection, command, has_cr))
		return;
	/* a copy, as reading on replaces the line */
	text_append(&bytes, line->bytes + strlen(command->name), size - strlen(command->name));
	if (bytes.size != 0)
		text_drop(&bytes, 1);
	while (bytes.size != 0 && bytes.bytes[bytes.size - 1] == ' ' && !connection->options->is_strict)
		bytes.size--;
	arguments = (struct arguments){.bytes = text_string(&bytes), .size = bytes.size};
	command->run(connection, &arguments);
	text_free(&bytes);
}
