/* act.c - the commands of each stage. Pure. */

#include "config.h"

#include <string.h>

#include "smtp/act.h"
#include "smtp/answer.h"
#include "smtp/command.h"
#include "smtp/stage.h"
#include "smtp/transcript.h"

enum { HIDDEN_LEAST = 4 }; /* octets; shorter texts stand in many words */

static const unsigned short bad_address[3] = {5, 1, 7};

struct dialog_pending *
act_pending(struct dialog *d, size_t i)
{
	return &d->pending[(d->first_pending + i) % DIALOG_PENDING_MOST];
}

struct dialog_pending *
act_await(struct dialog *d, enum dialog_stage stage, struct order *order, size_t size)
{
	struct dialog_pending *pending = act_pending(d, d->n_pending);

	*pending = (struct dialog_pending){.stage = stage, .order = order, .size = size};
	d->n_pending++;
	d->unanswered_size += size;
	if (order != NULL)
		order->n_unanswered++;
	return pending;
}

/* Send a command without parts from outside. */
static void
send_simple(struct dialog *d, enum dialog_stage stage, const char *argument)
{
	size_t before = d->out.size;
	struct err err = {0};

	if (!command_add(&d->out, stage_row(stage)->name, argument, &err))
		answer_fail(d, EX_CONFIG, stage_row(stage)->about, buf_text(&err.text));
	else {
		act_await(d, stage, stage == STAGE_DATA ? d->sending : NULL, d->out.size - before);
		transcript_add(d, "C: ", str_from(buf_str(&d->out), before));
	}
	err_clear(&err);
}

static int
act_starttls(struct dialog *d)
{
	if (d->is_tls_agreed)
		return WANT_TLS;
	if (!d->caps.has_starttls)
		answer_fail(d, EX_UNAVAILABLE, OUTCOME_AT_TLS, "the server does not offer STARTTLS");
	else
		send_simple(d, STAGE_STARTTLS, NULL);
	return ACT_GO_ON;
}

static int
act_auth(struct dialog *d)
{
	if (d->auth == DIALOG_AUTH_IDLE && !d->caps.has_auth) {
		answer_fail(d, EX_UNAVAILABLE, OUTCOME_AT_AUTH, "the server does not offer AUTH");
		return ACT_GO_ON;
	}
	return WANT_AUTH;
}

static int
act_etrn(struct dialog *d)
{
	d->has_asked_etrn = true;
	if (!d->caps.has_etrn)
		answer_fail(d, EX_UNAVAILABLE, OUTCOME_AT_HELLO, "the server does not offer ETRN");
	else
		send_simple(d, STAGE_ETRN, d->demand->etrn);
	return ACT_GO_ON;
}

static int
act_rset(struct dialog *d)
{
	d->is_reset_needed = false;
	send_simple(d, STAGE_RSET, NULL);
	return ACT_GO_ON;
}

static int
act_mail(struct dialog *d)
{
	struct order *order = d->sending;
	size_t before = d->out.size;
	struct err err = {0};

	if (command_add_mail(&d->out, order->envelope, order->message, &d->caps, &err)) {
		act_await(d, STAGE_MAIL, order, d->out.size - before);
		transcript_add(d, "C: ", str_from(buf_str(&d->out), before));
		order->is_mail_sent = true;
	} else {
		order_refuse(order, OUTCOME_LOCALLY, bad_address, buf_text(&err.text));
		d->sending = NULL;
		order_append(&d->finished, order);
	}
	err_clear(&err);
	return ACT_GO_ON;
}

static int
act_rcpt(struct dialog *d)
{
	struct order *order = d->sending;
	size_t i = order_next_recipient(order);
	struct recipient *recipient = &order->envelope->recipients[i];
	size_t before = d->out.size;
	struct err err = {0};

	if (command_add_rcpt(&d->out, recipient, order->uses_smtputf8, &d->caps, &err)) {
		act_await(d, STAGE_RCPT, order, d->out.size - before)->recipient = i;
		transcript_add(d, "C: ", str_from(buf_str(&d->out), before));
		order->marks[i] = MARK_ASKED;
		order->n_asked++;
	} else {
		recipient->outcome.state = OUTCOME_FAILED;
		recipient->outcome.stage = OUTCOME_LOCALLY;
		memcpy(recipient->outcome.enhanced, bad_address, sizeof(bad_address));
		outcome_set_text(&recipient->outcome, buf_str(&err.text));
	}
	order->cursor = i + 1;
	err_clear(&err);
	return ACT_GO_ON;
}

static int
act_data(struct dialog *d)
{
	d->sending->is_data_sent = true;
	send_simple(d, STAGE_DATA, NULL);
	return ACT_GO_ON;
}

/* The whole text is on its way: the order waits for its final reply. */
static void
finish_text(struct dialog *d)
{
	struct order *order = d->sending;
	struct buf text = {0};

	buf_printf(&text, "(%lld octets of message)", (long long)order->message->wire_size);
	transcript_add(d, "C: ", buf_str(&text));
	buf_free(&text);
	order->is_text_out = true;
	d->sending = NULL;
	order_append(&d->awaiting, order);
}

static int
act_text(struct dialog *d)
{
	struct order *order = d->sending;

	if (order->n_accepted > 0 && !order->is_refused)
		return WANT_BODY;
	/* 354 although nobody was accepted: the lone dot gets out of it (RFC 2920 3.1). */
	dot_end(&order->dot, &d->out);
	transcript_add(d, "C: ", STR("."));
	act_await(d, STAGE_END, order, 0);
	d->sending = NULL;
	order_append(&d->awaiting, order);
	return ACT_GO_ON;
}

