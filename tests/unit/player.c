/* player.c - plays a dialogue file against the engine, in memory. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "smtp/dialog.h"
#include "player.h"

enum { LINES_MOST = 4096, MESSAGES_MOST = 8, STEPS_MOST = 4000000 };

struct line {
	char kind; /* 'S', 'C' or '*' */
	char *text;
	size_t size;
	bool is_unterminated; /* S: without its CRLF */
};

struct player {
	struct line lines[LINES_MOST];
	size_t n_lines;
	size_t at;
	char *expectations[LINES_MOST];
	size_t n_expectations;
	struct dialog_demand demand;
	char *mechanism;
	char *user;
	char *password;
	size_t n_challenges;
	bool requires_tls;  /* of all envelopes */
	bool is_unverified; /* the certificate that comes with "* tls" */
	bool is_whole_only; /* the outcome depends on what arrives together */
	struct message messages[MESSAGES_MOST];
	struct envelope envelopes[MESSAGES_MOST];
	struct order orders[MESSAGES_MOST];
	size_t n_messages;
	size_t n_given;
	struct dialog dialog;
	struct player_result *result;
	bool is_broken;
};

static void
complain(struct player *p, const char *what, struct str got)
{
	if (p->is_broken)
		return;
	p->is_broken = true;
	buf_printf(&p->result->complaint, "%s: ", what);
	err_add_clean(&p->result->complaint, got);
}

/* --- reading the file ------------------------------------------------------------------------------------------- */

static void add_unescaped(struct buf *b, struct str text);

/* "\*N{text}": the text N times. */
static size_t
add_repeated(struct buf *b, struct str rest)
{
	size_t open = str_find(rest, '{'), close = str_find(rest, '}');
	uint64_t times = 0;

	if (close >= rest.size || open > close || !str_to_number(str_from(str_first(rest, open), 2), 4000000, &times))
		return 2;
	for (uint64_t i = 0; i < times && b->size < 8 * 1024 * 1024; i++)
		add_unescaped(b, str_from(str_first(rest, close), open + 1));
	return close + 1;
}

