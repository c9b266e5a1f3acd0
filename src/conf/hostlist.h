/* hostlist.h - the setting `host` taken apart: NAME[:PORT][,NAME[:PORT]...], srv:DOMAIN, or mx. Pure.
 *
 * A name may be an address literal: 192.0.2.1, 2001:db8::1, [2001:db8::1]:587. */

#ifndef CONF_HOSTLIST_H
#define CONF_HOSTLIST_H

#include <stdbool.h>

#include "base/str.h"

enum { HOSTLIST_MOST = 20 }; /* hosts in a list */

struct hostlist_item {
	struct str name; /* without brackets; part of the setting */
	int port;        /* 0: not given */
};

/* mx: the recipients' own servers. */
bool hostlist_is_direct(struct str host);

/* srv:DOMAIN (RFC 6186). *domain is part of host. */
bool hostlist_is_service(struct str host, struct str *domain);

/* Take the first host off the list *rest. Whether its name can be one is seen when it is looked up. False: there is
 * none, or what is there is malformed. */
bool hostlist_next(struct str *rest, struct hostlist_item *item);

/* The name that stands for all of them, a copy for the caller to free: the first one's without its port, or the domain of
 * srv:DOMAIN. NULL for NULL. */
char *hostlist_copy_first(const char *host);

/* What would be right; NULL when the setting is. Constant. */
const char *hostlist_complain(struct str host);

#endif
