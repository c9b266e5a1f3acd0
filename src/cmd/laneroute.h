/* laneroute.h - private to the lane: the items of a scan that belong to one route. */

#ifndef CMD_LANEROUTE_H
#define CMD_LANEROUTE_H

#include "cmd/lane.h"

struct lane_batch {
	struct spool_item **items;  /* oldest first; borrowed */
	size_t n;
};

void laneroute_set_batch(struct lane_route *route, const struct lane_batch *batch);

#endif
