/* account.h - one account: every setting as written, which of them were set and where.
 *
 * The fields are filled through the table in conf/keyword.c only; conf/defaults.c completes them (ports,
 * names). A value of NULL or 0 means "not set" unless said otherwise. Strings are owned by the account. */

#ifndef CONF_ACCOUNT_H
#define CONF_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum account_protocol {
	PROTOCOL_SMTP,
	PROTOCOL_LMTP
};

enum account_switch {
	SWITCH_OFF,
	SWITCH_ON,
	SWITCH_AUTO
};

/* auth: the mechanism, in the order of the table of names in keyword.c. */
enum account_auth {
	AUTH_OFF,
	AUTH_ON, /* choose the best the server offers */
	AUTH_PLAIN,
	AUTH_LOGIN,
	AUTH_EXTERNAL,
	AUTH_CRAM_MD5,
	AUTH_DIGEST_MD5,
	AUTH_SCRAM_SHA_1,
	AUTH_SCRAM_SHA_1_PLUS,
	AUTH_SCRAM_SHA_256,
	AUTH_SCRAM_SHA_256_PLUS,
	AUTH_GSSAPI,
	AUTH_OAUTHBEARER,
	AUTH_XOAUTH2,
	AUTH_NTLM
};

/* auth_cleartext: where a secret may cross the wire without TLS. */
enum account_cleartext {
	CLEARTEXT_NEVER,
	CLEARTEXT_LOOPBACK,
	CLEARTEXT_ALWAYS
};

enum account_pipelining {
	PIPELINING_AUTO,
	PIPELINING_OFF
};

enum account_lone_dot {
	LONE_DOT_DEFAULT, /* by the name of the program: end in sendmail names without -i, else keep */
	LONE_DOT_END,
	LONE_DOT_KEEP
};

enum account_log_format {
	LOG_FORMAT_MSMTP,
	LOG_FORMAT_JSON
};

enum account_dsn_return {
	DSN_RETURN_OFF,
	DSN_RETURN_HEADERS,
	DSN_RETURN_FULL
};

enum { ACCOUNT_SETTINGS_MOST = 80 }; /* at least as many as rows in the table; asserted there */

/* Where a value came from. */
struct origin {
	const char *file; /* path, or "command line", "environment"; NULL: a default. Borrowed from the config */
	int line;         /* 0: not from a file */
};

struct account {
	char *id;
	struct origin origin; /* of the `account` line */

	char *host;
	int port;                  /* completed by defaults: 25, 465 */
	char *socket;
	int64_t timeout;           /* seconds; 0: the stages' own limits (RFC 5321 4.5.3.2) */
	enum account_protocol protocol;
	char *domain;              /* EHLO name */
	char *source_ip;
	char *proxy_host;
	int proxy_port;
	char *proxy_user;
	char *proxy_password;

	enum account_auth auth;
	enum account_cleartext auth_cleartext;
	char *user;
	char *password;            /* wiped by account_free */
	char *passwordeval;
	char *ntlmdomain;

	bool tls;
	bool tls_starttls;
	char *tls_trust_file;      /* "system", "" for none, or a path */
	char *tls_crl_file;
	char *tls_fingerprint;
	char *tls_pin;             /* list of "sha256/BASE64" or hex SPKI digests */
	char *tls_key_file;
	char *tls_cert_file;
	bool tls_certcheck;
	char *tls_priorities;
	char *tls_host_override;
	int tls_min_dh_prime_bits;
	int tls_min;               /* 12 or 13: TLS 1.2, 1.3 */

	char *from;                /* pattern or address as written; "" is the null reverse-path; NULL: not set */
	char *from_full_name;
	bool allow_from_override;
	bool auto_from;
	char *maildomain;
	char *mailname;            /* completed by defaults */
	char *dsn_notify;          /* "never" or a comma list, as written */
	enum account_dsn_return dsn_return;
	enum account_switch set_from_header;
	enum account_switch set_date_header;
	enum account_switch set_msgid_header;
	bool set_to_header;
	bool undisclosed_recipients;
	bool remove_bcc_headers;
	enum account_lone_dot lone_dot;
	int64_t max_message_size;  /* bytes; 0: unlimited */

	bool atomic;
	enum account_pipelining pipelining;
	bool chunking;             /* auto is true: use CHUNKING where it is offered */

	char *logfile;
	char *logfile_time_format;
	char *syslog;              /* "off", or a facility name such as LOG_USER */
	enum account_log_format log_format;
	char *aliases;

	bool is_set[ACCOUNT_SETTINGS_MOST];             /* by row of the table: written explicitly (here or by inheritance) */
	struct origin origins[ACCOUNT_SETTINGS_MOST];   /* by row of the table: where the value came from, also when it was
	                                                 * taken over from `defaults` */
};

/* A new account with the built-in defaults, nothing set. */
void account_init(struct account *account);

/* target becomes a copy of source (deep); its old contents are freed. */
void account_copy(struct account *target, const struct account *source);

/* Copy the values that were set in source over those of target, with their origins. */
void account_override(struct account *target, const struct account *source);

/* Append every setting, secrets as "*". Without origins: "key = value" in the layout of msmtp --pretend, "(not
 * set)" for what is not. With origins: a configuration that can be read back, each setting below a comment that
 * says where it came from ("FILE:LINE", "command line", "environment", "default"); secrets are comments as a
 * whole. */
void account_print(struct buf *b, const struct account *account, bool with_origins);

/* Frees, wiping secrets. Twice is harmless. */
void account_free(struct account *account);

#endif
