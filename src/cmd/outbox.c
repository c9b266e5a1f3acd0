/* outbox.c - the queue as a submission sees it. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/outbox.h"
#include "cmd/place.h"
#include "deliver/destination.h"

/* The path as it has to be written to mean the same from every folder. */
static char *
absolute_path(const char *path)
{
	struct buf whole = {0};
	char *folder;

	if (path == NULL || path[0] == '/')
		return mem_copy_string(path);
	folder = getcwd(NULL, 0);
	buf_printf(&whole, "%s/%s", folder != NULL ? folder : "", path);
	free(folder);
	return buf_take(&whole);
}

/* An account from a file is found there again, with the options and variables over it; of any other one the settings are
 * kept. Of secrets in variables only the fact is. */
static void
describe_origin(struct entry_origin *origin, const struct call *call)
{
	const struct account *account = &call->account;
	bool is_from_file = account->origin.line > 0, has_variables = choose_uses_environment(call);
	struct buf settings = {0};
	struct account given = {0};

	account_init(&given);
	if (is_from_file && has_variables)
		account_override(&given, &call->environment->settings);
	account_override(&given, is_from_file ? &call->request.overrides : account);
	account_add_settings(&settings, &given);
	if (has_variables)
		buf_add_text(&settings, "environment on\n");
	origin->account = mem_copy_string(!is_from_file && has_variables ? "(environment)" : account->id != NULL ? account->id : "");
	origin->config_file = is_from_file ? absolute_path(call->request.config_file) : NULL;
	if (settings.size > 0)
		origin->settings = buf_take(&settings);
	buf_free(&settings);
	account_free(&given);
}

void
outbox_add_route(struct buf *b, const struct entry_origin *origin)
{
	buf_printf(b, "%s\n%s\n%s", origin->account, origin->config_file != NULL ? origin->config_file : "",
	           origin->settings != NULL ? origin->settings : "");
}

static void
make_tag(struct str route, const char *destination, struct tls_wish wish, char tag[TAG_LENGTH + 1])
{
	struct buf whole = {0};

	buf_add_str(&whole, route);
	if (destination != NULL)
		destination_add_route(&whole, destination, wish);
	id_tag(tag, buf_str(&whole));
	buf_free(&whole);
}

void
outbox_tag(const struct outbox *outbox, const char *destination, struct tls_wish wish, char tag[TAG_LENGTH + 1])
{
	make_tag(buf_str(&outbox->route), destination, wish, tag);
}

bool
outbox_open(struct outbox *outbox, struct call *call, bool makes_it, struct err *err)
{
	if (outbox->is_open)
		return true;
	if (!place_open(call, &outbox->spool, makes_it, err))
		return false;
	if (!outbox->spool.is_open)
		return true;
	describe_origin(&outbox->origin, call);
	outbox_add_route(&outbox->route, &outbox->origin);
	outbox_tag(outbox, NULL, (struct tls_wish){0}, outbox->tag);
	outbox->is_direct = call->account.delivery == DELIVER_DIRECT;
	outbox->is_open = true;
	return true;
}

struct backoff
outbox_backoff(struct outbox *outbox, const struct call *call)
{
	return (struct backoff){
		.spool = &outbox->spool,
		.program = call->program,
		.account = &call->account,
		.tag = outbox->tag,
	};
}

/* What the server said about this message makes it wait; what it said about anything else does not. */
static int64_t
first_attempt(const struct envelope *envelope, int64_t now)
{
	for (size_t i = 0; i < envelope->n_recipients; i++) {
		const struct outcome *outcome = &envelope->recipients[i].outcome;
		enum retry_class class = retry_class_of(outcome, EX_TEMPFAIL);

		if (outcome->state == OUTCOME_DEFERRED && (class == RETRY_MESSAGE || class == RETRY_RECIPIENT))
			return retry_next(now, now, backoff_chance());
	}
	return now;
}

/* --- entries ------------------------------------------------------------------------------------------------------- */

