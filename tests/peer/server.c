/*
 * server - listens, serves each connection in a child, ends in time.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "connection.h"
#include "server.h"

/* How many sessions are served at a time; others wait in the kernel. */
#define CHILDREN_MAX 1000

/* With many records a summary is expensive, so that it is written only so often. */
#define SUMMARY_MS 100

/* How long a port that is in use is waited for, and how often it is tried. */
#define BIND_MS_MOST 20000
#define BIND_PAUSE_MS 100

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

struct run {
	struct server *server;
	int signals; /* signalfd */
	long long until_ms;
	pid_t children[CHILDREN_MAX]; /* 0: free */
	unsigned n_children;
	bool must_end;
	bool is_dirty; /* the summary is older than the counts */
	long long summary_ms;
};

/* Take HOST:PORT, [HOST]:PORT or unix:PATH apart. */
static bool
parse_address(const char *text, union address *address, socklen_t *size)
{
	const char *colon = strrchr(text, ':');
	char host[64] = "";
	unsigned long long port = 0;

	*address = (union address){0};
	if (text_begins(text, strlen(text), "unix:")) {
		*size = sizeof(address->local);
		address->local.sun_family = AF_UNIX;
		if (strlen(text + 5) >= sizeof(address->local.sun_path))
			return false;
		memcpy(address->local.sun_path, text + 5, strlen(text + 5));
		return text[5] != '\0';
	}
	if (colon == NULL || !text_number(colon + 1, strlen(colon + 1), 65535, &port))
		return false;
	if (text[0] == '[' && colon[-1] == ']')
		(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - text - 2), text + 1);
	else
		(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons((unsigned short)port);
		*size = sizeof(address->v4);
		return true;
	}
	*size = sizeof(address->v6);
	address->v6.sin6_family = AF_INET6;
	address->v6.sin6_port = htons((unsigned short)port);
	return inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1;
}

/* A client that must notice that nobody reads should not have to fill megabytes of buffers first. */
static void
shrink_buffer(const struct options *options, int fd)
{
	int size = 8192;

	for (size_t i = 0; i < options->faults.n; i++)
		if (options->faults.items[i].kind == FAULT_STOP_READING)
			(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

/* A port that was given back may be another's for a while, such as that of a connection of a test beside this one. */
static bool
bind_patiently(int fd, const union address *address, socklen_t size)
{
	for (int waited = 0; bind(fd, &address->any, size) != 0; waited += BIND_PAUSE_MS) {
		if (errno != EADDRINUSE || waited >= BIND_MS_MOST)
			return false;
		(void)poll(NULL, 0, BIND_PAUSE_MS);
	}
	return true;
}

static bool
listen_on(struct server *server, const char *text)
{
	union address address = {0};
	socklen_t size = 0;
	int on = 1;
	int fd = -1;

	errno = EINVAL;
	if (server->n_listeners == LISTENERS_MAX || !parse_address(text, &address, &size))
		return false;
	fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	server->listeners[server->n_listeners++] = fd;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	shrink_buffer(server->options, fd);
	if (address.any.sa_family == AF_UNIX)
		(void)unlink(address.local.sun_path);
	if (!bind_patiently(fd, &address, size) || listen(fd, SOMAXCONN) != 0 ||
	    getsockname(fd, &address.any, &size) != 0)
		return false;
	if (address.any.sa_family == AF_UNIX)
		text_format(&server->ports, "%s\n", text + 5);
	else
		text_format(&server->ports, "%u\n", (unsigned)ntohs(address.v4.sin_port));
	return true;
}

static void
log_connect(const struct log *log, unsigned number, const union address *from)
{
	char host[INET6_ADDRSTRLEN] = "";

	if (from->any.sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &from->v4.sin_addr, host, sizeof(host));
	else if (from->any.sa_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &from->v6.sin6_addr, host, sizeof(host));
	log_event(log, number, '*', "connect from %s", host[0] == '\0' ? "unix socket" : host);
}

/* The life of a child. */
static void
serve(struct run *run, int fd, const union address *from, unsigned number)
{
	struct server *server = run->server;
	struct connection connection = {
		.options = server->options,
		.tls = server->tls,
		.log = server->log,
		.shared = server->shared,
		.record = shared_record(server->shared, number),
		.number = number,
	};
	long long left_ms = run->until_ms - log_now();
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)alarm(left_ms < 1000 ? 1 : (unsigned)(left_ms / 1000) + 1);
	for (size_t i = 0; i < server->n_listeners; i++)
		(void)close(server->listeners[i]);
	(void)close(run->signals);
	log_connect(server->log, number, from);
	if (server->scripts->n != 0)
		script_play(&connection, server->scripts, fd);
	else
		connection_serve(&connection, fd);
	connection_free(&connection);
}

static void
accept_one(struct run *run, int listener)
{
	struct server *server = run->server;
	union address from = {0};
	socklen_t size = sizeof(from);
	int fd = accept4(listener, &from.any, &size, SOCK_CLOEXEC);
	unsigned number = 0;
	pid_t child = -1;
	size_t slot = 0;

	if (fd < 0)
		return;
	/* Told to the child: by the time it looks for itself, it may be another's. */
	number = ++server->shared->n_connections;
	(void)fflush(NULL);
	child = fork();
	if (child == 0) {
		serve(run, fd, &from, number);
		exit(0);
	}
	(void)close(fd);
	if (child < 0) {
		server->shared->n_ended++;
		return;
	}
	while (run->children[slot] != 0)
		slot++;
	run->children[slot] = child;
	run->n_children++;
}

static void
reap(struct run *run)
{
	pid_t child = 0;

	while ((child = waitpid(-1, NULL, WNOHANG)) > 0) {
		for (size_t i = 0; i < CHILDREN_MAX; i++) {
			if (run->children[i] != child)
				continue;
			run->children[i] = 0;
			run->n_children--;
			run->server->shared->n_ended++;
			run->is_dirty = true;
		}
	}
}

static void
write_summary(struct run *run)
{
	const char *file = run->server->options->summary_file;

	run->is_dirty = false;
	run->summary_ms = log_now();
	if (file != NULL && !shared_write_summary(run->server->shared, file))
		fprintf(stderr, "peer: %s: %s\n", file, strerror(errno));
}

static void
read_signal(struct run *run)
{
	struct signalfd_siginfo signal = {0};

	if (read(run->signals, &signal, sizeof(signal)) != sizeof(signal))
		return;
	if (signal.ssi_signo == SIGCHLD)
		reap(run);
	else
		run->must_end = true;
}

/* How long to wait for an event; 0 ms: not at all. */
static int
wait_ms(const struct run *run)
{
	long long left_ms = run->until_ms - log_now();
	long long summary_ms = run->summary_ms + SUMMARY_MS - log_now();

	if (run->is_dirty && summary_ms < left_ms)
		left_ms = summary_ms;
	return left_ms < 0 ? 0 : (int)left_ms;
}

/* Wait for connections and signals once. */
static void
turn(struct run *run)
{
	struct server *server = run->server;
	struct pollfd items[LISTENERS_MAX + 1] = {{.fd = run->signals, .events = POLLIN}};
	unsigned limit = (unsigned)server->options->sessions;

	for (size_t i = 0; i < server->n_listeners; i++) {
		bool may_accept = run->n_children < CHILDREN_MAX &&
				  (limit == 0 || server->shared->n_connections < limit);

		items[i + 1] = (struct pollfd){.fd = may_accept ? server->listeners[i] : -1, .events = POLLIN};
	}
	if (poll(items, server->n_listeners + 1, wait_ms(run)) > 0) {
		if (items[0].revents != 0)
			read_signal(run);
		for (size_t i = 0; i < server->n_listeners; i++) {
			bool may_accept = limit == 0 || server->shared->n_connections < limit;

			if (items[i + 1].revents != 0 && may_accept && run->n_children < CHILDREN_MAX)
				accept_one(run, server->listeners[i]);
		}
	}
	if (run->is_dirty && (server->shared->n_connections < 1000 || wait_ms(run) == 0))
		write_summary(run);
}

static void
end_children(struct run *run)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (run->children[i] != 0)
			(void)kill(run->children[i], SIGTERM);
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (run->children[i] != 0 && waitpid(run->children[i], NULL, 0) > 0)
			run->server->shared->n_ended++;
}

