/* policy_test.c - which policy is in force, with a fake clock and a host that nobody reaches; tests/peers/mtasts.bats has one that
 * answers. */

#include "config.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "policy_words.h"
#include "queue_kit.h"

enum { NOW = 2000000000, WEEK = 604800 };

static const char good[] = "version: STSv1\nmode: enforce\nmx: mx.example.org\nmx: *.example.net\nmax_age: 604800\n";

/* Put a policy into the cache as if it had been fetched then. */
static void
keep(struct kit *kit, const char *id, int64_t then)
{
	struct cached_policy cached = {.fetched_at = then};

	snprintf(cached.id, sizeof(cached.id), "%s", id);
	buf_add_text(&cached.text, good);
	if (!policycache_write(&kit->spool, "example.org", &cached))
		abort();
	cached_policy_free(&cached);
}

/* "mode source fault" of the policy for the domain at a time, with a record of this id (NULL: none). */
static const char *
find(struct kit *kit, const char *domain, const char *id, int64_t now)
{
	static char text[128];
	struct policy_query query = {.domain = domain, .connect = "127.0.0.1:1", .spool = kit != NULL ? &kit->spool : NULL,
	                             .now = (time_t)now};
	struct policy policy = {0};

	if (id != NULL) {
		query.record.n = 1;
		snprintf(query.record.id, sizeof(query.record.id), "%s", id);
	}
	policy_find(&policy, &query, clock_deadline(10));
	snprintf(text, sizeof(text), "%s %s %s", mtasts_mode_name(policy.sts.mode), policy_sources[policy.source],
	         policy_faults[policy.fault]);
	if ((policy.fault != POLICY_GOOD) != (policy.why.size > 0))
		return "a fault without a reason";
	if (policy.source != POLICY_FROM_NOWHERE && strcmp(buf_text(&policy.text), good) != 0)
		return "another text";
	policy_free(&policy);
	policy_free(&policy);
	return text;
}

/* Was the host asked at that time? Then the failure was written down. */
static bool
has_asked_at(struct kit *kit, int64_t then)
{
	struct cached_policy cached = {0};
	bool has_asked = policycache_read(&kit->spool, "example.org", &cached) && cached.failed_at == then;

	cached_policy_free(&cached);
	return has_asked;
}

static void
test_without_cache(void)
{
	tap_is(find(NULL, "example.org", NULL, NOW), "none nowhere good", "without a record there is no policy");
	tap_is(find(NULL, "example.org", "1", NOW), "none nowhere sts-policy-fetch-error",
	       "nor is there one where the host cannot be reached, but then it is told");
	tap_is(find(NULL, "../../etc", "1", NOW), "none nowhere good", "a domain that can be none is not asked for");
	tap_is(find(NULL, "", "1", NOW), "none nowhere good", "nor is an empty one");
}

static void
test_cache(struct kit *kit)
{
	keep(kit, "1", NOW - 100);
	tap_is(find(kit, "example.org", "1", NOW), "enforce cache good", "a policy that was fetched is in force");
	tap_ok(!has_asked_at(kit, NOW), "and nobody is asked");
	tap_is(find(kit, "EXAMPLE.Org", "1", NOW), "enforce cache good", "whatever letters the domain is written in");
	tap_is(find(kit, "other.example.org", NULL, NOW), "none nowhere good", "another domain has none of it");
	tap_is(find(kit, "example.org", NULL, NOW), "enforce cache good", "a record that is gone does not end it");
	tap_is(find(kit, "example.org", "2", NOW), "enforce cache sts-policy-fetch-error",
	       "nor does a new one whose policy cannot be fetched");
	tap_ok(has_asked_at(kit, NOW), "for that the host was asked");

	tap_is(find(kit, "example.org", "2", NOW + POLICY_PAUSE - 1), "enforce cache sts-policy-fetch-error",
	       "within five minutes the failure is still told");
	tap_ok(has_asked_at(kit, NOW), "but the host is not asked again");
	find(kit, "example.org", "2", NOW + POLICY_PAUSE);
	tap_ok(has_asked_at(kit, NOW + POLICY_PAUSE), "after that it is");
	find(kit, "example.org", "3", NOW + POLICY_PAUSE + 1);
	tap_ok(has_asked_at(kit, NOW + POLICY_PAUSE + 1), "for another record it is at once");
	tap_is(find(kit, "example.org", "1", NOW), "enforce cache good", "with the old record all is well again");
}

