/* defaults.h - completes a chosen account: names of this host and user, ports, expansions of %U %H %C %M in `from`. */

#ifndef CONF_DEFAULTS_H
#define CONF_DEFAULTS_H

#include "base/err.h"
#include "conf/account.h"

/* Fill in what depends on other settings or on the system (msmtp's rules: port 25, 465 with implicit TLS, none for LMTP; proxy port 1080;
 * expansion of from and domain; mailname from /etc/mailname, else the host's full name by uname and the hosts file, never by DNS). Then check what does not fit
 * together (EX_CONFIG): no host and no socket, tls_key_file without tls_cert_file, LMTP without port, auth without user, ... */
bool defaults_complete(struct account *account, struct err *err);

/* The login name of the real user id, "uid1234" without a passwd entry; the caller's. Never from the environment. */
char *defaults_login_name(void);

/* First part of the passwd entry's gecos field with "&" expanded; NULL when empty. The caller's. */
char *defaults_full_name(void);

#endif
