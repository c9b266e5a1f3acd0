/* session_kit.h - a small SMTP server in a forked child behind a unix socket, an account that leads there, and small messages:
 * for the tests of deliver/session.c and deliver/delivery.c. What the server saw stands on a board that both processes share. */

#ifndef TESTS_UNIT_SESSION_KIT_H
#define TESTS_UNIT_SESSION_KIT_H

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "deliver/delivery.h"

struct kit_board {
	atomic_int n_connections;
	atomic_int n_closed;   /* connections whose end the server saw */
	atomic_int n_mail;
	atomic_int n_texts;    /* texts that came whole */
	atomic_int n_taken;    /* and were answered by 250 */
	atomic_int n_broken;   /* texts that ended with the connection */
	atomic_int n_rset;
	atomic_int n_quit;
	atomic_int may_go_on;  /* ends the silence of the server */
};

/* How the server misbehaves; texts are counted from 1 over all connections. */
struct kit_plan {
	const char *ehlo;      /* NULL: PIPELINING and CHUNKING */
	bool is_silent_at_greeting;
	bool is_silent_at_mail;
	int silent_at_text;    /* no answer to this text until board->may_go_on */
	int close_at_text;     /* the connection is closed in place of an answer */
};

struct kit {
	struct kit_plan plan;
	struct kit_board *board;
	char directory[64];
	char socket[96];
	pid_t pid;
	int fd;                /* that listens */
	struct account account;
	struct route route;
};

static inline void
kit_pause(void)
{
	struct timespec pause = {.tv_nsec = 2 * 1000000};

	nanosleep(&pause, NULL);
}

static inline void
kit_keep_silent(const struct kit *kit)
{
	while (atomic_load(&kit->board->may_go_on) == 0)
		kit_pause();
}

/* A text came whole. False: the connection is to be closed. */
static inline bool
kit_answer_text(struct kit *kit, FILE *out)
{
	int number = atomic_fetch_add(&kit->board->n_texts, 1) + 1;

	if (number == kit->plan.close_at_text)
		return false;
	if (number == kit->plan.silent_at_text)
		kit_keep_silent(kit);
	fprintf(out, "250 taken\r\n");
	atomic_fetch_add(&kit->board->n_taken, 1);
	return true;
}

static inline bool
kit_read_chunk(struct kit *kit, FILE *in, FILE *out, const char *command)
{
	char octet;

	for (long left = strtol(command + strlen("BDAT "), NULL, 10); left > 0; left--)
		if (fread(&octet, 1, 1, in) != 1) {
			atomic_fetch_add(&kit->board->n_broken, 1);
			return false;
		}
	if (strstr(command, " LAST") != NULL)
		return kit_answer_text(kit, out);
	fprintf(out, "250 more\r\n");
	return true;
}

static inline bool
kit_read_text(struct kit *kit, FILE *in, FILE *out)
{
	char line[2048];

	fprintf(out, "354 go\r\n");
	fflush(out);
	while (fgets(line, sizeof(line), in) != NULL)
		if (strcmp(line, ".\r\n") == 0)
			return kit_answer_text(kit, out);
	atomic_fetch_add(&kit->board->n_broken, 1);
	return false;
}

/* False: the connection is over. */
static inline bool
kit_answer(struct kit *kit, FILE *in, FILE *out, const char *command)
{
	struct kit_board *board = kit->board;

	if (strncmp(command, "EHLO", 4) == 0)
		fputs(kit->plan.ehlo != NULL ? kit->plan.ehlo : "250-kit\r\n250-PIPELINING\r\n250 CHUNKING\r\n", out);
	else if (strncmp(command, "BDAT", 4) == 0)
		return kit_read_chunk(kit, in, out, command);
	else if (strncmp(command, "DATA", 4) == 0)
		return kit_read_text(kit, in, out);
	else if (strncmp(command, "QUIT", 4) == 0) {
		atomic_fetch_add(&board->n_quit, 1);
		fprintf(out, "221 bye\r\n");
		return false;
	} else
		fprintf(out, "250 ok\r\n");
	if (strncmp(command, "RSET", 4) == 0)
		atomic_fetch_add(&board->n_rset, 1);
	if (strncmp(command, "MAIL", 4) == 0) {
		atomic_fetch_add(&board->n_mail, 1);
		if (kit->plan.is_silent_at_mail)
			kit_keep_silent(kit);
	}
	return true;
}

