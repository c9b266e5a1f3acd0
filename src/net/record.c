/* record.c - the rdata of DNS records, read defensively (RFC 1035, 2782, 6698). Pure. */

#include "config.h"

#include <string.h>

#include "base/domain.h"
#include "net/record.h"

enum {
	LENGTH_BITS = 0xc0,  /* of the first octet of a label: not zero is a compression pointer, which rdata cannot have here */
	TLSA_LEAST = 4       /* usage, selector, matching type, and some data */
};

static unsigned
read_16(struct str rdata, size_t at)
{
	return (unsigned)(unsigned char)rdata.data[at] << 8 | (unsigned char)rdata.data[at + 1];
}

static bool
is_all_digits(struct str text)
{
	for (size_t i = 0; i < text.size; i++)
		if (!ascii_is_digit(text.data[i]))
			return false;
	return true;
}

/* No host has a number as its top-level label (RFC 3696 section 2), and to some functions such a name is an address. */
static bool
is_host_name(struct str name)
{
	const char *dot = memrchr(name.data, '.', name.size);
	struct str last = dot == NULL ? name : str_from(name, (size_t)(dot - name.data) + 1);

	return domain_is_ascii(name) && !is_all_digits(last);
}

/* The name that wire is, all of it, as text; the root is "". */
static bool
read_name(struct str wire, char host[DNS_NAME_SIZE])
{
	size_t size = 0;

	while (wire.size > 0 && wire.data[0] != 0) {
		size_t length = (unsigned char)wire.data[0];

		if ((length & LENGTH_BITS) != 0 || length >= wire.size || size + length + 1 >= DNS_NAME_SIZE)
			return false;
		if (size > 0)
			host[size++] = '.';
		for (size_t i = 1; i <= length; i++) {
			/* A dot within a label would become one between labels. All else that is wrong is found below. */
			if (wire.data[i] == '.')
				return false;
			host[size++] = ascii_lower(wire.data[i]);
		}
		wire = str_from(wire, length + 1);
	}
	host[size] = '\0';
	/* The end of the name must be that of the rdata. */
	return wire.size == 1 && (size == 0 || is_host_name(str_make(host, size)));
}

bool
record_read_mx(struct str rdata, struct record_mx *mx)
{
	*mx = (struct record_mx){0};
	if (rdata.size < 3)
		return false;
	mx->preference = read_16(rdata, 0);
	return read_name(str_from(rdata, 2), mx->host);
}

bool
record_read_srv(struct str rdata, struct record_srv *srv)
{
	*srv = (struct record_srv){0};
	if (rdata.size < 7)
		return false;
	srv->priority = read_16(rdata, 0);
	srv->weight = read_16(rdata, 2);
	srv->port = (int)read_16(rdata, 4);
	return read_name(str_from(rdata, 6), srv->host);
}

bool
record_read_tlsa(struct str rdata, struct record_tlsa *tlsa)
{
	*tlsa = (struct record_tlsa){0};
	if (rdata.size < TLSA_LEAST)
		return false;
	tlsa->usage = (unsigned char)rdata.data[0];
	tlsa->selector = (unsigned char)rdata.data[1];
	tlsa->matching = (unsigned char)rdata.data[2];
	tlsa->data = str_from(rdata, 3);
	return true;
}

/* 0.0.0.0 and :: are this host to connect(2), and so is a mapped 127.0.0.1 in IPv6: none of them is an address of another. */
bool
record_read_address(enum dns_type type, struct str rdata, int port, struct endpoint *endpoint)
{
	*endpoint = (struct endpoint){0};
	if (type == DNS_A && rdata.size == sizeof(endpoint->v4.sin_addr)) {
		memcpy(&endpoint->v4.sin_addr, rdata.data, rdata.size);
		endpoint->v4.sin_family = AF_INET;
		endpoint->v4.sin_port = htons((uint16_t)port);
		endpoint->size = sizeof(endpoint->v4);
		return rdata.data[0] != 0;
	}
	if (type != DNS_AAAA || rdata.size != sizeof(endpoint->v6.sin6_addr))
		return false;
	memcpy(&endpoint->v6.sin6_addr, rdata.data, rdata.size);
	endpoint->v6.sin6_family = AF_INET6;
	endpoint->v6.sin6_port = htons((uint16_t)port);
	endpoint->size = sizeof(endpoint->v6);
	return !IN6_IS_ADDR_V4MAPPED(&endpoint->v6.sin6_addr) && !IN6_IS_ADDR_UNSPECIFIED(&endpoint->v6.sin6_addr);
}

bool
record_add_text(struct str rdata, struct buf *text)
{
	size_t before = text->size;
	bool is_good = rdata.size > 0;

	while (is_good && rdata.size > 0) {
		size_t length = (unsigned char)rdata.data[0];

		is_good = length < rdata.size;
		buf_add_str(text, str_first(str_from(rdata, 1), length));
		rdata = str_from(rdata, length + 1);
	}
	if (!is_good)
		buf_truncate(text, before);
	return is_good;
}
