/* dialog.c - the client's side of SMTP and LMTP: from facts to the next command. Pure. */

#include "config.h"

#include <string.h>

#include "smtp/act.h"
#include "smtp/answer.h"
#include "smtp/command.h"
#include "smtp/dialog.h"
#include "smtp/objection.h"
#include "smtp/permit.h"
#include "smtp/stage.h"
#include "smtp/transcript.h"

/* --- transactions ---------------------------------------------------------------------------------------------- */

static bool
is_chunk_unanswered(const struct dialog *d)
{
	for (const struct order *order = d->awaiting; order != NULL; order = order->next)
		if (order->is_chunked)
			return true;
	return false;
}

static void
begin_order(struct dialog *d, struct order *order)
{
	if (objection_settles(d, order)) {
		order_append(&d->finished, order);
		return;
	}
	order_begin(order, d->caps.has_chunking && d->demand->may_chunk);
	/* Its text may ride behind a chunk that is refused, while that transaction is open still: then this MAIL would fail and
	 * RCPT add recipients to the wrong message. RSET ends whatever there is. */
	if (d->demand->depth > 1 && is_chunk_unanswered(d))
		d->is_reset_needed = true;
	order->uses_smtputf8 = d->caps.has_smtputf8 && command_needs_smtputf8(order->envelope, order->message);
	d->sending = order;
	d->n_transactions++;
}

bool
dialog_has_room(const struct dialog *d)
{
	if (err_is_set(&d->failure) || d->is_dead || d->has_quit)
		return false;
	return d->caps.mail_most == 0 || d->n_transactions < d->caps.mail_most;
}

static bool
has_recipient_to_ask(struct dialog *d, struct order *order)
{
	if (d->caps.rcpt_most > 0 && order->n_asked >= d->caps.rcpt_most)
		return false;
	return order_next_recipient(order) < order->envelope->n_recipients;
}

/* Can nothing more of this transaction be sent, although its text was not? */
static bool
is_over(struct dialog *d, struct order *order)
{
	if (order->n_unanswered > 0 || order->chunk_left > 0 || !order->is_mail_sent)
		return false;
	if (order->is_refused)
		return true;
	return !has_recipient_to_ask(d, order) && order->n_accepted == 0 && !order->may_send_text;
}

static void
close_transaction(struct dialog *d, struct order *order)
{
	if (order_needs_another(order) && dialog_has_room(d))
		order_append(&d->again, order);
	else
		order_append(&d->finished, order);
}

static void
close_transactions(struct dialog *d)
{
	struct order *order = d->sending;

	if (order != NULL && is_over(d, order)) {
		d->sending = NULL;
		d->is_reset_needed = true;
		close_transaction(d, order);
	}
	while (d->awaiting != NULL && d->awaiting->n_unanswered == 0)
		close_transaction(d, order_take_first(&d->awaiting));
	if (d->sending == NULL && d->again != NULL && dialog_has_room(d))
		begin_order(d, order_take_first(&d->again));
}

/* The session ends: every order goes back to the caller as it is. */
static void
release_orders(struct dialog *d)
{
	/* 421 in place of an answer says that what rode behind was not taken; but of an LMTP message with that answer for one
	 * recipient the others may have it. */
	bool is_known = d->failure_outcome.reply_code == 421;
	struct order *order;

	while ((order = order_take_first(&d->awaiting)) != NULL) {
		if (!is_known || order->is_final)
			order_settle_unknown(order,
			                     "the connection was lost after the message was sent: it may be delivered twice");
		order_append(&d->finished, order);
	}
	while ((order = order_take_first(&d->again)) != NULL)
		order_append(&d->finished, order);
	if (d->sending != NULL)
		order_append(&d->finished, d->sending);
	d->sending = NULL;
}

/* --- from facts to the next stage ------------------------------------------------------------------------------ */

