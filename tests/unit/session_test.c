/* session_test.c - what a session asks and tells its caller, and how it obeys. */

#include "config.h"

#include "deliver/session.h"
#include "session_kit.h"
#include "tap.h"

enum { PARCELS_MOST = 300, SHORT_MS = 300 };

struct world {
	struct kit kit;
	struct session session;
	struct outcome why;
	struct err err;
	struct parcel parcels[PARCELS_MOST];
	size_t n_parcels;
	size_t n_asked;            /* calls of next() */
	size_t n_given;
	size_t n_finished;
	size_t n_sending;
	bool is_in_time;           /* no text was whole at the server before it was told */
	bool is_within_bounds;
	size_t refuse_sending;     /* sending() says no to this text, counted from 1 */
	size_t wait_before;        /* next() says SESSION_WAIT once before this message */
	bool was_finished_first;   /* what went before was finished when next() was asked again */
	size_t leave_before;       /* next() says SESSION_LEAVE in place of this message, and a child goes on */
	bool is_child;
	enum session_turn at_limit;
	size_t n_limits;
	bool was_text_out;
};

static enum session_turn
next_order(void *context, const struct caps *caps, struct order **order)
{
	struct world *w = context;

	(void)caps;
	w->n_asked++;
	if (w->session.dialog.unanswered_size > DIALOG_UNANSWERED_MOST || w->session.dialog.n_pending >= DIALOG_PENDING_MOST)
		w->is_within_bounds = false;
	if (w->n_given == w->n_parcels)
		return SESSION_END;
	if (w->n_given + 1 == w->wait_before) {
		if (w->n_asked == w->wait_before)
			return SESSION_WAIT;
		w->was_finished_first = w->n_finished == w->n_given && w->session.dialog.n_pending == 0;
	}
	if (w->n_given + 1 == w->leave_before) {
		fflush(stdout);
		w->leave_before = 0;
		w->is_child = fork() == 0;
		if (!w->is_child)
			return SESSION_LEAVE;
	}
	w->parcels[w->n_given].order.envelope = &w->parcels[w->n_given].envelope;
	*order = &w->parcels[w->n_given++].order;
	return SESSION_GO_ON;
}

static bool
order_is_sent(void *context, struct order *order, struct err *err)
{
	struct world *w = context;

	if (order != &w->parcels[w->n_sending].order || (size_t)atomic_load(&w->kit.board->n_texts) > w->n_sending)
		w->is_in_time = false;
	w->n_sending++;
	return w->n_sending != w->refuse_sending || err_set(err, EX_IOERR, "the mark cannot be written");
}

static void
order_is_finished(void *context, struct order *order, const struct session *session)
{
	(void)order;
	(void)session;
	((struct world *)context)->n_finished++;
}

static enum session_turn
limit_is_reached(void *context, bool is_text_out)
{
	struct world *w = context;

	w->n_limits++;
	w->was_text_out = is_text_out;
	if (w->at_limit == SESSION_GO_ON)
		atomic_store(&w->kit.board->may_go_on, 1);
	return w->at_limit;
}

static void
set_up(struct world *w, size_t n_parcels, struct kit_plan plan)
{
	memset(w, 0, sizeof(*w));
	kit_start(&w->kit, plan);
	w->n_parcels = n_parcels;
	for (size_t i = 0; i < n_parcels; i++)
		kit_parcel(&w->parcels[i], "b@example.net");
	w->is_in_time = true;
	w->is_within_bounds = true;
	w->session.account = &w->kit.account;
	w->session.host = &w->kit.route.hosts[0];
	w->session.orders = (struct session_orders){
		.next = next_order,
		.sending = order_is_sent,
		.finished = order_is_finished,
		.limit = limit_is_reached,
		.context = w,
	};
}

static bool
run(struct world *w)
{
	bool is_fine = session_run(&w->session, &w->why, &w->err);

	if (w->is_child)
		return is_fine;
	kit_wait(&w->kit);
	return is_fine;
}

static void
tear_down(struct world *w)
{
	session_free(&w->session);
	for (size_t i = 0; i < w->n_parcels; i++)
		parcel_free(&w->parcels[i]);
	err_clear(&w->err);
	kit_end(&w->kit);
}

