/*
 * main.c - the peer, a scriptable SMTP and LMTP server for tests: right by default, wrong on demand, and telling what it saw.
 *
 * It stands alone (GnuTLS and libc), so that no mistake of the program under test can hide in it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server.h"
#include "store.h"

/* Everything that is to be taken down at the end. */
struct program {
	struct options options;
	struct tls tls;
	struct log log;
	struct scripts scripts;
	struct server server;
	int go_fd; /* of a daemon: written to when it listens; -1: none */
};

static int
complain(const char *what, const char *problem)
{
	fprintf(stderr, "peer: %s: %s\n", what, problem);
	return 1;
}

static bool
open_log(struct log *log, const struct options *options)
{
	*log = (struct log){
		.fd = -1,
		.shows_dialogue = options->shows_dialogue,
		.has_color = options->color == COLOR_ALWAYS ||
			     (options->color == COLOR_AUTO && isatty(STDOUT_FILENO) == 1),
		.has_bodies = options->logs_body,
		.has_secrets = options->logs_secrets,
		.began_ms = log_now(),
	};
	if (options->log_file == NULL)
		return true;
	log->fd = open(options->log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return log->fd >= 0;
}

static bool
write_ports(const char *file, const struct text *ports)
{
	struct text temporary = {0};
	bool ok = false;
	int fd = -1;

	text_format(&temporary, "%s.%ld", file, (long)getpid());
	fd = open(text_string(&temporary), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0) {
		ok = write(fd, ports->bytes, ports->size) == (ssize_t)ports->size;
		ok = close(fd) == 0 && ok;
		ok = ok && rename(text_string(&temporary), file) == 0;
	}
	text_free(&temporary);
	return ok;
}

/* Read the ports from the daemon and print them with its pid, once it listens. */
static int
wait_for_daemon(int fd, pid_t child)
{
	struct text ports = {0};
	char bytes[512] = "";
	ssize_t n = 0;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		text_append(&ports, bytes, (size_t)n);
	(void)close(fd);
	if (ports.size == 0)
		return 1;
	for (size_t i = 0; i < ports.size; i++)
		if (ports.bytes[i] == '\n')
			ports.bytes[i] = i + 1 < ports.size ? ',' : '\0';
	printf("%s %ld\n", ports.bytes, (long)child);
	text_free(&ports);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* Become the daemon. False: this is the process that was started, which exits with *status. */
static bool
fork_daemon(struct program *program, int *status)
{
	int ends[2] = {-1, -1};
	pid_t child = -1;

	closefrom(3);
	*status = 71;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	child = fork();
	if (child < 0)
		return false;
	if (child != 0) {
		(void)close(ends[1]);
		*status = wait_for_daemon(ends[0], child);
		return false;
	}
	(void)close(ends[0]);
	(void)setsid();
	program->go_fd = ends[1];
	return true;
}

/* Tell the starting process, let go of everything that was inherited. */
static bool
release_daemon(const struct program *program)
{
	const struct text *ports = &program->server.ports;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool ok = null >= 0;

	for (int fd = 0; fd < 3; fd++)
		ok = dup2(null, fd) == fd && ok;
	if (null > 2)
		(void)close(null);
	ok = ok && write(program->go_fd, ports->bytes, ports->size) == (ssize_t)ports->size;
	(void)close(program->go_fd);
	return ok;
}

/* Memory for the counters, and the sockets. Returns the exit status, 0: ready. */
static int
prepare_server(struct program *program)
{
	const struct options *options = &program->options;
	struct server *server = &program->server;
	struct text problem = {0};
	int status = 0;

	*server = (struct server){
		.options = options,
		.tls = &program->tls,
		.log = &program->log,
		.scripts = &program->scripts,
		.shared = shared_new(),
	};
	if (server->shared == NULL)
		return complain("memory", strerror(errno));
	if (options->mail_directory != NULL)
		atomic_store(&server->shared->n_stored, store_count(options->mail_directory));
	if (!server_listen(server, &problem))
		status = complain("address", text_string(&problem));
	else if (options->port_file != NULL && !write_ports(options->port_file, &server->ports))
		status = complain(options->port_file, strerror(errno));
	text_free(&problem);
	return status;
}

/* All that may fail before the first connection. Returns the exit status, 0: ready. */
static int
prepare(struct program *program)
{
	const struct options *options = &program->options;
	const char *why = NULL;
	struct text problem = {0};
	bool wants_tls = false;
	int status = 0;

	for (size_t i = 0; i < options->scripts.n && status == 0; i++)
		if (!script_load(&program->scripts, options->scripts.items[i], &problem))
			status = complain("script", text_string(&problem));
	wants_tls = options->tls != TLS_OFF || script_wants_tls(&program->scripts);
	if (status == 0 && !tls_prepare(&program->tls, options, wants_tls, &why))
		status = complain("certificate", why);
	if (status == 0 && !open_log(&program->log, options))
		status = complain(options->log_file, strerror(errno));
	if (status == 0 && options->mail_directory != NULL && mkdir(options->mail_directory, 0755) != 0 &&
	    errno != EEXIST)
		status = complain(options->mail_directory, strerror(errno));
	text_free(&problem);
	return status != 0 || options->make_certificate_only ? status : prepare_server(program);
}

static void
announce(const struct program *program)
{
	const char *ports = text_string(&program->server.ports);

	if (!program->options.shows_dialogue)
		return;
	for (size_t size = 0; *ports != '\0'; ports += size + 1) {
		size = strcspn(ports, "\n");
		printf("listening on %.*s\n", (int)size, ports);
	}
	(void)fflush(stdout);
}

static int
run(struct program *program)
{
	int status = prepare(program);

	if (status != 0 || program->options.make_certificate_only)
		return status;
	if (program->options.is_daemon && !release_daemon(program))
		return 71;
	announce(program);
	return server_run(&program->server);
}

int
main(int argc, char **argv)
{
	struct program program = {.go_fd = -1};
	int status = 0;

	if (!options_read(&program.options, argc, argv, &status))
		goto out;
	if (program.options.is_daemon && !fork_daemon(&program, &status))
		goto out;
	status = run(&program);
	if (program.server.options != NULL)
		server_free(&program.server);
	script_free(&program.scripts);
	tls_free(&program.tls);
out:
	if (program.log.fd > 0)
		(void)close(program.log.fd);
	options_free(&program.options);
	return status;
}
