/* tlspolicy_test.c - tls_policy beside the other settings. */

#include "config.h"

#include "base/err.h"
#include "conf/tlspolicy.h"
#include "conf/value.h"
#include "tap.h"

/* An account of these lines. */
static struct account
make(const char *lines)
{
	struct account account = {0};
	struct str rest = str_of(lines), line = {0};

	account_init(&account);
	while (str_next_token(&rest, '\n', &line)) {
		size_t blank = str_find(line, ' ');
		struct err err = {0};

		if (!value_set(&account, str_first(line, blank), str_from(line, blank + 1),
		               (struct origin){.file = "file", .line = 1}, &err))
			tap_ok(false, "'%.*s' is a setting: %s", STR_ARG(line), buf_text(&err.text));
		err_clear(&err);
	}
	return account;
}

static void
accepts(const char *lines, bool is_direct, const char *sentence)
{
	struct account account = make(lines);
	struct err err = {0};

	if (!tap_ok(tlspolicy_check(&account, is_direct, &err), "%s", sentence))
		tap_note("%s", buf_text(&err.text));
	err_clear(&err);
	account_free(&account);
}

static void
refuses(const char *lines, bool is_direct, const char *word)
{
	struct account account = make(lines);
	struct err err = {0};

	if (!tap_ok(!tlspolicy_check(&account, is_direct, &err) && err.exit_code == EX_CONFIG &&
	                    strstr(buf_text(&err.text), word) != NULL,
	            "refused: %s", word))
		tap_note("%s", buf_text(&err.text));
	err_clear(&err);
	account_free(&account);
}

static void
test_relay(void)
{
	accepts("host h", false, "an account that says nothing of TLS is as it ever was");
	accepts("host h\nauth plain\nuser u", false, "also with a login");
	accepts("host h\ntls_policy may", false, "'may' demands nothing of a relay without login");
	accepts("host h\ntls_policy may\nauth plain\nuser u\ntls on", false, "with 'tls on' there is no way around TLS");
	refuses("host h\ntls_policy may\nauth plain\nuser u", false, "'tls_policy may' does not go with 'auth'");
	refuses("host h\ntls_policy may\nauth external", false, "'tls_policy may' does not go with 'auth'");
	refuses("host h\ntls_policy encrypt", false, "'tls_policy encrypt' needs 'tls on'");
	refuses("host h\ntls_policy verify", false, "'tls_policy verify' needs 'tls on'");
	refuses("host h\ntls_policy dane", false, "'tls_policy dane' needs 'tls on'");
	refuses("host h\ntls_policy dane-only", false, "'tls_policy dane-only' needs 'tls on'");
	accepts("host h\ntls on\ntls_policy encrypt", false, "'encrypt' goes with 'tls on'");
	accepts("host h\ntls on\ntls_policy verify", false, "so does 'verify'");
	accepts("host h\ntls on\ntls_policy dane\nauth plain\nuser u", false, "so does 'dane', with a login");
	accepts("host h\ntls on\ntls_policy dane-only\ntls_certcheck off", false, "'dane-only' checks by itself");
	refuses("host h\ntls on\ntls_policy verify\ntls_certcheck off", false,
	        "'tls_policy verify' and 'tls_certcheck off' contradict");
	refuses("host h\nsocket /s\ntls on\ntls_policy dane", false, "'tls_policy dane' does not go with 'socket'");
	refuses("host h\nproxy_host p\ntls on\ntls_policy dane-only", false, "'tls_policy dane-only' does not go with 'proxy_host'");
	accepts("host h\nproxy_host p\ntls on\ntls_policy verify", false, "'verify' goes with a proxy");
}

static void
test_direct(void)
{
	static const char *const words[] = {"may", "encrypt", "verify", "dane", "dane-only"};
	char lines[64];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(lines, sizeof(lines), "tls_policy %s", words[i]);
		accepts(lines, true, "in direct delivery the policy is all there is");
	}
	refuses("tls_policy verify\ntls_certcheck off", true, "'tls_policy verify' and 'tls_certcheck off' contradict");
	refuses("tls_policy verify\ntls_trust_file ", true, "'tls_policy verify' needs a tls_trust_file");
	accepts("tls_policy dane-only\ntls_trust_file ", true, "'dane-only' needs no authorities");
}

int
main(void)
{
	test_relay();
	test_direct();
	return tap_end();
}
