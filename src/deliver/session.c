/* session.c - one connection to one host. */

#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "deliver/login.h"
#include "deliver/session.h"

enum {
	CONNECT_SECONDS = 120,      /* for look-up, all addresses and a proxy together, unless there is a `timeout` */
	HANDSHAKE_SECONDS = 120,
	GOODBYE_MS = 250,           /* for the answer to QUIT, which mostly came with the final reply */
	SEND_SIZE = 64 * 1024       /* octets of text to gather before they are sent */
};

static void
show_transcript(struct session *s)
{
	struct str rest = buf_str(&s->transcript), line;

	while (s->watch.show != NULL && str_next_token(&rest, '\n', &line))
		s->watch.show(s->watch.context, line);
	buf_clear(&s->transcript);
}

__attribute__((format(printf, 2, 3))) static void
show(struct session *s, const char *format, ...)
{
	struct buf text = {0};
	va_list arguments;

	if (s->watch.show == NULL)
		return;
	va_start(arguments, format);
	buf_vprintf(&text, format, arguments);
	va_end(arguments);
	buf_add_text(&s->transcript, "* ");
	err_add_clean(&s->transcript, buf_str(&text));
	buf_add_char(&s->transcript, '\n');
	buf_free(&text);
	show_transcript(s);
}

/* The patience for one wait: the account's timeout, if there is one, else what the standard gives. */
static int64_t
patience(const struct session *s, int64_t standard)
{
	return s->account->timeout > 0 ? s->account->timeout : standard;
}

/* A deadline of the session's own, but not behind the limit for all of it. */
static int64_t
within_limit(const struct session *s, int64_t deadline)
{
	return s->limit != 0 ? clock_earlier(s->limit, deadline) : deadline;
}

static void
add_seconds(struct buf *text, int64_t seconds)
{
	buf_printf(text, "%lld second%s", (long long)seconds, seconds == 1 ? "" : "s");
}

static void
end_by_limit(struct session *s)
{
	struct buf text = {0};

	buf_add_text(&text, "no answer within the time for one submission");
	if (s->account->submit_timeout > 0) {
		buf_add_text(&text, " (");
		add_seconds(&text, s->account->submit_timeout);
		buf_add_char(&text, ')');
	}
	dialog_lost(&s->dialog, EX_TEMPFAIL, buf_text(&text));
	buf_free(&text);
}

static void
reach_limit(struct session *s)
{
	enum session_turn turn = SESSION_END;

	if (s->orders.limit != NULL)
		turn = s->orders.limit(s->orders.context, dialog_is_text_out(&s->dialog));
	if (turn == SESSION_LEAVE)
		s->has_left = true;
	else if (turn == SESSION_GO_ON)
		s->limit = 0;
	else
		end_by_limit(s);
}

static void
end_by_silence(struct session *s)
{
	struct buf text = {0};

	buf_add_text(&text, "no answer within ");
	add_seconds(&text, patience(s, dialog_patience(&s->dialog)));
	dialog_lost(&s->dialog, EX_TEMPFAIL, buf_text(&text));
	buf_free(&text);
}

/* Bytes that the dialogue may have to react to arrived, or everything was sent; else the dialogue is told that the peer
 * is lost, or the limit has passed and somebody said what becomes of that. */
static void
exchange(struct session *s, bool wants_input, int64_t own_deadline)
{
	int64_t deadline = within_limit(s, own_deadline);
	struct stream_state state = {0};
	size_t before = s->dialog.in.size;
	struct err err = {0};

	if (stream_exchange(&s->stream, &s->dialog.out, &s->dialog.in, wants_input, deadline, &state, &err)) {
		if (state.is_at_end && s->dialog.in.size == before)
			dialog_lost(&s->dialog, EX_TEMPFAIL, "the server closed the connection");
		return;
	}
	if (state.is_timed_out && deadline == s->limit)
		reach_limit(s);
	else if (state.is_timed_out)
		end_by_silence(s);
	else
		dialog_lost(&s->dialog, err.exit_code, buf_text(&err.text));
	err_clear(&err);
}

/* Each reply has its own absolute deadline, which dripping bytes do not move. */
static void
wait_for_reply(struct session *s)
{
	if (s->deadline == 0 || s->n_replies_seen != s->dialog.n_replies)
		s->deadline = clock_deadline(patience(s, dialog_patience(&s->dialog)));
	s->n_replies_seen = s->dialog.n_replies;
	exchange(s, true, s->deadline);
}

/* What has to be known and told of the server's key, where it is believed for having been met. */
static bool
prepare_acquaintance(struct session *s, struct tls_settings *settings, struct err *err)
{
	if (s->account->tls_tofu && s->watch.tell == NULL)
		return err_set(err, EX_CONFIG, "tls_tofu: there is nobody who could be told of a first contact");
	return acquaint_prepare(&s->acquaint, s->account, s->host, &settings->acquaintance, err);
}

