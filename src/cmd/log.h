/* log.h - one line per attempt, to the account's logfile and to syslog. */

#ifndef CMD_LOG_H
#define CMD_LOG_H

#include "deliver/report.h"

/* Write the line where the account wants it (nowhere is fine). A log that cannot be written is a warning on stderr with
 * the line itself, never a failure. line->account must be set. */
void log_attempt(const char *program, const struct report_line *line);

#endif
