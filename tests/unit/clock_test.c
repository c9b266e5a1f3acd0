/* clock_test.c - behaviour of base/clock.c. */

#include "config.h"

#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tap.h"

static void
test_deadlines(void)
{
	int64_t now = clock_now();
	int64_t deadline = clock_deadline(10);

	tap_ok(now > 0 && clock_now() >= now, "the clock does not run backwards");
	tap_ok(deadline >= now + 10000 && deadline < now + 20000, "a deadline is that many seconds from now");
	tap_ok(clock_deadline(INT64_MAX) == CLOCK_NEVER, "a deadline past the end of time is never");
	tap_ok(clock_earlier(1, 2) == 1 && clock_earlier(2, 1) == 1, "the earlier of two deadlines is the smaller");
	tap_is_number(clock_poll_timeout(now - 1), 0, "no time is left of a deadline that has passed");
	tap_is_number(clock_poll_timeout(CLOCK_NEVER), INT_MAX, "poll never waits for more than it can");
	tap_ok(clock_poll_timeout(deadline) > 5000 && clock_poll_timeout(deadline) <= 10000,
	       "what is left of a deadline is in milliseconds");
}

static void
is_date(const char *zone, time_t when, const char *expected, const char *name)
{
	struct buf b = {0};

	setenv("TZ", zone, 1);
	tzset();
	clock_add_date(&b, when);
	tap_is(buf_text(&b), expected, name);
	buf_free(&b);
}

static void
test_dates(void)
{
	struct buf b = {0};

	is_date("UTC0", 1795282572, "Sat, 21 Nov 2026 17:36:12 +0000", "a date is written as RFC 5322 wants it");
	is_date("XXX-5:30", 0, "Thu, 1 Jan 1970 05:30:00 +0530", "a zone east of Greenwich is positive");
	is_date("XXX+3:30", 0, "Wed, 31 Dec 1969 20:30:00 -0330", "a zone west of Greenwich is negative");
	clock_add_timestamp(&b, 1795282572);
	tap_is(buf_text(&b), "2026-11-21T17:36:12Z", "a time stamp is in UTC in any zone");
	buf_free(&b);
}

int
main(void)
{
	test_deadlines();
	test_dates();
	return tap_end();
}
