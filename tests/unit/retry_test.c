/* retry_test - the schedule by simulation, clocks that jump, and what a failure is about. */

#include "config.h"

#include <sysexits.h>

#include "queue/retry.h"
#include "tap.h"

enum { HOUR = 3600, DAY = 86400, FIVE_DAYS = 5 * DAY };

static const int64_t born = 1795302972;

/* Attempts in the first `seconds` of a message's life that is refused each time, the first one at once. */
static int
count_attempts(int64_t seconds, double chance)
{
	int n = 0;

	for (int64_t now = born; now < born + seconds; now = retry_next(born, now, chance))
		n++;
	return n;
}

static void
test_schedule(void)
{
	bool is_within = true;
	int64_t wait;

	tap_is_number(count_attempts(HOUR, 0.5), 6, "queue 3.6: 6 tries in the first hour");
	tap_is_number(count_attempts(3 * HOUR, 0.5), 8, "queue 3.6: 8 in 3 hours");
	tap_is_number(count_attempts(DAY, 0.5), 13, "queue 3.6: 13 in a day");
	tap_is_number(count_attempts(FIVE_DAYS, 0.5), 37, "queue 3.6: 37 in 5 days");
	tap_is_number(retry_next(born, born, 0.5) - born, RETRY_LEAST, "the first wait is the least");
	tap_is_number(retry_next(born, born + HOUR, 0) - born - HOUR, HOUR / 2, "with no chance half of the age is waited");
	tap_is_number(retry_next(born, born + HOUR, 0.5) - born - HOUR, HOUR * 3 / 4, "with half of it three quarters");
	wait = retry_next(born, born + HOUR, 0.9999) - born - HOUR;
	tap_ok(wait > HOUR * 99 / 100 && wait <= HOUR, "with all of it nearly the age");
	tap_is_number(retry_next(born, born + FIVE_DAYS, 0) - born - FIVE_DAYS, RETRY_MOST, "an old message waits for the most");
	tap_is_number(retry_next(born, born + FIVE_DAYS, 0.99) - born - FIVE_DAYS, RETRY_MOST, "whatever chance says");
	for (int64_t age = 0; age < FIVE_DAYS; age += 997)
		for (int chance = 0; chance < 10; chance++) {
			wait = retry_next(born, born + age, chance / 10.0) - born - age;
			is_within = is_within && wait >= RETRY_LEAST && wait <= RETRY_MOST;
		}
	tap_ok(is_within, "no wait is shorter than 5 minutes or longer than 4 hours");
}

static void
test_clocks(void)
{
	tap_is_number(retry_next(born, born - DAY, 0.5), born - DAY + RETRY_LEAST, "a message from the future waits for the least");
	tap_is_number(retry_next(INT64_MIN, born, 0.5), born + RETRY_MOST, "one from the beginning of time for the most");
	tap_is_number(retry_next(0, INT64_MAX - 1, 0.5), INT64_MAX, "the end of time is not passed");
	tap_ok(retry_is_due(born, born), "what is due now is due");
	tap_ok(retry_is_due(born - 1, born) && retry_is_due(0, born), "what was due is due");
	tap_ok(!retry_is_due(born + 1, born), "what is due in a second is not due");
	tap_ok(!retry_is_due(born + RETRY_MOST, born), "what is due in 4 hours is not due");
	tap_ok(!retry_is_due(born + RETRY_MOST + DAY, born), "queue 3.6: a clock that was a day wrong is borne");
	tap_ok(retry_is_due(born + RETRY_MOST + DAY + 1, born), "queue 3.6: later than that was a wrong clock: it is due");
	tap_ok(retry_is_due(INT64_MAX, INT64_MIN), "also as late as it can be");
	tap_ok(!retry_is_expired(born, born + FIVE_DAYS - 1, FIVE_DAYS), "a second before its time a message has not expired");
	tap_ok(retry_is_expired(born, born + FIVE_DAYS, FIVE_DAYS), "at its time it has");
	tap_ok(!retry_is_expired(born, born - 10 * DAY, FIVE_DAYS), "a clock that ran backwards expires nothing");
	tap_ok(!retry_is_expired(born, 0, FIVE_DAYS), "nor one that begins at 1970 after each start");
	tap_ok(!retry_is_expired(INT64_MAX, INT64_MIN, FIVE_DAYS), "nor any other");
	tap_ok(retry_is_expired(INT64_MIN, INT64_MAX, FIVE_DAYS), "an age that no number holds is old");
	tap_ok(!retry_is_expired(born, born, 0) && !retry_is_expired(born, born + 100 * FIVE_DAYS, 0),
	       "without a lifetime nothing expires");
}

