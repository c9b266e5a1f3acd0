/* environment.h - settings by variables, for containers: MAILCRANE_URL, and MAILCRANE_SETTING for every row of the table.
 *
 *     MAILCRANE_URL=smtps://joe@smtp.example.org     MAILCRANE_PASSWORD_FILE=/run/secrets/smtp
 *
 *     smtp://      without TLS, port 25              smtp+tls://  STARTTLS, port 587
 *     smtps://     TLS from the first byte, 465      lmtp://      LMTP, with a port
 *
 * Behind the scheme stand USER[:PASSWORD]@, percent-encoded, with `auth on`; the host; a port; nothing else. A variable of a
 * setting wins over what the URL says; an empty variable counts as none. Variables are read by secure_getenv(3). */

#ifndef CONF_ENVIRONMENT_H
#define CONF_ENVIRONMENT_H

#include "base/err.h"
#include "conf/account.h"

struct environment {
	struct account settings; /* is_set tells which; their origin is "environment" */
	bool is_used;            /* there is a variable of ours */
	bool has_url;            /* MAILCRANE_URL makes an account of its own */
	struct buf warnings;     /* a line for each MAILCRANE_ variable that is nothing we know */
	struct err fault;        /* the first value that cannot be used (EX_CONFIG, "MAILCRANE_PORT: port: ...") */
};

extern const char environment_origin[];

/* Take the variables into `environment`, which is zeroed. Those that hold a secret, or say where it is, are taken out of the
 * process's environment, and what they held is overwritten: no child sees them, nor does /proc/PID/environ. Nothing is wrong
 * until somebody wants to use it: see fault. */
void environment_take(struct environment *environment);

/* Does the system's file say `environment on`? Only a file of root's that nobody else may write counts. */
bool environment_is_allowed(const char *system_file);

/* Read one URL. False: EX_CONFIG; err quotes nothing but the scheme, since everything behind it may be a password. */
bool environment_read_url(struct account *account, struct str url, struct err *err);

/* Copy the secrets, and nothing else, over those of account, unless the variables name another host or user than the
 * account has: a password must not get to a server that it is not for. That of a proxy or a key counts likewise only where
 * the variables name no other one. */
void environment_lend_secrets(const struct environment *environment, struct account *account);

/* Wipes. Twice is harmless. */
void environment_free(struct environment *environment);

#endif
