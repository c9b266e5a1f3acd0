/* aliasfile.h - reads the text of an aliases file for mail/alias.c, its only user. Pure. */

#ifndef MAIL_ALIASFILE_H
#define MAIL_ALIASFILE_H

#include "mail/alias.h"

/* Less than, equal to or greater than 0, ASCII case aside. */
int aliasfile_compare_nocase(struct str a, struct str b);

/* Add the warning about a refused target. */
void aliasfile_note_refused(struct alias_notes *notes, const char *path, const struct alias_target *target);

void aliasfile_entry_free(struct alias_entry *entry);

#endif
