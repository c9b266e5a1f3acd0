/* outcome.h - what happened to one recipient: not an error but a result. No pointers, so that it can be copied and stored. */

#ifndef MAIL_OUTCOME_H
#define MAIL_OUTCOME_H

#include <stdbool.h>

#include "base/str.h"

enum outcome_state {
	OUTCOME_PENDING,   /* nothing known yet: to be tried at the next host */
	OUTCOME_DELIVERED, /* the server took responsibility (2xx after the message) */
	OUTCOME_DEFERRED,  /* refused for now (4xx, lost connection, timeout): try again later */
	OUTCOME_FAILED     /* refused for good (5xx, or impossible to send) */
};

/* Where in the dialogue the answer came; also what the failure is about. */
enum outcome_stage {
	OUTCOME_AT_ROUTE, /* finding out which hosts take mail for the domain, and what TLS they owe us */
	OUTCOME_AT_CONNECT,
	OUTCOME_AT_GREETING,
	OUTCOME_AT_HELLO,
	OUTCOME_AT_TLS,
	OUTCOME_AT_AUTH,
	OUTCOME_AT_MAIL,
	OUTCOME_AT_RCPT,
	OUTCOME_AT_DATA,
	OUTCOME_AT_END,   /* the final dot or the last chunk */
	OUTCOME_LOCALLY   /* found by us before anything was sent (size, UTF-8, address) */
};

struct outcome {
	enum outcome_state state;
	enum outcome_stage stage;
	bool may_be_duplicate;      /* the message went out whole and no answer came: a retry may deliver twice */
	int reply_code;             /* three digits, 0: there was no reply */
	unsigned short enhanced[3]; /* class.subject.detail (RFC 3463); all 0: none */
	char text[256];             /* the reply's text or our own words; cleaned, NUL-terminated, cut if longer */
	char host[128];             /* who said it; "" for ourselves */
};

/* Set the text, cleaned (err_add_clean) and cut to fit without splitting a character. */
void outcome_set_text(struct outcome *outcome, struct str text);
void outcome_set_host(struct outcome *outcome, const char *host);

/* The exit code for this outcome alone (EX_OK, EX_NOUSER, EX_NOHOST, EX_UNAVAILABLE, EX_DATAERR, EX_TEMPFAIL); EX_TEMPFAIL while
 * pending. */
int outcome_exit_code(const struct outcome *outcome);

/* The worse of two exit codes for one message: permanent failures before temporary ones before success. */
int outcome_worse_exit(int a, int b);

/* "delivered", "deferred", "failed", "pending". Constant. */
const char *outcome_state_name(enum outcome_state state);

/* What we were doing, for error texts: "connecting", "recipient", "end of message" ... Constant. */
const char *outcome_stage_name(enum outcome_stage stage);

#endif
