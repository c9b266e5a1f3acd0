/* rcfile.h - the configuration files: msmtp's language to the letter, read by the table of settings.
 *
 * Files are found by the rules of mailcrane(1), section FILES: -C FILE alone replaces the user file; a system
 * file and a user file are merged account by account (the user's account of the same name replaces the system's
 * whole). Where no mailcrane file exists, msmtp's files are read as they are. */

#ifndef CONF_RCFILE_H
#define CONF_RCFILE_H

#include "base/err.h"
#include "conf/account.h"

/* A file that was looked for, in the order of the search, for --version and for messages. */
struct config_file {
	char *path;
	bool exists;
	bool is_used;
	bool is_replaced;  /* by the file of -C: why it cannot be read does not matter */
	int error;         /* errno when it could not be looked for or read; 0: it is not there, or all is well */
	char *refusal;     /* why, for EACCES with "uid 33 may not read it: owner 0, mode 0600"; NULL when error is 0 */
	char *hint;        /* the command that mends it; NULL */
	bool has_secret;   /* a secret as such stands in it; known once it is used */
	unsigned mode;     /* its permission bits; likewise */
};

struct config {
	struct account *accounts; /* merged order: the user's, then the system's that were not replaced */
	size_t n_accounts;
	struct config_file *files;
	size_t n_files;
	bool refuses_eval; /* to be set before reading: `eval` lines are an error, no command is run */
	bool is_alone;     /* likewise: commands get no terminal, for there is nobody to ask */
	bool only_looks;   /* likewise: see which files there are and can be read, whatever is in them; no accounts */
};

/* Where to look; NULL members are skipped. Tests point them into a temporary folder. */
struct config_search {
	const char *only_file;     /* -C FILE: must exist and be readable (EX_IOERR); NULL: search */
	const char *system_folder; /* SYSCONFDIR */
	const char *home;
	const char *xdg_config_home;
};

/* Find and read; config is zeroed but for refuses_eval, is_alone and only_looks. Bad content: EX_CONFIG, "FILE:LINE:COLUMN: what, and
 * the nearest known word". No file at all is not an error. An existing file that may not be read is recorded in
 * files (EACCES is never "no such file"), and is an error only for -C. */
bool config_load(struct config *config, const struct config_search *search, struct err *err);

/* The same for a text in memory (tests, fuzzing); name stands for the path in messages. Accounts that are there
 * already stay and win over new ones of the same name. */
bool config_parse(struct config *config, const char *name, struct str text, struct err *err);

/* How an account is chosen: -a id; else by sender (first whose `from` matches); else the account "default";
 * else, when there is exactly one account, that one. False: EX_CONFIG, err names what was asked for, the files
 * that were read, and the nearest account name, or for a file that may not be read the refusal and its hint.
 * *account is borrowed from config. */
bool config_choose(const struct config *config, const char *id, const char *sender, const struct account **account,
                   struct err *err);

/* Where no account was found: one made from $SMTPSERVER (the host) and $EMAIL (from), read by secure_getenv.
 * False with an empty err: SMTPSERVER is not set; with err set: EX_CONFIG, a value cannot be used. *account is
 * the caller's to free. */
bool config_from_environment(struct account *account, struct err *err);

/* Is `from` a pattern of senders and no address? Such a one must never be sent. NULL is not. */
bool config_is_pattern(const char *from);

void config_free(struct config *config);

#endif