static void
test_age(struct kit *kit)
{
	keep(kit, "1", NOW);
	find(kit, "example.org", "1", NOW + WEEK / 2);
	tap_ok(!has_asked_at(kit, NOW + WEEK / 2), "up to half of its time a policy is not renewed");
	tap_is(find(kit, "example.org", "1", NOW + WEEK / 2 + 1), "enforce cache sts-policy-fetch-error", "then it is");
	tap_ok(has_asked_at(kit, NOW + WEEK / 2 + 1), "the host is asked");
	keep(kit, "1", NOW);
	tap_is(find(kit, "example.org", NULL, NOW + WEEK / 2 + 1), "enforce cache sts-policy-fetch-error",
	       "also where the record is gone");
	tap_is(find(kit, "example.org", NULL, NOW + WEEK - 1), "enforce cache sts-policy-fetch-error",
	       "in its last second it is in force");
	tap_is(find(kit, "example.org", NULL, NOW + WEEK), "none nowhere good", "after it, it is not");
	tap_is(find(kit, "example.org", "1", NOW + WEEK), "none nowhere sts-policy-fetch-error", "with a record it is fetched anew");

	keep(kit, "1", NOW);
	tap_is(find(kit, "example.org", NULL, NOW - 3600), "enforce cache good", "a clock that was put back does not end it");
	tap_is(find(kit, "example.org", NULL, NOW - 2 * 86400), "none nowhere good", "a time that a wrong clock has written does");
	find(kit, "example.org", "1", NOW - 2 * 86400);
	keep(kit, "1", NOW);
	find(kit, "example.org", "2", NOW + 10 * POLICY_PAUSE);
	find(kit, "example.org", "2", NOW - 2 * 86400);
	tap_ok(has_asked_at(kit, NOW - 2 * 86400), "nor does a failure of the far future keep anybody from asking");
}

/* Change the file, and see that it counts as none. */
static void
spoil(struct kit *kit, const char *what, const char *text, size_t size)
{
	struct cached_policy cached = {0};

	kit_write(kit_file(kit, SPOOL_POLICIES, "example.org"), text, size);
	tap_ok(!policycache_read(&kit->spool, "example.org", &cached) && cached.text.data == NULL && cached.fetched_at == 0,
	       "a file %s is none", what);
	cached_policy_free(&cached);
}

/* The lines with a checksum that is right. */
static void
forge(struct kit *kit, const char *what, const char *lines)
{
	struct buf text = {0};

	buf_add_text(&text, lines);
	buf_printf(&text, "sum %016llx\n", (unsigned long long)str_hash(STR_HASH_START, buf_str(&text)));
	spoil(kit, what, text.data, text.size);
	buf_free(&text);
}

