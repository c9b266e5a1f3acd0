/*
 * script - dialogue files: what the server says and what the client must say, played over a real connection.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "body.h"
#include "script.h"

#define REST_MS 200
#define SHOWN_MAX 200

static const struct {
	const char *name;
	enum step_kind kind;
} events[] = {
	{"tls", STEP_TLS},     {"close", STEP_CLOSE}, {"reset", STEP_RESET},
	{"stall", STEP_STALL}, {"body", STEP_BODY},
};

/* One session played. */
struct play {
	struct connection *connection;
	const struct script *script;
	size_t at;
	bool is_secret;            /* the client answers a challenge of AUTH */
	unsigned long long chunk;  /* bytes that belong to the BDAT command before */
	bool has_chunk;
};

static struct step *
add_step(struct script *script, enum step_kind kind)
{
	struct step *steps = realloc(script->steps, (script->n + 1) * sizeof(*steps));

	if (steps == NULL)
		_exit(71);
	script->steps = steps;
	steps[script->n] = (struct step){.kind = kind};
	return &steps[script->n++];
}

static bool
parse_said(struct script *script, enum step_kind kind, const char *text, size_t size)
{
	struct step *step = add_step(script, kind);
	bool is_open = kind == STEP_SEND && size >= 2 && memcmp(text + size - 2, "\\-", 2) == 0;

	if (!text_unescape(&step->bytes, text, is_open ? size - 2 : size))
		return false;
	if (!is_open)
		text_add(&step->bytes, "\r\n");
	return true;
}

static bool
parse_event(struct script *script, const char *text, size_t size)
{
	unsigned long long number = 0;

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (text_is(text, size, events[i].name)) {
			(void)add_step(script, events[i].kind);
			return true;
		}
	}
	if (!text_begins(text, size, "wait ") || !text_number(text + 5, size - 5, 3600000, &number))
		return false;
	add_step(script, STEP_WAIT)->wait_ms = (unsigned)number;
	return true;
}

/* Set-up and expectations are for the client's side of a test. */
static bool
parse_line(struct script *script, const char *line, size_t size)
{
	size_t skip = 0;

	if (size == 0 || line[0] == '#' || line[0] == '=')
		return true;
	if (text_begins(line, size, "* "))
		return parse_event(script, line + 2, size - 2);
	if (size < 2 || line[1] != ':' || (line[0] != 'S' && line[0] != 'C'))
		return false;
	skip = size > 2 && line[2] == ' ' ? 3 : 2;
	return parse_said(script, line[0] == 'S' ? STEP_SEND : STEP_EXPECT, line + skip, size - skip);
}

static bool
read_file(const char *file, struct text *content)
{
	FILE *stream = fopen(file, "re");
	size_t n = 0;
	bool ok = false;

	if (stream == NULL)
		return false;
	do {
		text_reserve(content, 65536);
		n = fread(content->bytes + content->size, 1, 65536, stream);
		content->size += n;
	} while (n != 0);
	ok = ferror(stream) == 0;
	(void)fclose(stream);
	return ok;
}

static struct script *
add_script(struct scripts *scripts)
{
	struct script *items = realloc(scripts->items, (scripts->n + 1) * sizeof(*items));

	if (items == NULL)
		_exit(71);
	scripts->items = items;
	items[scripts->n] = (struct script){0};
	return &items[scripts->n++];
}

static bool
load_file(struct script *script, const char *file, struct text *problem)
{
	struct text content = {0};
	bool ok = read_file(file, &content);

	if (!ok)
		text_format(problem, "%s: %s", file, strerror(errno));
	for (size_t at = 0, number = 1; at < content.size && ok; number++) {
		const char *newline = memchr(content.bytes + at, '\n', content.size - at);
		size_t size = newline == NULL ? content.size - at : (size_t)(newline - content.bytes) - at;

		ok = parse_line(script, content.bytes + at, size);
		if (!ok)
			text_format(problem, "%s:%zu: neither S: C: * EVENT = KEY nor #, or a wrong escape", file,
				    number);
		at += size + 1;
	}
	text_free(&content);
	return ok;
}

/* The step to come; NULL: the script is over. */
static const struct step *
next_step(const struct play *play)
{
	return play->at < play->script->n ? &play->script->steps[play->at] : NULL;
}

