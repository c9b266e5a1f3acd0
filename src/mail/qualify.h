/* qualify.h - gives the bare addresses of a header field their domain: root (Cron Daemon) becomes root@DOMAIN (Cron Daemon).
 * Pure. */

#ifndef MAIL_QUALIFY_H
#define MAIL_QUALIFY_H

#include <stdbool.h>

#include "base/buf.h"

/* Append the body of a field with an address-list (header_has_addresses), "@domain" put behind each address that has none;
 * every other byte stays. domain is in ASCII. False, and nothing is appended: no address needs it, or it is no address-list. An
 * encoded-word in the place of an address is a name whose address was forgotten, and stays. */
bool qualify_add(struct buf *b, struct str body, const char *domain);

#endif
