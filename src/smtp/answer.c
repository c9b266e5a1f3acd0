/* answer.c - what replies mean. Pure. */

#include "config.h"

#include <string.h>

#include "smtp/answer.h"
#include "smtp/stage.h"

/* Returns false when the same command has more answers to come (LMTP after the text). */
typedef bool answer_function(struct dialog *d, struct dialog_pending *pending);

void
answer_fail(struct dialog *d, int exit_code, enum outcome_stage about, const char *text)
{
	if (err_is_set(&d->failure))
		return;
	err_set(&d->failure, exit_code, "%s", text);
	d->failure_outcome = (struct outcome){.state = OUTCOME_DEFERRED, .stage = about};
	outcome_set_text(&d->failure_outcome, buf_str(&d->failure.text));
}

void
answer_fail_by_reply(struct dialog *d, int exit_code, enum outcome_stage about, const char *what)
{
	struct buf text = {0};

	if (err_is_set(&d->failure))
		return;
	buf_printf(&text, "%s: ", what);
	reply_add_clean(&d->reply, &text);
	answer_fail(d, exit_code, about, buf_text(&text));
	buf_free(&text);
	d->failure_outcome.reply_code = d->reply.code;
	memcpy(d->failure_outcome.enhanced, d->reply.enhanced, sizeof(d->failure_outcome.enhanced));
	outcome_set_text(&d->failure_outcome, buf_str(&d->reply.text));
}

/* A refusal of something the session needs: for now, or with this exit code for good. */
static void
refuse_session(struct dialog *d, const struct dialog_pending *pending, int exit_code)
{
	const struct stage *row = stage_row(pending->stage);
	struct buf what = {0};

	buf_printf(&what, "%s was refused", row->name);
	answer_fail_by_reply(d, reply_class(&d->reply) == 4 ? EX_TEMPFAIL : exit_code, row->about, buf_text(&what));
	buf_free(&what);
}

static void
fail_protocol(struct dialog *d, const struct dialog_pending *pending)
{
	const struct stage *row = stage_row(pending->stage);
	struct buf what = {0};

	buf_printf(&what, "this is no answer to %s: ", row->name);
	reply_add_clean(&d->reply, &what);
	answer_fail(d, EX_PROTOCOL, row->about, buf_text(&what));
	d->is_dead = true;
	buf_free(&what);
}

static bool
is_yes(const struct dialog *d, const struct dialog_pending *pending)
{
	return reply_class(&d->reply) == stage_row(pending->stage)->yes;
}

static bool
is_no(const struct dialog *d)
{
	return reply_class(&d->reply) >= 4;
}

static bool
answer_greeting(struct dialog *d, struct dialog_pending *pending)
{
	buf_add_str(&d->greeting, buf_str(&d->reply.text));
	if (!is_yes(d, pending))
		refuse_session(d, pending, EX_UNAVAILABLE);
	return true;
}

/* An old server does not know EHLO; that may be so when nothing is needed that only EHLO can offer. 521, 554 and 556 refuse the
 * client, not the command (RFC 7504). */
static bool
may_fall_back_to_helo(const struct dialog *d, const struct dialog_pending *pending)
{
	int code = d->reply.code;

	if (pending->stage != STAGE_EHLO || reply_class(&d->reply) != 5)
		return false;
	if (code == 521 || code == 554 || code == 556)
		return false;
	return !d->demand->wants_starttls && !d->demand->wants_auth && !d->is_protected && d->demand->etrn == NULL;
}

/* In the clear anybody may have written REQUIRETLS there; it is offered inside TLS only (RFC 8689 section 2). */
static void
read_caps(struct dialog *d)
{
	caps_read(&d->caps, buf_str(&d->reply.text));
	d->caps.has_requiretls = d->caps.has_requiretls && d->is_protected;
}

static bool
answer_hello(struct dialog *d, struct dialog_pending *pending)
{
	if (is_yes(d, pending)) {
		if (pending->stage != STAGE_HELO)
			read_caps(d);
		d->knows_caps = true;
	} else if (may_fall_back_to_helo(d, pending))
		d->must_use_helo = true;
	else
		refuse_session(d, pending, EX_UNAVAILABLE);
	return true;
}

static bool
answer_starttls(struct dialog *d, struct dialog_pending *pending)
{
	if (!is_yes(d, pending)) {
		d->was_tls_refused = d->demand->tries_starttls && d->reply.code != 421;
		if (!d->was_tls_refused)
			refuse_session(d, pending, EX_UNAVAILABLE);
	} else if (d->in.size > 0) {
		/* Whoever sends more in the clear wants it to be taken for an answer given under TLS. */
		answer_fail(d, EX_PROTOCOL, OUTCOME_AT_TLS,
		            "the server sent more than its answer to STARTTLS: somebody may be tampering with the connection");
		d->is_dead = true;
	} else
		d->is_tls_agreed = true;
	return true;
}