static void
log_said(const struct play *play, const char *bytes, size_t size)
{
	const struct connection *connection = play->connection;

	if (play->is_secret)
		log_secret(connection->log, connection->number, bytes, size, 0);
	else if (text_begins(bytes, size, "AUTH "))
		log_secret(connection->log, connection->number, bytes, size, 2);
	else
		log_bytes(connection->log, connection->number, 'C', bytes, size);
}

/* Append a line in quotes, without what is secret in it. */
static void
append_shown(const struct play *play, struct text *line, const char *bytes, size_t size)
{
	bool is_auth = text_begins(bytes, size, "AUTH ");
	bool is_hidden = (is_auth || play->is_secret) && !play->connection->log->has_secrets;

	if (is_hidden) {
		const char *space = is_auth ? memchr(bytes + 5, ' ', size - 5) : NULL;

		text_add(line, "\"");
		if (space != NULL || is_auth)
			text_escape(line, bytes, space != NULL ? (size_t)(space - bytes) + 1 : size);
		text_add(line, space != NULL || !is_auth ? "<hidden>\"" : "\"");
		return;
	}
	text_add(line, "\"");
	text_escape(line, bytes, size < SHOWN_MAX ? size : SHOWN_MAX);
	text_add(line, size > SHOWN_MAX ? "...\"" : "\"");
}

/* What the client sends now does not belong to the script: say so and end the session. */
static void
mismatch(struct play *play, const struct text *expected)
{
	struct connection *connection = play->connection;
	struct wire *wire = &connection->wire;
	struct text line = {0};
	const char *newline = NULL;
	size_t size = 0;

	while (memchr(wire_bytes(wire), '\n', wire_size(wire)) == NULL && wire_fill(wire, REST_MS) == WIRE_INPUT)
		continue;
	newline = memchr(wire_bytes(wire), '\n', wire_size(wire));
	size = newline == NULL ? wire_size(wire) : (size_t)(newline - wire_bytes(wire)) + 1;
	text_add(&line, "expected ");
	if (expected == NULL)
		text_add(&line, "the end");
	else
		append_shown(play, &line, expected->bytes, expected->size);
	text_add(&line, " got ");
	if (size != 0)
		append_shown(play, &line, wire_bytes(wire), size);
	else
		text_add(&line, wire->has_ended ? "the end of input" : "nothing");
	log_bytes(connection->log, connection->number, '!', line.bytes, line.size);
	fprintf(stderr, "peer: connection %u: %s\n", connection->number, text_string(&line));
	connection->record->mismatches++;
	connection->is_over = true;
	text_free(&line);
}

/* Remember the chunk that belongs to a BDAT command. */
static void
note_chunk(struct play *play, const struct text *line)
{
	const char *digits = text_string(line) + 5;

	play->has_chunk = text_begins(line->bytes, line->size, "BDAT ") &&
			  text_number(digits, strspn(digits, "0123456789"), 1ULL << 50, &play->chunk);
}

static void
play_expect(struct play *play, const struct step *step)
{
	struct wire *wire = &play->connection->wire;
	size_t have = 0;

	for (;;) {
		have = wire_size(wire) < step->bytes.size ? wire_size(wire) : step->bytes.size;
		if (memcmp(wire_bytes(wire), step->bytes.bytes, have) != 0) {
			mismatch(play, &step->bytes);
			return;
		}
		if (have == step->bytes.size)
			break;
		if (wire_gather(wire, have != 0) == WIRE_END) {
			mismatch(play, &step->bytes);
			return;
		}
	}
	log_said(play, step->bytes.bytes, step->bytes.size);
	note_chunk(play, &step->bytes);
	play->connection->record->commands++;
	wire_take(wire, have);
}

