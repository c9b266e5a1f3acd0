/* dkim_fuzz.c - whatever a message is, its canonical forms are what RFC 6376 says, and do not depend on the pieces it comes in.
 *
 * The first byte is the size of the pieces. What stands in front of the first empty line is the header section. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "mail/dkim.h"
#include "mail/header.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
take_piece(void *context, struct str bytes)
{
	must(bytes.size > 0);
	buf_add_str(context, bytes);
}

static struct buf
canonical_body(struct str text, size_t piece)
{
	struct buf out = {0};
	struct dkim_body body = {.add = take_piece, .context = &out};

	for (size_t at = 0; at < text.size; at += piece)
		dkim_body_add(&body, str_first(str_from(text, at), piece));
	dkim_body_end(&body);
	return out;
}

/* Lines end with CRLF, none ends with a blank or has two in a row, the last one is not empty. */
static void
check_body(struct str text)
{
	must(text.size == 0 || (text.size > 2 && text.data[text.size - 1] == '\n' && text.data[text.size - 3] != '\n'));
	for (size_t i = 0; i < text.size; i++) {
		char before = i > 0 ? text.data[i - 1] : '\n';

		must(text.data[i] != '\t');
		must(text.data[i] != '\n' || before == '\r');
		must(before != ' ' || (text.data[i] != ' ' && text.data[i] != '\r'));
	}
}

/* What is canonical stays as it is. */
static void
check_again(const struct buf *canonical)
{
	struct buf lines = {0};
	struct buf again;

	for (size_t i = 0; i < canonical->size; i++)
		if (canonical->data[i] != '\r')
			buf_add_char(&lines, canonical->data[i]);
	again = canonical_body(buf_str(&lines), lines.size + 1);
	must(str_equals(buf_str(&again), buf_str(canonical)));
	buf_free(&lines);
	buf_free(&again);
}

static size_t
count(struct str text, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < text.size; i++)
		n += text.data[i] == c;
	return n;
}

static void
check_header(struct str section)
{
	struct buf names = {0}, fields = {0}, field = {0};
	struct dkim_tags tags = {"rsa-sha256", "example.org", "s", {0}, STR("aGFzaA==")};
	struct str rest, line = {0};
	struct header_field found = {0};

	dkim_add_names(&names, section);
	dkim_add_named(&fields, section, buf_str(&names));
	/* Each name finds its field, but for the From too many. */
	must(count(buf_str(&fields), '\n') == count(buf_str(&names), ':'));
	must(str_starts_with(buf_str(&names), STR("from")));
	tags.names = buf_str(&names);
	dkim_add_tags(&field, &tags);
	dkim_add_signature(&field, STR("c2lnbmF0dXJl"));
	rest = buf_str(&field);
	must(header_next(&rest, &found) && rest.size == 0 && header_is(&found, "DKIM-Signature"));
	rest = buf_str(&field);
	while (str_next_token(&rest, '\n', &line))
		must(line.size <= 78);
	(void)dkim_is_aligned(section, "example.org");
	buf_free(&names);
	buf_free(&fields);
	buf_free(&field);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = {0};
	struct buf whole, pieces;
	struct str body;
	size_t end;

	if (size < 1)
		return 0;
	/* A kept message has no CR, and its header section no NUL. */
	for (size_t i = 1; i < size; i++)
		if (data[i] != '\r' && data[i] != '\0')
			buf_add_char(&text, (char)data[i]);
	end = header_section_size(buf_str(&text));
	body = str_from(buf_str(&text), end);
	whole = canonical_body(body, body.size + 1);
	pieces = canonical_body(body, (size_t)data[0] + 1);
	must(str_equals(buf_str(&whole), buf_str(&pieces)));
	check_body(buf_str(&whole));
	check_again(&whole);
	check_header(str_first(buf_str(&text), end));
	buf_free(&text);
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
