/*
 * record - the log of everything a run did to the spool that a disk may or may not have when the power goes.
 *
 * Files and folders are objects, numbered; object 0 is the folder that the spool is in. What was there before the run is durable.
 */
#ifndef CRASH_RECORD_H
#define CRASH_RECORD_H

#include "scenario.h"

enum { RECORD_NAME = 96, RECORD_OBJECTS = 512 };

enum record_kind {
	RECORD_CREATE, /* object gets a name in folder; also for folders and further links */
	RECORD_RENAME, /* from folder, name to folder_to, name_to */
	RECORD_UNLINK,
	RECORD_WRITE,  /* size bytes at offset of object */
	RECORD_CUT,    /* object has size bytes from now on */
	RECORD_SYNC,   /* of object */
	RECORD_EXIT    /* the program itself ended with status 0 */
};

struct record_step {
	enum record_kind kind;
	unsigned object;
	unsigned folder;
	unsigned folder_to;
	char name[RECORD_NAME];
	char name_to[RECORD_NAME];
	size_t offset;
	size_t size;
	char *bytes;
	unsigned n_mail_before; /* messages that the server had before and after it */
	unsigned n_mail_after;
};

struct record_object {
	bool is_folder;
	uint64_t inode;
	char path[WORLD_PATH];  /* where it was made, relative to object 0 */
	char *bytes;            /* of a file that was there before */
	size_t size;
	unsigned folder;        /* where it was before; meaningless unless was_there */
	char name[RECORD_NAME];
	bool was_there;
};

struct record {
	struct record_object objects[RECORD_OBJECTS];
	unsigned n_objects;
	struct record_step *steps;
	size_t n_steps;
	size_t room;
};

/* Run the stage's command undisturbed and record it. False: it could not be run. */
bool record_run(struct record *record, struct stage *stage, struct trap_result *result);
void record_free(struct record *record);

/* What a step does, for people. */
void record_describe(const struct record *record, size_t step, char text[256]);

#endif
