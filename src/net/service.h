/* service.h - in which order the hosts of SRV records are tried (RFC 2782; RFC 6186 and 8314 for submission). Pure. */

#ifndef NET_SERVICE_H
#define NET_SERVICE_H

#include "net/record.h"

enum { SERVICE_MOST = 20 }; /* hosts that are kept */

/* Put one of them, with a dot, in front of the domain. */
#define SERVICE_SUBMISSIONS "_submissions._tcp" /* TLS from the first byte */
#define SERVICE_SUBMISSION "_submission._tcp"   /* STARTTLS */

/* A random number from 0 to below - 1, all as likely; below is never 0. */
struct service_random {
	uint32_t (*draw)(void *argument, uint32_t below);
	void *argument;
};

/* Put the records into the order of trying: by priority, among equal ones by chance, the likelier the higher the weight.
 * Records without a host (there is decidedly no such service) or port are left out. Returns how many stay, at most
 * SERVICE_MOST, at the front. */
size_t service_order(struct record_srv *records, size_t n, const struct service_random *random);

#endif
