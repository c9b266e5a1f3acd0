/* hosts.h - private to the delivery: its sessions with the hosts of a route. */

#ifndef DELIVER_HOSTS_H
#define DELIVER_HOSTS_H

#include "deliver/delivery.h"

/* Sessions with each host in turn, until nobody of the parcels is pending. What a host puts off is asked of the next one, too. */
void hosts_try(struct delivery *delivery, const struct route *route);

/* One session, with the first host that is ready for messages. True: it came to its end. */
bool hosts_session(struct delivery *delivery, const struct route *route);

/* --- of the delivery, for them --- */

struct session_orders delivery_orders(struct delivery *delivery);
size_t delivery_count_pending(const struct delivery *delivery);

#endif
