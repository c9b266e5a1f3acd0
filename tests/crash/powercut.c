/*
 * powercut - the power goes after each step of a run. From everything that may be on the disk then (see disk.h) the program must
 * recover. Then the same with each sync taken out in turn: this must be seen, or there is a reason why it does not matter.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cut.h"
#include "part.h"

/* --- syncs that may be missing --- */

static bool
is_seen(const struct tally *tally)
{
	return tally->n_lost + tally->n_partial + tally->n_outside + tally->n_untold + tally->n_stuck > 0;
}

static bool
ends_with(const char *path, const char *end)
{
	size_t size = strlen(end);

	return strlen(path) >= size && strcmp(path + strlen(path) - size, end) == 0;
}

/* Does a delivery become known for good by this sync? */
static bool
ends_doubt(const struct cut *cut, size_t step)
{
	for (unsigned m = 0; m < SCENARIO_MESSAGES; m++)
		for (unsigned r = 0; r < LEDGER_RECIPIENTS; r++)
			if (cut->doubt_until[m][r] == step && cut->served[CUT_SERVED_MOST].messages[m][r].n_served > 0)
				return true;
	return false;
}

/* The last change of names in a folder before a step; NULL: none. */
static const struct record_step *
last_change(const struct cut *cut, size_t step, unsigned folder)
{
	for (size_t i = step; i > 0; i--) {
		const struct record_step *it = &cut->record.steps[i - 1];
		bool is_rename = it->kind == RECORD_RENAME;

		if ((is_rename && it->folder_to == folder) ||
		    ((is_rename || it->kind == RECORD_CREATE || it->kind == RECORD_UNLINK) && it->folder == folder))
			return it;
	}
	return NULL;
}

/* Why the loss of one sync may go unnoticed; NULL: it must not. */
static const char *
reason(const struct cut *cut, size_t step)
{
	const struct record *record = &cut->record;
	unsigned object = record->steps[step].object;
	const struct record_step *change = last_change(cut, step, object);

	if (ends_doubt(cut, step))
		return NULL;
	for (size_t i = step + 1; i < record->n_steps && i < cut->acknowledged; i++)
		if (record->steps[i].kind == RECORD_SYNC && record->steps[i].object == object)
			return "another one of the same follows before anything is promised";
	for (size_t i = step; i > 0 && record->objects[object].is_folder; i--) {
		const struct record_step *it = &record->steps[i - 1];

		if (it == change)
			break;
		if (it->kind == RECORD_SYNC && it->object == object)
			return "the one before did it already";
	}
	if (!record->objects[object].is_folder)
		return "what is forgotten (a refusal, a flag) is found out again";
	if (change == NULL)
		return "nothing was changed in it";
	if (change->kind == RECORD_RENAME && ends_with(record->objects[change->folder_to].path, "/failed"))
		return "the marks in the file say everything, in whichever folder it is found";
	if (change->kind == RECORD_RENAME && change->folder == object && change->folder_to != object)
		return "the rename is durable with the folder it leads to";
	if (change->kind == RECORD_RENAME && strcmp(change->name_to, "VERSION") == 0)
		return "a spool without its number is completed";
	if (ends_with(record->objects[object].path, "/bounces"))
		return "its folders are made again, as long as nothing is in them";
	return NULL;
}

struct mutants {
	unsigned n;
	unsigned n_seen;
	unsigned n_silent; /* without a reason */
	char text[512];
};

static void
note_mutant(struct cut *cut, struct mutants *mutants, const char *what, const char *why)
{
	bool seen = is_seen(&cut->tally);

	mutants->n++;
	mutants->n_seen += seen;
	if (cut->setting->is_chatty)
		printf("# %s: without %s: %s\n", cut->stage->scenario->name, what, seen ? cut->tally.text : why != NULL ? why : "NOT SEEN");
	if (seen || why != NULL)
		return;
	mutants->n_silent++;
	(void)snprintf(mutants->text, sizeof(mutants->text), "nobody would notice if it lacked %.250s", what);
}

