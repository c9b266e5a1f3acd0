/* connect_test.c - connecting: look-up with a deadline, racing, source address, proxy, unix sockets. Its own
 * getaddrinfo answers for names. */

#include "config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include "base/clock.h"
#include "net/connect.h"
#include "net/lookup.h"
#include "net_peer.h"
#include "tap.h"

/* The hosts that our getaddrinfo knows: at most 4 addresses, or a code. */
static const struct {
	const char *name;
	const char *addresses[4];
	int code;
	unsigned sleep_seconds;
} hosts[] = {
	{.name = "one.test", .addresses = {"127.0.0.1"}},
	{.name = "hole.test", .addresses = {"127.0.0.2"}},
	{.name = "holefirst.test", .addresses = {"127.0.0.2", "127.0.0.1"}},
	{.name = "deadfirst.test", .addresses = {"127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.1"}},
	{.name = "dead.test", .addresses = {"127.0.0.3", "127.0.0.4", "127.0.0.5", "::1"}},
	{.name = "xn--bcher-kva.test", .addresses = {"127.0.0.1"}},
	{.name = "gone.test", .code = EAI_NONAME},
	{.name = "empty.test", .code = EAI_NODATA},
	{.name = "again.test", .code = EAI_AGAIN},
	{.name = "slow.test", .sleep_seconds = 30, .code = EAI_AGAIN},
};

static struct addrinfo *
make_item(const char *text)
{
	struct addrinfo *item = calloc(1, sizeof(*item));
	struct endpoint endpoint = {0};

	if (item == NULL || !lookup_literal(text, 0, &endpoint))
		abort();
	item->ai_family = endpoint.any.sa_family;
	item->ai_addrlen = endpoint.size;
	item->ai_addr = calloc(1, sizeof(endpoint));
	memcpy(item->ai_addr, &endpoint.v6, sizeof(endpoint.v6));
	return item;
}

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	struct addrinfo **last = result;

	(void)service;
	(void)hints;
	*result = NULL;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (strcmp(hosts[i].name, node) != 0)
			continue;
		sleep(hosts[i].sleep_seconds);
		for (size_t k = 0; k < 4 && hosts[i].addresses[k] != NULL; k++) {
			*last = make_item(hosts[i].addresses[k]);
			last = &(*last)->ai_next;
		}
		return hosts[i].code;
	}
	return EAI_NONAME;
}

void
freeaddrinfo(struct addrinfo *list)
{
	while (list != NULL) {
		struct addrinfo *next = list->ai_next;

		free(list->ai_addr);
		free(list);
		list = next;
	}
}

/* A listening socket; *port 0 becomes the one given. */
static int
listen_on(const char *address, int *port, int backlog)
{
	struct sockaddr_in bound = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
	socklen_t size = sizeof(bound);
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, address, &bound.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&bound, size) != 0 || listen(fd, backlog) != 0 ||
	    getsockname(fd, (struct sockaddr *)&bound, &size) != 0)
		abort();
	*port = ntohs(bound.sin_port);
	return fd;
}

/* Fill the queue of the listener at the address, so that it answers nobody any more. */
static void
make_hole(const char *address, int port)
{
	struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	inet_pton(AF_INET, address, &target.sin_addr);
	for (int i = 0; i < 4; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		(void)!connect(fd, (struct sockaddr *)&target, sizeof(target));
	}
	net_sleep_ms(20);
}

static int
count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int n = 0;

	while (directory != NULL && readdir(directory) != NULL)
		n++;
	if (directory != NULL)
		closedir(directory);
	return n;
}

/* The outcome of one attempt; the descriptor is closed again. */
struct result {
	bool is_good;
	struct connection connection;
	int exit_code;
	char text[512];
	char hint[256];
	int64_t took_ms;
	bool has_flags; /* non-blocking, close-on-exec, no delay */
	int n_left;     /* descriptors that are open afterwards and were not before */
};

