/* policy_ask.c - ask for the policy of a domain and print what is found; the record is given instead of being looked up. For
 * tests/peers/mtasts.bats.
 *
 *     policy_ask DOMAIN CONNECT TRUST_FILE SPOOL NOW SECONDS [RECORD...]
 *
 * CONNECT "" connects to the domain's host, SPOOL "" keeps nothing; NOW is seconds since 1970. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "policy_words.h"

enum { DOMAIN_ARGUMENT = 1, CONNECT, TRUST_FILE, SPOOL, NOW, SECONDS, RECORDS };

static void
print(const struct policy *policy, int64_t took_ms)
{
	struct str rest = buf_str(&policy->sts.mx), pattern = {0};

	printf("mode %s\nsource %s\nid %s\nmax_age %lld\n", mtasts_mode_name(policy->sts.mode),
	       policy_sources[policy->source], policy->id, (long long)policy->sts.max_age);
	while (mtasts_next_mx(&rest, &pattern))
		printf("mx %.*s\n", STR_ARG(pattern));
	printf("fault %s\nwhy %s\ntook %lld\n", policy_faults[policy->fault], buf_text(&policy->why),
	       (long long)took_ms);
}

int
main(int argc, char **argv)
{
	struct policy_query query = {0};
	struct spool spool = {0};
	struct policy policy = {0};
	struct err err = {0};
	int64_t begin = clock_now();

	if (argc < RECORDS)
		return EX_USAGE;
	query.domain = argv[DOMAIN_ARGUMENT];
	query.connect = argv[CONNECT][0] != '\0' ? argv[CONNECT] : NULL;
	query.trust_file = argv[TRUST_FILE];
	query.now = (time_t)strtoll(argv[NOW], NULL, 10);
	for (int i = RECORDS; i < argc; i++)
		mtasts_add_record(&query.record, str_of(argv[i]));
	if (argv[SPOOL][0] != '\0') {
		const struct spool_place place = {.path = argv[SPOOL]};

		if (!spool_open(&spool, &place, &err)) {
			fprintf(stderr, "%s\n", buf_text(&err.text));
			return err.exit_code;
		}
		query.spool = &spool;
	}
	policy_find(&policy, &query, clock_deadline(strtoll(argv[SECONDS], NULL, 10)));
	print(&policy, clock_now() - begin);
	policy_free(&policy);
	spool_free(&spool);
	err_clear(&err);
	return 0;
}