static void
test_routes(void)
{
	static const int64_t waits[] = {15, 15, 30, 60, 120, 240, 480, 900, 900};
	bool is_right = true;
	bool is_held_right = true;

	for (unsigned n = 0; n < sizeof(waits) / sizeof(waits[0]); n++) {
		is_right = is_right && retry_route_next(n, false, born, 0) == born + waits[n];
		is_right = is_right && retry_route_next(n, false, born, 0.5) == born + waits[n] * 3 / 2;
	}
	tap_ok(is_right, "queue 3.6: a route waits for 30 s, doubled each time up to 30 minutes, times 0.5 to 1");
	for (unsigned n = 1; n < 100; n++) {
		int64_t wait = retry_route_next(n, true, born, 0.999999) - born;

		is_held_right = is_held_right && wait >= RETRY_HELD_FIRST - 1 && wait <= RETRY_HELD_MOST;
	}
	tap_ok(is_held_right, "an account on hold is tried after 15 minutes at most often, every 4 hours at least");
	tap_is_number(retry_route_next(1, true, born, 0) - born, RETRY_HELD_FIRST / 2, "the first wait of an account on hold");
	tap_is_number(retry_route_next(3, true, born, 0) - born, 2 * RETRY_HELD_FIRST, "it doubles, too");
	tap_is_number(retry_route_next(4294967295U, false, born, 0) - born, RETRY_ROUTE_MOST / 2, "many failures wait no longer");
	tap_is_number(retry_route_next(1, false, INT64_MAX, 0), INT64_MAX, "the end of time is not passed by a route either");
}

#define SAID(stage_, code_) {.state = OUTCOME_DEFERRED, .stage = (stage_), .reply_code = (code_)}
#define SILENT(stage_) {.state = OUTCOME_DEFERRED, .stage = (stage_)}

