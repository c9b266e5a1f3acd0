/* record.c - the rdata of DNS records (RFC 6698). Pure. */

#include "config.h"

#include "net/record.h"

enum { TLSA_HEAD_SIZE = 3 };

bool
record_read_tlsa(struct str rdata, struct record_tlsa *tlsa)
{
	const unsigned char *octets = (const unsigned char *)rdata.data;

	*tlsa = (struct record_tlsa){0};
	/* The certificate association data may be anything, but not nothing. */
	if (rdata.size <= TLSA_HEAD_SIZE)
		return false;
	*tlsa = (struct record_tlsa){
		.usage = octets[0],
		.selector = octets[1],
		.matching = octets[2],
		.data = str_from(rdata, TLSA_HEAD_SIZE),
	};
	return true;
}
