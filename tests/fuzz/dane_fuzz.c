/* dane_fuzz.c - whatever TLSA records a server has: those that count are usable, and none is beside a stronger digest.
 *
 * The input is a list of rdata (dns_next). */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "must.h"
#include "net/dane.h"
#include "net/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_record(const struct dane *dane, const struct record_tlsa *record)
{
	const char *end = dane->text.data + dane->text.size;
	size_t size = record->data.size;

	must(record->usage == 2 || record->usage == 3);
	must(record->selector <= 1 && record->matching <= 2);
	must(record->matching == 0 ? size > 0 : size == (record->matching == 1 ? 32 : 64));
	must(record->data.data >= dane->text.data + 5 && record->data.data + size <= end);
	for (size_t i = 0; i < dane->n; i++)
		must(record->matching != 1 || dane->records[i].matching != 2 ||
		     dane->records[i].usage != record->usage || dane->records[i].selector != record->selector);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = mem_copy((const char *)data, size);
	struct dane dane = {0};
	struct str rest = str_make(copy, size), rdata = {0};
	size_t n = 0;

	while (dns_next(&rest, &rdata))
		n++;
	dane_read(&dane, str_make(copy, size));
	must(dane.n_seen == n && dane.n <= n && dane.n <= DANE_RECORDS_MOST);
	for (size_t i = 0; i < dane.n; i++)
		check_record(&dane, &dane.records[i]);
	dane_free(&dane);
	free(copy);
	return 0;
}
