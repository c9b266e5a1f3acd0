/* wait.c - the only poll(2) of a connection. Waits, but neither reads nor writes. */

#include "config.h"

#include <errno.h>

#include "base/clock.h"
#include "net/wait.h"

bool
wait_any(struct pollfd *waits, size_t n, int64_t deadline)
{
	for (;;) {
		int timeout_ms = clock_poll_timeout(deadline);
		int n_ready;

		/* A peer that always has a little more to say must not outlast the deadline. */
		if (timeout_ms == 0) {
			errno = ETIMEDOUT;
			return false;
		}
		n_ready = poll(waits, (nfds_t)n, timeout_ms);
		if (n_ready > 0)
			return true;
		if (n_ready < 0 && errno != EINTR)
			return false;
	}
}

bool
wait_fd(int fd, short events, int64_t deadline)
{
	struct pollfd wait = {.fd = fd, .events = events};

	return wait_any(&wait, 1, deadline);
}
