/* zone_kit.h - a zone in memory that answers the questions of a struct finder: for the tests of deliver/route and its parts. */

#ifndef TESTS_UNIT_ZONE_KIT_H
#define TESTS_UNIT_ZONE_KIT_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/finder.h"

/* One record. value by type: A and AAAA the address, MX "PREFERENCE HOST", SRV "PRIORITY WEIGHT PORT HOST", TLSA "U S M HEX", TXT
 * the text, a CNAME (type 5) the name; "FAIL" and "BOGUS" make the question fail. */
struct zone_record {
	const char *name;
	int type;
	const char *value;
	bool is_insecure;
};

enum { ZONE_CNAME = 5 };

struct zone {
	const struct zone_record *records; /* ended by a NULL name */
	size_t n_questions;
	size_t n_rounds;
};

static inline void
zone_add_name(struct buf *b, const char *name)
{
	struct str rest = str_of(name), label;

	while (name[0] != '.' && str_next_token(&rest, '.', &label)) {
		buf_add_char(b, (char)label.size);
		buf_add_str(b, label);
	}
	buf_add_char(b, '\0');
}

static inline void
zone_add_16(struct buf *b, int number)
{
	buf_add_char(b, (char)(number >> 8 & 0xff));
	buf_add_char(b, (char)(number & 0xff));
}

/* Blank-separated numbers off the front of *value; behind them stands the rest. */
static inline int
zone_number(const char **value)
{
	char *end = NULL;
	long number = strtol(*value, &end, 10);

	*value = *end == ' ' ? end + 1 : end;
	return (int)number;
}

static inline void
zone_add_hex(struct buf *b, const char *hex)
{
	unsigned octet = 0;

	for (; hex[0] != '\0' && sscanf(hex, "%2x", &octet) == 1; hex += 2)
		buf_add_char(b, (char)octet);
}

static inline void
zone_add_rdata(struct buf *b, const struct zone_record *record)
{
	const char *value = record->value;
	char address[16] = {0};

	switch (record->type) {
	case DNS_A:
		inet_pton(AF_INET, value, address);
		buf_add(b, address, 4);
		return;
	case DNS_AAAA:
		inet_pton(AF_INET6, value, address);
		buf_add(b, address, 16);
		return;
	case DNS_SRV:
		zone_add_16(b, zone_number(&value));
		zone_add_16(b, zone_number(&value));
		/* falls through */
	case DNS_MX:
		zone_add_16(b, zone_number(&value));
		zone_add_name(b, value);
		return;
	case DNS_TLSA:
		for (int i = 0; i < 3; i++)
			buf_add_char(b, (char)zone_number(&value));
		zone_add_hex(b, value);
		return;
	default:
		buf_add_char(b, (char)strlen(value));
		buf_add_text(b, value);
		return;
	}
}

static inline void
zone_add(struct dns_query *query, const struct zone_record *record)
{
	struct buf rdata = {0};

	zone_add_rdata(&rdata, record);
	zone_add_16(&query->records, (int)rdata.size);
	buf_add_str(&query->records, buf_str(&rdata));
	query->n_records++;
	query->result = DNS_FOUND;
	buf_free(&rdata);
}

static inline bool
zone_fail(struct dns_query *query, const char *value)
{
	bool is_bogus = strcmp(value, "BOGUS") == 0;

	if (!is_bogus && strcmp(value, "FAIL") != 0)
		return false;
	query->result = DNS_FAILED;
	query->is_bogus = is_bogus;
	query->is_secure = false;
	snprintf(query->why, sizeof(query->why), "%s", is_bogus ? "the answer is bogus" : "SERVFAIL");
	return true;
}

static inline void
zone_answer(const struct zone *zone, struct dns_query *query, const char *name)
{
	for (const struct zone_record *record = zone->records; record->name != NULL; record++) {
		if (strcmp(record->name, name) != 0)
			continue;
		if (query->result == DNS_NO_NAME)
			query->result = DNS_NO_DATA;
		if (record->is_insecure)
			query->is_secure = false;
		if (record->type == ZONE_CNAME) {
			snprintf(query->canonical, sizeof(query->canonical), "%s", record->value);
			zone_answer(zone, query, record->value);
			return;
		}
		if (record->type != (int)query->type)
			continue;
		if (zone_fail(query, record->value))
			return;
		zone_add(query, record);
	}
}

static inline void
zone_ask(void *context, struct dns_query *queries, size_t n, int64_t deadline)
{
	struct zone *zone = context;

	(void)deadline;
	zone->n_rounds++;
	for (size_t i = 0; i < n; i++) {
		zone->n_questions++;
		queries[i].result = DNS_NO_NAME;
		queries[i].is_secure = true;
		snprintf(queries[i].canonical, sizeof(queries[i].canonical), "%s", queries[i].name);
		zone_answer(zone, &queries[i], queries[i].name);
	}
}

/* Always the last of those that are left: a shuffle then leaves the order as it is. */
static inline uint32_t
zone_draw(void *context, uint32_t below)
{
	(void)context;
	return below - 1;
}

#endif
