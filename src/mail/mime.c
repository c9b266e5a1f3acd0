/* mime.c - re-encodes of a message what a server cannot take. RFC 2045, RFC 2046 5, RFC 2047, RFC 6152 3. */

#include "config.h"

#include <string.h>

#include "mail/header.h"
#include "mail/keep.h"
#include "mail/mime.h"
#include "mail/part.h"
#include "mail/quoted.h"
#include "mail/recode.h"

enum { BLOCK_SIZE = 64 * 1024 };

struct encoder {
	const struct message *in;
	const struct part_list *list;
	struct keep keep;
	struct buf block;
	struct buf recoded; /* the header section of the message in ASCII, when that differs */
	int64_t position; /* bytes of `in` that were dealt with */
};

/* --- reading and writing ---------------------------------------------------------------------------------------------- */

/* Replace what is in block by the bytes from `offset` on, at most a block of them and none behind end. */
static bool
read_block(const struct message *in, int64_t offset, int64_t end, struct buf *block, struct err *err)
{
	int64_t size = end - offset < BLOCK_SIZE ? end - offset : BLOCK_SIZE;
	ssize_t n;

	buf_clear(block);
	n = message_bytes(in, offset, buf_reserve(block, BLOCK_SIZE), (size_t)size, err);
	if (n > 0)
		buf_grow(block, (size_t)n);
	return n > 0;
}

static void
add_without_nul(struct buf *b, struct str text)
{
	while (text.size > 0) {
		size_t size = str_find(text, '\0');

		buf_add_str(b, str_first(text, size));
		text = str_from(text, size + 1);
	}
}

/* Copy the message as it is up to `end`, NUL apart. */
static bool
copy_up_to(struct encoder *e, int64_t end, struct err *err)
{
	struct buf *memory = &e->keep.message->memory;

	while (e->position < end) {
		size_t from = memory->size;

		if (!read_block(e->in, e->position, end, &e->block, err))
			return false;
		add_without_nul(memory, buf_str(&e->block));
		e->position += (int64_t)e->block.size;
		if (!keep_added(&e->keep, from, err))
			return false;
	}
	return true;
}

/* --- how a part is encoded --------------------------------------------------------------------------------------------- */

/* Text that people may have to read undecoded stays quoted-printable, however long. */
static bool
wants_base64(const struct part *part)
{
	const struct part_facts *facts = &part->facts;
	int64_t quoted_size = facts->n_octets + 2 * facts->n_escaped;
	int64_t base64_size = (facts->n_octets + facts->n_lines) * 4 / 3;

	if (part->content.kind == CONTENT_DATA)
		return base64_size < quoted_size;
	return !part->content.has_type && facts->is_not_utf8 && base64_size + base64_size / 2 < quoted_size;
}

static const char *
charset_of(const struct part *part)
{
	if (!part->facts.has_8bit)
		return "us-ascii";
	return part->facts.is_not_utf8 ? "unknown-8bit" : "utf-8";
}

/* The Content-Transfer-Encoding to be written; NULL: none, or the one that is there. */
static const char *
encoding_of(const struct encoder *e, const struct part *part)
{
	bool is_wide = part->content.encoding == CONTENT_8BIT || part->content.encoding == CONTENT_BINARY;

	if (part->is_encoded)
		return wants_base64(part) ? "base64" : "quoted-printable";
	if (!part->holds_encoded || !is_wide)
		return NULL;
	if (!part->keeps_8bit)
		return e->list->keeps_long_lines ? NULL : "7bit";
	return part->content.encoding == CONTENT_8BIT || e->list->keeps_long_lines ? NULL : "8bit";
}

static void
add_encoding(struct buf *header, const char *encoding)
{
	buf_printf(header, "Content-Transfer-Encoding: %s\n", encoding);
}

/* Append the header section of the part, changed. */
static void
add_header(const struct encoder *e, const struct part *part, struct str section, struct buf *header)
{
	const char *encoding = encoding_of(e, part);
	struct header_field field = {0};
	bool is_written = encoding == NULL;

	if ((part->is_encoded || part->holds_encoded) && part->is_message && !part->content.has_version)
		buf_add_text(header, "MIME-Version: 1.0\n");
	if (part->is_encoded && !part->content.has_type)
		buf_printf(header, "Content-Type: text/plain; charset=%s\n", charset_of(part));
	if (encoding != NULL && !part->content.has_encoding) {
		add_encoding(header, encoding);
		is_written = true;
	}
	while (header_next(&section, &field)) {
		if (encoding == NULL || !header_is(&field, "Content-Transfer-Encoding"))
			add_without_nul(header, field.whole);
		else if (!is_written) {
			add_encoding(header, encoding);
			is_written = true;
		}
	}
	add_without_nul(header, section);
}

/* --- writing parts ------------------------------------------------------------------------------------------------------ */

/* Append what there is from the position on up to `end`. */
static bool
read_section(struct encoder *e, int64_t end, struct buf *section, struct err *err)
{
	while (e->position < end) {
		if (!read_block(e->in, e->position, end, &e->block, err))
			return false;
		buf_add_str(section, buf_str(&e->block));
		e->position += (int64_t)e->block.size;
	}
	return true;
}

