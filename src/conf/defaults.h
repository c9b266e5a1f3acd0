/* defaults.h - completes a chosen account: names of this host and user, ports, expansions of %U %H %C %M in `from`. */

#ifndef CONF_DEFAULTS_H
#define CONF_DEFAULTS_H

#include "base/err.h"
#include "conf/account.h"

/* Fill in what depends on other settings or on the system (msmtp's rules: port 25, 465 with implicit TLS, none
 * for LMTP; proxy port 1080; expansion of %U, %H, %C, %M in from (a pattern stays as it is) and of %H, %C, %M
 * in domain; mailname from /etc/mailname, else the host's full name by uname and the hosts file, never by DNS).
 * Then check what does not fit together (EX_CONFIG): no host and no socket, tls_key_file without tls_cert_file,
 * LMTP without port, auth without user, ... */
bool defaults_complete(struct account *account, struct err *err);

/* The envelope sender: of `wanted` (as given with -f or found in the message; NULL: none) and the completed
 * account's auto_from, from and allow_from_override, as msmtp weighs them; where all of them are silent, the
 * login name at mailname. The null sender is "". `wanted` is handed on as it was written ("<>" is ""). False:
 * EX_CONFIG, `from` is a pattern and there is no `wanted`. *sender is the caller's. */
bool defaults_sender(const struct account *account, const char *wanted, char **sender, struct err *err);

/* The full name of this host: first line of the file mailname, else `node` when it has a dot, else the first
 * name with a dot on the line of the file hosts that names `node`, else `node`. Never by DNS. Either path may
 * be NULL. The caller's. */
char *defaults_host_name(const char *mailname, const char *hosts, const char *node);

/* The names this host goes by. */
struct defaults_names {
	char *node;             /* as uname(2) has it; never NULL once found */
	char *short_name;       /* of it, before the first dot */
	char *full_name;        /* as defaults_host_name() finds it without the file mailname */
	const char *domains[6]; /* all of them, localhost and mailname; ends with NULL */
};

/* Find them. mailname is borrowed, and may be NULL. The caller frees them. */
void defaults_find_names(struct defaults_names *names, const char *mailname);
void defaults_names_free(struct defaults_names *names);

/* The login name of the real user id, "uid1234" without a passwd entry; the caller's. Never from the environment. */
char *defaults_login_name(void);

/* First part of the passwd entry's gecos field with "&" expanded; NULL when empty. The caller's. */
char *defaults_full_name(void);

#endif
