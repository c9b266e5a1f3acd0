/* record_fuzz.c - whatever an answer brings: rdata is read within its bounds, and a name that is taken is one that can stand
 * in a command, a log and a question.
 *
 * The input is read as the rdata of every type, and as a list of them (dns_next). */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/domain.h"
#include "base/mem.h"
#include "must.h"
#include "net/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Is host what the wire form at the end of rdata says? Every octet of a name that is taken has been read. */
static void
check_name(struct str rdata, const char *host)
{
	size_t size = strlen(host);

	must(size < DNS_NAME_SIZE && !str_has_control(str_of(host)) && !str_has_8bit(str_of(host)));
	must(size == 0 || domain_is_ascii(str_of(host)));
	must(rdata.size == (size == 0 ? 1 : size + 2));
	for (size_t i = 0; i < size; i++)
		must(host[i] == '.' ? (unsigned char)rdata.data[i + 1] < 64
		                    : host[i] == ascii_lower(rdata.data[i + 1]));
}

static void
read_as_all(struct str rdata)
{
	struct record_mx mx;
	struct record_srv srv;
	struct record_tlsa tlsa;
	struct endpoint endpoint;
	struct buf text = {0};

	if (record_read_mx(rdata, &mx))
		check_name(str_from(rdata, 2), mx.host);
	if (record_read_srv(rdata, &srv))
		check_name(str_from(rdata, 6), srv.host);
	if (record_read_tlsa(rdata, &tlsa))
		must(tlsa.data.size > 0 && tlsa.data.data + tlsa.data.size == rdata.data + rdata.size);
	if (record_read_address(DNS_A, rdata, 25, &endpoint))
		must(rdata.size == 4 && endpoint.any.sa_family == AF_INET);
	if (record_read_address(DNS_AAAA, rdata, 25, &endpoint))
		must(rdata.size == 16 && endpoint.any.sa_family == AF_INET6);
	if (record_add_text(rdata, &text))
		must(text.size < rdata.size);
	else
		must(text.size == 0);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1);
	struct str rest, rdata = {0};
	size_t taken = 0;

	must(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	rest = str_make(copy, size);
	read_as_all(rest);
	while (dns_next(&rest, &rdata)) {
		taken += 2 + rdata.size;
		must(taken + rest.size == size &&
		     (rdata.size == 0 || (rdata.data >= copy && rdata.data + rdata.size <= copy + size)));
		read_as_all(rdata);
	}
	free(copy);
	return 0;
}
