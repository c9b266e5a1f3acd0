/* choose.h - the account for this call: files, command line and environment weighed in one place. */

#ifndef CMD_CHOOSE_H
#define CMD_CHOOSE_H

#include "auth/sasl.h"
#include "conf/environment.h"
#include "conf/option.h"
#include "conf/rcfile.h"

/* Everything a call knows before it does something. Zeroed is valid. */
struct call {
	const char *program;        /* the name it was called by, without folders; for messages */
	bool was_stdin_closed;      /* at the start of the program */
	struct request request;
	const struct environment *environment; /* borrowed; NULL: variables of ours do not count */
	bool is_from_queue;         /* it is for an entry of the queue, which has its settings with it */
	struct config config;
	struct account account;     /* complete once has_account */
	bool has_account;
	struct sasl_history history; /* of this run's logins with the account */
};

/* Read the configuration files, unless the host is given on the command line (then none is opened, as msmtp does) or
 * MAILCRANE_URL makes the account. False: also when a MAILCRANE_ variable that counts has a value that cannot be used. */
bool choose_read_files(struct call *call, struct err *err);

/* Is there somebody at the terminal who may be asked for a secret, by us or by a command? Under the sendmail names, in a flush
 * and for whatever else goes on by itself there is not. */
bool choose_may_ask(const struct call *call);

/* Do the variables have a part in this call's account? */
bool choose_uses_environment(const struct call *call);

/* Choose and complete the account: -a, or --host, or MAILCRANE_URL, or the first whose `from` matches `sender` (NULL: not
 * known), or the default one, or the one that $SMTPSERVER and $EMAIL describe. MAILCRANE_ variables come before files, options
 * before both. */
bool choose_account(struct call *call, const char *sender, struct err *err);

/* Is the account that was chosen also the one for `sender`, which stands in a further message? False: EX_USAGE, err names
 * both accounts, or what choose_account would have said. */
bool choose_same_account(const struct call *call, const char *sender, struct err *err);

void call_free(struct call *call);

#endif
