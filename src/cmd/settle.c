/* settle.c - what becomes of a queue entry after an attempt. */

#include "config.h"

#include <string.h>
#include <time.h>

#include "cmd/log.h"
#include "cmd/outbox.h"
#include "cmd/settle.h"
#include "cmd/talk.h"
#include "deliver/bounce.h"

/* Removals share a sync of the folder. What is not synced when the power goes may be delivered twice, so there is a
 * bound. */
enum { UNSYNCED_MOST = 64 };

/* A notification that cannot be delivered is not worth as long a time as mail. */
enum { NOTIFICATION_LIFETIME = 2 * 86400 };

static const unsigned short expired_code[3] = {5, 4, 7};

void
settle_lend(struct entry *entry, struct parcel *parcel)
{
	parcel->entry = entry;
	parcel->message = entry->message;
	parcel->envelope = entry->envelope;
	parcel->message_id = entry->message_id;
	entry->message = (struct message){0};
	entry->envelope = (struct envelope){0};
	entry->message_id = NULL;
}

void
settle_take_back(struct entry *entry, struct parcel *parcel)
{
	if (parcel->entry == NULL)
		return;
	entry->message = parcel->message;
	entry->envelope = parcel->envelope;
	entry->message_id = parcel->message_id;
	parcel->message = (struct message){0};
	parcel->envelope = (struct envelope){0};
	parcel->message_id = NULL;
	parcel->entry = NULL;
}

void
settle_sync(const char *program, struct spool *spool)
{
	struct err err = {0};

	if (!spool->is_open || spool->n_unsynced == 0)
		return;
	if (!spool_sync(spool, SPOOL_QUEUE, &err))
		talk_error(program, &err);
	err_clear(&err);
}

/* A disk that fails must not fail the message: it is told, and the entry stays as it is. */
static void
complain(const struct settlement *about, const struct entry *entry, struct err *err)
{
	err_prefix(err, "queue entry %s", entry->id);
	talk_error(about->program, err);
	log_alert(about->program, about->account, buf_text(&err->text));
	err_clear(err);
}

/* --- expiry -------------------------------------------------------------------------------------------------------- */

static void
expire(struct outcome *outcome, int64_t lifetime)
{
	struct buf text = {0};

	buf_printf(&text, "not delivered within %lld hours", (long long)lifetime / 3600);
	if (outcome->text[0] != '\0')
		buf_printf(&text, "; last: %s", outcome->text);
	outcome->state = OUTCOME_FAILED;
	memcpy(outcome->enhanced, expired_code, sizeof(expired_code));
	outcome_set_text(outcome, buf_str(&text));
	buf_free(&text);
}

static int64_t
lifetime_of(const struct settlement *about, const struct entry *entry)
{
	int64_t lifetime = about->account->queue_lifetime;
	bool is_notification = entry->envelope.reverse_path[0] == '\0';

	return is_notification && lifetime > NOTIFICATION_LIFETIME ? NOTIFICATION_LIFETIME : lifetime;
}

static void
expire_if_old(const struct settlement *about, struct entry *entry, time_t now)
{
	int64_t lifetime = lifetime_of(about, entry);

	if (!about->has_reached || !retry_is_expired(entry->created, now, lifetime))
		return;
	for (size_t i = 0; i < entry->envelope.n_recipients; i++) {
		struct outcome *outcome = &entry->envelope.recipients[i].outcome;

		if (outcome->state == OUTCOME_PENDING || outcome->state == OUTCOME_DEFERRED)
			expire(outcome, lifetime);
	}
}

/* --- the log ------------------------------------------------------------------------------------------------------- */

static void
log_settled(const struct settlement *about, const struct entry *entry, const struct parcel *parcel)
{
	struct report_line line = {
		.account = about->account,
		.envelope = &entry->envelope,
		.message = &entry->message,
		.message_id = entry->message_id,
		.queue_id = entry->id,
		.is_tls_used = parcel->is_tls_used,
		.exit_code = envelope_exit_code(&entry->envelope),
	};

	log_attempt(about->program, &line);
}

/* --- the end of an entry ------------------------------------------------------------------------------------------- */

typedef bool bounce_function(struct bounce_context *context, struct entry *entry, struct err *err);

static bool
tell_sender(bounce_function *tell, const struct settlement *about, struct entry *entry, struct err *err)
{
	struct buf route = {0};
	struct bounce_context context = {.spool = about->spool, .account = about->account, .now = time(NULL)};
	bool is_told;

	outbox_add_route(&route, &entry->origin);
	context.route = buf_str(&route);
	is_told = tell(&context, entry, err);
	if (is_told && context.way == BOUNCE_LIMITED)
		log_alert(about->program, about->account, tell == bounce_failed ?
		          "too many notifications within an hour: the sender is not told, the message is in failed/" :
		          "too many notifications within an hour: the sender is not told that the message still waits");
	buf_free(&route);
	return is_told;
}

static bool
finish(const struct settlement *about, struct entry *entry, struct err *err)
{
	if (envelope_count(&entry->envelope, OUTCOME_FAILED) > 0)
		return tell_sender(bounce_failed, about, entry, err) && entry_move(entry, about->spool, SPOOL_FAILED, err);
	if (!entry_remove(entry, about->spool, err)) {
		/* It stays, and must not be sent once more. */
		entry_record(entry, time(NULL), err);
		return false;
	}
	if (about->spool->n_unsynced >= UNSYNCED_MOST)
		settle_sync(about->program, about->spool);
	return true;
}

static bool
put_off(const struct settlement *about, struct entry *entry, time_t now, struct err *err)
{
	if (now - entry->created >= RETRY_DELAY_NOTICE && (entry->flags & ENTRY_DELAY_TOLD) == 0 &&
	    !tell_sender(bounce_delayed, about, entry, err))
		return false;
	return entry_defer(entry, retry_next(entry->created, now, backoff_chance()), err);
}

/* Deferred is what waits for its next attempt: that is how the file has it. */
static void
wait_for_next(struct entry *entry)
{
	for (size_t i = 0; i < entry->envelope.n_recipients; i++) {
		struct outcome *outcome = &entry->envelope.recipients[i].outcome;

		if (outcome->state == OUTCOME_PENDING)
			outcome->state = OUTCOME_DEFERRED;
	}
}

void
settle_attempt(const struct settlement *about, struct entry *entry, struct parcel *parcel)
{
	time_t now = time(NULL);
	struct err err = {0};
	bool is_fine, is_done;

	settle_take_back(entry, parcel);
	wait_for_next(entry);
	expire_if_old(about, entry, now);
	/* Everybody has it: the removal says so, and nothing else needs to be written. */
	is_done = envelope_count(&entry->envelope, OUTCOME_DELIVERED) == entry->envelope.n_recipients;
	is_fine = is_done || entry_record(entry, now, &err);
	if (is_fine && (is_done || entry_is_finished(entry)))
		is_fine = finish(about, entry, &err);
	else if (is_fine)
		is_fine = put_off(about, entry, now, &err);
	log_settled(about, entry, parcel);
	if (!is_fine)
		complain(about, entry, &err);
	err_clear(&err);
}
