/* clock.c - now, deadlines and dates. Reads the clock; no other I/O. */

#include "config.h"

#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"

static const char day_names[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char month_names[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

int64_t
clock_now(void)
{
	struct timespec now = {0};

	/* Both clocks always exist on Linux; the second is for systems without the first. */
#ifdef CLOCK_BOOTTIME
	clock_gettime(CLOCK_BOOTTIME, &now);
#else
	clock_gettime(CLOCK_MONOTONIC, &now);
#endif
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_deadline(int64_t seconds)
{
	int64_t now = clock_now();

	if (seconds >= (CLOCK_NEVER - now) / 1000)
		return CLOCK_NEVER;
	return now + seconds * 1000;
}

int64_t
clock_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int
clock_poll_timeout(int64_t deadline)
{
	int64_t left = deadline - clock_now();

	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

void
clock_add_date(struct buf *b, time_t when)
{
	struct tm local = {0};
	long zone;

	localtime_r(&when, &local);
	zone = local.tm_gmtoff / 60;
	buf_printf(b, "%s, %d %s %d %02d:%02d:%02d %c%02ld%02ld", day_names[local.tm_wday], local.tm_mday,
	           month_names[local.tm_mon], local.tm_year + 1900, local.tm_hour, local.tm_min, local.tm_sec,
	           zone < 0 ? '-' : '+', labs(zone) / 60, labs(zone) % 60);
}

void
clock_add_timestamp(struct buf *b, time_t when)
{
	struct tm utc = {0};

	gmtime_r(&when, &utc);
	buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02dZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
	           utc.tm_hour, utc.tm_min, utc.tm_sec);
}
