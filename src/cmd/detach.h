/* detach.h - a child that goes on when the caller has got its exit status. */

#ifndef CMD_DETACH_H
#define CMD_DETACH_H

#include <sys/types.h>

/* fork(2); the child leaves the session of the terminal, works in "/", has /dev/null as standard streams and none
 * of the descriptors that the caller of the program gave it (cron and ssh wait until all of those are closed). Ours
 * stay open. It must end by _exit(). */
pid_t detach_fork(void);

#endif
