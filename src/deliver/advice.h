/* advice.h - what to do about a refusal: the setting or the command to use next. Pure.
 *
 * What servers say is matched narrowly: where a text can have several causes, the advice says "if". */

#ifndef DELIVER_ADVICE_H
#define DELIVER_ADVICE_H

#include "conf/account.h"
#include "mail/outcome.h"

/* What to do about an outcome of this account, by what the server said or, if it said nothing, by what the settings make likely.
 * NULL: nothing sensible to say, as for what was delivered. Constant text. */
const char *advice_for(const struct account *account, const struct outcome *outcome);

#endif
