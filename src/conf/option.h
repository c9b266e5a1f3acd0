/* option.h - the command line of mailcrane (and msmtp): GNU long options by the table of settings, plus actions.
 *
 * A setting may be given as an option with dashes: `tls_trust_file` is --tls-trust-file. */

#ifndef CONF_OPTION_H
#define CONF_OPTION_H

#include "base/err.h"
#include "conf/account.h"

enum request_mode {
	MODE_SEND,
	MODE_SERVERINFO,    /* -S, --serverinfo */
	MODE_ETRN,          /* --rmqs=ARGUMENT */
	MODE_PRINT_CONFIG,  /* --print-config */
	MODE_HELP,
	MODE_VERSION
};

struct request {
	enum request_mode mode;
	bool is_pretending;         /* -P, --pretend: show what would be done, never wait for stdin */
	bool is_debugging;          /* -d, -v, --debug: settings and dialogue on stderr, secrets hidden */
	char *config_file;          /* -C, --file */
	char *account_id;           /* -a, --account */
	struct account overrides;   /* settings given as options; is_set tells which */
	char *sender;               /* -f, --from, as given; "" and "<>" are the null one; NULL: not given */
	bool reads_recipients;      /* -t, --read-recipients */
	bool reads_sender;          /* --read-envelope-from */
	char *etrn_argument;
	char **message_files;       /* --message, in order; "-" is stdin. None: stdin */
	size_t n_message_files;
	char **operands;            /* recipients, as given */
	size_t n_operands;
};

/* Parse argv. False: EX_USAGE (bad option, argument or combination), err says which, with the nearest known option. */
bool request_parse(struct request *request, int argc, char **argv, struct err *err);

void request_free(struct request *request);

/* Write --help, and the three completion scripts ("bash", "zsh", "fish"), all from the table of settings and actions. */
void option_add_help(struct buf *b);
bool option_add_completion(struct buf *b, const char *shell);

#endif
