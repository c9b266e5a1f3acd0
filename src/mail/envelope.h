/* envelope.h - reverse-path and recipients of one message (RFC 5321 2.3.1), with their DSN wishes (RFC 3461) and outcomes. */

#ifndef MAIL_ENVELOPE_H
#define MAIL_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/outcome.h"

enum {
	NOTIFY_NEVER = 1,
	NOTIFY_SUCCESS = 2,
	NOTIFY_FAILURE = 4,
	NOTIFY_DELAY = 8
};

struct recipient {
	char *mailbox;          /* safe to write into a command (address_is_safe) */
	char *original;         /* ORCPT address before alias expansion; NULL: none */
	unsigned notify;        /* NOTIFY_ bits; 0: not asked for */
	struct outcome outcome;
};

struct envelope {
	char *reverse_path;     /* "" is the null reverse-path */
	struct recipient *recipients;
	size_t n_recipients;
	char *envid;            /* ENVID, decoded; NULL: none */
	bool wants_full_return; /* RET=FULL; with wants_headers_return unset and this unset: no RET */
	bool wants_headers_return;
	bool requires_tls;      /* REQUIRETLS (RFC 8689): by verified TLS on the whole way, or not at all */
	size_t *slots;          /* private to envelope_add(): a hash table of recipients, each slot index + 1, 0: free */
	size_t n_slots;         /* a power of two, or 0 */
	size_t n_indexed;       /* how many recipients the table knows; made anew when that is not n_recipients */
};

/* Add a recipient; an equal mailbox (address_equals) is there already: nothing is added, false. */
bool envelope_add(struct envelope *envelope, const char *mailbox);

/* How many recipients are in this state. */
size_t envelope_count(const struct envelope *envelope, enum outcome_state state);

/* Give every pending recipient this outcome. */
void envelope_settle(struct envelope *envelope, const struct outcome *outcome);

/* The exit code for the whole message: the worst of its recipients' (outcome_worse_exit), where a message that anybody accepted
 * is at most EX_NOUSER instead of EX_UNAVAILABLE. */
int envelope_exit_code(const struct envelope *envelope);

/* The same of those who were refused for good alone: EX_OK when there are none. */
int envelope_refusal_code(const struct envelope *envelope);

/* Does an address need SMTPUTF8, that is, is a local part non-ASCII? Domains can be written in ASCII. */
bool envelope_needs_smtputf8(const struct envelope *envelope);

void envelope_free(struct envelope *envelope);

#endif
