/*
 * stage - a scenario is set up, run again and again, recovered and judged; see scenario.h.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "scenario.h"

enum { RECOVERY_MS = 60000 };

/* --- expectations --- */

static void
expect_words(struct expectation *expectation, const char *words, unsigned m)
{
	static const char *const kinds[] = {"ok.", "temp.", "perm."};

	for (const char *at = words; at != NULL && *at != '\0'; at += strcspn(at, " "), at += strspn(at, " "))
		for (int k = 0; k < 3; k++) {
			char *end = NULL;
			unsigned long r = 0;

			if (strncmp(at, kinds[k], strlen(kinds[k])) != 0)
				continue;
			(void)strtoul(at + strlen(kinds[k]), &end, 10);
			r = strtoul(end + 1, NULL, 10);
			if (r < LEDGER_RECIPIENTS)
				expectation->kinds[m][r] = kinds[k][0];
		}
}

static void
expect(struct expectation *expectation, const struct scenario *scenario)
{
	*expectation = (struct expectation){.optional = scenario->optional};
	for (unsigned i = 0; i < SCENARIO_KEPT; i++) {
		expect_words(expectation, scenario->kept[i], i + 1);
		expectation->is_due[i + 1] = scenario->kept[i] != NULL && i + 1 != scenario->optional;
	}
	expect_words(expectation, scenario->words, SCENARIO_SUBMITTED);
}

/* --- tallies --- */

void
tally_note(struct tally *tally, const char *label, const char *what, const char *name)
{
	if (getenv("CRASH_CHATTY") != NULL)
		printf("# %s: %s %s\n", label, what, name);
	if (tally->text[0] == '\0')
		(void)snprintf(tally->text, sizeof(tally->text), "%s: %s %s", label, what, name);
}

bool
tally_is_good(const struct tally *tally)
{
	return tally->n_lost + tally->n_partial + tally->n_outside + tally->n_untold + tally->n_stuck + tally->n_late +
	               tally->n_crashed ==
	       0;
}

void
tally_add(struct tally *sum, const struct tally *tally)
{
	sum->n_runs += tally->n_runs;
	sum->n_lost += tally->n_lost;
	sum->n_partial += tally->n_partial;
	sum->n_duplicates += tally->n_duplicates;
	sum->n_outside += tally->n_outside;
	sum->n_untold += tally->n_untold;
	sum->n_told_twice += tally->n_told_twice;
	sum->n_stuck += tally->n_stuck;
	sum->n_late += tally->n_late;
	sum->n_crashed += tally->n_crashed;
	sum->n_kept += tally->n_kept;
	if (sum->text[0] == '\0')
		memcpy(sum->text, tally->text, sizeof(sum->text));
}

/* --- the stage --- */

/* The id of the only entry that is not in `known` yet: the newest one, as ids are in the order of time. */
static void
newest_id(const struct world *world, char id[64])
{
	char path[WORLD_PATH];
	DIR *folder = NULL;
	struct dirent *item = NULL;

	id[0] = '\0';
	world_path(path, world->spool, "queue");
	folder = opendir(path);
	while (folder != NULL && (item = readdir(folder)) != NULL)
		if (item->d_name[0] != '.' && strcmp(item->d_name, id) > 0)
			(void)snprintf(id, 64, "%.63s", item->d_name);
	if (folder != NULL)
		(void)closedir(folder);
	id[strcspn(id, ".")] = '\0';
}

static void
with_id(char *text, size_t size, const char *words, const char *id)
{
	const char *at = strstr(words, "ID1");

	if (at == NULL)
		(void)snprintf(text, size, "%s", words);
	else
		(void)snprintf(text, size, "%.*s%s%s", (int)(at - words), words, id, at + 3);
}

static void
must_run(struct stage *stage, const char *words, const char *input, int expected)
{
	struct world_command command;
	int status = 0;

	world_command(&command, &stage->world, words);
	status = world_run(&stage->world, command.argv, input, RECOVERY_MS);
	if (status != expected) {
		printf("# %s: '%s' ended with %d\n", stage->scenario->name, words, status);
		fflush(stdout);
	}
}