static void
begin_chunk(struct dialog *d, struct order *order)
{
	bool is_small = order->message->wire_size <= DIALOG_CHUNK_IN_GROUP;
	int64_t size = is_small || order->wire_left < DIALOG_CHUNK_SIZE ? order->wire_left : DIALOG_CHUNK_SIZE;
	bool is_last = size == order->wire_left;
	size_t before = d->out.size;

	command_add_bdat(&d->out, size, is_last);
	act_await(d, is_last ? STAGE_END : STAGE_CHUNK, order, d->out.size - before);
	transcript_add(d, "C: ", str_from(buf_str(&d->out), before));
	order->chunk_left = size;
	order->wire_left -= size;
}

static int
act_chunk(struct dialog *d)
{
	struct order *order = d->sending;
	size_t size;

	if (order->chunk_left == 0)
		begin_chunk(d, order);
	size = (int64_t)order->text.size < order->chunk_left ? order->text.size : (size_t)order->chunk_left;
	buf_add(&d->out, order->text.data, size);
	buf_consume(&order->text, size);
	order->chunk_left -= (int64_t)size;
	if (order->chunk_left > 0)
		return WANT_BODY;
	if (order->wire_left == 0)
		finish_text(d);
	return ACT_GO_ON;
}

static int
act_quit(struct dialog *d)
{
	send_simple(d, STAGE_QUIT, NULL);
	d->has_quit = true;
	return ACT_GO_ON;
}

int
act_on_stage(struct dialog *d, enum dialog_stage stage)
{
	switch (stage) {
	case STAGE_EHLO:
	case STAGE_HELO:
	case STAGE_LHLO:
		send_simple(d, stage, d->demand->client_name);
		return ACT_GO_ON;
	case STAGE_STARTTLS:
		return act_starttls(d);
	case STAGE_AUTH:
		return act_auth(d);
	case STAGE_ETRN:
		return act_etrn(d);
	case STAGE_RSET:
		return act_rset(d);
	case STAGE_MAIL:
		return act_mail(d);
	case STAGE_RCPT:
		return act_rcpt(d);
	case STAGE_DATA:
		return act_data(d);
	case STAGE_CHUNK:
		return act_chunk(d);
	case STAGE_TEXT:
		return act_text(d);
	case STAGE_QUIT:
		return act_quit(d);
	default:
		return WANT_ORDER;
	}
}

void
dialog_hide(struct dialog *d, struct str secret)
{
	struct buf grown = {0};

	if (secret.size < HIDDEN_LEAST)
		return;
	/* A buf that grows by itself would leave a copy behind. */
	buf_reserve(&grown, d->hidden.size + secret.size + 1);
	buf_add_str(&grown, buf_str(&d->hidden));
	buf_add_str(&grown, secret);
	buf_add_char(&grown, '\n');
	buf_wipe(&d->hidden);
	d->hidden = grown;
}

void
dialog_auth_begin(struct dialog *d, const char *mechanism, const char *initial, bool *is_initial_sent)
{
	size_t before = d->out.size;
	struct buf shown = {0};
	struct err err = {0};

	if (command_add_auth(&d->out, mechanism, initial, is_initial_sent, &err)) {
		act_await(d, STAGE_AUTH, NULL, d->out.size - before);
		dialog_hide(d, str_of(initial));
		buf_printf(&shown, "AUTH %s%s", mechanism, *is_initial_sent ? " (hidden)" : "");
		transcript_add(d, "C: ", buf_str(&shown));
		d->auth = DIALOG_AUTH_ASKED;
	} else
		answer_fail(d, err.exit_code, OUTCOME_AT_AUTH, buf_text(&err.text));
	buf_free(&shown);
	err_clear(&err);
}

void
dialog_auth_answer(struct dialog *d, struct str line)
{
	buf_reserve(&d->out, line.size + 2);
	buf_add_str(&d->out, line);
	buf_add_text(&d->out, "\r\n");
	dialog_hide(d, line);
	transcript_add(d, "C: ", STR("(hidden)"));
	act_await(d, STAGE_AUTH, NULL, line.size + 2);
	d->auth = DIALOG_AUTH_ASKED;
}

void
dialog_auth_cancel(struct dialog *d, struct err *err)
{
	buf_add_text(&d->out, "*\r\n");
	transcript_add(d, "C: ", STR("*"));
	act_await(d, STAGE_AUTH, NULL, 3);
	dialog_give_up(d, OUTCOME_AT_AUTH, err);
}

void
dialog_text(struct dialog *d, struct str text)
{
	struct order *order = d->sending;

	order->text_offset += (int64_t)text.size;
	dot_add(&order->dot, text, !order->is_chunked, order->is_chunked ? &order->text : &d->out);
}

void
dialog_text_end(struct dialog *d)
{
	struct order *order = d->sending;

	if (order->is_chunked) {
		/* The sizes that were announced do not agree with the bytes that came: nothing can be right any more. */
		answer_fail(d, EX_SOFTWARE, OUTCOME_AT_DATA, "the message changed while it was sent");
		d->is_dead = true;
		return;
	}
	dot_end(&order->dot, &d->out);
	act_await(d, STAGE_END, order, 0);
	finish_text(d);
}
