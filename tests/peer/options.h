/*
 * options - the command line of the peer.
 */
#ifndef PEER_OPTIONS_H
#define PEER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "fault.h"

enum tls_mode { TLS_OFF, TLS_STARTTLS, TLS_IMPLICIT };

enum tls_max { TLS_MAX_1_1, TLS_MAX_1_2, TLS_MAX_1_2_NO_EMS, TLS_MAX_1_3 };

enum color_mode { COLOR_AUTO, COLOR_NEVER, COLOR_ALWAYS };

#define LIST_MAX 64

/* Values of an option that may be given several times; the strings are those of argv. */
struct list {
	const char *items[LIST_MAX];
	size_t n;
};

struct options {
	struct list listen;
	const char *port_file;
	bool is_daemon;
	bool once;
	int sessions; /* 0: no limit */
	int lifetime_s;

	int tls; /* enum tls_mode */
	const char *certificate_file;
	const char *key_file;
	const char *make_certificate_directory;
	bool make_certificate_only;
	struct list certificate_names;
	int certificate_fault; /* enum certificate_fault */
	const char *client_ca_file;
	const char *staple_file;
	int tls_max; /* enum tls_max */
	bool has_tickets;

	const char *mechanisms;
	bool auth_in_clear;
	const char *user;
	const char *password;
	const char *scram_iterations;

	struct list keywords;
	const char *name;
	const char *greeting; /* NULL: the usual one */
	bool is_lmtp;
	bool is_strict;
	bool has_lenient_dot;
	bool has_refuse_rule;
	int recipients_max; /* 0: no limit */
	int round_trip_ms;
	struct list fault_texts;
	struct faults faults;

	const char *socks; /* "open", or USER:PASSWORD; NULL: no SOCKS */
	int socks_reply;   /* the code that answers CONNECT */

	const char *mail_directory;
	bool discards;
	const char *log_file;
	bool logs_body;
	bool logs_secrets;
	const char *summary_file;
	bool shows_dialogue;
	int color; /* enum color_mode */

	struct list scripts; /* each a file, or several with commas between */
};

/*
 * Read the command line. False: the process is to exit with *status, everything was said (--help, or a usage error on
 * standard error).
 */
bool options_read(struct options *options, int argc, char **argv, int *status);

void options_free(struct options *options);

#endif
