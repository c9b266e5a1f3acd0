/* act_test.c - the commands of a transaction, answered by a server of a few lines. The rest of act.c is tested by dialogues. */

#include "config.h"

#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "smtp/dialog.h"
#include "tap.h"

enum { MANY = 50000 };

static const char text[] = "Subject: x\n\nhello\n";

struct server {
	const char *capabilities;
	size_t n_rcpt;
	size_t n_parameters; /* MAIL with SMTPUTF8 */
	bool has_text;
};

/* Take the commands in d->out and answer each. */
static void
serve(struct server *server, struct dialog *d)
{
	struct str line = {0};
	size_t end;

	while ((end = str_find(buf_str(&d->out), '\n')) < d->out.size) {
		line = str_first(buf_str(&d->out), end);
		if (str_starts_with_nocase(line, STR("EHLO")))
			buf_add_text(&d->in, server->capabilities);
		else if (str_starts_with_nocase(line, STR("BDAT")) || str_starts_with_nocase(line, STR("QUIT")))
			buf_add_text(&d->in, line.data[0] == 'B' ? "250 2.0.0 queued\r\n" : "221 bye\r\n");
		else
			buf_add_text(&d->in, "250 2.0.0 yes\r\n");
		if (str_starts_with_nocase(line, STR("RCPT")))
			server->n_rcpt++;
		if (str_starts_with_nocase(line, STR("MAIL")))
			server->n_parameters += memmem(line.data, line.size, "SMTPUTF8", 8) != NULL;
		if (str_starts_with_nocase(line, STR("BDAT"))) {
			server->has_text = true;
			buf_consume(&d->out, end + 1 + sizeof(text) - 1 + 3 < d->out.size ? end + 1 + sizeof(text) - 1 + 3 : d->out.size);
		} else
			buf_consume(&d->out, end + 1);
	}
}

/* Play a whole session with one order. */
static void
play(struct server *server, struct order *order)
{
	const struct dialog_demand demand = {.client_name = "here.example", .may_pipeline = true, .may_chunk = true};
	struct dialog d = {0};
	bool was_given = false;
	enum dialog_want want;

	dialog_start(&d, &demand);
	buf_add_text(&d.in, "220 there.example\r\n");
	while ((want = dialog_next(&d)) != WANT_CLOSE) {
		if (want == WANT_ORDER && !was_given) {
			dialog_take_order(&d, order);
			was_given = true;
		} else if (want == WANT_ORDER)
			dialog_no_more_orders(&d);
		else if (want == WANT_BODY && order->text_offset == 0)
			dialog_text(&d, str_make(text, sizeof(text) - 1));
		else if (want == WANT_BODY)
			dialog_text_end(&d);
		else if (want == WANT_REPLY && d.out.size == 0 && d.in.size == 0)
			dialog_lost(&d, EX_TEMPFAIL, "the server of the test is at its end");
		if (want == WANT_REPLY)
			serve(server, &d);
	}
	while (dialog_finished(&d) != NULL)
		continue;
	dialog_free(&d);
}

struct world {
	struct message message;
	struct envelope envelope;
	struct order order;
	struct server server;
};

static void
set_up(struct world *w, size_t n)
{
	char mailbox[64] = "";

	*w = (struct world){
		.message = {.size = sizeof(text) - 1, .wire_size = sizeof(text) - 1 + 3, .header_size = 11},
		.server = {.capabilities = "250-there.example\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 SMTPUTF8\r\n"},
	};
	w->envelope.reverse_path = mem_copy_string("a@example.org");
	for (size_t i = 0; i < n; i++) {
		snprintf(mailbox, sizeof(mailbox), "r%zu@example.net", i);
		envelope_add(&w->envelope, mailbox);
	}
	w->order.message = &w->message;
	w->order.envelope = &w->envelope;
}

static void
tear_down(struct world *w)
{
	order_free(&w->order);
	envelope_free(&w->envelope);
}

