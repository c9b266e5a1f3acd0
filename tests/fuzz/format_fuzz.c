/* format_fuzz.c - whatever a file of the queue holds, it is read without harm, and what is taken survives being written again.
 *
 * The input is a file: head, message, end, journal. Because no mutation finds a checksum, it is read a second time with the right
 * one. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "must.h"
#include "queue/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As entry_free(), for an entry without a file. */
static void
free_entry(struct entry *entry)
{
	free(entry->origin.account);
	free(entry->origin.config_file);
	free(entry->origin.settings);
	free(entry->message_id);
	envelope_free(&entry->envelope);
	free(entry->states);
	free(entry->state_offsets);
	*entry = (struct entry){0};
}

static void
check_filled(const struct entry *entry, struct str head)
{
	must(id_is_valid(str_of(entry->id)) && entry->origin.account != NULL && entry->envelope.reverse_path != NULL);
	must(entry->envelope.n_recipients > 0 && entry->created >= 0 && entry->message.size >= 0);
	for (size_t i = 0; i < entry->envelope.n_recipients; i++) {
		must(entry->envelope.recipients[i].mailbox != NULL && entry->state_offsets[i] < head.size);
		must(entry->states[i] == (unsigned char)head.data[entry->state_offsets[i]]);
		must(head.data[entry->state_offsets[i] - 1] == '\n');
	}
}

/* What comes out of a head makes the same head, but for those whom nobody has to try again, and states that mean T. */
static void
check_again(const struct entry *entry, struct str head)
{
	struct entry_content content = {
		.origin = &entry->origin,
		.envelope = &entry->envelope,
		.message = &entry->message,
		.message_id = entry->message_id,
		.created = entry->created,
		.flags = entry->flags,
		.folder = SPOOL_FAILED,
	};
	struct buf again = {0};
	size_t n = 0;
	bool is_same = true;

	format_add_head(&again, &content, entry->id, &n);
	must(n == entry->envelope.n_recipients - envelope_count(&entry->envelope, OUTCOME_DELIVERED));
	for (size_t i = 0; i < entry->envelope.n_recipients; i++)
		is_same = is_same && strchr("TUF", entry->states[i]) != NULL && entry->states[i] != '\0';
	/* The flags of the input may be any bytes. */
	if (is_same) {
		memcpy(again.data + FORMAT_FLAGS_AT, head.data + FORMAT_FLAGS_AT, 2);
		must(str_equals(buf_str(&again), head));
	}
	buf_free(&again);
}

static void
read_all(struct str file)
{
	struct entry entry = {0};
	const char *why = NULL;
	size_t head_size = 0;
	size_t n = 0;
	int64_t size = 0;
	uint32_t crc = 0;
	struct str head = file;

	if (format_first_line(file, &head_size, &n, &size)) {
		must(head_size > FORMAT_FIRST_LINE && n > 0 && n < head_size && size >= 0);
		head = str_first(file, head_size);
		file = str_from(file, head_size);
	}
	if (format_read_head(&entry, head, &why)) {
		must(why == NULL && entry.envelope.n_recipients == n && entry.message.size == size);
		check_filled(&entry, head);
		check_again(&entry, head);
		if (size <= (int64_t)file.size)
			file = str_from(file, (size_t)size);
		if (format_read_end(file, size, &crc))
			file = str_from(file, str_find(str_from(file, 1), '\n') + 2);
	} else {
		must(why != NULL);
		free_entry(&entry);
		entry.envelope.recipients = mem_alloc(3, sizeof(struct recipient));
		entry.envelope.n_recipients = 3;
	}
	format_read_journal(&entry, file);
	for (size_t i = 0; i < entry.envelope.n_recipients; i++) {
		must(!str_has_control(str_of(entry.envelope.recipients[i].outcome.text)));
		must(!str_has_control(str_of(entry.envelope.recipients[i].outcome.host)));
	}
	free_entry(&entry);
}

/* Give the head the checksum it should have: state bytes are T for it. */
static void
mend(char *data, size_t size)
{
	size_t head_size = 0;
	size_t n = 0;
	int64_t message_size = 0;
	struct buf head = {0};
	uint32_t crc;
	size_t at = FORMAT_FIRST_LINE;

	if (!format_first_line(str_make(data, size), &head_size, &n, &message_size) || head_size > size)
		return;
	buf_add(&head, data, head_size);
	memcpy(head.data + FORMAT_FLAGS_AT, "00 00000000", 11);
	while (at < head_size && head.data[at] != 'F')
		at += str_find(str_from(buf_str(&head), at), '\n') + 1;
	for (at += str_find(str_from(buf_str(&head), at < head_size ? at : head_size), '\n') + 1;
	     n > 0 && at + 1 < head_size; n--) {
		head.data[at] = 'T';
		at += 1 + str_find(str_from(buf_str(&head), at + 1), '\n') + 1;
	}
	crc = format_crc(0, buf_str(&head));
	for (int i = 0; i < 8; i++)
		data[FORMAT_FIRST_LINE - 2 - i] = "0123456789abcdef"[(crc >> (4 * i)) & 0xf];
	buf_free(&head);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = mem_copy(data, size);

	read_all(str_make(copy, size));
	mend(copy, size);
	read_all(str_make(copy, size));
	free(copy);
	return 0;
}
