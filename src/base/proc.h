/* proc.h - child processes: commands whose output is wanted, and work done beside the main process with a deadline.
 *
 * A child gets /dev/null as stdin, SIGPIPE and the other signals at their defaults, no descriptor but 0, 1 and 2, and is
 * killed with its whole process group when the deadline passes. */

#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Run `command` by sh -c and collect its standard output (stderr goes to ours), at most `most` bytes, before the absolute
 * deadline. False (EX_CONFIG): it could not be started, ended with a status other than 0, by a signal, ran too long, or wrote
 * more. err names the command. The output may be a secret: b must be wiped by the caller and is reserved in one piece. */
bool proc_run(const char *command, size_t most, int64_t deadline, struct buf *output, struct err *err);

/* Run work(argument, fd) in a forked child, which writes its result to fd and returns; collect what it wrote, at most `most`
 * bytes, before the deadline. For library calls that cannot be given a deadline (name look-up). False: EX_OSERR if it
 * could not be started, EX_TEMPFAIL when the deadline passed. */
bool proc_collect(void (*work)(const void *argument, int fd), const void *argument, size_t most, int64_t deadline,
                  struct buf *output, struct err *err);

#endif
