/*
 * options - the command line of the peer.
 */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

enum value_kind {
	VALUE_NONE, /* a bool becomes true */
	VALUE_TEXT,
	VALUE_NUMBER,
	VALUE_SWITCH, /* on or off, into a bool */
	VALUE_CHOICE, /* the index of the word, into an int */
	VALUE_LIST,
	VALUE_HELP,
};

struct row {
	const char *name;
	enum value_kind kind;
	size_t offset;
	const char *detail; /* the words of a choice, or what the value is called */
	const char *help;
};

#define AT(field) offsetof(struct options, field)

static const struct row rows[] = {
	{"listen", VALUE_LIST, AT(listen), "ADDRESS", "127.0.0.1:0 (default), [::1]:0 or unix:PATH; repeatable"},
	{"port-file", VALUE_TEXT, AT(port_file), "FILE", "write the ports, one per line, once listening"},
	{"daemon", VALUE_NONE, AT(is_daemon), NULL, "go to the background, print PORT PID"},
	{"once", VALUE_NONE, AT(once), NULL, "end after one session"},
	{"sessions", VALUE_NUMBER, AT(sessions), "N", "end after N sessions"},
	{"lifetime", VALUE_NUMBER, AT(lifetime_s), "SECONDS", "end then in any case (default 120)"},
	{"tls", VALUE_CHOICE, AT(tls), "off|starttls|implicit", "default off"},
	{"cert", VALUE_TEXT, AT(certificate_file), "FILE", "certificate chain, PEM"},
	{"key", VALUE_TEXT, AT(key_file), "FILE", "its key, PEM"},
	{"make-cert", VALUE_TEXT, AT(make_certificate_directory), "DIR",
	 "write and use DIR/cert.pem and key.pem, with ca.pem, client.pem and client-key.pem"},
	{"make-cert-only", VALUE_NONE, AT(make_certificate_only), NULL, "write them and exit"},
	{"cert-name", VALUE_LIST, AT(certificate_names), "NAME",
	 "name or address in the certificate; repeatable (default localhost 127.0.0.1 ::1)"},
	{"cert-fault", VALUE_CHOICE, AT(certificate_fault),
	 "none|expired|not-yet|wrong-name|self-signed|cn-only|client-eku|rsa1024|sha1|nul-san|ip-as-dns|wildcard|"
	 "unknown-ca|ca-false|must-staple",
	 "what is wrong with it"},
	{"client-ca", VALUE_TEXT, AT(client_ca_file), "FILE", "ask for client certificates and verify them"},
	{"staple", VALUE_TEXT, AT(staple_file), "FILE", "send this OCSP response (DER), whatever it says"},
	{"tls-max", VALUE_CHOICE, AT(tls_max), "1.1|1.2|1.2-no-ems|1.3",
	 "no version above (default 1.3); no-ems: without the extended master secret"},
	{"tls-tickets", VALUE_SWITCH, AT(has_tickets), "on|off", "default off"},
	{"auth", VALUE_TEXT, AT(mechanisms), "MECHANISMS",
	 "offer these: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 (each also with -PLUS) EXTERNAL XOAUTH2 "
	 "OAUTHBEARER ANONYMOUS"},
	{"auth-in-clear", VALUE_NONE, AT(auth_in_clear), NULL, "without TLS as well"},
	{"user", VALUE_TEXT, AT(user), "NAME", "default joe"},
	{"password", VALUE_TEXT, AT(password), "WORD", "also the token of XOAUTH2 and OAUTHBEARER (default secret)"},
	{"scram-iterations", VALUE_TEXT, AT(scram_iterations), "N", "what SCRAM asks for (default 4096)"},
	{"ehlo", VALUE_LIST, AT(keywords), "LINE",
	 "this keyword instead of the default ones; repeatable, an empty one: none; STARTTLS and AUTH are added as "
	 "configured"},
	{"name", VALUE_TEXT, AT(name), "HOST", "default peer.example.test"},
	{"greet-text", VALUE_TEXT, AT(greeting), "TEXT", "behind the 220 of the greeting"},
	{"lmtp", VALUE_NONE, AT(is_lmtp), NULL, "speak LMTP"},
	{"strict", VALUE_NONE, AT(is_strict), NULL, "refuse early talk, bare CR and LF, long lines, wrong order"},
	{"lenient-dot", VALUE_NONE, AT(has_lenient_dot), NULL, "end a message at LF.LF and CR.CR as well"},
	{"refuse-rule", VALUE_SWITCH, AT(has_refuse_rule), "on|off",
	 "perm.. temp.. badfrom.. [data4] [data5] (default on)"},
	{"max-rcpt", VALUE_NUMBER, AT(recipients_max), "N", "452 after N recipients of a transaction"},
	{"rtt", VALUE_NUMBER, AT(round_trip_ms), "MS", "delay every flight of answers"},
	{"fault", VALUE_LIST, AT(fault_texts), "WHERE:WHAT", "see README; repeatable"},
	{"socks", VALUE_TEXT, AT(socks), "open|USER:PASSWORD", "be a SOCKS5 proxy first, which leads to this server"},
	{"socks-reply", VALUE_NUMBER, AT(socks_reply), "CODE", "of the proxy (default 0: connected)"},
	{"mail-dir", VALUE_TEXT, AT(mail_directory), "DIR", "keep accepted messages as 0001.eml, 0001.raw, 0001.env"},
	{"discard", VALUE_NONE, AT(discards), NULL, "keep only the .env, with size and SHA-256"},
	{"log", VALUE_TEXT, AT(log_file), "FILE", "append the transcript"},
	{"log-body", VALUE_NONE, AT(logs_body), NULL, "with the lines of messages"},
	{"log-secrets", VALUE_NONE, AT(logs_secrets), NULL, "with passwords"},
	{"summary", VALUE_TEXT, AT(summary_file), "FILE", "counts as JSON, rewritten after each session"},
	{"dialogue", VALUE_NONE, AT(shows_dialogue), NULL, "show the transcript on standard output"},
	{"color", VALUE_CHOICE, AT(color), "auto|never|always", "of the dialogue (default auto)"},
	{"script", VALUE_LIST, AT(scripts), "FILE", "play this dialogue file on each connection"},
	{"scripts", VALUE_LIST, AT(scripts), "FILE,FILE", "the n-th connection plays the n-th file, the last repeats"},
	{"help", VALUE_HELP, 0, NULL, "this text"},
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void
print_help(void)
{
	puts("Usage: peer [OPTION]...\n"
	     "A scriptable SMTP and LMTP server for tests; listens on 127.0.0.1 unless told otherwise.\n");
	for (size_t i = 0; i < N_ROWS; i++) {
		char usage[256] = "";

		(void)snprintf(usage, sizeof(usage), "--%s%s%s", rows[i].name, rows[i].detail == NULL ? "" : " ",
			       rows[i].detail == NULL ? "" : rows[i].detail);
		if (strlen(usage) > 26)
			printf("  %s\n  %-26s  %s\n", usage, "", rows[i].help);
		else
			printf("  %-26s  %s\n", usage, rows[i].help);
	}
}

static bool
add_to_list(struct list *list, const char *item)
{
	if (list->n == LIST_MAX)
		return false;
	list->items[list->n++] = item;
	return true;
}

/* The index of value among words, which | separates; -1: none of them. */
static int
find_choice(const char *words, const char *value)
{
	for (int index = 0;; index++) {
		size_t size = strcspn(words, "|");

		if (text_is(words, size, value))
			return index;
		if (words[size] == '\0')
			return -1;
		words += size + 1;
	}
}

static bool
set_value(struct options *options, const struct row *row, const char *value)
{
	char *field = (char *)options + row->offset;
	unsigned long long number = 0;
	int choice = 0;

	switch (row->kind) {
	case VALUE_NONE:
		*(bool *)field = true;
		return true;
	case VALUE_TEXT:
		*(const char **)field = value;
		return true;
	case VALUE_NUMBER:
		if (!text_number(value, strlen(value), 1000000, &number))
			return false;
		*(int *)field = (int)number;
		return true;
	case VALUE_SWITCH:
		choice = find_choice("off|on", value);
		*(bool *)field = choice == 1;
		return choice >= 0;
	case VALUE_CHOICE:
		choice = find_choice(row->detail, value);
		*(int *)field = choice;
		return choice >= 0;
	case VALUE_LIST:
		return add_to_list((struct list *)field, value);
	case VALUE_HELP:
		break;
	}
	return false;
}

static const char *
find_conflict(const struct options *options)
{
	if ((options->certificate_file == NULL) != (options->key_file == NULL))
		return "--cert and --key belong together";
	if (options->certificate_file != NULL && options->make_certificate_directory != NULL)
		return "--cert and --make-cert exclude each other";
	if (options->make_certificate_only && options->make_certificate_directory == NULL)
		return "--make-cert-only needs --make-cert DIR";
	if (options->is_daemon && options->shows_dialogue)
		return "--daemon has no standard output for --dialogue";
	if (options->lifetime_s == 0)
		return "--lifetime is at least 1 second";
	if (options->scripts.n != 0 && options->fault_texts.n != 0)
		return "a script has no place for --fault";
	return NULL;
}

static bool
finish(struct options *options)
{
	const char *problem = NULL;

	if (options->once)
		options->sessions = 1;
	if (options->listen.n == 0)
		(void)add_to_list(&options->listen, "127.0.0.1:0");
	for (size_t i = 0; i < options->fault_texts.n; i++) {
		if (!fault_parse(&options->faults, options->fault_texts.items[i], &problem)) {
			fprintf(stderr, "peer: --fault %s: %s\n", options->fault_texts.items[i], problem);
			return false;
		}
	}
	problem = find_conflict(options);
	if (problem != NULL)
		fprintf(stderr, "peer: %s\n", problem);
	return problem == NULL;
}

static const char *
expectation(const struct row *row)
{
	if (row->kind == VALUE_NUMBER)
		return "number up to 1000000";
	return row->kind == VALUE_LIST ? "at most 64 of them" : row->detail;
}

static void
fill_long_options(struct option *long_options)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		long_options[i].name = rows[i].name;
		long_options[i].has_arg =
			rows[i].kind == VALUE_NONE || rows[i].kind == VALUE_HELP ? no_argument : required_argument;
		long_options[i].val = (int)i + 1000;
	}
}

bool
options_read(struct options *options, int argc, char **argv, int *status)
{
	struct option long_options[N_ROWS + 1] = {0};
	int found = 0;

	*options = (struct options){
		.lifetime_s = 120,
		.tls_max = TLS_MAX_1_3,
		.user = "joe",
		.password = "secret",
		.scram_iterations = "4096",
		.name = "peer.example.test",
		.has_refuse_rule = true,
	};
	fill_long_options(long_options);
	*status = 64;
	while ((found = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		const struct row *row = found < 1000 ? NULL : &rows[found - 1000];

		if (row == NULL) {
			fputs("peer: try --help\n", stderr);
			return false;
		}
		if (row->kind == VALUE_HELP) {
			print_help();
			*status = 0;
			return false;
		}
		if (!set_value(options, row, optarg)) {
			fprintf(stderr, "peer: --%s %s: %s expected\n", row->name, optarg, expectation(row));
			return false;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "peer: %s: no operands are expected, try --help\n", argv[optind]);
		return false;
	}
	return finish(options);
}

void
options_free(struct options *options)
{
	fault_free(&options->faults);
	*options = (struct options){0};
}
