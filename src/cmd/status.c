/* status.c - an entry of the queue in words and in JSON. Pure. */

#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "cmd/status.h"

const char *
status_name(const struct outcome *outcome)
{
	if (outcome->state == OUTCOME_DELIVERED || outcome->state == OUTCOME_FAILED)
		return outcome_state_name(outcome->state);
	return outcome->may_be_duplicate ? "uncertain" : outcome_state_name(OUTCOME_PENDING);
}

static bool
has_enhanced(const struct outcome *outcome)
{
	return outcome->enhanced[0] != 0;
}

void
status_add_reason(struct buf *b, const struct outcome *outcome)
{
	if (outcome->reply_code != 0) {
		if (outcome->host[0] != '\0')
			buf_printf(b, "host %s said: ", outcome->host);
		buf_printf(b, "%d ", outcome->reply_code);
		if (has_enhanced(outcome))
			buf_printf(b, "%u.%u.%u ", outcome->enhanced[0], outcome->enhanced[1], outcome->enhanced[2]);
	}
	buf_add_text(b, outcome->text);
}

void
status_add_address(struct buf *b, const char *address, const char *null)
{
	if (address == NULL || address[0] == '\0')
		buf_add_text(b, null);
	else
		err_add_clean(b, str_of(address));
}

static void
add_time(struct json *json, const char *name, time_t when)
{
	struct buf text = {0};

	clock_add_timestamp(&text, when);
	json_add_text(json, name, buf_text(&text));
	buf_free(&text);
}

static const char *
text_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static void
add_recipient(struct json *json, const struct recipient *recipient)
{
	const struct outcome *outcome = &recipient->outcome;
	char enhanced[32] = "";

	if (has_enhanced(outcome))
		snprintf(enhanced, sizeof(enhanced), "%u.%u.%u", outcome->enhanced[0], outcome->enhanced[1],
		         outcome->enhanced[2]);
	json_begin_object(json, NULL);
	json_add_text(json, "address", recipient->mailbox);
	json_add_text(json, "state", status_name(outcome));
	json_add_number(json, "code", outcome->reply_code);
	json_add_text(json, "enhanced", text_or_null(enhanced));
	json_add_text(json, "text", text_or_null(outcome->text));
	json_add_text(json, "host", text_or_null(outcome->host));
	json_end(json);
}

void
status_add_json(struct json *json, const struct entry *entry)
{
	json_add_text(json, "id", entry->id);
	json_add_text(json, "folder", spool_folder_name(entry->folder));
	json_add_text(json, "account", entry->origin.account);
	add_time(json, "created", entry->created);
	/* What is put aside has no next attempt. */
	if (entry->folder == SPOOL_QUEUE)
		add_time(json, "next", entry->next);
	else
		json_add_text(json, "next", NULL);
	json_add_number(json, "size", entry->message.size);
	json_add_text(json, "sender", entry->envelope.reverse_path);
	json_add_text(json, "message_id", entry->message_id);
	json_add_bool(json, "is_active", entry->is_locked);
	json_begin_array(json, "recipients");
	for (size_t i = 0; i < entry->envelope.n_recipients; i++)
		add_recipient(json, &entry->envelope.recipients[i]);
	json_end(json);
}
