/* part.c - finds the parts of a message that have to be re-encoded. RFC 2046 5.1, 5.2. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mail/header.h"
#include "mail/part.h"
#include "mail/quoted.h"

enum {
	BLOCK_SIZE = 64 * 1024,
	HEADER_MOST = 2 * 1024 * 1024
};

#define NO_PART SIZE_MAX

/* A multipart whose closing line was not seen. */
struct level {
	char *boundary;
	size_t part;
};

struct finder {
	const struct message *message;
	struct part_list *list;
	bool may_8bit;

	struct buf window;      /* what was read ahead */
	int64_t window_offset;  /* of its first byte in the message */

	struct level levels[PART_DEPTH_MOST + 1];
	size_t n_levels;
	struct part_facts facts; /* of the present stretch: a body, a header section, what is around the parts */
	size_t leaf;             /* the part whose body the stretch is; NO_PART: none's */
	size_t holder;           /* the innermost part that the stretch is in; NO_PART: the message's own header section */
	struct buf header;       /* of the part `leaf`, while is_in_header */
	bool is_in_header;
};

/* --- lines ------------------------------------------------------------------------------------------------------------ */

/* How many bytes of a window that is all one line may go without tearing a UTF-8 character apart? */
static size_t
whole_size(struct str text)
{
	for (size_t n = 1; n <= 4 && n < text.size; n++) {
		unsigned char octet = (unsigned char)text.data[text.size - n];

		if (octet < 0x80)
			break;
		if (octet >= 0xc0)
			return text.size - n;
	}
	return text.size;
}

/* The next line with its end, or of a line of more than 64 KiB the next piece; empty at the end. It stays until the next
 * call. */
static bool
next_piece(struct finder *f, struct str *piece, struct err *err)
{
	struct buf *window = &f->window;
	size_t size;
	ssize_t n = 1;

	f->window_offset += (int64_t)piece->size;
	buf_consume(window, piece->size);
	while ((size = str_find(buf_str(window), '\n')) == window->size && size < BLOCK_SIZE && n > 0) {
		n = message_bytes(f->message, f->window_offset + (int64_t)size, buf_reserve(window, BLOCK_SIZE), BLOCK_SIZE, err);
		if (n < 0)
			return false;
		buf_grow(window, (size_t)n);
	}
	if (size < window->size)
		size++;
	else if (n > 0)
		size = whole_size(buf_str(window));
	*piece = str_first(buf_str(window), size);
	return true;
}

/* --- facts ------------------------------------------------------------------------------------------------------------ */

static void
count(struct part_facts *facts, struct str text)
{
	bool is_line_end = text.data[text.size - 1] == '\n';

	facts->n_octets += (int64_t)text.size;
	facts->n_lines += is_line_end;
	facts->line_size += (int64_t)text.size - is_line_end;
	if (facts->line_size > facts->longest_line)
		facts->longest_line = facts->line_size;
	if (is_line_end)
		facts->line_size = 0;
	for (size_t i = 0; i < text.size - is_line_end; i++)
		facts->n_escaped += quoted_is_escaped(text.data[i]);
	facts->has_nul = facts->has_nul || str_find(text, '\0') < text.size;
	if (str_has_8bit(text)) {
		facts->has_8bit = true;
		facts->is_not_utf8 = facts->is_not_utf8 || !str_is_utf8(text);
	}
}

static bool
is_leaf(const struct part *part)
{
	return part->content.kind == CONTENT_TEXT || part->content.kind == CONTENT_DATA;
}

/* Octets that stay 8-bit make all parts around them 8-bit. */
static void
mark_8bit(struct finder *f, size_t i)
{
	struct part *parts = f->list->parts;

	while (i != NO_PART && !parts[i].keeps_8bit) {
		parts[i].keeps_8bit = true;
		i = parts[i].parent;
	}
}

static void
mark_encoded(struct finder *f, size_t i)
{
	struct part *parts = f->list->parts;

	parts[i].is_encoded = true;
	parts[i].facts = f->facts;
	while (i > 0 && !parts[parts[i].parent].holds_encoded) {
		i = parts[i].parent;
		parts[i].holds_encoded = true;
	}
}

/* The stretch is over: draw the conclusions. The next one is the body of `leaf`, or nobody's. */
static void
next_stretch(struct finder *f, size_t leaf)
{
	const struct part_facts *facts = &f->facts;
	struct part_list *list = f->list;
	bool is_8bit = facts->has_8bit && !f->may_8bit;
	bool is_long = facts->longest_line > PART_LINE_MOST;

	if (f->leaf != NO_PART && is_leaf(&list->parts[f->leaf]) && !f->is_in_header &&
	    (is_8bit || is_long || facts->has_nul))
		mark_encoded(f, f->leaf);
	else if (f->holder != NO_PART) {
		list->keeps_8bit = list->keeps_8bit || is_8bit;
		list->keeps_long_lines = list->keeps_long_lines || is_long;
		list->keeps_nul = list->keeps_nul || facts->has_nul;
		if (facts->has_8bit)
			mark_8bit(f, f->holder);
	}
	f->facts = (struct part_facts){0};
	f->leaf = leaf;
}

/* --- structure -------------------------------------------------------------------------------------------------------- */

/* A part begins here: its header section comes next. */
static void
open_part(struct finder *f, int64_t begin, bool is_message)
{
	struct part_list *list = f->list;
	size_t parent = f->holder == NO_PART ? 0 : f->holder;

	f->is_in_header = false;
	next_stretch(f, NO_PART);
	if (list->n_parts == PARTS_MOST)
		return;
	if (list->n_parts == list->capacity) {
		list->capacity = list->capacity == 0 ? 8 : 2 * list->capacity;
		list->parts = mem_resize(list->parts, list->capacity, sizeof(*list->parts));
	}
	list->parts[list->n_parts] = (struct part){
		.begin = begin,
		.body_begin = begin,
		.body_end = f->message->size,
		.parent = parent,
		.depth = list->n_parts == 0 ? 0 : list->parts[parent].depth + 1,
		.is_message = is_message,
	};
	f->leaf = list->n_parts++;
	f->is_in_header = true;
	buf_clear(&f->header);
}

