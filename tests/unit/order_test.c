/* order_test.c - one message's way through transactions, by replies made here. */

#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "smtp/order.h"
#include "tap.h"

struct world {
	struct message message;
	struct envelope envelope;
	struct order order;
};

static struct reply
make_reply(int code, const char *text)
{
	struct reply reply = {.code = code, .is_complete = true};

	buf_add_text(&reply.text, text);
	return reply;
}

static void
set_up(struct world *w, size_t n)
{
	*w = (struct world){.message = {.wire_size = 10, .is_in_memory = true}};
	w->envelope.reverse_path = mem_copy_string("a@example.org");
	for (size_t i = 0; i < n; i++) {
		char mailbox[64];

		snprintf(mailbox, sizeof(mailbox), "r%zu@example.net", i);
		envelope_add(&w->envelope, mailbox);
	}
	w->order.message = &w->message;
	w->order.envelope = &w->envelope;
	order_begin(&w->order, true);
}

static void
tear_down(struct world *w)
{
	order_free(&w->order);
	envelope_free(&w->envelope);
}

static enum outcome_state
state(const struct world *w, size_t i)
{
	return w->envelope.recipients[i].outcome.state;
}

/* Ask everybody, and record these codes as answers. */
static void
answer_all(struct world *w, const int *codes)
{
	size_t i;

	while ((i = order_next_recipient(&w->order)) < w->envelope.n_recipients) {
		struct reply reply = make_reply(codes[i], "text");

		w->order.marks[i] = MARK_ASKED;
		w->order.n_asked++;
		w->order.cursor = i + 1;
		order_record_rcpt(&w->order, i, &reply);
		reply_free(&reply);
	}
}

static void
test_partial(void)
{
	static const int codes[] = {250, 550, 450, 251};
	struct reply taken = make_reply(250, "taken");
	struct world w;

	set_up(&w, 4);
	answer_all(&w, codes);
	tap_ok(w.order.n_accepted == 2 && state(&w, 1) == OUTCOME_FAILED && state(&w, 2) == OUTCOME_DEFERRED,
	       "protocol 19, 23: refusals are settled, 250 and 251 wait for the end");
	order_settle_accepted(&w.order, OUTCOME_AT_END, &taken);
	tap_ok(state(&w, 0) == OUTCOME_DELIVERED && state(&w, 3) == OUTCOME_DELIVERED && state(&w, 1) == OUTCOME_FAILED,
	       "the final reply is for those who were accepted");
	tap_ok(!order_needs_another(&w.order), "no other transaction is needed");
	reply_free(&taken);
	tear_down(&w);
}

static void
test_put_off(void)
{
	static const int first[] = {250, 452, 552}, second[] = {0, 250, 452};
	struct reply taken = make_reply(250, "taken");
	struct world w;

	set_up(&w, 3);
	answer_all(&w, first);
	tap_ok(order_expects_another(&w.order), "protocol 21, 22: 452 and 552 at RCPT ask for another transaction");
	order_settle_accepted(&w.order, OUTCOME_AT_END, &taken);
	tap_ok(order_needs_another(&w.order) && state(&w, 1) == OUTCOME_PENDING && state(&w, 2) == OUTCOME_PENDING,
	       "those put off are pending again");
	order_begin(&w.order, true);
	tap_is_number((long long)order_next_recipient(&w.order), 1, "the next transaction begins with them");
	answer_all(&w, second);
	order_settle_accepted(&w.order, OUTCOME_AT_END, &taken);
	tap_ok(order_needs_another(&w.order), "as long as there is progress it goes on");
	order_begin(&w.order, true);
	answer_all(&w, second);
	tap_ok(w.order.n_accepted == 0 && !order_needs_another(&w.order) && state(&w, 2) == OUTCOME_DEFERRED,
	       "without progress it ends, deferred");
	reply_free(&taken);
	tear_down(&w);
}

static void
test_unknown(void)
{
	static const int codes[] = {250, 550};
	struct world w;

	set_up(&w, 2);
	answer_all(&w, codes);
	order_settle_unknown(&w.order, "lost");
	tap_ok(state(&w, 0) == OUTCOME_DEFERRED && w.envelope.recipients[0].outcome.may_be_duplicate,
	       "protocol 28: without a final reply it is deferred, and may be delivered twice");
	tap_ok(state(&w, 1) == OUTCOME_FAILED && !w.envelope.recipients[1].outcome.may_be_duplicate,
	       "who was refused is not in doubt");
	tear_down(&w);
}

static void
test_atomic(void)
{
	static const int refused[] = {250, 550, 250}, put_off[] = {250, 452, 250};
	struct world w;

	set_up(&w, 3);
	answer_all(&w, refused);
	order_refuse_rest(&w.order);
	tap_ok(envelope_count(&w.envelope, OUTCOME_FAILED) == 3 && !order_needs_another(&w.order),
	       "protocol 19: atomic, one refused for good fails all");
	tear_down(&w);
	set_up(&w, 3);
	answer_all(&w, put_off);
	order_refuse_rest(&w.order);
	tap_ok(envelope_count(&w.envelope, OUTCOME_DEFERRED) == 3 && !order_needs_another(&w.order),
	       "atomic, one refused for now defers all");
	tear_down(&w);
}

static void
test_lmtp(void)
{
	static const int codes[] = {250, 550, 250};
	struct reply taken = make_reply(250, "taken"), full = make_reply(450, "full");
	struct world w;

	set_up(&w, 3);
	answer_all(&w, codes);
	tap_is_number((long long)order_next_accepted(&w.order), 0, "protocol 36: the first final reply is for the first accepted");
	order_settle_one(&w.order, 0, OUTCOME_AT_END, &taken);
	tap_is_number((long long)order_next_accepted(&w.order), 2, "the second one skips who was refused");
	order_settle_one(&w.order, 2, OUTCOME_AT_END, &full);
	tap_is_number((long long)order_next_accepted(&w.order), 3, "and there is no third");
	tap_ok(state(&w, 0) == OUTCOME_DELIVERED && state(&w, 2) == OUTCOME_DEFERRED, "protocol 37: each has its own result");
	reply_free(&taken);
	reply_free(&full);
	tear_down(&w);
}

static void
test_lists(void)
{
	struct order a = {0}, b = {0}, *list = NULL;

	order_append(&list, &a);
	order_append(&list, &b);
	tap_ok(order_take_first(&list) == &a && order_take_first(&list) == &b && order_take_first(&list) == NULL,
	       "lists give back in the order of adding");
}

int
main(void)
{
	test_partial();
	test_put_off();
	test_unknown();
	test_atomic();
	test_lmtp();
	test_lists();
	return tap_end();
}
