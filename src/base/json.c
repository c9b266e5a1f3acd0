/* json.c - writes JSON into a buffer. Pure. */

#include "config.h"

#include <inttypes.h>

#include "base/json.h"

/* Length of the UTF-8 character at the start of text, 0 if there is none. */
static size_t
character_length(struct str text)
{
	for (size_t length = 1; length <= 4 && length <= text.size; length++)
		if (str_is_utf8(str_first(text, length)))
			return length;
	return 0;
}

static void
add_string(struct buf *out, struct str text)
{
	buf_add_char(out, '"');
	while (text.size > 0) {
		size_t length = character_length(text);
		char c = text.data[0];

		if (length == 0)
			buf_add_text(out, "\xef\xbf\xbd");
		else if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (ascii_is_control(c))
			buf_printf(out, "\\u%04x", (unsigned char)c);
		else
			buf_add(out, text.data, length);
		text = str_from(text, length > 0 ? length : 1);
	}
	buf_add_char(out, '"');
}

static void
begin_member(struct json *json, const char *name)
{
	if (json->has_member[json->depth])
		buf_add_char(json->out, ',');
	json->has_member[json->depth] = true;
	if (name == NULL)
		return;
	add_string(json->out, str_of(name));
	buf_add_char(json->out, ':');
}

static void
begin(struct json *json, const char *name, char opening, char closing)
{
	begin_member(json, name);
	buf_add_char(json->out, opening);
	if (json->depth < JSON_DEPTH_MOST)
		json->depth++;
	json->has_member[json->depth] = false;
	json->closing[json->depth] = closing;
}

void
json_begin_object(struct json *json, const char *name)
{
	begin(json, name, '{', '}');
}

void
json_begin_array(struct json *json, const char *name)
{
	begin(json, name, '[', ']');
}

void
json_end(struct json *json)
{
	buf_add_char(json->out, json->closing[json->depth]);
	json->depth--;
}

void
json_add_text(struct json *json, const char *name, const char *text)
{
	begin_member(json, name);
	if (text == NULL)
		buf_add_text(json->out, "null");
	else
		add_string(json->out, str_of(text));
}

void
json_add_number(struct json *json, const char *name, int64_t number)
{
	begin_member(json, name);
	buf_printf(json->out, "%" PRId64, number);
}

void
json_add_bool(struct json *json, const char *name, bool is_true)
{
	begin_member(json, name);
	buf_add_text(json->out, is_true ? "true" : "false");
}
