/* order.c - one message on its way through a session. Pure. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "smtp/order.h"

static struct recipient *
recipient_at(const struct order *order, size_t i)
{
	return &order->envelope->recipients[i];
}

static bool
is_pending(const struct order *order, size_t i)
{
	return recipient_at(order, i)->outcome.state == OUTCOME_PENDING;
}

void
order_begin(struct order *order, bool is_chunked)
{
	size_t n_recipients = order->envelope->n_recipients;
	struct order fresh = {
		.message = order->message,
		.envelope = order->envelope,
		.marks = order->marks,
		.is_without_chunking = order->is_without_chunking,
	};

	if (fresh.marks == NULL)
		fresh.marks = mem_alloc(n_recipients, 1);
	memset(fresh.marks, MARK_OPEN, n_recipients);
	fresh.is_chunked = is_chunked && !order->is_without_chunking;
	fresh.wire_left = order->message->wire_size;
	buf_free(&order->text);
	*order = fresh;
}

size_t
order_next_recipient(struct order *order)
{
	while (order->cursor < order->envelope->n_recipients && !is_pending(order, order->cursor))
		order->cursor++;
	return order->cursor;
}

static void
set_outcome(struct outcome *outcome, enum outcome_stage stage, const struct reply *reply)
{
	int class = reply_class(reply);

	outcome->state = class == 2 ? OUTCOME_DELIVERED : class == 5 ? OUTCOME_FAILED : OUTCOME_DEFERRED;
	outcome->stage = stage;
	outcome->reply_code = reply->code;
	memcpy(outcome->enhanced, reply->enhanced, sizeof(outcome->enhanced));
	outcome_set_text(outcome, buf_str(&reply->text));
}

/* RFC 5321 4.5.3.1.10: 452 is "too many recipients"; old servers say 552, which RFC 821 had for it. */
static bool
says_too_many(const struct reply *reply)
{
	return reply->code == 452 || reply->code == 552;
}

void
order_record_rcpt(struct order *order, size_t recipient, const struct reply *reply)
{
	struct outcome *outcome = &recipient_at(order, recipient)->outcome;

	order->n_answered++;
	if (reply_class(reply) == 2) {
		order->marks[recipient] = MARK_ACCEPTED;
		order->n_accepted++;
		return;
	}
	set_outcome(outcome, OUTCOME_AT_RCPT, reply);
	if (!says_too_many(reply))
		return;
	outcome->state = OUTCOME_DEFERRED;
	order->marks[recipient] = MARK_PUT_OFF;
	order->n_put_off++;
}

void
order_settle_one(struct order *order, size_t recipient, enum outcome_stage stage, const struct reply *reply)
{
	set_outcome(&recipient_at(order, recipient)->outcome, stage, reply);
}

void
order_settle_pending(struct order *order, enum outcome_stage stage, const struct reply *reply)
{
	for (size_t i = 0; i < order->envelope->n_recipients; i++)
		if (is_pending(order, i))
			order_settle_one(order, i, stage, reply);
}

void
order_settle_accepted(struct order *order, enum outcome_stage stage, const struct reply *reply)
{
	for (size_t i = 0; i < order->envelope->n_recipients; i++)
		if (order->marks[i] == MARK_ACCEPTED && is_pending(order, i))
			order_settle_one(order, i, stage, reply);
}

void
order_settle_unknown(struct order *order, const char *text)
{
	struct outcome unknown = {
		.state = OUTCOME_DEFERRED,
		.stage = OUTCOME_AT_END,
		.may_be_duplicate = true,
	};

	outcome_set_text(&unknown, str_of(text));
	for (size_t i = 0; i < order->envelope->n_recipients; i++)
		if ((order->marks[i] == MARK_ASKED || order->marks[i] == MARK_ACCEPTED) && is_pending(order, i))
			recipient_at(order, i)->outcome = unknown;
}

void
order_refuse(struct order *order, enum outcome_stage stage, const unsigned short enhanced[3], const char *text)
{
	struct outcome refusal = {.state = OUTCOME_FAILED, .stage = stage};

	memcpy(refusal.enhanced, enhanced, sizeof(refusal.enhanced));
	outcome_set_text(&refusal, str_of(text));
	envelope_settle(order->envelope, &refusal);
}

void
order_refuse_rest(struct order *order)
{
	struct outcome rest = {.state = OUTCOME_DEFERRED, .stage = OUTCOME_AT_RCPT};

	if (envelope_count(order->envelope, OUTCOME_FAILED) > 0)
		rest.state = OUTCOME_FAILED;
	/* Whoever was put off is not asked again. */
	order->n_accepted = 0;
	if (envelope_count(order->envelope, OUTCOME_PENDING) < order->envelope->n_recipients)
		outcome_set_text(&rest, STR("not sent, because another recipient was refused and 'atomic' is on"));
	else
		outcome_set_text(&rest, STR("not sent, because the server takes fewer recipients at once and 'atomic' is on"));
	envelope_settle(order->envelope, &rest);
}

size_t
order_next_accepted(struct order *order)
{
	while (order->final_cursor < order->envelope->n_recipients &&
	       (order->marks[order->final_cursor] != MARK_ACCEPTED || !is_pending(order, order->final_cursor)))
		order->final_cursor++;
	return order->final_cursor;
}

bool
order_expects_another(const struct order *order)
{
	for (size_t i = 0; i < order->envelope->n_recipients; i++) {
		if (order->marks[i] == MARK_PUT_OFF && order->n_accepted > 0)
			return true;
		if (order->marks[i] == MARK_OPEN && is_pending(order, i))
			return true;
	}
	return false;
}

bool
order_needs_another(struct order *order)
{
	bool is_needed = false;

	/* Without progress asking again would go on for ever: put off is then deferred. */
	for (size_t i = 0; i < order->envelope->n_recipients; i++) {
		if (order->marks[i] == MARK_PUT_OFF && order->n_accepted > 0)
			recipient_at(order, i)->outcome = (struct outcome){0};
		is_needed = is_needed || is_pending(order, i);
	}
	return is_needed;
}

void
order_append(struct order **list, struct order *order)
{
	while (*list != NULL)
		list = &(*list)->next;
	order->next = NULL;
	*list = order;
}

struct order *
order_take_first(struct order **list)
{
	struct order *order = *list;

	if (order != NULL) {
		*list = order->next;
		order->next = NULL;
	}
	return order;
}

size_t
order_count(const struct order *list)
{
	size_t n = 0;

	for (; list != NULL; list = list->next)
		n++;
	return n;
}

void
order_free(struct order *order)
{
	free(order->marks);
	buf_free(&order->text);
	*order = (struct order){0};
}
