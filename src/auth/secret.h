/* secret.h - a secret in memory, and where it comes from. */

#ifndef AUTH_SECRET_H
#define AUTH_SECRET_H

#include "base/err.h"
#include "conf/account.h"

/* A zeroed struct secret is valid and holds nothing. */
struct secret {
	struct buf text; /* in one piece of memory, followed by a NUL; only buf_wipe() may free it */
	bool is_known;
	const char *source; /* where it was found, for people; constant */
};

/* Find the account's password (or access token) before any connection is made. The first of these that has one counts:
 *
 *   1. the setting `password`, also by the variable MAILCRANE_PASSWORD;
 *   2. the first line of the file that `password_file` names;
 *   3. the first line that the setting `passwordeval` prints, without CR and LF (proc_run: sh -c, stdin /dev/null, exit
 *      status checked, 120 seconds, 64 KiB);
 *   4. the same of `passwordexec`, which is run without a shell;
 *   5. $CREDENTIALS_DIRECTORY (see credential.h);
 *   6. with `keyring on`, the desktop's keyring (see keyring.h);
 *   7. ~/.netrc, then SYSCONFDIR/netrc: the entry with the account's host and user (see netrc.h). A ~/.netrc with that
 *      password must belong to the user and be closed to all others, except for root, as the configuration file;
 *   8. if may_prompt and the program is in the foreground of its terminal, the user at /dev/tty, within five minutes; the echo is
 *      on again whatever ends the prompt.
 *
 * Without may_prompt no child gets a terminal either, so that no gpg or pinentry can ask there.
 *
 * False: EX_CONFIG when 2, 3 or 4 is set and failed or gave nothing, a credential cannot be used, or a netrc file is malformed or
 * open to others; EX_UNAVAILABLE when there is no password. err names the setting or file, never what it holds; the hint says
 * what to do. */
bool secret_find(struct secret *secret, const struct account *account, bool may_prompt, struct err *err);

/* Keep memory with secrets to this process: no core file, and no other process of the same user may look into it. */
void secret_protect_process(void);

/* Wipes. Twice is harmless. */
void secret_free(struct secret *secret);

#endif
