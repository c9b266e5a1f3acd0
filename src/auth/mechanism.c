/* mechanism.c - which authentication mechanism a connection may use. Pure. */

#include "config.h"

#include "auth/mechanism.h"

enum {
	SCRAM_PLUS = MECHANISM_IS_SCRAM | MECHANISM_NEEDS_BINDING,
	DIGEST = MECHANISM_NEEDS_PROTECTION | MECHANISM_SERVER_FIRST,
	OAUTH = MECHANISM_IS_OURS | MECHANISM_NEEDS_PROTECTION
};

/* Those that `auth on` may choose stand first, the best on top. */
enum { N_AUTOMATIC = 6 };
static const struct mechanism mechanisms[] = {
	{"SCRAM-SHA-256-PLUS", AUTH_SCRAM_SHA_256_PLUS, SCRAM_PLUS},
	{"SCRAM-SHA-1-PLUS", AUTH_SCRAM_SHA_1_PLUS, SCRAM_PLUS},
	{"SCRAM-SHA-256", AUTH_SCRAM_SHA_256, MECHANISM_IS_SCRAM},
	{"SCRAM-SHA-1", AUTH_SCRAM_SHA_1, MECHANISM_IS_SCRAM},
	{"PLAIN", AUTH_PLAIN, MECHANISM_NEEDS_PROTECTION},
	{"LOGIN", AUTH_LOGIN, MECHANISM_NEEDS_PROTECTION | MECHANISM_SERVER_FIRST | MECHANISM_EMPTY_CHALLENGE},
	{"CRAM-MD5", AUTH_CRAM_MD5, DIGEST},
	{"DIGEST-MD5", AUTH_DIGEST_MD5, DIGEST},
	{"EXTERNAL", AUTH_EXTERNAL, MECHANISM_NEEDS_NO_SECRET},
	{"GSSAPI", AUTH_GSSAPI, MECHANISM_NEEDS_NO_SECRET | MECHANISM_BINARY_CHALLENGE},
	{"OAUTHBEARER", AUTH_OAUTHBEARER, OAUTH},
	{"XOAUTH2", AUTH_XOAUTH2, OAUTH},
};
enum { N_MECHANISMS = sizeof(mechanisms) / sizeof(mechanisms[0]) };

const struct mechanism *
mechanism_find(const char *name)
{
	for (size_t i = 0; i < N_MECHANISMS; i++)
		if (str_equals_nocase(str_of(name), str_of(mechanisms[i].name)))
			return &mechanisms[i];
	return NULL;
}

const struct mechanism *
mechanism_of_choice(enum account_auth choice)
{
	for (size_t i = 0; i < N_MECHANISMS; i++)
		if (mechanisms[i].choice == choice)
			return &mechanisms[i];
	return NULL;
}

static bool
has(const struct mechanism *mechanism, enum mechanism_trait trait)
{
	return (mechanism->traits & trait) != 0;
}

static bool
is_offered(const struct mechanism_offer *offer, const char *name)
{
	struct str words = offer->words, word = {0};

	while (str_next_word(&words, &word))
		if (str_equals_nocase(word, str_of(name)))
			return true;
	return false;
}

static bool
is_empty(const struct mechanism_offer *offer)
{
	return str_trim(offer->words).size == 0;
}

/* Fill err: what cannot be, and what is offered instead. */
static bool
refuse(struct err *err, const struct mechanism_offer *offer, const char *name, const char *why)
{
	struct buf list = {0};

	err_add_clean(&list, str_trim(offer->words));
	if (is_empty(offer))
		err_set(err, EX_UNAVAILABLE, "the server does not support authentication");
	else
		err_set(err, EX_UNAVAILABLE, "cannot use %s: %s; the server offers %s", name, why, buf_text(&list));
	buf_free(&list);
	return false;
}

static bool
refuse_unprotected(struct err *err, const struct mechanism_offer *offer, const char *name, const char *why)
{
	refuse(err, offer, name, why);
	if (is_empty(offer))
		return err_hint(err,
		                "set 'tls on' (many servers offer authentication with TLS only), or 'auth off' if the "
		                "server takes mail without it");
	return err_hint(err,
	                "set 'tls on', or 'auth_cleartext loopback' or 'auth_cleartext always' where nobody listens");
}

/* auth on */
static bool
choose_best(const struct mechanism_offer *offer, const struct mechanism **chosen, struct err *err)
{
	for (size_t i = 0; i < N_AUTOMATIC; i++) {
		const struct mechanism *one = &mechanisms[i];

		if ((has(one, MECHANISM_NEEDS_BINDING) && !offer->has_binding) ||
		    (has(one, MECHANISM_NEEDS_PROTECTION) && !offer->is_protected) || !is_offered(offer, one->name))
			continue;
		*chosen = one;
		return true;
	}
	if (!offer->is_protected)
		return refuse_unprotected(err, offer, "a secure authentication method", "the connection has no TLS");
	refuse(err, offer, "an authentication method", "'auth on' chooses SCRAM, PLAIN or LOGIN only");
	return err_hint(err, "%s",
	                is_empty(offer) ? "set 'auth off' if the server takes mail without it"
	                                : "name one of them with 'auth' if it can be used");
}

/* May the mechanism that the account names be used on this connection? */
static bool
check_named(const struct mechanism *named, const struct mechanism_offer *offer, struct err *err)
{
	if (has(named, MECHANISM_NEEDS_PROTECTION) && !offer->is_protected)
		return refuse_unprotected(err, offer, named->name,
		                          "it would show the secret to whoever listens, and the connection has no TLS");
	if (has(named, MECHANISM_NEEDS_BINDING) && !offer->has_binding) {
		refuse(err, offer, named->name, "it needs the channel binding of a TLS connection, and there is none");
		return err_hint(err, "set 'tls on', or 'auth on' to let the best of those offered be chosen");
	}
	if (is_offered(offer, named->name))
		return true;
	refuse(err, offer, named->name, "the server does not offer it");
	return err_hint(err, "%s",
	                !offer->is_protected ? "set 'tls on': many servers offer more with TLS"
	                : is_empty(offer)    ? "set 'auth off' if the server takes mail without it"
	                                     : "set 'auth on' to let the best of those offered be chosen");
}

bool
mechanism_choose(enum account_auth choice, const struct mechanism_offer *offer, const struct mechanism **chosen,
                 struct err *err)
{
	const struct mechanism *named = mechanism_of_choice(choice);

	*chosen = NULL;
	if (choice == AUTH_ON)
		return choose_best(offer, chosen, err);
	if (choice == AUTH_NTLM) {
		err_set(err, EX_UNAVAILABLE, "cannot use NTLM: its ciphers are broken, and there is no support for it");
		return err_hint(err, "set 'auth on', or 'auth gssapi' or 'auth xoauth2' where the server offers it");
	}
	if (named == NULL)
		return err_set(err, EX_SOFTWARE, "no authentication was asked for");
	if (!check_named(named, offer, err))
		return false;
	*chosen = named;
	return true;
}
