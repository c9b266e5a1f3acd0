/* content.c - what a header section says about its body. Pure. RFC 2045 5.1, 6.1; RFC 2046 5. */

#include "config.h"

#include <stdlib.h>

#include "mail/content.h"
#include "mail/header.h"

static const struct {
	const char *name;
	enum content_encoding encoding;
} encodings[] = {
	{"7bit", CONTENT_7BIT}, {"7-bit", CONTENT_7BIT},    {"8bit", CONTENT_8BIT},
	{"8-bit", CONTENT_8BIT}, {"binary", CONTENT_BINARY}, {NULL, CONTENT_ENCODED},
};

/* Take a comment or quoted string, which ends at `last`, off the front of *rest. */
static void
skip_enclosed(struct str *rest, char last)
{
	size_t depth = 0;
	size_t i = 0;

	for (; i < rest->size; i++) {
		char c = rest->data[i];

		if (c == '\\')
			i++;
		else if (last == ')' && c == '(')
			depth++;
		else if (c == last && i > 0 && (last != ')' || --depth == 0))
			break;
	}
	*rest = str_from(*rest, i + 1);
}

/* Go to the next thing that is neither blank nor comment. */
static void
skip_blanks(struct str *rest)
{
	while (rest->size > 0) {
		if (rest->data[0] == '(')
			skip_enclosed(rest, ')');
		else if (ascii_is_blank(rest->data[0]) || rest->data[0] == '\n')
			*rest = str_from(*rest, 1);
		else
			return;
	}
}

/* Take the next word off *rest: up to a blank, a comment or one of the signs. May be empty. */
static struct str
take_word(struct str *rest)
{
	size_t n = 0;
	struct str word;

	skip_blanks(rest);
	while (n < rest->size && !ascii_is_blank(rest->data[n]) && rest->data[n] != '\n' && rest->data[n] != '(' &&
	       rest->data[n] != ';' && rest->data[n] != '/' && rest->data[n] != '=')
		n++;
	word = str_first(*rest, n);
	*rest = str_from(*rest, n);
	skip_blanks(rest);
	return word;
}

/* Take `sign` off *rest, if it stands there. */
static bool
take_sign(struct str *rest, char sign)
{
	if (rest->size == 0 || rest->data[0] != sign)
		return false;
	*rest = str_from(*rest, 1);
	return true;
}

/* Take the value of a parameter off *rest and append it to value: quoted, or all that stands before a blank or ';', for many
 * boundaries have signs without being quoted. */
static void
take_value(struct str *rest, struct buf *value)
{
	skip_blanks(rest);
	if (!take_sign(rest, '"')) {
		size_t n = 0;

		while (n < rest->size && !ascii_is_blank(rest->data[n]) && rest->data[n] != '\n' && rest->data[n] != ';')
			n++;
		buf_add_str(value, str_first(*rest, n));
		*rest = str_from(*rest, n);
		return;
	}
	while (rest->size > 0 && !take_sign(rest, '"')) {
		take_sign(rest, '\\');
		buf_add_str(value, str_first(*rest, 1));
		*rest = str_from(*rest, 1);
	}
}

/* Append the value of the parameter `name` of a Content-Type, from behind the subtype on. */
static void
find_parameter(struct str rest, const char *name, struct buf *value)
{
	while (rest.size > 0) {
		struct buf found = {0};
		struct str word;

		while (rest.size > 0 && rest.data[0] != ';') {
			if (rest.data[0] == '(' || rest.data[0] == '"')
				skip_enclosed(&rest, rest.data[0] == '(' ? ')' : '"');
			else
				rest = str_from(rest, 1);
		}
		take_sign(&rest, ';');
		word = take_word(&rest);
		if (take_sign(&rest, '='))
			take_value(&rest, &found);
		if (str_equals_nocase(word, str_of(name))) {
			buf_add_str(value, buf_str(&found));
			rest.size = 0;
		}
		buf_free(&found);
	}
}

static void
read_multipart(struct content *content, struct str subtype, struct str parameters)
{
	struct buf boundary = {0};

	find_parameter(parameters, "boundary", &boundary);
	content->kind = CONTENT_SEALED;
	if (!str_equals_nocase(subtype, STR("signed")) && !str_equals_nocase(subtype, STR("encrypted")) &&
	    boundary.size > 0 && boundary.size <= CONTENT_BOUNDARY_MOST && !str_has_control(buf_str(&boundary))) {
		content->kind = CONTENT_MULTIPART;
		content->is_digest = str_equals_nocase(subtype, STR("digest"));
		content->boundary = buf_take(&boundary);
	}
	buf_free(&boundary);
}

static void
read_message_type(struct content *content, struct str subtype)
{
	if (str_equals_nocase(subtype, STR("rfc822")) || str_equals_nocase(subtype, STR("news")))
		content->kind = CONTENT_MESSAGE;
	else
		content->kind = str_starts_with_nocase(subtype, STR("global")) ? CONTENT_DATA : CONTENT_SEALED;
}

static void
read_type(struct content *content, struct str body)
{
	struct str rest = body;
	struct str type = take_word(&rest);
	struct str subtype;

	/* What is no type at all means text/plain (RFC 2045 5.2). */
	if (!take_sign(&rest, '/'))
		return;
	subtype = take_word(&rest);
	if (str_equals_nocase(type, STR("multipart")))
		read_multipart(content, subtype, rest);
	else if (str_equals_nocase(type, STR("message")))
		read_message_type(content, subtype);
	else if (!str_equals_nocase(type, STR("text")))
		content->kind = CONTENT_DATA;
}

static enum content_encoding
read_encoding(struct str body)
{
	struct str word = take_word(&body);
	size_t i = 0;

	while (encodings[i].name != NULL && !str_equals_nocase(word, str_of(encodings[i].name)))
		i++;
	return body.size > 0 ? CONTENT_ENCODED : encodings[i].encoding;
}

void
content_read(struct content *content, struct str section, bool is_in_digest)
{
	struct header_field field = {0};

	while (header_next(&section, &field)) {
		if (header_is(&field, "MIME-Version"))
			content->has_version = true;
		else if (header_is(&field, "Content-Type")) {
			if (!content->has_type)
				read_type(content, field.body);
			content->has_type = true;
		} else if (header_is(&field, "Content-Transfer-Encoding")) {
			enum content_encoding encoding = read_encoding(field.body);

			if (content->has_encoding && encoding != content->encoding)
				encoding = CONTENT_ENCODED;
			content->encoding = encoding;
			content->has_encoding = true;
		}
	}
	if (!content->has_type && is_in_digest)
		content->kind = CONTENT_MESSAGE;
	if (content->encoding == CONTENT_ENCODED) {
		content->kind = CONTENT_SEALED;
		free(content->boundary);
		content->boundary = NULL;
	}
}

void
content_free(struct content *content)
{
	free(content->boundary);
	*content = (struct content){0};
}
