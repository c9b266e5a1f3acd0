/* value.h - the values of an account as the rows of the table describe them: read, copied, printed and freed by
 * type. */

#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "base/err.h"
#include "conf/account.h"

/* Set what `name` (a setting or an old name) says to `argument`; an empty argument is the same as none. The
 * setting counts as set from then on. False: EX_CONFIG, err without a place ("port: '0' is not a number from 1
 * to 65535"); the account is unchanged. */
bool value_set(struct account *account, struct str name, struct str argument, struct origin origin, struct err *err);

/* Give the field of a row its built-in value; what it held before is forgotten, not freed. */
void value_reset(struct account *account, size_t row);

/* Copy a row's value with its origin; the old value of target is freed. is_set is the caller's business. */
void value_copy(struct account *target, const struct account *source, size_t row);

/* Free a row's value, wiping a secret, and zero the field. */
void value_free(struct account *account, size_t row);

/* Append a row's value as it would be written in a file, without quotes ("*" for a secret), or with is_shown in
 * the words of --pretend. False and nothing: not set. */
bool value_add(struct buf *b, const struct account *account, size_t row, bool is_shown);

#endif
