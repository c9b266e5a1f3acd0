/* secondtry.c - recipients who were put off by one host and are asked of the next. */

#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "deliver/secondtry.h"

struct second_try {
	struct outcome *outcome;
	struct outcome before;
};

/* A host that cannot do what the message demands (REQUIRETLS) says nothing of the others (RFC 8689 section 4.2.1). */
static bool
lacks_requiretls(const struct outcome *outcome)
{
	return outcome->state == OUTCOME_FAILED && outcome->reply_code == 0 && outcome->enhanced[0] == 5 &&
	       outcome->enhanced[1] == 7 && outcome->enhanced[2] == 30;
}

/* What is in doubt must not be sent again at once. */
bool
secondtry_may_ask(const struct outcome *outcome)
{
	if (lacks_requiretls(outcome))
		return true;
	return outcome->state == OUTCOME_DEFERRED && outcome->reply_code != 0 && !outcome->may_be_duplicate &&
	       outcome->stage >= OUTCOME_AT_MAIL && outcome->stage <= OUTCOME_AT_END;
}

size_t
secondtry_reopen(struct second_tries *tries, struct envelope *envelope)
{
	size_t n_before = tries->n;

	for (size_t i = 0; i < envelope->n_recipients; i++) {
		struct outcome *outcome = &envelope->recipients[i].outcome;

		if (!secondtry_may_ask(outcome))
			continue;
		tries->list = mem_resize(tries->list, tries->n + 1, sizeof(*tries->list));
		tries->list[tries->n++] = (struct second_try){outcome, *outcome};
		*outcome = (struct outcome){.state = OUTCOME_PENDING};
	}
	return tries->n - n_before;
}

void
secondtry_end(struct second_tries *tries)
{
	for (size_t i = 0; i < tries->n; i++)
		if (tries->list[i].outcome->state == OUTCOME_PENDING)
			*tries->list[i].outcome = tries->list[i].before;
	free(tries->list);
	*tries = (struct second_tries){0};
}