static struct result
try(struct connect_target target, int64_t patience_ms)
{
	struct result result = {0};
	struct err err = {0};
	int64_t start = clock_now();
	int n_before = count_descriptors();
	int no_delay = 0;
	socklen_t size = sizeof(no_delay);

	result.is_good = connect_to(&target, start + patience_ms, &result.connection, &err);
	result.took_ms = clock_now() - start;
	result.exit_code = err.exit_code;
	snprintf(result.text, sizeof(result.text), "%s", buf_text(&err.text));
	snprintf(result.hint, sizeof(result.hint), "%s", buf_text(&err.hint));
	if (result.is_good) {
		int fd = result.connection.fd;

		getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
		result.has_flags = (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 &&
		                   (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 &&
		                   (no_delay != 0 || target.socket != NULL);
		close(fd);
	}
	result.n_left = count_descriptors() - n_before;
	err_clear(&err);
	return result;
}

static bool
fails_with(const struct result *result, int exit_code, const char *word)
{
	bool holds = !result->is_good && result->exit_code == exit_code && strstr(result->text, word) != NULL &&
	             result->connection.fd == -1;

	if (!holds)
		tap_note("good %d, exit %d: %s", result->is_good, result->exit_code, result->text);
	return holds;
}

static void
test_lookup(int port)
{
	struct result result = try((struct connect_target){.host = "127.0.0.1", .port = port}, 10000);

	tap_ok(result.is_good && strcmp(result.connection.address, "127.0.0.1") == 0 &&
	               result.connection.is_loopback && result.has_flags,
	       "a literal is connected to");
	result = try((struct connect_target){.host = "one.test", .port = port}, 10000);
	tap_ok(result.is_good && strcmp(result.connection.address, "127.0.0.1") == 0, "a name is looked up");
	result = try((struct connect_target){.host = "B\xc3\xbc"
	                                             "cher.test.",
	                                     .port = port},
	             10000);
	tap_ok(result.is_good, "a name in UTF-8 is looked up as A-label");
	result = try((struct connect_target){.host = "gone.test", .port = port}, 10000);
	tap_ok(fails_with(&result, EX_NOHOST, "no host of the name gone.test"),
	       "a name that does not exist is told");
	result = try((struct connect_target){.host = "empty.test", .port = port}, 10000);
	tap_ok(fails_with(&result, EX_NOHOST, "empty.test has no address") && strstr(result.hint, "set 'host'") != NULL,
	       "a name without address is told");
	result = try((struct connect_target){.host = "again.test", .port = port}, 10000);
	tap_ok(fails_with(&result, EX_TEMPFAIL, "cannot look up the host name again.test"),
	       "a failing look-up is temporary");
	tap_ok(strstr(result.hint, "is this machine connected?") != NULL, "and the hint is about the network");
	result = try((struct connect_target){.host = "a..b", .port = port}, 10000);
	tap_ok(fails_with(&result, EX_NOHOST, "'a..b' is no host name"), "a name that can be none is told");
	result = try((struct connect_target){.host = "slow.test", .port = port}, 1000);
	tap_ok(fails_with(&result, EX_TEMPFAIL, "slow.test") && result.took_ms >= 990 && result.took_ms < 2000,
	       "a look-up that hangs ends at the deadline");
	tap_ok(strstr(result.hint, "is this machine connected?") != NULL, "with the same hint");
	tap_is_number(result.n_left, 0, "and leaves no descriptor behind");
}

static void
test_race(int port)
{
	struct result result = try((struct connect_target){.host = "holefirst.test", .port = port}, 10000);

	if (!tap_ok(result.is_good && strcmp(result.connection.address, "127.0.0.1") == 0 &&
	                    result.took_ms >= 240 && result.took_ms < 1500,
	            "the next address is tried after 250 ms while the first is silent"))
		tap_note("%lld ms: %s", (long long)result.took_ms, result.text);
	tap_is_number(result.n_left, 0, "the loser of the race is closed");
	result = try((struct connect_target){.host = "deadfirst.test", .port = port}, 10000);
	tap_ok(result.is_good && strcmp(result.connection.address, "127.0.0.1") == 0 && result.took_ms < 700,
	       "the next address is tried at once when one refuses");
	result = try((struct connect_target){.host = "hole.test", .port = port}, 1000);
	tap_ok(fails_with(&result, EX_TEMPFAIL, "127.0.0.2: connection timed out") && result.took_ms >= 990 &&
	               result.took_ms < 2000,
	       "a silent address ends at the deadline");
	tap_is_number(result.n_left, 0, "and leaves no descriptor behind");
	result = try((struct connect_target){.host = "dead.test", .port = port}, 10000);
	tap_ok(fails_with(&result, EX_TEMPFAIL, "127.0.0.3: connection refused; [::1]: ") &&
	               strstr(result.text, "; 127.0.0.4: connection refused; 127.0.0.5: connection refused") !=
	                       NULL,
	       "the families alternate, and each address is told with its reason");
	result = try((struct connect_target){.host = "one.test", .port = port}, 0);
	tap_ok(fails_with(&result, EX_TEMPFAIL, ""), "nothing is done after the deadline");
}

static void
test_source(int port, int listener)
{
	struct sockaddr_in from = {0};
	socklen_t size = sizeof(from);
	struct result result;
	int fd;

	/* Those of the cases before. */
	fcntl(listener, F_SETFL, O_NONBLOCK);
	while ((fd = accept(listener, NULL, NULL)) >= 0)
		close(fd);
	result = try((struct connect_target){.host = "one.test", .port = port, .source_ip = "127.0.0.9"}, 10000);
	fd = accept(listener, (struct sockaddr *)&from, &size);
	tap_ok(result.is_good && fd >= 0 && from.sin_addr.s_addr == htonl(0x7f000009),
	       "source_ip is the address we come from");
	close(fd);
	result = try((struct connect_target){.host = "one.test", .port = port, .source_ip = "::1"}, 10000);
	tap_ok(fails_with(&result, EX_TEMPFAIL, "same family"),
	       "addresses of another family than source_ip are skipped");
	result = try((struct connect_target){.host = "one.test", .port = port, .source_ip = "localhost"}, 10000);
	tap_ok(fails_with(&result, EX_CONFIG, "'localhost' is no address"),
	       "a source_ip that is no address is a fault of the configuration");
	result = try((struct connect_target){.host = "one.test", .port = port, .source_ip = "192.0.2.1"}, 10000);
	tap_ok(fails_with(&result, EX_TEMPFAIL, "127.0.0.1: cannot assign"),
	       "a source_ip that is not ours is told");
}

/* A proxy that takes the next connection of the listener and says yes. */
static int
be_proxy(int fd, const void *argument)
{
	static const char request[] = "\5\1\0\3\tmail.test\0\31";
	const int *listener = argument;
	char data[64];
	int client;

	(void)fd;
	fcntl(*listener, F_SETFL, 0);
	client = accept(*listener, NULL, NULL);
	if (read(client, data, 3) != 3 || write(client, "\5\0", 2) != 2)
		return 1;
	if (recv(client, data, sizeof(request) - 1, MSG_WAITALL) != sizeof(request) - 1 ||
	    memcmp(data, request, sizeof(request) - 1) != 0)
		return 2;
	return write(client, "\5\0\0\1\0\0\0\0\0\0", 10) == 10 ? 0 : 3;
}

static void
test_proxy(int port, int listener)
{
	struct connect_target target = {
		.host = "mail.test", .port = 25, .proxy_host = "one.test", .proxy_port = port};
	struct net_peer proxy;
	struct result result;
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0)
		close(fd);
	proxy = net_peer_start(be_proxy, &listener);
	result = try(target, 10000);
	tap_ok(result.is_good && strcmp(result.connection.address, "127.0.0.1") == 0 &&
	               !result.connection.is_loopback,
	       "behind a proxy nothing counts as loopback");
	tap_is_number(net_peer_wait(&proxy), 0, "the proxy gets the name of the host");
	close(proxy.fd);
	target.proxy_host = "gone.test";
	result = try(target, 10000);
	tap_ok(fails_with(&result, EX_NOHOST, "proxy gone.test: "), "a proxy that does not exist is told");
	target.proxy_host = "127.0.0.3";
	result = try(target, 10000);
	tap_ok(fails_with(&result, EX_TEMPFAIL, "proxy 127.0.0.3: cannot connect"), "a proxy that refuses is told");
	fcntl(listener, F_SETFL, O_NONBLOCK);
	target.proxy_host = "127.0.0.1";
	result = try(target, 1000);
	tap_ok(fails_with(&result, EX_TEMPFAIL, "proxy 127.0.0.1: no answer") && result.took_ms < 2000,
	       "a silent proxy ends at the deadline");
	tap_is_number(result.n_left, 0, "and leaves no descriptor behind");
}

static void
test_unix(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char *path = scratch_path("socket");
	char *missing = scratch_path("missing");
	char long_path[200] = "/tmp/";
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int filler = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct result result;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 1) != 0)
		abort();
	result = try((struct connect_target){.host = "gone.test", .socket = path}, 10000);
	tap_ok(result.is_good && result.connection.is_loopback && result.connection.address[0] == '\0' &&
	               result.has_flags,
	       "a unix socket overrides the host and is loopback");
	(void)!connect(filler, (struct sockaddr *)&address, sizeof(address));
	result = try((struct connect_target){.socket = path}, 1000);
	tap_ok(fails_with(&result, EX_TEMPFAIL, path) && result.took_ms >= 990 && result.took_ms < 2000,
	       "a unix socket with a full queue ends at the deadline");
	result = try((struct connect_target){.socket = missing}, 10000);
	tap_ok(fails_with(&result, EX_TEMPFAIL, "missing: No such file"),
	       "a unix socket that does not exist is told");
	memset(long_path + 5, 'x', 150);
	result = try((struct connect_target){.socket = long_path}, 10000);
	tap_ok(fails_with(&result, EX_CONFIG, "longer than 107 bytes"),
	       "a path that is too long is a fault of the configuration");
	tap_is_number(result.n_left, 0, "no descriptor is left behind");
	close(fd);
	close(filler);
	free(path);
	free(missing);
}

