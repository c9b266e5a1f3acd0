/* rcparse.h - the grammar of a configuration file, and what it says about accounts.
 *
 * Per line: blanks, keyword, blanks, argument. CRLF is a line end, a line whose first non-blank is '#' is a
 * comment, one pair of outer double quotes around the argument is dropped, blanks behind it are dropped.
 * Nothing else has a meaning. */

#ifndef CONF_RCPARSE_H
#define CONF_RCPARSE_H

#include "base/err.h"
#include "conf/account.h"

struct rcparse {
	const char *name;         /* of the file, for messages and origins; must live as long as the accounts */
	bool refuses_eval;        /* `eval` is an error: no command is ever run */
	bool is_alone;            /* a command of `eval` gets no terminal: there is nobody to ask */
	bool is_system;           /* it is the system's own file, where KEYWORD_SYSTEM_ONLY counts */
	struct account *accounts; /* in the order of the file; owned */
	size_t n_accounts;
};

/* Read text. False: EX_CONFIG, "NAME:LINE:COLUMN: what" (columns count bytes from 1); the accounts so far are there. */
bool rcparse_read(struct rcparse *parse, struct str text, struct err *err);

/* Does text hold a secret as such (`password` with an argument)? Looks at the lines only, runs nothing. */
bool rcparse_has_secret(struct str text);

/* The argument of the last line of text with this keyword; empty when there is none. Looks at the lines only. */
struct str rcparse_last(struct str text, struct str keyword);

void rcparse_free(struct rcparse *parse);

#endif
