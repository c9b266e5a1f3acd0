/* report.c - what happened to a parcel, in words. Pure. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "deliver/advice.h"
#include "deliver/report.h"

static void
add_context(struct buf *b, const struct delivery *delivery, const struct parcel *parcel)
{
	if (delivery->n_parcels > 1)
		buf_printf(b, "%s: ", parcel->name);
	buf_printf(b, "account %s: ", delivery->account->id);
}

static void
add_reply(struct buf *b, const struct outcome *outcome)
{
	if (outcome->reply_code != 0)
		buf_printf(b, "%d ", outcome->reply_code);
	if (outcome->enhanced[0] != 0)
		buf_printf(b, "%u.%u.%u ", outcome->enhanced[0], outcome->enhanced[1], outcome->enhanced[2]);
	buf_add_text(b, outcome->text);
}

static bool
is_same_fate(const struct outcome *a, const struct outcome *b)
{
	return a->state == b->state && a->stage == b->stage && a->reply_code == b->reply_code && strcmp(a->text, b->text) == 0;
}

/* Was this fate told with an earlier recipient? What happens at RCPT is about each recipient by itself. */
static bool
was_told(const struct envelope *envelope, size_t i)
{
	const struct outcome *outcome = &envelope->recipients[i].outcome;

	if (outcome->stage == OUTCOME_AT_RCPT)
		return false;
	for (size_t k = 0; k < i; k++)
		if (is_same_fate(&envelope->recipients[k].outcome, outcome))
			return true;
	return false;
}

static size_t
count_fate(const struct envelope *envelope, const struct outcome *fate)
{
	size_t n = 0;

	for (size_t i = 0; i < envelope->n_recipients; i++)
		n += is_same_fate(&envelope->recipients[i].outcome, fate);
	return n;
}

static void
add_problem(struct buf *b, const struct envelope *envelope, const struct recipient *recipient)
{
	const struct outcome *outcome = &recipient->outcome;
	size_t n_alike = outcome->stage == OUTCOME_AT_RCPT ? 1 : count_fate(envelope, outcome);

	if (outcome->host[0] != '\0')
		buf_printf(b, "%s: ", outcome->host);
	err_add_clean(b, str_of(recipient->mailbox));
	if (n_alike > 1)
		buf_printf(b, " and %zu more recipient%s", n_alike - 1, n_alike > 2 ? "s" : "");
	buf_printf(b, " %s (%s): ", outcome->state == OUTCOME_FAILED ? "refused" : "not delivered now",
	           outcome_stage_name(outcome->stage));
	add_reply(b, outcome);
	buf_add_char(b, '\n');
}

static bool
is_session_failure(const struct delivery *delivery, const struct outcome *outcome)
{
	/* Each destination has its own: the outcomes tell. */
	if (delivery->account->delivery == DELIVER_DIRECT)
		return false;
	return err_is_set(&delivery->failure) && outcome->state == OUTCOME_DEFERRED && outcome->stage < OUTCOME_AT_MAIL &&
	       !outcome->may_be_duplicate;
}

void
report_add_problems(struct buf *b, const struct delivery *delivery, const struct parcel *parcel)
{
	const struct envelope *envelope = &parcel->envelope;
	bool has_told_failure = false;

	for (size_t i = 0; i < envelope->n_recipients; i++) {
		const struct recipient *recipient = &envelope->recipients[i];

		if (recipient->outcome.state == OUTCOME_DELIVERED || was_told(envelope, i))
			continue;
		if (recipient->outcome.state != OUTCOME_FAILED && parcel->queue_id != NULL)
			continue;
		if (!is_session_failure(delivery, &recipient->outcome)) {
			add_context(b, delivery, parcel);
			add_problem(b, envelope, recipient);
		} else if (!has_told_failure) {
			add_context(b, delivery, parcel);
			if (recipient->outcome.host[0] != '\0')
				buf_printf(b, "%s: ", recipient->outcome.host);
			buf_printf(b, "%s\n", buf_text(&delivery->failure.text));
			has_told_failure = true;
		}
	}
}

void
report_add_success(struct buf *b, const struct parcel *parcel)
{
	size_t n = parcel->envelope.n_recipients;

	buf_printf(b, "%zu recipient%s: ", n, n == 1 ? "" : "s");
	if (n > 0)
		add_reply(b, &parcel->envelope.recipients[0].outcome);
}

const char *
report_failure_hint(const struct account *account, const struct outcome *why, const struct err *failure)
{
	return failure->hint.size > 0 ? buf_text(&failure->hint) : advice_for(account, why);
}

/* With several destinations it is the one that the recipient is at whose failure has something to say. */
static const char *
hint_about(const struct delivery *delivery, const struct outcome *outcome)
{
	for (size_t i = 0; i < delivery->n_ends; i++) {
		const struct delivery_end *end = &delivery->ends[i];

		if (end->failure.hint.size > 0 && strcmp(end->why.text, outcome->text) == 0)
			return buf_text(&end->failure.hint);
	}
	return advice_for(delivery->account, outcome);
}

const char *
report_hint(const struct delivery *delivery, const struct parcel *parcel)
{
	const char *hint = NULL;

	if (delivery->n_ends <= 1 && delivery->failure.hint.size > 0)
		return buf_text(&delivery->failure.hint);
	for (size_t i = 0; i < parcel->envelope.n_recipients && hint == NULL; i++)
		if (parcel->envelope.recipients[i].outcome.state != OUTCOME_DELIVERED)
			hint = hint_about(delivery, &parcel->envelope.recipients[i].outcome);
	return hint;
}

