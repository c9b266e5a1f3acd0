/* submission.c - the messages of one call: read from stdin or files, each with its envelope. */

#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/log.h"
#include "cmd/recipients.h"
#include "cmd/submission.h"
#include "cmd/talk.h"
#include "conf/defaults.h"

/* A generated From: the envelope sender with a name, unless somebody else's address was named (-f): the user's own name does not
 * belong there. The null sender is nobody's, so the user is named. */
static void
set_author(struct message_rules *rules, struct submission *s, const struct message_found *found)
{
	const struct account *account = &s->call->account;
	bool is_null = s->author.original[0] == '\0';
	bool was_named = s->given != NULL || s->call->request.sender != NULL || s->call->request.reads_sender;

	if (is_null && s->login_address == NULL) {
		struct buf address = {0};
		char *login = defaults_login_name();

		buf_printf(&address, "%s@%s", login, account->mailname);
		s->login_address = buf_take(&address);
		free(login);
	}
	rules->from_mailbox = is_null ? s->login_address : s->author.original;
	rules->from_name = account->from_full_name;
	if (rules->from_name != NULL || (was_named && !is_null))
		return;
	/* Looking up a user can be slow, so only where the name will be written. */
	if (s->full_name == NULL && (!found->has_author || account->set_from_header == SWITCH_ON))
		s->full_name = defaults_full_name();
	rules->from_name = s->full_name;
}

static void
set_rules(struct message_rules *rules, struct submission *s, const struct message_found *found)
{
	const struct account *account = &s->call->account;

	set_author(rules, s, found);
	author_set_rules(&s->author, rules);
	rules->message_id_domain = account->mailname;
	rules->qualify_domain = account->mailname;
	rules->repairs_nothing = account->repair == REPAIR_OFF;
	rules->adds_to = account->repair == REPAIR_FULL;
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
	if (s->given != NULL && !recipients_copy(&s->current->envelope, s->call, s->given->envelope, err))
		return false;
	if (s->given == NULL && !recipients_fill(&s->current->envelope, s->call, found, err))
		return false;
	if (!author_settle(&s->author, &s->call->account, &s->current->envelope, err))
		return false;
	set_rules(rules, s, found);
	return true;
}

static bool
open_message(struct submission *s, const char *name, int *fd, struct err *err)
{
	if (s->given != NULL) {
		*fd = s->given->fd;
		return true;
	}
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
warn_of_ignored(const struct call *call, int64_t size)
{
	struct buf text = {0};

	buf_printf(&text, "%lld bytes behind a line with a single dot were ignored (see lone_dot)", (long long)size);
	log_warning(call, buf_text(&text));
	buf_free(&text);
}

/* Under the sendmail names it is as it always was: it ends the message, unless -i is given. -i is the caller's word about this
 * very message, the setting is about messages in general. */
static bool
ends_at_lone_dot(const struct request *request, enum account_lone_dot setting)
{
	if (request->ignores_dot)
		return false;
	return setting == LONE_DOT_END || (setting == LONE_DOT_DEFAULT && request->name != NAME_MAILCRANE);
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
		.ends_at_lone_dot = ends_at_lone_dot(request, settings->lone_dot),
	};
	struct message_source source = {.decide = decide, .context = s, .envelope = &parcel->envelope};
	bool is_fine;

	if (!open_message(s, parcel->name, &source.fd, err))
		return false;
	/* Its dots are off already, and it was told who is to have it. */
	if (s->given != NULL)
		rules.ends_at_lone_dot = rules.reads_recipients = false;
	s->current = parcel;
	is_fine = message_read(&parcel->message, &source, &rules, s->found, err);
	if (source.fd != STDIN_FILENO && s->given == NULL)
		close(source.fd);
	if (is_fine && parcel->message.ignored_size > 0)
		warn_of_ignored(s->call, parcel->message.ignored_size);
	if (is_fine && rules.reads_sender && s->found->sender == NULL)
		is_fine = err_set(err, EX_USAGE, "there is no From with an address in the message to take the sender from");
	return is_fine;
}

bool
submission_read(struct submission *s, struct err *err)
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

void
submission_begin(struct submission *s)
{
	const struct request *request = &s->call->request;
	size_t n = request->n_message_files > 0 ? request->n_message_files : 1;

	s->delivery.parcels = mem_alloc(n, sizeof(*s->delivery.parcels));
	s->delivery.n_parcels = n;
	for (size_t i = 0; i < n; i++)
		s->delivery.parcels[i].name =
		    mem_copy_string(request->n_message_files > 0 ? request->message_files[i] : "-");
}

void
submission_free(struct submission *s)
{
	for (size_t i = 0; i < s->delivery.n_parcels; i++)
		parcel_free(&s->delivery.parcels[i]);
	free(s->delivery.parcels);
	delivery_free(&s->delivery);
	secret_free(&s->secret);
	finder_close(&s->finder);
	spool_free(&s->state);
	outbox_free(&s->outbox);
	buf_free(&s->trouble);
	free(s->full_name);
	free(s->login_address);
	author_free(&s->author);
}
