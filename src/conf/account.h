/* account.h - one account: every setting as written, which of them were set and where.
 *
 * The fields are filled through the table in conf/keyword.c only; conf/defaults.c completes them (ports,
 * names). A value of NULL or 0 means "not set" unless said otherwise. Strings are owned by the account. */

#ifndef CONF_ACCOUNT_H
#define CONF_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum account_protocol {
	PROTOCOL_SMTP,
	PROTOCOL_LMTP
};

/* delivery: to whom a message is handed. */
enum account_delivery {
	DELIVER_TO_RELAY,
	DELIVER_DIRECT  /* to the recipients' own servers */
};

/* tls_policy: the least that a host must offer. */
enum account_tls_policy {
	TLS_POLICY_MAY,      /* TLS where it is offered, and as it is published (DANE, MTA-STS) */
	TLS_POLICY_ENCRYPT,  /* TLS, with any certificate */
	TLS_POLICY_VERIFY,   /* TLS with a certificate for the host's name */
	TLS_POLICY_DANE,     /* TLSA records where there are any */
	TLS_POLICY_DANE_ONLY
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
	AUTH_ANONYMOUS,
	AUTH_NTLM
};

/* auth_min: the weakest class of mechanisms that may be used, by what the server, or who poses as it, learns. */
enum account_auth_min {
	AUTH_MIN_PLAIN,     /* the secret itself */
	AUTH_MIN_CRAM,      /* something to guess it by */
	AUTH_MIN_SCRAM,     /* little, and it must prove that it knows us */
	AUTH_MIN_SCRAM_PLUS /* nothing that is of use on another connection */
};

/* auth_cleartext: where a secret may cross the wire without TLS. */
enum account_cleartext {
	CLEARTEXT_NEVER,
	CLEARTEXT_LOOPBACK,
	CLEARTEXT_ALWAYS
};

/* tls_ocsp: what is made of stapled OCSP responses. */
enum account_ocsp {
	OCSP_ON,     /* one that is there must be good */
	OCSP_OFF,    /* they are not asked for */
	OCSP_REQUIRE /* a good one must be there */
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

/* What is done to a message to mend it. */
enum account_repair {
	REPAIR_SAFE, /* what is missing is added, what is wrong or cannot be sent is changed */
	REPAIR_OFF,  /* nothing but Bcc is removed */
	REPAIR_FULL  /* a To as well, where there is neither To nor Cc */
};

/* Raw 8-bit text in the header of a message for a server without SMTPUTF8. */
enum account_utf8_headers {
	UTF8_HEADERS_ENCODE,
	UTF8_HEADERS_REJECT
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

enum { ACCOUNT_SETTINGS_MOST = 128 }; /* at least as many as rows in the table; asserted there */

/* queue: what becomes of a message that cannot be delivered now. */
enum account_queue {
	QUEUE_ON,     /* try now, then keep it */
	QUEUE_OFF,    /* the caller keeps it (75) */
	QUEUE_ALWAYS  /* keep it without trying */
};

/* Where a value came from. */
struct origin {
	const char *file; /* path, or "command line", "environment"; NULL: a default. Borrowed from the config */
	int line;         /* 0: not from a file */
};

struct account {
	char *id;
	struct origin origin; /* of the `account` line */

	char *host;                /* as conf/hostlist.h reads it; completed by defaults: mx for direct delivery */
	int port;                  /* completed by defaults: 25, 465 */
	enum account_delivery delivery; /* completed by defaults: direct for host mx */
	char *socket;
	int64_t timeout;           /* seconds; 0: the stages' own limits (RFC 5321 4.5.3.2) */
	enum account_protocol protocol;
	char *domain;              /* EHLO name */
	char *source_ip;
	char *dns_server;          /* ADDRESS[@PORT]; NULL: those of /etc/resolv.conf */
	char *dns_trust_anchor;    /* a path; NULL: the system's, "": none, so that nothing is secure */
	char *proxy_host;
	int proxy_port;
	char *proxy_user;
	char *proxy_password;

	enum account_auth auth;
	enum account_auth_min auth_min;
	enum account_cleartext auth_cleartext;
	char *user;
	char *password;            /* wiped by account_free */
	char *password_file;       /* its first line is the password */
	char *passwordeval;
	char *passwordexec;        /* words of a command without a shell, as written */
	bool keyring;
	char *ntlmdomain;

