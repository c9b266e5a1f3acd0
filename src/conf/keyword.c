/* keyword.c - the one table of settings. Pure.
 *
 * The order of the rows is that of msmtp --pretend, with ours beside their kin. */

#include "config.h"

#include <stddef.h>

#include "conf/complain.h"
#include "conf/hostlist.h"
#include "conf/keyword.h"

/* More edits than this between two words is another word. */
enum { NEAR_MOST = 3 };

static const struct keyword_word off_words[] = {{"off", 0, NULL}, {0}};

static const struct keyword_word off_or_unlimited_words[] = {{"unlimited", 0, NULL}, {"off", 0, NULL}, {0}};

static const struct keyword_word on_off_words[] = {{"on", true, NULL}, {"off", false, NULL}, {0}};

static const struct keyword_word auto_off_switch_words[] = {{"auto", true, NULL}, {"off", false, NULL}, {0}};

static const struct keyword_word protocol_words[] = {
	{"smtp", PROTOCOL_SMTP, NULL}, {"lmtp", PROTOCOL_LMTP, NULL}, {0}
};

static const struct keyword_word delivery_words[] = {
	{"relay", DELIVER_TO_RELAY, NULL}, {"direct", DELIVER_DIRECT, NULL}, {0}
};

static const struct keyword_word auth_words[] = {
	{"on", AUTH_ON, "choose"},
	{"off", AUTH_OFF, "none"},
	{"plain", AUTH_PLAIN, NULL},
	{"login", AUTH_LOGIN, NULL},
	{"external", AUTH_EXTERNAL, NULL},
	{"cram-md5", AUTH_CRAM_MD5, NULL},
	{"digest-md5", AUTH_DIGEST_MD5, NULL},
	{"scram-sha-1", AUTH_SCRAM_SHA_1, NULL},
	{"scram-sha-1-plus", AUTH_SCRAM_SHA_1_PLUS, NULL},
	{"scram-sha-256", AUTH_SCRAM_SHA_256, NULL},
	{"scram-sha-256-plus", AUTH_SCRAM_SHA_256_PLUS, NULL},
	{"gssapi", AUTH_GSSAPI, NULL},
	{"oauthbearer", AUTH_OAUTHBEARER, NULL},
	{"xoauth2", AUTH_XOAUTH2, NULL},
	{"anonymous", AUTH_ANONYMOUS, NULL},
	{"ntlm", AUTH_NTLM, NULL},
	{0}
};

static const struct keyword_word auth_min_words[] = {
	{"plain", AUTH_MIN_PLAIN, NULL},
	{"cram", AUTH_MIN_CRAM, NULL},
	{"scram", AUTH_MIN_SCRAM, NULL},
	{"scram-plus", AUTH_MIN_SCRAM_PLUS, NULL},
	{0}
};

static const struct keyword_word cleartext_words[] = {
	{"never", CLEARTEXT_NEVER, NULL}, {"loopback", CLEARTEXT_LOOPBACK, NULL}, {"always", CLEARTEXT_ALWAYS, NULL}, {0}
};

static const struct keyword_word tls_policy_words[] = {
	{"may", TLS_POLICY_MAY, NULL},   {"encrypt", TLS_POLICY_ENCRYPT, NULL},     {"verify", TLS_POLICY_VERIFY, NULL},
	{"dane", TLS_POLICY_DANE, NULL}, {"dane-only", TLS_POLICY_DANE_ONLY, NULL}, {0}
};

static const struct keyword_word tls_min_words[] = {{"1.2", 12, NULL}, {"1.3", 13, NULL}, {0}};

static const struct keyword_word ocsp_words[] = {
	{"on", OCSP_ON, NULL}, {"off", OCSP_OFF, NULL}, {"require", OCSP_REQUIRE, NULL}, {0}
};

static const struct keyword_word from_header_words[] = {
	{"auto", SWITCH_AUTO, NULL}, {"on", SWITCH_ON, NULL}, {"off", SWITCH_OFF, NULL}, {0}
};

static const struct keyword_word auto_off_words[] = {{"auto", SWITCH_AUTO, NULL}, {"off", SWITCH_OFF, NULL}, {0}};

