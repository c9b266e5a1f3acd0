/* conflict.c - settings of an account that do not go together. Pure. */

#include "config.h"

#include "conf/conflict.h"
#include "conf/hostlist.h"
#include "conf/tlspolicy.h"

static bool
is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* Does the text begin with the word, as "only" in tls_pin? */
static bool
has_word(const char *text, struct str word)
{
	struct str rest = str_of(text), first = {0};

	return str_next_word(&rest, &first) && str_equals_nocase(first, word);
}

/* Does the account trust in something else than authorities: a certificate, a key, the first one, or anything? */
static bool
does_without_authorities(const struct account *account)
{
	return !account->tls_certcheck || account->tls_tofu ||
	       (account->tls_fingerprint != NULL && !has_word(account->tls_fingerprint, STR("also"))) ||
	       has_word(account->tls_pin, STR("only"));
}

static bool
check_tls(const struct account *account, struct err *err)
{
	bool has_trust = is_given(account->tls_trust_file);

	if (account->tls_key_file != NULL && account->tls_cert_file == NULL)
		return err_set(err, EX_CONFIG, "tls_key_file requires tls_cert_file");
	if (account->tls_cert_file != NULL && account->tls_key_file == NULL)
		return err_set(err, EX_CONFIG, "tls_cert_file requires tls_key_file");
	if (!tlspolicy_check(account, account->delivery == DELIVER_DIRECT, err))
		return false;
	if (!account->tls)
		return true;
	/* TLSA records are trust enough, where there is no other way. */
	if (!has_trust && !does_without_authorities(account) && account->tls_policy != TLS_POLICY_DANE_ONLY) {
		err_set(err, EX_CONFIG, "tls requires either tls_trust_file (highly recommended) or tls_fingerprint or a disabled "
		        "tls_certcheck");
		return err_hint(err, "'tls_trust_file system' trusts what the system trusts");
	}
	if (account->tls_ocsp == OCSP_REQUIRE && does_without_authorities(account)) {
		err_set(err, EX_CONFIG, "tls_ocsp require needs authorities, and other settings make the certificate do without");
		return err_hint(err, "set 'tls_fingerprint also ...', 'tls_pin' without the word 'only', 'tls_tofu off', 'tls_certcheck on'");
	}
	if (account->tls_crl_file != NULL && !has_trust)
		return err_set(err, EX_CONFIG, "tls_crl_file requires tls_trust_file");
	if (account->socket != NULL && account->host == NULL && account->tls_host_override == NULL) {
		err_set(err, EX_CONFIG, "tls over a socket needs the name of the server");
		return err_hint(err, "set 'host' or 'tls_host_override'");
	}
	return true;
}

/* EXTERNAL takes the identity from the certificate and GSSAPI from the ticket; ANONYMOUS has none. */
static bool
check_auth(const struct account *account, struct err *err)
{
	if (account->auth == AUTH_OFF || account->auth == AUTH_EXTERNAL || account->auth == AUTH_GSSAPI ||
	    account->auth == AUTH_ANONYMOUS)
		return true;
	if (is_given(account->user))
		return true;
	err_set(err, EX_CONFIG, "authentication is on and 'user' is not set");
	return err_hint(err, "set 'user', or 'auth off'");
}

/* The recipients' own servers are spoken to by SMTP from port 25 on, and nobody has a login there. */
static bool
check_direct(const struct account *account, struct err *err)
{
	if (account->delivery != DELIVER_DIRECT)
		return true;
	if (!hostlist_is_direct(str_of(account->host))) {
		err_set(err, EX_CONFIG, "'delivery direct' and 'host %s' contradict each other", account->host);
		return err_hint(err, "leave out 'host' to deliver to the recipients' own servers, or 'delivery' to hand everything to %s",
		                account->host);
	}
	if (account->auth != AUTH_OFF) {
		err_set(err, EX_CONFIG, "direct delivery has no authentication: the recipients' servers are not yours to log in to");
		return err_hint(err, "set 'auth off' for this account, or name your relay with 'host'");
	}
	if (account->protocol == PROTOCOL_LMTP)
		return err_set(err, EX_CONFIG, "direct delivery is by SMTP: 'protocol lmtp' cannot be");
	if (account->tls_tofu)
		return err_set(err, EX_CONFIG, "direct delivery meets too many hosts to remember them: 'tls_tofu' is for a relay");
	if (is_given(account->socket) || is_given(account->proxy_host))
		return err_set(err, EX_CONFIG, "direct delivery goes to many hosts: it can use neither 'socket' nor 'proxy_host'");
	return true;
}

bool
conflict_check(const struct account *account, struct err *err)
{
	return check_direct(account, err) && check_tls(account, err) && check_auth(account, err);
}
