/* locate.h - the addresses of a route's hosts by DNS itself (no hosts file), with the verdict of DNSSEC. */

#ifndef DELIVER_LOCATE_H
#define DELIVER_LOCATE_H

#include "deliver/route.h"

/* Give every host that has none its addresses, at most ROUTE_ADDRESSES_MOST together. Where the host was secure until now
 * (is_secure) it stays so if its addresses are. One that has none goes; one whose addresses cannot be known now stays,
 * refused. */
void locate_hosts(struct route *route, const struct route_query *query);

#endif
