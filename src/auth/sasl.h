/* sasl.h - one AUTH exchange (RFC 4954) with one mechanism, by libgsasl; OAUTHBEARER and XOAUTH2 are ours. No network I/O: the caller carries the lines. */

#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include "auth/secret.h"
#include "base/err.h"
#include "conf/account.h"

struct sasl;

/* What the exchange may know. Borrowed; must outlive it. */
struct sasl_identity {
	const struct account *account;
	const struct secret *secret;    /* may be NULL for EXTERNAL, GSSAPI, ANONYMOUS */
	const char *host;               /* the server's name as configured */
	bool has_binding;               /* channel binding data of the TLS session, for -PLUS mechanisms */
	bool is_exporter;
	struct str binding;
};

/* Choose the mechanism: the one the account names if the server offers it, else (auth on) the best of those offered. `offered` is the
 * word list behind the AUTH keyword, as seen after TLS. is_protected: TLS is on, or the account allows clear text here. *name is constant.
 * False: EX_UNAVAILABLE (nothing offered, or nothing usable; err lists what was offered, hint says what to set), EX_NOPERM never. */
bool sasl_choose(const struct account *account, struct str offered, bool is_protected, bool has_binding, const char **name,
                 struct err *err);

/* Does the account's choice need a secret at all (EXTERNAL and GSSAPI do not)? */
bool sasl_needs_secret(const struct account *account);

bool sasl_start(struct sasl **sasl, const char *mechanism, const struct sasl_identity *identity, struct err *err);

/* The initial response in base64 ("=" for an empty one, RFC 4954 section 4) into out. *has_response is false when the mechanism has none (the server speaks first). */
bool sasl_initial(struct sasl *sasl, bool *has_response, struct buf *out, struct err *err);

/* Answer one challenge (the text behind "334 ", base64; at most 12288 octets) with a base64 line into out. False: EX_PROTOCOL: the caller sends "*".  */
bool sasl_step(struct sasl *sasl, struct str challenge, struct buf *out, struct err *err);

/* The server said 235: has the mechanism come to its own end (did the server prove what it must)? A 235 may carry no data. False: EX_PROTOCOL. */
bool sasl_finish(struct sasl *sasl, struct err *err);

/* For the error text after a refusal: what the mechanism learned (e.g. the status of OAuth error JSON), cleaned; "" mostly. Borrowed. */
const char *sasl_reason(const struct sasl *sasl);

/* Wipes. NULL is harmless. */
void sasl_free(struct sasl *sasl);

/* Version text of libgsasl for --version; constant. */
const char *sasl_library_version(void);

#endif
