/* keyring.h - the desktop's keyring (Secret Service), asked by secret-tool(1) with msmtp's attributes: host, service smtp,
 * user. What msmtp stored is found. */

#ifndef AUTH_KEYRING_H
#define AUTH_KEYRING_H

#include "base/err.h"
#include "conf/account.h"

/* Append the password of the account's host and user to text, which gets its room at once; nothing when there is none.
 *
 * secret-tool is run by its arguments, without a shell, and has 60 seconds if may_prompt, for a keyring may have to be unlocked
 * at the screen; else 10, and it is asked in a way that never unlocks one. Why nothing came (not installed, no session bus, a
 * failure, a keyring that is locked) is told in remark, and what to do in *hint (constant; NULL). */
void keyring_ask(struct buf *text, const struct account *account, bool may_prompt, struct buf *remark, const char **hint);

#endif
