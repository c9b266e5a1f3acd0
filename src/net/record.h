/* record.h - the rdata of DNS records, read defensively (RFC 1035, 2782, 6698). Pure.
 *
 * Nothing is read beyond rdata, whatever lengths it claims; what is malformed is no record. */

#ifndef NET_RECORD_H
#define NET_RECORD_H

#include "net/dns.h"
#include "net/lookup.h"

struct record_mx {
	unsigned preference;
	char host[DNS_NAME_SIZE];   /* lower case, without the dot at the end; "" is the root: the null MX (RFC 7505) */
};

struct record_srv {
	unsigned priority;
	unsigned weight;
	int port;
	char host[DNS_NAME_SIZE];   /* "": there is decidedly no such service (RFC 2782) */
};

struct record_tlsa {
	unsigned char usage;
	unsigned char selector;
	unsigned char matching;     /* matching type */
	struct str data;            /* borrowed from the rdata */
};

/* False: malformed, or the name in it is no host name that could be used in a command, a log or a file. */
bool record_read_mx(struct str rdata, struct record_mx *mx);
bool record_read_srv(struct str rdata, struct record_srv *srv);
bool record_read_tlsa(struct str rdata, struct record_tlsa *tlsa);

/* DNS_A and DNS_AAAA. */
bool record_read_address(enum dns_type type, struct str rdata, int port, struct endpoint *endpoint);

/* Append the strings of a TXT record, one behind the other. */
bool record_add_text(struct str rdata, struct buf *text);

#endif
