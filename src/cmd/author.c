/* author.c - who a message is from. Asks for the names of this host. */

#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cmd/author.h"

bool
author_settle(struct author *author, const struct account *account, struct envelope *envelope, struct err *err)
{
	const char *mailbox;

	author_free(author);
	author->original = mem_copy_string(envelope->reverse_path);
	if (account->identity == NULL)
		return true;
	if (!identity_parse(&author->identity, str_of(account->identity), err))
		return false;
	defaults_find_names(&author->names, account->mailname);
	author->identity.local_domains = author->names.domains;
	author->identity.host = author->names.node;
	mailbox = identity_find(&author->identity, author->original);
	if (mailbox != NULL) {
		free(envelope->reverse_path);
		envelope->reverse_path = mem_copy_string(mailbox);
	}
	return true;
}

void
author_set_rules(struct author *author, struct message_rules *rules)
{
	struct buf visible = {0};
	const char *mailbox;

	if (author->identity.n_rules == 0)
		return;
	rules->identity = &author->identity;
	mailbox = rules->from_mailbox != NULL ? identity_find(&author->identity, rules->from_mailbox) : NULL;
	if (mailbox == NULL)
		return;
	identity_add_visible(&visible, &author->identity, rules->from_name, rules->from_mailbox);
	free(author->visible);
	author->visible = buf_take(&visible);
	rules->from_name = author->visible;
	rules->from_mailbox = mailbox;
}

void
author_free(struct author *author)
{
	identity_free(&author->identity);
	defaults_names_free(&author->names);
	free(author->original);
	free(author->visible);
	*author = (struct author){0};
}
