/* header.c - reads the header section of a message. Pure. RFC 5322 2.2, 4.5. */

#include "config.h"

#include "mail/header.h"

/* The first line of text with its end, or what there is. */
static struct str
first_line(struct str text)
{
	size_t size = str_find(text, '\n');

	return str_first(text, size < text.size ? size + 1 : size);
}

/* Does the line begin with a blank, and is there more in it? */
static bool
is_folded_line(struct str line)
{
	return line.size > 0 && ascii_is_blank(line.data[0]) && str_trim(line).size > 0;
}

/* Bytes of the field name at the start of line, and where its colon is. False: the line is no field. */
static bool
find_colon(struct str line, size_t *name_size, size_t *colon)
{
	size_t i = 0;

	while (i < line.size && line.data[i] > ' ' && line.data[i] < 0x7f && line.data[i] != ':')
		i++;
	*name_size = i;
	while (i < line.size && ascii_is_blank(line.data[i]))
		i++;
	*colon = i;
	return *name_size > 0 && i < line.size && line.data[i] == ':';
}

bool
header_next(struct str *rest, struct header_field *field)
{
	struct str line = first_line(*rest);
	size_t size = line.size;
	size_t name_size = 0;
	size_t colon = 0;

	if (!find_colon(line, &name_size, &colon))
		return false;
	while (is_folded_line(line = first_line(str_from(*rest, size))))
		size += line.size;
	field->whole = str_first(*rest, size);
	field->name = str_first(field->whole, name_size);
	field->body = str_from(field->whole, colon + 1);
	if (field->body.size > 0 && field->body.data[field->body.size - 1] == '\n')
		field->body.size--;
	*rest = str_from(*rest, size);
	return true;
}

bool
header_is(const struct header_field *field, const char *name)
{
	return str_equals_nocase(field->name, str_of(name));
}

bool
header_has_addresses(const struct header_field *field)
{
	static const char *const names[] = {
		"From", "To", "Cc", "Reply-To", "Sender", "Resent-From", "Resent-To", "Resent-Cc", "Resent-Sender"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (header_is(field, names[i]))
			return true;
	}
	return false;
}

void
header_add_unfolded(struct buf *b, struct str body)
{
	size_t at = 0;
	size_t size;

	body = str_trim(body);
	while (at < body.size) {
		size = str_find(str_from(body, at), '\n');
		if (at + size + 1 >= body.size || !ascii_is_blank(body.data[at + size + 1])) {
			/* Not folding: the line end stays. */
			size = at + size < body.size ? size + 1 : size;
			buf_add(b, body.data + at, size);
			at += size;
			continue;
		}
		buf_add(b, body.data + at, size > 0 && body.data[at + size - 1] == '\r' ? size - 1 : size);
		at += size + 1;
	}
}

size_t
header_section_size(struct str text)
{
	struct str rest = text;
	struct header_field field = {0};

	while (header_next(&rest, &field))
		;
	return text.size - rest.size;
}
