/* direct.h - the hosts that take mail for a destination, by DNS (RFC 5321 5.1, 7505): MX by preference, equal ones in any order,
 * their addresses; ourselves and whoever comes behind us left out.
 *
 * At most ROUTE_HOSTS_MOST hosts and ROUTE_ADDRESSES_MOST addresses. */

#ifndef DELIVER_DIRECT_H
#define DELIVER_DIRECT_H

#include "deliver/route.h"

/* Add the hosts of query->destination, with their addresses. query->finder is open. False: there is none; the route's refusal
 * says what becomes of the recipients: 5.1.2 the domain does not exist, 5.1.10 it takes no mail, 5.4.4 no host of it has an
 * address, 5.4.6 we are its host ourselves, 4.4.3 DNS does not answer for now. */
bool direct_find(struct route *route, const struct route_query *query);

#endif
