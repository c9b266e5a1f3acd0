/* policy.c - the MTA-STS policy of a domain. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/domain.h"
#include "base/mem.h"
#include "deliver/policy.h"

enum { DAY = 86400 };

/* One look for a policy. */
struct search {
	const struct policy_query *query;
	char *domain;                 /* in lower case */
	struct cached_policy cached;
	struct policy *policy;        /* the result */
	int64_t now;
};

/* --- what is kept -------------------------------------------------------------------------------------------------- */

/* Seconds since then; a clock that was put back a little counts as none. -1: that was the time of a wrong clock. */
static int64_t
age_of(int64_t then, int64_t now)
{
	if (then > now)
		return then - now > DAY ? -1 : 0;
	return now - then;
}

static bool
is_in_force(const struct cached_policy *cached, int64_t now)
{
	int64_t age = age_of(cached->fetched_at, now);

	return cached->fetched_at > 0 && age >= 0 && age < cached->policy.max_age;
}

/* Half of its time is over: what keeps it from being renewed now has as much time to be seen and mended. */
static bool
is_old(const struct cached_policy *cached, int64_t now)
{
	return age_of(cached->fetched_at, now) > cached->policy.max_age / 2;
}

static bool
has_just_failed(const struct cached_policy *cached, const char *id, int64_t now)
{
	int64_t age = age_of(cached->failed_at, now);

	return cached->failed_at > 0 && age >= 0 && age < POLICY_PAUSE && strcmp(cached->failed_id, id) == 0;
}

static void
read_cache(struct search *search)
{
	cached_policy_free(&search->cached);
	if (search->query->spool != NULL)
		policycache_read(search->query->spool, search->domain, &search->cached);
}

static void
write_cache(struct search *search)
{
	if (search->query->spool != NULL)
		policycache_write(search->query->spool, search->domain, &search->cached);
}

/* Let what is kept be in force. */
static void
use_cached(struct search *search, enum policy_source source)
{
	struct policy *policy = search->policy;

	policy->source = source;
	policy->sts = search->cached.policy;
	policy->text = search->cached.text;
	memcpy(policy->id, search->cached.id, sizeof(policy->id));
	search->cached.policy = (struct mtasts_policy){0};
	search->cached.text = (struct buf){0};
}

/* --- fetching ------------------------------------------------------------------------------------------------------ */

/* RFC 8461 3.2: so that nobody can plant a policy where he may only upload a picture. Parameters do not matter. */
static bool
is_plain_text(const struct buf *content_type)
{
	struct str type = str_first(buf_str(content_type), str_find(buf_str(content_type), ';'));

	return str_equals_nocase(str_trim(type), STR("text/plain"));
}

static enum policy_fault
fault_of(const struct https_response *response)
{
	if (response->fault == HTTPS_UNTRUSTED)
		return POLICY_UNTRUSTED;
	/* Too large: there is something, but it is no policy. */
	return response->fault == HTTPS_REFUSED && response->status == 200 ? POLICY_INVALID : POLICY_UNREACHABLE;
}

static enum policy_fault
fetch(struct search *search, int64_t deadline, struct mtasts_policy *sts, struct buf *text, struct err *err)
{
	const struct policy_query *query = search->query;
	struct https_response response = {0};
	struct buf host = {0};
	struct https_request request = {
		.path = "/.well-known/mta-sts.txt",
		.connect = query->connect,
		.trust_file = query->trust_file,
		.most = MTASTS_POLICY_MOST,
		.proxy_host = query->proxy_host,
		.proxy_port = query->proxy_port,
		.proxy_user = query->proxy_user,
		.proxy_password = query->proxy_password,
	};
	enum policy_fault fault = POLICY_GOOD;

	mtasts_add_host_name(&host, str_of(search->domain));
	request.host = buf_text(&host);
	if (!https_get(&request, deadline, &response, err)) {
		fault = fault_of(&response);
	} else if (!is_plain_text(&response.content_type)) {
		fault = POLICY_INVALID;
		err_set(err, EX_DATAERR, "the policy is of type '%s' instead of text/plain", buf_text(&response.content_type));
	} else if (!mtasts_parse(sts, buf_str(&response.body), err)) {
		fault = POLICY_INVALID;
		err_prefix(err, "the policy");
	} else {
		*text = response.body;
		response.body = (struct buf){0};
	}
	/* https_get() does that itself. */
	if (fault == POLICY_INVALID && response.fault == HTTPS_GOOD)
		err_prefix(err, "https://%s%s", request.host, request.path);
	https_response_free(&response);
	buf_free(&host);
	return fault;
}

