/* format.c - writes the head of a queue entry and the line behind its message, which it reads as well. Pure. The
 * other half of reading is parse.c; escape.c, firstline.c and parameter.c are pieces that both need. */

#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "queue/escape.h"
#include "queue/firstline.h"
#include "queue/format.h"
#include "queue/parameter.h"

enum { CRC_DIGITS = 8 };

char
format_state(const struct outcome *outcome)
{
	switch (outcome->state) {
	case OUTCOME_DELIVERED:
		return 'D';
	case OUTCOME_FAILED:
		return 'F';
	case OUTCOME_PENDING:
	case OUTCOME_DEFERRED:
		break;
	}
	return outcome->may_be_duplicate ? 'U' : 'T';
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

static void
add_line(struct buf *b, char letter, const char *value)
{
	buf_add_char(b, letter);
	escape_add(b, str_of(value), ESCAPE_LINE);
	buf_add_char(b, '\n');
}

static void
add_settings(struct buf *b, struct str settings)
{
	struct str line;

	while (str_next_token(&settings, '\n', &line)) {
		buf_add_char(b, 'O');
		escape_add(b, line, ESCAPE_LINE);
		buf_add_char(b, '\n');
	}
}

static void
add_parameters(struct buf *b, const struct envelope *envelope)
{
	buf_add_char(b, 'P');
	parameter_add(b, envelope);
	buf_add_char(b, '\n');
}

static void
add_facts(struct buf *b, const struct message *message)
{
	bool has_any = message->has_8bit_body || message->has_8bit_header || message->has_utf8_header || message->has_nul ||
	               message->waives_tls;

	buf_printf(b, "F%" PRId64 " %" PRId64 " %" PRId64 " ", message->header_size, message->wire_size,
	           message->longest_line);
	buf_add_text(b, message->has_8bit_body ? "8" : "");
	buf_add_text(b, message->has_8bit_header ? "h" : "");
	buf_add_text(b, message->has_utf8_header ? "u" : "");
	buf_add_text(b, message->has_nul ? "n" : "");
	buf_add_text(b, message->waives_tls ? "t" : "");
	buf_add_text(b, has_any ? "\n" : "-\n");
}

static void
add_recipient(struct buf *b, const struct recipient *recipient)
{
	buf_add_char(b, 'T');
	escape_add(b, str_of(recipient->mailbox), ESCAPE_LINE);
	if (recipient->notify != 0) {
		buf_add_text(b, "\tNOTIFY=");
		parameter_add_notify(b, recipient->notify);
	}
	if (recipient->original != NULL) {
		buf_add_text(b, "\tORCPT=");
		escape_add(b, str_of(recipient->original), ESCAPE_LINE);
	}
	buf_add_char(b, '\n');
}

static bool
is_kept(const struct outcome *outcome, enum spool_folder folder)
{
	return outcome->state != OUTCOME_DELIVERED && (outcome->state != OUTCOME_FAILED || folder == SPOOL_FAILED);
}

/* The lines of those that are kept, all in state T. Returns how many. */
static size_t
add_recipients(struct buf *b, const struct envelope *envelope, enum spool_folder folder)
{
	size_t n = 0;

	for (size_t i = 0; i < envelope->n_recipients; i++) {
		if (!is_kept(&envelope->recipients[i].outcome, folder))
			continue;
		add_recipient(b, &envelope->recipients[i]);
		n++;
	}
	return n;
}

/* The states behind T; `at` is the first recipient's line. */
static void
put_states(char *at, const struct envelope *envelope, enum spool_folder folder)
{
	for (size_t i = 0; i < envelope->n_recipients; i++) {
		const struct outcome *outcome = &envelope->recipients[i].outcome;

		if (!is_kept(outcome, folder))
			continue;
		*at = format_state(outcome);
		at = strchr(at, '\n') + 1;
	}
}

void
format_add_head(struct buf *b, const struct entry_content *content, const char *id, size_t *n)
{
	const struct envelope *envelope = content->envelope;
	size_t start = b->size;
	size_t recipients_at;
	struct firstline first = {
		.message_size = (uint64_t)content->message->size,
		.created = content->created > 0 ? (uint64_t)content->created : 0,
		.flags = content->flags,
	};

	if (first.created > FIRSTLINE_CREATED_MOST)
		first.created = FIRSTLINE_CREATED_MOST;
	(void)buf_reserve(b, FORMAT_FIRST_LINE);
	buf_grow(b, FORMAT_FIRST_LINE);
	add_line(b, 'A', content->origin->account);
	if (content->origin->config_file != NULL)
		add_line(b, 'C', content->origin->config_file);
	add_settings(b, str_of(content->origin->settings));
	add_line(b, 'I', id);
	add_line(b, 'S', envelope->reverse_path);
	if (content->message_id != NULL)
		add_line(b, 'M', content->message_id);
	if (parameter_is_any(envelope))
		add_parameters(b, envelope);
	add_facts(b, content->message);
	recipients_at = b->size;
	*n = add_recipients(b, envelope, content->folder);
	buf_add_char(b, '\n');
	first.n_recipients = *n;
	first.head_size = b->size - start;
	firstline_put(b->data + start, &first);
	first.crc = format_crc(0, str_from(buf_str(b), start));
	firstline_finish(b->data + start, &first);
	put_states(b->data + recipients_at, envelope, content->folder);
}

void
format_add_end(struct buf *b, int64_t size, uint32_t crc)
{
	buf_printf(b, "\nMCEND %" PRId64 " %08" PRIx32 "\n", size, crc);
}

/* --- reading: line 1 and the end ----------------------------------------------------------------------------------- */

bool
format_first_line(struct str line, size_t *head_size, size_t *n_recipients, int64_t *message_size)
{
	struct firstline first = {0};

	if (!firstline_read(line, &first))
		return false;
	*head_size = (size_t)first.head_size;
	*n_recipients = (size_t)first.n_recipients;
	*message_size = (int64_t)first.message_size;
	return true;
}

bool
format_read_end(struct str line, int64_t size, uint32_t *crc)
{
	struct buf expected = {0};
	size_t digits_at;
	uint64_t value = 0;
	bool is_good;

	format_add_end(&expected, size, 0);
	digits_at = expected.size - CRC_DIGITS - 1;
	is_good = line.size >= expected.size && line.data[expected.size - 1] == '\n' &&
	          memcmp(line.data, expected.data, digits_at) == 0 &&
	          firstline_read_hex(str_make(line.data + digits_at, CRC_DIGITS), UINT32_MAX, &value);
	*crc = (uint32_t)value;
	buf_free(&expected);
	return is_good;
}
