/*
 * cut - see cut.h.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cut.h"

enum { SUBSETS_MOST = 6 };

/* --- when it is known who got it --- */

static bool
has_bytes(const char *bytes, size_t size, const char *text)
{
	return bytes != NULL && memmem(bytes, size, text, strlen(text)) != NULL;
}

/* The entry of message m: its first bytes say that it is one, and the Message-ID is in it. */
static unsigned
entry_of(const struct record *record, unsigned m)
{
	char text[32];
	bool is_entry[RECORD_OBJECTS] = {false};

	(void)snprintf(text, sizeof(text), "<m%u@crash.", m);
	for (unsigned i = 0; i < record->n_objects; i++)
		if (has_bytes(record->objects[i].bytes, record->objects[i].size, text) &&
		    strncmp(record->objects[i].bytes, "MCQ1 ", 5) == 0)
			return i;
	for (size_t i = 0; i < record->n_steps; i++) {
		const struct record_step *step = &record->steps[i];

		if (step->kind != RECORD_WRITE)
			continue;
		is_entry[step->object] |= step->offset == 0 && step->size > 5 && strncmp(step->bytes, "MCQ1 ", 5) == 0;
		if (is_entry[step->object] && has_bytes(step->bytes, step->size, text))
			return step->object;
	}
	return RECORD_OBJECTS;
}

/* From the server's having it until the first sync of what was noted about that, it is in doubt. */
static size_t
doubt_of(const struct cut *cut, unsigned m, unsigned r)
{
	const struct record *record = &cut->record;
	unsigned object = entry_of(record, m);
	size_t i = 0;
	size_t noted = CUT_NEVER;

	while (i < record->n_steps && cut->served[record->steps[i].n_mail_before].messages[m][r].n_served == 0)
		i++;
	for (; i < record->n_steps && noted == CUT_NEVER; i++)
		if (record->steps[i].object == object &&
		    (record->steps[i].kind == RECORD_UNLINK || record->steps[i].kind == RECORD_WRITE))
			noted = i;
	if (noted == CUT_NEVER)
		return CUT_NEVER;
	for (i = noted + 1; i < record->n_steps; i++) {
		const struct record_step *step = &record->steps[i];
		bool is_unlink = record->steps[noted].kind == RECORD_UNLINK;

		if (step->kind == RECORD_SYNC && step->object == (is_unlink ? record->steps[noted].folder : object))
			return i;
	}
	return CUT_NEVER;
}

static void
read_record(struct cut *cut)
{
	unsigned n = 0;

	for (unsigned i = 0; i <= CUT_SERVED_MOST; i++) {
		ledger_make(&cut->served[i], SCENARIO_MESSAGES);
		n = ledger_read_mail(&cut->served[i], cut->stage->world.mail, i);
	}
	if (n >= CUT_SERVED_MOST)
		world_die("too many messages in", cut->stage->scenario->name);
	cut->acknowledged = CUT_NEVER;
	for (size_t i = 0; i < cut->record.n_steps; i++)
		if (cut->record.steps[i].kind == RECORD_EXIT)
			cut->acknowledged = i;
	for (unsigned m = 0; m < SCENARIO_MESSAGES; m++)
		for (unsigned r = 0; r < LEDGER_RECIPIENTS; r++)
			cut->doubt_until[m][r] = doubt_of(cut, m, r);
}

/* --- one disk --- */

static struct recovered *
find_recovered(struct cut *cut, uint64_t hash)
{
	for (size_t i = 0; i < cut->n_recovered; i++)
		if (cut->recovered[i].hash == hash)
			return &cut->recovered[i];
	return NULL;
}

static struct recovered *
recover(struct cut *cut, const struct disk *disk, uint64_t hash)
{
	struct stage *stage = cut->stage;
	struct recovered *it = find_recovered(cut, hash);
	struct tally tally = {0};

	if (it != NULL)
		return it;
	if (cut->n_recovered == cut->room) {
		cut->room = cut->room == 0 ? 64 : 2 * cut->room;
		cut->recovered = reallocarray(cut->recovered, cut->room, sizeof(cut->recovered[0]));
		if (cut->recovered == NULL)
			abort();
	}
	it = &cut->recovered[cut->n_recovered++];
	*it = (struct recovered){.hash = hash};
	ledger_take_mail(&stage->served, stage->world.mail);
	ledger_clear(&stage->served);
	disk_write(disk, stage->world.spool);
	stage_look(stage, &tally);
	stage_recover(stage, &tally);
	memcpy(it->recipients, stage->final.messages, sizeof(it->recipients));
	it->n_broken = stage->crashed.n_broken + stage->final.n_broken;
	it->n_corrupt = stage->final.n_corrupt;
	it->is_late = tally.n_late > 0;
	memcpy(it->text, stage->crashed.n_broken > 0 ? stage->crashed.text : stage->final.text, sizeof(it->text));
	return it;
}

