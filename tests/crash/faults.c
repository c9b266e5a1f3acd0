/*
 * faults - the server misbehaves at each step, in each way, while three messages are in the queue. Nothing may be lost; nothing may be
 * delivered twice that was not in doubt; a message fails only by its own refusal; what is wrong with one does not hold up the
 * others; and what is wrong with the server or the login fails nobody.
 */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "part.h"

/* Whom a failure is about (queue.md calls them classes). */
enum class {
	OF_ROUTE,     /* nobody may fail or be delivered meanwhile; later all are */
	OF_MESSAGE,   /* the first message only */
	OF_RECIPIENT,
	OF_NOBODY     /* it is over already */
};

static const struct {
	const char *name;
	enum class class;
} places[] = {
	{"greet", OF_ROUTE}, {"ehlo", OF_ROUTE}, {"auth", OF_ROUTE}, {"mail", OF_MESSAGE}, {"rcpt", OF_RECIPIENT}, {"data", OF_MESSAGE},
	{"body", OF_MESSAGE}, {"dot", OF_MESSAGE}, {"bdat", OF_MESSAGE}, {"quit", OF_NOBODY},
};

static const struct {
	const char *name;
	const char *what;
	bool is_for_good;  /* a 5xx */
	bool is_lost;      /* the connection is */
} ways[] = {
	{"closes", "close", false, true},
	{"resets", "reset", false, true},
	{"stalls", "stall", false, true},
	{"421", "reply=421 4.3.2 going down", false, true},
	{"450", "reply=450 4.2.1 not now", false, false},
	{"550", "reply=550 5.7.1 not ever", true, false},
	{"garbage", "raw=\\x80\\xff\\r\\nwhat?\\r\\n", false, true},
	{"half-line", "raw=250 2.0.", false, true},
};

enum { N_PLACES = sizeof(places) / sizeof(places[0]), N_WAYS = sizeof(ways) / sizeof(ways[0]) };

static const struct scenario three = {
	.name = "three",
	.words = "--flush -qf",
	.kept = {"ok.1.0@example.test", "ok.2.0@example.test ok.2.1@example.test", "ok.3.0@example.test"},
	.settings = "timeout 2\n",
	.has_fresh_peer = true,
};

static const struct scenario three_with_login = {
	.name = "three with a login",
	.words = "--flush -qf",
	.kept = {"ok.1.0@example.test", "ok.2.0@example.test ok.2.1@example.test", "ok.3.0@example.test"},
	.settings = "timeout 2\ntls on\ntls_starttls on\ntls_trust_file FOLDER/certificates/ca.pem\nauth plain\nuser joe\npassword secret\n",
	.peer = {"--auth", "PLAIN", "--tls", "starttls", "--make-cert", "FOLDER/certificates"},
	.has_fresh_peer = true,
};

struct outcome {
	unsigned n_served;
	unsigned n_failed;
	unsigned n_told;
	unsigned n_waiting;
};

static struct outcome
count(const struct stage *stage, unsigned m)
{
	struct outcome outcome = {0};

	for (unsigned r = 0; r < LEDGER_RECIPIENTS; r++) {
		const struct ledger_recipient *it = &stage->final.messages[m][r];

		if (stage->expectation.kinds[m][r] == '\0')
			continue;
		outcome.n_served += it->n_served > 0;
		outcome.n_failed += it->place == IN_FAILED && it->state == 'F';
		outcome.n_told += it->n_told > 0;
		outcome.n_waiting += it->place == IN_QUEUE && strchr("TU", it->state) != NULL;
	}
	return outcome;
}

/* What must be so right after the misbehaviour, before anything is tried again. */
static void
judge_class(struct stage *stage, enum class class, bool is_for_good, struct tally *tally, const char *label)
{
	for (unsigned m = 1; m <= SCENARIO_KEPT; m++) {
		struct outcome outcome = count(stage, m);
		bool may_fail = is_for_good && m == 1 && (class == OF_MESSAGE || class == OF_RECIPIENT);

		if (outcome.n_failed > 0 && !may_fail) {
			tally->n_outside++;
			tally_note(tally, label, "failed a message that nobody refused", "");
		}
		/* One message in trouble: the others went out in the same run. */
		if (class != OF_ROUTE && m > 1 && outcome.n_waiting > 0) {
			tally->n_stuck++;
			tally_note(tally, label, "one message held up another one", "");
		}
		if (may_fail && outcome.n_failed > 0 && outcome.n_told == 0) {
			tally->n_untold++;
			tally_note(tally, label, "nobody was told", "");
		}
	}
}

static void
note_doubt(struct stage *stage)
{
	for (unsigned m = 0; m < SCENARIO_MESSAGES; m++)
		for (unsigned r = 0; r < LEDGER_RECIPIENTS; r++)
			stage->was_u[m][r] |= stage->crashed.messages[m][r].state == 'U';
}

static void
with_peer(struct stage *stage, const char *const *options, const char *fault)
{
	const char *all[16];
	unsigned n = 0;

	while (n < 8 && options[n] != NULL) {
		all[n] = options[n];
		n++;
	}
	if (fault != NULL) {
		all[n++] = "--fault";
		all[n++] = fault;
	}
	all[n] = NULL;
	world_stop_peer(&stage->world);
	world_start_peer(&stage->world, all);
}