static size_t
count(const struct world *w, enum outcome_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_parcels; i++)
		n += kit_outcome(&w->parcels[i])->state == state;
	return n;
}

static void
test_sending(struct world *w)
{
	static const struct {
		const char *name;
		const char *ehlo;
	} ways[] = {
		{"a chunk in the group", NULL},
		{"a chunk on its own", "250-kit\r\n250 CHUNKING\r\n"},
		{"DATA in a group", "250-kit\r\n250 PIPELINING\r\n"},
		{"DATA on its own", "250 kit\r\n"},
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		set_up(w, 3, (struct kit_plan){.ehlo = ways[i].ehlo});
		tap_ok(run(w) && count(w, OUTCOME_DELIVERED) == 3 && w->n_sending == 3 && w->n_finished == 3 && w->is_in_time,
		       "each text is told once before its last bytes leave: %s", ways[i].name);
		tear_down(w);
		set_up(w, 3, (struct kit_plan){.ehlo = ways[i].ehlo});
		w->refuse_sending = 2;
		tap_ok(!run(w) && count(w, OUTCOME_DELIVERED) == 1 && count(w, OUTCOME_PENDING) == 2 &&
		               w->err.exit_code == EX_IOERR && w->why.state == OUTCOME_DEFERRED &&
		               w->why.stage == OUTCOME_LOCALLY && w->n_finished == w->n_given,
		       "a text that may not be sent ends the session, and nobody is in doubt");
		tap_ok(atomic_load(&w->kit.board->n_texts) == 1 && atomic_load(&w->kit.board->n_quit) == 0,
		       "its end never leaves, and no QUIT");
		tear_down(w);
	}
}

static void
test_wait(struct world *w)
{
	set_up(w, 3, (struct kit_plan){0});
	w->wait_before = 3;
	tap_ok(run(w) && count(w, OUTCOME_DELIVERED) == 3 && w->n_asked == 5 && w->was_finished_first,
	       "after SESSION_WAIT the next message is asked for once all before it is answered");
	tear_down(w);
	set_up(w, 1, (struct kit_plan){0});
	w->wait_before = 1;
	tap_ok(run(w) && count(w, OUTCOME_PENDING) == 1 && w->n_asked == 1 && atomic_load(&w->kit.board->n_quit) == 1,
	       "SESSION_WAIT with nothing to wait for ends the session");
	tear_down(w);
}

static void
test_limit(struct world *w)
{
	set_up(w, 1, (struct kit_plan){.silent_at_text = 1});
	w->kit.account.submit_timeout = 30;
	w->session.limit = clock_now() + SHORT_MS;
	w->at_limit = SESSION_END;
	tap_ok(!run(w) && w->n_limits == 1 && w->was_text_out, "the limit is asked about, with a text that waits for its answer");
	tap_ok(kit_outcome(&w->parcels[0])->state == OUTCOME_DEFERRED && kit_outcome(&w->parcels[0])->may_be_duplicate,
	       "ending there leaves that message in doubt");
	tap_is(buf_text(&w->err.text), "no answer within the time for one submission (30 seconds) (end of message)",
	       "and says what was over");
	tear_down(w);
	set_up(w, 1, (struct kit_plan){.silent_at_text = 1});
	w->session.limit = clock_now() + SHORT_MS;
	w->at_limit = SESSION_GO_ON;
	tap_ok(run(w) && w->n_limits == 1 && count(w, OUTCOME_DELIVERED) == 1 && w->session.limit == 0,
	       "going on lifts the limit, and the answer is waited for");
	tear_down(w);
	set_up(w, 1, (struct kit_plan){.silent_at_text = 1});
	w->kit.account.timeout = 1;
	w->session.limit = clock_now() + SHORT_MS;
	w->at_limit = SESSION_GO_ON;
	w->session.orders.limit = NULL;
	tap_ok(!run(w) && w->n_limits == 0 && kit_outcome(&w->parcels[0])->may_be_duplicate,
	       "without anybody to ask the limit is the end");
	tear_down(w);
	set_up(w, 1, (struct kit_plan){.is_silent_at_mail = true});
	w->session.limit = clock_now() + SHORT_MS;
	w->at_limit = SESSION_END;
	w->session.orders.sending = NULL;
	w->kit.account.chunking = false;
	tap_ok(!run(w) && w->n_limits == 1 && !w->was_text_out && count(w, OUTCOME_PENDING) == 1,
	       "before its text is out nothing is in doubt");
	tear_down(w);
	set_up(w, 1, (struct kit_plan){.is_silent_at_greeting = true});
	w->session.limit = clock_now() + SHORT_MS;
	w->at_limit = SESSION_END;
	tap_ok(!run(w) && w->n_limits == 1 && !w->was_text_out && w->why.stage == OUTCOME_AT_GREETING,
	       "a greeting is not waited for beyond the limit");
	tear_down(w);
	set_up(w, 1, (struct kit_plan){.silent_at_text = 1});
	w->kit.account.timeout = 1;
	w->session.limit = clock_deadline(20);
	tap_ok(!run(w) && w->n_limits == 0 && str_starts_with(buf_str(&w->err.text), STR("no answer within 1 second")),
	       "a wait of its own that ends before the limit is not about the limit");
	tear_down(w);
}