static void
tell_first_contact(struct session *s)
{
	struct buf text = {0};

	if (!s->tls.is_first_contact)
		return;
	acquaint_add_notice(&text, s->account, &s->acquaint, &s->tls);
	s->watch.tell(s->watch.tell_context, buf_text(&text));
	buf_free(&text);
}

static bool
protect(struct session *s, struct err *err)
{
	struct tls_settings settings = s->host->tls_settings;

	settings.fault = &s->tls_fault;
	show(s, "TLS handshake");
	if (!prepare_acquaintance(s, &settings, err) ||
	    !stream_start_tls(&s->stream, &settings,
	                      within_limit(s, clock_deadline(patience(s, HANDSHAKE_SECONDS))), err))
		return false;
	tls_describe(s->stream.tls, &s->tls);
	s->demand.is_verified = s->tls.is_verified;
	tell_first_contact(s);
	show(s, "TLS: %s, certificate %s%s", s->tls.cipher, s->tls.is_verified ? "verified by " : "not verified",
	     s->tls.is_verified ? s->tls.verified_by : "");
	return true;
}

static void
serve_tls(struct session *s)
{
	struct err err = {0};

	if (stream_has_input(&s->stream)) {
		err_set(&err, EX_PROTOCOL, "the server sent more than its answer to STARTTLS: somebody may be tampering with "
		                           "the connection");
		dialog_give_up(&s->dialog, OUTCOME_AT_TLS, &err);
		return;
	}
	if (!protect(s, &err)) {
		dialog_give_up(&s->dialog, OUTCOME_AT_TLS, &err);
		return;
	}
	dialog_protected(&s->dialog);
	s->deadline = 0;
}

/* --- messages ------------------------------------------------------------------------------------------------------- */

static void
serve_order(struct session *s)
{
	enum session_turn turn = SESSION_END;
	struct order *order = NULL;

	if (dialog_has_room(&s->dialog) && s->orders.next != NULL)
		turn = s->orders.next(s->orders.context, &s->dialog.caps, &order);
	if (turn == SESSION_GO_ON)
		dialog_take_order(&s->dialog, order);
	else if (turn == SESSION_LEAVE)
		s->has_left = true;
	else if (turn == SESSION_WAIT && s->dialog.n_pending > 0)
		dialog_wait_for_answers(&s->dialog);
	else
		dialog_no_more_orders(&s->dialog);
}

/* Whose text is complete in `out` must be known before a byte of that leaves. */
static void
tell_completed(struct session *s)
{
	struct order *order;
	struct err err = {0};

	while ((order = dialog_completed(&s->dialog)) != NULL)
		if (s->orders.sending != NULL && !s->orders.sending(s->orders.context, order, &err))
			dialog_withdraw(&s->dialog, order, &err);
}

static void
serve_text(struct session *s)
{
	const struct order *order = s->dialog.sending;
	struct err err = {0};
	char *bytes;
	ssize_t size;

	if (s->dialog.out.size >= SEND_SIZE) {
		/* Bytes that come meanwhile do not move the deadline of what goes. */
		if (s->send_deadline == 0)
			s->send_deadline = clock_deadline(patience(s, dialog_patience(&s->dialog)));
		exchange(s, false, s->send_deadline);
		if (s->has_left)
			return;
		if (s->dialog.out.size < SEND_SIZE)
			s->send_deadline = 0;
		s->deadline = 0;
		if (s->watch.progress != NULL)
			s->watch.progress(s->watch.progress_context, order->text_offset, order->message->size);
		return;
	}
	bytes = buf_reserve(&s->text, DIALOG_TEXT_STEP);
	size = message_bytes(order->message, order->text_offset, bytes, DIALOG_TEXT_STEP, &err);
	if (size < 0)
		dialog_give_up(&s->dialog, OUTCOME_AT_DATA, &err);
	else if (size == 0) {
		dialog_text_end(&s->dialog);
		tell_completed(s);
	} else
		dialog_text(&s->dialog, str_make(bytes, (size_t)size));
}

static void
hand_back_finished(struct session *s)
{
	struct order *order;

	while ((order = dialog_finished(&s->dialog)) != NULL)
		if (s->orders.finished != NULL)
			s->orders.finished(s->orders.context, order, s);
}

/* --- from the first byte to the last ------------------------------------------------------------------------------- */

static void
say_goodbye(struct session *s)
{
	struct stream_state state = {0};
	struct err err = {0};

	if (s->dialog.has_quit && !s->dialog.is_dead)
		stream_exchange(&s->stream, &s->dialog.out, &s->dialog.in, true, within_limit(s, clock_now() + GOODBYE_MS),
		                &state, &err);
	dialog_next(&s->dialog);
	err_clear(&err);
}

