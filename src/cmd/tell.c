/* tell.c - what became of the messages of a call, on stderr, on stdout and in the log. */

#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "cmd/log.h"
#include "cmd/talk.h"
#include "cmd/tell.h"
#include "deliver/bounce.h"

static void
log_parcel(const struct submission *s, const struct parcel *parcel, const char *error, int exit_code)
{
	struct report_line line = {
		.account = &s->call->account,
		.envelope = &parcel->envelope,
		.message = parcel->message.is_open ? &parcel->message : NULL,
		.message_id = parcel->message_id,
		.queue_id = parcel->queue_id,
		.error = error,
		.is_tls_used = parcel->is_tls_used,
		.exit_code = exit_code,
		.tag = s->call->request.log_tag,
	};

	if (s->call->has_account)
		log_attempt(s->call->program, &line);
}

int
tell_failure(struct submission *s, struct err *err)
{
	int exit_code = err->exit_code;

	talk_error(s->call->program, err);
	for (size_t i = 0; i < s->delivery.n_parcels; i++)
		log_parcel(s, &s->delivery.parcels[i], buf_text(&err->text), exit_code);
	buf_add_str(&s->trouble, buf_str(&err->text));
	err_clear(err);
	return exit_code;
}

/* Why somebody was put off, for whoever watches at a terminal and for the log. */
static const char *
reason_of(const struct parcel *parcel)
{
	for (size_t i = 0; i < parcel->envelope.n_recipients; i++)
		if (parcel->envelope.recipients[i].outcome.state == OUTCOME_DEFERRED)
			return parcel->envelope.recipients[i].outcome.text;
	return "";
}

/* A script hears nothing of what is taken care of; who sits at a terminal wants to know that it did not go out. */
static void
tell_of_queue(const struct submission *s, const struct parcel *parcel)
{
	const char *hint = report_hint(&s->delivery, parcel);
	struct buf text = {0};

	if (!isatty(STDERR_FILENO))
		return;
	buf_printf(&text, "queued as %s", parcel->queue_id);
	if (reason_of(parcel)[0] != '\0')
		buf_printf(&text, ", will be tried again: %s", reason_of(parcel));
	talk_problems(s->call->program, buf_str(&text));
	if (hint != NULL)
		talk_hint(s->call->program, hint);
	buf_free(&text);
}

static void
tell_problems(const struct submission *s, const struct parcel *parcel)
{
	const char *hint = report_hint(&s->delivery, parcel);
	struct buf text = {0};

	report_add_problems(&text, &s->delivery, parcel);
	talk_problems(s->call->program, buf_str(&text));
	if (hint != NULL && text.size > 0)
		talk_hint(s->call->program, hint);
	if (text.size > 0)
		buf_truncate(&text, text.size - 1);
	else if (parcel->queue_id != NULL)
		buf_add_text(&text, reason_of(parcel));
	log_parcel(s, parcel, buf_text(&text), parcel->exit_code);
	buf_free(&text);
}

static void
tell_parcel(const struct submission *s, const struct parcel *parcel)
{
	const char *warning = mime_warning(&parcel->encoding);
	struct buf text = {0};

	if (warning != NULL && envelope_count(&parcel->envelope, OUTCOME_DELIVERED) > 0)
		log_warning(s->call, warning);
	tell_problems(s, parcel);
	if (parcel->queue_id != NULL)
		tell_of_queue(s, parcel);
	if (s->delivery.n_parcels == 1 || parcel->exit_code != EX_OK)
		return;
	/* Of several messages each is told about, so that nobody has to guess which ones a failure left out. */
	if (parcel->queue_id != NULL)
		buf_printf(&text, "queued as %s", parcel->queue_id);
	else
		report_add_success(&text, parcel);
	printf("%s: %s\n", parcel->name, buf_text(&text));
	buf_free(&text);
}

/* What failed since the last time is told at a terminal, where somebody reads it. */
static void
tell_of_bounces(struct submission *s)
{
	size_t n = s->outbox.is_open && isatty(STDERR_FILENO) ? bounce_count(&s->outbox.spool) : 0;
	struct buf text = {0};

	if (n == 0)
		return;
	buf_printf(&text, "%zu notification%s about mail that was not delivered: see %s/bounces/new", n, n == 1 ? "" : "s",
	           s->outbox.spool.path);
	talk_hint(s->call->program, buf_text(&text));
	buf_free(&text);
}

/* Programs take any output for a failure. */
static void
tell_warnings(struct submission *s)
{
	struct buf *warnings = &s->outbox.spool.warnings;

	if (isatty(STDERR_FILENO))
		talk_warnings(s->call->program, warnings);
	else if (warnings->size > 0)
		log_alert(s->call->program, &s->call->account, buf_text(warnings));
	buf_clear(warnings);
}

int
tell_outcomes(struct submission *s)
{
	int exit_code = EX_OK;

	for (size_t i = 0; i < s->delivery.n_parcels; i++) {
		tell_parcel(s, &s->delivery.parcels[i]);
		exit_code = outcome_worse_exit(exit_code, s->delivery.parcels[i].exit_code);
	}
	tell_of_bounces(s);
	tell_warnings(s);
	return exit_code;
}