/* The part that was being read ends before `end`. It is forgotten if there is nothing to do with it. */
static void
close_part(struct finder *f, int64_t end)
{
	size_t leaf = f->leaf;
	struct part *part;

	next_stretch(f, NO_PART);
	f->is_in_header = false;
	if (leaf == NO_PART)
		return;
	part = &f->list->parts[leaf];
	part->body_end = end > part->body_begin ? end : part->body_begin;
	if (!part->is_encoded && leaf > 0 && leaf + 1 == f->list->n_parts)
		f->list->n_parts--;
}

/* The header section of the part is over, its body begins. */
static void
begin_body(struct finder *f, int64_t body_begin)
{
	size_t i = f->leaf;
	struct part *part = &f->list->parts[i];
	bool is_in_digest = f->n_levels > 0 && f->levels[f->n_levels - 1].part == part->parent &&
	                    i > 0 && f->list->parts[part->parent].content.is_digest;

	content_read(&part->content, buf_str(&f->header), is_in_digest);
	part->header_size = (int64_t)f->header.size;
	part->body_begin = body_begin;
	/* Too deep; cut off within a field; or a message that begins with something else, such as an mbox line. */
	if (part->depth == PART_DEPTH_MOST || f->header.size > HEADER_MOST - 4 * BLOCK_SIZE ||
	    (i > 0 && part->is_message && f->header.size == 0))
		part->content.kind = CONTENT_SEALED;
	next_stretch(f, i);
	f->is_in_header = false;
	if (f->holder == NO_PART)
		f->holder = i;
	if (part->content.kind == CONTENT_MESSAGE) {
		f->holder = i;
		f->leaf = NO_PART;
		open_part(f, body_begin, true);
	} else if (part->content.kind == CONTENT_MULTIPART) {
		f->holder = i;
		f->leaf = NO_PART;
		f->levels[f->n_levels++] = (struct level){.boundary = part->content.boundary, .part = i};
		part->content.boundary = NULL;
	}
	free(f->list->parts[i].content.boundary);
	f->list->parts[i].content.boundary = NULL;
}

/* Is line the boundary line of one of the open multiparts? The outermost that fits, counted from 1; 0: none. */
static size_t
find_level(const struct finder *f, struct str line, bool *is_closing)
{
	if (!str_starts_with(line, STR("--")))
		return 0;
	for (size_t i = 0; i < f->n_levels; i++) {
		struct str boundary = str_of(f->levels[i].boundary);
		struct str rest = str_from(line, 2);

		if (!str_starts_with(rest, boundary))
			continue;
		rest = str_from(rest, boundary.size);
		*is_closing = str_starts_with(rest, STR("--"));
		if (str_trim(str_from(rest, *is_closing ? 2 : 0)).size == 0)
			return i + 1;
	}
	return 0;
}

/* Take the line if it is a boundary line. */
static bool
take_boundary(struct finder *f, struct str line)
{
	bool is_closing = false;
	size_t n = find_level(f, line, &is_closing);

	if (n == 0)
		return false;
	close_part(f, f->window_offset - 1);
	f->holder = f->levels[n - 1].part;
	while (f->n_levels > (is_closing ? n - 1 : n))
		free(f->levels[--f->n_levels].boundary);
	count(&f->facts, line);
	if (!is_closing)
		open_part(f, f->window_offset + (int64_t)line.size, false);
	return true;
}

/* Take a piece of a header section. False: the section is over, and the piece is of the body. */
static bool
take_header(struct finder *f, struct str piece, bool begins_line)
{
	struct header_field field = {0};
	struct str rest = piece;

	if (begins_line && str_equals(piece, STR("\n"))) {
		begin_body(f, f->window_offset + 1);
		return true;
	}
	if (f->header.size + piece.size > HEADER_MOST ||
	    (begins_line && !header_next(&rest, &field) &&
	     !(f->header.size > 0 && ascii_is_blank(piece.data[0]) && str_trim(piece).size > 0))) {
		begin_body(f, f->window_offset);
		return false;
	}
	buf_add_str(&f->header, piece);
	count(&f->facts, piece);
	return true;
}

static void
take_piece(struct finder *f, struct str piece, bool begins_line)
{
	if (begins_line && take_boundary(f, piece))
		return;
	/* The body of a message within has a header section in turn. */
	while (f->is_in_header)
		if (take_header(f, piece, begins_line))
			return;
	count(&f->facts, piece);
}

bool
part_find(const struct message *message, bool may_8bit, struct part_list *list, struct err *err)
{
	struct finder f = {.message = message, .list = list, .may_8bit = may_8bit, .leaf = NO_PART, .holder = NO_PART};
	struct str piece = {0};
	bool begins_line = true;
	bool is_well;

	open_part(&f, 0, true);
	while ((is_well = next_piece(&f, &piece, err)) && piece.size > 0) {
		take_piece(&f, piece, begins_line);
		begins_line = piece.data[piece.size - 1] == '\n';
	}
	close_part(&f, message->size);
	while (f.n_levels > 0)
		free(f.levels[--f.n_levels].boundary);
	buf_free(&f.header);
	buf_free(&f.window);
	return is_well;
}

void
part_list_free(struct part_list *list)
{
	free(list->parts);
	*list = (struct part_list){0};
}
