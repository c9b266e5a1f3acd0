/* dns.c - DNS records: the form in which those of an answer are kept. Pure. */

#include "config.h"

#include "net/dns.h"

/* Octets of the length before each record, big-endian. */
enum { LENGTH_SIZE = 2 };

bool
dns_next(struct str *rest, struct str *rdata)
{
	const unsigned char *octets = (const unsigned char *)rest->data;
	size_t size;

	if (rest->size < LENGTH_SIZE)
		return false;
	size = (size_t)octets[0] << 8 | octets[1];
	if (rest->size - LENGTH_SIZE < size)
		return false;
	*rdata = str_first(str_from(*rest, LENGTH_SIZE), size);
	*rest = str_from(*rest, LENGTH_SIZE + size);
	return true;
}