static void
test_distrust(struct kit *kit)
{
	struct buf text = {0};
	bool all_refused = true;
	struct cached_policy cached = {0};

	keep(kit, "1", NOW);
	kit_read(kit_file(kit, SPOOL_POLICIES, "example.org"), &text);
	for (size_t i = 0; i < text.size; i++) {
		kit_write(kit_file(kit, SPOOL_POLICIES, "example.org"), text.data, i);
		all_refused = all_refused && !policycache_read(&kit->spool, "example.org", &cached);
		text.data[i] ^= 1;
		kit_write(kit_file(kit, SPOOL_POLICIES, "example.org"), text.data, text.size);
		all_refused = all_refused && !policycache_read(&kit->spool, "example.org", &cached);
		text.data[i] ^= 1;
	}
	tap_ok(all_refused, "a file that is cut anywhere, or has one bit turned, is none");
	kit_write(kit_file(kit, SPOOL_POLICIES, "example.org"), text.data, text.size);
	tap_ok(policycache_read(&kit->spool, "example.org", &cached), "as it was it is one");
	cached_policy_free(&cached);
	kit_write(kit_file(kit, SPOOL_POLICIES, "example.net"), text.data, text.size);
	tap_ok(!policycache_read(&kit->spool, "example.net", &cached), "of another domain it is none");
	buf_add_char(&text, '\n');
	spoil(kit, "with more behind it", text.data, text.size);
	buf_free(&text);

	spoil(kit, "without anything", "", 0);
	forge(kit, "of another version", "mailcrane-policy 2\n");
	forge(kit, "with a size that is wrong", "mailcrane-policy 1\ndomain example.org\nid 1\nfetched 2000000000\nfailed 0\n"
	      "failed_id -\nfault 0\nwhy -\npolicy 18446744073709551615\nversion: STSv1\nmode: none\nmax_age: 1\n");
	forge(kit, "with an id that is none", "mailcrane-policy 1\ndomain example.org\nid a/b\nfetched 2000000000\nfailed 0\n"
	      "failed_id -\nfault 0\nwhy -\npolicy 36\nversion: STSv1\nmode: none\nmax_age: 1\n");
	forge(kit, "with a fault that is none", "mailcrane-policy 1\ndomain example.org\nid 1\nfetched 2000000000\nfailed 0\n"
	      "failed_id -\nfault 4\nwhy -\npolicy 36\nversion: STSv1\nmode: none\nmax_age: 1\n");
	forge(kit, "with a policy that is none", "mailcrane-policy 1\ndomain example.org\nid 1\nfetched 2000000000\nfailed 0\n"
	      "failed_id -\nfault 0\nwhy -\npolicy 36\nversion: STSv1\nmode: lax \nmax_age: 1\n");
	forge(kit, "with lines in another order", "mailcrane-policy 1\nid 1\ndomain example.org\nfetched 2000000000\nfailed 0\n"
	      "failed_id -\nfault 0\nwhy -\npolicy 36\nversion: STSv1\nmode: none\nmax_age: 1\n");
}

static void
test_round_trip(struct kit *kit)
{
	struct cached_policy cached = {.failed_at = NOW, .failed_id = "abc", .fault = POLICY_UNTRUSTED}, read = {0};

	buf_add_text(&cached.why, "certificate has expired\n\x1b[2J");
	tap_ok(policycache_write(&kit->spool, "example.org", &cached) && policycache_read(&kit->spool, "example.org", &read),
	       "a failure without a policy is kept");
	tap_ok(read.failed_at == NOW && strcmp(read.failed_id, "abc") == 0 && read.fault == POLICY_UNTRUSTED && read.fetched_at == 0 &&
	               read.id[0] == '\0', "as it was");
	tap_is(buf_text(&read.why), "certificate has expired\\n\\x1b[2J", "with its reason on one clean line");
	cached_policy_free(&cached);
	cached_policy_free(&read);
}

static void
test_account(void)
{
	char connect[] = "127.0.0.1:443", trust_file[] = "/etc/ca.pem", proxy[] = "proxy.example", user[] = "joe", password[] = "secret";
	const struct account account = {.mta_sts_connect = connect, .mta_sts_trust_file = trust_file, .proxy_host = proxy,
	                                .proxy_port = 1081, .proxy_user = user, .proxy_password = password};
	struct policy_query query = {.domain = "example.org"};

	policy_use_account(&query, &account);
	tap_ok(query.connect == connect && query.trust_file == trust_file && query.proxy_host == proxy && query.proxy_port == 1081 &&
	               query.proxy_user == user && query.proxy_password == password && strcmp(query.domain, "example.org") == 0,
	       "where to ask is the account's to say");
}

int
main(void)
{
	struct kit kit;

	kit_open(&kit);
	test_without_cache();
	test_account();
	test_cache(&kit);
	test_age(&kit);
	test_distrust(&kit);
	test_round_trip(&kit);
	kit_close(&kit);
	return tap_end();
}
