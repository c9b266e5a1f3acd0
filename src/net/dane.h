/* dane.h - TLSA records (RFC 6698, 7671, 7672): which of them are usable, and whether a certificate chain matches one.
 *
 * Our own matcher: libgnutls-dane does not bind a DANE-TA match to the chain, looks at no name and takes the usages 0 and 1
 * for usable. No I/O but loading GnuTLS for records with full data; the clock is read for the dates of DANE-TA chains. */

#ifndef NET_DANE_H
#define NET_DANE_H

#include "net/record.h"
#include "net/trust.h"

enum { DANE_RECORDS_MOST = 40 };

/* The TLSA records of one server, those that count: usage 2 or 3, selector 0 or 1, matching type 0, 1 or 2 with data of the
 * right length; of each usage and selector only the strongest digest beside the full data (RFC 7671 section 9). */
struct dane {
	struct record_tlsa records[DANE_RECORDS_MOST]; /* data borrowed from `text` */
	size_t n;
	size_t n_seen;            /* records there were, malformed ones too; n 0 with n_seen > 0: TLS is a must, but nobody can
	                             be authenticated */
	struct buf text;          /* owned */
	char base[DNS_NAME_SIZE]; /* the TLSA base domain: SNI, and the first reference identity of a DANE-TA match */
	char names[2][DNS_NAME_SIZE]; /* further ones: the MX host's name and the next hop's domain (RFC 7672 3.2.2); "": none */
};

/* Take over what counts of the records (dns_next form). dane is zeroed but for base and names. */
void dane_read(struct dane *dane, struct str records);

/* Does the chain match? DANE-EE: the leaf alone, no name, no dates, no key usage. DANE-TA: the matched certificates at depth 1
 * or more (for "2 0 0" the certificate, for "2 1 0" the key that the record holds, presented or not) as the only anchors of a
 * chain that is valid now, strong enough, for a server (EKU), with one of the names. The leaf is never its own anchor: that is
 * what DANE-EE says (RFC 7671 5.1). False: EX_UNAVAILABLE, with what was presented and what the records demand. */
bool dane_verify(const struct dane *dane, const struct chain *chain, struct err *err);

void dane_free(struct dane *dane);

#endif
