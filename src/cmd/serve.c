/* serve.c - SMTP on standard input and output (-bs).
 *
 * A transaction becomes a submission (cmd/send.c) with a given envelope: its text is collected in a file without a name, for its
 * header section may be larger than what the client sends at a time. The answer to the final dot says what became of it: 250 when
 * each recipient has it, or it is in the queue, or (refused beside others) a notification about it is. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/send.h"
#include "cmd/serve.h"
#include "cmd/talk.h"
#include "queue/id.h"
#include "smtp/serve.h"

enum { BLOCK_SIZE = 64 * 1024 };

struct server {
	struct call *call;
	struct serve serve;
	int text_fd;         /* the text of the message; -1: there is none */
	struct err trouble;  /* of keeping it */
};

/* --- the answer ---------------------------------------------------------------------------------------------------- */

/* What a message is refused with when nobody was asked. */
static const struct {
	int exit_code;
	int code;
	const char *enhanced;
} early_answers[] = {
	{EX_DATAERR, 554, "5.6.0"},
	{EX_USAGE, 554, "5.5.4"},
	{EX_CONFIG, 554, "5.3.5"},
	{EX_NOPERM, 554, "5.7.0"},
	{EX_UNAVAILABLE, 554, "5.3.0"},
};

static void
refuse_early(struct server *server, int exit_code, struct str why)
{
	for (size_t i = 0; i < sizeof(early_answers) / sizeof(early_answers[0]); i++)
		if (early_answers[i].exit_code == exit_code) {
			serve_refuse(&server->serve, early_answers[i].code, early_answers[i].enhanced, why);
			return;
		}
	serve_refuse(&server->serve, 451, "4.3.0", why);
}

/* The first recipient with this state. */
static const struct recipient *
first_of(const struct envelope *envelope, enum outcome_state state)
{
	for (size_t i = 0; i < envelope->n_recipients; i++)
		if (envelope->recipients[i].outcome.state == state)
			return &envelope->recipients[i];
	return NULL;
}

static void
add_problem(struct buf *text, const struct recipient *recipient)
{
	const struct outcome *outcome = &recipient->outcome;

	buf_printf(text, "<%s>: ", recipient->mailbox);
	if (outcome->host[0] != '\0')
		buf_printf(text, "%s said: ", outcome->host);
	if (outcome->reply_code != 0)
		buf_printf(text, "%d ", outcome->reply_code);
	buf_add_text(text, outcome->text);
}

/* What the server said about a recipient becomes what we say. */
static void
pass_on(struct server *server, const struct envelope *envelope, const struct recipient *recipient)
{
	const struct outcome *outcome = &recipient->outcome;
	int class = outcome->state == OUTCOME_FAILED ? 5 : 4;
	int code = outcome->reply_code / 100 == class ? outcome->reply_code : class == 5 ? 554 : 451;
	size_t n_delivered = envelope_count(envelope, OUTCOME_DELIVERED);
	struct buf enhanced = {0}, text = {0};

	if (outcome->enhanced[0] == class)
		buf_printf(&enhanced, "%d.%d.%d", class, outcome->enhanced[1], outcome->enhanced[2]);
	else
		buf_printf(&enhanced, "%d.0.0", class);
	if (n_delivered > 0)
		buf_printf(&text, "%zu of %zu recipients have it, but not ", n_delivered, envelope->n_recipients);
	add_problem(&text, recipient);
	/* 421 would be about this session. */
	serve_refuse(&server->serve, code == 421 ? 451 : code, buf_text(&enhanced), buf_str(&text));
	buf_free(&enhanced);
	buf_free(&text);
}

static void
accept_parcel(struct server *server, const struct parcel *parcel)
{
	char id[ID_LENGTH + 1];

	id_make(id);
	serve_accept(&server->serve, parcel->queue_id != NULL ? parcel->queue_id : id);
}

static void
answer(struct server *server, const struct submission *s, int exit_code)
{
	const struct parcel *parcel = &s->delivery.parcels[0];
	const struct recipient *failed = first_of(&parcel->envelope, OUTCOME_FAILED);
	const struct recipient *deferred = first_of(&parcel->envelope, OUTCOME_DEFERRED);

	/* Whoever was refused beside others is told of by a notification then. */
	if (exit_code == EX_OK && s->trouble.size == 0)
		accept_parcel(server, parcel);
	else if (failed != NULL)
		pass_on(server, &parcel->envelope, failed);
	else if (s->trouble.size > 0)
		refuse_early(server, exit_code, buf_str(&s->trouble));
	else if (deferred != NULL)
		pass_on(server, &parcel->envelope, deferred);
	else
		refuse_early(server, exit_code, STR("not sent"));
}

/* --- messages ------------------------------------------------------------------------------------------------------ */

static bool
write_at(int fd, struct str text, int64_t offset, struct err *err)
{
	if (lseek(fd, offset, SEEK_SET) < 0)
		return err_set_errno(err, EX_IOERR, "cannot write the spool file");
	return file_write_all(fd, text.data, text.size, "the spool file", err);
}

static void
keep_text(struct server *server)
{
	struct serve *serve = &server->serve;

	if (err_is_set(&server->trouble))
		return;
	if (server->text_fd >= 0 || file_open_spool(&server->text_fd, &server->trouble))
		write_at(server->text_fd, buf_str(&serve->text), serve->text_offset, &server->trouble);
}