static bool
add_entry(struct outbox_entries *entries, struct spool *spool, const struct entry_content *content, struct err *err)
{
	struct entry entry = {0};

	if (!entry_create(&entry, spool, content, err))
		return false;
	entries->list = mem_resize(entries->list, entries->n + 1, sizeof(*entries->list));
	entries->list[entries->n++] = entry;
	return true;
}

/* An entry for those who are marked, all of one destination. What was said about others does not make them wait: without a time
 * of its own (next 0) the entry gets one. */
static bool
add_marked(struct outbox_entries *entries, struct spool *spool, const struct entry_content *of_all, const char *destination,
           const bool *wanted, struct err *err)
{
	struct entry_content content = *of_all;
	struct envelope part = {0};
	struct buf route = {0};
	bool is_fine;

	buf_add_str(&route, of_all->route);
	destination_add_route(&route, destination, destination_wish(of_all->envelope, of_all->message));
	destination_split(of_all->envelope, wanted, &part);
	content.envelope = &part;
	content.route = buf_str(&route);
	if (content.next == 0)
		content.next = first_attempt(&part, content.created);
	is_fine = add_entry(entries, spool, &content, err);
	destination_end(&part);
	buf_free(&route);
	return is_fine;
}

/* Everybody who waits, a destination at a time. */
static bool
add_each(struct outbox_entries *entries, struct spool *spool, const struct entry_content *of_all, struct err *err)
{
	static const unsigned waiting = DESTINATION_PENDING | DESTINATION_DEFERRED;
	const struct envelope *whole = of_all->envelope;
	bool *wanted = mem_alloc(whole->n_recipients, sizeof(*wanted)), *done = mem_alloc(whole->n_recipients, sizeof(*done));
	bool is_fine = true;

	for (size_t i = 0; is_fine && i < whole->n_recipients; i++) {
		struct buf destination = {0};

		if (done[i])
			continue;
		destination_add(&destination, whole->recipients[i].mailbox);
		if (destination_mark(whole, buf_text(&destination), waiting, wanted) > 0)
			is_fine = add_marked(entries, spool, of_all, buf_text(&destination), wanted, err);
		for (size_t k = 0; k < whole->n_recipients; k++)
			done[k] = done[k] || wanted[k];
		buf_free(&destination);
	}
	free(wanted);
	free(done);
	return is_fine;
}

/* Take back what was made from the n-th on. */
static void
take_back(struct outbox_entries *entries, size_t n, struct spool *spool)
{
	struct err ignored = {0};

	while (entries->n > n) {
		entry_remove(&entries->list[--entries->n], spool, &ignored);
		entry_free(&entries->list[entries->n]);
		err_clear(&ignored);
	}
	if (spool->n_unsynced > 0)
		spool_sync(spool, SPOOL_QUEUE, &ignored);
	err_clear(&ignored);
}

bool
outbox_put(struct outbox *outbox, const struct parcel *parcel, struct outbox_entries *entries, struct err *err)
{
	time_t now = time(NULL);
	struct entry_content content = {
		.origin = &outbox->origin,
		.route = buf_str(&outbox->route),
		.envelope = &parcel->envelope,
		.message = &parcel->message,
		.message_id = parcel->message_id,
		.created = now,
		.next = outbox->is_direct ? 0 : first_attempt(&parcel->envelope, now),
		.folder = SPOOL_QUEUE,
	};
	size_t n_before = entries->n;

	if (outbox->is_direct ? add_each(entries, &outbox->spool, &content, err)
	                      : add_entry(entries, &outbox->spool, &content, err))
		return true;
	take_back(entries, n_before, &outbox->spool);
	err->exit_code = EX_TEMPFAIL;
	return err_prefix(err, "the message is not in the queue");
}

void
outbox_entries_free(struct outbox_entries *entries)
{
	for (size_t i = 0; i < entries->n; i++)
		entry_free(&entries->list[i]);
	free(entries->list);
	*entries = (struct outbox_entries){0};
}