/* msmtp knows `hdrs` as an option only; it does no harm in a file. */
static const struct keyword_word dsn_return_words[] = {
	{"off", DSN_RETURN_OFF, "(not set)"},
	{"headers", DSN_RETURN_HEADERS, "HDRS"},
	{"full", DSN_RETURN_FULL, "FULL"},
	{"hdrs", DSN_RETURN_HEADERS, NULL},
	{0}
};

static const struct keyword_word lone_dot_words[] = {
	{"end", LONE_DOT_END, NULL}, {"keep", LONE_DOT_KEEP, NULL}, {"default", LONE_DOT_DEFAULT, NULL}, {0}
};

static const struct keyword_word repair_words[] = {
	{"off", REPAIR_OFF, NULL}, {"safe", REPAIR_SAFE, NULL}, {"full", REPAIR_FULL, NULL}, {0}
};

static const struct keyword_word utf8_headers_words[] = {
	{"encode", UTF8_HEADERS_ENCODE, NULL}, {"reject", UTF8_HEADERS_REJECT, NULL}, {0}
};

static const struct keyword_word pipelining_words[] = {
	{"auto", PIPELINING_AUTO, NULL}, {"off", PIPELINING_OFF, NULL}, {0}
};

static const struct keyword_word syslog_words[] = {
	{"off", 0, "(not set)"},
	{"LOG_USER", 1, NULL},
	{"on", 1, NULL},
	{"LOG_MAIL", 2, NULL},
	{"LOG_LOCAL0", 3, NULL},
	{"LOG_LOCAL1", 4, NULL},
	{"LOG_LOCAL2", 5, NULL},
	{"LOG_LOCAL3", 6, NULL},
	{"LOG_LOCAL4", 7, NULL},
	{"LOG_LOCAL5", 8, NULL},
	{"LOG_LOCAL6", 9, NULL},
	{"LOG_LOCAL7", 10, NULL},
	{0}
};

static const struct keyword_word log_format_words[] = {
	{"msmtp", LOG_FORMAT_MSMTP, NULL}, {"json", LOG_FORMAT_JSON, NULL}, {0}
};

static const struct keyword_word queue_words[] = {
	{"on", QUEUE_ON, NULL}, {"off", QUEUE_OFF, NULL}, {"always", QUEUE_ALWAYS, NULL}, {0}
};

#define FIELD(field) .name = #field, .offset = offsetof(struct account, field)
#define TEXT(field) FIELD(field), .type = KEYWORD_TEXT
#define SWITCH(field, value) FIELD(field), .type = KEYWORD_SWITCH, .words = on_off_words, .initial = (value)
#define WORD(field, list, value) FIELD(field), .type = KEYWORD_WORD, .words = (list), .initial = (value)