static void
test_literals(void)
{
	static const char *const loopback[] = {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"};
	static const char *const others[] = {"128.0.0.1", "::2", "::ffff:192.0.2.1", "192.0.2.1"};
	struct endpoint endpoint = {0};
	bool is_right = true;

	for (size_t i = 0; i < 4; i++) {
		is_right = lookup_literal(loopback[i], 25, &endpoint) && lookup_is_loopback(&endpoint) && is_right;
		is_right = lookup_literal(others[i], 25, &endpoint) && !lookup_is_loopback(&endpoint) && is_right;
	}
	tap_ok(is_right, "the addresses of this machine are told from others");
	tap_ok(!lookup_literal("127.0.0.1.example", 25, &endpoint) && !lookup_literal("[::1]", 25, &endpoint) &&
	               !lookup_literal("127.1", 25, &endpoint) && !lookup_literal("", 25, &endpoint),
	       "what is no literal is not taken for one");
}

static void
test_localhost(void)
{
	static const char *names[] = {"localhost", "LocalHost", "localhost."};
	struct lookup found = {0};
	struct err err = {0};
	bool is_right = true;

	/* A deadline that is over: whoever asks somebody gets no answer. */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		is_right = lookup_host(names[i], 25, clock_now() - 1000, &found, &err) && found.n == 2 && is_right;
		is_right = found.endpoints[0].any.sa_family == AF_INET && lookup_is_loopback(&found.endpoints[0]) && is_right;
		is_right = found.endpoints[1].any.sa_family == AF_INET6 && lookup_is_loopback(&found.endpoints[1]) && is_right;
		is_right = ntohs(found.endpoints[0].v4.sin_port) == 25 && ntohs(found.endpoints[1].v6.sin6_port) == 25 && is_right;
	}
	tap_ok(is_right, "localhost is 127.0.0.1 and ::1, and nobody is asked for it");
	tap_ok(!lookup_host("localhost.invalid", 25, clock_now() - 1000, &found, &err), "a name that begins like it is another");
	err_clear(&err);
}

int
main(void)
{
	int port = 0;
	int listener = listen_on("127.0.0.1", &port, 64);
	int hole = listen_on("127.0.0.2", &port, 0);

	make_hole("127.0.0.2", port);
	test_literals();
	test_localhost();
	test_lookup(port);
	test_race(port);
	test_source(port, listener);
	test_proxy(port, listener);
	test_unix();
	close(listener);
	close(hole);
	scratch_remove();
	return tap_end();
}
