/* alias.h - the aliases file: local names and the addresses that stand for them (aliases(5) of sendmail, and of msmtp).
 *
 * Pure: the caller reads the file.
 *
 *     # a comment; also behind a blank or comma
 *     root: admin@example.org
 *     team: bob@example.net, "Carol C" <carol@example.net>,
 *           joe, \root
 *     default: postmaster@example.org
 *
 * A line that begins with a blank goes on with the one before. Names are looked up to the letter first, then without ASCII
 * case; `default`, then `*`, stand for every unqualified name that is not there, but not again inside their own expansion. A
 * target that is a local name itself is looked up again, unless it has a backslash before it. Commands ("|cmd"), files
 * ("/file") and ":include:" are told and left out, never run, opened or written to. */

#ifndef MAIL_ALIAS_H
#define MAIL_ALIAS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "mail/envelope.h"

enum alias_target_kind {
	ALIAS_MAILBOX, /* an address, or a local name to be looked up again */
	ALIAS_FINAL,   /* \name: a local name that is not looked up */
	ALIAS_REFUSED  /* a command, file or inclusion */
};

struct alias_target {
	enum alias_target_kind kind;
	char *text;  /* a mailbox (address_is_safe); when refused, what was written or the mailbox in it, cleaned */
	size_t line; /* in the file, from 1 */
};

struct alias_entry {
	char *name;  /* canonical local part */
	struct alias_target *targets;
	size_t n_targets;
	size_t line;
};

/* Warnings for people, one text each: "FILE:LINE: what". */
struct alias_notes {
	char **items;
	size_t n_items;
};

struct alias_table {
	char *path;                  /* for messages only */
	struct alias_entry *entries; /* sorted by name without case, then to the letter */
	size_t n_entries;
	struct alias_notes notes;    /* all refused targets and names defined twice, whether used or not: what newaliases tells */
};

/* What is local. Borrowed. */
struct alias_rules {
	const char *const *local_domains; /* ends with NULL: mailboxes there are looked up like local names; may be NULL */
	const char *domain;               /* qualifies the local names that are left; NULL: they stay unqualified */
};

/* Read the text of a file. Of a name that is there twice the first counts, with a note. False: EX_CONFIG, err begins with
 * FILE:LINE. The caller frees the table either way. */
bool alias_parse(struct alias_table *table, const char *path, struct str text, struct err *err);

/* Is there a recipient that would be looked up? If not, the file need not be read at all. */
bool alias_concerns(const struct alias_rules *rules, const struct envelope *envelope);

/* Replace every local recipient by what stands for it, each mailbox once (address_equals). A recipient that came from a name
 * has that as `original`, qualified, and its notify; one that did not stays as it is. When all that stands for a name was
 * refused, the name itself stays, so that no recipient is lost. Refused targets that were met are added to notes. False:
 * EX_CONFIG for a loop or for names nested more than 64 deep, with FILE:LINE; the envelope is as before then. */
bool alias_expand(const struct alias_table *table, const struct alias_rules *rules, struct envelope *envelope,
                  struct alias_notes *notes, struct err *err);

/* Look for loops among all names, used or not (newaliases). False: EX_CONFIG with FILE:LINE. */
bool alias_check(const struct alias_table *table, const struct alias_rules *rules, struct err *err);

void alias_table_free(struct alias_table *table);
void alias_notes_free(struct alias_notes *notes);

#endif