static const struct keyword settings[] = {
	{TEXT(host), .flags = KEYWORD_NEEDS_ARGUMENT, .metavar = "HOST", .remark = "none", .complain = hostlist_complain,
	 .help = "the server, or several with commas, srv:DOMAIN, or mx; as an option: read no configuration file"},
	{FIELD(port), .type = KEYWORD_NUMBER, .least = 1, .most = 65535, .metavar = "PORT",
	 .remark = "25; 465 with tls on and tls_starttls off; none for lmtp", .help = "port of the server"},
	{WORD(delivery, delivery_words, "relay"), .help = "hand mail to the host, or to the recipients' own servers"},
	{TEXT(source_ip), .label = "source ip", .metavar = "IP", .help = "local address to connect from"},
	{TEXT(dns_server), .complain = complain_dns_server, .metavar = "ADDRESS[@PORT]", .remark = "those of /etc/resolv.conf",
	 .help = "resolver to ask in direct delivery"},
	{TEXT(dns_trust_anchor), .flags = KEYWORD_IS_PATH | KEYWORD_KEEPS_EMPTY, .metavar = "FILE", .remark = "the system's",
	 .help = "keys that DNSSEC begins with"},
	{TEXT(proxy_host), .label = "proxy host", .metavar = "HOST", .help = "SOCKS5 proxy"},
	{FIELD(proxy_port), .type = KEYWORD_NUMBER, .label = "proxy port", .least = 1, .most = 65535, .empty = "",
	 .metavar = "PORT", .remark = "1080", .help = "port of the proxy"},
	{TEXT(proxy_user), .metavar = "NAME", .help = "user name for the proxy (RFC 1929)"},
	{TEXT(proxy_password), .flags = KEYWORD_IS_SECRET, .metavar = "PASSWORD", .help = "password for the proxy"},
	{TEXT(socket), .flags = KEYWORD_IS_FILE, .metavar = "PATH", .help = "unix socket to connect to instead of host and port"},
	{FIELD(timeout), .type = KEYWORD_LONG, .flags = KEYWORD_IS_SECONDS, .words = off_words, .least = 1,
	 .most = INT32_MAX, .metavar = "SECONDS", .initial = "off",
	 .remark = "off: the limits of RFC 5321 4.5.3.2", .help = "longest wait in each step, or off"},
	{WORD(protocol, protocol_words, "smtp"), .help = "protocol to speak"},
	{TEXT(domain), .initial = "localhost", .metavar = "DOMAIN", .help = "argument of EHLO or LHLO; %H, %C, %M are expanded"},
	{WORD(auth, auth_words, "off"), .empty = "on", .metavar = "on|off|METHOD",
	 .help = "authentication; on: the best method the server offers"},
	{WORD(auth_min, auth_min_words, "plain"), .help = "weakest kind of authentication to use"},
	{WORD(auth_cleartext, cleartext_words, "never"), .help = "where a password may be sent without TLS"},
	{TEXT(user), .metavar = "NAME", .help = "user name for authentication"},
	{TEXT(password), .flags = KEYWORD_IS_SECRET | KEYWORD_IS_PASSWORD, .metavar = "PASSWORD",
	 .help = "password for authentication"},
	{TEXT(password_file), .flags = KEYWORD_IS_PATH | KEYWORD_IS_PASSWORD, .metavar = "FILE",
	 .help = "file whose first line is the password"},
	{TEXT(passwordeval), .flags = KEYWORD_IS_COMMAND | KEYWORD_IS_PASSWORD, .metavar = "COMMAND",
	 .help = "command whose first line of output is the password"},
	{TEXT(passwordexec), .flags = KEYWORD_IS_COMMAND | KEYWORD_IS_PASSWORD, .metavar = "COMMAND",
	 .help = "the same without a shell: words, with double quotes around those that have blanks"},
	{SWITCH(keyring, "off"), .empty = "on", .help = "look into the desktop's keyring for the password (secret-tool)"},
	{TEXT(ntlmdomain), .flags = KEYWORD_FILE_ONLY, .metavar = "DOMAIN", .help = "domain for NTLM"},
	{SWITCH(tls, "off"), .empty = "on", .help = "encrypt; the server must be able to"},
	{SWITCH(tls_starttls, "on"), .empty = "on", .help = "start TLS by STARTTLS; off: from the first byte"},
	{WORD(tls_policy, tls_policy_words, "may"), .help = "the least of TLS that a host must offer"},
	{TEXT(tls_trust_file), .flags = KEYWORD_IS_PATH | KEYWORD_KEEPS_EMPTY, .initial = "system", .metavar = "FILE",
	 .help = "certificates to trust, or system"},
	{TEXT(tls_crl_file), .flags = KEYWORD_IS_PATH, .metavar = "FILE", .help = "revocation list"},
	{WORD(tls_ocsp, ocsp_words, "on"), .empty = "on",
	 .help = "OCSP responses that a server sends must be good; off: do not ask; require: must be there"},
	{TEXT(tls_fingerprint), .complain = complain_fingerprint, .metavar = "FINGERPRINT",
	 .help = "the certificate to trust instead of tls_trust_file, or also"},
	{TEXT(tls_pin), .metavar = "LIST",
	 .help = "public keys to insist on, or to trust only: sha256/BASE64 or hexadecimal digests"},
	{SWITCH(tls_tofu, "off"), .empty = "on", .help = "trust a server's first key, and no other key later, instead of tls_trust_file"},
	{TEXT(tls_key_file), .flags = KEYWORD_IS_PATH | KEYWORD_IS_URI, .metavar = "FILE", .help = "private key of the client certificate"},
	{TEXT(tls_cert_file), .flags = KEYWORD_IS_PATH | KEYWORD_IS_URI, .metavar = "FILE", .help = "client certificate"},
	{TEXT(tls_key_password), .flags = KEYWORD_IS_SECRET, .metavar = "PASSWORD",
	 .help = "passphrase of tls_key_file, or PIN of its token"},
	{SWITCH(tls_certcheck, "on"), .empty = "on", .help = "check the server's certificate"},
	{WORD(tls_min, tls_min_words, "1.2"), .help = "oldest version of TLS to accept"},
	{FIELD(tls_min_dh_prime_bits), .type = KEYWORD_NUMBER, .least = 1, .most = INT32_MAX, .empty = "", .metavar = "BITS",
	 .remark = "the library's", .help = "smallest Diffie-Hellman prime to accept"},
	{TEXT(tls_priorities), .metavar = "PRIORITIES", .remark = "ours", .help = "GnuTLS priority string"},
	{TEXT(tls_host_override), .metavar = "HOST", .remark = "host", .help = "name the certificate must have"},
	{SWITCH(require_tls, "off"), .flags = KEYWORD_OF_MESSAGE, .empty = "on",
	 .help = "verified TLS on the whole way of the message, or a refusal (REQUIRETLS)"},
	{SWITCH(mta_sts, "on"), .empty = "on", .help = "heed the policies that domains publish (MTA-STS)"},
	{TEXT(mta_sts_connect), .complain = complain_mta_sts_connect, .metavar = "ADDRESS:PORT", .remark = "the policy host's port 443",
	 .help = "where to fetch policies from, whatever the host's address is"},
	{TEXT(mta_sts_trust_file), .flags = KEYWORD_IS_PATH, .initial = "system", .metavar = "FILE",
	 .help = "certificates to trust for policies, or system"},
	{SWITCH(tls_report, "off"), .empty = "on", .flags = KEYWORD_FILE_ONLY,
	 .help = "write down each session of a direct delivery for --tls-report"},
	{SWITCH(auto_from, "off"), .empty = "on", .help = "envelope sender is the login name at maildomain"},
	{TEXT(maildomain), .metavar = "DOMAIN", .help = "domain for auto_from"},
	{TEXT(mailname), .metavar = "DOMAIN", .remark = "/etc/mailname, else the name of this host",
	 .help = "domain of addresses that have none"},
	{TEXT(identity), .flags = KEYWORD_NEEDS_ARGUMENT | KEYWORD_OFF_UNSETS | KEYWORD_OF_MESSAGE, .remark = "off",
	 .complain = complain_identity, .metavar = "off|RULES", .help = "addresses for senders that only this host knows"},
	{TEXT(from), .flags = KEYWORD_KEEPS_EMPTY | KEYWORD_FILE_ONLY, .metavar = "ADDRESS",
	 .help = "envelope sender, or a pattern of those this account is for"},
	{TEXT(from_full_name), .flags = KEYWORD_OF_MESSAGE, .letter = 'F', .metavar = "NAME", .help = "full name for a From header that is added"},
	{SWITCH(allow_from_override, "on"), .flags = KEYWORD_FILE_ONLY, .help = "does --from count?"},
	{WORD(set_from_header, from_header_words, "auto"), .empty = "auto", .help = "add a From header: if absent, always, never"},
	{WORD(set_date_header, auto_off_words, "auto"), .empty = "auto", .help = "add a Date header if absent"},
	{WORD(set_msgid_header, auto_off_words, "auto"), .empty = "auto", .help = "add a Message-ID header if absent"},
	{SWITCH(set_to_header, "off"), .empty = "on", .help = "replace To, Cc and Bcc by a To header with all recipients"},
	{SWITCH(remove_bcc_headers, "on"), .empty = "on", .help = "remove Bcc headers"},
	{SWITCH(undisclosed_recipients, "off"), .empty = "on",
	 .help = "replace To, Cc and Bcc by To: undisclosed-recipients:;"},
	{WORD(repair, repair_words, "safe"), .help = "mend messages: not at all, without risk, and To as well"},
	{WORD(utf8_headers, utf8_headers_words, "encode"),
	 .help = "8-bit text in headers for a server without SMTPUTF8"},
	{WORD(lone_dot, lone_dot_words, "default"), .remark = "end under the sendmail names without -i, else keep",
	 .help = "what a line with a single dot means in the input"},
	{FIELD(max_message_size), .type = KEYWORD_LONG, .words = off_or_unlimited_words, .least = 1, .most = INT64_MAX,
	 .initial = "unlimited", .metavar = "BYTES", .help = "refuse messages larger than this"},
	{TEXT(dkim_domain), .complain = complain_dkim_name, .metavar = "DOMAIN", .help = "sign messages from this domain by DKIM"},
	{TEXT(dkim_selector), .complain = complain_dkim_name, .metavar = "NAME", .help = "where in that domain the public key stands"},
	{TEXT(dkim_key_file), .flags = KEYWORD_IS_PATH, .metavar = "FILE", .help = "private key to sign with, RSA or Ed25519"},
	{TEXT(dkim_selector2), .complain = complain_dkim_name, .metavar = "NAME", .help = "dkim_selector of a second key"},
	{TEXT(dkim_key_file2), .flags = KEYWORD_IS_PATH, .metavar = "FILE", .help = "a second key to sign with, usually of the other kind"},
	{SWITCH(atomic, "off"), .empty = "on", .help = "send to all recipients or to none"},
	{WORD(pipelining, pipelining_words, "auto"), .help = "send commands without waiting for each answer"},
	{FIELD(chunking), .type = KEYWORD_SWITCH, .words = auto_off_switch_words, .initial = "auto",
	 .help = "use CHUNKING (BDAT) where it is offered"},
	{FIELD(pipeline_depth), .type = KEYWORD_NUMBER, .least = 1, .most = 100, .initial = "1", .metavar = "NUMBER",
	 .help = "messages that may be under way without an answer"},
	{WORD(queue, queue_words, "on"), .help = "keep what cannot be delivered now; always: without trying"},
	{TEXT(queue_dir), .flags = KEYWORD_IS_PATH, .complain = complain_queue_dir, .metavar = "PATH",
	 .remark = "~/.local/state/mailcrane, or a folder of the system", .help = "folder of the queue"},
	{FIELD(queue_lifetime), .type = KEYWORD_LONG, .flags = KEYWORD_IS_DURATION, .least = 1, .most = INT32_MAX,
	 .initial = "5d", .metavar = "TIME", .help = "how long a queued message is tried: 5d, 12h, 30m, 90s"},
	{FIELD(queue_lanes), .type = KEYWORD_NUMBER, .least = 1, .most = 20, .initial = "2", .metavar = "NUMBER",
	 .help = "processes that deliver at the same time in a flush"},
	{FIELD(max_connections), .type = KEYWORD_NUMBER, .least = 1, .most = 20, .initial = "2", .metavar = "NUMBER",
	 .help = "connections to the server at the same time, of all processes"},
	{FIELD(submit_timeout), .type = KEYWORD_LONG, .flags = KEYWORD_IS_DURATION, .words = off_words, .least = 1,
	 .most = INT32_MAX, .initial = "30s", .metavar = "TIME", .help = "how long a call may take before it queues, or off"},
	{TEXT(bounce_to), .initial = "local", .empty = "local", .metavar = "local|sender|ADDRESS",
	 .complain = complain_bounce_to, .help = "where notifications about failed mail go"},
	{TEXT(treat_as_temporary), .metavar = "LIST", .complain = complain_treat_as_temporary,
	 .help = "refusals that are not for good, by their enhanced codes: 5.4.5,5.7.1"},
	{TEXT(dsn_notify), .flags = KEYWORD_NEEDS_ARGUMENT | KEYWORD_OFF_UNSETS | KEYWORD_OF_MESSAGE, .letter = 'N', .remark = "off",
	 .complain = complain_dsn_notify, .metavar = "off|never|LIST", .help = "when to be notified: failure,delay,success"},
	{WORD(dsn_return, dsn_return_words, "off"), .flags = KEYWORD_OF_MESSAGE, .letter = 'R', .help = "what a notification returns of the message"},
	{TEXT(logfile), .flags = KEYWORD_IS_PATH, .letter = 'X', .metavar = "FILE", .help = "log file; - is standard output"},
	{TEXT(logfile_time_format), .initial = "%b %d %H:%M:%S", .metavar = "FORMAT",
	 .help = "time in the log file as for strftime(3), or none"},
	{WORD(log_format, log_format_words, "msmtp"), .help = "form of a line in the log"},
	{FIELD(syslog), .type = KEYWORD_TEXT, .words = syslog_words, .initial = "off", .empty = "on",
	 .metavar = "on|off|FACILITY", .help = "log by syslog"},
	{TEXT(aliases), .flags = KEYWORD_IS_PATH, .metavar = "FILE", .help = "aliases of local recipients"},
	{SWITCH(environment, "off"), .flags = KEYWORD_FILE_ONLY | KEYWORD_SYSTEM_ONLY,
	 .help = "in the system's file: MAILCRANE_ variables count under the names of sendmail"},
};

