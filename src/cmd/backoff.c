/* backoff.c - routes that are not well. */

#include "config.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "cmd/backoff.h"
#include "cmd/log.h"

double
backoff_chance(void)
{
	uint32_t bits = 0;

	if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != (ssize_t)sizeof(bits))
		bits = (uint32_t)clock();
	return (double)bits / 4294967296.0;
}

bool
backoff_is_closed(const struct backoff *route, struct hint *hint)
{
	hint_read(route->spool, str_of(route->tag), hint);
	return hint->n_failures > 0 && !retry_is_due(hint->not_before, time(NULL));
}

static void
tell_of_hold(const struct backoff *route, const char *text, const char *advice)
{
	struct buf line = {0};

	buf_printf(&line, "account %s is on hold, its mail waits in the queue: %s", route->account->id, text);
	if (advice != NULL)
		buf_printf(&line, "; hint: %s", advice);
	buf_printf(&line, "; when that is mended, --release=%s tries again at once", route->account->id);
	log_alert(route->program, route->account, buf_text(&line));
	buf_free(&line);
}

void
backoff_failed(const struct backoff *route, enum retry_class class, const char *text, const char *advice)
{
	int64_t now = time(NULL);
	struct hint hint = {0};
	bool was_held;

	hint_read(route->spool, str_of(route->tag), &hint);
	was_held = hint.is_held;
	if (hint.n_failures == 0 || hint.since > now)
		hint.since = now;
	/* Once on hold it stays so: that the server could not be reached in between does not mend a password. */
	hint.is_held = was_held || class == RETRY_ACCOUNT;
	if (hint.is_held != was_held)
		hint.n_failures = 0;
	hint.n_failures++;
	hint.not_before = retry_route_next(hint.n_failures, hint.is_held, now, backoff_chance());
	snprintf(hint.account, sizeof(hint.account), "%s", route->account->id != NULL ? route->account->id : "");
	if (!was_held || class == RETRY_ACCOUNT)
		snprintf(hint.text, sizeof(hint.text), "%s", text);
	hint_write(route->spool, str_of(route->tag), &hint);
	if (hint.is_held && !was_held)
		tell_of_hold(route, text, advice);
}

void
backoff_succeeded(const struct backoff *route)
{
	struct hint hint = {0};

	hint_read(route->spool, str_of(route->tag), &hint);
	if (hint.n_failures == 0)
		return;
	hint_write(route->spool, str_of(route->tag), &(struct hint){0});
}
