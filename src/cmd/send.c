/* send.c - the main job: messages from stdin or files to an account's host. */

#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/log.h"
#include "cmd/recipients.h"
#include "cmd/send.h"
#include "cmd/talk.h"
#include "conf/defaults.h"
#include "deliver/delivery.h"

enum { DRAIN_MS = 10000 };

struct submission {
	struct call *call;
	struct delivery delivery;
	struct secret secret;
	char *full_name;             /* for a generated From; NULL: the user has none */
	char *login_address;         /* likewise for a message with the null sender */
	struct parcel *current;      /* the one that is being read */
	struct message_found *found; /* what its header section holds */
	bool was_stdin_read;
};

/* --- reading the messages ------------------------------------------------------------------------------------------ */

/* A generated From: the envelope sender with a name, unless somebody else's address was named (-f): the user's own name does not
 * belong there. The null sender is nobody's, so the user is named. */
static void
set_author(struct message_rules *rules, struct submission *s, const struct message_found *found)
{
	const struct account *account = &s->call->account;
	bool is_null = s->current->envelope.reverse_path[0] == '\0';
	bool was_named = s->call->request.sender != NULL || s->call->request.reads_sender;

	if (is_null && s->login_address == NULL) {
		struct buf address = {0};
		char *login = defaults_login_name();

		buf_printf(&address, "%s@%s", login, account->mailname);
		s->login_address = buf_take(&address);
		free(login);
	}
	rules->from_mailbox = is_null ? s->login_address : s->current->envelope.reverse_path;
	rules->from_name = account->from_full_name;
	if (rules->from_name != NULL || (was_named && !is_null))
		return;
	/* Looking up a user can be slow, so only where the name will be written. */
	if (s->full_name == NULL && (found->sender == NULL || account->set_from_header == SWITCH_ON))
		s->full_name = defaults_full_name();
	rules->from_name = s->full_name;
}

static void
set_rules(struct message_rules *rules, struct submission *s, const struct message_found *found)
{
	const struct account *account = &s->call->account;

	set_author(rules, s, found);
	rules->message_id_domain = account->mailname;
	rules->keeps_bcc = !account->remove_bcc_headers;
	rules->replaces_from = account->set_from_header == SWITCH_ON;
	rules->never_adds_from = account->set_from_header == SWITCH_OFF;
	rules->never_adds_date = account->set_date_header == SWITCH_OFF;
	rules->never_adds_message_id = account->set_msgid_header == SWITCH_OFF;
	rules->replaces_to = account->set_to_header;
	rules->hides_recipients = account->undisclosed_recipients;
	rules->size_limit = account->max_message_size;
}

/* The header section is known: now the account can be chosen by the sender in it, the envelope filled, and the rules told. */
static bool
decide(void *context, const struct message_found *found, struct message_rules *rules, struct err *err)
{
	struct submission *s = context;

	if (!s->call->has_account && !choose_account(s->call, found->sender, err))
		return false;
	if (s->call->request.reads_sender && !choose_same_account(s->call, found->sender, err))
		return false;
	if (!recipients_fill(&s->current->envelope, s->call, found, err))
		return false;
	set_rules(rules, s, found);
	return true;
}

static bool
open_message(struct submission *s, const char *name, int *fd, struct err *err)
{
	if (strcmp(name, "-") != 0)
		return file_open_read(name, fd, err);
	if (s->was_stdin_read)
		return err_set(err, EX_USAGE, "standard input can be only one of the messages");
	if (s->call->was_stdin_closed)
		return err_set(err, EX_IOERR, "standard input is closed: there is no message to read");
	s->was_stdin_read = true;
	if (isatty(STDIN_FILENO))
		talk_hint(s->call->program, "reading the message from the terminal, end with Ctrl-D on a line of its own");
	*fd = STDIN_FILENO;
	return true;
}

/* With lone_dot end, what stands behind the dot is not part of the message; most likely nobody meant that. */
static void
warn_of_ignored(const char *program, int64_t size)
{
	struct buf text = {0};

	buf_printf(&text, "%lld bytes behind a line with a single dot were ignored (see lone_dot)", (long long)size);
	talk_warning(program, buf_text(&text));
	buf_free(&text);
}

static bool
read_parcel(struct submission *s, struct parcel *parcel, struct err *err)
{
	const struct request *request = &s->call->request;
	/* While the account waits for the sender in the message, only the options can tell. */
	const struct account *settings = s->call->has_account ? &s->call->account : &request->overrides;
	struct message_rules rules = {
		.now = time(NULL),
		.reads_recipients = request->reads_recipients,
		.reads_sender = request->reads_sender,
		.ends_at_lone_dot = settings->lone_dot == LONE_DOT_END,
	};
	struct message_source source = {.decide = decide, .context = s, .envelope = &parcel->envelope};
	bool is_fine;

	if (!open_message(s, parcel->name, &source.fd, err))
		return false;
	s->current = parcel;
	is_fine = message_read(&parcel->message, &source, &rules, s->found, err);
	if (source.fd != STDIN_FILENO)
		close(source.fd);
	if (is_fine && parcel->message.ignored_size > 0)
		warn_of_ignored(s->call->program, parcel->message.ignored_size);
	if (is_fine && rules.reads_sender && s->found->sender == NULL)
		is_fine = err_set(err, EX_USAGE, "there is no From with an address in the message to take the sender from");
	return is_fine;
}

