/* lane.c - one process that delivers what is due: which entries, of which routes, in which order. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "cmd/cargo.h"
#include "cmd/downgrade.h"
#include "cmd/lane.h"
#include "cmd/laneroute.h"
#include "cmd/talk.h"
#include "queue/retry.h"

/* --- what is due --------------------------------------------------------------------------------------------------- */

bool
lane_wants_tag(const struct lane *lane, struct str tag)
{
	struct hint hint = {0};

	if (lane->choice.only_tag != NULL && !str_equals(tag, str_of(lane->choice.only_tag)))
		return false;
	if (lane->choice.is_forced && !lane->choice.spares_held)
		return true;
	hint_read(lane->spool, tag, &hint);
	if (hint.n_failures == 0 || retry_is_due(hint.not_before, time(NULL)))
		return true;
	return (lane->choice.is_forced || lane->choice.is_network_up) && !hint.is_held;
}

/* A hint is read once for a look at the queue, not once for each entry. */
static bool
is_tag_wanted(void *context, struct str tag)
{
	struct lane *lane = context;
	size_t n = lane->n_known < LANE_TAGS_KNOWN ? lane->n_known : LANE_TAGS_KNOWN;
	struct lane_tag *known;

	for (size_t i = 0; i < n; i++)
		if (str_equals(tag, str_of(lane->known[i].tag)))
			return lane->known[i].is_wanted;
	if (tag.size > TAG_LENGTH)
		return lane_wants_tag(lane, tag);
	known = &lane->known[lane->n_known++ % LANE_TAGS_KNOWN];
	*known = (struct lane_tag){.is_wanted = lane_wants_tag(lane, tag)};
	memcpy(known->tag, tag.data, tag.size);
	return known->is_wanted;
}

struct spool_scan
lane_scan(struct lane *lane)
{
	bool is_timed = !lane->choice.is_forced; /* a filter forces, too */

	lane->n_known = 0;
	return (struct spool_scan){
		.folder = SPOOL_QUEUE,
		.due = is_timed ? time(NULL) : INT64_MAX,
		.longest_wait = RETRY_WAIT_MOST,
		.wants_tag = is_tag_wanted,
		.context = lane,
	};
}

/* --- the routes of a batch ----------------------------------------------------------------------------------------- */

/* None of them can be read, so none says for which account it is: what is no good is put aside all the same. */
static void
put_aside_bad(struct lane *lane, const struct lane_batch *batch)
{
	const struct cargo_claim claim = {.lane = lane};

	for (size_t i = 0; i < batch->n; i++) {
		struct entry entry = {0};
		struct err err = {0};
		enum entry_result result = entry_open(&entry, lane->spool, SPOOL_QUEUE, batch->items[i]->name, &err);

		if (result == ENTRY_BAD || result == ENTRY_REFUSED)
			cargo_complain(&claim, batch->items[i]->name, &err);
		entry_free(&entry);
		err_clear(&err);
	}
}

/* The account of an entry, by the first one of its route that can be read. False: told, and the route is left. */
static bool
read_account(struct lane *lane, struct call *call, const struct lane_batch *batch)
{
	struct err err = {0};
	bool is_fine = false, is_read = false;

	for (size_t i = 0; i < batch->n && !is_read; i++) {
		struct entry entry = {0};

		if (entry_peek(&entry, lane->spool, SPOOL_QUEUE, batch->items[i]->name, &err) == ENTRY_OPENED) {
			is_fine = outbox_read_origin(call, &entry.origin, &err);
			is_read = true;
		}
		if (is_read && !is_fine) {
			err_prefix(&err, "queue entry %s", entry.id);
			talk_error(lane->program, &err);
		}
		err_clear(&err);
		entry_free(&entry);
	}
	if (!is_read)
		put_aside_bad(lane, batch);
	return is_fine;
}

static void
run_route(struct lane *lane, const char *tag, const struct lane_batch *batch)
{
	struct call call = {.program = lane->program, .environment = lane->environment};
	struct lane_route *route;

	if (read_account(lane, &call, batch)) {
		route = lane_route_begin(lane, &call, tag, NULL);
		laneroute_set_batch(route, batch);
		lane_route_run(route);
		lane_route_free(route);
		downgrade_look(&call, lane->spool);
	}
	call_free(&call);
}

static int
compare_tags(const void *a, const void *b)
{
	const struct spool_item *const *left = a, *const *right = b;
	int order = strcmp((*left)->name + ID_LENGTH, (*right)->name + ID_LENGTH);

	return order != 0 ? order : strcmp((*left)->name, (*right)->name);
}

/* The n-th route of the sorted items, as a part of them. */
static bool
find_route(struct spool_item **items, size_t n_items, size_t wanted, struct lane_batch *batch)
{
	size_t start = 0, n = 0;

	for (size_t i = 1; i <= n_items; i++) {
		if (i < n_items && strcmp(items[i]->name + ID_LENGTH, items[start]->name + ID_LENGTH) == 0)
			continue;
		if (n++ == wanted) {
			*batch = (struct lane_batch){.items = items + start, .n = i - start};
			return true;
		}
		start = i;
	}
	return false;
}

static void
run_batch(struct lane *lane, const struct spool_scan *scan)
{
	struct spool_item **items = mem_alloc(scan->n_items, sizeof(struct spool_item *));
	struct lane_batch batch = {0};
	size_t n_routes = 0;

	for (size_t i = 0; i < scan->n_items; i++)
		items[i] = &scan->items[i];
	qsort(items, scan->n_items, sizeof(struct spool_item *), compare_tags);
	while (find_route(items, scan->n_items, n_routes, &batch))
		n_routes++;
	/* Each lane begins with another route, so that a slow one does not hold up the others. */
	for (size_t i = 0; i < n_routes; i++) {
		char tag[TAG_LENGTH + 1] = "";
		struct str id, name_tag;

		find_route(items, scan->n_items, (i + lane->number) % n_routes, &batch);
		if (!id_split(str_of(batch.items[0]->name), &id, &name_tag) || !lane_wants_tag(lane, name_tag))
			continue;
		memcpy(tag, name_tag.data, name_tag.size < TAG_LENGTH ? name_tag.size : TAG_LENGTH);
		run_route(lane, tag, &batch);
	}
	free(items);
}

void
lane_run(struct lane *lane)
{
	struct spool_scan scan = lane_scan(lane);
	struct err err = {0};

	do {
		if (!spool_scan(lane->spool, &scan, &err)) {
			talk_error(lane->program, &err);
			err_clear(&err);
			break;
		}
		run_batch(lane, &scan);
		lane->n_known = 0;
	} while (scan.has_more);
	spool_scan_free(&scan);
	finder_close(&lane->finder);
	settle_sync(lane->program, lane->spool);
}
