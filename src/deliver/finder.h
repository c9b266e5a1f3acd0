/* finder.h - what finding a route needs of the world: DNS, opened when it is first asked and kept open from one route to the
 * next, and a folder of policies.
 *
 * A zeroed finder is valid. It belongs to one process: it is closed before a fork(2), and opens by itself when it is asked
 * again. */

#ifndef DELIVER_FINDER_H
#define DELIVER_FINDER_H

#include "conf/account.h"
#include "net/dns.h"
#include "queue/spool.h"

struct finder {
	/* In place of DNS, for tests; NULL: libunbound. */
	void (*ask)(void *context, struct dns_query *queries, size_t n, int64_t deadline);
	uint32_t (*draw)(void *context, uint32_t below); /* in place of chance, for tests; NULL: the kernel's */
	void *context;

	struct spool *spool; /* keeps policies; NULL, or not open: nothing does. Borrowed */

	/* Private. */
	struct dns *dns;
	char *server;        /* the settings that dns was opened with */
	char *trust_anchor;
};

/* Be ready to ask by this account's settings. False: as dns_open(). */
bool finder_open(struct finder *finder, const struct account *account, struct err *err);

/* As dns_ask(). finder_open() has said yes. */
void finder_ask(struct finder *finder, struct dns_query *queries, size_t n, int64_t deadline);

/* A random number from 0 to below - 1. argument is a struct finder *: the form is that of net/service.h. */
uint32_t finder_draw(void *argument, uint32_t below);

/* Twice is harmless. */
void finder_close(struct finder *finder);

#endif
