/* err.h - the one error value: filled once where the fault is seen, carried up, printed only in cmd/.
 *
 * Every function that can fail ends its parameters with `struct err *err` and returns bool. The place that knows the cause
 * calls err_set() and returns its result; callers may only put context in front (err_prefix) or add a hint. A recipient's
 * fate is not an error but an outcome (mail/outcome.h). */

#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <sysexits.h>

#include "base/buf.h"

struct err {
	int exit_code;    /* one of <sysexits.h>; 0: no error. EX_TEMPFAIL means: the same call may go well later */
	struct buf text;  /* lower case, no full stop, outermost context first */
	struct buf hint;  /* what to do next; empty when there is nothing sensible to say */
};

/* Fill err and return false, for `return err_set(...)`. An err that is already filled keeps its first cause. */
bool err_set(struct err *err, int exit_code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with ": " and the text of errno behind. */
bool err_set_errno(struct err *err, int exit_code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Put "CONTEXT: " in front of the text. Returns false. */
bool err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Say what to do next; the first hint stays. Returns false. */
bool err_hint(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool err_is_set(const struct err *err);

/* Would the same call perhaps go well later? */
bool err_is_temporary(const struct err *err);

/* Let `to`, if it is not filled, take over what `from` holds; from is empty afterwards. Returns false. */
bool err_move(struct err *to, struct err *from);

/* Empty err for the next use, or at the end. */
void err_clear(struct err *err);

/* The name of a sysexits code as written in logs ("EX_TEMPFAIL"); "EX_???" for an unknown one. Borrowed, constant. */
const char *err_exit_name(int exit_code);

/* Add text from a peer to b so that no terminal and no log can be hurt: printable ASCII and well-formed UTF-8 stay, except
 * control (Cc) and format (Cf: bidirectional marks and the like) characters; everything else becomes \xNN, a newline "\n". */
void err_add_clean(struct buf *b, struct str text);

#endif
