/* tlspolicy.c - does the setting tls_policy fit with the others? Pure. */

#include "config.h"

#include "conf/keyword.h"
#include "conf/tlspolicy.h"

static const char *
word_of(enum account_tls_policy policy)
{
	const struct keyword_word *word = keyword_find(STR("tls_policy"), NULL)->words;

	while (word->word != NULL && word->value != (int)policy)
		word++;
	return word->word;
}

static bool
is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static bool
was_set(const struct account *account)
{
	size_t row = 0;

	(void)keyword_find(STR("tls_policy"), &row);
	return account->origins[row].file != NULL;
}

/* A policy is said of one host without TLS. That nothing is said, and that nobody logs in, is an old configuration. */
static bool
check_without_tls(const struct account *account, struct err *err)
{
	if (account->tls_policy != TLS_POLICY_MAY)
		err_set(err, EX_CONFIG, "'tls_policy %s' needs 'tls on'", word_of(account->tls_policy));
	else if (account->auth != AUTH_OFF && was_set(account))
		err_set(err, EX_CONFIG,
		        "'tls_policy may' does not go with 'auth': where TLS is used only if it happens to be offered, anybody "
		        "on the way can take it away");
	else
		return true;
	return err_hint(err, "set 'tls on'");
}

static bool
is_dane(const struct account *account)
{
	return account->tls_policy == TLS_POLICY_DANE || account->tls_policy == TLS_POLICY_DANE_ONLY;
}

static bool
check_relay(const struct account *account, struct err *err)
{
	if (!account->tls)
		return check_without_tls(account, err);
	if (is_dane(account) && account->socket != NULL)
		return err_set(err, EX_CONFIG, "'tls_policy %s' does not go with 'socket': DNS knows nothing of it",
		               word_of(account->tls_policy));
	if (is_dane(account) && is_given(account->proxy_host)) {
		err_set(err, EX_CONFIG, "'tls_policy %s' does not go with 'proxy_host': the proxy looks the host up",
		        word_of(account->tls_policy));
		return err_hint(err, "without DANE the certificate is checked as tls_trust_file and the like say");
	}
	return true;
}

bool
tlspolicy_check(const struct account *account, bool is_direct, struct err *err)
{
	if (account->tls_policy == TLS_POLICY_VERIFY && !account->tls_certcheck)
		return err_set(err, EX_CONFIG, "'tls_policy verify' and 'tls_certcheck off' contradict each other");
	if (!is_direct)
		return check_relay(account, err);
	if (account->tls_policy == TLS_POLICY_VERIFY && !is_given(account->tls_trust_file)) {
		err_set(err, EX_CONFIG, "'tls_policy verify' needs a tls_trust_file");
		return err_hint(err, "'tls_trust_file system' trusts what the system trusts");
	}
	return true;
}