static void
try_fault(struct stage *stage, size_t place, size_t way, bool is_always, struct tally *tally)
{
	struct trap_result result = {0};
	bool is_closing = strcmp(ways[way].name, "421") == 0; /* about the server, wherever it is said */
	char fault[128];
	char label[160];

	(void)snprintf(fault, sizeof(fault), "%s%s:%s", places[place].name, is_always ? "" : "*1", ways[way].what);
	(void)snprintf(label, sizeof(label), "%s %s%s", places[place].name, ways[way].name, is_always ? " each time" : "");
	stage_begin(stage);
	with_peer(stage, stage->scenario->peer, fault);
	result.is_late = world_run(&stage->world, stage->command.argv, NULL, 60000) < 0;
	stage_look(stage, tally);
	note_doubt(stage);
	stage_count(stage);
	/* Always refused is another matter: then each message meets it. */
	if (!is_always && !is_closing)
		judge_class(stage, places[place].class, ways[way].is_for_good, tally, label);
	else if (places[place].class == OF_ROUTE || is_closing)
		judge_class(stage, OF_ROUTE, ways[way].is_for_good, tally, label);
	with_peer(stage, stage->scenario->peer, NULL);
	stage_recover(stage, tally);
	stage_judge(stage, &result, tally, label);
}

static unsigned
report(const char *name, const struct tally *tally)
{
	char line[512];

	(void)snprintf(line, sizeof(line),
	               "%s: %u runs: %u lost, %u partial, %u duplicates where in doubt, %u wrong, %u untold, %u held up, %u late", name,
	               tally->n_runs, tally->n_lost, tally->n_partial, tally->n_duplicates, tally->n_outside, tally->n_untold,
	               tally->n_stuck, tally->n_late);
	return part_case(tally_is_good(tally), line, tally->text);
}

static unsigned
try_place(const struct world_setting *setting, size_t place, struct tally *all)
{
	static struct stage stage;
	struct tally tally = {0};
	char name[64];
	bool is_login = strcmp(places[place].name, "auth") == 0;

	stage_set_up(&stage, is_login ? &three_with_login : &three, setting);
	for (size_t way = 0; way < N_WAYS; way++) {
		/* A reply in the middle of a text, whose end is then accepted, says nothing about anything. */
		if (strcmp(places[place].name, "body") == 0 && !ways[way].is_lost)
			continue;
		for (int again = 0; again < 2; again++)
			if (!setting->is_quick || (place + way + (size_t)again) % 3 == 0)
				try_fault(&stage, place, way, again != 0, &tally);
	}
	stage_free(&stage);
	tally_add(all, &tally);
	(void)snprintf(name, sizeof(name), "fault at %s", places[place].name);
	return report(name, &tally);
}

/* --- a bad day --- */

/* The login is refused all day: no message fails, nobody is told of a failure, and the server is not asked again and again. */
static unsigned
refused_login(const struct world_setting *setting)
{
	static struct stage stage;
	struct world_command command;
	struct tally tally = {0};
	char text[128] = "";
	unsigned n_failed = 0;
	unsigned n_waiting = 0;

	stage_set_up(&stage, &three_with_login, setting);
	stage_begin(&stage);
	with_peer(&stage, stage.scenario->peer, "auth:reply=535 5.7.8 no such user");
	for (int i = 0; i < 24; i++) {
		world_command(&command, &stage.world, i % 2 == 0 ? "--flush -qf" : "--flush");
		tally.n_late += world_run(&stage.world, command.argv, NULL, 60000) < 0;
	}
	stage_count(&stage);
	for (unsigned m = 1; m <= SCENARIO_KEPT; m++) {
		struct outcome outcome = count(&stage, m);

		n_failed += outcome.n_failed + outcome.n_told;
		n_waiting += outcome.n_waiting;
	}
	(void)snprintf(text, sizeof(text), "%u failed, %u of 4 wait, %u late", n_failed, n_waiting, tally.n_late);
	stage_free(&stage);
	return part_case(n_failed == 0 && n_waiting == 4 && tally.n_late == 0,
	                 "a day on which every login is refused: no message fails, and no notification is made", text);
}

/* A message whose text makes the server drop the connection every time: the others go out. */
static unsigned
poisonous(const struct world_setting *setting)
{
	static const struct scenario poison = {
		.name = "poison",
		.words = "--flush -qf",
		.kept = {"ok.1.0@example.test", "ok.2.0@example.test", "ok.3.0@example.test"},
		.settings = "timeout 2\n",
		.has_fresh_peer = true,
	};
	static struct stage stage;
	char text[128];
	unsigned n_served = 0;

	stage_set_up(&stage, &poison, setting);
	stage_begin(&stage);
	/* The first message of a connection is the oldest one; the peer drops it on each of the first connections. */
	with_peer(&stage, stage.scenario->peer, "dot*3:close");
	for (int i = 0; i < 4; i++)
		(void)world_run(&stage.world, stage.command.argv, NULL, 60000);
	stage_count(&stage);
	for (unsigned m = 1; m <= SCENARIO_KEPT; m++)
		n_served += count(&stage, m).n_served;
	(void)snprintf(text, sizeof(text), "%u of 3 served", n_served);
	stage_free(&stage);
	return part_case(n_served == 3, "a server that drops three texts in a row does not hold up the others for long", text);
}

unsigned
part_faults(const struct world_setting *setting)
{
	struct tally tally = {0};
	unsigned n_failed = 0;

	for (size_t place = 0; place < N_PLACES; place++)
		if (part_wants(setting, places[place].name))
			n_failed += try_place(setting, place, &tally);
	if (part_wants(setting, "login"))
		n_failed += refused_login(setting);
	if (part_wants(setting, "poison"))
		n_failed += poisonous(setting);
	printf("# summary: %u server faults: %u lost, %u partial, %u duplicates of which %u outside U or failed without a refusal\n",
	       tally.n_runs, tally.n_lost, tally.n_partial, tally.n_duplicates + tally.n_outside, tally.n_outside);
	return n_failed;
}