static void
make_old_files(const struct world *world)
{
	struct timespec old[2] = {{.tv_sec = time(NULL) - 2 * 86400}, {.tv_sec = time(NULL) - 2 * 86400}};
	static const char *const names[] = {"tmp/06AAAAAAAAA00000000.AAAAAAAA", "tmp/06AAAAAAAAA00000001.AAAAAAAA"};

	for (int i = 0; i < 2; i++) {
		char path[WORLD_PATH];
		int fd = -1;

		world_path(path, world->spool, names[i]);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, "MCQ1 half", 9) != 9 || futimens(fd, old) != 0)
			world_die("writing", path);
		(void)close(fd);
	}
}

/* Janitor's rate limit is a time in the spool: what it remembers is made old. */
static void
age_folder(const char *path)
{
	struct timespec old[2] = {{.tv_sec = time(NULL) - 7200}, {.tv_sec = time(NULL) - 7200}};
	DIR *folder = opendir(path);
	struct dirent *item = NULL;

	while (folder != NULL && (item = readdir(folder)) != NULL)
		if (item->d_name[0] != '.')
			(void)utimensat(dirfd(folder), item->d_name, old, AT_SYMLINK_NOFOLLOW);
	if (folder != NULL)
		(void)closedir(folder);
}

static void
fill_queue(struct stage *stage, char id[64])
{
	const struct scenario *scenario = stage->scenario;
	char words[1024];
	char path[WORLD_PATH];

	id[0] = '\0';
	for (unsigned i = 0; i < SCENARIO_KEPT; i++) {
		if (scenario->kept[i] == NULL)
			continue;
		world_write_message(&stage->world, i + 1, scenario->size, path);
		(void)snprintf(words, sizeof(words), "-odq %s", scenario->kept[i]);
		must_run(stage, words, path, 0);
		if (i == 0)
			newest_id(&stage->world, id);
	}
	if (scenario->before_peer[0] != NULL) {
		world_stop_peer(&stage->world);
		world_start_peer(&stage->world, scenario->before_peer);
	}
	if (scenario->before != NULL) {
		with_id(words, sizeof(words), scenario->before, id);
		must_run(stage, words, NULL, 0);
	}
	if (!scenario->has_no_spool && scenario->kept[0] == NULL) {
		must_run(stage, "--flush", NULL, 0);
		world_write_message(&stage->world, 8, 0, path);
		must_run(stage, "-odq ok.8.0@example.test", path, 0);
		must_run(stage, "--flush -qf", NULL, 0);
	}
	if (scenario->has_old_files) {
		make_old_files(&stage->world);
		world_path(path, stage->world.spool, "lock");
		age_folder(path);
		age_folder(stage->world.spool);
	}
}

void
stage_set_up(struct stage *stage, const struct scenario *scenario, const struct world_setting *setting)
{
	char id[64];
	char words[1024];

	*stage = (struct stage){.scenario = scenario};
	world_make(&stage->world, setting);
	ledger_make(&stage->crashed, SCENARIO_MESSAGES);
	ledger_make(&stage->final, SCENARIO_MESSAGES);
	ledger_make(&stage->served, SCENARIO_MESSAGES);
	expect(&stage->expectation, scenario);
	world_start_peer(&stage->world, scenario->has_fresh_peer ? NULL : scenario->peer);
	world_configure(&stage->world, scenario->settings);
	fill_queue(stage, id);
	if (scenario->before_peer[0] != NULL) {
		world_stop_peer(&stage->world);
		world_start_peer(&stage->world, scenario->peer);
	}
	ledger_take_mail(&stage->served, stage->world.mail);
	world_copy(stage->world.spool, stage->world.kept);
	with_id(words, sizeof(words), scenario->words, id);
	world_command(&stage->command, &stage->world, words);
	if (stage->expectation.kinds[SCENARIO_SUBMITTED][0] != '\0') {
		world_write_message(&stage->world, SCENARIO_SUBMITTED, scenario->size, stage->input_path);
		stage->input = stage->input_path;
	}
}

void
stage_free(struct stage *stage)
{
	world_free(&stage->world);
	trap_free(&stage->recovery);
	ledger_free(&stage->crashed);
	ledger_free(&stage->final);
	ledger_free(&stage->served);
}