static int
hex(char c)
{
	c = ascii_lower(c);
	return ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

static size_t
add_escape(struct buf *b, struct str rest)
{
	switch (rest.size > 1 ? rest.data[1] : '\0') {
	case 'x':
		if (rest.size >= 4)
			buf_add_char(b, (char)(hex(rest.data[2]) * 16 + hex(rest.data[3])));
		return 4;
	case 'r':
		buf_add_char(b, '\r');
		return 2;
	case 'n':
		buf_add_char(b, '\n');
		return 2;
	case '0':
		buf_add_char(b, '\0');
		return 2;
	case '*':
		return add_repeated(b, rest);
	default:
		buf_add_char(b, rest.size > 1 ? rest.data[1] : '\\');
		return 2;
	}
}

static void
add_unescaped(struct buf *b, struct str text)
{
	while (text.size > 0) {
		size_t plain = str_find(text, '\\');

		buf_add_str(b, str_first(text, plain));
		text = str_from(text, plain);
		if (text.size > 0)
			text = str_from(text, add_escape(b, text));
	}
}

static char *
unescape(struct str text, size_t *size)
{
	struct buf b = {0};

	add_unescaped(&b, text);
	*size = b.size;
	return buf_take(&b);
}

static void
add_message(struct player *p, struct str text)
{
	struct message *message = &p->messages[p->n_messages];
	size_t size = 0;
	char *bytes = unescape(text, &size);

	*message = (struct message){.is_in_memory = true, .is_open = true, .fd = -1};
	buf_add(&message->memory, bytes, size);
	message->size = (int64_t)size;
	message->wire_size = message->size;
	for (size_t i = 0; i < size; i++) {
		message->wire_size += bytes[i] == '\n';
		message->has_8bit_body = message->has_8bit_body || (unsigned char)bytes[i] >= 0x80;
	}
	free(bytes);
	p->n_messages++;
}

static void
read_set(struct player *p, struct str value)
{
	uint64_t depth = 0;

	if (str_starts_with(value, STR("pipeline_depth ")) &&
	    str_to_number(str_from(value, strlen("pipeline_depth ")), 100, &depth))
		p->demand.depth = (unsigned)depth;
	p->requires_tls = p->requires_tls || str_equals(value, STR("require_tls on"));
	p->is_unverified = p->is_unverified || str_equals(value, STR("tls_certcheck off"));
	p->demand.is_atomic = p->demand.is_atomic || str_equals(value, STR("atomic on"));
	p->demand.may_chunk = p->demand.may_chunk && !str_equals(value, STR("chunking off"));
	p->demand.may_pipeline = p->demand.may_pipeline && !str_equals(value, STR("pipelining off"));
}

static void
read_auth(struct player *p, struct str value)
{
	struct str mechanism = {0}, user = {0}, password = {0};

	str_next_word(&value, &mechanism);
	str_next_word(&value, &user);
	str_next_word(&value, &password);
	free(p->mechanism);
	free(p->user);
	free(p->password);
	p->mechanism = mem_copy(mechanism.data, mechanism.size);
	p->user = mem_copy(user.data, user.size);
	p->password = mem_copy(password.data, password.size);
	for (char *c = p->mechanism; *c != '\0'; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	p->demand.wants_auth = true;
}

static void
read_setting(struct player *p, struct str text)
{
	struct str key = {0}, value;

	str_next_word(&text, &key);
	value = str_trim(text);
	if (str_equals(key, STR("protocol")))
		p->demand.is_lmtp = str_equals(value, STR("lmtp"));
	else if (str_equals(key, STR("tls"))) {
		p->demand.wants_starttls = str_equals(value, STR("starttls"));
		p->demand.tries_starttls = str_equals(value, STR("may"));
		p->demand.is_protected = str_equals(value, STR("implicit"));
	} else if (str_equals(key, STR("auth")))
		read_auth(p, value);
	else if (str_equals(key, STR("from"))) {
		free(p->envelopes[0].reverse_path);
		p->envelopes[0].reverse_path =
		    str_equals(value, STR("<>")) ? mem_copy_string("") : mem_copy(value.data, value.size);
	} else if (str_equals(key, STR("to"))) {
		char *mailbox = mem_copy(value.data, value.size);

		envelope_add(&p->envelopes[0], mailbox);
		free(mailbox);
	} else if (str_equals(key, STR("message")) && p->n_messages < MESSAGES_MOST)
		add_message(p, value);
	else if (str_equals(key, STR("set")))
		read_set(p, value);
	else if (str_equals(key, STR("only")))
		p->is_whole_only = str_equals(value, STR("memory-whole"));
	else if (p->n_expectations < LINES_MOST)
		p->expectations[p->n_expectations++] = mem_copy(key.data, (size_t)(value.data + value.size - key.data));
}

static void
read_line(struct player *p, struct str line)
{
	struct line *entry = &p->lines[p->n_lines];
	struct str text = str_from(line, line.size > 2 && line.data[2] == ' ' ? 3 : 2);

	if (line.size >= 2 && line.data[0] == '=' && line.data[1] == ' ') {
		read_setting(p, str_from(line, 2));
		return;
	}
	if (line.size < 2 || p->n_lines == LINES_MOST)
		return;
	if (line.data[1] == ':' && (line.data[0] == 'S' || line.data[0] == 'C')) {
		entry->is_unterminated = text.size >= 2 && memcmp(text.data + text.size - 2, "\\-", 2) == 0;
		if (entry->is_unterminated)
			text.size -= 2;
	} else if (line.data[0] == '*' && line.data[1] == ' ')
		text = str_from(line, 2);
	else
		return;
	entry->kind = line.data[0];
	entry->text = unescape(text, &entry->size);
	p->n_lines++;
}

static void
load(struct player *p, struct str script)
{
	struct str line;

	p->demand.client_name = "client.example";
	p->demand.may_pipeline = true;
	p->demand.may_chunk = true;
	while (str_next_token(&script, '\n', &line))
		read_line(p, line);
	if (p->n_messages == 0)
		add_message(p, STR("Subject: s\\n\\nhello\\n"));
	if (p->envelopes[0].reverse_path == NULL)
		p->envelopes[0].reverse_path = mem_copy_string("a@example.org");
	if (p->envelopes[0].n_recipients == 0)
		envelope_add(&p->envelopes[0], "b@example.net");
	p->demand.is_verified = p->demand.is_protected && !p->is_unverified;
	p->envelopes[0].requires_tls = p->requires_tls;
	for (size_t i = 1; i < p->n_messages; i++) {
		p->envelopes[i].requires_tls = p->requires_tls;
		p->envelopes[i].reverse_path = mem_copy_string(p->envelopes[0].reverse_path);
		for (size_t k = 0; k < p->envelopes[0].n_recipients; k++)
			envelope_add(&p->envelopes[i], p->envelopes[0].recipients[k].mailbox);
	}
}

/* --- playing ---------------------------------------------------------------------------------------------------- */

static bool
is_event(const struct player *p, const char *name)
{
	return p->at < p->n_lines && p->lines[p->at].kind == '*' &&
	       str_starts_with(str_of(p->lines[p->at].text), str_of(name));
}

/* Compare what the engine sent with the C: lines that come next. */
static void
match_commands(struct player *p)
{
	struct buf *out = &p->dialog.out;

	while (p->at < p->n_lines && (p->lines[p->at].kind == 'C' || is_event(p, "body") || is_event(p, "wait"))) {
		const struct line *line = &p->lines[p->at];
		struct str got = buf_str(out);

		if (line->kind == '*' && is_event(p, "wait")) {
			p->at++;
			continue;
		}
		if (line->kind == '*') {
			const char *dot = out->size > 0 ? strstr(out->data, "\r\n.\r\n") : NULL;

			if (dot == NULL)
				complain(p, "no end of message in", str_first(got, 200));
			buf_consume(out, dot == NULL ? out->size : (size_t)(dot - out->data) + 5);
			p->at++;
			continue;
		}
		if (got.size < line->size + 2 || memcmp(got.data, line->text, line->size) != 0 ||
		    memcmp(got.data + line->size, "\r\n", 2) != 0) {
			buf_printf(&p->result->complaint, "expected \"%s\"; ", line->text);
			complain(p, "got", str_first(got, str_find(got, '\n')));
			return;
		}
		buf_consume(out, line->size + 2);
		p->at++;
	}
	if (out->size > 0)
		complain(p, "unexpected", str_first(buf_str(out), 200));
}

/* Hand over the S: lines that come next. */
static void
feed(struct player *p)
{
	bool has_any = false;

	while (p->at < p->n_lines && (p->lines[p->at].kind == 'S' || is_event(p, "wait"))) {
		if (p->lines[p->at].kind == 'S') {
			buf_add(&p->dialog.in, p->lines[p->at].text, p->lines[p->at].size);
			if (!p->lines[p->at].is_unterminated)
				buf_add_text(&p->dialog.in, "\r\n");
			has_any = true;
		}
		p->at++;
	}
	if (has_any)
		return;
	if (is_event(p, "stall"))
		dialog_lost(&p->dialog, EX_TEMPFAIL, "no answer");
	else if (is_event(p, "close") || is_event(p, "reset"))
		dialog_lost(&p->dialog, EX_TEMPFAIL, "connection lost");
	else {
		complain(p, "the engine waits, but the server has nothing to say", STR(""));
		dialog_lost(&p->dialog, EX_TEMPFAIL, "end of the script");
	}
	p->at++;
}

/* The same, in pieces: what the engine has not seen yet waits in `held`. */
static void
feed_pieces(struct player *p, struct buf *held, size_t piece)
{
	struct buf *in = &p->dialog.in;

	if (held->size == 0) {
		size_t before = in->size;

		feed(p);
		if (piece == 0 || p->dialog.is_tls_agreed)
			return;
		buf_add(held, in->data != NULL ? in->data + before : NULL, in->size - before);
		buf_truncate(in, before);
	}
	buf_add_str(in, str_first(buf_str(held), piece));
	buf_consume(held, piece);
}

static void
add_base64(struct buf *b, const unsigned char *data, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < size; i += 3) {
		unsigned value = (unsigned)data[i] << 16;

		value |= i + 1 < size ? (unsigned)data[i + 1] << 8 : 0;
		value |= i + 2 < size ? data[i + 2] : 0;
		buf_add_char(b, digits[value >> 18]);
		buf_add_char(b, digits[value >> 12 & 63]);
		buf_add_char(b, i + 1 < size ? digits[value >> 6 & 63] : '=');
		buf_add_char(b, i + 2 < size ? digits[value & 63] : '=');
	}
}

static void
answer_challenge(struct player *p)
{
	const char *answer = p->n_challenges == 0 ? p->user : p->password;
	struct buf line = {0};
	struct err err = {0};

	if (strcmp(p->mechanism, "LOGIN") == 0 && p->n_challenges < 2) {
		add_base64(&line, (const unsigned char *)answer, strlen(answer));
		dialog_auth_answer(&p->dialog, buf_str(&line));
	} else {
		err_set(&err, EX_NOPERM, "the server asks for more than there is");
		dialog_auth_cancel(&p->dialog, &err);
	}
	p->n_challenges++;
	buf_free(&line);
}

static void
serve_auth(struct player *p)
{
	struct buf plain = {0}, initial = {0};
	bool is_sent = false;

	if (p->dialog.auth == DIALOG_AUTH_CHALLENGED) {
		answer_challenge(p);
		return;
	}
	if (p->dialog.auth == DIALOG_AUTH_ACCEPTED) {
		dialog_auth_done(&p->dialog);
		return;
	}
	buf_add_char(&plain, '\0');
	buf_add_text(&plain, p->user);
	buf_add_char(&plain, '\0');
	buf_add_text(&plain, p->password);
	add_base64(&initial, (const unsigned char *)plain.data, plain.size);
	dialog_auth_begin(&p->dialog, p->mechanism, strcmp(p->mechanism, "PLAIN") == 0 ? buf_text(&initial) : NULL, &is_sent);
	buf_free(&plain);
	buf_free(&initial);
}

static void
serve_order(struct player *p)
{
	if (p->n_given == p->n_messages) {
		dialog_no_more_orders(&p->dialog);
		return;
	}
	p->orders[p->n_given].message = &p->messages[p->n_given];
	p->orders[p->n_given].envelope = &p->envelopes[p->n_given];
	dialog_take_order(&p->dialog, &p->orders[p->n_given++]);
}

static void
serve_text(struct player *p)
{
	const struct order *order = p->dialog.sending;
	struct str all = buf_str(&order->message->memory);
	struct str piece = str_first(str_from(all, (size_t)order->text_offset), DIALOG_TEXT_STEP);

	/* What the server says in the middle of a text comes when its S: line is due and everything before was sent. */
	if (piece.size > 0)
		dialog_text(&p->dialog, piece);
	else
		dialog_text_end(&p->dialog);
}

static void
play(struct player *p, size_t piece)
{
	struct buf held = {0};

	dialog_start(&p->dialog, &p->demand);
	if (p->demand.is_protected && is_event(p, "tls"))
		p->at++;
	for (size_t step = 0; step < STEPS_MOST && !p->is_broken; step++) {
		switch (dialog_next(&p->dialog)) {
		case WANT_REPLY:
			if (held.size == 0)
				match_commands(p);
			feed_pieces(p, &held, piece);
			break;
		case WANT_TLS:
			match_commands(p);
			if (!is_event(p, "tls"))
				complain(p, "no TLS handshake is due", STR(""));
			p->at++;
			p->demand.is_verified = !p->is_unverified;
			dialog_protected(&p->dialog);
			break;
		case WANT_AUTH:
			serve_auth(p);
			break;
		case WANT_BODY:
			serve_text(p);
			break;
		case WANT_ORDER:
			serve_order(p);
			break;
		case WANT_CLOSE:
			match_commands(p);
			buf_free(&held);
			return;
		}
	}
	buf_free(&held);
	complain(p, "the engine does not come to an end", STR(""));
}

/* --- results ---------------------------------------------------------------------------------------------------- */

static int
exit_code(const struct player *p)
{
	int code = 0;

	for (size_t i = 0; i < p->n_messages; i++) {
		if (envelope_count(&p->envelopes[i], OUTCOME_PENDING) > 0 && err_is_set(&p->dialog.failure))
			code = outcome_worse_exit(code, p->dialog.failure.exit_code);
		else
			code = outcome_worse_exit(code, envelope_exit_code(&p->envelopes[i]));
	}
	return code;
}

static void
summarise(struct player *p)
{
	struct buf *b = &p->result->summary;

	for (size_t i = 0; i < p->n_messages; i++)
		for (size_t k = 0; k < p->envelopes[i].n_recipients; k++) {
			const struct recipient *recipient = &p->envelopes[i].recipients[k];
			const struct outcome *outcome = &recipient->outcome;

			buf_printf(b, "rcpt %s %s %d %u.%u.%u", recipient->mailbox, outcome_state_name(outcome->state),
			           outcome->reply_code, outcome->enhanced[0], outcome->enhanced[1], outcome->enhanced[2]);
			buf_printf(b, "%s %s\n", outcome->may_be_duplicate ? " maybe-twice" : "", outcome->text);
		}
	buf_printf(b, "exit %d\nerror %s\n", exit_code(p), buf_text(&p->dialog.failure.text));
}

/* Is there a line in the summary that begins with the expectation, or, for `error`, holds it? */
static bool
is_met(const struct player *p, struct str expectation)
{
	struct str rest = buf_str(&p->result->summary), line;
	bool is_found = false;

	if (str_starts_with(expectation, STR("error ")))
		return strstr(buf_text(&p->result->summary), expectation.data + strlen("error ")) != NULL;
	while (str_next_token(&rest, '\n', &line))
		if (str_starts_with(line, expectation) &&
		    (line.size == expectation.size || line.data[expectation.size] == ' '))
			is_found = true;
	return is_found;
}

static void
check_expectations(struct player *p)
{
	for (size_t i = 0; i < p->n_expectations; i++) {
		if (str_starts_with(str_of(p->expectations[i]), STR("timeout ")) ||
		    is_met(p, str_of(p->expectations[i])))
			continue;
		complain(p, "not so", str_of(p->expectations[i]));
		buf_printf(&p->result->complaint, " in:\n%s", buf_text(&p->result->summary));
	}
}

void
player_run(const char *script, size_t size, size_t piece, struct player_result *result)
{
	struct player *p = mem_alloc(1, sizeof(*p));

	p->result = result;
	load(p, str_make(script, size));
	play(p, p->is_whole_only ? 0 : piece);
	summarise(p);
	check_expectations(p);
	result->is_as_scripted = !p->is_broken;
	for (size_t i = 0; i < p->n_lines; i++)
		free(p->lines[i].text);
	for (size_t i = 0; i < p->n_expectations; i++)
		free(p->expectations[i]);
	for (size_t i = 0; i < MESSAGES_MOST; i++) {
		order_free(&p->orders[i]);
		envelope_free(&p->envelopes[i]);
		message_free(&p->messages[i]);
	}
	dialog_free(&p->dialog);
	free(p->mechanism);
	free(p->user);
	free(p->password);
	free(p);
}

void
player_result_free(struct player_result *result)
{
	buf_free(&result->complaint);
	buf_free(&result->summary);
}
