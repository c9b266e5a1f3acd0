/* load.c - the parts of an entry in memory made from its bytes. No I/O. */

#include "config.h"

#include <string.h>

#include "base/mem.h"
#include "queue/format.h"
#include "queue/load.h"

uint64_t
load_outcome_hash(const struct outcome *outcome)
{
	const unsigned facts[] = {(unsigned)outcome->state,      (unsigned)outcome->stage, outcome->may_be_duplicate,
	                          (unsigned)outcome->reply_code, outcome->enhanced[0],     outcome->enhanced[1],
	                          outcome->enhanced[2]};
	uint64_t sum = str_hash(STR_HASH_START, str_make((const char *)facts, sizeof(facts)));

	/* With the NULs, so that the end of one and the beginning of the other are not mixed up. */
	sum = str_hash(sum, str_make(outcome->text, strlen(outcome->text) + 1));
	return str_hash(sum, str_make(outcome->host, strlen(outcome->host) + 1));
}

bool
load_head(struct entry *entry, struct str head, const char **why)
{
	struct str id, tag;
	char expected[ID_LENGTH + 1] = {0};

	*why = "its name is not that of an entry";
	if (!id_split(str_of(entry->name), &id, &tag))
		return false;
	memcpy(expected, id.data, ID_LENGTH);
	memcpy(entry->tag, tag.data, TAG_LENGTH);
	if (!format_read_head(entry, head, why))
		return false;
	if (strcmp(expected, entry->id) != 0) {
		*why = "its name is not the one it was made with";
		return false;
	}
	buf_clear(&entry->head);
	buf_add_str(&entry->head, head);
	return true;
}

void
load_journal(struct entry *entry, struct str journal)
{
	size_t n = entry->envelope.n_recipients;

	format_read_journal(entry, journal);
	entry->has_torn_line = journal.size > 0 && journal.data[journal.size - 1] != '\n';
	entry->recorded = mem_resize(entry->recorded, n, sizeof(*entry->recorded));
	for (size_t i = 0; i < n; i++)
		entry->recorded[i] = load_outcome_hash(&entry->envelope.recipients[i].outcome);
}

void
load_message_in_file(struct entry *entry)
{
	/* Not is_open: the descriptor is the entry's. */
	entry->message.is_in_memory = false;
	entry->message.is_open = false;
	entry->message.fd = entry->fd;
	entry->message.start = (int64_t)entry->head.size;
}