static bool
write_header(struct encoder *e, const struct part *part, struct err *err)
{
	struct message *out = e->keep.message;
	struct buf section = {0};
	size_t from = out->memory.size;
	bool is_recoded = !e->keep.has_header && e->recoded.size > 0;
	bool is_well = read_section(e, part->begin + part->header_size, &section, err);

	if (is_well) {
		add_header(e, part, buf_str(is_recoded ? &e->recoded : &section), &out->memory);
		if (!e->keep.has_header)
			out->header_size = (int64_t)out->memory.size;
		buf_add_char(&out->memory, '\n');
		is_well = keep_added(&e->keep, from, err);
		e->keep.has_header = true;
		e->position = part->body_begin;
	}
	buf_free(&section);
	return is_well;
}

static bool
write_body(struct encoder *e, const struct part *part, struct err *err)
{
	struct quoted quoted = {.is_base64 = wants_base64(part)};
	struct buf *memory = &e->keep.message->memory;

	while (e->position < part->body_end) {
		size_t from = memory->size;

		if (!read_block(e->in, e->position, part->body_end, &e->block, err))
			return false;
		quoted_add(&quoted, buf_str(&e->block), memory);
		e->position += (int64_t)e->block.size;
		if (e->position == part->body_end) {
			quoted_end(&quoted, memory);
			/* A part that is followed by a boundary line gets the line end in front of that. */
			if (quoted.is_base64 && e->position == e->in->size)
				buf_add_char(memory, '\n');
		}
		if (!keep_added(&e->keep, from, err))
			return false;
	}
	return true;
}

static bool
write_all(struct encoder *e, struct err *err)
{
	for (size_t i = 0; i < e->list->n_parts; i++) {
		const struct part *part = &e->list->parts[i];

		if (i > 0 && !part->is_encoded && !part->holds_encoded)
			continue;
		if (!copy_up_to(e, part->begin, err) || !write_header(e, part, err))
			return false;
		if (part->is_encoded && !write_body(e, part, err))
			return false;
	}
	return copy_up_to(e, e->in->size, err) && keep_end(&e->keep, err);
}

/* --- the whole ------------------------------------------------------------------------------------------------------------ */

/* longest_line is of the header section as well, in which nothing can be changed here. */
static bool
has_long_body_line(const struct message *message)
{
	struct err ignored = {0};
	struct buf block = {0};
	int64_t offset = message->header_size;
	int64_t line_size = 0;

	while (offset < message->size && line_size <= PART_LINE_MOST) {
		struct str rest;

		/* What cannot be read is looked at by mime_encode(), which can say so. */
		if (!read_block(message, offset, message->size, &block, &ignored))
			line_size = PART_LINE_MOST + 1;
		offset += (int64_t)block.size;
		rest = buf_str(&block);
		while (rest.size > 0 && line_size <= PART_LINE_MOST) {
			size_t size = str_find(rest, '\n');

			line_size += (int64_t)size;
			if (size < rest.size && line_size <= PART_LINE_MOST)
				line_size = 0;
			rest = str_from(rest, size + 1);
		}
	}
	buf_free(&block);
	err_clear(&ignored);
	return line_size > PART_LINE_MOST;
}

/* Make e->recoded, if anything of the header section can be written in ASCII. */
static bool
recode_header(struct encoder *e, struct err *err)
{
	struct buf section = {0};
	bool is_well = read_section(e, e->in->header_size, &section, err);

	if (is_well && !recode_section(&e->recoded, buf_str(&section)))
		buf_clear(&e->recoded);
	e->position = 0;
	buf_free(&section);
	return is_well;
}

bool
mime_is_needed(const struct message *message, struct mime_server server)
{
	return message->has_nul || (message->has_8bit_body && !server.takes_8bit) || mime_has_bad_header(message, server) ||
	       (message->longest_line > PART_LINE_MOST && has_long_body_line(message));
}

bool
mime_has_bad_header(const struct message *message, struct mime_server server)
{
	return message->has_8bit_header && !(server.takes_utf8 && message->has_utf8_header);
}

bool
mime_encode(const struct message *in, struct mime_server server, struct message *out, struct mime_result *result,
            struct err *err)
{
	struct part_list list = {0};
	struct encoder e = {.in = in, .list = &list};
	bool is_bad = mime_has_bad_header(in, server);
	bool is_well = part_find(in, server.takes_8bit, &list, err) && (!is_bad || recode_header(&e, err));

	*out = (struct message){0};
	*result = (struct mime_result){
		.keeps_8bit = list.keeps_8bit,
		.keeps_8bit_header = is_bad && (e.recoded.size == 0 || str_has_8bit(buf_str(&e.recoded))),
		.keeps_long_lines = list.keeps_long_lines,
		.drops_nul = list.keeps_nul,
	};
	if (is_well && (list.parts[0].is_encoded || list.parts[0].holds_encoded || list.keeps_nul || e.recoded.size > 0)) {
		keep_open(&e.keep, out);
		out->waives_tls = in->waives_tls;
		is_well = write_all(&e, err);
		result->is_changed = is_well;
		if (!is_well)
			message_free(out);
	}
	buf_free(&e.block);
	buf_free(&e.recoded);
	part_list_free(&list);
	return is_well;
}

const char *
mime_warning(const struct mime_result *result)
{
	if (result->drops_nul)
		return "NUL octets were removed from a part of the message that cannot be re-encoded";
	if (result->keeps_8bit)
		return "sent 8-bit text to a server without 8BITMIME, in a part of the message that must not be re-encoded";
	if (result->keeps_long_lines)
		return "sent lines of more than 998 octets, in a part of the message that must not be re-encoded";
	return NULL;
}