void
stage_begin(struct stage *stage)
{
	world_copy(stage->world.kept, stage->world.spool);
	if (stage->scenario->has_no_spool)
		world_remove(stage->world.spool);
	if (stage->scenario->has_no_peer || stage->scenario->has_fresh_peer)
		world_stop_peer(&stage->world);
	if (stage->scenario->has_fresh_peer)
		world_start_peer(&stage->world, stage->scenario->peer);
	if (stage->scenario->changes != NULL)
		world_configure(&stage->world, stage->scenario->changes);
	(void)world_settle(&stage->world, RECOVERY_MS);
	memset(stage->was_u, 0, sizeof(stage->was_u));
	memset(stage->was_absent, 0, sizeof(stage->was_absent));
	stage->n_strikes = 0;
	ledger_take_mail(&stage->served, stage->world.mail);
	ledger_clear(&stage->served);
}

/* At the strike. What is being submitted has no entry then, if it is tried first: its doubt shows in the one it gets. */
static void
note_doubt(struct stage *stage, unsigned m, unsigned r)
{
	const struct ledger_recipient *it = &stage->crashed.messages[m][r];

	stage->was_u[m][r] |= it->state == 'U';
	stage->was_absent[m][r] |= it->place == IN_NOTHING;
}

void
stage_struck(void *context, const struct trap_call *call)
{
	struct stage *stage = context;

	(void)call;
	if (stage->n_strikes++ > 100)
		return;
	ledger_clear(&stage->crashed);
	ledger_read_spool(&stage->crashed, stage->world.spool);
	for (unsigned m = 0; m < SCENARIO_MESSAGES; m++)
		for (unsigned r = 0; r < LEDGER_RECIPIENTS; r++)
			note_doubt(stage, m, r);
}

void
stage_look(struct stage *stage, struct tally *tally)
{
	ledger_clear(&stage->crashed);
	ledger_read_spool(&stage->crashed, stage->world.spool);
	tally->n_partial += stage->crashed.n_broken;
	if (stage->crashed.n_broken > 0)
		tally_note(tally, stage->scenario->name, "after the crash", stage->crashed.text);
	for (unsigned m = 0; m < SCENARIO_MESSAGES; m++)
		for (unsigned r = 0; r < LEDGER_RECIPIENTS; r++)
			stage->was_u[m][r] |= stage->was_absent[m][r] && stage->crashed.messages[m][r].state == 'U';
}

static bool
is_pending(const struct stage *stage, unsigned m, unsigned r)
{
	const struct ledger_recipient *recipient = &stage->final.messages[m][r];

	return recipient->place == IN_QUEUE && strchr("TU", recipient->state) != NULL;
}

/* Is there a recipient in the queue that the server would take or refuse for good? */
static bool
has_work(const struct stage *stage)
{
	for (unsigned m = 0; m < SCENARIO_MESSAGES; m++)
		for (unsigned r = 0; r < LEDGER_RECIPIENTS; r++)
			if (is_pending(stage, m, r) && stage->expectation.kinds[m][r] != 't')
				return true;
	return stage->final.n_others > 0;
}

void
stage_count(struct stage *stage)
{
	ledger_take_mail(&stage->served, stage->world.mail);
	ledger_clear(&stage->final);
	ledger_read_spool(&stage->final, stage->world.spool);
	ledger_add_served(&stage->final, &stage->served);
}

void
stage_recover(struct stage *stage, struct tally *tally)
{
	struct world_command command;

	if (stage->world.peer == 0)
		world_start_peer(&stage->world, stage->scenario->peer);
	if (stage->scenario->changes != NULL)
		world_configure(&stage->world, stage->scenario->settings);
	world_command(&command, &stage->world, "--flush -qf");
	for (unsigned round = 0; round < 4; round++) {
		if (world_run(&stage->world, command.argv, NULL, RECOVERY_MS) < 0) {
			tally->n_late++;
			tally_note(tally, stage->scenario->name, "the recovery does not end", "");
			return;
		}
		stage_count(stage);
		if (!has_work(stage))
			return;
	}
}

