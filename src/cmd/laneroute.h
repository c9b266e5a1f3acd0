/* laneroute.h - private to the lane: the items of a scan that belong to one route. */

#ifndef CMD_LANEROUTE_H
#define CMD_LANEROUTE_H

#include "cmd/cargo.h"
#include "cmd/lane.h"

struct lane_batch {
	struct spool_item **items;  /* oldest first; borrowed */
	size_t n;
};

/* Entries that somebody else had locked: asked for once more at the end, for it may have been mailq that looked at
 * them. */
enum { BUSY_MOST = 64 };

/* Entries that are put aside at once: each is an open file. */
enum { ELSEWHERE_MOST = 64 };

struct lane_route {
	struct lane *lane;
	struct call *call;
	const char *tag;
	struct secret own_secret;
	const struct secret *secret;
	bool has_secret;
	const struct delivery *delivery; /* the session that runs; NULL: none of ours */
	struct lane_batch batch;
	size_t n_seen;                /* items of the batch that were looked at */
	struct spool_item *busy[BUSY_MOST];
	size_t n_busy;
	bool is_second_look;          /* at those that were busy */
	struct spool_scan scan;       /* what lane_route_look() found: the batch is in it */
	struct spool_item **items;    /* likewise */
	struct cargo *waiting;        /* open and locked, to be tried next */
	struct cargo *left;           /* a session is done with them, and somebody is pending still */
	struct cargo *elsewhere;      /* somebody was put off by a host that is not the last: to be asked of the next */
	size_t n_elsewhere;
	struct cargo *asking;         /* likewise, in a session with the next one: not handed out yet */
	size_t n_settled;             /* in this session: entries that the server said something about */
	size_t n_doubtful;            /* in this session: entries whose text went out without an answer */
	unsigned n_losses;
	bool was_failing;             /* there was a hint that it is not well */
	bool has_worked;              /* and since then a message was answered */
	bool ignores_times;           /* so that what was put off because of it need not wait longer */
};

void laneroute_set_batch(struct lane_route *route, const struct lane_batch *batch);

struct backoff laneroute_backoff_of(const struct lane_route *route);
struct cargo_claim laneroute_claim_of(const struct lane_route *route);

/* The entry of this item, open, locked and lent. NULL: it is not wanted, or not ours, or was settled. */
struct cargo *laneroute_claim(struct lane_route *route, struct spool_item *item);

/* The next item that was not looked at yet; NULL: that was all. */
struct spool_item *laneroute_next_item(struct lane_route *route);

/* Write down what became of it, and free it. */
void laneroute_settle(struct lane_route *route, struct cargo *cargo, bool has_reached);

/* Put an entry aside, somebody of which may be asked of another host than this session's; what is known by now is written
 * down. False: there is nobody, or no other host. */
bool laneother_put_aside(struct lane_route *route, struct cargo *cargo);

/* Sessions with the other hosts, one after the other, for all that was put aside; then it is settled. */
void laneother_ask(struct lane_route *route, struct delivery *delivery);

/* As in struct delivery_source. */
bool laneroute_parcel_is_sent(void *context, struct parcel *parcel, struct err *err);

/* Let everything go that was claimed: nothing was learnt about it. */
void laneroute_release_all(struct lane_route *route);

#endif
