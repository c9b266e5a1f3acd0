/* recipients.c - from operands, header fields and the aliases file to an envelope. Reads the aliases file. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/log.h"
#include "cmd/recipients.h"
#include "conf/defaults.h"
#include "mail/alias.h"
#include "mail/mailbox.h"

static const char system_aliases[] = "/etc/aliases";

enum { ALIASES_SIZE_MOST = 16 * 1024 * 1024 };

static const struct {
	struct str word;
	unsigned bit;
} notify_words[] = {
	{STR("never"), NOTIFY_NEVER},
	{STR("success"), NOTIFY_SUCCESS},
	{STR("failure"), NOTIFY_FAILURE},
	{STR("delay"), NOTIFY_DELAY},
};

static bool
fill_sender(struct envelope *envelope, const struct call *call, const char *wanted, struct err *err)
{
	struct address address = {0};
	char *sender = NULL;

	if (!defaults_sender(&call->account, wanted, &sender, err))
		return false;
	if (!address_parse_path(str_of(sender), &address, err)) {
		free(sender);
		if (wanted != NULL && call->account.allow_from_override)
			return err_prefix(err, "envelope sender");
		err->exit_code = EX_CONFIG;
		return err_prefix(err, "the setting 'from'");
	}
	/* The null sender under its old name. */
	if (strcmp(address.mailbox, "MAILER-DAEMON") == 0)
		address.mailbox[0] = '\0';
	if (address.mailbox[0] != '\0')
		address_qualify(&address, call->account.mailname);
	envelope->reverse_path = mem_copy_string(address.mailbox);
	address_free(&address);
	free(sender);
	return true;
}

static void
add_all(struct envelope *envelope, const struct address_list *list)
{
	for (size_t i = 0; i < list->n_items; i++)
		envelope_add(envelope, list->items[i].mailbox);
}

static bool
add_operands(struct envelope *envelope, const struct call *call, struct err *err)
{
	struct address_list list = {0};
	bool is_fine = true;

	for (size_t i = 0; i < call->request.n_operands && is_fine; i++)
		is_fine = address_parse_list(str_of(call->request.operands[i]), true, &list, err);
	if (is_fine)
		add_all(envelope, &list);
	else
		err_prefix(err, "recipient");
	address_list_free(&list);
	return is_fine;
}

const char *
recipients_aliases(const struct call *call)
{
	const struct account *account = &call->account;
	size_t row = 0;
	bool is_set = keyword_find(STR("aliases"), &row) != NULL && account->is_set[row];

	if (is_set)
		return account->aliases != NULL && account->aliases[0] != '\0' ? account->aliases : NULL;
	if (call->request.name != NAME_MAILCRANE && access(system_aliases, R_OK) == 0)
		return system_aliases;
	return NULL;
}

static bool
expand_with(struct envelope *envelope, const struct call *call, const struct alias_rules *rules, struct err *err)
{
	const char *path = recipients_aliases(call);
	struct alias_table table = {0};
	struct alias_notes notes = {0};
	struct buf text = {0};
	bool is_fine;

	is_fine = (file_read_path(path, ALIASES_SIZE_MOST, &text, err) || err_prefix(err, "aliases")) &&
	          alias_parse(&table, path, buf_str(&text), err) &&
	          alias_expand(&table, rules, envelope, &notes, err);
	for (size_t i = 0; is_fine && i < notes.n_items; i++)
		log_warning(call, notes.items[i]);
	if (!is_fine)
		err->exit_code = EX_CONFIG;
	alias_notes_free(&notes);
	alias_table_free(&table);
	buf_free(&text);
	return is_fine;
}

static bool
expand_aliases(struct envelope *envelope, const struct call *call, struct err *err)
{
	struct defaults_names names = {0};
	struct alias_rules rules = {.local_domains = names.domains, .domain = call->account.mailname};
	bool is_fine;

	if (call->request.skips_aliases || recipients_aliases(call) == NULL)
		return true;
	defaults_find_names(&names, call->account.mailname);
	is_fine = !alias_concerns(&rules, envelope) || expand_with(envelope, call, &rules, err);
	defaults_names_free(&names);
	return is_fine;
}

