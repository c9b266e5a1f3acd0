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
	struct account *accounts; /* in the order of the file; owned */
	size_t n_accounts;
};

/* Read text. False: EX_CONFIG, "NAME:LINE:COLUMN: what" (columns count bytes from 1); the accounts so far are there. */
bool rcparse_read(struct rcparse *parse, struct str text, struct err *err);

/* Does text hold a secret as such (`password` with an argument)? Looks at the lines only, runs nothing. */
bool rcparse_has_secret(struct str text);

void rcparse_free(struct rcparse *parse);

#endif
