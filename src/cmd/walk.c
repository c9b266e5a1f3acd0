/* walk.c - goes through the entries of the queue. Reads folders. */

#include "config.h"

#include <stdint.h>
#include <string.h>

#include "cmd/walk.h"

enum {
	N_SOURCES = 3,
	PREFIX_LEAST = 4 /* letters of an id that are enough */
};

static const enum spool_folder source_folders[N_SOURCES] = {SPOOL_QUEUE, SPOOL_HOLD, SPOOL_FAILED};

/* A folder that is read one batch after the other. */
struct source {
	struct spool_scan scan;
	size_t position; /* of the next of scan.items */
	bool is_wanted;
};

/* The next entry of a source: NULL in *item behind the last one. */
static bool
look_at_next(struct spool *spool, struct source *source, const struct spool_item **item, struct err *err)
{
	*item = NULL;
	if (!source->is_wanted)
		return true;
	if (source->position == source->scan.n_items) {
		if (!source->scan.has_more)
			return true;
		source->position = 0;
		if (!spool_scan(spool, &source->scan, err))
			return false;
		if (source->scan.n_items == 0)
			source->scan.has_more = false;
	}
	if (source->position < source->scan.n_items)
		*item = &source->scan.items[source->position];
	return true;
}

/* The oldest entry of all sources is taken; *oldest is NULL when there is none left. */
static bool
take_oldest(struct spool *spool, struct source *sources, struct source **oldest, struct err *err)
{
	const struct spool_item *first = NULL;

	*oldest = NULL;
	for (size_t i = 0; i < N_SOURCES; i++) {
		const struct spool_item *item;

		if (!look_at_next(spool, &sources[i], &item, err))
			return false;
		if (item != NULL && (first == NULL || strcmp(item->name, first->name) < 0)) {
			first = item;
			*oldest = &sources[i];
		}
	}
	if (*oldest != NULL)
		(*oldest)->position++;
	return true;
}

bool
walk_entries(struct spool *spool, unsigned folders, const struct walk_visitor *visitor, struct err *err)
{
	struct source sources[N_SOURCES] = {0};
	struct source *oldest;
	bool is_read = true;

	if (!spool->is_open)
		return true;
	for (size_t i = 0; i < N_SOURCES; i++) {
		sources[i].is_wanted = (folders & (1U << source_folders[i])) != 0;
		sources[i].scan = (struct spool_scan){.folder = source_folders[i], .due = INT64_MAX, .has_more = true};
	}
	while ((is_read = take_oldest(spool, sources, &oldest, err)) && oldest != NULL)
		visitor->visit(visitor->context, oldest->scan.folder, oldest->scan.items[oldest->position - 1].name);
	for (size_t i = 0; i < N_SOURCES; i++)
		spool_scan_free(&sources[i].scan);
	return is_read;
}

/* --- finding -------------------------------------------------------------------------------------------------------- */

struct search {
	struct str wanted;
	enum spool_folder folder;
	char name[SPOOL_NAME_SIZE];
	size_t n_found;
};

static void
compare(void *context, enum spool_folder folder, const char *name)
{
	struct search *search = context;

	if (!str_starts_with(str_of(name), search->wanted))
		return;
	search->n_found++;
	search->folder = folder;
	memcpy(search->name, name, strlen(name) + 1);
}

/* text as ids are written; false: it cannot be one. */
static bool
read_id(const char *text, char id[ID_LENGTH + 1])
{
	size_t length = strlen(text);

	if (length > 0 && (text[length - 1] == '*' || text[length - 1] == '!'))
		length--;
	if (length < PREFIX_LEAST || length > ID_LENGTH)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (c >= 'a' && c <= 'v')
			c = (char)(c - 'a' + 'A');
		if (!ascii_is_digit(c) && (c < 'A' || c > 'V'))
			return false;
		id[i] = c;
	}
	id[length] = '\0';
	return true;
}

/* "BEFORE TEXT BEHIND". */
static bool
refuse(struct err *err, int exit_code, const char *before, const char *text, const char *behind)
{
	struct buf shown = {0};

	err_add_clean(&shown, str_of(text));
	err_set(err, exit_code, "%s%s%s", before, buf_text(&shown), behind);
	buf_free(&shown);
	return err_hint(err, "'mailcrane --mailq' shows what there is");
}

bool
walk_find(struct spool *spool, const char *text, enum spool_folder *folder, char name[SPOOL_NAME_SIZE], struct err *err)
{
	char id[ID_LENGTH + 1] = "";
	struct search search = {0};
	struct walk_visitor visitor = {.visit = compare, .context = &search};

	if (!read_id(text, id))
		return refuse(err, EX_USAGE, "", text, " is not the id of an entry in the queue");
	search.wanted = str_of(id);
	if (search.wanted.size == ID_LENGTH) {
		if (spool->is_open && spool_find(spool, search.wanted, folder, name))
			return true;
		return refuse(err, EX_NOINPUT, "no entry ", id, " in the queue");
	}
	if (!walk_entries(spool, WALK_ALL, &visitor, err))
		return false;
	if (search.n_found == 0)
		return refuse(err, EX_NOINPUT, "no entry ", id, " in the queue");
	if (search.n_found > 1)
		return refuse(err, EX_USAGE, "", id, " is how several ids begin");
	*folder = search.folder;
	memcpy(name, search.name, sizeof(search.name));
	return true;
}
