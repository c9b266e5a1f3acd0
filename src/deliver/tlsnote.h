/* tlsnote.h - how TLS went with the hosts of a destination, written down for the report of the day (deliver/tlsreport.h), where
 * the account asks for it (tls_report). Relays are nobody else's business, and are not in it. */

#ifndef DELIVER_TLSNOTE_H
#define DELIVER_TLSNOTE_H

#include "deliver/delivery.h"

/* A route was looked for: note what is wrong with the policy, and, where no host may be tried, why. */
void tlsnote_route(const struct delivery *delivery, const struct route *route);

/* A session with one of its hosts is over; why and err are what session_run() gave. Nothing is noted of one that did not come as
 * far as TLS. */
void tlsnote_session(const struct delivery *delivery, const struct route *route, const struct session *session,
                     const struct outcome *why);

#endif
