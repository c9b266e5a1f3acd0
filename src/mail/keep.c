/* keep.c - where the bytes of a message go while it is made. */

#include "config.h"

#include <string.h>

#include "base/file.h"
#include "mail/keep.h"

enum {
	BLOCK_SIZE = 64 * 1024,
	MEMORY_MOST = 256 * 1024
};

static bool
has_8bit(struct str text)
{
	const uint64_t high_bits = UINT64_C(0x8080808080808080);
	uint64_t word;
	size_t i = 0;

	/* Eight at a time, for this looks at every byte of every message. */
	for (; i + sizeof(word) <= text.size; i += sizeof(word)) {
		memcpy(&word, text.data + i, sizeof(word));
		if ((word & high_bits) != 0)
			return true;
	}
	return str_has_8bit(str_from(text, i));
}

/* Take the facts of text, which was just kept. */
static void
count(struct keep *keep, struct str text)
{
	struct message *message = keep->message;
	bool *is_8bit = keep->has_header ? &message->has_8bit_body : &message->has_8bit_header;
	const char *data = text.data;
	const char *end;
	const char *line_end;

	if (text.size == 0)
		return;
	end = data + text.size;
	message->size += (int64_t)text.size;
	*is_8bit = *is_8bit || has_8bit(text);
	message->has_nul = message->has_nul || str_find(text, '\0') < text.size;
	while (data < end) {
		line_end = memchr(data, '\n', (size_t)(end - data));
		keep->line_size += (line_end != NULL ? line_end : end) - data;
		if (keep->line_size > message->longest_line)
			message->longest_line = keep->line_size;
		if (line_end == NULL)
			break;
		keep->n_lines++;
		keep->line_size = 0;
		data = line_end + 1;
	}
	message->wire_size = message->size + keep->n_lines;
}

/* Write what is in memory to the spool file; `keeps_memory` for what comes next. */
static bool
spill(struct message *message, bool keeps_memory, struct err *err)
{
	if (message->is_in_memory && !file_open_spool(&message->fd, err))
		return false;
	message->is_in_memory = false;
	if (!file_write_all(message->fd, message->memory.data, message->memory.size, "the spool file", err))
		return err_hint(err, "set TMPDIR to a folder with room for the message");
	/* The first time there is more of it than will be needed again. */
	if (keeps_memory && message->memory.capacity <= 4 * BLOCK_SIZE)
		buf_clear(&message->memory);
	else
		buf_free(&message->memory);
	return true;
}

void
keep_open(struct keep *keep, struct message *message)
{
	*message = (struct message){.is_in_memory = true, .fd = -1, .is_open = true};
	keep->message = message;
}

bool
keep_added(struct keep *keep, size_t from, struct err *err)
{
	struct message *message = keep->message;

	count(keep, str_from(buf_str(&message->memory), from));
	if (message->is_in_memory ? message->memory.size <= MEMORY_MOST : message->memory.size < BLOCK_SIZE)
		return true;
	return spill(message, true, err);
}

/* Is the 8-bit header section UTF-8? It came in pieces that may end within a character, so it is read once more. */
static bool
examine_header(struct message *message, struct err *err)
{
	struct buf section = {0};
	ssize_t n = 1;

	while (n > 0 && (int64_t)section.size < message->header_size) {
		n = message_bytes(message, (int64_t)section.size, buf_reserve(&section, BLOCK_SIZE), BLOCK_SIZE, err);
		if (n > 0)
			buf_grow(&section, (size_t)n);
	}
	message->has_utf8_header = n > 0 && str_is_utf8(str_first(buf_str(&section), (size_t)message->header_size));
	buf_free(&section);
	return n >= 0;
}

bool
keep_end(struct keep *keep, struct err *err)
{
	struct message *message = keep->message;

	if (!message->is_in_memory && !spill(message, false, err))
		return false;
	return !message->has_8bit_header || examine_header(message, err);
}
