/* author.h - who a message is from: the envelope sender under the rules of `identity`, and what a generated From says. */

#ifndef CMD_AUTHOR_H
#define CMD_AUTHOR_H

#include "conf/defaults.h"
#include "mail/identity.h"
#include "mail/message.h"

/* Zeroed is valid. */
struct author {
	struct identity identity;
	struct defaults_names names;
	char *original;              /* the envelope sender before the rules; "" is the null one */
	char *visible;               /* display name of a generated From */
};

/* Keep the envelope's sender as the original, and replace it by what the account's `identity` has for it. What author had before
 * is freed. False: EX_CONFIG. */
bool author_settle(struct author *author, const struct account *account, struct envelope *envelope, struct err *err);

/* Let the rules for the message follow `identity`: in the fields that it has, and in the From that rules->from_mailbox and
 * rules->from_name would make. */
void author_set_rules(struct author *author, struct message_rules *rules);

void author_free(struct author *author);

#endif
