/* message_fuzz.c - any input becomes a message in the kept form, or is refused; however it is cut, the same one.
 *
 * The first byte chooses the rules, the second one how the input is cut. */

#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mail/canonical.h"
#include "mail/header.h"
#include "mail/message.h"
#include "must.h"

enum { PIPE_MOST = 48 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct message_rules
choose_rules(uint8_t choice)
{
	return (struct message_rules){.from_mailbox = "alice@mail.example.com",
	                              .from_name = "Alice",
	                              .message_id_domain = "mail.example.com",
	                              .now = 1637516172,
	                              .never_adds_message_id = (choice & 1) != 0,
	                              .ends_at_lone_dot = (choice & 2) != 0,
	                              .reads_recipients = (choice & 4) != 0,
	                              .reads_sender = (choice & 8) != 0,
	                              .hides_recipients = (choice & 16) != 0,
	                              .replaces_from = (choice & 32) != 0};
}

static bool
read_text(struct str text, struct message_rules rules, struct message *message, struct message_found *found)
{
	struct message_source source = {0};
	struct err err = {0};
	int ends[2];
	bool is_well;

	must(pipe(ends) == 0);
	must(write(ends[1], text.data, text.size) == (ssize_t)text.size);
	close(ends[1]);
	source.fd = ends[0];
	is_well = message_read(message, &source, &rules, found, &err);
	must(is_well != err_is_set(&err));
	must(is_well || !message->is_open);
	close(ends[0]);
	err_clear(&err);
	return is_well;
}

static void
check_header(struct str section, const struct message_rules *rules)
{
	struct header_field field = {0};
	size_t n_from = 0;
	size_t n_date = 0;

	while (header_next(&section, &field)) {
		must(!header_is(&field, "Bcc") && !header_is(&field, "Resent-Bcc"));
		must(!header_is(&field, "Return-Path") && !header_is(&field, "Content-Length"));
		must(field.name.size > 0 && field.whole.data[field.whole.size - 1] == '\n');
		must(!rules->hides_recipients || !header_is(&field, "Cc"));
		n_from += header_is(&field, "From") || header_is(&field, "Resent-From");
		n_date += header_is(&field, "Date") || header_is(&field, "Resent-Date");
	}
	must(section.size == 0 && n_from > 0 && n_date > 0);
}

static void
check_kept(const struct message *message, const struct message_rules *rules)
{
	struct str kept = buf_str(&message->memory);
	struct str section = str_first(kept, (size_t)message->header_size);
	struct str body = str_from(kept, section.size + 1);
	int64_t n_lines = 0;

	must(message->is_in_memory && message->size == (int64_t)kept.size && kept.size > section.size);
	must(str_find(kept, '\r') == kept.size && kept.data[kept.size - 1] == '\n' && kept.data[section.size] == '\n');
	must(str_find(section, '\0') == section.size && header_section_size(kept) == section.size);
	must(message->has_nul == (str_find(body, '\0') < body.size));
	must(message->has_8bit_header == str_has_8bit(section) && message->has_8bit_body == str_has_8bit(body));
	for (size_t i = 0; i < kept.size; i++)
		n_lines += kept.data[i] == '\n';
	must(message->wire_size == message->size + n_lines);
	must(!message_needs_smtputf8(message) || str_is_utf8(section));
	check_header(section, rules);
}

/* What was kept is read again: it must be what comes out, apart from a lone dot in it. */
static void
check_again(const struct message *message)
{
	struct message again = {0};
	struct message_found found = {0};
	struct message_rules rules = {.never_adds_date = true, .never_adds_from = true, .never_adds_message_id = true};

	must(read_text(buf_str(&message->memory), rules, &again, &found));
	must(str_equals(buf_str(&again.memory), buf_str(&message->memory)));
	message_free(&again);
	message_found_free(&found);
}

/* Header and body, the pieces being of sizes that follow from `seed`; 0: one piece. */
static void
convert(struct str text, bool ends_at_lone_dot, uint32_t seed, struct buf *header, struct buf *body)
{
	struct canonical c = {.ends_at_lone_dot = ends_at_lone_dot};
	uint32_t most = seed % 9 + 1;
	struct str next;

	while (text.size > 0) {
		if (seed != 0)
			seed = seed * 1664525 + 1013904223;
		next = str_first(text, seed == 0 ? text.size : 1 + (seed >> 16) % most);
		text = str_from(text, next.size);
		next = str_from(next, canonical_header(&c, next, header));
		if (c.part != CANONICAL_HEADER)
			canonical_body(&c, next, body);
	}
	canonical_end_header(&c, header);
	canonical_end_body(&c, body);
}

static void
check_cuts(struct str text, bool ends_at_lone_dot, uint32_t seed)
{
	struct buf headers[2] = {0};
	struct buf bodies[2] = {0};

	convert(text, ends_at_lone_dot, 0, &headers[0], &bodies[0]);
	convert(text, ends_at_lone_dot, seed, &headers[1], &bodies[1]);
	must(str_equals(buf_str(&headers[0]), buf_str(&headers[1])));
	must(str_equals(buf_str(&bodies[0]), buf_str(&bodies[1])));
	for (int i = 0; i < 2; i++) {
		buf_free(&headers[i]);
		buf_free(&bodies[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message message = {0};
	struct message_found found = {0};
	struct message_rules rules;
	struct str text;

	if (size < 2 || size > PIPE_MOST)
		return 0;
	rules = choose_rules(data[0]);
	text = str_make((const char *)data + 2, size - 2);
	check_cuts(text, rules.ends_at_lone_dot, 1U + data[1]);
	if (read_text(text, rules, &message, &found)) {
		check_kept(&message, &rules);
		check_again(&message);
	}
	message_free(&message);
	message_found_free(&found);
	return 0;
}
