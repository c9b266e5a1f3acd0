/*
 * cut - the power goes: everything that may be on the disk after each step of a record is made and recovered from, and judged.
 */
#ifndef CRASH_CUT_H
#define CRASH_CUT_H

#include "disk.h"
#include "part.h"

enum { CUT_SERVED_MOST = 24 };

#define CUT_NEVER SIZE_MAX

/* What became of a disk: the same disk is recovered only once. */
struct recovered {
	uint64_t hash;
	struct ledger_recipient recipients[SCENARIO_MESSAGES][LEDGER_RECIPIENTS];
	unsigned n_broken;  /* before and after the recovery */
	unsigned n_corrupt;
	bool is_late;
	char text[256];
};

struct cut {
	const struct world_setting *setting;
	struct stage *stage;
	struct record record;
	struct ledger served[CUT_SERVED_MOST + 1];  /* by the number of messages that the server had */
	size_t doubt_until[SCENARIO_MESSAGES][LEDGER_RECIPIENTS]; /* step: whether it was delivered is durable after it */
	size_t acknowledged;                    /* step after which the submission counts */
	struct recovered *recovered;
	size_t n_recovered;
	size_t room;
	uint64_t *seen;                         /* disks of this cut point */
	size_t n_seen;
	size_t room_seen;
	unsigned n_states;
	struct tally tally;
};

/* Run the scenario once and record it. The cut is zeroed. */
void cut_record(struct cut *cut, struct stage *stage, const struct scenario *scenario, const struct world_setting *setting);

/* Try every state of the disk after `first` steps and more; fills n_states and tally. */
void cut_everywhere(struct cut *cut, size_t first, struct disk_drop drop);

void cut_free(struct cut *cut);

#endif
