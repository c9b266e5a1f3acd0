/* login.h - which kinds of login have worked with a server: a memory for warnings, no more.
 *
 * Empty files routes/TAG.WORD: the name says everything, so that nothing can be torn or read wrongly. Any of them may be
 * removed at any time, and the janitor removes those that were not noted again for a month. */

#ifndef QUEUE_LOGIN_H
#define QUEUE_LOGIN_H

#include "queue/spool.h"

/* Was `word` (small letters and '-') noted for what key describes? */
bool login_is_known(struct spool *spool, struct str key, const char *word);

/* Note it. Trouble is not worth an error. */
void login_note(struct spool *spool, struct str key, const char *word);

/* Append what describes a login as user at host:port. */
void login_add_key(struct buf *b, const char *host, int port, const char *user);

#endif
