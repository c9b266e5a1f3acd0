/* lane.h - one process that delivers what is due: entry by entry, one session for each route, each entry claimed by
 * its lock.
 *
 * Any number of lanes may work on the same queue. A route that fails is left for all its messages by one hint; a
 * message that makes the server drop the connection is put off by itself. */

#ifndef CMD_LANE_H
#define CMD_LANE_H

#include <stdatomic.h>

#include "cmd/choose.h"
#include "cmd/outbox.h"
#include "cmd/settle.h"

/* What the lanes of one run have done; in shared memory. */
struct lane_counts {
	atomic_size_t n_due;       /* entries found to be due */
	atomic_size_t n_delivered; /* entries that are gone */
	atomic_size_t n_put_off;
	atomic_size_t n_failed;
};

/* Which entries a run is for. Zeroed: what is due. */
struct lane_choice {
	bool is_forced;                      /* whatever their times are, and the routes' */
	bool spares_held;                    /* but for accounts on hold, whose time must have come */
	bool is_network_up;                  /* whatever the routes' times are, but for accounts on hold */
	const struct request_filter *filters; /* all must match */
	size_t n_filters;
	const char *only_tag;                /* of this route; NULL: all */
	bool is_repeated;                    /* another look of the same run: what was tried since it began has had its turn */
	time_t began;                        /* of the run */
};

/* What a look at the queue has found out about a route; few, for most queues have few. */
enum { LANE_TAGS_KNOWN = 16 };

struct lane_tag {
	char tag[TAG_LENGTH + 1];
	bool is_wanted;
};

struct lane {
	const char *program;
	const struct environment *environment; /* of the call; NULL: none */
	struct spool *spool;
	struct lane_choice choice;
	size_t number;                       /* of this lane: each begins somewhere else */
	size_t n_lanes;
	bool is_patient;                     /* waits when others have all connections of a route: nobody comes after it */
	struct lane_counts *counts;          /* NULL: nobody counts */
	struct session_watch watch;
	struct finder finder;                /* of this process */
	/* Private: of the look at the queue under way. */
	struct lane_tag known[LANE_TAGS_KNOWN];
	size_t n_known;                      /* as many as were ever known; the newest replace the oldest */
};

/* Deliver everything that is due and can be had. */
void lane_run(struct lane *lane);

/* Is this route worth looking at, by what is known of it now? */
bool lane_wants_tag(const struct lane *lane, struct str tag);

/* What is due by this choice, of routes that are worth looking at when this is called. For spool_scan; lane must outlive it. */
struct spool_scan lane_scan(struct lane *lane);

/* --- one route ---
 *
 * All mail that was submitted with the same account in the same way, over one session after the other. */

struct lane_route;

/* call: its account is chosen; tag: of the route. Both must outlive it. secret NULL: found when needed. */
struct lane_route *lane_route_begin(struct lane *lane, struct call *call, const char *tag, const struct secret *secret);

/* Entries that are open and locked, to be delivered before any other. Takes over what entry holds. */
void lane_route_add(struct lane_route *route, struct entry *entry);

/* Look for what is due on it. */
void lane_route_look(struct lane_route *route);

/* The route as a source for a delivery that is under way, and what follows from that delivery's end. */
struct delivery_source lane_route_source(struct lane_route *route);
void lane_route_ended(struct lane_route *route, const struct delivery *delivery, bool is_fine);

/* Sessions until nothing is left or the route fails. */
void lane_route_run(struct lane_route *route);

void lane_route_free(struct lane_route *route);

#endif