bool
server_listen(struct server *server, struct text *problem)
{
	for (size_t i = 0; i < server->options->listen.n; i++) {
		const char *address = server->options->listen.items[i];

		if (!listen_on(server, address)) {
			text_format(problem, "--listen %s: %s", address, strerror(errno));
			return false;
		}
	}
	return true;
}

int
server_run(struct server *server)
{
	static struct run run;
	unsigned limit = (unsigned)server->options->sessions;
	sigset_t wanted;
	bool is_complete = true;

	run = (struct run){
		.server = server,
		.until_ms = log_now() + server->options->lifetime_s * 1000LL,
		.is_dirty = true,
	};
	(void)sigemptyset(&wanted);
	(void)sigaddset(&wanted, SIGCHLD);
	(void)sigaddset(&wanted, SIGTERM);
	(void)sigaddset(&wanted, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &wanted, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	run.signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run.signals < 0)
		return 71;
	while (!run.must_end && log_now() < run.until_ms && (limit == 0 || server->shared->n_ended < limit))
		turn(&run);
	is_complete = run.must_end || limit == 0 || server->shared->n_ended >= limit;
	end_children(&run);
	write_summary(&run);
	(void)close(run.signals);
	if (!is_complete)
		fprintf(stderr, "peer: %u of %u sessions ended in %d seconds\n", server->shared->n_ended, limit,
			server->options->lifetime_s);
	return is_complete && shared_mismatches(server->shared) == 0 ? 0 : 1;
}

void
server_free(struct server *server)
{
	for (size_t i = 0; i < server->n_listeners; i++)
		(void)close(server->listeners[i]);
	for (size_t i = 0; i < server->options->listen.n; i++) {
		const char *address = server->options->listen.items[i];

		if (text_begins(address, strlen(address), "unix:"))
			(void)unlink(address + 5);
	}
	text_free(&server->ports);
	server->n_listeners = 0;
}