const char *
stage_broken_promise(const struct scenario *scenario, const struct ledger_recipient *it)
{
	switch (scenario->promise) {
	case PROMISE_HELD:
		return it->n_served > 0 || it->place != IN_HOLD ? "was put on hold, and is not" : NULL;
	case PROMISE_GONE:
		return it->n_served > 0 || it->place != IN_NOTHING ? "was removed, and is not" : NULL;
	case PROMISE_SENT:
		return it->n_served != 1 ? "was to be sent, and was not" : NULL;
	case PROMISE_NOTHING:
		break;
	}
	return NULL;
}

static void
judge_recipient(struct stage *stage, unsigned m, unsigned r, bool is_due, struct tally *tally, const char *label)
{
	const struct ledger_recipient *it = &stage->final.messages[m][r];
	char name[32];

	(void)snprintf(name, sizeof(name), "%u.%u", m, r);
	if (is_due && it->n_served == 0 && it->place == IN_NOTHING && it->n_told == 0) {
		tally->n_lost++;
		tally_note(tally, label, "LOST recipient", name);
	}
	if (it->n_served > 1 && stage->was_u[m][r])
		tally->n_duplicates++;
	if (it->n_served > 1 && !stage->was_u[m][r]) {
		tally->n_outside++;
		tally_note(tally, label, "delivered twice, not in doubt:", name);
	}
	if (it->place == IN_FAILED && it->state == 'F' && it->n_told == 0) {
		tally->n_untold++;
		tally_note(tally, label, "failed and nobody was told:", name);
	}
	tally->n_told_twice += it->n_told > 1;
	if (it->n_entries > 1) {
		tally->n_partial++;
		tally_note(tally, label, "in two entries:", name);
	}
	if (is_pending(stage, m, r) && stage->expectation.kinds[m][r] != 't') {
		tally->n_stuck++;
		tally_note(tally, label, "still in the queue:", name);
	}
}

/* An entry has all recipients of its message or none, when the crash left it. */
static void
judge_entry(struct stage *stage, unsigned m, struct tally *tally, const char *label)
{
	unsigned n = 0;
	unsigned n_expected = 0;

	for (unsigned r = 0; r < LEDGER_RECIPIENTS; r++) {
		n += stage->crashed.messages[m][r].n_entries;
		n_expected += stage->expectation.kinds[m][r] != '\0';
	}
	if (n == 0 || n >= n_expected)
		return;
	/* Tried first: what was delivered or refused at once is not in it. */
	if (strstr(stage->scenario->words, "-od") == NULL && m == SCENARIO_SUBMITTED)
		return;
	tally->n_partial++;
	tally_note(tally, label, "an entry lacks recipients", "");
}

void
stage_judge(struct stage *stage, const struct trap_result *result, struct tally *tally, const char *label)
{
	tally->n_runs++;
	if (result->is_late) {
		tally->n_late++;
		tally_note(tally, label, "does not end; the last call was", trap_name(result->last.number));
	}
	if (result->signal != 0) {
		tally->n_crashed++;
		tally_note(tally, label, "ended by", strsignal(result->signal));
	}
	tally->n_partial += stage->final.n_broken;
	if (stage->final.n_broken > 0)
		tally_note(tally, label, "in the end", stage->final.text);
	if (stage->final.n_corrupt > 0) {
		tally->n_stuck++;
		tally_note(tally, label, "something was moved to corrupt/", "");
	}
	if (result->exit_code == 0) {
		const char *broken = stage_broken_promise(stage->scenario, &stage->final.messages[1][0]);

		tally->n_stuck += broken != NULL;
		if (broken != NULL)
			tally_note(tally, label, "message 1", broken);
	}
	for (unsigned m = 0; m < SCENARIO_MESSAGES; m++) {
		bool is_due = stage->expectation.is_due[m] || (m == SCENARIO_SUBMITTED && result->exit_code == 0);

		for (unsigned r = 0; r < LEDGER_RECIPIENTS; r++)
			if (stage->expectation.kinds[m][r] != '\0')
				judge_recipient(stage, m, r, is_due, tally, label);
		judge_entry(stage, m, tally, label);
	}
}
