/* secret.h - a secret in memory, and where it comes from. */

#ifndef AUTH_SECRET_H
#define AUTH_SECRET_H

#include "base/err.h"
#include "conf/account.h"

struct secret {
	struct buf text; /* NUL-terminated; wiped by secret_free */
	bool is_known;
};

/* Find the account's password before any connection is made: `password`, `passwordeval` (sh -c, stdin /dev/null, first line, exit status
 * checked, 30 s, at most 64 KiB), ~/.netrc and SYSCONFDIR/netrc (machine and login), and, if may_prompt, a prompt on /dev/tty. False: EX_CONFIG
 * (a command failed or printed nothing, a file is malformed), EX_UNAVAILABLE when there is none, with a hint naming the ways to give one. */
bool secret_find(struct secret *secret, const struct account *account, bool may_prompt, struct err *err);

/* Make the process undumpable (no core, no ptrace by others) while secrets are held. */
void secret_protect_process(void);

void secret_free(struct secret *secret);

#endif
