/* service_test.c - the order in which the hosts of SRV records are tried. */

#include "config.h"

#include <stdio.h>

#include "net/service.h"
#include "tap.h"

enum { N_DRAWS = 40000 };

/* Knuth's MMIX generator: the same numbers in every run. */
static uint32_t
draw(void *argument, uint32_t below)
{
	uint64_t *state = argument;

	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((*state >> 33) % below);
}

/* Always the highest, or the lowest, that there can be. */
static uint32_t
draw_highest(void *argument, uint32_t below)
{
	(void)argument;
	return below - 1;
}

static uint32_t
draw_lowest(void *argument, uint32_t below)
{
	(void)argument;
	return below > 0 ? 0 : 1000;
}

static struct record_srv
make(unsigned priority, unsigned weight, int port, const char *host)
{
	struct record_srv srv = {.priority = priority, .weight = weight, .port = port};

	snprintf(srv.host, sizeof(srv.host), "%s", host);
	return srv;
}

static void
test_priorities(void)
{
	uint64_t state = 1;
	const struct service_random sources[] = {{draw, &state}, {draw_highest, NULL}, {draw_lowest, NULL}};

	for (size_t i = 0; i < 3; i++) {
		struct record_srv records[] = {
			make(30, 0, 465, "c"), make(10, 5, 465, "a"), make(40, 65535, 465, "d"), make(20, 0, 465, "b"),
		};

		tap_ok(service_order(records, 4, &sources[i]) == 4 && records[0].host[0] == 'a' && records[1].host[0] == 'b' &&
		               records[2].host[0] == 'c' && records[3].host[0] == 'd',
		       "the lowest priority comes first, whatever chance says (%zu)", i);
	}
}

static void
test_all_stay(void)
{
	uint64_t state = 2;
	const struct service_random random = {draw, &state};
	bool is_right = true;

	for (int run = 0; run < 1000 && is_right; run++) {
		struct record_srv records[] = {
			make(1, 0, 1, "a"), make(1, 1, 1, "b"), make(1, 65535, 1, "c"), make(1, 0, 1, "d"), make(0, 7, 1, "e"),
		};
		int seen[5] = {0};

		is_right = service_order(records, 5, &random) == 5 && records[0].host[0] == 'e';
		for (size_t i = 0; i < 5; i++)
			seen[records[i].host[0] - 'a']++;
		for (size_t i = 0; i < 5; i++)
			is_right = is_right && seen[i] == 1;
	}
	tap_ok(is_right, "every host comes exactly once");
}

/* Is n within a twentieth of what is expected? */
static bool
is_about(int n, double expected)
{
	if (n < expected * 0.95 || n > expected * 1.05)
		tap_note("%d times, expected about %.0f", n, expected);
	return n >= expected * 0.95 && n <= expected * 1.05;
}

static void
test_weights(void)
{
	uint64_t state = 3;
	const struct service_random random = {draw, &state};
	int first[3] = {0}, second[3] = {0};

	for (int run = 0; run < N_DRAWS; run++) {
		struct record_srv records[] = {make(1, 10, 1, "a"), make(1, 30, 1, "b"), make(1, 60, 1, "c")};

		service_order(records, 3, &random);
		first[records[0].host[0] - 'a']++;
		second[records[1].host[0] - 'a']++;
	}
	tap_ok(is_about(first[0], N_DRAWS * 0.1) && is_about(first[1], N_DRAWS * 0.3) && is_about(first[2], N_DRAWS * 0.6),
	       "weights 10, 30 and 60 are first so many times in a hundred");
	tap_ok(is_about(second[0], N_DRAWS * (0.3 * 10 / 70 + 0.6 * 10 / 40)) &&
	               is_about(second[1], N_DRAWS * (0.1 * 30 / 90 + 0.6 * 30 / 40)),
	       "and the second is chosen among the others by their weights");
}

static void
test_weight_zero(void)
{
	uint64_t state = 4;
	const struct service_random random = {draw, &state};
	int first[4] = {0};
	int rare = 0;

	for (int run = 0; run < N_DRAWS; run++) {
		struct record_srv records[] = {make(1, 0, 1, "a"), make(1, 0, 1, "b"), make(1, 0, 1, "c"), make(1, 0, 1, "d")};
		struct record_srv mixed[] = {make(1, 9, 1, "a"), make(1, 0, 1, "b")};

		service_order(records, 4, &random);
		first[records[0].host[0] - 'a']++;
		service_order(mixed, 2, &random);
		rare += mixed[0].host[0] == 'b';
	}
	tap_ok(is_about(first[0], N_DRAWS / 4.0) && is_about(first[1], N_DRAWS / 4.0) && is_about(first[2], N_DRAWS / 4.0) &&
	               is_about(first[3], N_DRAWS / 4.0),
	       "where nobody has a weight, all are as likely");
	tap_ok(is_about(rare, N_DRAWS / 10.0), "weight 0 beside weight 9 is seldom first (1 in 10), but not never");
}

static void
test_useless(void)
{
	uint64_t state = 5;
	const struct service_random random = {draw, &state};
	struct record_srv none[] = {make(0, 0, 0, "")};
	struct record_srv records[] = {make(0, 0, 465, ""), make(1, 0, 0, "a"), make(2, 0, 465, "b")};
	struct record_srv many[100];

	tap_is_number((long long)service_order(none, 1, &random), 0, "the target \".\" is no host");
	tap_ok(service_order(records, 3, &random) == 1 && records[0].host[0] == 'b', "neither is one with port 0");
	tap_is_number((long long)service_order(records, 0, &random), 0, "no records have no order");
	for (unsigned i = 0; i < 100; i++)
		many[i] = make(100 - i, 65535, 465, "a");
	tap_is_number((long long)service_order(many, 100, &random), SERVICE_MOST, "no more than 20 are kept");
	tap_ok(many[0].priority == 1 && many[19].priority == 20, "and those are the ones to be tried first");
	for (unsigned i = 0; i < 100; i++)
		many[i] = make(7, 65535, (int)i + 1, "a");
	tap_is_number((long long)service_order(many, 100, &random), SERVICE_MOST, "also where all have the same priority");
}

int
main(void)
{
	test_priorities();
	test_all_stay();
	test_weights();
	test_weight_zero();
	test_useless();
	return tap_end();
}
