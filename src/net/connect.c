/* connect.c - a connected socket: addresses raced (RFC 8305), through a SOCKS5 proxy if wanted, or a unix socket.
 *
 * All waiting ends at the deadline; one address gets at most ADDRESS_PATIENCE_MS of it. */

#include "config.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/connect.h"
#include "net/lookup.h"
#include "net/socks.h"
#include "net/wait.h"

enum {
	STAGGER_MS = 250, /* RFC 8305 section 5: the next address starts this much later */
	ADDRESS_PATIENCE_MS = 30000,
	BACKLOG_PAUSE_MS = 50 /* between two tries while a unix socket's queue is full */
};

struct attempt {
	int fd; /* -1: not started, or failed and closed */
	int64_t deadline;
	size_t index; /* of its endpoint */
};

struct race {
	const struct lookup *found;
	const struct endpoint *source; /* NULL: none */
	size_t order[LOOKUP_MOST];     /* indices of found->endpoints */
	size_t n;
	size_t n_started;
	struct attempt running[LOOKUP_MOST];
	size_t n_running;
	int64_t next_at;     /* when the next address may start */
	struct buf failures; /* "ADDRESS: reason; ..." */
};

/* Families alternate, beginning with that of the best address; inside a family the order stays. */
static void
interleave(struct race *race)
{
	const struct lookup *found = race->found;
	bool is_taken[LOOKUP_MOST] = {false};
	int family = found->endpoints[0].any.sa_family;

	while (race->n < found->n) {
		size_t first = found->n;
		size_t i;

		for (i = 0; i < found->n; i++) {
			if (is_taken[i])
				continue;
			if (first == found->n)
				first = i;
			if (found->endpoints[i].any.sa_family == family)
				break;
		}
		if (i == found->n)
			i = first;
		is_taken[i] = true;
		race->order[race->n++] = i;
		family = found->endpoints[i].any.sa_family == AF_INET ? AF_INET6 : AF_INET;
	}
}

/* The words of errno begin with a capital, our messages do not. */
static void
add_reason(struct buf *b, int reason)
{
	const char *text = strerror(reason);

	buf_add_char(b, ascii_lower(text[0]));
	if (text[0] != '\0')
		buf_add_text(b, text + 1);
}

static void
note_failure(struct race *race, size_t index, int reason)
{
	const struct endpoint *endpoint = &race->found->endpoints[index];
	bool is_v6 = endpoint->any.sa_family == AF_INET6;

	if (race->failures.size > 0)
		buf_add_text(&race->failures, "; ");
	buf_add_text(&race->failures, is_v6 ? "[" : "");
	lookup_add_text(endpoint, &race->failures);
	buf_add_text(&race->failures, is_v6 ? "]: " : ": ");
	add_reason(&race->failures, reason);
}

