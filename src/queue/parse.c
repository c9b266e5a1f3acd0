/* parse.c - reads the head of a queue entry. Pure.
 *
 * The checksum comes first: what is made of a head, memory included, is made of one that was written here. The
 * recipients' lines are found by their number, for a state byte may be anything after a disk has lied, a newline
 * too. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "queue/escape.h"
#include "queue/firstline.h"
#include "queue/format.h"
#include "queue/parameter.h"

/* Take a line off *rest, without its newline. False: there is none that ends. */
static bool
next_line(struct str *rest, struct str *line)
{
	size_t end = str_find(*rest, '\n');

	return end < rest->size && str_next_token(rest, '\n', line);
}

/* The size of a recipient's line, state byte and newline included; 0: it does not end. */
static size_t
recipient_size(struct str rest)
{
	size_t end = rest.size > 1 ? 1 + str_find(str_from(rest, 1), '\n') : rest.size;

	return end < rest.size ? end + 1 : 0;
}

/* Does the checksum agree? Goes through the lines without keeping anything. */
static bool
check_sum(struct str head, const struct firstline *first, const char **why)
{
	struct str rest = str_from(head, FORMAT_FIRST_LINE);
	struct str line = {0};
	char expected[FORMAT_FIRST_LINE];
	uint32_t crc;

	while (line.size == 0 || line.data[0] != 'F')
		if (!next_line(&rest, &line)) {
			*why = "its head has no end";
			return false;
		}
	firstline_put(expected, first);
	crc = format_crc(0, str_make(expected, sizeof(expected)));
	crc = format_crc(crc, str_make(head.data + FORMAT_FIRST_LINE, head.size - rest.size - FORMAT_FIRST_LINE));
	for (size_t i = 0; i < first->n_recipients; i++) {
		size_t size = recipient_size(rest);

		crc = format_crc(crc, STR("T"));
		crc = format_crc(crc, str_from(str_first(rest, size), 1));
		rest = str_from(rest, size);
	}
	*why = "its head does not agree with the checksum";
	return format_crc(crc, rest) == first->crc;
}

/* Read a line that begins with this letter. False: the next one begins otherwise, or its value cannot be one. */
static bool
read_line(struct str *rest, char letter, char **value)
{
	struct str line;

	if (rest->size == 0 || rest->data[0] != letter || !next_line(rest, &line))
		return false;
	return escape_read(str_from(line, 1), ESCAPE_LINE, value);
}

/* The same; true as well when no such line is there. */
static bool
read_optional_line(struct str *rest, char letter, char **value)
{
	return rest->size == 0 || rest->data[0] != letter || read_line(rest, letter, value);
}

static bool
read_settings(struct str *rest, char **settings)
{
	struct buf lines = {0};
	char *line = NULL;

	while (rest->size > 0 && rest->data[0] == 'O') {
		/* A newline inside would be two settings. */
		if (!read_line(rest, 'O', &line) || strchr(line, '\n') != NULL) {
			free(line);
			buf_free(&lines);
			return false;
		}
		buf_add_text(&lines, line);
		buf_add_char(&lines, '\n');
		free(line);
		line = NULL;
	}
	if (lines.size > 0)
		*settings = buf_take(&lines);
	return true;
}

static bool
read_id(struct str *rest, char id[ID_LENGTH + 1])
{
	struct str line;

	if (rest->size == 0 || rest->data[0] != 'I' || !next_line(rest, &line) || !id_is_valid(str_from(line, 1)))
		return false;
	memcpy(id, line.data + 1, ID_LENGTH);
	id[ID_LENGTH] = '\0';
	return true;
}

static bool
read_parameters(struct str *rest, struct envelope *envelope)
{
	struct str line;

	if (rest->size == 0 || rest->data[0] != 'P')
		return true;
	return next_line(rest, &line) && parameter_read(str_from(line, 1), envelope);
}

/* Take a number and the blank behind it off *line; written without zeros in front. */
static bool
read_number(struct str *line, int64_t most, int64_t *number)
{
	struct str word;
	uint64_t value = 0;

	if (!str_next_token(line, ' ', &word) || !str_to_number(word, (uint64_t)most, &value))
		return false;
	*number = (int64_t)value;
	return word.size == 1 || word.data[0] != '0';
}

static bool
take_flag(struct str *text, char letter)
{
	if (text->size == 0 || text->data[0] != letter)
		return false;
	*text = str_from(*text, 1);
	return true;
}