static void
converse(struct session *s)
{
	enum dialog_want want = WANT_REPLY;

	while (want != WANT_CLOSE && !s->has_left) {
		want = dialog_next(&s->dialog);
		tell_completed(s);
		hand_back_finished(s);
		show_transcript(s);
		if (s->dialog.is_dead && want != WANT_CLOSE)
			continue;
		switch (want) {
		case WANT_REPLY:
			wait_for_reply(s);
			break;
		case WANT_TLS:
			serve_tls(s);
			break;
		case WANT_AUTH:
			login_serve(s);
			break;
		case WANT_BODY:
			serve_text(s);
			break;
		case WANT_ORDER:
			serve_order(s);
			break;
		case WANT_CLOSE:
			say_goodbye(s);
			break;
		}
	}
	show_transcript(s);
}

static void
state_demand(struct session *s)
{
	const struct account *account = s->account;

	s->demand = (struct dialog_demand){
		.client_name = account->domain,
		.is_lmtp = account->protocol == PROTOCOL_LMTP,
		.is_protected = s->host->tls == ROUTE_TLS_IMPLICIT,
		.wants_starttls = s->host->tls == ROUTE_TLS_STARTTLS,
		.tries_starttls = s->host->tls == ROUTE_TLS_MAY && !s->must_stay_clear,
		.wants_auth = account->auth != AUTH_OFF && !s->is_inquiry,
		.is_atomic = account->atomic,
		.may_pipeline = account->pipelining != PIPELINING_OFF,
		.may_chunk = account->chunking,
		.depth = (unsigned)account->pipeline_depth,
		.etrn = s->etrn,
	};
}

static bool
connect_and_protect(struct session *s, struct outcome *why, struct err *err)
{
	const struct route_host *host = s->host;
	struct connect_target target = host->target;

	why->stage = OUTCOME_AT_CONNECT;
	target.avoid = s->avoid;
	if (!connect_to(&target, within_limit(s, clock_deadline(patience(s, CONNECT_SECONDS))), &s->connection, err))
		return false;
	s->is_connected = true;
	stream_open(&s->stream, s->connection.fd);
	show(s, "connected to %s%s%s", host->name, s->connection.address[0] != '\0' ? " at " : "", s->connection.address);
	if (host->tls != ROUTE_TLS_IMPLICIT)
		return true;
	why->stage = OUTCOME_AT_TLS;
	return protect(s, err);
}

/* What is wrong with the TLS of somebody else's host cannot be mended in our settings: it is tried again later. */
static bool
fail_session(const struct session *s, const struct outcome *why, struct err *err)
{
	if (s->host->is_trouble_temporary && why->stage == OUTCOME_AT_TLS &&
	    (err->exit_code == EX_UNAVAILABLE || err->exit_code == EX_PROTOCOL))
		err->exit_code = EX_TEMPFAIL;
	return false;
}

bool
session_run(struct session *s, struct outcome *why, struct err *err)
{
	*why = (struct outcome){.state = OUTCOME_DEFERRED};
	outcome_set_text(why, STR("the server ended the session before it took the message"));
	state_demand(s);
	if (!connect_and_protect(s, why, err)) {
		outcome_set_text(why, buf_str(&err->text));
		return fail_session(s, why, err);
	}
	if (s->watch.show != NULL)
		s->dialog.transcript = &s->transcript;
	dialog_start(&s->dialog, &s->demand);
	converse(s);
	if (s->has_left) {
		stream_forget(&s->stream);
		return true;
	}
	stream_close(&s->stream);
	if (!err_is_set(&s->dialog.failure))
		return true;
	*why = s->dialog.failure_outcome;
	err_move(err, &s->dialog.failure);
	if (s->history != NULL && why->stage == OUTCOME_AT_AUTH &&
	    (err->exit_code == EX_NOPERM || err->exit_code == EX_PROTOCOL))
		s->history->is_over = true;
	if (why->stage == OUTCOME_AT_AUTH && s->sasl != NULL && sasl_reason(s->sasl)[0] != '\0')
		buf_printf(&err->text, " (%s)", sasl_reason(s->sasl));
	return fail_session(s, why, err);
}

void
session_free(struct session *s)
{
	stream_close(&s->stream);
	dialog_free(&s->dialog);
	sasl_free(s->sasl);
	acquaint_free(&s->acquaint);
	tls_facts_free(&s->tls);
	buf_wipe(&s->initial);
	buf_wipe(&s->binding);
	buf_free(&s->text);
	buf_free(&s->transcript);
	memset(s, 0, sizeof(*s));
}
