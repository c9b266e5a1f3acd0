/* dkim.c - what a DKIM signature is made of. Pure. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/domain.h"
#include "base/mem.h"
#include "mail/address.h"
#include "mail/dkim.h"
#include "mail/header.h"

enum {
	PIECE_SIZE = 4096, /* bytes given out at once, about */
	LINE_MOST = 78     /* RFC 5322 2.1.1 */
};

/* The fields that make a message what it is (RFC 6376 5.4.1, with those of MIME, Message-ID, Sender and RFC 8058). Not those that
 * are changed on the way (Received, Return-Path), nor what is for the next hop only. */
static const char *const signed_fields[] = {
	"From",
	"Sender",
	"Reply-To",
	"Subject",
	"Date",
	"To",
	"Cc",
	"Message-ID",
	"In-Reply-To",
	"References",
	"MIME-Version",
	"Content-Type",
	"Content-Transfer-Encoding",
	"Content-Disposition",
	"Content-ID",
	"Content-Description",
	"Content-Language",
	"Resent-Date",
	"Resent-From",
	"Resent-Sender",
	"Resent-To",
	"Resent-Cc",
	"Resent-Message-ID",
	"List-Id",
	"List-Help",
	"List-Unsubscribe",
	"List-Unsubscribe-Post",
	"List-Subscribe",
	"List-Post",
	"List-Owner",
	"List-Archive",
};

/* --- the body ------------------------------------------------------------------------------------------------------------- */

static void
give(struct dkim_body *body, size_t least)
{
	if (body->out.size < least || body->out.size == 0)
		return;
	body->add(body->context, buf_str(&body->out));
	buf_clear(&body->out);
}

/* Something comes that is neither a blank nor a line end: what was held back counts. */
static void
give_held(struct dkim_body *body)
{
	for (; body->n_line_ends > 0; body->n_line_ends--) {
		buf_add_text(&body->out, "\r\n");
		give(body, PIECE_SIZE);
	}
	if (body->has_blank)
		buf_add_char(&body->out, ' ');
	body->has_blank = false;
	body->has_text = true;
}

static bool
is_held(char c)
{
	return c == '\n' || ascii_is_blank(c);
}

void
dkim_body_add(struct dkim_body *body, struct str text)
{
	size_t i = 0;

	while (i < text.size) {
		size_t from = i;

		if (text.data[i] == '\n') {
			body->n_line_ends++;
			body->has_blank = false;
			i++;
		} else if (is_held(text.data[i])) {
			body->has_blank = true;
			i++;
		} else {
			give_held(body);
			while (i < text.size && !is_held(text.data[i]))
				i++;
			buf_add(&body->out, text.data + from, i - from);
			give(body, PIECE_SIZE);
		}
	}
}

void
dkim_body_end(struct dkim_body *body)
{
	if (body->has_text)
		buf_add_text(&body->out, "\r\n");
	give(body, 1);
	buf_free(&body->out);
}

/* --- header fields -------------------------------------------------------------------------------------------------------- */

void
dkim_add_field(struct buf *b, struct str name, struct str value)
{
	bool has_blank = false;

	for (size_t i = 0; i < name.size; i++)
		buf_add_char(b, ascii_lower(name.data[i]));
	buf_add_char(b, ':');
	value = str_trim(value);
	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] == '\n')
			continue;
		if (ascii_is_blank(value.data[i])) {
			has_blank = true;
			continue;
		}
		if (has_blank)
			buf_add_char(b, ' ');
		has_blank = false;
		buf_add_char(b, value.data[i]);
	}
}

struct fields {
	struct header_field *items;
	bool *is_used;
	size_t n;
};

static struct fields
read_fields(struct str section)
{
	struct header_field field = {0};
	struct fields fields = {0};
	size_t room = 0;

	while (header_next(&section, &field)) {
		if (fields.n == room) {
			room = room == 0 ? 32 : 2 * room;
			fields.items = mem_resize(fields.items, room, sizeof(*fields.items));
		}
		fields.items[fields.n++] = field;
	}
	fields.is_used = mem_alloc(fields.n + 1, sizeof(*fields.is_used));
	return fields;
}

static void
free_fields(struct fields *fields)
{
	free(fields->items);
	free(fields->is_used);
}

static void
add_lowest(struct buf *b, struct fields *fields, struct str name)
{
	for (size_t i = fields->n; i > 0; i--) {
		const struct header_field *field = &fields->items[i - 1];

		if (fields->is_used[i - 1] || !str_equals_nocase(field->name, name))
			continue;
		fields->is_used[i - 1] = true;
		dkim_add_field(b, field->name, field->body);
		buf_add_text(b, "\r\n");
		return;
	}
}