enum { N_SETTINGS = sizeof(settings) / sizeof(settings[0]) };

_Static_assert((int)N_SETTINGS <= (int)ACCOUNT_SETTINGS_MOST, "struct account has room for every row");

static const struct keyword_alias aliases[] = {
	{"connect_timeout", "timeout", NULL, NULL, false},
	{"keepbcc", "remove_bcc_headers", "off", "on", false},
	{"add_missing_from_header", "set_from_header", "auto", "off", false},
	{"add_missing_date_header", "set_date_header", "auto", "off", false},
	{"tls_nocertcheck", "tls_certcheck", "off", NULL, true},
	{"tls_nostarttls", "tls_starttls", "off", NULL, true},
	{"tls_force_sslv3", NULL, NULL, NULL, false},
};

enum { N_ALIASES = sizeof(aliases) / sizeof(aliases[0]) };

size_t
keyword_count(void)
{
	return N_SETTINGS;
}

const struct keyword *
keyword_at(size_t row)
{
	return &settings[row];
}

size_t
keyword_alias_count(void)
{
	return N_ALIASES;
}

const struct keyword_alias *
keyword_alias_at(size_t index)
{
	return &aliases[index];
}

const struct keyword *
keyword_find(struct str name, size_t *row)
{
	for (size_t i = 0; i < N_SETTINGS; i++) {
		if (!str_equals(name, str_of(settings[i].name)))
			continue;
		if (row != NULL)
			*row = i;
		return &settings[i];
	}
	return NULL;
}

