/* mailq.c - what is in the queue. Reads it, writes to stdout.
 *
 * Programs that watch a mail queue read this text: the first and last line, the columns and the blanks are those of Postfix's
 * showq. What they do not know (routes, notifications) goes to a terminal only, and into the JSON. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/mailq.h"
#include "cmd/place.h"
#include "cmd/status.h"
#include "cmd/talk.h"
#include "cmd/walk.h"
#include "queue/entry.h"
#include "queue/hint.h"

enum {
	REASON_END = 76,   /* column where a reason ends */
	ARRIVAL_WIDTH = 20 /* "Sat Nov 21 17:28:15 " */
};

struct listing {
	const struct call *call;
	struct spool *spool;
	struct buf out;
	struct json document;
	struct json *json; /* of it; NULL: as text */
	size_t n_entries;
	int64_t size; /* bytes of their messages */
};

static void
print(struct buf *text)
{
	fwrite(buf_text(text), 1, text->size, stdout);
	buf_clear(text);
}

/* --- text ----------------------------------------------------------------------------------------------------------- */

static void
add_arrival(struct buf *b, time_t when)
{
	char text[64];
	struct tm local = {0};

	localtime_r(&when, &local);
	/* The year is not shown, and one of more than four digits would not fit. */
	local.tm_year = 100;
	buf_printf(b, "%*.*s", ARRIVAL_WIDTH, ARRIVAL_WIDTH, asctime_r(&local, text) != NULL ? text : "");
}

/* Is the recipient one that mailq shows: still to do, or what the entry lies in failed/ for? */
static bool
is_shown(const struct entry *entry, const struct recipient *recipient)
{
	enum outcome_state state = recipient->outcome.state;

	if (entry->folder == SPOOL_FAILED)
		return state == OUTCOME_FAILED;
	return state == OUTCOME_PENDING || state == OUTCOME_DEFERRED;
}

static void
add_reason(struct buf *b, const struct buf *reason)
{
	const char *text = reason->size > 0 ? buf_text(reason) : "reason unavailable";
	int padding = REASON_END - (int)strlen(text);

	buf_printf(b, "%*s(%s)\n", padding > 0 ? padding : 0, "", text);
}

/* A reason stands above the recipients that have it one after the other; above the first ones only if there is one. */
static void
add_recipients(struct buf *b, const struct entry *entry)
{
	struct buf last = {0};

	for (size_t i = 0; i < entry->envelope.n_recipients; i++) {
		const struct recipient *recipient = &entry->envelope.recipients[i];
		struct buf reason = {0};

		if (!is_shown(entry, recipient))
			continue;
		status_add_reason(&reason, &recipient->outcome);
		if (!str_equals(buf_str(&reason), buf_str(&last))) {
			add_reason(b, &reason);
			buf_clear(&last);
			buf_add_str(&last, buf_str(&reason));
		}
		buf_printf(b, "%-11s %7s %-20s ", "", "", "");
		status_add_address(b, recipient->mailbox, "");
		buf_add_char(b, '\n');
		buf_free(&reason);
	}
	buf_free(&last);
}

static const char *
mark_of(const struct entry *entry)
{
	if (entry->folder != SPOOL_QUEUE)
		return "!";
	return entry->is_locked ? "*" : "";
}

static void
add_entry(struct buf *b, const struct entry *entry)
{
	char id[ID_LENGTH + 2];

	snprintf(id, sizeof(id), "%s%s", entry->id, mark_of(entry));
	buf_printf(b, "%-11s %7" PRId64 " ", id, entry->message.size);
	add_arrival(b, entry->created);
	buf_add_char(b, ' ');
	status_add_address(b, entry->envelope.reverse_path, "MAILER-DAEMON");
	buf_add_char(b, '\n');
	add_recipients(b, entry);
	buf_add_char(b, '\n');
}

/* --- both ----------------------------------------------------------------------------------------------------------- */

static void
show_entry(struct listing *listing, const struct entry *entry)
{
	if (listing->json != NULL) {
		json_begin_object(listing->json, NULL);
		status_add_json(listing->json, entry);
		json_end(listing->json);
	} else {
		if (listing->n_entries == 0)
			buf_add_text(&listing->out,
			             "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n");
		add_entry(&listing->out, entry);
	}
	listing->n_entries++;
	listing->size += entry->message.size;
	print(&listing->out);
}

/* What cannot be read is no reason to say nothing of the others. */
static void
visit(void *context, enum spool_folder folder, const char *name)
{
	struct listing *listing = context;
	struct entry entry = {0};
	struct err err = {0};

	switch (entry_peek(&entry, listing->spool, folder, name, &err)) {
	case ENTRY_OPENED:
	case ENTRY_BUSY:
		show_entry(listing, &entry);
		break;
	case ENTRY_GONE:
		break;
	case ENTRY_BAD:
	case ENTRY_REFUSED:
		talk_warning(listing->call->program, buf_text(&err.text));
		break;
	}
	entry_free(&entry);
	err_clear(&err);
}