/* Do all who wait belong to the destination that the entry's tag is for? */
static bool
has_its_tag(const struct entry *entry, struct str route)
{
	char *destination = destination_first(&entry->envelope, DESTINATION_PENDING);
	size_t n = entry->envelope.n_recipients, n_pending = envelope_count(&entry->envelope, OUTCOME_PENDING);
	bool *wanted = mem_alloc(n, sizeof(*wanted));
	char tag[TAG_LENGTH + 1];
	bool has_it = destination == NULL;

	if (!has_it) {
		make_tag(route, destination, destination_wish(&entry->envelope, &entry->message), tag);
		has_it = strcmp(tag, entry->tag) == 0 &&
		         destination_mark(&entry->envelope, destination, DESTINATION_PENDING, wanted) == n_pending;
	}
	free(wanted);
	free(destination);
	return has_it;
}

/* Until the entry is gone the others are there as well: who dies between leaves everybody in doubt, and says so. */
static bool
mark_doubtful(struct entry *entry, struct err *err)
{
	size_t n = entry->envelope.n_recipients;
	unsigned char *is_sent = mem_alloc(n, 1);
	bool is_marked;

	memset(is_sent, 1, n);
	is_marked = entry_mark_sent(entry, is_sent, err);
	free(is_sent);
	return is_marked;
}

/* Put entries for each destination in the place of this one. False: it stays as it was. */
static bool
replace_entry(struct spool *spool, struct entry *entry, const struct entry_content *content, struct err *err)
{
	struct outbox_entries entries = {0};
	struct err ignored = {0};
	bool is_replaced = mark_doubtful(entry, err) && add_each(&entries, spool, content, err) &&
	                   entry_remove(entry, spool, err);

	if (!is_replaced) {
		take_back(&entries, 0, spool);
		entry_record(entry, time(NULL), &ignored);
		err_clear(&ignored);
	}
	outbox_entries_free(&entries);
	return is_replaced;
}

bool
outbox_keep_entry(struct spool *spool, const struct account *account, struct entry *entry, struct err *err)
{
	struct buf route = {0};
	struct entry_content content = {
		.origin = &entry->origin,
		.envelope = &entry->envelope,
		.message = &entry->message,
		.message_id = entry->message_id,
		.created = entry->created,
		.next = entry->next,
		.flags = entry->flags,
		.folder = SPOOL_QUEUE,
	};
	bool is_kept = true;

	if (account->delivery != DELIVER_DIRECT)
		return true;
	outbox_add_route(&route, &entry->origin);
	if (!has_its_tag(entry, buf_str(&route))) {
		is_kept = false;
		content.route = buf_str(&route);
		replace_entry(spool, entry, &content, err);
	}
	buf_free(&route);
	return is_kept;
}

bool
outbox_read_origin(struct call *call, const struct entry_origin *origin, struct err *err)
{
	account_init(&call->request.overrides);
	call->request.config_file = mem_copy_string(origin->config_file);
	if (origin->settings != NULL && !account_read_settings(&call->request.overrides, str_of(origin->settings), err))
		return false;
	/* One that is not from a file has no name, and consists of its settings. */
	call->is_from_queue = true;
	if (origin->account[0] != '(')
		call->request.account_id = mem_copy_string(origin->account);
	if (!choose_read_files(call, err) || !choose_account(call, NULL, err))
		return err_hint(err, "its mail stays in the queue: put the account back into the configuration, or remove the mail with --remove");
	if (call->request.overrides.environment && call->environment != NULL)
		environment_lend_secrets(call->environment, &call->account);
	return true;
}

void
outbox_free(struct outbox *outbox)
{
	free(outbox->origin.account);
	free(outbox->origin.config_file);
	free(outbox->origin.settings);
	buf_free(&outbox->route);
	if (outbox->spool.is_open)
		spool_free(&outbox->spool);
	*outbox = (struct outbox){0};
}