static enum dialog_stage
next_order_stage(struct dialog *d, struct order *order)
{
	if (d->is_reset_needed)
		return STAGE_RSET;
	if (!order->is_mail_sent)
		return STAGE_MAIL;
	if (!order->is_refused && has_recipient_to_ask(d, order))
		return STAGE_RCPT;
	if (order->is_chunked)
		return STAGE_CHUNK;
	return order->is_data_sent ? STAGE_TEXT : STAGE_DATA;
}

static bool
must_start_tls(const struct dialog *d)
{
	if (d->is_protected)
		return false;
	return d->demand->wants_starttls || (d->demand->tries_starttls && d->caps.has_starttls && !d->was_tls_refused);
}

static enum dialog_stage
next_stage(struct dialog *d)
{
	if (err_is_set(&d->failure))
		return STAGE_QUIT;
	if (!d->knows_caps)
		return d->demand->is_lmtp ? STAGE_LHLO : d->must_use_helo ? STAGE_HELO : STAGE_EHLO;
	if (must_start_tls(d))
		return STAGE_STARTTLS;
	if (d->demand->wants_auth && d->auth != DIALOG_AUTH_DONE)
		return STAGE_AUTH;
	if (d->demand->etrn != NULL && !d->has_asked_etrn)
		return STAGE_ETRN;
	if (d->sending != NULL)
		return next_order_stage(d, d->sending);
	return d->has_no_more_orders || !dialog_has_room(d) ? STAGE_QUIT : STAGE_ORDER;
}

/* Atomic orders: one refused recipient ends the transaction before any text is sent. */
static void
enforce_atomic(struct dialog *d)
{
	struct order *order = d->sending;

	if (!d->demand->is_atomic || order == NULL || order->is_refused || !order->is_mail_sent || order->n_unanswered > 0 ||
	    has_recipient_to_ask(d, order) || order->is_data_sent || order->text_offset > 0)
		return;
	if (order->n_accepted == order->envelope->n_recipients)
		return;
	order_refuse_rest(order);
	order->is_refused = true;
}

/* --- the loop ---------------------------------------------------------------------------------------------------- */

static enum dialog_stage
stage_waited_for(const struct dialog *d)
{
	if (d->sending != NULL && d->sending->may_send_text)
		return STAGE_TEXT;
	return d->n_pending > 0 ? d->pending[d->first_pending].stage : STAGE_TEXT;
}

static void
read_replies(struct dialog *d)
{
	while (!d->is_dead && !d->is_tls_agreed && d->in.size > 0) {
		const char *why = NULL;
		enum reply_status status = reply_read(&d->reply, &d->in, &why);

		if (status == REPLY_INCOMPLETE)
			return;
		if (status == REPLY_MALFORMED) {
			/* After QUIT it does not matter any more. */
			if (!d->has_quit || stage_waited_for(d) != STAGE_QUIT)
				answer_fail(d, EX_PROTOCOL, stage_row(stage_waited_for(d))->about, why);
			d->is_dead = true;
			return;
		}
		d->n_replies++;
		/* A challenge is data for the mechanism, and is not shown anyway. */
		if (d->reply.code != 334)
			transcript_hide(&d->reply.text, buf_str(&d->hidden));
		transcript_add_reply(d);
		answer_record(d);
	}
}

/* In the middle of a text nothing else can be said, so a failure there ends the connection without QUIT. */
static bool
is_inside_text(const struct dialog *d)
{
	const struct order *order = d->sending;

	return order != NULL && (order->chunk_left > 0 || order->may_send_text);
}

/* The answer to a chunk came before the chunk was sent whole: a refusal, and the rest is not wanted. */
static bool
is_chunk_unwanted(const struct dialog *d)
{
	return d->sending != NULL && d->sending->chunk_left > 0 && d->sending->n_unanswered == 0;
}

static bool
is_ended(struct dialog *d)
{
	if (is_chunk_unwanted(d) || (err_is_set(&d->failure) && is_inside_text(d)))
		d->is_dead = true;
	if (d->is_dead || (err_is_set(&d->failure) && d->has_quit))
		return true;
	return d->has_quit && d->n_pending == 1;
}

