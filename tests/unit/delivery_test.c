/* delivery_test.c - parcels from the caller and from a source, in one session and in several. */

#include "config.h"

#include "deliver/delivery.h"
#include "session_kit.h"
#include "tap.h"

enum { PARCELS_MOST = 4, SHORT_MS = 300 };

struct world {
	struct kit kit;
	struct delivery delivery;
	struct parcel own[PARCELS_MOST];
	struct parcel queued[PARCELS_MOST];
	size_t n_own;
	size_t n_queued;
	size_t n_given;
	size_t n_sending;
	struct parcel *finished[2 * PARCELS_MOST];
	size_t n_finished;
	size_t leave_before;       /* next() says SESSION_LEAVE in place of this queued parcel */
	enum session_turn at_limit;
	size_t n_limits;
	bool was_text_out;
};

static enum session_turn
next_parcel(void *context, struct parcel **parcel)
{
	struct world *w = context;

	if (w->n_given + 1 == w->leave_before)
		return SESSION_LEAVE;
	if (w->n_given == w->n_queued)
		return SESSION_END;
	*parcel = &w->queued[w->n_given++];
	return SESSION_GO_ON;
}

static bool
parcel_is_sent(void *context, struct parcel *parcel, struct err *err)
{
	struct world *w = context;

	(void)err;
	w->n_sending += parcel->envelope.n_recipients;
	return true;
}

