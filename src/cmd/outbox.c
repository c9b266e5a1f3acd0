/* outbox.c - the queue as a submission sees it. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/outbox.h"
#include "cmd/place.h"

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
	id_tag(outbox->tag, buf_str(&outbox->route));
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

bool
outbox_put(struct outbox *outbox, const struct parcel *parcel, struct entry *entry, struct err *err)
{
	time_t now = time(NULL);
	struct entry_content content = {
		.origin = &outbox->origin,
		.route = buf_str(&outbox->route),
		.envelope = &parcel->envelope,
		.message = &parcel->message,
		.message_id = parcel->message_id,
		.created = now,
		.next = first_attempt(&parcel->envelope, now),
		.folder = SPOOL_QUEUE,
	};

	if (entry_create(entry, &outbox->spool, &content, err))
		return true;
	err->exit_code = EX_TEMPFAIL;
	return err_prefix(err, "the message is not in the queue");
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
