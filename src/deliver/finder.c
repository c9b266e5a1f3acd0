/* finder.c - DNS for routes, opened once. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "deliver/finder.h"

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const char *
given(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

bool
finder_open(struct finder *finder, const struct account *account, struct err *err)
{
	const struct dns_settings settings = {given(account->dns_server), account->dns_trust_anchor};

	if (finder->ask != NULL)
		return true;
	if (finder->dns != NULL && is_same(finder->server, settings.server) &&
	    is_same(finder->trust_anchor, settings.trust_anchor))
		return true;
	finder_close(finder);
	if (!dns_open(&finder->dns, &settings, err))
		return false;
	finder->server = mem_copy_string(settings.server);
	finder->trust_anchor = mem_copy_string(settings.trust_anchor);
	return true;
}

void
finder_ask(struct finder *finder, struct dns_query *queries, size_t n, int64_t deadline)
{
	if (finder->ask != NULL)
		finder->ask(finder->context, queries, n, deadline);
	else
		dns_ask(finder->dns, queries, n, deadline);
}

/* Which of equal hosts comes first is a matter of sharing their load: the slight unevenness of a remainder does not matter. */
uint32_t
finder_draw(void *argument, uint32_t below)
{
	const struct finder *finder = argument;
	uint32_t number = 0;

	if (finder->draw != NULL)
		return finder->draw(finder->context, below);
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
		return 0;
	return number % below;
}

void
finder_close(struct finder *finder)
{
	dns_close(finder->dns);
	free(finder->server);
	free(finder->trust_anchor);
	*finder = (struct finder){.ask = finder->ask, .draw = finder->draw, .context = finder->context, .spool = finder->spool};
}
