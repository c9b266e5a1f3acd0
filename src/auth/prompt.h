/* prompt.h - a question to the user at the terminal, answered without echo. */

#ifndef AUTH_PROMPT_H
#define AUTH_PROMPT_H

#include "base/buf.h"
#include "conf/account.h"

/* Ask for the password of the account at the terminal, and put what was typed into text, which is empty: a line with its
 * end, or nothing. At most 5 minutes. The echo is on again afterwards, and a signal that wants to end the program does so
 * only then. False: there is no terminal. */
bool prompt_ask(struct buf *text, const struct account *account);

#endif
