/* log.h - one line per attempt, to the account's logfile and to syslog. */

#ifndef CMD_LOG_H
#define CMD_LOG_H

#include "cmd/choose.h"
#include "deliver/report.h"

/* As a log file: the descriptor that is standard error, whatever that is. */
#define LOG_STDERR "/dev/stderr"

/* Write the line where the account wants it (nowhere is fine). A log that cannot be written is a warning on stderr
 * with the line itself, never a failure. line->account must be set. */
void log_attempt(const char *program, const struct report_line *line);

/* Something that somebody has to look at: an account on hold, an entry that cannot be read. Written where the
 * account's log is, and to syslog as an error if it has none. account may be NULL. */
void log_alert(const char *program, const struct account *account, const char *text);

/* A warning about what was done with a message. On stderr; but under the sendmail names, where callers take every word for a
 * failure, in the log, in the system's if the account has none. */
void log_warning(const struct call *call, const char *text);

/* The same watch, which also hears what a session has to tell (session_watch.tell): that goes to stderr, but under the sendmail
 * names, and always to the log, to the system's if the account has none. */
struct session_watch log_listen(struct session_watch watch, struct call *call);

#endif
