/*
 * disk - what may be on the disk when the power goes after some steps of a record.
 *
 * Names: what was done to a folder is durable after a sync of that folder (of a rename: of the folder it leads to); until then
 * each step may be there or not. A rename is one step. A sync of a file says nothing about its name. Bytes: what was written is
 * durable after a sync of the file; until then all of it may be there, or nothing, or what came first, the last write in part, or one
 * write alone, or the new length with zeros in place of the bytes.
 */
#ifndef CRASH_DISK_H
#define CRASH_DISK_H

#include "record.h"

/* What became of the bytes of one file that were not durable. */
struct disk_bytes {
	enum disk_kind { BYTES_ALL, BYTES_SOME, BYTES_TORN, BYTES_ONE, BYTES_ZERO } kind;
	size_t n_writes; /* for SOME and TORN: so many of the writes that were pending; TORN: the last of them half; ONE: only that one */
};

/* Syncs that are taken for not made. */
struct disk_drop {
	size_t step;                         /* this one; SIZE_MAX: none */
	unsigned object;                     /* all of this object; RECORD_OBJECTS: none */
};

struct disk {
	const struct record *record;
	size_t n_steps;                      /* made before the power went */
	struct disk_drop drop;
	bool *is_durable;                    /* by step: names only */
	size_t *pending;                     /* steps of names that are not durable */
	size_t n_pending;
	bool *is_applied;                    /* by step: the choice for names */
	struct disk_bytes bytes[RECORD_OBJECTS]; /* the choice for each file */
	unsigned loose[RECORD_OBJECTS];      /* files with bytes that are not durable */
	size_t n_loose;
};

void disk_make(struct disk *disk, const struct record *record, size_t n_steps, struct disk_drop drop);
void disk_free(struct disk *disk);

/* Writes of a file that are pending. */
size_t disk_count_writes(const struct disk *disk, unsigned object);

/* Make the spool as the choices have it, at `path`. */
void disk_write(const struct disk *disk, const char *path);

/* A number that is the same for disks that look the same. */
uint64_t disk_hash(const struct disk *disk);

#endif