static void
remember_success(struct search *search, const char *id, struct mtasts_policy *sts, struct buf *text)
{
	cached_policy_free(&search->cached);
	search->cached.policy = *sts;
	search->cached.text = *text;
	memcpy(search->cached.id, id, MTASTS_ID_SIZE);
	search->cached.fetched_at = search->now;
	write_cache(search);
}

/* Another process may have fared better meanwhile; what it has written stays. */
static void
remember_failure(struct search *search, const char *id, enum policy_fault fault, const struct err *err)
{
	read_cache(search);
	search->cached.failed_at = search->now;
	memcpy(search->cached.failed_id, id, MTASTS_ID_SIZE);
	search->cached.fault = fault;
	buf_clear(&search->cached.why);
	err_add_clean(&search->cached.why, buf_str(&err->text));
	write_cache(search);
}

/* Fetch it for the record with this id. False: the fault is told in the result. */
static bool
renew(struct search *search, const char *id, int64_t deadline)
{
	struct mtasts_policy sts = {0};
	struct buf text = {0};
	struct err err = {0};
	enum policy_fault fault = fetch(search, deadline, &sts, &text, &err);

	if (fault == POLICY_GOOD) {
		remember_success(search, id, &sts, &text);
		use_cached(search, POLICY_FROM_HOST);
		return true;
	}
	remember_failure(search, id, fault, &err);
	search->policy->fault = fault;
	err_add_clean(&search->policy->why, buf_str(&err.text));
	err_clear(&err);
	return false;
}

/* --- the decision -------------------------------------------------------------------------------------------------- */

static void
decide(struct search *search, int64_t deadline)
{
	const struct mtasts_record *record = &search->query->record;
	bool is_valid = is_in_force(&search->cached, search->now);
	char id[MTASTS_ID_SIZE] = "";
	bool must_fetch;

	/* Without a record there is no reason to ask the host, but for a policy that is to be kept alive: an attacker who can
	 * suppress the one cannot suppress the other for ever (RFC 8461 10.2). */
	if (mtasts_has_policy(record)) {
		memcpy(id, record->id, sizeof(id));
		must_fetch = !is_valid || strcmp(id, search->cached.id) != 0 || is_old(&search->cached, search->now);
	} else {
		if (is_valid)
			memcpy(id, search->cached.id, sizeof(id));
		must_fetch = is_valid && is_old(&search->cached, search->now);
	}
	if (must_fetch && has_just_failed(&search->cached, id, search->now)) {
		search->policy->fault = search->cached.fault;
		buf_add_str(&search->policy->why, buf_str(&search->cached.why));
		must_fetch = false;
	}
	if (must_fetch && renew(search, id, deadline))
		return;
	if (is_in_force(&search->cached, search->now))
		use_cached(search, POLICY_FROM_CACHE);
}

void
policy_use_account(struct policy_query *query, const struct account *account)
{
	query->connect = account->mta_sts_connect;
	query->trust_file = account->mta_sts_trust_file;
	query->proxy_host = account->proxy_host;
	query->proxy_port = account->proxy_port;
	query->proxy_user = account->proxy_user;
	query->proxy_password = account->proxy_password;
}

void
policy_find(struct policy *policy, const struct policy_query *query, int64_t deadline)
{
	struct search search = {.query = query, .policy = policy, .now = (int64_t)query->now};

	*policy = (struct policy){0};
	/* The name becomes one of a file. */
	if (!domain_is_ascii(str_of(query->domain)))
		return;
	search.domain = mem_copy_string(query->domain);
	for (char *c = search.domain; *c != '\0'; c++)
		*c = ascii_lower(*c);
	read_cache(&search);
	decide(&search, deadline);
	cached_policy_free(&search.cached);
	free(search.domain);
}

void
policy_free(struct policy *policy)
{
	mtasts_policy_free(&policy->sts);
	buf_free(&policy->text);
	buf_free(&policy->why);
	*policy = (struct policy){0};
}