enum dialog_want
dialog_next(struct dialog *d)
{
	read_replies(d);
	for (;;) {
		enum dialog_stage stage;
		int want;

		enforce_atomic(d);
		close_transactions(d);
		if (is_ended(d)) {
			release_orders(d);
			return WANT_CLOSE;
		}
		stage = next_stage(d);
		if (!permit_stage(d, stage))
			return WANT_REPLY;
		want = act_on_stage(d, stage);
		if (want != ACT_GO_ON)
			return (enum dialog_want)want;
	}
}

void
dialog_start(struct dialog *d, const struct dialog_demand *demand)
{
	struct buf *transcript = d->transcript;

	*d = (struct dialog){.demand = demand, .transcript = transcript};
	d->is_protected = demand->is_protected;
	act_await(d, STAGE_GREETING, NULL, 0);
}

int
dialog_patience(const struct dialog *d)
{
	return stage_row(stage_waited_for(d))->patience;
}

const char *
dialog_doing(const struct dialog *d)
{
	return stage_row(stage_waited_for(d))->name;
}

void
dialog_lost(struct dialog *d, int exit_code, const char *text)
{
	struct buf what = {0};

	d->is_dead = true;
	if (d->has_quit && d->n_pending <= 1)
		return;
	buf_printf(&what, "%s (%s)", text, dialog_doing(d));
	answer_fail(d, exit_code, stage_row(stage_waited_for(d))->about, buf_text(&what));
	buf_free(&what);
}

void
dialog_give_up(struct dialog *d, enum outcome_stage stage, struct err *err)
{
	answer_fail(d, err->exit_code, stage, buf_text(&err->text));
	if (err->hint.size > 0)
		err_hint(&d->failure, "%s", buf_text(&err->hint));
	/* In the middle of a TLS handshake no SMTP can be spoken. */
	d->is_dead = d->is_dead || d->is_tls_agreed;
	err_clear(err);
}

void
dialog_protected(struct dialog *d)
{
	d->is_protected = true;
	d->is_tls_agreed = false;
	d->knows_caps = false;
	d->must_use_helo = false;
	d->auth = DIALOG_AUTH_IDLE;
	caps_free(&d->caps);
}

void
dialog_auth_done(struct dialog *d)
{
	d->auth = DIALOG_AUTH_DONE;
}

void
dialog_take_order(struct dialog *d, struct order *order)
{
	begin_order(d, order);
}

void
dialog_no_more_orders(struct dialog *d)
{
	d->has_no_more_orders = true;
}

void
dialog_wait_for_answers(struct dialog *d)
{
	d->is_waiting = true;
}

struct order *
dialog_completed(struct dialog *d)
{
	struct order *order = d->awaiting;

	while (order != NULL && (!order->is_text_out || order->is_told))
		order = order->next;
	if (order != NULL)
		order->is_told = true;
	return order;
}

void
dialog_withdraw(struct dialog *d, struct order *order, struct err *err)
{
	struct order **link = &d->awaiting;

	while (*link != NULL && *link != order)
		link = &(*link)->next;
	if (*link != NULL) {
		*link = order->next;
		order_append(&d->finished, order);
	}
	dialog_give_up(d, OUTCOME_LOCALLY, err);
	d->is_dead = true;
	buf_clear(&d->out);
}

bool
dialog_is_text_out(const struct dialog *d)
{
	for (const struct order *order = d->awaiting; order != NULL; order = order->next)
		if (order->is_text_out)
			return true;
	return false;
}

struct order *
dialog_finished(struct dialog *d)
{
	return order_take_first(&d->finished);
}

void
dialog_free(struct dialog *d)
{
	buf_wipe(&d->in);
	buf_wipe(&d->out);
	caps_free(&d->caps);
	reply_free(&d->reply);
	buf_free(&d->greeting);
	buf_wipe(&d->challenge);
	buf_wipe(&d->hidden);
	err_clear(&d->failure);
	memset(d, 0, sizeof(*d));
}
