/* permit.c - what may be sent behind what is unanswered. Pure. */

#include "config.h"

#include "smtp/act.h"
#include "smtp/permit.h"
#include "smtp/stage.h"

enum {
	COMMAND_USUAL = 512,       /* octets to leave free for one more command in the window */
	RECIPIENTS_ALWAYS = 100    /* every server takes that many at once (RFC 5321 4.5.3.1.8) */
};

/* May anything at all be sent behind what is unanswered? */
static bool
may_follow(struct dialog *d)
{
	const struct dialog_pending *last = act_pending(d, d->n_pending - 1);

	if (d->n_pending == 0)
		return true;
	if (!d->caps.has_pipelining || !d->demand->may_pipeline || !stage_row(last->stage)->may_be_followed)
		return false;
	return d->n_pending < DIALOG_PENDING_MOST && d->unanswered_size + COMMAND_USUAL <= DIALOG_UNANSWERED_MOST;
}

static bool
are_recipients_answered(const struct order *order)
{
	return order->n_asked == order->n_answered;
}

/* The text may ride in the recipients' group if it is small and its refusal can be told from theirs (RFC 3030 section
 * 2). No more messages than the account allows can be left in doubt. */
static bool
may_send_chunk(struct dialog *d, const struct order *order)
{
	size_t depth = d->demand->depth > 1 ? d->demand->depth : 1;

	if (order_count(d->awaiting) >= depth || order->is_refused)
		return false;
	if (are_recipients_answered(order))
		return order->n_accepted > 0;
	return !d->demand->is_atomic && !order->is_behind_refusal && order->message->wire_size <= DIALOG_CHUNK_IN_GROUP;
}

static bool
may_send_data(struct dialog *d, const struct order *order)
{
	if (order->is_refused)
		return false;
	if (are_recipients_answered(order))
		return order->n_accepted > 0;
	return !d->demand->is_atomic;
}

/* Once QUIT is sent no further transaction is possible: none must be needed. */
static bool
may_quit(const struct dialog *d)
{
	for (const struct order *order = d->awaiting; order != NULL; order = order->next) {
		if (!are_recipients_answered(order) && order->n_asked > RECIPIENTS_ALWAYS)
			return false;
		if (order->is_behind_refusal || order_expects_another(order))
			return false;
	}
	return true;
}

bool
permit_stage(struct dialog *d, enum dialog_stage stage)
{
	switch (stage) {
	case STAGE_TEXT:
		return d->sending->may_send_text;
	case STAGE_CHUNK:
		return d->sending->chunk_left > 0 || (may_follow(d) && may_send_chunk(d, d->sending));
	case STAGE_DATA:
		return may_follow(d) && may_send_data(d, d->sending);
	case STAGE_QUIT:
		/* A failing session waits for what is unanswered (the "*" of AUTH), then says good-bye. */
		return !d->has_quit && (err_is_set(&d->failure) ? d->n_pending == 0 : may_follow(d) && may_quit(d));
	case STAGE_STARTTLS:
		return d->is_tls_agreed || d->n_pending == 0;
	case STAGE_ORDER:
		d->is_waiting = d->is_waiting && d->n_pending > 0;
		return !d->is_waiting && may_follow(d);
	default:
		return may_follow(d);
	}
}
