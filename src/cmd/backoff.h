/* backoff.h - routes that are not well: when they may be tried again, and accounts that are put on hold. The one
 * place that writes hints. */

#ifndef CMD_BACKOFF_H
#define CMD_BACKOFF_H

#include "conf/account.h"
#include "queue/hint.h"
#include "queue/retry.h"

/* A route as the queue sees it. Borrowed members. */
struct backoff {
	struct spool *spool;
	const char *program;
	const struct account *account;
	const char *tag;
};

/* Must the route be left alone by now? *hint is what is known of it. */
bool backoff_is_closed(const struct backoff *route, struct hint *hint);

/* A session failed before it could take a message. A refused login or certificate puts the account on hold, which
 * is told in the log once, loudly, with `advice` (NULL: none) what to do. */
void backoff_failed(const struct backoff *route, enum retry_class class, const char *text, const char *advice);

/* The server took a message, or refused it in its own right: the route is well. */
void backoff_succeeded(const struct backoff *route);

/* A number from 0 to below 1. */
double backoff_chance(void);

#endif
