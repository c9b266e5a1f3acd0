/* outcome.c - what happened to one recipient. Pure. */

#include "config.h"

#include <string.h>
#include <sysexits.h>

#include "base/err.h"
#include "mail/outcome.h"

/* From best to worst; a code that is not here is worse than all of them. */
static const int exit_codes_by_rank[] = {EX_OK, EX_TEMPFAIL, EX_NOUSER, EX_NOHOST, EX_UNAVAILABLE, EX_DATAERR};

enum { N_RANKS = sizeof(exit_codes_by_rank) / sizeof(exit_codes_by_rank[0]) };

static const char *const state_names[] = {
	[OUTCOME_PENDING] = "pending",
	[OUTCOME_DELIVERED] = "delivered",
	[OUTCOME_DEFERRED] = "deferred",
	[OUTCOME_FAILED] = "failed",
};

static const struct {
	const char *name;
	int failure_code; /* exit code of a failure at this stage */
} stages[] = {
	[OUTCOME_AT_ROUTE] = {"finding the host", EX_NOHOST},
	[OUTCOME_AT_CONNECT] = {"connecting", EX_UNAVAILABLE},
	[OUTCOME_AT_GREETING] = {"greeting", EX_UNAVAILABLE},
	[OUTCOME_AT_HELLO] = {"introduction", EX_UNAVAILABLE},
	[OUTCOME_AT_TLS] = {"TLS", EX_UNAVAILABLE},
	[OUTCOME_AT_AUTH] = {"authentication", EX_UNAVAILABLE},
	[OUTCOME_AT_MAIL] = {"sender", EX_UNAVAILABLE},
	[OUTCOME_AT_RCPT] = {"recipient", EX_NOUSER},
	[OUTCOME_AT_DATA] = {"start of message", EX_UNAVAILABLE},
	[OUTCOME_AT_END] = {"end of message", EX_UNAVAILABLE},
	[OUTCOME_LOCALLY] = {"preparing", EX_DATAERR},
};

/* Copy text, cleaned, into an array of `capacity` bytes. */
static void
set_clean(char *array, size_t capacity, struct str text)
{
	struct buf clean = {0};
	size_t size;

	/* More of the text than capacity bytes can never show, for cleaning makes nothing shorter. */
	err_add_clean(&clean, str_first(text, capacity + 4));
	size = clean.size;
	if (size >= capacity) {
		size = capacity - 1;
		while (size > 0 && ((unsigned char)clean.data[size] & 0xc0) == 0x80)
			size--;
	}
	if (size > 0)
		memcpy(array, clean.data, size);
	array[size] = '\0';
	buf_free(&clean);
}

static int
exit_rank(int exit_code)
{
	for (int i = 0; i < N_RANKS; i++)
		if (exit_codes_by_rank[i] == exit_code)
			return i;
	return N_RANKS + exit_code;
}

void
outcome_set_text(struct outcome *outcome, struct str text)
{
	set_clean(outcome->text, sizeof(outcome->text), text);
}

void
outcome_set_host(struct outcome *outcome, const char *host)
{
	set_clean(outcome->host, sizeof(outcome->host), str_of(host));
}

int
outcome_exit_code(const struct outcome *outcome)
{
	switch (outcome->state) {
	case OUTCOME_DELIVERED:
		return EX_OK;
	case OUTCOME_FAILED:
		return stages[outcome->stage].failure_code;
	case OUTCOME_PENDING:
	case OUTCOME_DEFERRED:
		break;
	}
	return EX_TEMPFAIL;
}

int
outcome_worse_exit(int a, int b)
{
	return exit_rank(a) >= exit_rank(b) ? a : b;
}

const char *
outcome_state_name(enum outcome_state state)
{
	return state_names[state];
}

const char *
outcome_stage_name(enum outcome_stage stage)
{
	return stages[stage].name;
}
