/* scan.c - the names in the spool's folders: listed in order, counted, found by id. Only names are read unless
 * times are asked for. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "queue/disk.h"
#include "queue/spool.h"

enum {
	ROOM_FIRST = 256,
	ROOM_MOST = 2 * SPOOL_BATCH,
	FIND_PASSES = 2
};

/* The folder while it is read. */
struct walk {
	struct spool_scan *scan;
	int folder;
	size_t room;                  /* of scan->items */
	char last[SPOOL_NAME_SIZE];   /* what comes behind it cannot be among the first SPOOL_BATCH; "": not known yet */
};

static bool
is_entry_name(const char *name, struct str *tag)
{
	struct str id;

	return strlen(name) < SPOOL_NAME_SIZE && id_split(str_of(name), &id, tag);
}

static int
compare_items(const void *a, const void *b)
{
	return strcmp(((const struct spool_item *)a)->name, ((const struct spool_item *)b)->name);
}

/* Sort what was found and forget all but the first. */
static void
trim(struct walk *walk)
{
	struct spool_scan *scan = walk->scan;

	if (scan->n_items > 0)
		qsort(scan->items, scan->n_items, sizeof(*scan->items), compare_items);
	if (scan->n_items <= SPOOL_BATCH)
		return;
	scan->n_items = SPOOL_BATCH;
	scan->has_more = true;
	memcpy(walk->last, scan->items[SPOOL_BATCH - 1].name, SPOOL_NAME_SIZE);
}

/* Is the file due? What cannot be looked at is left out: somebody has just finished it. */
static bool
is_due(const struct walk *walk, const char *name, int64_t *next)
{
	const struct spool_scan *scan = walk->scan;
	struct stat facts = {0};

	if (scan->due == INT64_MAX)
		return true;
	if (fstatat(walk->folder, name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
		return errno != ENOENT;
	*next = facts.st_mtime;
	return *next <= scan->due || (scan->longest_wait > 0 && *next - scan->due > scan->longest_wait);
}

static void
see_name(struct walk *walk, const char *name)
{
	struct spool_scan *scan = walk->scan;
	struct str tag;
	int64_t next = 0;

	if (!is_entry_name(name, &tag))
		return;
	scan->n_seen++;
	if (strcmp(name, scan->after) <= 0 || (scan->wants_tag != NULL && !scan->wants_tag(scan->context, tag)))
		return;
	/* It is for a later call; that there is one to come is known since trim(). */
	if (walk->last[0] != '\0' && strcmp(name, walk->last) > 0)
		return;
	if (!is_due(walk, name, &next))
		return;
	if (scan->n_items == walk->room) {
		walk->room = walk->room == 0 ? ROOM_FIRST : walk->room * 2;
		scan->items = mem_resize(scan->items, walk->room, sizeof(*scan->items));
	}
	scan->items[scan->n_items] = (struct spool_item){.next = next};
	memcpy(scan->items[scan->n_items].name, name, strlen(name) + 1);
	scan->n_items++;
	if (scan->n_items == ROOM_MOST)
		trim(walk);
}

bool
spool_scan(struct spool *spool, struct spool_scan *scan, struct err *err)
{
	struct walk walk = {.scan = scan};
	const char *path = spool_folder_name(scan->folder);
	const struct dirent *found;
	DIR *stream;

	spool_scan_free(scan);
	scan->has_more = false;
	scan->n_seen = 0;
	walk.folder = spool_folder(spool, scan->folder, err);
	if (walk.folder < 0)
		return false;
	stream = disk_open_folder(spool->root, path);
	if (stream == NULL)
		return err_set_errno(err, disk_exit_code(errno), "cannot read %s/%s", spool->path, path);
	errno = 0;
	while ((found = readdir(stream)) != NULL) {
		see_name(&walk, found->d_name);
		errno = 0;
	}
	if (errno != 0)
		err_set_errno(err, EX_IOERR, "cannot read %s/%s", spool->path, path);
	closedir(stream);
	if (err_is_set(err)) {
		spool_scan_free(scan);
		return false;
	}
	trim(&walk);
	if (scan->n_items > 0)
		memcpy(scan->after, scan->items[scan->n_items - 1].name, SPOOL_NAME_SIZE);
	return true;
}

void
spool_scan_free(struct spool_scan *scan)
{
	free(scan->items);
	scan->items = NULL;
	scan->n_items = 0;
}

static bool
holds_entries(enum spool_folder folder)
{
	return folder == SPOOL_QUEUE || folder == SPOOL_HOLD || folder == SPOOL_FAILED;
}

size_t
spool_count(struct spool *spool, enum spool_folder folder)
{
	DIR *stream = spool->is_open ? disk_open_folder(spool->root, spool_folder_name(folder)) : NULL;
	const struct dirent *found;
	struct str tag;
	size_t n = 0;

	if (stream == NULL)
		return 0;
	while ((found = readdir(stream)) != NULL)
		n += holds_entries(folder) ? is_entry_name(found->d_name, &tag) : found->d_name[0] != '.';
	closedir(stream);
	return n;
}

static bool
find_in(struct spool *spool, struct str id, enum spool_folder folder, char name[SPOOL_NAME_SIZE])
{
	DIR *stream = disk_open_folder(spool->root, spool_folder_name(folder));
	const struct dirent *found;
	struct str found_id, tag;
	bool is_found = false;

	if (stream == NULL)
		return false;
	while (!is_found && (found = readdir(stream)) != NULL) {
		if (strlen(found->d_name) >= SPOOL_NAME_SIZE || !id_split(str_of(found->d_name), &found_id, &tag))
			continue;
		is_found = str_equals(found_id, id);
		if (is_found)
			memcpy(name, found->d_name, strlen(found->d_name) + 1);
	}
	closedir(stream);
	return is_found;
}

bool
spool_find(struct spool *spool, struct str id, enum spool_folder *folder, char name[SPOOL_NAME_SIZE])
{
	static const enum spool_folder places[] = {SPOOL_QUEUE, SPOOL_HOLD, SPOOL_FAILED};

	if (!spool->is_open)
		return false;
	/* Twice, for it may be moved into a folder that was searched already. */
	for (size_t pass = 0; pass < FIND_PASSES; pass++)
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
			if (find_in(spool, id, places[i], name)) {
				*folder = places[i];
				return true;
			}
	return false;
}