/* Send this and the following lines of the server in one write. */
static void
play_send(struct play *play, const struct step *step)
{
	struct connection *connection = play->connection;
	struct text block = {0};

	if (wire_is_ahead(&connection->wire)) {
		log_event(connection->log, connection->number, '!', "early-talk");
		if (connection->options->is_strict)
			connection->record->mismatches++;
	}
	while (step != NULL && step->kind == STEP_SEND) {
		text_append(&block, step->bytes.bytes, step->bytes.size);
		play->at++;
		step = next_step(play);
	}
	play->at--;
	play->is_secret = text_begins(text_string(&block), block.size, "334");
	log_reply(connection->log, connection->number, text_string(&block), block.size);
	if (connection->options->round_trip_ms != 0)
		(void)poll(NULL, 0, connection->options->round_trip_ms);
	wire_queue(&connection->wire, text_string(&block), block.size);
	(void)wire_flush(&connection->wire);
	text_free(&block);
}

/* Take message data without looking at it: a chunk, or lines up to the lone dot. */
static void
play_body(struct play *play)
{
	struct connection *connection = play->connection;
	char lone[] = ".\r\n";
	const struct text dot = {.bytes = lone, .size = 3};

	if (play->has_chunk) {
		(void)body_chunk(connection, play->chunk, false);
		play->has_chunk = false;
		return;
	}
	while (connection_line(connection)) {
		if (connection->log->has_bodies)
			log_bytes(connection->log, connection->number, 'C', connection->line.bytes,
				  connection->line.size);
		if (strcmp(connection->line.bytes, dot.bytes) == 0)
			return;
	}
	mismatch(play, &dot);
}

static void
play_step(struct play *play, const struct step *step)
{
	struct connection *connection = play->connection;

	switch (step->kind) {
	case STEP_SEND:
		play_send(play, step);
		break;
	case STEP_EXPECT:
		play_expect(play, step);
		break;
	case STEP_TLS:
		(void)connection_start_tls(connection);
		break;
	case STEP_CLOSE:
		log_event(connection->log, connection->number, '*', "close");
		connection->is_over = true;
		break;
	case STEP_RESET:
		log_event(connection->log, connection->number, '*', "reset");
		wire_reset(&connection->wire);
		connection->is_over = true;
		break;
	case STEP_STALL:
		log_event(connection->log, connection->number, '*', "stall");
		wire_drain(&connection->wire, -1);
		connection->is_over = true;
		break;
	case STEP_WAIT:
		(void)poll(NULL, 0, (int)step->wait_ms);
		break;
	case STEP_BODY:
		play_body(play);
		break;
	}
}

bool
script_load(struct scripts *scripts, const char *files, struct text *problem)
{
	struct text file = {0};
	bool ok = true;

	while (ok) {
		size_t size = strcspn(files, ",");

		text_clear(&file);
		text_append(&file, files, size);
		ok = load_file(add_script(scripts), text_string(&file), problem);
		if (files[size] == '\0')
			break;
		files += size + 1;
	}
	text_free(&file);
	return ok;
}

bool
script_wants_tls(const struct scripts *scripts)
{
	for (size_t i = 0; i < scripts->n; i++)
		for (size_t k = 0; k < scripts->items[i].n; k++)
			if (scripts->items[i].steps[k].kind == STEP_TLS)
				return true;
	return false;
}

void
script_play(struct connection *connection, const struct scripts *scripts, int fd)
{
	size_t index = connection->number > scripts->n ? scripts->n - 1 : connection->number - 1;
	struct play play = {.connection = connection, .script = &scripts->items[index]};
	const struct step *step = next_step(&play);
	struct wire *wire = &connection->wire;
	bool is_implicit = step != NULL && step->kind == STEP_TLS;

	wire_open(wire, fd, connection->record, 0);
	connection->record->flights = is_implicit ? 1 : 2;
	wire->has_sent = is_implicit;
	for (; step != NULL && !connection->is_over; step = next_step(&play)) {
		play_step(&play, step);
		play.at++;
	}
	if (!connection->is_over) {
		wire->is_closing = true;
		if (wire_size(wire) != 0 || wire_fill(wire, -1) == WIRE_INPUT)
			mismatch(&play, NULL);
	}
	if (wire->fd >= 0)
		wire_close(wire);
}

void
script_free(struct scripts *scripts)
{
	for (size_t i = 0; i < scripts->n; i++) {
		for (size_t k = 0; k < scripts->items[i].n; k++)
			text_free(&scripts->items[i].steps[k].bytes);
		free(scripts->items[i].steps);
	}
	free(scripts->items);
	*scripts = (struct scripts){0};
}
