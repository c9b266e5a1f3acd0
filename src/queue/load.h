/* load.h - the parts of an entry in memory made from its bytes; for the files that open and create entries. No I/O. */

#ifndef QUEUE_LOAD_H
#define QUEUE_LOAD_H

#include "queue/entry.h"

/* Keep a copy of the head and what it says. entry->name is set; the id must be that of the name. False: *why. */
bool load_head(struct entry *entry, struct str head, const char **why);

/* Take the journal's lines (of the end of the file) into the outcomes, which then count as recorded. */
void load_journal(struct entry *entry, struct str journal);

/* The message lies behind the head in the entry's file. */
void load_message_in_file(struct entry *entry);

/* What an outcome says, as a number, to know a new one. */
uint64_t load_outcome_hash(const struct outcome *outcome);

#endif