/* The file is read from its start. */
static bool
finish_text(struct server *server)
{
	if (err_is_set(&server->trouble))
		return false;
	if (server->text_fd < 0 && !file_open_spool(&server->text_fd, &server->trouble))
		return false;
	if (lseek(server->text_fd, 0, SEEK_SET) == 0)
		return true;
	return err_set_errno(&server->trouble, EX_IOERR, "cannot read the spool file");
}

/* A session may last for days: what it needs no more is given back to the disk. */
static void
drop_text(struct server *server)
{
	if (server->text_fd >= 0)
		close(server->text_fd);
	server->text_fd = -1;
	err_clear(&server->trouble);
}

/* The children that went on with messages before this one. */
static void
bury_children(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void
submit(struct server *server)
{
	struct call *call = server->call;
	struct submission_given given = {.envelope = &server->serve.envelope, .fd = server->text_fd};
	struct submission s = {.call = call, .given = &given};

	/* The sender may choose another one. */
	account_free(&call->account);
	call->has_account = false;
	answer(server, &s, send_given(&s));
	submission_free(&s);
	bury_children();
}

static void
take_message(struct server *server)
{
	if (finish_text(server))
		submit(server);
	else
		serve_refuse(&server->serve, 452, "4.3.1", buf_str(&server->trouble.text));
	drop_text(server);
}

/* --- the session --------------------------------------------------------------------------------------------------- */

static bool
send_replies(struct serve *serve)
{
	struct err err = {0};
	bool is_sent = serve->out.size == 0 ||
	               file_write_all(STDOUT_FILENO, serve->out.data, serve->out.size, "standard output", &err);

	buf_clear(&serve->out);
	err_clear(&err);
	return is_sent;
}

/* False: the input is over, or cannot be read. */
static bool
read_more(struct serve *serve)
{
	struct pollfd readable = {.fd = STDIN_FILENO, .events = POLLIN};
	ssize_t n;

	/* The client's end may be one that does not block. */
	while ((n = read(STDIN_FILENO, buf_reserve(&serve->in, BLOCK_SIZE), BLOCK_SIZE)) < 0)
		if (errno == EAGAIN)
			poll(&readable, 1, -1);
		else if (errno != EINTR)
			break;
	if (n > 0)
		buf_grow(&serve->in, (size_t)n);
	return n > 0;
}

static int
converse(struct server *server)
{
	struct serve *serve = &server->serve;
	bool is_open = true;

	while (is_open) {
		switch (serve_next(serve)) {
		case SERVE_WANT_INPUT:
			is_open = send_replies(serve) && read_more(serve);
			break;
		case SERVE_WANT_KEEP:
			keep_text(server);
			break;
		case SERVE_WANT_MESSAGE:
			is_open = send_replies(serve);
			if (is_open)
				take_message(server);
			break;
		case SERVE_WANT_CLOSE:
			send_replies(serve);
			is_open = false;
			break;
		}
	}
	return EX_OK;
}

/* Programs take a word on stderr for a failure of the whole. What there is to say is in the replies and in the log. */
static void
fall_silent(const struct call *call)
{
	int null;

	fflush(stderr);
	if (call->request.is_debugging)
		return;
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null < 0)
		return;
	dup2(null, STDERR_FILENO);
	close(null);
}

/* What would only mean something for one message on stdin. */
static void
forget_options(struct request *request)
{
	request->reads_recipients = false;
	request->reads_sender = false;
	request->errors = ERRORS_PRINT;
	free(request->sender);
	request->sender = NULL;
}

static int
refuse_session(const struct call *call, struct err *err)
{
	int exit_code = err->exit_code;
	struct buf line = {0};
	struct err ignored = {0};

	buf_add_text(&line, "554 5.3.5 ");
	err_add_clean(&line, buf_str(&err->text));
	buf_add_text(&line, "\r\n");
	file_write_all(STDOUT_FILENO, line.data, line.size, "standard output", &ignored);
	talk_error(call->program, err);
	buf_free(&line);
	err_clear(&ignored);
	err_clear(err);
	return exit_code;
}

/* Is there an account to send with? Where there are several and none is for everybody, the senders will tell. */
static bool
may_begin(struct call *call, struct err *err)
{
	if (choose_account(call, NULL, err))
		return true;
	if (call->config.n_accounts < 2)
		return false;
	err_clear(err);
	return true;
}

/* What the most patient of the accounts takes (0: anything), for the sender chooses among them, and the one that is chosen has
 * the last word. */
static int64_t
largest_size(const struct call *call)
{
	int64_t most = call->account.max_message_size;

	if (call->request.account_id != NULL || call->request.overrides.max_message_size > 0)
		return most;
	for (size_t i = 0; i < call->config.n_accounts && most > 0; i++) {
		int64_t size = call->config.accounts[i].max_message_size;

		most = size == 0 || size > most ? size : most;
	}
	return most;
}

int
serve_run(struct call *call)
{
	struct server server = {.call = call, .text_fd = -1};
	struct serve_offer offer = {0};
	struct err err = {0};
	char *host_name;
	int exit_code;

	forget_options(&call->request);
	if (call->was_stdin_closed)
		err_set(&err, EX_IOERR, "standard input is closed: there is nobody to talk to");
	if (err_is_set(&err) || !choose_read_files(call, &err) || !may_begin(call, &err))
		return refuse_session(call, &err);
	fall_silent(call);
	host_name = mem_copy_string(call->account.mailname != NULL ? call->account.mailname : "localhost");
	offer = (struct serve_offer){.host_name = host_name, .size_most = largest_size(call)};
	serve_start(&server.serve, &offer);
	exit_code = converse(&server);
	serve_free(&server.serve);
	drop_text(&server);
	free(host_name);
	return exit_code;
}
