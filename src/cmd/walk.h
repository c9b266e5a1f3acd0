/* walk.h - goes through the entries of the queue, oldest first, and finds one by what the user calls it. Reads folders only. */

#ifndef CMD_WALK_H
#define CMD_WALK_H

#include "queue/spool.h"

/* A set of folders: bits (1 << folder). */
enum {
	WALK_QUEUE = 1 << SPOOL_QUEUE,
	WALK_HOLD = 1 << SPOOL_HOLD,
	WALK_FAILED = 1 << SPOOL_FAILED,
	WALK_ALL = WALK_QUEUE | WALK_HOLD | WALK_FAILED
};

/* What is done with each entry; it may remove the entry, or move it to another folder. */
struct walk_visitor {
	void (*visit)(void *context, enum spool_folder folder, const char *name);
	void *context;
};

/* Visit each entry in a set of folders, the oldest of all of them first. Memory does not grow with their number. True where
 * there is no spool. False (EX_IOERR): a folder cannot be read; what was visited stays so. */
bool walk_entries(struct spool *spool, unsigned folders, const struct walk_visitor *visitor, struct err *err);

/* Find the entry that `text` means: an id as mailq shows it, its `*` or `!` included, in small letters too, or the first
 * letters of one (four at least). False: EX_USAGE (no id, or the beginning of several), EX_NOINPUT (there is none), or as
 * walk_entries. */
bool walk_find(struct spool *spool, const char *text, enum spool_folder *folder, char name[SPOOL_NAME_SIZE],
               struct err *err);

#endif
