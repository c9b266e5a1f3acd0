/* option.h - what the command line asks for, and the options of mailcrane (and msmtp): GNU long options by the table of
 * settings, plus actions. Those of the sendmail names are in conf/classic.h.
 *
 * A setting may be given as an option with dashes: `tls_trust_file` is --tls-trust-file. */

#ifndef CONF_OPTION_H
#define CONF_OPTION_H

#include "base/err.h"
#include "conf/account.h"
#include "conf/keyword.h"

/* The name it was called by, without folders. */
enum request_name {
	NAME_MAILCRANE,  /* and msmtp, and every name that is not one of the others */
	NAME_SENDMAIL,   /* sendmail, send-mail; this and the next three: the sendmail names */
	NAME_MAILQ,
	NAME_NEWALIASES,
	NAME_RUNQ
};

enum request_mode {
	MODE_SEND,
	MODE_SERVERINFO,    /* -S, --serverinfo */
	MODE_ETRN,          /* --rmqs=ARGUMENT */
	MODE_PRINT_CONFIG,  /* --print-config */
	MODE_CHECK,         /* --check */
	MODE_FLUSH,         /* --flush, -q */
	MODE_MAILQ,         /* --mailq, -bp */
	MODE_SHOW,          /* --show=ID; this and the next four: target, and operands as further ids */
	MODE_HOLD,          /* --hold=ID|all */
	MODE_RELEASE,       /* --release=ID|ACCOUNT|all */
	MODE_RETRY,         /* --retry=ID|all */
	MODE_REMOVE,        /* --remove=ID|all */
	MODE_QUEUE_CHECK,   /* --queue-check */
	MODE_ROUTE,         /* --route=ADDRESS: target, and operands as further addresses */
	MODE_FORGET_KEY,    /* --forget-key=HOST:PORT; likewise */
	MODE_SERVE,         /* -bs: SMTP on standard input and output */
	MODE_NEWALIASES,    /* -bi, newaliases: check the aliases file */
	MODE_VERIFY,        /* -bv: what becomes of the operands */
	MODE_TLS_REPORT,    /* --tls-report: report_day */
	MODE_NOTHING,       /* -bh, -bH: nothing to do, for there is no host status */
	MODE_HELP,
	MODE_VERSION
};

/* How a message is handed over: by options of sendmail that say so; the last one counts. */
enum request_delivery {
	DELIVERY_DEFAULT,     /* as the setting `queue` says */
	DELIVERY_INTERACTIVE, /* -odi, -odf: try before the program ends */
	DELIVERY_BACKGROUND,  /* -odb: queue it, and try in a process of its own */
	DELIVERY_QUEUE        /* -odq, -odd: queue it, and leave it to a flush */
};

/* -oe and -O ErrorMode=: what the caller wants to hear when a message was refused. Without effect but under the sendmail
 * names. */
enum request_errors {
	ERRORS_PRINT, /* p: standard error and the exit status */
	ERRORS_MAIL,  /* m, w: these, and a notification to the sender */
	ERRORS_EXIT,  /* e: a notification, and exit status 0 if there is one; nothing on standard error */
	ERRORS_QUIET  /* q: the exit status alone */
};

/* What -bp prints. */
enum request_count {
	COUNT_NONE,   /* the list */
	COUNT_NUMBER, /* -bpc: the number of messages alone */
	COUNT_TOTAL   /* -bP: "Total requests: N" */
};

/* -qI, -qR, -qS: entries with this in their id, one of their recipients, or their sender. */
struct request_filter {
	char kind; /* 'I', 'R' or 'S' */
	bool is_negated;
	char *text;
};

enum { REQUEST_FILTERS_MOST = 8 };

/* The options of MODE_FLUSH. */
struct request_flush {
	bool is_forced;    /* --force, -qf, and any filter: entries and routes whose time has not come are tried as well */
	bool is_all;       /* -q, runq under the sendmail names: the same, but for accounts on hold */
	bool network_up;   /* --network-up: routes that failed are tried again at once */
	bool all_users;    /* --all-users */
	struct request_filter filters[REQUEST_FILTERS_MOST]; /* all of them must hold */
	size_t n_filters;
};

struct request {
	enum request_name name;
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
	char **operands;            /* recipients, or further ids, as given */
	size_t n_operands;
	enum request_delivery delivery;
	struct request_flush flush;
	char *target;               /* "ID", "all", an account, an address, or "HOST:PORT" */
	char *report_day;           /* as given; NULL: today */
	bool wants_json;            /* --json */
	bool repairs;               /* --queue-check=repair */
	bool checks_server;         /* --check=server */
	enum request_count counts_only;
	bool ignores_dot;           /* -i, -oi: a line with a single dot is part of the message, whatever lone_dot says */
	bool skips_aliases;         /* -n under the sendmail names: local names are not looked up */
	enum request_errors errors;
	char *envid;                /* -V: ENVID, decoded; NULL: none */
	char *log_tag;              /* -L: the name in the system's log, printable; NULL: ours */
	bool tells_version;         /* -d0.1: print the version first */
};

/* Parse argv, by the rules of the name in argv[0]. False: EX_USAGE (bad option, argument or combination), err says which, with
 * the nearest known option; under the sendmail names also EX_DATAERR. request->name and what was read so far hold then, too. */
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
	OPTION_ACT_IGNORE_DOTS,
	OPTION_ACT_VERSION,
	OPTION_ACT_HELP,
	OPTION_ACT_PRETEND,
	OPTION_ACT_DEBUG,
	OPTION_ACT_FILE,
	OPTION_ACT_ACCOUNT,
	OPTION_ACT_SERVERINFO,
	OPTION_ACT_RMQS,
	OPTION_ACT_TLS_REPORT,
	OPTION_ACT_PRINT_CONFIG,
	OPTION_ACT_CHECK,
	OPTION_ACT_FROM,
	OPTION_ACT_READ_RECIPIENTS,
	OPTION_ACT_READ_ENVELOPE_FROM,
	OPTION_ACT_MESSAGE,
	OPTION_ACT_SENDMAIL_MODE,
	OPTION_ACT_SENDMAIL_OPTION,
	OPTION_ACT_FLUSH,
	OPTION_ACT_FORCE,
	OPTION_ACT_NETWORK_UP,
	OPTION_ACT_ALL_USERS,
	OPTION_ACT_MAILQ,
	OPTION_ACT_JSON,
	OPTION_ACT_SHOW,
	OPTION_ACT_HOLD,
	OPTION_ACT_RELEASE,
	OPTION_ACT_RETRY,
	OPTION_ACT_REMOVE,
	OPTION_ACT_QUEUE_CHECK,
	OPTION_ACT_ROUTE,
	OPTION_ACT_FORGET_KEY
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
	bool is_queue;                 /* an action about the queue */
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