/* A mechanism or the whole command is unknown; anything else at 5yz is about the credentials. */
static int
auth_refusal_exit(int code)
{
	return code == 500 || code == 502 || code == 503 || code == 504 ? EX_UNAVAILABLE : EX_NOPERM;
}

static bool
answer_auth(struct dialog *d, struct dialog_pending *pending)
{
	/* The line that was sent is still there, and would be copied about as the buffer grows. */
	buf_wipe_rest(&d->out);
	if (err_is_set(&d->failure))
		return true; /* answered "*": whatever comes, it is over */
	if (d->reply.code == 334) {
		buf_clear(&d->challenge);
		buf_add_str(&d->challenge, str_trim(buf_str(&d->reply.text)));
		d->auth = DIALOG_AUTH_CHALLENGED;
	} else if (d->reply.code == 235)
		d->auth = DIALOG_AUTH_ACCEPTED;
	else if (is_no(d))
		refuse_session(d, pending, auth_refusal_exit(d->reply.code));
	else
		fail_protocol(d, pending);
	return true;
}

static bool
answer_etrn(struct dialog *d, struct dialog_pending *pending)
{
	if (!is_yes(d, pending))
		refuse_session(d, pending, EX_UNAVAILABLE);
	return true;
}

static bool
answer_rset(struct dialog *d, struct dialog_pending *pending)
{
	if (!is_yes(d, pending))
		refuse_session(d, pending, EX_TEMPFAIL);
	return true;
}

static bool
answer_mail(struct dialog *d, struct dialog_pending *pending)
{
	struct order *order = pending->order;

	if (is_yes(d, pending))
		return true;
	/* "Nested MAIL" behind a refused chunk is about that chunk: this order begins again after RSET. */
	if (!order->is_behind_refusal || d->reply.code != 503)
		order_settle_pending(order, OUTCOME_AT_MAIL, &d->reply);
	order->is_refused = true;
	return true;
}

static bool
answer_rcpt(struct dialog *d, struct dialog_pending *pending)
{
	struct order *order = pending->order;

	if (order->is_refused)
		order->n_answered++; /* the consequence of a refused MAIL */
	else
		order_record_rcpt(order, pending->recipient, &d->reply);
	return true;
}

static bool
answer_data(struct dialog *d, struct dialog_pending *pending)
{
	struct order *order = pending->order;

	if (is_yes(d, pending)) {
		order->may_send_text = true;
		/* MAIL was refused, and yet the text is wanted: any command would be taken for it. */
		d->is_dead = order->is_refused;
		return true;
	}
	if (!order->is_refused)
		order_settle_accepted(order, OUTCOME_AT_DATA, &d->reply);
	order->is_refused = true;
	return true;
}

/* CHUNKING was offered, yet BDAT is not understood (seen behind filtering firewalls): DATA, once. */
static bool
has_fallen_back_to_data(struct dialog *d, struct order *order)
{
	int code = d->reply.code;

	if (order->is_without_chunking || order->is_final || order->n_accepted == 0)
		return false;
	if (code != 500 && code != 502 && code != 503)
		return false;
	d->caps.has_chunking = false;
	order->is_without_chunking = true;
	order->is_refused = true;
	return true;
}

/* After a refused chunk the state of the transaction is open until RSET (RFC 3030 section 2). */
static void
note_refused_chunk(struct dialog *d, const struct order *order)
{
	struct order *behind = order->next != NULL ? order->next : d->sending;

	if (behind == NULL || !behind->is_mail_sent)
		d->is_reset_needed = true;
	else
		behind->is_behind_refusal = true;
}

/* Was a chunk taken that is still being sent? */
static bool
is_too_early(struct dialog *d, const struct dialog_pending *pending)
{
	const struct order *order = pending->order;

	if (!is_yes(d, pending) || order->chunk_left == 0 || order->n_unanswered > 1)
		return false;
	answer_fail(d, EX_PROTOCOL, OUTCOME_AT_END, "the server took the message before it had all of it");
	d->is_dead = true;
	return true;
}

static bool
answer_chunk(struct dialog *d, struct dialog_pending *pending)
{
	struct order *order = pending->order;

	if (is_too_early(d, pending) || is_yes(d, pending) || order->is_refused || has_fallen_back_to_data(d, order))
		return true;
	order_settle_accepted(order, OUTCOME_AT_END, &d->reply);
	order->is_refused = true;
	return true;
}