static inline void
kit_serve(struct kit *kit, int fd)
{
	FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
	char line[2048];

	if (in == NULL || out == NULL)
		abort();
	atomic_fetch_add(&kit->board->n_connections, 1);
	if (kit->plan.is_silent_at_greeting)
		kit_keep_silent(kit);
	fprintf(out, "220 kit\r\n");
	fflush(out);
	while (fgets(line, sizeof(line), in) != NULL) {
		bool goes_on = kit_answer(kit, in, out, line);

		fflush(out);
		if (!goes_on)
			break;
	}
	fclose(out);
	fclose(in);
	atomic_fetch_add(&kit->board->n_closed, 1);
}

static inline void
kit_start(struct kit *kit, struct kit_plan plan)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	*kit = (struct kit){.plan = plan, .directory = "/tmp/session-kit-XXXXXX"};
	kit->board = mmap(NULL, sizeof(*kit->board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (kit->board == MAP_FAILED || mkdtemp(kit->directory) == NULL)
		abort();
	snprintf(kit->socket, sizeof(kit->socket), "%s/socket", kit->directory);
	memcpy(address.sun_path, kit->socket, strlen(kit->socket));
	kit->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(kit->fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(kit->fd, 5) != 0)
		abort();
	fflush(stdout);
	kit->pid = fork();
	if (kit->pid == 0) {
		signal(SIGPIPE, SIG_IGN);
		alarm(60);
		for (;;)
			kit_serve(kit, accept(kit->fd, NULL, NULL));
	}
	account_init(&kit->account);
	free(kit->account.socket);
	free(kit->account.domain);
	kit->account.socket = mem_copy_string(kit->socket);
	kit->account.domain = mem_copy_string("client.example");
	kit->account.tls = false;
	kit->account.auth = AUTH_OFF;
	kit->account.timeout = 20;
	route_find(&kit->route, &(struct route_query){.account = &kit->account});
}

/* Wait until the server has seen the end of all its connections. */
static inline void
kit_wait(struct kit *kit)
{
	int64_t deadline = clock_deadline(20);

	atomic_store(&kit->board->may_go_on, 1);
	while (atomic_load(&kit->board->n_closed) < atomic_load(&kit->board->n_connections) && clock_now() < deadline)
		kit_pause();
}

static inline void
kit_end(struct kit *kit)
{
	kill(kit->pid, SIGKILL);
	waitpid(kit->pid, NULL, 0);
	close(kit->fd);
	unlink(kit->socket);
	rmdir(kit->directory);
	munmap(kit->board, sizeof(*kit->board));
	route_free(&kit->route);
	account_free(&kit->account);
}

/* A parcel with a small message to one recipient. */
static inline void
kit_parcel(struct parcel *parcel, const char *mailbox)
{
	static const char text[] = "Subject: s\n\nhello\n";

	*parcel = (struct parcel){.message = {.is_in_memory = true, .is_open = true, .fd = -1}};
	buf_add_text(&parcel->message.memory, text);
	parcel->message.size = sizeof(text) - 1;
	parcel->message.wire_size = sizeof(text) - 1 + 3;
	parcel->message.header_size = 11;
	parcel->envelope.reverse_path = mem_copy_string("a@example.org");
	envelope_add(&parcel->envelope, mailbox);
	parcel->order.message = &parcel->message;
}

static inline const struct outcome *
kit_outcome(const struct parcel *parcel)
{
	return &parcel->envelope.recipients[0].outcome;
}

#endif
