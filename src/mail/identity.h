/* identity.h - what stands for senders that only this host knows: root, www-data, root@localhost.
 *
 * Pure. A relay refuses such senders, or passes on what nobody can answer. The rules (setting `identity`) name an address for
 * them, in the envelope and in From, where the original stays visible in the display name:
 *
 *     From: root (Cron Daemon)     becomes    From: "root@box (Cron Daemon)" <ops@example.org>
 *     From: PHP <www-data@box>     becomes    From: "PHP (www-data@box)" <ops@example.org>
 *
 * Local is a mailbox without domain, at one of this host's names, at a name without a dot, or at a top-level domain that
 * the public DNS does not have (.local, .lan ...). The others, and the null reverse-path, stay as they are. */

#ifndef MAIL_IDENTITY_H
#define MAIL_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "mail/header.h"

struct identity_rule {
	char *name;    /* a local part; NULL: every one that no other rule has */
	char *mailbox; /* with domain (address_is_safe) */
};

struct identity {
	struct identity_rule *rules;
	size_t n_rules;
	const char *const *local_domains; /* this host's names, ends with NULL; borrowed, set by the caller; may be NULL */
	const char *host;                 /* the one that is shown; borrowed, set by the caller; NULL: none */
};

/* Read rules: words "ADDRESS" (the same as "*=ADDRESS") and "NAME=ADDRESS". False: EX_CONFIG, err tells which word is wrong.
 * The caller frees identity either way. */
bool identity_parse(struct identity *identity, struct str text, struct err *err);

/* The mailbox that stands for this sender. NULL: it stays: it is not local, or null, or no rule is about it, or it is the
 * mailbox of a rule itself. */
const char *identity_find(const struct identity *identity, const char *mailbox);

/* Append the text for the display name: "NAME (MAILBOX)", or the mailbox alone when name is NULL or empty. A mailbox of this host
 * is shown at `host`. */
void identity_add_visible(struct buf *b, const struct identity *identity, const char *name, const char *mailbox);

/* Append the field, a list of mailboxes, with what stands for those that are local; the others stay byte for byte. False and
 * nothing: it has none, or cannot be understood. */
bool identity_rewrite(const struct identity *identity, const struct header_field *field, struct buf *b);

void identity_free(struct identity *identity);

#endif
