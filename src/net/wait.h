/* wait.h - the only poll(2) of a connection: wait for descriptors until an absolute deadline. */

#ifndef NET_WAIT_H
#define NET_WAIT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Wait until one of the n descriptors is ready (revents says which). False: the deadline has passed (errno is
 * ETIMEDOUT), even if something would be ready by now, or poll(2) said no (errno). Signals do not end the wait. */
bool wait_any(struct pollfd *waits, size_t n, int64_t deadline);

/* The same for one descriptor and events (POLLIN, POLLOUT). An error or the peer's end counts as ready. */
bool wait_fd(int fd, short events, int64_t deadline);

#endif
