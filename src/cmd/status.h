/* status.h - an entry of the queue and its recipients in words and in JSON, for mailq and --show. Pure. */

#ifndef CMD_STATUS_H
#define CMD_STATUS_H

#include "base/json.h"
#include "queue/entry.h"

/* "pending", "uncertain" (the text went out and no answer came), "delivered", "failed". Constant. */
const char *status_name(const struct outcome *outcome);

/* Append why the recipient is where it is, as far as it is known: "host HOST said: 450 4.2.1 text", or our own words. */
void status_add_reason(struct buf *b, const struct outcome *outcome);

/* Append text of an address, cleaned; the null reverse-path as `null`. */
void status_add_address(struct buf *b, const char *address, const char *null);

/* Add the members that describe the entry to the object that was begun. */
void status_add_json(struct json *json, const struct entry *entry);

#endif
