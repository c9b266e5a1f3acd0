/* mechanism.h - the authentication mechanisms there are, and which of them a connection may use. Pure. */

#ifndef AUTH_MECHANISM_H
#define AUTH_MECHANISM_H

#include "base/err.h"
#include "conf/account.h"

enum mechanism_trait {
	MECHANISM_IS_OURS = 1, /* not libgsasl's */
	MECHANISM_IS_SCRAM = 2,
	MECHANISM_NEEDS_BINDING = 4,    /* channel binding data of a TLS session */
	MECHANISM_NEEDS_PROTECTION = 8, /* a listener would learn the secret, or could guess it */
	MECHANISM_NEEDS_NO_SECRET = 16,
	MECHANISM_SERVER_FIRST = 32,     /* no initial response */
	MECHANISM_EMPTY_CHALLENGE = 64,  /* the server's first challenge may be empty although it speaks first */
	MECHANISM_BINARY_CHALLENGE = 128, /* challenges are not text */
	MECHANISM_IS_NEWER_HASH = 256     /* the stronger one of two in the same class */
};

struct mechanism {
	const char *name; /* in capitals */
	enum account_auth choice;
	enum account_auth_min class;
	unsigned int traits; /* of enum mechanism_trait */
};

/* By name (without case) or by the account's setting; NULL when there is none. Constant. */
const struct mechanism *mechanism_find(const char *name);
const struct mechanism *mechanism_of_choice(enum account_auth choice);

/* What the server offers on a connection. */
struct mechanism_offer {
	struct str words; /* behind the AUTH keyword, as seen after TLS; compared whole and without case */
	bool is_protected; /* TLS is on, or the account allows clear text on this connection */
	bool has_binding;  /* there is channel binding data */
};

/* What is asked for. */
struct mechanism_wish {
	enum account_auth choice;
	enum account_auth_min least;
	const struct mechanism *before; /* used earlier in this run: nothing weaker is; NULL: none was */
};

/* As sasl_choose() promises; *chosen is constant. */
bool mechanism_choose(const struct mechanism_wish *wish, const struct mechanism_offer *offer,
                      const struct mechanism **chosen, struct err *err);

/* The word of auth_min for a class. Constant. */
const char *mechanism_class_name(enum account_auth_min class);

#endif