static void
parcel_is_finished(void *context, struct parcel *parcel)
{
	struct world *w = context;

	if (w->n_finished < 2 * PARCELS_MOST)
		w->finished[w->n_finished++] = parcel;
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
set_up(struct world *w, size_t n_own, size_t n_queued, struct kit_plan plan)
{
	memset(w, 0, sizeof(*w));
	kit_start(&w->kit, plan);
	w->n_own = n_own;
	w->n_queued = n_queued;
	for (size_t i = 0; i < n_own; i++)
		kit_parcel(&w->own[i], "b@example.net");
	for (size_t i = 0; i < n_queued; i++)
		kit_parcel(&w->queued[i], "c@example.net");
	w->delivery.account = &w->kit.account;
	w->delivery.parcels = n_own > 0 ? w->own : NULL;
	w->delivery.n_parcels = n_own;
	w->delivery.source = (struct delivery_source){
		.next = next_parcel,
		.sending = parcel_is_sent,
		.finished = parcel_is_finished,
		.limit = limit_is_reached,
		.context = w,
	};
}

static void
tear_down(struct world *w)
{
	delivery_free(&w->delivery);
	for (size_t i = 0; i < w->n_own; i++)
		parcel_free(&w->own[i]);
	for (size_t i = 0; i < w->n_queued; i++)
		parcel_free(&w->queued[i]);
	kit_end(&w->kit);
}

static bool
is_delivered(const struct parcel *parcel)
{
	return kit_outcome(parcel)->state == OUTCOME_DELIVERED;
}

static void
test_run(struct world *w)
{
	set_up(w, 2, 0, (struct kit_plan){0});
	w->delivery.source = (struct delivery_source){0};
	tap_ok(delivery_run(&w->delivery) && is_delivered(&w->own[0]) && is_delivered(&w->own[1]) &&
	               w->own[1].exit_code == EX_OK,
	       "parcels are delivered without anybody who looks on");
	tap_is(kit_outcome(&w->own[0])->host, w->kit.socket, "and it is noted who took them");
	tear_down(w);
	set_up(w, 1, 2, (struct kit_plan){0});
	tap_ok(delivery_run(&w->delivery) && is_delivered(&w->own[0]) && is_delivered(&w->queued[0]) &&
	               is_delivered(&w->queued[1]),
	       "what the source has goes behind the parcels");
	tap_ok(w->delivery.n_sessions == 1 && w->delivery.n_finished == 3 && w->n_finished == 3 && w->n_sending == 3 &&
	               w->finished[0] == &w->own[0] && w->finished[2] == &w->queued[1],
	       "in one session, each told when it is sent and when it is done with");
	tear_down(w);
	set_up(w, 2, 1, (struct kit_plan){.ehlo = "250-kit\r\n250-LIMITS MAILMAX=1\r\n250 PIPELINING\r\n"});
	tap_ok(delivery_run(&w->delivery) && w->delivery.n_sessions == 2 && w->n_given == 0,
	       "as many sessions as the parcels need, but none for the source alone");
	tear_down(w);
	set_up(w, 1, 2, (struct kit_plan){.close_at_text = 1});
	tap_ok(!delivery_run(&w->delivery) && w->own[0].exit_code == EX_TEMPFAIL && kit_outcome(&w->own[0])->may_be_duplicate &&
	               w->delivery.n_sessions == 1,
	       "a lost answer is not asked for in another session");
	tap_ok(w->n_given == 1 && w->n_finished == 2 && kit_outcome(&w->queued[0])->state == OUTCOME_PENDING,
	       "and what the source gave goes back as it is");
	tear_down(w);
}

static void
test_8bit(struct world *w)
{
	set_up(w, 0, 2, (struct kit_plan){0});
	message_free(&w->queued[0].message);
	w->queued[0].message = (struct message){.fd = -1, .size = 10, .wire_size = 10, .header_size = 1, .has_8bit_body = true};
	tap_ok(delivery_session(&w->delivery) && kit_outcome(&w->queued[0])->state == OUTCOME_DEFERRED && w->n_finished == 2 &&
	               w->finished[0] == &w->queued[0] && is_delivered(&w->queued[1]),
	       "a message that cannot be read for encoding is handed back, and the next one sent");
	tear_down(w);
}

static void
test_session(struct world *w)
{
	set_up(w, 0, 3, (struct kit_plan){0});
	tap_ok(delivery_session(&w->delivery) && w->n_finished == 3 && w->delivery.n_sessions == 1 &&
	               is_delivered(&w->queued[2]) &&
	               !err_is_set(&w->delivery.failure),
	       "one session takes all that the source has");
	tear_down(w);
	set_up(w, 0, 3, (struct kit_plan){.close_at_text = 2});
	tap_ok(!delivery_session(&w->delivery) && is_delivered(&w->queued[0]) && w->n_finished == 3 &&
	               kit_outcome(&w->queued[2])->state == OUTCOME_PENDING,
	       "recipients that a lost session did not come to stay pending");
	tap_ok(err_is_set(&w->delivery.failure) && w->delivery.why.state == OUTCOME_DEFERRED && w->delivery.why.text[0] != '\0',
	       "with the reason beside them");
	w->n_given = 2;
	tap_ok(delivery_session(&w->delivery) && is_delivered(&w->queued[2]) && w->delivery.n_sessions == 2 &&
	               !err_is_set(&w->delivery.failure),
	       "another session takes what is handed out again");
	tear_down(w);
	set_up(w, 0, 1, (struct kit_plan){0});
	unlink(w->kit.socket);
	tap_ok(!delivery_session(&w->delivery) && w->delivery.n_sessions == 0 && w->n_given == 0 &&
	               w->delivery.why.stage == OUTCOME_AT_CONNECT,
	       "without a connection nothing is asked for");
	tear_down(w);
}

static void
test_limit(struct world *w)
{
	set_up(w, 1, 0, (struct kit_plan){.silent_at_text = 1});
	w->delivery.limit = clock_now() + SHORT_MS;
	w->at_limit = SESSION_END;
	tap_ok(!delivery_run(&w->delivery) && w->n_limits == 1 && w->was_text_out && w->delivery.n_sessions == 1 &&
	               w->own[0].exit_code == EX_TEMPFAIL,
	       "the end at the limit is the end of all of it");
	tear_down(w);
	set_up(w, 1, 0, (struct kit_plan){.silent_at_text = 1});
	w->delivery.limit = clock_now() + SHORT_MS;
	w->at_limit = SESSION_GO_ON;
	tap_ok(delivery_run(&w->delivery) && w->n_limits == 1 && w->delivery.limit == 0, "a limit that is lifted stays lifted");
	tear_down(w);
	set_up(w, 1, 0, (struct kit_plan){.silent_at_text = 1});
	w->delivery.limit = clock_now() + SHORT_MS;
	w->at_limit = SESSION_LEAVE;
	delivery_run(&w->delivery);
	tap_ok(w->delivery.has_left && kit_outcome(&w->own[0])->state == OUTCOME_PENDING && w->delivery.n_sessions == 1 &&
	               w->n_finished == 0,
	       "what is left to another process is not touched");
	tear_down(w);
	set_up(w, 1, 2, (struct kit_plan){0});
	w->leave_before = 1;
	/* Without PIPELINING the source is asked when the first parcel is through. */
	w->kit.account.pipelining = PIPELINING_OFF;
	tap_ok(delivery_run(&w->delivery) && w->delivery.has_left && is_delivered(&w->own[0]) && w->own[0].exit_code == EX_OK,
	       "leaving behind the last parcel is a success");
	kit_wait(&w->kit);
	tap_is_number(atomic_load(&w->kit.board->n_quit), 0, "without a QUIT");
	tear_down(w);
	set_up(w, 2, 0, (struct kit_plan){0});
	w->delivery.limit = clock_now() - 1;
	w->at_limit = SESSION_END;
	tap_ok(!delivery_run(&w->delivery) && w->own[1].exit_code == EX_TEMPFAIL && atomic_load(&w->kit.board->n_texts) == 0,
	       "a limit that has passed before the start lets nothing through");
	tear_down(w);
}

int
main(void)
{
	static struct world w;

	test_run(&w);
	test_8bit(&w);
	test_session(&w);
	test_limit(&w);
	return tap_end();
}
