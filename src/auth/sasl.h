/* sasl.h - one AUTH exchange (RFC 4954) with one mechanism: libgsasl's, or our own OAUTHBEARER and XOAUTH2.
 *
 * No network I/O (GSSAPI may ask its ticket server): the caller carries the lines. A mechanism is chosen once and never
 * weakened afterwards. Everything written to an `out` holds secrets, also as base64; the caller wipes it. No text of an
 * error holds any part of a secret. */

#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include "auth/mechanism.h"
#include "auth/secret.h"
#include "base/err.h"
#include "conf/account.h"

enum { SASL_CHALLENGE_MOST = 12288 }; /* octets of a challenge in base64 (RFC 4954 section 4) */

struct sasl;

/* What the exchange may know. Borrowed; must outlive it. */
struct sasl_identity {
	const struct account *account; /* user, port */
	const struct secret *secret;   /* may be NULL where sasl_needs_secret() is false */
	const char *host;              /* the server's name as configured */
	bool has_binding;              /* there is channel binding data of the TLS session, for the -PLUS mechanisms */
	bool is_exporter;              /* it is tls-exporter (RFC 9266), else tls-unique (RFC 5929) */
	struct str binding;            /* the data, not encoded */
};

/* What a run knows of the logins it tried with an account, from one session to the next. Zeroed: none yet. */
struct sasl_history {
	const struct mechanism *strongest; /* that was chosen; NULL: none was */
	bool is_in;   /* and a login succeeded */
	bool is_over; /* a login was refused, or the server did what it must not: nothing more is tried */
};

/* Choose the mechanism: the one the account names, if the server offers it; else (auth on) the best of those offered.
 *
 * Without protection `auth on` considers the SCRAM mechanisms only, and a named mechanism that gives the secret, or
 * something to guess it by, to whoever listens is refused. What is below the account's auth_min is refused. So is what
 * is weaker than what the history (NULL: there is none) knows; the choice is added to it. *name becomes constant text.
 * False: EX_UNAVAILABLE, nothing is offered or nothing usable (err lists what is offered, the hint says what to set);
 * EX_NOPERM, the history is over. */
bool sasl_choose(const struct account *account, const struct mechanism_offer *offer, struct sasl_history *history,
                 const char **name, struct err *err);

/* Does the account's choice need a secret at all? EXTERNAL, GSSAPI and ANONYMOUS do not, and neither does `auth off`. */
bool sasl_needs_secret(const struct account *account);

/* Begin an exchange with a mechanism that sasl_choose() gave; sasl_free() ends it. False (*sasl is NULL): EX_CONFIG,
 * the account lacks what the mechanism needs; EX_UNAVAILABLE, libgsasl does not have it or cannot be
 * loaded. */
bool sasl_start(struct sasl **sasl, const char *mechanism, const struct sasl_identity *identity, struct err *err);

/* Append the initial response in base64 to out, "=" for an empty one (RFC 4954 section 4). *has_response is false when
 * the mechanism has none: the server speaks first. To be called once, before sasl_step(). A response too long for the
 * AUTH command is the caller's answer to the server's first, empty challenge. False: EX_CONFIG or EX_UNAVAILABLE. */
bool sasl_initial(struct sasl *sasl, bool *has_response, struct buf *out, struct err *err);

/* Append the answer to one challenge (the text behind "334 ", in base64) as base64 to out; it may be empty. After false
 * the caller sends "*": EX_NOPERM, the server asks on after everything was said, or says why the login is refused;
 * EX_CONFIG, the secret cannot be used; EX_UNAVAILABLE, GSSAPI has no ticket; else EX_PROTOCOL: not base64, too long,
 * not what the mechanism allows, an iteration count of SCRAM outside 4096 to 10000000, or the server could not prove
 * that it knows the password. */
bool sasl_step(struct sasl *sasl, struct str challenge, struct buf *out, struct err *err);

/* The server said 235: has the mechanism come to its own end, with the proof the server owes? False: EX_PROTOCOL. */
bool sasl_finish(struct sasl *sasl, struct err *err);

/* What the server said in the exchange about its refusal (the status in the error JSON of OAuth), as cleaned text for
 * behind the reply; mostly "". Borrowed. */
const char *sasl_reason(const struct sasl *sasl);

/* Wipes. NULL is harmless. */
void sasl_free(struct sasl *sasl);

/* Version text of libgsasl for --version, or that it cannot be loaded; constant. */
const char *sasl_library_version(void);

#endif
