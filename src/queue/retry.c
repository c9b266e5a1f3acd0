/* retry.c - when to try again, and what a failure is about. Pure. */

#include "config.h"

#include <sysexits.h>

#include "queue/retry.h"

enum { CODE_CLOSING = 421 }; /* the server ends the session, whatever it was asked (RFC 5321 3.8) */

/* Trouble of our own, wherever in the dialogue it came: disk, memory, descriptors. */
static bool
is_local(int exit_code)
{
	return exit_code == EX_OSERR || exit_code == EX_CANTCREAT || exit_code == EX_IOERR ||
	       exit_code == EX_SOFTWARE;
}

/* The configuration (also that of a proxy), or no password: without a stage, so before the server was asked
 * anything. */
static bool
is_configuration(int exit_code)
{
	return exit_code == EX_CONFIG || exit_code == EX_NOPERM || exit_code == EX_UNAVAILABLE;
}

static enum retry_class
class_of_connecting(const struct outcome *why, int exit_code)
{
	if (why->reply_code != 0)
		return RETRY_ROUTE;
	/* The relay's name is not known: seen without a network. Other signs of that are EX_TEMPFAIL, as a dead
	 * server's are. */
	if (exit_code == EX_NOHOST)
		return RETRY_NETWORK;
	return is_configuration(exit_code) ? RETRY_ACCOUNT : RETRY_ROUTE;
}

/* Before the text a session that breaks says nothing about the message: a reply did not come, was none, or was 421. */
static bool
is_broken(const struct outcome *why, int exit_code)
{
	return why->reply_code == CODE_CLOSING || (why->reply_code == 0 && exit_code != EX_OK);
}

enum retry_class
retry_class_of(const struct outcome *why, int exit_code)
{
	if (why->state == OUTCOME_DELIVERED || (why->state == OUTCOME_PENDING && exit_code == EX_OK))
		return RETRY_NONE;
	if (why->reply_code == 0 && is_local(exit_code))
		return RETRY_LOCAL;
	switch (why->stage) {
	case OUTCOME_AT_ROUTE:
	case OUTCOME_AT_CONNECT:
		return class_of_connecting(why, exit_code);
	case OUTCOME_AT_GREETING:
	case OUTCOME_AT_HELLO:
		return RETRY_ROUTE;
	case OUTCOME_AT_TLS:
	case OUTCOME_AT_AUTH:
		return exit_code == EX_TEMPFAIL ? RETRY_ROUTE : RETRY_ACCOUNT;
	case OUTCOME_AT_MAIL:
		return is_broken(why, exit_code) ? RETRY_ROUTE : RETRY_MESSAGE;
	case OUTCOME_AT_RCPT:
		return is_broken(why, exit_code) ? RETRY_ROUTE : RETRY_RECIPIENT;
	case OUTCOME_AT_DATA:
	case OUTCOME_AT_END:
		return RETRY_MESSAGE;
	case OUTCOME_LOCALLY:
		break;
	}
	return exit_code == EX_CONFIG || exit_code == EX_NOPERM || exit_code == EX_TEMPFAIL ? RETRY_LOCAL : RETRY_MESSAGE;
}

/* What is asked after the greeting is asked because the server answered. A handshake without a reply is no answer:
 * the certificate may be that of a hotel's gateway. */
bool
retry_has_reached(const struct outcome *why)
{
	if (why->stage == OUTCOME_LOCALLY)
		return false;
	return why->reply_code != 0 || why->state == OUTCOME_DELIVERED || why->stage == OUTCOME_AT_HELLO ||
	       why->stage >= OUTCOME_AT_AUTH;
}

/* now + delay x U(0.5, 1), not less than least. */
static int64_t
later(int64_t now, int64_t delay, int64_t least, double chance)
{
	double part = chance >= 0 && chance < 1 ? 0.5 + chance / 2 : 1;
	int64_t wait = (int64_t)((double)delay * part);

	if (wait < least)
		wait = least;
	return now > INT64_MAX - wait ? INT64_MAX : now + wait;
}

/* now - before; 0 when the clock ran backwards, and never more than an int64_t can hold. */
static int64_t
elapsed(int64_t before, int64_t now)
{
	int64_t age = 0;

	if (now <= before)
		return 0;
	return __builtin_sub_overflow(now, before, &age) ? INT64_MAX : age;
}

int64_t
retry_next(int64_t created, int64_t now, double chance)
{
	int64_t age = elapsed(created, now);
	/* From twice the most on, the half of it is the most whatever chance says. */
	int64_t delay = age < 2 * (int64_t)RETRY_MOST ? age : 2 * (int64_t)RETRY_MOST;
	int64_t next = later(now, delay, RETRY_LEAST, chance);

	return elapsed(now, next) > RETRY_MOST ? now + RETRY_MOST : next;
}

int64_t
retry_route_next(unsigned n_failures, bool is_held, int64_t now, double chance)
{
	int64_t delay = is_held ? RETRY_HELD_FIRST : RETRY_ROUTE_FIRST;
	int64_t most = is_held ? RETRY_HELD_MOST : RETRY_ROUTE_MOST;

	for (unsigned i = 1; i < n_failures && delay < most; i++)
		delay *= 2;
	return later(now, delay < most ? delay : most, 0, chance);
}

bool
retry_is_due(int64_t next, int64_t now)
{
	return elapsed(now, next) == 0 || elapsed(now, next) > RETRY_WAIT_MOST;
}

bool
retry_is_expired(int64_t created, int64_t now, int64_t lifetime)
{
	return lifetime > 0 && elapsed(created, now) >= lifetime;
}
