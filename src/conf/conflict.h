/* conflict.h - settings of an account that do not go together. Pure. */

#ifndef CONF_CONFLICT_H
#define CONF_CONFLICT_H

#include "base/err.h"
#include "conf/account.h"

/* May the account, completed by conf/defaults, be used? False: EX_CONFIG, err names the settings, and mostly a hint which to
 * change. */
bool conflict_check(const struct account *account, struct err *err);

#endif