static void
judge_recipient(struct cut *cut, size_t n_steps, const struct recovered *it, unsigned m, unsigned r, const char *label)
{
	const struct record *record = &cut->record;
	const struct ledger_recipient *end = &it->recipients[m][r];
	unsigned n_before = n_steps > 0 ? record->steps[n_steps - 1].n_mail_after : 0;
	unsigned n_after = n_steps < record->n_steps ? record->steps[n_steps].n_mail_before : n_before;
	const struct ledger_recipient *least = &cut->served[n_before].messages[m][r];
	const struct ledger_recipient *most = &cut->served[n_after].messages[m][r];
	bool is_due = cut->stage->expectation.is_due[m] || (m == SCENARIO_SUBMITTED && n_steps > cut->acknowledged);
	char name[32];

	(void)snprintf(name, sizeof(name), "%u.%u", m, r);
	if (is_due && least->n_served + least->n_told + end->n_served + end->n_told == 0 && end->place == IN_NOTHING) {
		cut->tally.n_lost++;
		tally_note(&cut->tally, label, "LOST recipient", name);
	}
	if (most->n_served + end->n_served > 1) {
		bool is_doubtful = cut->doubt_until[m][r] != CUT_NEVER ? n_steps <= cut->doubt_until[m][r] : n_steps < record->n_steps;

		cut->tally.n_duplicates += is_doubtful;
		cut->tally.n_outside += !is_doubtful;
		if (!is_doubtful)
			tally_note(&cut->tally, label, "delivered twice, not in doubt:", name);
	}
	if (end->place == IN_FAILED && end->state == 'F' && least->n_told + end->n_told == 0) {
		cut->tally.n_untold++;
		tally_note(&cut->tally, label, "failed and nobody was told:", name);
	}
	cut->tally.n_told_twice += most->n_told + end->n_told > 1;
	if (end->place == IN_QUEUE && strchr("TU", end->state) != NULL && cut->stage->expectation.kinds[m][r] != 't') {
		cut->tally.n_stuck++;
		tally_note(&cut->tally, label, "still in the queue:", name);
	}
}

static void
try_disk(struct cut *cut, struct disk *disk)
{
	uint64_t hash = disk_hash(disk);
	const struct recovered *it = NULL;
	char step[256] = "the beginning";
	char label[512];

	for (size_t i = 0; i < cut->n_seen; i++)
		if (cut->seen[i] == hash)
			return;
	if (cut->n_seen == cut->room_seen) {
		cut->room_seen = cut->room_seen == 0 ? 64 : 2 * cut->room_seen;
		cut->seen = reallocarray(cut->seen, cut->room_seen, sizeof(cut->seen[0]));
		if (cut->seen == NULL)
			abort();
	}
	cut->seen[cut->n_seen++] = hash;
	cut->n_states++;
	it = recover(cut, disk, hash);
	if (disk->n_steps > 0)
		record_describe(&cut->record, disk->n_steps - 1, step);
	(void)snprintf(label, sizeof(label), "%s, after %s", cut->stage->scenario->name, step);
	if (it->n_broken > 0) {
		cut->tally.n_partial++;
		tally_note(&cut->tally, label, "not whole:", it->text);
	}
	if (it->n_corrupt > 0) {
		cut->tally.n_stuck++;
		tally_note(&cut->tally, label, "something was moved to corrupt/", "");
	}
	if (it->is_late) {
		cut->tally.n_late++;
		tally_note(&cut->tally, label, "the recovery does not end", "");
	}
	if (disk->n_steps > cut->acknowledged && stage_broken_promise(cut->stage->scenario, &it->recipients[1][0]) != NULL) {
		cut->tally.n_stuck++;
		tally_note(&cut->tally, label, "message 1", stage_broken_promise(cut->stage->scenario, &it->recipients[1][0]));
	}
	for (unsigned m = 0; m < SCENARIO_MESSAGES; m++)
		for (unsigned r = 0; r < LEDGER_RECIPIENTS; r++)
			if (cut->stage->expectation.kinds[m][r] != '\0')
				judge_recipient(cut, disk->n_steps, it, m, r, label);
}

