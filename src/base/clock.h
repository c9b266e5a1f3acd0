/* clock.h - now, deadlines and dates.
 *
 * A deadline is an absolute point on a clock that goes on during suspend (CLOCK_BOOTTIME), in milliseconds, passed down
 * unchanged: no wait inside may end later. Functions that can be tested without waiting take the time as a parameter. */

#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "base/buf.h"

/* A deadline that never comes. Nothing that talks to a peer may use it. */
#define CLOCK_NEVER INT64_MAX

/* Milliseconds since boot. */
int64_t clock_now(void);

/* The deadline `seconds` from now. */
int64_t clock_deadline(int64_t seconds);
int64_t clock_earlier(int64_t a, int64_t b);

/* Milliseconds left for poll(2): never below 0, never above INT_MAX; 0 when the deadline has passed. */
int clock_poll_timeout(int64_t deadline);

/* Append the date and time of RFC 5322 3.3 in local time with the numeric zone: "Sat, 21 Nov 2026 17:36:12 +0000". */
void clock_add_date(struct buf *b, time_t when);

/* Append `when` as RFC 3339 in UTC: "2026-11-21T17:36:12Z". */
void clock_add_timestamp(struct buf *b, time_t when);

#endif
