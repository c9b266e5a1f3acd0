/* retry.h - when to try again, and what a failure is about. Pure: time and chance are parameters. */

#ifndef QUEUE_RETRY_H
#define QUEUE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/outcome.h"

enum {
	RETRY_LEAST = 5 * 60,              /* seconds between two attempts */
	RETRY_MOST = 4 * 3600,
	RETRY_WAIT_MOST = RETRY_MOST + 86400, /* no rule lets an entry wait longer: more was written with a wrong clock */
	RETRY_ROUTE_FIRST = 30,            /* seconds until a route that failed is tried again: doubled each time, */
	RETRY_ROUTE_MOST = 30 * 60,        /* up to this */
	RETRY_HELD_FIRST = 15 * 60,        /* the same for an account on hold, so that nobody's login is locked for guessing */
	RETRY_HELD_MOST = 4 * 3600,
	RETRY_DELAY_NOTICE = 4 * 3600      /* age after which the sender is told that it takes long */
};

/* What a failure is about, and so what has to wait. Only `message` and `recipient` can fail a message for good. */
enum retry_class {
	RETRY_NONE,      /* nothing failed */
	RETRY_NETWORK,   /* we are not connected: nobody's fault, not an attempt */
	RETRY_ROUTE,     /* the server, or the way to it, was not ready */
	RETRY_ACCOUNT,   /* login or certificate refused, no password: the configuration is wrong. The account is put on hold */
	RETRY_MESSAGE,
	RETRY_RECIPIENT,
	RETRY_LOCAL      /* our own disk, memory or configuration */
};

/* The class of a session's failure: of the outcome it left for those that are pending, and its exit code (struct
 * err). */
enum retry_class retry_class_of(const struct outcome *why, int exit_code);

/* Did the attempt reach the server, that is, did it answer? Only then may the message expire. */
bool retry_has_reached(const struct outcome *why);

/* The next attempt of a message: now + clamp(age x U(0.5, 1), RETRY_LEAST, RETRY_MOST). chance: 0 <= chance < 1. */
int64_t retry_next(int64_t created, int64_t now, double chance);

/* The next attempt of a route after its n-th failure in a row (n >= 1). */
int64_t retry_route_next(unsigned n_failures, bool is_held, int64_t now, double chance);

/* Is the entry due? One that is due later than any rule would have it was written with a wrong clock, and is due. */
bool retry_is_due(int64_t next, int64_t now);

/* Has it been tried long enough? lifetime: seconds; 0: it never expires. A clock that ran backwards never expires a
 * message. */
bool retry_is_expired(int64_t created, int64_t now, int64_t lifetime);

#endif
