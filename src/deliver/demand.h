/* demand.h - what TLS a host owes us: by the settings of the account, by DANE (RFC 7672), by MTA-STS (RFC 8461). */

#ifndef DELIVER_DEMAND_H
#define DELIVER_DEMAND_H

#include "deliver/route.h"

/* Does the account ask a relay for DANE, so that its addresses are ours to look up? */
bool demand_needs_dns(const struct account *account);

/* Settle the demand of every host of a route: its tls, tls_settings, reason and explanation, or its refusal. Where there is
 * something published it is asked for, by query->finder. */
void demand_tls(struct route *route, const struct route_query *query);

#endif
