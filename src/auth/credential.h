/* credential.h - passwords in files of their own: `password_file`, and the credentials that systemd hands to a service. */

#ifndef AUTH_CREDENTIAL_H
#define AUTH_CREDENTIAL_H

#include "base/err.h"
#include "conf/account.h"

/* Append what the regular file at path holds, at most 64 KiB, to text, which gets its room at once. Links are followed, since
 * that is how orchestrators mount secrets, and rights are not looked at: they are read-only for everybody in a container, and
 * no configuration. False: EX_CONFIG. */
bool credential_read_file(struct buf *text, const char *path, struct err *err);

/* The same from $CREDENTIALS_DIRECTORY: mailcrane.ACCOUNT.password, or else mailcrane.password. Only a regular file of that
 * folder itself counts; no link is followed. *name is the one that was read, the caller's; NULL: there is none. What cannot be
 * opened is told in remark. False: EX_CONFIG, it is no regular file or too large. */
bool credential_find(struct buf *text, const struct account *account, char **name, struct buf *remark, struct err *err);

#endif