/* Local names that no alias stands for belong to this host's mail domain. */
static void
qualify(struct envelope *envelope, const char *domain)
{
	struct envelope qualified = {0};

	for (size_t i = 0; i < envelope->n_recipients; i++) {
		struct recipient *recipient = &envelope->recipients[i];

		if (domain != NULL && mailbox_local_size(str_of(recipient->mailbox)) == strlen(recipient->mailbox)) {
			struct buf mailbox = {0};

			buf_printf(&mailbox, "%s@%s", recipient->mailbox, domain);
			free(recipient->mailbox);
			recipient->mailbox = buf_take(&mailbox);
		}
		if (envelope_add(&qualified, recipient->mailbox)) {
			struct recipient *copy = &qualified.recipients[qualified.n_recipients - 1];

			copy->original = recipient->original;
			copy->notify = recipient->notify;
			recipient->original = NULL;
		}
	}
	qualified.reverse_path = envelope->reverse_path;
	envelope->reverse_path = NULL;
	envelope_free(envelope);
	*envelope = qualified;
}

bool
recipients_expand(struct envelope *envelope, const struct call *call, struct err *err)
{
	if (!expand_aliases(envelope, call, err))
		return false;
	qualify(envelope, call->account.mailname);
	return true;
}

static void
add_wishes(struct envelope *envelope, const struct account *account)
{
	struct str words = str_of(account->dsn_notify), word;
	unsigned notify = 0;

	while (str_next_token(&words, ',', &word))
		for (size_t i = 0; i < sizeof(notify_words) / sizeof(notify_words[0]); i++)
			if (str_equals_nocase(str_trim(word), notify_words[i].word))
				notify |= notify_words[i].bit;
	for (size_t i = 0; i < envelope->n_recipients; i++)
		if (envelope->recipients[i].notify == 0)
			envelope->recipients[i].notify = notify;
	envelope->requires_tls = account->require_tls;
	if (envelope->wants_full_return || envelope->wants_headers_return)
		return;
	envelope->wants_full_return = account->dsn_return == DSN_RETURN_FULL;
	envelope->wants_headers_return = account->dsn_return == DSN_RETURN_HEADERS;
}

static bool
refuse_nobody(const struct call *call, struct err *err)
{
	if (!call->request.reads_recipients) {
		err_set(err, EX_USAGE, "no recipients given");
		return err_hint(err, "name them behind the options, or let -t read them from the message");
	}
	err_set(err, EX_USAGE, "no recipients found in the message");
	return err_hint(err, "-t looks into To, Cc and Bcc above the first empty line; they can be named behind the options too");
}

bool
recipients_fill(struct envelope *envelope, const struct call *call, const struct message_found *found, struct err *err)
{
	const char *sender = call->request.sender != NULL ? call->request.sender : found->sender;

	if (!fill_sender(envelope, call, sender, err) || !add_operands(envelope, call, err))
		return false;
	if (call->request.reads_recipients)
		add_all(envelope, &found->recipients);
	if (envelope->n_recipients == 0)
		return refuse_nobody(call, err);
	if (!recipients_expand(envelope, call, err))
		return false;
	add_wishes(envelope, &call->account);
	envelope->envid = mem_copy_string(call->request.envid);
	return true;
}

bool
recipients_copy(struct envelope *envelope, const struct call *call, const struct envelope *given, struct err *err)
{
	if (!fill_sender(envelope, call, given->reverse_path, err))
		return false;
	for (size_t i = 0; i < given->n_recipients; i++) {
		const struct recipient *recipient = &given->recipients[i];
		struct recipient *copy;

		if (!envelope_add(envelope, recipient->mailbox))
			continue;
		copy = &envelope->recipients[envelope->n_recipients - 1];
		copy->original = mem_copy_string(recipient->original);
		copy->notify = recipient->notify;
	}
	if (!recipients_expand(envelope, call, err))
		return false;
	envelope->wants_full_return = given->wants_full_return;
	envelope->wants_headers_return = given->wants_headers_return;
	add_wishes(envelope, &call->account);
	envelope->envid = mem_copy_string(given->envid);
	return true;
}
