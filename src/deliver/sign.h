/* sign.h - DKIM signatures (RFC 6376, 8301, 8463) of an account: its keys, and messages signed with them.
 *
 * RSA keys of 2048 to 4096 bits (rsa-sha256) and Ed25519 keys (ed25519-sha256) in PEM form, without a passphrase. Reads key
 * files. */

#ifndef DELIVER_SIGN_H
#define DELIVER_SIGN_H

#include "conf/account.h"
#include "mail/message.h"

struct sign_key {
	void *key;             /* gnutls_privkey_t */
	const char *selector;  /* borrowed from the account */
	const char *algorithm; /* as in a=; constant */
};

enum { SIGN_KEYS_MOST = 2 };

/* Zeroed: it signs nothing. */
struct signer {
	const char *domain; /* borrowed from the account */
	struct sign_key keys[SIGN_KEYS_MOST];
	size_t n_keys;
};

/* Does the account sign? Then messages should be made of 7-bit lines first, for a server on the way may not take others and
 * whoever re-encodes them breaks the signature (RFC 6376 5.3). */
bool sign_is_wanted(const struct account *account);

/* Read the keys of the account, which must outlive the signer. An account that does not sign has none. False: EX_CONFIG or
 * EX_NOINPUT, err has the setting, the file, and a hint. */
bool sign_open(struct signer *signer, const struct account *account, struct err *err);

/* Make the message `out`, which is `in` with a signature by each key in front; in memory or a spool file as message_read() does.
 * The same message and keys give the same bytes. *why_not is NULL then; else it says why the message goes unsigned, and out is
 * zeroed. out is the caller's to free. False: the message cannot be read, or a spool file not be written. */
bool sign_message(const struct signer *signer, const struct message *in, struct message *out, const char **why_not,
                  struct err *err);

void sign_close(struct signer *signer);

#endif