static void
test_many(void)
{
	struct world w = {0};
	clock_t before;
	double seconds;

	set_up(&w, MANY);
	before = clock();
	play(&w.server, &w.order);
	seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
	tap_is_number((long long)w.server.n_rcpt, MANY, "every recipient of many is asked for once");
	tap_is_number((long long)envelope_count(&w.envelope, OUTCOME_DELIVERED), MANY, "and every one gets the message");
	/* In proportion to the number these are hundredths of a second, in proportion to its square it is a minute. */
	tap_ok(seconds < 8, "the time for many recipients is in proportion to their number");
	if (seconds >= 8)
		tap_note("%.1f seconds", seconds);
	tear_down(&w);
}

static void
test_smtputf8(void)
{
	struct world w = {0};

	set_up(&w, 2);
	play(&w.server, &w.order);
	tap_ok(w.server.n_parameters == 0 && w.server.n_rcpt == 2 && w.server.has_text, "plain addresses need no SMTPUTF8");
	tear_down(&w);
	set_up(&w, 2);
	w.message.has_utf8_header = true;
	play(&w.server, &w.order);
	tap_is_number((long long)w.server.n_parameters, 1, "UTF-8 in the header is announced by SMTPUTF8");
	tear_down(&w);
	set_up(&w, 1);
	envelope_add(&w.envelope, "j\xc3\xb6@example.net");
	play(&w.server, &w.order);
	tap_ok(w.server.n_parameters == 1 && w.server.n_rcpt == 2 && envelope_count(&w.envelope, OUTCOME_DELIVERED) == 2,
	       "a UTF-8 address is sent with SMTPUTF8, and the others beside it");
	tear_down(&w);
}

/* A session that has come to the text of a message of `size` octets; the server offers `capabilities` and says the rest. */
static void
go_to_text(struct dialog *d, const struct dialog_demand *demand, struct world *w, const char *capabilities, int64_t size)
{
	bool was_given = false;
	enum dialog_want want;

	set_up(w, 1);
	w->message.wire_size = size;
	dialog_start(d, demand);
	buf_add_text(&d->in, "220 there.example\r\n");
	while ((want = dialog_next(d)) != WANT_BODY && want != WANT_CLOSE) {
		bool is_data = str_starts_with(buf_str(&d->out), STR("DATA"));

		if (want == WANT_ORDER && !was_given) {
			dialog_take_order(d, &w->order);
			was_given = true;
		} else if (want == WANT_ORDER)
			dialog_no_more_orders(d);
		else
			buf_add_text(&d->in, is_data ? "354 go\r\n" : was_given ? "250 ok\r\n" : capabilities);
		buf_clear(&d->out);
	}
	buf_clear(&d->out);
}

static void
test_early_yes(void)
{
	const struct dialog_demand demand = {.client_name = "here.example", .may_chunk = true};
	struct world w = {0};
	struct dialog d = {0};

	go_to_text(&d, &demand, &w, "250-there.example\r\n250 CHUNKING\r\n", 3 * DIALOG_CHUNK_SIZE);
	buf_add_text(&d.in, "250 taken\r\n");
	tap_is_number(dialog_next(&d), WANT_CLOSE, "a chunk that is taken before it was sent ends the session");
	tap_is_number(d.failure.exit_code, EX_PROTOCOL, "with a reason");
	dialog_free(&d);
	tear_down(&w);
}

static void
test_unreadable_text(void)
{
	const struct dialog_demand demand = {.client_name = "here.example"};
	struct world w = {0};
	struct dialog d = {0};
	struct err err = {0};

	go_to_text(&d, &demand, &w, "250 there.example\r\n", 100);
	err_set(&err, EX_IOERR, "the disk is broken");
	dialog_give_up(&d, OUTCOME_AT_DATA, &err);
	tap_ok(dialog_next(&d) == WANT_CLOSE && d.out.size == 0, "behind 354 no QUIT is sent as if it were the text");
	dialog_free(&d);
	tear_down(&w);
}

int
main(void)
{
	test_many();
	test_smtputf8();
	test_early_yes();
	test_unreadable_text();
	return tap_end();
}