/* --- the log -------------------------------------------------------------------------------------------------------- */

/* msmtp's quoting: nothing that could end the value or the line. */
static void
add_quoted(struct buf *b, const char *text)
{
	struct buf clean = {0};

	err_add_clean(&clean, str_of(text));
	buf_add_char(b, '\'');
	for (size_t i = 0; i < clean.size; i++)
		buf_add_char(b, clean.data[i] == '\'' ? '?' : clean.data[i]);
	buf_add_char(b, '\'');
	buf_free(&clean);
}

/* The outcome that says most about the attempt: the worst one. */
static const struct outcome *
worst_outcome(const struct envelope *envelope)
{
	const struct outcome *worst = NULL;

	for (size_t i = 0; envelope != NULL && i < envelope->n_recipients; i++) {
		const struct outcome *outcome = &envelope->recipients[i].outcome;

		if (worst == NULL || outcome->state > worst->state)
			worst = outcome;
	}
	return worst;
}

static void
add_account(struct buf *b, const struct account *account, bool is_tls_used)
{
	bool is_tls_a_must = account->tls && account->delivery != DELIVER_DIRECT;

	if (account->socket != NULL && account->socket[0] != '\0')
		buf_printf(b, "socket=%s ", account->socket);
	else
		buf_printf(b, "host=%s ", account->host != NULL ? account->host : "");
	buf_printf(b, "tls=%s auth=%s ", is_tls_used || is_tls_a_must ? "on" : "off", account->auth != AUTH_OFF ? "on" : "off");
	if (account->auth != AUTH_OFF && account->user != NULL)
		buf_printf(b, "user=%s ", account->user);
}

static void
add_envelope(struct buf *b, const struct envelope *envelope)
{
	buf_add_text(b, "from=");
	err_add_clean(b, str_of(envelope->reverse_path));
	buf_add_text(b, " recipients=");
	for (size_t i = 0; i < envelope->n_recipients; i++) {
		if (i > 0)
			buf_add_char(b, ',');
		err_add_clean(b, str_of(envelope->recipients[i].mailbox));
	}
	buf_add_char(b, ' ');
}

void
report_add_log(struct buf *b, const struct report_line *line)
{
	const struct outcome *worst = worst_outcome(line->envelope);
	struct buf reply = {0};

	if (line->account != NULL)
		add_account(b, line->account, line->is_tls_used);
	if (line->envelope != NULL && line->envelope->reverse_path != NULL)
		add_envelope(b, line->envelope);
	if (line->exit_code == EX_OK && line->message != NULL)
		buf_printf(b, "mailsize=%" PRId64 " ", line->message->size);
	if (worst != NULL && worst->reply_code != 0) {
		buf_printf(b, "smtpstatus=%d smtpmsg=", worst->reply_code);
		add_reply(&reply, worst);
		add_quoted(b, buf_text(&reply));
		buf_add_char(b, ' ');
	}
	if (line->queue_id != NULL)
		buf_printf(b, "queueid=%s ", line->queue_id);
	if (line->error != NULL && line->error[0] != '\0') {
		buf_add_text(b, "errormsg=");
		add_quoted(b, line->error);
		buf_add_char(b, ' ');
	}
	buf_printf(b, "exitcode=%s", err_exit_name(line->exit_code));
	buf_free(&reply);
}

static void
add_json_enhanced(struct json *json, const struct outcome *outcome)
{
	char text[24];

	snprintf(text, sizeof(text), "%u.%u.%u", outcome->enhanced[0], outcome->enhanced[1], outcome->enhanced[2]);
	json_add_text(json, "enhanced", outcome->enhanced[0] != 0 ? text : NULL);
}

static void
add_json_recipients(struct json *json, const struct envelope *envelope)
{
	json_begin_array(json, "recipients");
	for (size_t i = 0; i < envelope->n_recipients; i++) {
		const struct recipient *recipient = &envelope->recipients[i];

		json_begin_object(json, NULL);
		json_add_text(json, "address", recipient->mailbox);
		json_add_text(json, "state", outcome_state_name(recipient->outcome.state));
		json_add_number(json, "code", recipient->outcome.reply_code);
		add_json_enhanced(json, &recipient->outcome);
		json_add_text(json, "text", recipient->outcome.text);
		json_end(json);
	}
	json_end(json);
}

void
report_add_json(struct buf *b, const struct report_line *line, time_t when)
{
	struct json json = {.out = b};
	struct buf time_text = {0};

	clock_add_timestamp(&time_text, when);
	json_begin_object(&json, NULL);
	json_add_text(&json, "schema", "mailcrane.attempt/1");
	json_add_text(&json, "time", buf_text(&time_text));
	json_add_text(&json, "account", line->account != NULL ? line->account->id : NULL);
	json_add_text(&json, "host", line->account != NULL ? line->account->host : NULL);
	json_add_bool(&json, "tls", line->is_tls_used);
	if (line->envelope != NULL && line->envelope->reverse_path != NULL) {
		json_add_text(&json, "envelope_from", line->envelope->reverse_path);
		add_json_recipients(&json, line->envelope);
	}
	json_add_text(&json, "message_id", line->message_id);
	json_add_text(&json, "queue_id", line->queue_id);
	if (line->message != NULL)
		json_add_number(&json, "size", line->message->size);
	json_add_text(&json, "error", line->error != NULL && line->error[0] != '\0' ? line->error : NULL);
	json_add_number(&json, "exit_code", line->exit_code);
	json_end(&json);
	buf_free(&time_text);
}