/* Begin to connect to the next address. False: it failed at once. *is_connected: it even succeeded at once. */
static bool
start_next(struct race *race, int64_t deadline, bool *is_connected)
{
	size_t index = race->order[race->n_started++];
	const struct endpoint *endpoint = &race->found->endpoints[index];
	const int on = 1;
	int fd;

	race->next_at = clock_now() + STAGGER_MS;
	fd = socket(endpoint->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		note_failure(race, index, errno);
		return false;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (race->source != NULL && bind(fd, &race->source->any, race->source->size) != 0)
		goto out;
	*is_connected = connect(fd, &endpoint->any, endpoint->size) == 0;
	/* A connect that a signal interrupted goes on by itself. */
	if (!*is_connected && errno != EINPROGRESS && errno != EINTR)
		goto out;
	race->running[race->n_running++] = (struct attempt){
		.fd = fd,
		.deadline = clock_earlier(deadline, clock_now() + ADDRESS_PATIENCE_MS),
		.index = index,
	};
	return true;
out:
	note_failure(race, index, errno);
	close(fd);
	return false;
}

/* Take attempt i out of the race; its descriptor is the caller's. */
static void
remove_attempt(struct race *race, size_t i)
{
	race->n_running--;
	memmove(&race->running[i], &race->running[i + 1], (race->n_running - i) * sizeof(race->running[0]));
}

/* Wait until something may have happened to one of the running attempts or the next one is due. */
static void
wait_for_news(const struct race *race, int64_t deadline, struct pollfd *waits)
{
	int64_t until = race->n_started < race->n ? clock_earlier(deadline, race->next_at) : deadline;

	for (size_t i = 0; i < race->n_running; i++) {
		waits[i] = (struct pollfd){.fd = race->running[i].fd, .events = POLLOUT};
		until = clock_earlier(until, race->running[i].deadline);
	}
	/* Timed out, interrupted, or ready: settle() finds out. */
	(void)wait_any(waits, race->n_running, until);
}

/* Look at what the wait brought: the connected descriptor, or -1 after the failed ones were sorted out. */
static int
settle(struct race *race, const struct pollfd *waits, struct endpoint *winner)
{
	/* From the last to the first, so that waits[i] still belongs to running[i] after one was removed. */
	for (size_t i = race->n_running; i-- > 0;) {
		struct attempt attempt = race->running[i];
		int reason = 0;
		socklen_t size = sizeof(reason);

		if (waits[i].revents == 0 && clock_now() < attempt.deadline)
			continue;
		if (waits[i].revents == 0)
			reason = ETIMEDOUT;
		else if (getsockopt(attempt.fd, SOL_SOCKET, SO_ERROR, &reason, &size) != 0)
			reason = errno;
		remove_attempt(race, i);
		if (reason == 0) {
			*winner = race->found->endpoints[attempt.index];
			return attempt.fd;
		}
		close(attempt.fd);
		note_failure(race, attempt.index, reason);
		race->next_at = 0;
	}
	return -1;
}

/* The first address that connects. -1: none did, race->failures says why. */
static int
run_race(struct race *race, int64_t deadline, struct endpoint *winner)
{
	struct pollfd waits[LOOKUP_MOST] = {{0}};
	int fd = -1;

	interleave(race);
	while (fd < 0 && clock_now() < deadline) {
		bool is_connected = false;

		if (race->n_started < race->n && (race->n_running == 0 || clock_now() >= race->next_at)) {
			if (!start_next(race, deadline, &is_connected))
				race->next_at = 0;
			if (race->n_running == 0)
				continue;
		}
		if (is_connected) {
			*winner = race->found->endpoints[race->running[race->n_running - 1].index];
			fd = race->running[--race->n_running].fd;
			break;
		}
		if (race->n_running == 0)
			break;
		if (race->next_at == 0 && race->n_started < race->n)
			continue;
		wait_for_news(race, deadline, waits);
		fd = settle(race, waits, winner);
	}
	for (size_t i = 0; i < race->n_running; i++) {
		close(race->running[i].fd);
		if (fd < 0)
			note_failure(race, race->running[i].index, ETIMEDOUT);
	}
	return fd;
}

/* Drop the addresses that a source address of another family cannot reach. */
static bool
keep_family(struct lookup *found, const struct endpoint *source, const char *source_ip, struct err *err)
{
	size_t n_kept = 0;

	for (size_t i = 0; i < found->n; i++)
		if (found->endpoints[i].any.sa_family == source->any.sa_family)
			found->endpoints[n_kept++] = found->endpoints[i];
	found->n = n_kept;
	if (n_kept > 0)
		return true;
	return err_set(err, EX_TEMPFAIL, "the host has no address of the same family as source_ip %s", source_ip);
}

static bool
is_avoided(const struct endpoint *endpoint, struct str avoid)
{
	struct buf text = {0};
	struct str word;
	bool is_found = false;

	lookup_add_text(endpoint, &text);
	while (!is_found && str_next_word(&avoid, &word))
		is_found = str_equals(word, buf_str(&text));
	buf_free(&text);
	return is_found;
}

/* Drop the addresses that were tried before. */
static bool
keep_untried(struct lookup *found, const char *avoid, struct err *err)
{
	size_t n_kept = 0;

	for (size_t i = 0; i < found->n; i++)
		if (!is_avoided(&found->endpoints[i], str_of(avoid)))
			found->endpoints[n_kept++] = found->endpoints[i];
	found->n = n_kept;
	return n_kept > 0 || err_set(err, EX_TEMPFAIL, "the host has no other address");
}

static bool
connect_tcp(const struct connect_target *target, int64_t deadline, struct connection *connection, struct err *err)
{
	bool has_proxy = target->proxy_host != NULL;
	const char *host = has_proxy ? target->proxy_host : target->host;
	int port = has_proxy ? target->proxy_port : target->port;
	struct endpoint source = {0};
	struct endpoint winner = {0};
	struct lookup found = {0};
	struct race race = {.found = &found};
	struct buf address = {0};

	if (target->source_ip != NULL && !lookup_literal(target->source_ip, 0, &source))
		return err_set(err, EX_CONFIG, "source_ip '%s' is no address", target->source_ip);
	if (target->found != NULL && !has_proxy)
		found = *target->found;
	else if (!lookup_host(host, port, deadline, &found, err))
		return false;
	if (target->source_ip != NULL) {
		if (!keep_family(&found, &source, target->source_ip, err))
			return false;
		race.source = &source;
	}
	connection->has_no_other = !keep_untried(&found, target->avoid, err);
	if (connection->has_no_other)
		return false;
	connection->fd = run_race(&race, deadline, &winner);
	if (connection->fd < 0)
		err_set(err, EX_TEMPFAIL, "cannot connect to port %d: %s", port,
		        race.failures.size > 0 ? buf_text(&race.failures) : "timed out");
	if (connection->fd < 0 && target->source_ip != NULL)
		err_hint(err, "is source_ip %s an address of this machine?", target->source_ip);
	buf_free(&race.failures);
	if (connection->fd < 0)
		return false;
	lookup_add_text(&winner, &address);
	snprintf(connection->address, sizeof(connection->address), "%s", buf_text(&address));
	buf_free(&address);
	connection->is_loopback = !has_proxy && lookup_is_loopback(&winner);
	return true;
}

static bool
connect_unix(const char *path, int64_t deadline, struct connection *connection, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t size = strlen(path);

	if (size >= sizeof(address.sun_path))
		return err_set(err, EX_CONFIG, "the socket path %s is longer than %zu bytes", path,
		               sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, size + 1);
	connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connection->fd < 0)
		return err_set_errno(err, EX_OSERR, "cannot make a socket");
	while (connect(connection->fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		bool is_full = errno == EAGAIN;

		/* poll(2) does not tell when there is room in the queue of a unix socket. */
		if (errno == EINTR || (is_full && clock_now() < deadline)) {
			(void)wait_any(NULL, 0, clock_earlier(deadline, clock_now() + BACKLOG_PAUSE_MS));
			continue;
		}
		if (is_full)
			errno = ETIMEDOUT;
		err_set_errno(err, EX_TEMPFAIL, "cannot connect to the socket %s", path);
		close(connection->fd);
		connection->fd = -1;
		return false;
	}
	connection->is_loopback = true;
	return true;
}

bool
connect_to(const struct connect_target *target, int64_t deadline, struct connection *connection, struct err *err)
{
	*connection = (struct connection){.fd = -1};
	if (target->socket != NULL)
		return connect_unix(target->socket, deadline, connection, err);
	if (!connect_tcp(target, deadline, connection, err)) {
		if (target->proxy_host != NULL)
			err_prefix(err, "proxy %s", target->proxy_host);
		return false;
	}
	if (target->proxy_host == NULL || socks_connect(connection->fd, target, deadline, err))
		return true;
	close(connection->fd);
	connection->fd = -1;
	return err_prefix(err, "proxy %s", target->proxy_host);
}