static void
test_leave(struct world *w)
{
	int status = -1;

	set_up(w, 2, (struct kit_plan){.silent_at_text = 1});
	w->session.limit = clock_now() + SHORT_MS;
	w->at_limit = SESSION_LEAVE;
	tap_ok(run(w) && w->session.has_left && count(w, OUTCOME_PENDING) == 2 && w->n_finished == 0,
	       "leaving at the limit settles nothing");
	tap_is_number(atomic_load(&w->kit.board->n_quit), 0, "and says nothing");
	tear_down(w);
	set_up(w, 3, (struct kit_plan){0});
	w->leave_before = 2;
	run(w);
	if (w->is_child)
		_exit(w->n_finished == 3 && count(w, OUTCOME_DELIVERED) == 3 && !w->session.has_left ? 0 : 1);
	wait(&status);
	tap_ok(w->session.has_left && w->n_given == 1, "a session can be left between two messages");
	tap_is_number(status, 0, "and another process goes on with it");
	tap_ok(atomic_load(&w->kit.board->n_connections) == 1 && atomic_load(&w->kit.board->n_taken) == 3 &&
	               atomic_load(&w->kit.board->n_quit) == 1,
	       "as if nothing had happened");
	tear_down(w);
}

static void
test_depth(struct world *w)
{
	set_up(w, PARCELS_MOST, (struct kit_plan){0});
	w->kit.account.pipeline_depth = 100;
	tap_ok(run(w) && count(w, OUTCOME_DELIVERED) == PARCELS_MOST && w->n_sending == PARCELS_MOST && w->is_within_bounds,
	       "hundreds of messages go through at depth 100, within the bounds of what may be unanswered");
	tear_down(w);
	set_up(w, 5, (struct kit_plan){.close_at_text = 2});
	w->kit.account.pipeline_depth = 3;
	tap_ok(!run(w) && kit_outcome(&w->parcels[0])->state == OUTCOME_DELIVERED, "what was answered before the end stays so");
	tap_ok(kit_outcome(&w->parcels[1])->may_be_duplicate && kit_outcome(&w->parcels[2])->may_be_duplicate,
	       "each text without an answer is in doubt");
	tap_ok(kit_outcome(&w->parcels[4])->state == OUTCOME_PENDING && w->n_finished == w->n_given,
	       "what was not sent is not");
	tear_down(w);
	set_up(w, 4, (struct kit_plan){0});
	w->kit.account.pipeline_depth = 3;
	w->refuse_sending = 3;
	tap_ok(!run(w) && kit_outcome(&w->parcels[0])->may_be_duplicate && kit_outcome(&w->parcels[1])->may_be_duplicate &&
	               kit_outcome(&w->parcels[2])->state == OUTCOME_PENDING,
	       "a third text that may not be sent leaves the two before it in doubt and itself not");
	tap_is_number(atomic_load(&w->kit.board->n_quit), 0, "and no QUIT is sent");
	tear_down(w);
}

int
main(void)
{
	static struct world w;

	test_sending(&w);
	test_wait(&w);
	test_limit(&w);
	test_leave(&w);
	test_depth(&w);
	return tap_end();
}
