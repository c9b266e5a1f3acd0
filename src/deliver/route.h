/* route.h - the hosts to try for an account, each with its port and its demand for TLS. */

#ifndef DELIVER_ROUTE_H
#define DELIVER_ROUTE_H

#include <stdbool.h>

#include "conf/account.h"
#include "net/connect.h"
#include "net/tls.h"

enum route_tls {
	ROUTE_TLS_NONE,
	ROUTE_TLS_STARTTLS, /* in the dialogue, or no mail */
	ROUTE_TLS_IMPLICIT  /* from the first byte on */
};

struct route_host {
	const char *name;              /* for people, logs and AUTH: the host, or the path of the socket */
	struct connect_target target;
	enum route_tls tls;
	struct tls_settings tls_settings;
};

/* Everything in a route is borrowed from the account, which must outlive it. */
struct route {
	struct route_host *hosts;      /* owned; in the order of trying */
	size_t n_hosts;
};

void route_make(struct route *route, const struct account *account);
void route_free(struct route *route);

#endif
