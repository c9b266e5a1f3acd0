/* mtasts_fuzz.c - any bytes as an MTA-STS record and as a policy: what is taken is within bounds, reads the same again, and
 * allows what it names; what is refused is refused with a reason that can be shown. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/domain.h"
#include "net/mtasts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_record(struct str text)
{
	struct mtasts_record record = {0};

	mtasts_add_record(&record, text);
	if (mtasts_has_policy(&record) && !mtasts_is_id(str_of(record.id)))
		abort();
	mtasts_add_record(&record, STR("v=STSv1; id=1"));
	if (mtasts_has_policy(&record) != (record.n == 1))
		abort();
}

/* Written in the plainest form, it must be the same policy. */
static void
read_back(const struct mtasts_policy *policy)
{
	struct mtasts_policy again = {0};
	struct buf text = {0};
	struct str rest = buf_str(&policy->mx), pattern = {0};
	struct err err = {0};

	buf_printf(&text, "version: STSv1\nmode: %s\nmax_age: %lld\n", mtasts_mode_name(policy->mode),
	           (long long)policy->max_age);
	while (mtasts_next_mx(&rest, &pattern)) {
		bool is_wild = str_starts_with(pattern, STR("*."));
		char host[DOMAIN_MOST + 3] = {0};

		if (pattern.size > DOMAIN_MOST + 2)
			abort();
		memcpy(host, pattern.data, pattern.size);
		if (is_wild)
			host[0] = 'x';
		if (!mtasts_allows(policy, str_of(host)))
			abort();
		buf_printf(&text, "mx: %.*s\n", STR_ARG(pattern));
	}
	if (!mtasts_parse(&again, buf_str(&text), &err) || again.mode != policy->mode ||
	    again.max_age != policy->max_age || again.n_mx != policy->n_mx ||
	    !str_equals(buf_str(&again.mx), buf_str(&policy->mx)))
		abort();
	mtasts_policy_free(&again);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_make((const char *)data, size);
	struct mtasts_policy policy = {0};
	struct err err = {0};

	check_record(text);
	if (mtasts_parse(&policy, text, &err)) {
		if (policy.max_age < 0 || policy.max_age > MTASTS_AGE_MOST || policy.n_mx > MTASTS_MX_MOST)
			abort();
		read_back(&policy);
	} else if (err.exit_code != EX_DATAERR || str_has_control(buf_str(&err.text)) ||
	           !str_is_utf8(buf_str(&err.text))) {
		abort();
	}
	err_clear(&err);
	mtasts_policy_free(&policy);
	return 0;
}