/* LMTP answers once for each accepted recipient (RFC 2033 4.2), and at least once. */
static bool
answer_end_lmtp(struct dialog *d, struct order *order)
{
	size_t recipient = order_next_accepted(order);

	if (recipient < order->envelope->n_recipients)
		order_settle_one(order, recipient, OUTCOME_AT_END, &d->reply);
	return order_next_accepted(order) == order->envelope->n_recipients;
}

static bool
answer_end(struct dialog *d, struct dialog_pending *pending)
{
	struct order *order = pending->order;

	if (order->is_chunked && !is_yes(d, pending))
		note_refused_chunk(d, order);
	/* It would begin again, and yet somebody may have got it. */
	if (order->is_refused && order->is_behind_refusal && is_yes(d, pending))
		order_settle_unknown(order, "the server took the message although it had refused its sender: it may be "
		                            "delivered twice");
	if (order->is_refused || order->n_accepted == 0)
		return true; /* nobody is left to whom this answer could matter */
	if (order->is_chunked && has_fallen_back_to_data(d, order))
		return true;
	if (is_too_early(d, pending))
		return true;
	order->is_final = true;
	if (d->demand->is_lmtp)
		return answer_end_lmtp(d, order);
	order_settle_accepted(order, OUTCOME_AT_END, &d->reply);
	return true;
}

static bool
answer_quit(struct dialog *d, struct dialog_pending *pending)
{
	(void)pending;
	d->is_dead = true;
	return true;
}

static answer_function *const answers[] = {
	[STAGE_GREETING] = answer_greeting,
	[STAGE_EHLO] = answer_hello,
	[STAGE_HELO] = answer_hello,
	[STAGE_LHLO] = answer_hello,
	[STAGE_STARTTLS] = answer_starttls,
	[STAGE_AUTH] = answer_auth,
	[STAGE_ETRN] = answer_etrn,
	[STAGE_RSET] = answer_rset,
	[STAGE_MAIL] = answer_mail,
	[STAGE_RCPT] = answer_rcpt,
	[STAGE_DATA] = answer_data,
	[STAGE_CHUNK] = answer_chunk,
	[STAGE_END] = answer_end,
	[STAGE_QUIT] = answer_quit,
};

/* A reply to nothing. In the middle of the text it is an early refusal (seen for size limits): stop sending. Else the server says
 * good-bye, or is confused. */
static void
record_unasked(struct dialog *d)
{
	struct order *order = d->sending;

	d->is_dead = true;
	if (!is_no(d)) {
		answer_fail_by_reply(d, EX_PROTOCOL, OUTCOME_AT_CONNECT, "the server answered something that was not asked");
		return;
	}
	if (order != NULL && order->may_send_text && d->reply.code != 421) {
		order_settle_accepted(order, OUTCOME_AT_END, &d->reply);
		return;
	}
	answer_fail_by_reply(d, EX_TEMPFAIL, OUTCOME_AT_CONNECT, "the server ends the session");
}

/* What a reply may look like at all: yes, no, or one of the two that AUTH has. */
static bool
is_expected(const struct dialog *d, const struct dialog_pending *pending)
{
	if (pending->stage == STAGE_AUTH || pending->stage == STAGE_QUIT)
		return true;
	if (pending->stage == STAGE_DATA && is_yes(d, pending))
		return d->reply.code == 354;
	return is_yes(d, pending) || is_no(d);
}

static void
pop(struct dialog *d)
{
	struct dialog_pending *pending = &d->pending[d->first_pending];

	d->unanswered_size -= pending->size;
	if (pending->order != NULL)
		pending->order->n_unanswered--;
	d->first_pending = (d->first_pending + 1) % DIALOG_PENDING_MOST;
	d->n_pending--;
}

void
answer_record(struct dialog *d)
{
	struct dialog_pending *pending = &d->pending[d->first_pending];
	bool is_closing = d->reply.code == 421;

	if (d->n_pending == 0) {
		record_unasked(d);
		return;
	}
	if (!is_expected(d, pending)) {
		fail_protocol(d, pending);
		return;
	}
	/* 421 ends the session wherever it comes; only after the text is it the answer as well (RFC 5321 3.8). */
	if (is_closing && pending->stage != STAGE_END && pending->stage != STAGE_QUIT) {
		refuse_session(d, pending, EX_TEMPFAIL);
		d->is_dead = true;
		return;
	}
	if (answers[pending->stage](d, pending))
		pop(d);
	/* Behind the last final reply there is nothing left that could fail. */
	if (is_closing && (!d->has_quit || d->n_pending > 1)) {
		answer_fail_by_reply(d, EX_TEMPFAIL, OUTCOME_AT_END, "the server ends the session");
		d->is_dead = true;
	}
}