static bool
read_parcels(struct submission *s, struct err *err)
{
	struct delivery *delivery = &s->delivery;

	for (size_t i = 0; i < delivery->n_parcels; i++) {
		struct message_found found = {0};
		bool is_fine;

		s->found = &found;
		is_fine = read_parcel(s, &delivery->parcels[i], err);
		delivery->parcels[i].message_id = mem_copy_string(found.message_id);
		message_found_free(&found);
		s->found = NULL;
		if (!is_fine) {
			if (delivery->n_parcels > 1 && err->exit_code != EX_NOINPUT)
				err_prefix(err, "%s", delivery->parcels[i].name);
			return false;
		}
	}
	return true;
}

static void
make_parcels(struct submission *s)
{
	const struct request *request = &s->call->request;
	size_t n = request->n_message_files > 0 ? request->n_message_files : 1;

	s->delivery.parcels = mem_alloc(n, sizeof(*s->delivery.parcels));
	s->delivery.n_parcels = n;
	for (size_t i = 0; i < n; i++)
		s->delivery.parcels[i].name =
		    mem_copy_string(request->n_message_files > 0 ? request->message_files[i] : "-");
}

/* --- telling what happened ------------------------------------------------------------------------------------------ */

static void
log_parcel(const struct submission *s, const struct parcel *parcel, const char *error, int exit_code)
{
	struct report_line line = {
		.account = &s->call->account,
		.envelope = &parcel->envelope,
		.message = parcel->message.is_open ? &parcel->message : NULL,
		.message_id = parcel->message_id,
		.error = error,
		.is_tls_used = s->delivery.is_tls_used,
		.exit_code = exit_code,
	};

	if (s->call->has_account)
		log_attempt(s->call->program, &line);
}

/* A failure before any connection: nobody has got anything. */
static int
report_early(const struct submission *s, struct err *err)
{
	int exit_code = err->exit_code;

	talk_error(s->call->program, err);
	for (size_t i = 0; i < s->delivery.n_parcels; i++)
		log_parcel(s, &s->delivery.parcels[i], buf_text(&err->text), exit_code);
	err_clear(err);
	return exit_code;
}

static void
report_parcel(const struct submission *s, const struct parcel *parcel)
{
	const char *hint = report_hint(&s->delivery, parcel);
	const char *warning = mime_warning(&parcel->encoding);
	struct buf text = {0};

	if (warning != NULL && envelope_count(&parcel->envelope, OUTCOME_DELIVERED) > 0)
		talk_warning(s->call->program, warning);
	report_add_problems(&text, &s->delivery, parcel);
	talk_problems(s->call->program, buf_str(&text));
	if (hint != NULL && text.size > 0)
		talk_hint(s->call->program, hint);
	if (text.size > 0)
		buf_truncate(&text, text.size - 1);
	log_parcel(s, parcel, buf_text(&text), parcel->exit_code);
	buf_free(&text);
	if (s->delivery.n_parcels == 1 || parcel->exit_code != EX_OK)
		return;
	/* Of several messages each is told about, so that nobody has to guess which ones a failure left out. */
	report_add_success(&text, parcel);
	printf("%s: %s\n", parcel->name, buf_text(&text));
	buf_free(&text);
}

static int
report(const struct submission *s)
{
	int exit_code = EX_OK;

	for (size_t i = 0; i < s->delivery.n_parcels; i++) {
		report_parcel(s, &s->delivery.parcels[i]);
		exit_code = outcome_worse_exit(exit_code, s->delivery.parcels[i].exit_code);
	}
	return exit_code;
}

/* --- the whole ------------------------------------------------------------------------------------------------------- */

static bool
find_secret(struct submission *s, struct err *err)
{
	const struct account *account = &s->call->account;

	if (!sasl_needs_secret(account))
		return true;
	secret_protect_process();
	if (!secret_find(&s->secret, account, true, err))
		return err_prefix(err, "account %s", account->id);
	s->delivery.secret = &s->secret;
	return true;
}

static bool
prepare(struct submission *s, struct err *err)
{
	/* The account is chosen first, so that a wrong configuration is told at once; only a sender that stands in the message
	 * makes it wait for the header section. */
	if (!s->call->request.reads_sender && !choose_account(s->call, s->call->request.sender, err))
		return false;
	return read_parcels(s, err) && find_secret(s, err);
}

static int
deliver(struct submission *s)
{
	struct talk_progress progress = {.is_wanted = isatty(STDERR_FILENO) && !s->call->request.is_debugging};

	s->delivery.account = &s->call->account;
	if (s->call->request.is_debugging)
		s->delivery.watch.show = talk_show_dialogue;
	s->delivery.watch.progress = talk_progress;
	s->delivery.watch.progress_context = &progress;
	delivery_run(&s->delivery);
	talk_progress_end(&progress);
	return report(s);
}

int
send_run(struct call *call)
{
	struct submission s = {.call = call};
	struct err err = {0};
	int exit_code;

	make_parcels(&s);
	if (choose_read_files(call, &err) && prepare(&s, &err))
		exit_code = deliver(&s);
	else {
		exit_code = report_early(&s, &err);
		/* So that the writer of the message sees this exit status, and not SIGPIPE. */
		if (!s.was_stdin_read && !call->was_stdin_closed && call->request.n_message_files == 0)
			message_drain(STDIN_FILENO, DRAIN_MS);
	}
	for (size_t i = 0; i < s.delivery.n_parcels; i++)
		parcel_free(&s.delivery.parcels[i]);
	free(s.delivery.parcels);
	delivery_free(&s.delivery);
	secret_free(&s.secret);
	free(s.full_name);
	free(s.login_address);
	return exit_code;
}
