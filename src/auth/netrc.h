/* netrc.h - the text of a .netrc file, searched for one password. Pure. */

#ifndef AUTH_NETRC_H
#define AUTH_NETRC_H

#include "base/err.h"

/* Find the password for user at host in text, which is changed (quotes are removed in place). An entry counts when its
 * `machine` is host (without case), its `login` is user and it has a `password`; `default` entries, macros and unknown
 * words are passed over. Tokens may be quoted ("..."), a backslash protects a character. *password points into text;
 * its data is NULL when there is none. False: EX_CONFIG, the text is malformed ("line N: ..."); it is never quoted. */
bool netrc_search(struct buf *text, const char *host, const char *user, struct str *password, struct err *err);

#endif