void
dkim_add_named(struct buf *b, struct str section, struct str names)
{
	struct fields fields = read_fields(section);
	struct str name = {0};

	while (str_next_token(&names, ':', &name))
		add_lowest(b, &fields, str_trim(name));
	free_fields(&fields);
}

static void
add_name(struct buf *b, const char *name)
{
	if (b->size > 0)
		buf_add_char(b, ':');
	for (; *name != '\0'; name++)
		buf_add_char(b, ascii_lower(*name));
}

void
dkim_add_names(struct buf *b, struct str section)
{
	struct fields fields = read_fields(section);
	struct buf names = {0};

	add_name(&names, "from");
	for (size_t row = 0; row < sizeof(signed_fields) / sizeof(signed_fields[0]); row++)
		for (size_t i = 0; i < fields.n; i++)
			if (header_is(&fields.items[i], signed_fields[row]))
				add_name(&names, signed_fields[row]);
	buf_add_str(b, buf_str(&names));
	buf_free(&names);
	free_fields(&fields);
}

/* --- who signs for whom --------------------------------------------------------------------------------------------------- */

static bool
is_at_or_below(struct str name, struct str domain)
{
	size_t longer = name.size - domain.size;

	if (name.size < domain.size || !str_equals_nocase(str_from(name, longer), domain))
		return false;
	return longer == 0 || name.data[longer - 1] == '.';
}

static bool
is_address_aligned(const struct address *address, struct str domain)
{
	const char *theirs = address_domain(address);
	struct buf ascii = {0};
	bool is_aligned = theirs != NULL && domain_add_ascii(&ascii, str_of(theirs)) == NULL &&
	                  is_at_or_below(buf_str(&ascii), domain);

	buf_free(&ascii);
	return is_aligned;
}

bool
dkim_is_aligned(struct str section, const char *domain)
{
	struct address_list list = {0};
	struct header_field field = {0};
	struct err ignored = {0};
	bool is_aligned = true;
	size_t n_fields = 0;

	while (is_aligned && header_next(&section, &field)) {
		if (!header_is(&field, "From"))
			continue;
		n_fields++;
		is_aligned = address_parse_list(field.body, false, &list, &ignored);
	}
	for (size_t i = 0; is_aligned && i < list.n_items; i++)
		is_aligned = is_address_aligned(&list.items[i], str_of(domain));
	is_aligned = is_aligned && n_fields == 1 && list.n_items > 0;
	address_list_free(&list);
	err_clear(&ignored);
	return is_aligned;
}

/* --- the field ------------------------------------------------------------------------------------------------------------ */

static size_t
line_size(const struct buf *b)
{
	size_t size = 0;

	while (size < b->size && b->data[b->size - 1 - size] != '\n')
		size++;
	return size;
}

/* Append a tag behind a blank, on a line of its own if it does not fit. */
static void
add_tag(struct buf *field, const char *name, struct str value)
{
	bool fits = line_size(field) + strlen(name) + value.size + STR(" =;").size <= LINE_MOST;

	buf_printf(field, "%s%s=%.*s;", fits ? " " : "\n ", name, STR_ARG(value));
}

/* RFC 6376 3.5 lets h= be folded around its colons. */
static void
add_names_tag(struct buf *field, struct str names)
{
	struct str name = {0};

	buf_add_text(field, "\n h=");
	while (str_next_token(&names, ':', &name)) {
		if (line_size(field) + name.size + 1 > LINE_MOST)
			buf_add_text(field, "\n ");
		buf_add_str(field, name);
		buf_add_char(field, names.size > 0 ? ':' : ';');
	}
}

void
dkim_add_tags(struct buf *field, const struct dkim_tags *tags)
{
	buf_add_text(field, "DKIM-Signature: v=1;");
	add_tag(field, "a", str_of(tags->algorithm));
	add_tag(field, "c", STR("relaxed/relaxed"));
	add_tag(field, "d", str_of(tags->domain));
	add_tag(field, "s", str_of(tags->selector));
	add_names_tag(field, tags->names);
	buf_add_char(field, '\n');
	add_tag(field, "bh", tags->body_hash);
	buf_add_text(field, "\n b=");
}

void
dkim_add_signature(struct buf *field, struct str signature)
{
	size_t room = LINE_MOST - line_size(field);

	while (signature.size > room) {
		buf_add_str(field, str_first(signature, room));
		buf_add_text(field, "\n ");
		signature = str_from(signature, room);
		room = LINE_MOST - 1;
	}
	buf_add_str(field, signature);
	buf_add_char(field, '\n');
}
