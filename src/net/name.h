/* name.h - host names as the network wants them (A-labels, RFC 5891), and address literals. Pure.
 *
 * Nothing here looks a name up. */

#ifndef NET_NAME_H
#define NET_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* An IPv4 or IPv6 address in network order. */
struct name_address {
	unsigned char octets[16];
	size_t size; /* 4 or 16; 0: none */
};

/* Is text an address literal without brackets (and without a zone such as %eth0)? *address gets its octets. */
bool name_to_address(const char *text, struct name_address *address);

/* Append the name in ASCII to b: U-labels become A-labels, a dot at the end is dropped. Labels hold letters,
 * digits, '-' and '_', at most 63; the name at most 253. False: EX_NOHOST, there can be no host of this name. */
bool name_to_ascii(const char *name, struct buf *b, struct err *err);

/* Does the dNSName `pattern` of a certificate cover the host (both A-labels, RFC 9525 6.3)? "*" may stand for the
 * whole first label only, with at least two labels behind. */
bool name_matches(struct str pattern, struct str host);

#endif