static bool
list_entries(struct listing *listing, struct err *err)
{
	struct walk_visitor visitor = {.visit = visit, .context = listing};

	return walk_entries(listing->spool, WALK_ALL, &visitor, err);
}

static bool
list_as_text(struct listing *listing, struct err *err)
{
	if (!list_entries(listing, err))
		return false;
	if (listing->n_entries == 0)
		printf("Mail queue is empty\n");
	else
		printf("-- %" PRId64 " Kbytes in %zu Request%s.\n", listing->size / 1024, listing->n_entries,
		       listing->n_entries == 1 ? "" : "s");
	return true;
}

/* --- routes --------------------------------------------------------------------------------------------------------- */

static bool
note_route(void *context, const char *tag, const struct hint *hint)
{
	struct buf *b = context;

	(void)tag;
	buf_printf(b, "account %s %s", hint->account, hint->is_held ? "is on hold" : "waits");
	if (hint->text[0] != '\0')
		buf_printf(b, ": %s", hint->text);
	buf_add_text(b, "; next attempt ");
	clock_add_date(b, hint->not_before);
	buf_add_char(b, '\n');
	return true;
}

/* For people only: programs want the list and nothing else. */
static void
print_notes(struct spool *spool)
{
	struct buf notes = {0};
	size_t n_bounces = spool_count(spool, SPOOL_BOUNCES_NEW);
	size_t n_corrupt = spool_count(spool, SPOOL_CORRUPT);

	hint_each(spool, note_route, &notes);
	if (n_bounces > 0)
		buf_printf(&notes, "%zu notification%s of undelivered mail in %s/bounces\n", n_bounces,
		           n_bounces == 1 ? "" : "s", spool->path);
	if (n_corrupt > 0)
		buf_printf(&notes, "%zu file%s that could not be read in %s/corrupt\n", n_corrupt,
		           n_corrupt == 1 ? "" : "s", spool->path);
	if (notes.size > 0)
		buf_add_char(&notes, '\n');
	print(&notes);
	buf_free(&notes);
}

static bool
add_route(void *context, const char *tag, const struct hint *hint)
{
	struct json *json = context;
	struct buf not_before = {0};

	clock_add_timestamp(&not_before, hint->not_before);
	json_begin_object(json, NULL);
	json_add_text(json, "route", tag);
	json_add_text(json, "account", hint->account);
	json_add_bool(json, "on_hold", hint->is_held);
	json_add_number(json, "failures", hint->n_failures);
	json_add_text(json, "not_before", buf_text(&not_before));
	json_add_text(json, "text", hint->text);
	json_end(json);
	buf_free(&not_before);
	return true;
}

/* One document, written out entry by entry. */
static bool
list_as_json(struct listing *listing, struct err *err)
{
	bool is_listed;

	listing->document.out = &listing->out;
	listing->json = &listing->document;
	json_begin_object(listing->json, NULL);
	json_add_text(listing->json, "schema", "mailcrane.queue/1");
	json_begin_array(listing->json, "entries");
	is_listed = list_entries(listing, err);
	json_end(listing->json);
	json_begin_array(listing->json, "routes");
	if (listing->spool->is_open)
		hint_each(listing->spool, add_route, listing->json);
	json_end(listing->json);
	json_add_number(listing->json, "failed", (int64_t)spool_count(listing->spool, SPOOL_FAILED));
	json_add_number(listing->json, "bounces", (int64_t)spool_count(listing->spool, SPOOL_BOUNCES_NEW));
	json_add_number(listing->json, "corrupt", (int64_t)spool_count(listing->spool, SPOOL_CORRUPT));
	json_end(listing->json);
	buf_add_char(&listing->out, '\n');
	print(&listing->out);
	return is_listed;
}

/* --- the whole ------------------------------------------------------------------------------------------------------ */

static size_t
count_entries(struct spool *spool)
{
	return spool_count(spool, SPOOL_QUEUE) + spool_count(spool, SPOOL_HOLD) + spool_count(spool, SPOOL_FAILED);
}

static bool
show_queue(struct listing *listing, struct err *err)
{
	const struct request *request = &listing->call->request;

	if (request->counts_only == COUNT_NUMBER)
		printf("%zu\n", count_entries(listing->spool));
	else if (request->counts_only == COUNT_TOTAL)
		printf("Total requests: %zu\n", count_entries(listing->spool));
	else if (request->wants_json)
		return list_as_json(listing, err);
	else {
		if (isatty(STDOUT_FILENO) && listing->spool->is_open)
			print_notes(listing->spool);
		return list_as_text(listing, err);
	}
	return true;
}

int
mailq_run(struct call *call)
{
	struct spool spool = {0};
	struct err err = {0};
	struct listing listing = {.call = call, .spool = &spool};
	int exit_code = EX_OK;

	if (!place_open(call, &spool, false, &err) || !show_queue(&listing, &err)) {
		exit_code = err.exit_code;
		talk_error(call->program, &err);
	}
	buf_free(&listing.out);
	err_clear(&err);
	spool_free(&spool);
	return exit_code;
}