static const struct {
	const char *name;
	struct outcome why;
	int exit_code;
	enum retry_class class;
	bool has_reached;
} failures[] = {
	{"nothing happened", {0}, EX_OK, RETRY_NONE, false},
	{"delivered", {.state = OUTCOME_DELIVERED, .stage = OUTCOME_AT_END, .reply_code = 250}, EX_OK, RETRY_NONE, true},
	{"delivered, and then the server went away",
         {.state = OUTCOME_DELIVERED, .stage = OUTCOME_AT_END, .reply_code = 250}, EX_TEMPFAIL, RETRY_NONE, true},
	{"no host of that name", SILENT(OUTCOME_AT_CONNECT), EX_NOHOST, RETRY_NETWORK, false},
	{"name server or network not there", SILENT(OUTCOME_AT_CONNECT), EX_TEMPFAIL, RETRY_ROUTE, false},
	{"no descriptor for a socket", SILENT(OUTCOME_AT_CONNECT), EX_OSERR, RETRY_LOCAL, false},
	{"not a SOCKS proxy", SILENT(OUTCOME_AT_CONNECT), EX_PROTOCOL, RETRY_ROUTE, false},
	{"the proxy refuses the password", SILENT(OUTCOME_AT_CONNECT), EX_CONFIG, RETRY_ACCOUNT, false},
	{"no password", SILENT(OUTCOME_AT_CONNECT), EX_UNAVAILABLE, RETRY_ACCOUNT, false},
	{"a password file that others can read", SILENT(OUTCOME_AT_CONNECT), EX_NOPERM, RETRY_ACCOUNT, false},
	{"a configuration error before any session", {0}, EX_CONFIG, RETRY_ACCOUNT, false},
	{"421 that nobody asked for", SAID(OUTCOME_AT_CONNECT, 421), EX_TEMPFAIL, RETRY_ROUTE, true},
	{"554 that nobody asked for", SAID(OUTCOME_AT_CONNECT, 554), EX_UNAVAILABLE, RETRY_ROUTE, true},
	{"no greeting", SILENT(OUTCOME_AT_GREETING), EX_TEMPFAIL, RETRY_ROUTE, false},
	{"greeting 554", SAID(OUTCOME_AT_GREETING, 554), EX_UNAVAILABLE, RETRY_ROUTE, true},
	{"EHLO 550", SAID(OUTCOME_AT_HELLO, 550), EX_UNAVAILABLE, RETRY_ROUTE, true},
	{"no answer to EHLO", SILENT(OUTCOME_AT_HELLO), EX_TEMPFAIL, RETRY_ROUTE, true},
	{"TLS times out", SILENT(OUTCOME_AT_TLS), EX_TEMPFAIL, RETRY_ROUTE, false},
	{"wrong certificate", SILENT(OUTCOME_AT_TLS), EX_UNAVAILABLE, RETRY_ACCOUNT, false},
	{"no trust file", SILENT(OUTCOME_AT_TLS), EX_CONFIG, RETRY_ACCOUNT, false},
	{"no memory for TLS", SILENT(OUTCOME_AT_TLS), EX_OSERR, RETRY_LOCAL, false},
	{"STARTTLS 454", SAID(OUTCOME_AT_TLS, 454), EX_TEMPFAIL, RETRY_ROUTE, true},
	{"STARTTLS 502", SAID(OUTCOME_AT_TLS, 502), EX_UNAVAILABLE, RETRY_ACCOUNT, true},
	{"AUTH 454", SAID(OUTCOME_AT_AUTH, 454), EX_TEMPFAIL, RETRY_ROUTE, true},
	{"AUTH 535", SAID(OUTCOME_AT_AUTH, 535), EX_NOPERM, RETRY_ACCOUNT, true},
	{"AUTH is not offered", SILENT(OUTCOME_AT_AUTH), EX_UNAVAILABLE, RETRY_ACCOUNT, true},
	{"the connection is lost during AUTH", SILENT(OUTCOME_AT_AUTH), EX_TEMPFAIL, RETRY_ROUTE, true},
	{"MAIL 451", SAID(OUTCOME_AT_MAIL, 451), EX_OK, RETRY_MESSAGE, true},
	{"MAIL 550", {.state = OUTCOME_FAILED, .stage = OUTCOME_AT_MAIL, .reply_code = 550}, EX_UNAVAILABLE, RETRY_MESSAGE, true},
	{"MAIL 421", SAID(OUTCOME_AT_MAIL, 421), EX_TEMPFAIL, RETRY_ROUTE, true},
	{"the connection is lost at MAIL", SILENT(OUTCOME_AT_MAIL), EX_TEMPFAIL, RETRY_ROUTE, true},
	{"RCPT 450", SAID(OUTCOME_AT_RCPT, 450), EX_OK, RETRY_RECIPIENT, true},
	{"RCPT 550", {.state = OUTCOME_FAILED, .stage = OUTCOME_AT_RCPT, .reply_code = 550}, EX_NOUSER, RETRY_RECIPIENT, true},
	{"RCPT 421", SAID(OUTCOME_AT_RCPT, 421), EX_TEMPFAIL, RETRY_ROUTE, true},
	{"nonsense at RCPT", SILENT(OUTCOME_AT_RCPT), EX_PROTOCOL, RETRY_ROUTE, true},
	{"DATA 451", SAID(OUTCOME_AT_DATA, 451), EX_OK, RETRY_MESSAGE, true},
	{"DATA 421", SAID(OUTCOME_AT_DATA, 421), EX_TEMPFAIL, RETRY_MESSAGE, true},
	{"the connection is lost in the text", SILENT(OUTCOME_AT_DATA), EX_TEMPFAIL, RETRY_MESSAGE, true},
	{"the text cannot be read from our disk", SILENT(OUTCOME_AT_DATA), EX_IOERR, RETRY_LOCAL, true},
	{"452 after the text", SAID(OUTCOME_AT_END, 452), EX_OK, RETRY_MESSAGE, true},
	{"552 after the text and then a broken disk", SAID(OUTCOME_AT_END, 552), EX_IOERR, RETRY_MESSAGE, true},
	{"the connection is lost after the text", SILENT(OUTCOME_AT_END), EX_TEMPFAIL, RETRY_MESSAGE, true},
	{"421 after the text", SAID(OUTCOME_AT_END, 421), EX_TEMPFAIL, RETRY_MESSAGE, true},
	{"larger than the server takes", {.state = OUTCOME_FAILED, .stage = OUTCOME_LOCALLY}, EX_DATAERR, RETRY_MESSAGE, false},
	{"an address that cannot be sent", SILENT(OUTCOME_LOCALLY), EX_OK, RETRY_MESSAGE, false},
	{"no room to re-encode it", SILENT(OUTCOME_LOCALLY), EX_TEMPFAIL, RETRY_LOCAL, false},
	{"no folder for temporary files", SILENT(OUTCOME_LOCALLY), EX_CANTCREAT, RETRY_LOCAL, false},
	{"our configuration, when preparing", SILENT(OUTCOME_LOCALLY), EX_CONFIG, RETRY_LOCAL, false},
};

int
main(void)
{
	test_schedule();
	test_clocks();
	test_routes();
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		tap_ok(retry_class_of(&failures[i].why, failures[i].exit_code) == failures[i].class, "queue 3.6: class of: %s",
		       failures[i].name);
		tap_ok(retry_has_reached(&failures[i].why) == failures[i].has_reached, "%s: %s", failures[i].name,
		       failures[i].has_reached ? "the server was reached" : "the server was not reached");
	}
	return tap_end();
}
