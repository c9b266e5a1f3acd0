/*
 * scenario - what the program is doing while something goes wrong, and how the result is judged.
 *
 * A scenario begins with a spool that holds the messages 1 to n_kept, and may submit message 9. Whoever is in the queue at the
 * beginning, and whoever was submitted with exit status 0, must be somewhere in the end.
 */
#ifndef CRASH_SCENARIO_H
#define CRASH_SCENARIO_H

#include "ledger.h"
#include "trap.h"
#include "world.h"

enum { SCENARIO_KEPT = 3, SCENARIO_SUBMITTED = 9, SCENARIO_MESSAGES = 10 };

struct scenario {
	const char *name;
	const char *words;                   /* the command line; ID1 is the entry of message 1 */
	const char *kept[SCENARIO_KEPT];     /* recipients of messages in the queue before */
	const char *settings;                /* lines of the configuration */
	const char *changes;                 /* further lines, during the run alone */
	const char *peer[8];                 /* options */
	const char *before;                  /* a command line that prepares more, e.g. "--hold=ID1" */
	size_t size;                         /* of messages; 0: small */
	bool has_no_peer;                    /* nobody listens during the run */
	bool has_fresh_peer;                 /* the peer counts its faults, and is started for each run */
	bool has_no_spool;
	bool has_old_files;                  /* in tmp/: of a crash two days ago */
	const char *before_peer[3];          /* options of the peer for it */
	enum {
		PROMISE_NOTHING,
		PROMISE_HELD,                /* message 1 is on hold and not sent */
		PROMISE_GONE,                /* it is nowhere and not sent */
		PROMISE_SENT                 /* it is sent by the recovery */
	} promise;                           /* of exit status 0 */
	int status;                          /* exit status of an undisturbed run */
	unsigned optional;                   /* this message may vanish; 0: none */
	bool is_minor;                       /* of the errno part, too much */
};

extern const struct scenario scenarios[];
extern const size_t n_scenarios;

/* Every recipient that a scenario is about: 'o' ok, 't' temp, 'p' perm, 0: none. */
struct expectation {
	char kinds[SCENARIO_MESSAGES][LEDGER_RECIPIENTS];
	bool is_due[SCENARIO_MESSAGES];      /* it must not be lost */
	unsigned optional;
};

struct tally {
	unsigned n_runs;
	unsigned n_lost;       /* a recipient that nobody knows of any more */
	unsigned n_partial;    /* entries or messages that are not whole, or lack a recipient */
	unsigned n_duplicates; /* a message twice with the server, where the state was U */
	unsigned n_outside;    /* the same, where it was not */
	unsigned n_untold;     /* failed, and no notification */
	unsigned n_told_twice;
	unsigned n_stuck;      /* still in the queue after the recovery, or moved to corrupt/; or a command's promise was broken */
	unsigned n_late;       /* took too long */
	unsigned n_crashed;    /* ended by a signal, e.g. SIGSEGV */
	unsigned n_kept;       /* submission reported a failure and the entry is there: it may be sent twice by the caller */
	char text[512];        /* the first thing that is wrong */
};

/* A scenario in its world, ready to be run many times. */
struct stage {
	const struct scenario *scenario;
	struct world world;
	struct world_command command;
	const char *input;
	char input_path[WORLD_PATH];
	struct expectation expectation;
	struct ledger crashed;               /* as it was when the run was struck */
	struct ledger served;                /* what the server took so far */
	struct ledger final;                 /* that, and the spool */
	bool was_u[SCENARIO_MESSAGES][LEDGER_RECIPIENTS];
	bool was_absent[SCENARIO_MESSAGES][LEDGER_RECIPIENTS]; /* had no entry then */
	unsigned n_strikes;
	struct trap_result recovery;         /* calls of an undisturbed recovery */
};

void stage_set_up(struct stage *stage, const struct scenario *scenario, const struct world_setting *setting);
void stage_free(struct stage *stage);

/* Put everything back to the beginning. */
void stage_begin(struct stage *stage);

/* For trap_plan.struck, with the stage as context: note who is in the state U now. */
void stage_struck(void *context, const struct trap_call *call);

/* What a crash left, before anything is recovered: fills stage->crashed, adds to the tally what is not whole. */
void stage_look(struct stage *stage, struct tally *tally);

/* Let the program recover: flush until nothing moves. */
void stage_recover(struct stage *stage, struct tally *tally);

/* Bring stage->final up to date. */
void stage_count(struct stage *stage);

/* Judge the end. label: which run it was, for the tally's text. */
void stage_judge(struct stage *stage, const struct trap_result *result, struct tally *tally, const char *label);

/* Was the promise broken that exit status 0 makes? it: what became of message 1. */
const char *stage_broken_promise(const struct scenario *scenario, const struct ledger_recipient *it);

/* Everything that must be 0 is 0. */
bool tally_is_good(const struct tally *tally);
void tally_add(struct tally *sum, const struct tally *tally);
void tally_note(struct tally *tally, const char *label, const char *what, const char *name);

#endif
