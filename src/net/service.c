/* service.c - the order of the hosts of SRV records (RFC 2782). Pure: chance comes from the caller. */

#include "config.h"

#include "net/service.h"

static void
swap(struct record_srv *a, struct record_srv *b)
{
	struct record_srv kept = *a;

	*a = *b;
	*b = kept;
}

/* The choice of RFC 2782 among n records, all of one priority. Those of weight 0 share one place among the others' weights,
 * and are all as likely. */
static size_t
choose(const struct record_srv *records, size_t n, const struct service_random *random)
{
	uint32_t sum = 0, n_weightless = 0, drawn;

	for (size_t i = 0; i < n; i++) {
		sum += records[i].weight;
		n_weightless += records[i].weight == 0;
	}
	drawn = random->draw(random->argument, sum + (n_weightless > 0));
	if (drawn == sum) {
		/* Only so far can it get where some have no weight. */
		uint32_t skipped = random->draw(random->argument, n_weightless);

		for (size_t i = 0; i < n; i++)
			if (records[i].weight == 0 && skipped-- == 0)
				return i;
	}
	for (size_t i = 0; i < n; i++) {
		if (drawn < records[i].weight)
			return i;
		drawn -= records[i].weight;
	}
	return 0;
}

/* The lowest priority to the front; how many have it. */
static size_t
gather_first(struct record_srv *records, size_t n)
{
	size_t n_first = 0;
	unsigned lowest = records[0].priority;

	for (size_t i = 1; i < n; i++)
		if (records[i].priority < lowest)
			lowest = records[i].priority;
	for (size_t i = 0; i < n; i++)
		if (records[i].priority == lowest)
			swap(&records[i], &records[n_first++]);
	return n_first;
}

static size_t
drop_useless(struct record_srv *records, size_t n)
{
	size_t n_kept = 0;

	for (size_t i = 0; i < n; i++)
		if (records[i].host[0] != '\0' && records[i].port > 0)
			records[n_kept++] = records[i];
	return n_kept;
}

size_t
service_order(struct record_srv *records, size_t n, const struct service_random *random)
{
	size_t at = 0;

	n = drop_useless(records, n);
	while (at < n && at < SERVICE_MOST) {
		size_t n_first = gather_first(records + at, n - at);

		for (; n_first > 0; n_first--, at++)
			swap(&records[at], &records[at + choose(records + at, n_first, random)]);
	}
	return n < SERVICE_MOST ? n : SERVICE_MOST;
}
