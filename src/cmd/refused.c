/* refused.c - what becomes of a message that a server refused, under the sendmail names. Works on the queue's files. */

#include "config.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/refused.h"
#include "cmd/talk.h"
#include "deliver/bounce.h"

static bool
wants_notification(const struct submission *s)
{
	return s->given != NULL || s->call->request.errors == ERRORS_MAIL || s->call->request.errors == ERRORS_EXIT;
}

/* The same envelope with those alone who were refused. */
static void
copy_refused(struct envelope *to, const struct envelope *from)
{
	to->reverse_path = mem_copy_string(from->reverse_path);
	to->envid = mem_copy_string(from->envid);
	to->wants_full_return = from->wants_full_return;
	to->wants_headers_return = from->wants_headers_return;
	to->requires_tls = from->requires_tls;
	for (size_t i = 0; i < from->n_recipients; i++) {
		const struct recipient *recipient = &from->recipients[i];
		struct recipient *copy;

		if (recipient->outcome.state != OUTCOME_FAILED || !envelope_add(to, recipient->mailbox))
			continue;
		copy = &to->recipients[to->n_recipients - 1];
		copy->original = mem_copy_string(recipient->original);
		copy->notify = recipient->notify;
		copy->outcome = recipient->outcome;
	}
}

static bool
create_entry(struct submission *s, const struct parcel *parcel, struct entry *entry, struct err *err)
{
	time_t now = time(NULL);
	struct envelope envelope = {0};
	struct entry_content content = {
		.origin = &s->outbox.origin,
		.route = buf_str(&s->outbox.route),
		.envelope = &envelope,
		.message = &parcel->message,
		.message_id = parcel->message_id,
		.created = now,
		.next = now,
		.folder = SPOOL_FAILED,
	};
	bool is_made;

	copy_refused(&envelope, &parcel->envelope);
	is_made = entry_create(entry, &s->outbox.spool, &content, err);
	envelope_free(&envelope);
	return is_made;
}

/* Whatever bounce_to says about mail that fails later: whoever called with -oem asked for this. A client of SMTP did not.
 * True: the sender is told, or will be. */
static bool
notify(struct submission *s, struct entry *entry, struct err *err)
{
	struct account account = {0};
	struct bounce_context context = {
		.spool = &s->outbox.spool,
		.account = &account,
		.route = buf_str(&s->outbox.route),
		.now = time(NULL),
		.tried = time(NULL),
	};
	bool is_done;

	account_copy(&account, &s->call->account);
	if (s->given == NULL) {
		free(account.bounce_to);
		account.bounce_to = mem_copy_string("sender");
	}
	is_done = bounce_failed(&context, entry, err);
	account_free(&account);
	return is_done && (context.way == BOUNCE_QUEUED || (context.way == BOUNCE_KEPT && s->given != NULL));
}

static void
tell_where(const struct submission *s, const struct entry *entry)
{
	struct buf text = {0};

	/* A script has its own idea of how many lines there are. */
	if (!isatty(STDERR_FILENO))
		return;
	buf_printf(&text, "the message is kept: " PACKAGE_NAME " --show=%s, --retry=%s, --remove=%s", entry->id, entry->id, entry->id);
	talk_hint(s->call->program, buf_text(&text));
	buf_free(&text);
}

/* True: a notification is queued. */
static bool
keep_parcel(struct submission *s, const struct parcel *parcel)
{
	struct entry entry = {0};
	struct err err = {0};
	bool is_told = false;

	if (outbox_open(&s->outbox, s->call, true, &err) && create_entry(s, parcel, &entry, &err)) {
		is_told = wants_notification(s) && notify(s, &entry, &err);
		tell_where(s, &entry);
	}
	if (err_is_set(&err)) {
		err_prefix(&err, "the refused message cannot be kept");
		talk_error(s->call->program, &err);
	}
	entry_free(&entry);
	err_clear(&err);
	return is_told;
}

/* A client of SMTP has one answer for all recipients: who was refused beside others is a matter for a notification; with nobody
 * else there, the answer is what tells of it. */
static bool
must_keep(const struct submission *s, const struct envelope *envelope)
{
	size_t n_refused = envelope_count(envelope, OUTCOME_FAILED);
	bool is_for_all = n_refused == envelope->n_recipients;

	if (n_refused == 0)
		return false;
	return s->given != NULL ? !is_for_all : is_for_all || wants_notification(s);
}

bool
refused_keep(struct submission *s)
{
	bool is_all_told = s->given != NULL || s->call->request.errors == ERRORS_EXIT;

	if (s->call->request.name == NAME_MAILCRANE && s->given == NULL)
		return false;
	for (size_t i = 0; i < s->delivery.n_parcels; i++) {
		const struct parcel *parcel = &s->delivery.parcels[i];
		bool has_refused = envelope_count(&parcel->envelope, OUTCOME_FAILED) > 0;
		bool is_left = parcel->queue_id == NULL && envelope_count(&parcel->envelope, OUTCOME_DEFERRED) > 0;

		/* Some other trouble is not for a notification, nor is who was put off and could not be queued. */
		if (is_left || parcel->exit_code != envelope_refusal_code(&parcel->envelope))
			is_all_told = false;
		if (has_refused && (!must_keep(s, &parcel->envelope) || !keep_parcel(s, parcel)))
			is_all_told = false;
	}
	return is_all_told;
}