/* message->size is known already. */
static bool
read_facts(struct str *rest, struct message *message)
{
	struct str line;

	if (rest->size == 0 || rest->data[0] != 'F' || !next_line(rest, &line))
		return false;
	line = str_from(line, 1);
	if (!read_number(&line, message->size, &message->header_size) ||
	    !read_number(&line, 2 * (int64_t)FIRSTLINE_SIZE_MOST, &message->wire_size) ||
	    !read_number(&line, message->size, &message->longest_line) || line.size == 0)
		return false;
	if (str_equals(line, STR("-")))
		return true;
	message->has_8bit_body = take_flag(&line, '8');
	message->has_8bit_header = take_flag(&line, 'h');
	message->has_utf8_header = take_flag(&line, 'u');
	message->has_nul = take_flag(&line, 'n');
	message->waives_tls = take_flag(&line, 't');
	return line.size == 0;
}

/* The line's text behind the state byte. */
static bool
read_recipient(struct str line, struct recipient *recipient)
{
	struct str field = str_first(line, str_find(line, '\t'));

	if (!escape_read(field, ESCAPE_LINE, &recipient->mailbox))
		return false;
	line = str_from(line, field.size);
	if (str_starts_with(line, STR("\tNOTIFY="))) {
		field = str_from(line, strlen("\tNOTIFY="));
		field = str_first(field, str_find(field, '\t'));
		if (!parameter_read_notify(field, &recipient->notify))
			return false;
		line = str_from(line, strlen("\tNOTIFY=") + field.size);
	}
	if (!str_starts_with(line, STR("\tORCPT=")))
		return line.size == 0;
	return escape_read(str_from(line, strlen("\tORCPT=")), ESCAPE_LINE, &recipient->original);
}

static void
set_outcome(struct outcome *outcome, unsigned char state)
{
	switch (state) {
	case 'D':
		outcome->state = OUTCOME_DELIVERED;
		break;
	case 'F':
		outcome->state = OUTCOME_FAILED;
		break;
	case 'U':
		outcome->may_be_duplicate = true;
		break;
	default:
		/* T, and whatever nobody wrote: pending. */
		break;
	}
}

static bool
read_recipients(struct entry *entry, struct str head, size_t at, size_t n)
{
	struct envelope *envelope = &entry->envelope;

	envelope->recipients = mem_alloc(n, sizeof(*envelope->recipients));
	entry->n_states = n;
	entry->states = mem_alloc(n, sizeof(*entry->states));
	entry->state_offsets = mem_alloc(n, sizeof(*entry->state_offsets));
	for (size_t i = 0; i < n; i++) {
		size_t size = recipient_size(str_from(head, at));
		struct recipient *recipient = &envelope->recipients[envelope->n_recipients++];

		if (size == 0 || !read_recipient(str_make(head.data + at + 1, size - 2), recipient))
			return false;
		entry->states[i] = (unsigned char)head.data[at];
		entry->state_offsets[i] = at;
		set_outcome(&recipient->outcome, entry->states[i]);
		at += size;
	}
	return str_equals(str_from(head, at), STR("\n"));
}

/* What is wrong with the lines behind line 1; NULL: nothing. */
static const char *
read_lines(struct entry *entry, struct str head, size_t n_recipients)
{
	struct str rest = str_from(head, FORMAT_FIRST_LINE);
	struct entry_origin *origin = &entry->origin;

	if (!read_line(&rest, 'A', &origin->account))
		return "its account cannot be read";
	if (!read_optional_line(&rest, 'C', &origin->config_file))
		return "the name of its configuration file cannot be read";
	if (!read_settings(&rest, &origin->settings))
		return "its settings cannot be read";
	if (!read_id(&rest, entry->id))
		return "its id cannot be read";
	if (!read_line(&rest, 'S', &entry->envelope.reverse_path))
		return "its sender cannot be read";
	if (!read_optional_line(&rest, 'M', &entry->message_id))
		return "its Message-ID cannot be read";
	if (!read_parameters(&rest, &entry->envelope))
		return "its parameters cannot be read";
	if (!read_facts(&rest, &entry->message))
		return "the facts of its message cannot be read";
	if (!read_recipients(entry, head, head.size - rest.size, n_recipients))
		return "its recipients cannot be read";
	return NULL;
}

bool
format_read_head(struct entry *entry, struct str head, const char **why)
{
	struct firstline first = {0};

	*why = NULL;
	if (!firstline_read(head, &first))
		*why = "its first line is not that of an entry";
	else if (first.head_size != head.size)
		*why = "its head has another size than its first line says";
	else if (check_sum(head, &first, why)) {
		entry->created = (time_t)first.created;
		entry->flags = first.flags;
		entry->message.size = (int64_t)first.message_size;
		*why = read_lines(entry, head, (size_t)first.n_recipients);
	}
	return *why == NULL;
}
