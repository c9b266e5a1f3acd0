/* mechanism.c - which authentication mechanism a connection may use. Pure. */

#include "config.h"

#include "auth/mechanism.h"

enum {
	SCRAM_1 = MECHANISM_IS_SCRAM,
	SCRAM_256 = MECHANISM_IS_SCRAM | MECHANISM_IS_NEWER_HASH,
	DIGEST = MECHANISM_NEEDS_PROTECTION | MECHANISM_SERVER_FIRST,
	OAUTH = MECHANISM_IS_OURS | MECHANISM_NEEDS_PROTECTION,
	TICKET = MECHANISM_NEEDS_NO_SECRET | MECHANISM_BINARY_CHALLENGE,
	PROMPTS = MECHANISM_NEEDS_PROTECTION | MECHANISM_SERVER_FIRST | MECHANISM_EMPTY_CHALLENGE
};

/* Those that `auth on` may choose stand first, the best on top.
 *
 * The classes: a token of OAuth is the secret itself. The ticket of GSSAPI is no secret, and the server must prove itself
 * as with SCRAM. What EXTERNAL rests on, the client's signature over the TLS handshake, is good for this one connection, as
 * a channel binding makes SCRAM. ANONYMOUS shows nothing and asks nothing of the server: the least. */
enum { N_AUTOMATIC = 6 };
static const struct mechanism mechanisms[] = {
	{"SCRAM-SHA-256-PLUS", AUTH_SCRAM_SHA_256_PLUS, AUTH_MIN_SCRAM_PLUS, SCRAM_256 | MECHANISM_NEEDS_BINDING},
	{"SCRAM-SHA-1-PLUS", AUTH_SCRAM_SHA_1_PLUS, AUTH_MIN_SCRAM_PLUS, SCRAM_1 | MECHANISM_NEEDS_BINDING},
	{"SCRAM-SHA-256", AUTH_SCRAM_SHA_256, AUTH_MIN_SCRAM, SCRAM_256},
	{"SCRAM-SHA-1", AUTH_SCRAM_SHA_1, AUTH_MIN_SCRAM, SCRAM_1},
	{"PLAIN", AUTH_PLAIN, AUTH_MIN_PLAIN, MECHANISM_NEEDS_PROTECTION},
	{"LOGIN", AUTH_LOGIN, AUTH_MIN_PLAIN, PROMPTS},
	{"CRAM-MD5", AUTH_CRAM_MD5, AUTH_MIN_CRAM, DIGEST},
	{"DIGEST-MD5", AUTH_DIGEST_MD5, AUTH_MIN_CRAM, DIGEST},
	{"EXTERNAL", AUTH_EXTERNAL, AUTH_MIN_SCRAM_PLUS, MECHANISM_NEEDS_NO_SECRET},
	{"GSSAPI", AUTH_GSSAPI, AUTH_MIN_SCRAM, TICKET},
	{"OAUTHBEARER", AUTH_OAUTHBEARER, AUTH_MIN_PLAIN, OAUTH},
	{"XOAUTH2", AUTH_XOAUTH2, AUTH_MIN_PLAIN, OAUTH},
	{"ANONYMOUS", AUTH_ANONYMOUS, AUTH_MIN_PLAIN, MECHANISM_NEEDS_NO_SECRET},
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

/* Is one of two mechanisms the weaker one? PLAIN and LOGIN are the same in this respect. */
static bool
is_weaker(const struct mechanism *one, const struct mechanism *other)
{
	if (one->class != other->class)
		return one->class < other->class;
	return !has(one, MECHANISM_IS_NEWER_HASH) && has(other, MECHANISM_IS_NEWER_HASH);
}

static bool
is_usable(const struct mechanism *one, const struct mechanism_offer *offer)
{
	return (offer->has_binding || !has(one, MECHANISM_NEEDS_BINDING)) &&
	       (offer->is_protected || !has(one, MECHANISM_NEEDS_PROTECTION)) && is_offered(offer, one->name);
}

/* What is offered could be used, but is too weak. */
static bool
refuse_weak(const struct mechanism_wish *wish, const struct mechanism_offer *offer, const struct mechanism *best,
            struct err *err)
{
	const char *floor = mechanism_class_name(wish->least);
	struct buf why = {0};

	if (best->class < wish->least) {
		buf_printf(&why, "it is below 'auth_min %s'", floor);
		refuse(err, offer, best->name, buf_text(&why));
		err_hint(err,
		         "if the server offered more before, somebody may be between it and you; if it never did, set "
		         "'auth_min %s'",
		         mechanism_class_name(best->class));
	} else {
		buf_printf(&why, "it is weaker than %s, which this run used before", wish->before->name);
		refuse(err, offer, best->name, buf_text(&why));
		err_hint(err, "somebody may be between the server and you, or the servers of this account differ: name "
		              "the method with 'auth' that all of them offer");
	}
	buf_free(&why);
	return false;
}

/* auth on */
static bool
choose_best(const struct mechanism_wish *wish, const struct mechanism_offer *offer, const struct mechanism **chosen,
            struct err *err)
{
	for (size_t i = 0; i < N_AUTOMATIC; i++) {
		const struct mechanism *best = &mechanisms[i];

		if (!is_usable(best, offer))
			continue;
		if (best->class < wish->least || (wish->before != NULL && is_weaker(best, wish->before)))
			return refuse_weak(wish, offer, best, err);
		*chosen = best;
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
check_named(const struct mechanism *named, const struct mechanism_wish *wish, const struct mechanism_offer *offer,
            struct err *err)
{
	if (named->class < wish->least) {
		struct buf why = {0};

		buf_printf(&why, "it is below 'auth_min %s'", mechanism_class_name(wish->least));
		refuse(err, offer, named->name, buf_text(&why));
		buf_free(&why);
		return err_hint(err, "name another method with 'auth', or set 'auth_min %s'",
		                mechanism_class_name(named->class));
	}
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
mechanism_choose(const struct mechanism_wish *wish, const struct mechanism_offer *offer,
                 const struct mechanism **chosen, struct err *err)
{
	const struct mechanism *named = mechanism_of_choice(wish->choice);

	*chosen = NULL;
	if (wish->choice == AUTH_ON)
		return choose_best(wish, offer, chosen, err);
	if (wish->choice == AUTH_NTLM) {
		err_set(err, EX_UNAVAILABLE, "cannot use NTLM: its ciphers are broken, and there is no support for it");
		return err_hint(err, "set 'auth on', or 'auth gssapi' or 'auth xoauth2' where the server offers it");
	}
	if (named == NULL)
		return err_set(err, EX_SOFTWARE, "no authentication was asked for");
	if (!check_named(named, wish, offer, err))
		return false;
	*chosen = named;
	return true;
}

const char *
mechanism_class_name(enum account_auth_min class)
{
	static const char *const names[] = {
		[AUTH_MIN_PLAIN] = "plain",
		[AUTH_MIN_CRAM] = "cram",
		[AUTH_MIN_SCRAM] = "scram",
		[AUTH_MIN_SCRAM_PLUS] = "scram-plus",
	};

	return names[class];
}