/* Take out each sync, and then all of each folder together. */
static void
drop_syncs(struct cut *cut, struct mutants *mutants)
{
	for (size_t i = 0; i < cut->record.n_steps; i++) {
		struct disk_drop drop = {.step = i, .object = RECORD_OBJECTS};
		char step[256];

		if (cut->record.steps[i].kind != RECORD_SYNC)
			continue;
		cut_everywhere(cut, i, drop);
		record_describe(&cut->record, i, step);
		note_mutant(cut, mutants, step, reason(cut, i));
	}
	for (unsigned object = 0; object < cut->record.n_objects; object++) {
		struct disk_drop drop = {.step = CUT_NEVER, .object = object};
		size_t first = CUT_NEVER;
		size_t last = 0;
		char what[256];

		for (size_t i = 0; i < cut->record.n_steps; i++)
			if (cut->record.steps[i].kind == RECORD_SYNC && cut->record.steps[i].object == object) {
				first = first == CUT_NEVER ? i : first;
				last = i;
			}
		if (first == CUT_NEVER || first == last)
			continue;
		cut_everywhere(cut, first, drop);
		(void)snprintf(what, sizeof(what), "all syncs of %.200s", cut->record.objects[object].path);
		note_mutant(cut, mutants, what, reason(cut, last));
	}
}

/* --- scenarios --- */

struct sum {
	unsigned n_states;
	unsigned n_recovered;
	unsigned n_mutants;
	unsigned n_seen;
	struct tally tally;
};

static unsigned
cut_scenario(const struct scenario *scenario, const struct world_setting *setting, struct sum *sum)
{
	static struct stage stage;
	static struct cut cut;
	char line[512];
	char text[512];
	struct mutants mutants = {0};
	struct disk_drop none = {.step = CUT_NEVER, .object = RECORD_OBJECTS};
	unsigned n_failed = 0;

	cut_record(&cut, &stage, scenario, setting);
	if (getenv("CRASH_STEPS") != NULL)
		for (size_t i = 0; i < cut.record.n_steps; i++) {
			record_describe(&cut.record, i, text);
			printf("# %s (server has %u, then %u)\n", text, cut.record.steps[i].n_mail_before, cut.record.steps[i].n_mail_after);
		}
	cut_everywhere(&cut, 0, none);
	sum->n_states += cut.n_states;
	tally_add(&sum->tally, &cut.tally);
	(void)snprintf(line, sizeof(line),
	               "%s: %zu steps, %u states of the disk: %u lost, %u partial, %u duplicates where in doubt, %u outside, %u untold, "
	               "%u told twice, %u stuck",
	               scenario->name, cut.record.n_steps, cut.n_states, cut.tally.n_lost, cut.tally.n_partial, cut.tally.n_duplicates,
	               cut.tally.n_outside, cut.tally.n_untold, cut.tally.n_told_twice, cut.tally.n_stuck);
	n_failed = part_case(tally_is_good(&cut.tally), line, cut.tally.text);
	if (n_failed == 0) {
		drop_syncs(&cut, &mutants);
		(void)snprintf(line, sizeof(line), "%s: %u mutants without a sync: %u are caught, the others have a reason", scenario->name,
		               mutants.n, mutants.n_seen);
		n_failed = part_case(mutants.n_silent == 0, line, mutants.text);
	}
	sum->n_recovered += (unsigned)cut.n_recovered;
	sum->n_mutants += mutants.n;
	sum->n_seen += mutants.n_seen;
	cut_free(&cut);
	return n_failed;
}

static bool
is_of_sample(const char *name)
{
	static const char *const names[] = {"enqueue", "first-run", "background", "flush", "flush-mixed", "hold", "retry", "remove"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

unsigned
part_powercut(const struct world_setting *setting)
{
	static const char *const names[] = {"enqueue",      "first-run", "first-run-5xx", "background", "fallback", "fallback-4xx", "flush",
	                                    "flush-4xx",    "flush-5xx", "flush-mixed", "flush-452", "bounce-relay", "hold",
	                                    "release",      "retry",     "remove"};
	struct sum sum = {0};
	unsigned n_failed = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t k = 0; k < n_scenarios; k++)
			if (strcmp(scenarios[k].name, names[i]) == 0 && part_wants(setting, names[i]) &&
			    (!setting->is_quick || setting->only != NULL || is_of_sample(names[i])))
				n_failed += cut_scenario(&scenarios[k], setting, &sum);
	printf("# summary: %u power-cut states (%u distinct recoveries): %u lost, %u partial, %u duplicates of which %u outside the "
	       "window; %u mutants without a sync, %u caught, the others have a reason\n",
	       sum.n_states, sum.n_recovered, sum.tally.n_lost, sum.tally.n_partial,
	       sum.tally.n_duplicates + sum.tally.n_outside, sum.tally.n_outside, sum.n_mutants, sum.n_seen);
	return n_failed;
}
