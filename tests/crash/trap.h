/*
 * trap - runs a program under ptrace and meddles with one of its system calls: the process that makes it is killed, or the call
 * fails, does half of what was asked, or is left out.
 *
 * Calls are numbered in each process, and the processes in the order in which they were forked, so that a point means the same in
 * every run of a program that does not depend on chance. Calls of the dynamic linker do not count. Linux on x86_64 and aarch64.
 */
#ifndef CRASH_TRAP_H
#define CRASH_TRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum trap_action {
	TRAP_NOTHING,
	TRAP_KILL,     /* the process that makes the call, before it is made */
	TRAP_KILL_ALL, /* and all the others */
	TRAP_FAIL,     /* the call is not made and returns an error */
	TRAP_SHORT,    /* it writes or reads half of what was asked */
	TRAP_SKIP      /* the call is not made and returns 0 */
};

struct trap_point {
	unsigned process; /* 0: the program itself, 1: the first process forked, ... */
	unsigned n;       /* its n-th call, from 0 */
	long number;      /* of the system call, SYS_... */
	bool is_of_file;  /* its first argument is an open regular file or folder, or it takes a path */
};

struct trap_call {
	struct trap_point point;
	pid_t pid;
	uint64_t arguments[6];
	int64_t result; /* afterwards */
};

struct trap_plan {
	char *const *argv;
	const char *input;  /* files; NULL: /dev/null */
	const char *output; /* stdout and stderr */
	enum trap_action action;
	struct trap_point point;
	int error;          /* for TRAP_FAIL */
	bool is_persistent; /* from the point on, for every call that `concerns` names, */
	unsigned most;      /* so many times; 0: for ever */
	bool (*concerns)(const struct trap_call *call, int error);
	void (*before)(void *context, const struct trap_call *call); /* these may be NULL */
	void (*after)(void *context, const struct trap_call *call);
	void (*ended)(void *context, unsigned process, int status);
	void (*struck)(void *context, const struct trap_call *call); /* just before it is meddled with */
	void *context;
	int limit_ms; /* then everything is killed */
};

struct trap_result {
	int exit_code; /* of the program itself; 128 + signal */
	int signal;    /* that ended any process, unless it was ours; 0: none */
	bool was_hit;  /* the point was reached */
	bool is_late;  /* the limit was */
	struct trap_point last; /* the last call that was meddled with */
	unsigned n_struck;      /* how many were */
	unsigned n_processes;
	struct trap_point *points; /* all calls made */
	size_t n_points;
	size_t room;
};

/* Run it until all its processes have ended. False: it could not be started. */
bool trap_run(const struct trap_plan *plan, struct trap_result *result);

void trap_free(struct trap_result *result);

/* Name of a system call, or its number as text. */
const char *trap_name(long number);

#endif