/* --- all disks --- */

static void
choose_all(struct disk *disk, enum disk_kind kind)
{
	for (size_t i = 0; i < disk->n_loose; i++) {
		disk->bytes[disk->loose[i]].kind = kind;
		disk->bytes[disk->loose[i]].n_writes = 0;
	}
}

/* Every choice for the bytes: all files alike; then each file on its own in every way. */
static void
vary_bytes(struct cut *cut, struct disk *disk)
{
	static const enum disk_kind kinds[] = {BYTES_SOME, BYTES_TORN, BYTES_ONE};

	choose_all(disk, BYTES_SOME);
	try_disk(cut, disk);
	choose_all(disk, BYTES_ZERO);
	try_disk(cut, disk);
	choose_all(disk, BYTES_ALL);
	try_disk(cut, disk);
	for (size_t i = 0; i < disk->n_loose; i++) {
		struct disk_bytes *choice = &disk->bytes[disk->loose[i]];
		size_t n = disk_count_writes(disk, disk->loose[i]);

		choice->kind = BYTES_ZERO;
		try_disk(cut, disk);
		for (size_t k = 0; k <= n && k < 12; k++)
			for (int j = 0; j < 3; j++) {
				choice->kind = kinds[j];
				choice->n_writes = k;
				try_disk(cut, disk);
			}
		choice->kind = BYTES_ALL;
	}
}

static void
apply_pending(struct disk *disk, bool is_applied)
{
	for (size_t i = 0; i < disk->n_pending; i++)
		disk->is_applied[disk->pending[i]] = is_applied;
}

/* Every choice for the names: all subsets of a few; of many all beginnings, and each one missing or alone. */
static void
vary_names(struct cut *cut, struct disk *disk)
{
	size_t n = disk->n_pending;

	if (n <= SUBSETS_MOST) {
		for (size_t set = 0; set < (size_t)1 << n; set++) {
			for (size_t i = 0; i < n; i++)
				disk->is_applied[disk->pending[i]] = (set >> i & 1) != 0;
			vary_bytes(cut, disk);
		}
		return;
	}
	apply_pending(disk, false);
	vary_bytes(cut, disk);
	for (size_t i = 0; i < n; i++) {
		disk->is_applied[disk->pending[i]] = true;
		vary_bytes(cut, disk);
	}
	for (size_t i = 0; i < n; i++) {
		disk->is_applied[disk->pending[i]] = false;
		vary_bytes(cut, disk);
		apply_pending(disk, false);
		disk->is_applied[disk->pending[i]] = true;
		vary_bytes(cut, disk);
		apply_pending(disk, true);
	}
}

void
cut_everywhere(struct cut *cut, size_t first, struct disk_drop drop)
{
	static struct disk disk;

	cut->tally = (struct tally){0};
	cut->n_states = 0;
	for (size_t n = first; n <= cut->record.n_steps; n++) {
		disk_make(&disk, &cut->record, n, drop);
		cut->n_seen = 0;
		vary_names(cut, &disk);
		disk_free(&disk);
	}
}

void
cut_record(struct cut *cut, struct stage *stage, const struct scenario *scenario, const struct world_setting *setting)
{
	struct trap_result result;

	*cut = (struct cut){.setting = setting, .stage = stage};
	stage_set_up(stage, scenario, setting);
	stage_begin(stage);
	if (!record_run(&cut->record, stage, &result))
		world_die("running", stage->world.mailcrane);
	trap_free(&result);
	(void)world_settle(&stage->world, 60000);
	read_record(cut);
}

void
cut_free(struct cut *cut)
{
	for (unsigned i = 0; i <= CUT_SERVED_MOST; i++)
		ledger_free(&cut->served[i]);
	record_free(&cut->record);
	free(cut->recovered);
	free(cut->seen);
	stage_free(cut->stage);
}
