/* classic.h - the command line of the sendmail names: the letters of sendmail(8), and nothing else.
 *
 * What somebody else puts into these arguments (a web form, a crontab) can name recipients and a sender, and no more: there is no
 * long option, no file is named by any of them, options stop at the first operand, and what gets to the wire has no
 * control characters. doc/mailcrane-sendmail.8 has the list. Pure. */

#ifndef CONF_CLASSIC_H
#define CONF_CLASSIC_H

#include "conf/option.h"

/* What argv[0] says: sendmail, send-mail, mailq, newaliases and runq are the sendmail names, whatever folder and '-' stands
 * before. NULL is NAME_MAILCRANE. */
enum request_name classic_name(const char *path);

/* Parse argv under request->name, not NAME_MAILCRANE; the request is otherwise empty. False: EX_USAGE (an option or operand that
 * is not for this name), EX_DATAERR (a text that must not get to the wire). */
bool classic_parse(struct request *request, int argc, char **argv, struct err *err);

/* Write --help under these names. */
void classic_add_help(struct buf *b);

#endif
