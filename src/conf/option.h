/* option.h - the command line of mailcrane (and msmtp): GNU long options by the table of settings, plus actions.
 *
 * A setting may be given as an option with dashes: `tls_trust_file` is --tls-trust-file. */

#ifndef CONF_OPTION_H
#define CONF_OPTION_H

#include "base/err.h"
#include "conf/account.h"
#include "conf/keyword.h"

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
	bool is_debugging;          /* -d, -v, --debug: the dialogue on stderr, secrets hidden */
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

enum option_argument {
	OPTION_BARE,     /* takes no argument */
	OPTION_OPTIONAL, /* --name or --name=ARGUMENT */
	OPTION_REQUIRED,
	OPTION_ATTACHED  /* the letter may have an argument without a blank, the long name none */
};

/* What an option does. */
enum option_act {
	OPTION_SETS, /* a setting or an old name of one */
	OPTION_ACT_IGNORE,
	OPTION_ACT_VERSION,
	OPTION_ACT_HELP,
	OPTION_ACT_PRETEND,
	OPTION_ACT_DEBUG,
	OPTION_ACT_FILE,
	OPTION_ACT_ACCOUNT,
	OPTION_ACT_SERVERINFO,
	OPTION_ACT_RMQS,
	OPTION_ACT_PRINT_CONFIG,
	OPTION_ACT_FROM,
	OPTION_ACT_READ_RECIPIENTS,
	OPTION_ACT_READ_ENVELOPE_FROM,
	OPTION_ACT_MESSAGE,
	OPTION_ACT_SENDMAIL_MODE,
	OPTION_ACT_QUEUE_RUN
};

/* One option as the parser, --help and the completion scripts see it. */
struct option_view {
	char name[48];                 /* without dashes; "" when there is only the letter */
	char letter;                   /* 0: none */
	enum option_argument argument;
	const char *metavar;           /* NULL: the words of the setting, or no argument */
	const char *help;
	const struct keyword *setting; /* NULL: an action or an old name */
	bool is_file;                  /* the argument is the path of a file */
	bool is_hidden;                /* not shown: accepted for the sake of callers written for others, or a secret */
	enum option_act act;
	const char *keyword;           /* the setting or old name as written in a file; NULL: an action */
	bool is_file_only;             /* no option at all: `keyword` is for files */
};

/* The option at index, actions first; false behind the last one. */
bool option_at(size_t index, struct option_view *view);

/* Write --help, and the three completion scripts ("bash", "zsh", "fish"), all from the table of settings and
 * actions. */
void option_add_help(struct buf *b);
/* False: no such shell. */
bool option_add_completion(struct buf *b, const char *shell);

#endif