	bool tls;
	bool tls_starttls;
	enum account_tls_policy tls_policy;
	char *tls_trust_file;      /* "system", "" for none, or a path */
	char *tls_crl_file;
	enum account_ocsp tls_ocsp;
	char *tls_fingerprint;     /* perhaps with "also " in front */
	char *tls_pin;             /* list of "sha256/BASE64" or hex SPKI digests, perhaps with "only " in front */
	bool tls_tofu;             /* trust on first use instead of tls_trust_file */
	char *tls_key_file;
	char *tls_cert_file;
	char *tls_key_password;    /* passphrase of tls_key_file, or PIN of its token; wiped by account_free */
	bool tls_certcheck;
	char *tls_priorities;
	char *tls_host_override;
	int tls_min_dh_prime_bits;
	int tls_min;               /* 12 or 13: TLS 1.2, 1.3 */
	bool require_tls;          /* REQUIRETLS (RFC 8689) */
	bool mta_sts;
	char *mta_sts_connect;     /* ADDRESS:PORT; NULL: the policy host's port 443 */
	char *mta_sts_trust_file;  /* "system" or a path */
	bool tls_report;           /* write down each session of a direct delivery for --tls-report */

	char *from;                /* pattern or address as written; "" is the null reverse-path; NULL: not set */
	char *from_full_name;
	bool allow_from_override;
	bool auto_from;
	char *maildomain;
	char *mailname;            /* completed by defaults */
	char *identity;            /* rules of mail/identity.h as written; NULL: none */
	char *dsn_notify;          /* "never" or a comma list, as written */
	enum account_dsn_return dsn_return;
	enum account_switch set_from_header;
	enum account_switch set_date_header;
	enum account_switch set_msgid_header;
	bool set_to_header;
	bool undisclosed_recipients;
	bool remove_bcc_headers;
	enum account_lone_dot lone_dot;
	enum account_repair repair;
	enum account_utf8_headers utf8_headers;
	int64_t max_message_size;  /* bytes; 0: unlimited */

	char *dkim_domain;         /* in ASCII, completed by defaults; NULL: nothing is signed */
	char *dkim_selector;       /* in ASCII likewise; NULL only together with dkim_domain */
	char *dkim_key_file;
	char *dkim_selector2;      /* NULL: there is no second key */
	char *dkim_key_file2;

	bool atomic;
	enum account_pipelining pipelining;
	bool chunking;             /* auto is true: use CHUNKING where it is offered */
	int pipeline_depth;        /* messages that may be under way in a session without an answer */

	enum account_queue queue;
	char *queue_dir;           /* NULL: by the rules of queue/spool.h */
	int64_t queue_lifetime;    /* seconds */
	int queue_lanes;           /* processes that deliver at the same time in a flush */
	int max_connections;       /* of all processes together to the account's server */
	int64_t submit_timeout;    /* seconds that a call may take before the message is queued; 0: no limit of its own */
	char *bounce_to;           /* "local", "sender" or an address */
	char *treat_as_temporary;  /* list of enhanced codes as written: refusals that are not for good */

	char *logfile;
	char *logfile_time_format;
	char *syslog;              /* "off", or a facility name such as LOG_USER */
	enum account_log_format log_format;
	char *aliases;
	bool environment;          /* in the system's file: do MAILCRANE_ variables count under the sendmail names? In a queue
	                            * entry: the secrets come from such variables */

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

/* Where `nearer` sets a way to the password, forget every such way in target: a password further off must not come before
 * a command nearer by. With an `origin` (not NULL) only those that came from there. */
void account_forget_passwords(struct account *target, const struct account *nearer, const char *origin);

/* Is a refusal with this enhanced code one for now (treat_as_temporary), though it says that it is for good? */
bool account_treats_as_temporary(const struct account *account, const unsigned short enhanced[3]);

/* Append a line "name value\n" for every setting that was set in overrides, for account_read_settings(); secrets are left out,
 * and what has its effect when the message is read (KEYWORD_OF_MESSAGE).
 * Line ends and backslashes in a value are escaped, so that each setting has one line; relative paths become absolute ones. */
void account_add_settings(struct buf *b, const struct account *overrides);

/* The reverse: set in overrides (which is account_init()ed) what these lines say, as if it came from the command line. False:
 * EX_CONFIG, a line that is no such line, or a setting that is not known or not valid (any more). */
bool account_read_settings(struct account *overrides, struct str text, struct err *err);

/* Append every setting, secrets as "*". Without origins: "key = value" in the layout of msmtp --pretend, "(not
 * set)" for what is not. With origins: a configuration that can be read back, each setting below a comment that
 * says where it came from ("FILE:LINE", "command line", "environment", "default"); secrets are comments as a
 * whole. */
void account_print(struct buf *b, const struct account *account, bool with_origins);

/* Frees, wiping secrets. Twice is harmless. */
void account_free(struct account *account);

#endif
