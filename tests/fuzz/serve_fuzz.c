/* serve_fuzz.c - whatever a client sends, the replies are lines that may go out, the envelopes can be sent, and however the
 * input is cut, both are the same, and so are the texts.
 *
 * The first byte chooses how the input is cut, the second one the limit on a message. */

#include "config.h"

#include <stdlib.h>

#include "mail/address.h"
#include "must.h"
#include "smtp/serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct record {
	struct buf replies;
	struct buf messages;
};

static void
check_replies(struct str replies)
{
	struct str line;

	must(replies.size >= 2 && replies.data[replies.size - 1] == '\n');
	while (str_next_token(&replies, '\n', &line)) {
		must(line.size >= 5 && line.size <= SERVE_REPLY_MOST + 1 && line.data[line.size - 1] == '\r');
		must(line.data[0] >= '2' && line.data[0] <= '5' && ascii_is_digit(line.data[1]) &&
		     ascii_is_digit(line.data[2]));
		must(line.data[3] == ' ' || line.data[3] == '-');
		must(!str_has_control(str_first(line, line.size - 1)) && !str_has_8bit(line));
	}
}

static void
take_message(struct record *record, struct serve *s, const struct buf *text)
{
	const struct envelope *envelope = &s->envelope;

	must(envelope->reverse_path[0] == '\0' || address_is_safe(envelope->reverse_path));
	must(envelope->n_recipients > 0 && envelope->n_recipients <= SERVE_RECIPIENTS_MOST);
	must(envelope->envid == NULL || !str_has_control(str_of(envelope->envid)));
	must((int64_t)text->size == s->text_size && (s->offer->size_most == 0 || s->text_size <= s->offer->size_most));
	buf_printf(&record->messages, "%s %s %d %d\n", envelope->reverse_path,
	           envelope->envid != NULL ? envelope->envid : "", envelope->wants_full_return,
	           envelope->wants_headers_return);
	for (size_t i = 0; i < envelope->n_recipients; i++) {
		const struct recipient *recipient = &envelope->recipients[i];

		must(address_is_safe(recipient->mailbox));
		must(recipient->original == NULL || !str_has_control(str_of(recipient->original)));
		buf_printf(&record->messages, "%s %u %s\n", recipient->mailbox, recipient->notify,
		           recipient->original != NULL ? recipient->original : "");
	}
	buf_add_str(&record->messages, buf_str(text));
	if (s->text_size % 2 == 0)
		serve_accept(s, "1");
	else
		serve_refuse(s, 451, "4.3.0", str_first(buf_str(text), 600));
}

static void
play(struct str input, const struct serve_offer *offer, size_t piece, struct record *record)
{
	struct buf text = {0};
	struct serve s = {0};
	bool is_over = false;

	serve_start(&s, offer);
	while (!is_over) {
		switch (serve_next(&s)) {
		case SERVE_WANT_INPUT:
			is_over = input.size == 0;
			buf_add_str(&s.in, str_first(input, piece));
			input = str_from(input, piece);
			break;
		case SERVE_WANT_KEEP:
			must(s.text_offset == 0 || s.text_offset == (int64_t)text.size);
			buf_truncate(&text, (size_t)s.text_offset);
			buf_add_str(&text, buf_str(&s.text));
			break;
		case SERVE_WANT_MESSAGE:
			if (s.text_size == 0)
				buf_clear(&text);
			take_message(record, &s, &text);
			break;
		case SERVE_WANT_CLOSE:
			is_over = true;
			break;
		}
		must(s.text.size <= s.in.capacity + 1);
		buf_add_str(&record->replies, buf_str(&s.out));
		buf_clear(&s.out);
	}
	serve_free(&s);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record whole = {0}, pieces = {0};
	struct serve_offer offer = {.host_name = "mail.example.com"};
	struct str input;

	if (size < 2)
		return 0;
	offer.size_most = data[1] % 4 == 3 ? data[1] : 0;
	input = str_make((const char *)data + 2, size - 2);
	play(input, &offer, input.size, &whole);
	play(input, &offer, 1U + data[0] % 17, &pieces);
	must(str_equals(buf_str(&whole.replies), buf_str(&pieces.replies)));
	must(str_equals(buf_str(&whole.messages), buf_str(&pieces.messages)));
	check_replies(buf_str(&whole.replies));
	buf_free(&whole.replies);
	buf_free(&whole.messages);
	buf_free(&pieces.replies);
	buf_free(&pieces.messages);
	return 0;
}