struct str
keyword_secret(const struct keyword *keyword, struct str argument)
{
	static const struct str pin = STR("pin-value=");
	struct str secret = {0};

	if ((keyword->flags & KEYWORD_IS_SECRET) != 0)
		return argument;
	if ((keyword->flags & KEYWORD_IS_URI) != 0)
		secret = str_from(argument, str_search_nocase(argument, pin) + pin.size);
	return str_first(secret, str_find(secret, '&'));
}

const struct keyword_alias *
keyword_find_alias(struct str name)
{
	for (size_t i = 0; i < N_ALIASES; i++)
		if (str_equals(name, str_of(aliases[i].name)))
			return &aliases[i];
	return NULL;
}

bool
keyword_is_known(struct str name)
{
	return keyword_find(name, NULL) != NULL || keyword_find_alias(name) != NULL;
}

const char *
keyword_nearest(struct str name)
{
	size_t least = NEAR_MOST + 1;
	const char *nearest = NULL;

	for (size_t i = 0; i < N_SETTINGS + N_ALIASES; i++) {
		const char *word = i < N_SETTINGS ? settings[i].name : aliases[i - N_SETTINGS].name;
		size_t distance = str_equals_nocase(name, str_of(word)) ? 0 : str_distance(name, str_of(word));

		if (distance < least && distance < str_of(word).size) {
			least = distance;
			nearest = word;
		}
	}
	/* Three edits in a word of four letters leave nothing of it. */
	return nearest != NULL && (least <= 1 || least * 2 < name.size) ? nearest : NULL;
}

bool
keyword_next_code(struct str *rest, struct str *code)
{
	size_t n = 0;

	while (rest->size > 0 && (ascii_is_blank(rest->data[0]) || rest->data[0] == ','))
		*rest = str_from(*rest, 1);
	while (n < rest->size && !ascii_is_blank(rest->data[n]) && rest->data[n] != ',')
		n++;
	*code = str_first(*rest, n);
	*rest = str_from(*rest, n);
	return n > 0;
}

bool
keyword_add_words(struct buf *b, const struct keyword *keyword, char separator)
{
	if (keyword->words == NULL)
		return false;
	for (const struct keyword_word *word = keyword->words; word->word != NULL; word++) {
		if (word != keyword->words)
			buf_add_char(b, separator);
		buf_add_text(b, word->word);
	}
	return true;
}
