/* keyword.h - the one table of settings.
 *
 * The file parser, the options, --help, inheritance, printing and the completion scripts are all driven by
 * these rows. A row's number is the index of account.is_set and account.origins. Names and words are
 * case-sensitive. */

#ifndef CONF_KEYWORD_H
#define CONF_KEYWORD_H

#include <stdint.h>

#include "base/buf.h"
#include "conf/account.h"

enum keyword_type {
	KEYWORD_TEXT,   /* char *; with `words`: one of them, stored as the first word of the same value */
	KEYWORD_SWITCH, /* bool, by words (on, off unless the row has its own) */
	KEYWORD_WORD,   /* an enum or int, by words */
	KEYWORD_NUMBER, /* int: a word, or least to most */
	KEYWORD_LONG    /* int64_t: the same */
};

enum keyword_flag {
	KEYWORD_NEEDS_ARGUMENT = 1, /* an empty argument is an error, also for a text */
	KEYWORD_KEEPS_EMPTY = 2,    /* an empty argument is the empty text, not "not set" */
	KEYWORD_OFF_UNSETS = 4,     /* the text "off" is "not set" */
	KEYWORD_IS_PATH = 8,        /* a leading ~ is the home directory */
	KEYWORD_IS_SECRET = 16,     /* wiped, printed as "*", never an option */
	KEYWORD_IS_COMMAND = 32,    /* run by sh: control characters are the shell's business */
	KEYWORD_FILE_ONLY = 64,     /* no option by itself (--from asks for more than the setting does) */
	KEYWORD_IS_SECONDS = 128,   /* --pretend names the unit */
	KEYWORD_IS_FILE = 256,      /* completes to file names, though ~ is not expanded */
	KEYWORD_IS_DURATION = 512,  /* a KEYWORD_LONG in seconds: a decimal number with s, m, h, d or w behind, or none (s) */
	KEYWORD_OF_MESSAGE = 1024,  /* has its effect when the message is read, so that a queue entry need not keep it */
	KEYWORD_IS_PASSWORD = 2048, /* a way to the account's password */
	KEYWORD_SYSTEM_ONLY = 4096, /* counts in the system's file alone, for all of it */
	KEYWORD_IS_URI = 8192       /* may be a URI of PKCS #11 with a PIN in it (RFC 7512, pin-value) */
};

struct keyword_word {
	const char *word;
	int value;
	const char *shown; /* by --pretend, where msmtp says it otherwise; NULL: the word */
};

struct keyword {
	const char *name;
	enum keyword_type type;
	size_t offset;                          /* of the field in struct account */
	const struct keyword_word *words;       /* ended by a NULL word; NULL: none */
	int64_t least;                          /* bounds of a number */
	int64_t most;
	const char *empty;                      /* the argument that an empty one stands for; NULL: see flags, words need one */
	const char *initial;                    /* the built-in value, written as in a file; NULL: zero */
	const char *remark;                     /* how the manual says the default, where `initial` does not; NULL: initial */
	const char *metavar;                    /* name of the argument in --help; NULL: the words */
	const char *help;                       /* one line */
	const char *label;                      /* key of --pretend where it differs from the name; NULL: the name */
	const char *(*complain)(struct str argument); /* what would be right, NULL when the argument is; NULL: everything is */
	unsigned flags;
	char letter;                            /* of the short option; 0: none */
};

/* An old name: on, off (or no) argument translated for another setting. */
struct keyword_alias {
	const char *name;
	const char *setting; /* NULL: accepted and ignored */
	const char *on;      /* what `on` or an empty argument becomes; NULL with off: every argument goes on as it is */
	const char *off;     /* NULL with on: takes no argument */
	bool is_file_only;
};

size_t keyword_count(void);
const struct keyword *keyword_at(size_t row);
size_t keyword_alias_count(void);
const struct keyword_alias *keyword_alias_at(size_t index);

/* The setting of exactly this name; NULL when there is none (an old name is not a setting). Its row, if that is
 * not NULL. */
const struct keyword *keyword_find(struct str name, size_t *row);

/* The secret in an argument of this row: all of it, the PIN in a URI, or nothing. */
struct str keyword_secret(const struct keyword *keyword, struct str argument);

/* The old name; NULL when there is none. */
const struct keyword_alias *keyword_find_alias(struct str name);

/* Is it a setting or an old name? */
bool keyword_is_known(struct str name);

/* The known name nearest to `name`, when it is near enough to be what was meant; else NULL. */
const char *keyword_nearest(struct str name);

/* Take the next enhanced code off *rest, the list of treat_as_temporary: codes with blanks or commas between. False: no more. */
bool keyword_next_code(struct str *rest, struct str *code);

/* Append the words of a row with `separator` between them; false and nothing when it has none. */
bool keyword_add_words(struct buf *b, const struct keyword *keyword, char separator);

#endif
