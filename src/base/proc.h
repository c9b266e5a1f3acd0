/* proc.h - child processes: commands whose output is wanted, and work done beside the main process with a deadline.
 *
 * A child runs in a process group of its own (a command of a program in the foreground of a terminal stays there, since it
 * may have to ask the user for a passphrase), with /dev/null as stdin, all signals at their defaults and none blocked,
 * and no descriptor but 0, 1, 2 and the one for its result. When the deadline passes, or it writes too much, its
 * group is killed, or in the terminal's foreground it alone; one that has become another user, who cannot be killed
 * (sudo), is not waited for. What it leaves running in the background when it ends is
 * neither waited for nor killed. It dies with its parent. */

#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* What is to be run, one or the other. */
struct proc_command {
	const char *line;         /* by sh -c; NULL: words */
	const char *const *words; /* a program's absolute path and its arguments, ended by NULL; no shell */
	bool is_alone;            /* there is nobody to ask: it gets a session of its own, so no terminal, and no name of one */
	bool is_quiet;            /* what it writes to stderr is dropped */
};

/* Run `command` by sh -c and append its standard output (its stderr is ours) to output, at most `most` bytes, before
 * the absolute deadline. False (EX_CONFIG): it could not be started, ended with a status other than 0 or by a signal,
 * ran too long, or wrote more; err names the command by its first word only, because the rest may hold a secret. Room
 * for all of the output is reserved at once, so that buf_wipe leaves no copy of a secret behind; the caller wipes, also
 * after false. */
bool proc_run(const char *command, size_t most, int64_t deadline, struct buf *output, struct err *err);

/* The same for any command. One that may ask somebody finds the name of the terminal in GPG_TTY, as gpg-agent wants it. */
bool proc_run_command(const struct proc_command *command, size_t most, int64_t deadline, struct buf *output, struct err *err);

/* The path of an executable program: `name` itself if it is absolute, else the first in the absolute folders of $PATH. The
 * caller's; NULL: there is none. */
char *proc_find_program(const char *name);

/* Is this program what the user of a terminal is looking at? */
bool proc_is_in_foreground(void);

/* Run work(argument, fd) in a forked child, which writes its result to fd and returns; append what it wrote, at most
 * `most` bytes, before the deadline. For library calls that cannot be given a deadline (name look-up). False:
 * EX_TEMPFAIL when the deadline passed; EX_OSERR if it could not be started, was killed by a signal, or wrote more. */
bool proc_collect(void (*work)(const void *argument, int fd), const void *argument, size_t most, int64_t deadline,
                  struct buf *output, struct err *err);

#endif
