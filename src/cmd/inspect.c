/* inspect.c - everything about an entry of the queue. Reads it, writes to stdout. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/inspect.h"
#include "cmd/place.h"
#include "cmd/status.h"
#include "cmd/talk.h"
#include "cmd/walk.h"
#include "queue/entry.h"

enum { CHUNK_SIZE = 65536 };

static void
print(struct buf *text)
{
	fwrite(buf_text(text), 1, text->size, stdout);
	buf_clear(text);
}

static void
add_fact(struct buf *b, const char *name, const char *value)
{
	if (value != NULL && value[0] != '\0') {
		buf_printf(b, "%-14s ", name);
		err_add_clean(b, str_of(value));
		buf_add_char(b, '\n');
	}
}

static void
add_date(struct buf *b, const char *name, time_t when)
{
	buf_printf(b, "%-14s ", name);
	clock_add_date(b, when);
	buf_add_char(b, '\n');
}

/* Each line of text below the name. */
static void
add_lines(struct buf *b, const char *name, struct str text)
{
	struct str line;

	if (text.size == 0)
		return;
	buf_printf(b, "%s\n", name);
	while (str_next_token(&text, '\n', &line)) {
		buf_add_text(b, "    ");
		err_add_clean(b, line);
		buf_add_char(b, '\n');
	}
}

static const char *
state_of(const struct entry *entry)
{
	if (entry->is_locked)
		return "being delivered just now";
	if (entry->folder == SPOOL_HOLD)
		return "on hold";
	return entry->folder == SPOOL_FAILED ? "failed" : "waiting";
}

static void
add_recipients(struct buf *b, const struct envelope *envelope)
{
	buf_add_text(b, "Recipients:\n");
	for (size_t i = 0; i < envelope->n_recipients; i++) {
		const struct recipient *recipient = &envelope->recipients[i];
		struct buf reason = {0};

		buf_printf(b, "    %-9s  ", status_name(&recipient->outcome));
		status_add_address(b, recipient->mailbox, "");
		buf_add_char(b, '\n');
		status_add_reason(&reason, &recipient->outcome);
		if (reason.size > 0)
			buf_printf(b, "    %-9s  %s\n", "", buf_text(&reason));
		buf_free(&reason);
	}
}

static void
add_facts(struct buf *b, const struct entry *entry)
{
	add_fact(b, "Entry:", entry->id);
	add_fact(b, "State:", state_of(entry));
	add_fact(b, "Account:", entry->origin.account);
	add_fact(b, "Configuration:", entry->origin.config_file);
	add_date(b, "Created:", entry->created);
	if (entry->folder == SPOOL_QUEUE)
		add_date(b, "Next attempt:", entry->next);
	if (entry->tried > 0)
		add_date(b, "Last attempt:", entry->tried);
	buf_printf(b, "%-14s %" PRId64 " bytes\n", "Size:", entry->message.size);
	buf_printf(b, "%-14s <", "Sender:");
	status_add_address(b, entry->envelope.reverse_path, "");
	buf_add_text(b, ">\n");
	add_fact(b, "Message-ID:", entry->message_id);
	add_fact(b, "Envelope id:", entry->envelope.envid);
	add_lines(b, "Settings:", str_of(entry->origin.settings));
	add_recipients(b, &entry->envelope);
}

static bool
print_message(const struct message *message, struct err *err)
{
	char *chunk = mem_alloc(CHUNK_SIZE, 1);
	int64_t offset = 0;
	ssize_t n;

	while ((n = message_bytes(message, offset, chunk, CHUNK_SIZE, err)) > 0) {
		fwrite(chunk, 1, (size_t)n, stdout);
		offset += n;
	}
	mem_wipe(chunk, CHUNK_SIZE);
	free(chunk);
	return n == 0;
}

static bool
show_as_text(const struct entry *entry, struct str journal, struct err *err)
{
	struct buf out = {0};

	add_facts(&out, entry);
	add_lines(&out, "Journal:", journal);
	buf_add_char(&out, '\n');
	print(&out);
	buf_free(&out);
	return print_message(&entry->message, err);
}

/* Without the message, which need not be text. */
static void
show_as_json(const struct entry *entry, struct str journal)
{
	struct buf out = {0};
	struct json json = {.out = &out};
	struct str line;

	json_begin_object(&json, NULL);
	json_add_text(&json, "schema", "mailcrane.entry/1");
	status_add_json(&json, entry);
	json_add_number(&json, "attempts", (int64_t)entry->n_attempts);
	json_begin_array(&json, "journal");
	while (str_next_token(&journal, '\n', &line)) {
		char *text = mem_copy(line.data, line.size);

		json_add_text(&json, NULL, text);
		free(text);
	}
	json_end(&json);
	json_end(&json);
	buf_add_char(&out, '\n');
	print(&out);
	buf_free(&out);
}

static bool
show_entry(const struct call *call, const struct entry *entry, struct err *err)
{
	struct buf journal = {0};
	bool is_shown = entry_journal(entry, &journal, err);

	if (is_shown && call->request.wants_json)
		show_as_json(entry, buf_str(&journal));
	else if (is_shown)
		is_shown = show_as_text(entry, buf_str(&journal), err);
	buf_free(&journal);
	return is_shown;
}

static int
show_target(const struct call *call, struct spool *spool, const char *target)
{
	enum spool_folder folder = SPOOL_QUEUE;
	char name[SPOOL_NAME_SIZE] = "";
	struct entry entry = {0};
	struct err err = {0};
	enum entry_result result;
	int exit_code;

	if (walk_find(spool, target, &folder, name, &err)) {
		result = entry_peek(&entry, spool, folder, name, &err);
		if (result == ENTRY_OPENED)
			show_entry(call, &entry, &err);
		else if (result == ENTRY_GONE)
			err_set(&err, EX_NOINPUT, "%s has just left the queue", target);
	}
	exit_code = err.exit_code;
	if (err_is_set(&err))
		talk_error(call->program, &err);
	entry_free(&entry);
	err_clear(&err);
	return exit_code;
}

int
inspect_run(struct call *call)
{
	struct spool spool = {0};
	struct err err = {0};
	int exit_code = EX_OK;

	if (place_open(call, &spool, false, &err)) {
		exit_code = show_target(call, &spool, call->request.target);
		for (size_t i = 0; i < call->request.n_operands; i++)
			exit_code = outcome_worse_exit(exit_code, show_target(call, &spool, call->request.operands[i]));
	} else {
		exit_code = err.exit_code;
		talk_error(call->program, &err);
	}
	err_clear(&err);
	spool_free(&spool);
	return exit_code;
}
