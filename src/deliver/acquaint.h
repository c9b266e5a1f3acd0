/* acquaint.h - trust on first use: where the keys of servers are kept, under which names, and what is told of a first
 * contact. */

#ifndef DELIVER_ACQUAINT_H
#define DELIVER_ACQUAINT_H

#include "deliver/route.h"

/* What a session lends to TLS. A zeroed struct may be freed. */
struct acquaint {
	struct buf file;
	struct buf server;
	struct buf command;
};

/* For an account with tls_tofu: the file (in the folder of the queue, which is made if need be), the server's name in it, and
 * the command that forgets a key, all lent to *known. Without: nothing. False: as spool_open, or EX_CONFIG (the host has no
 * name that can be written). */
bool acquaint_prepare(struct acquaint *acquaint, const struct account *account, const struct route_host *host,
                      struct tls_acquaintance *known, struct err *err);

/* Append a host as it is named in the file: A-labels in small letters, or an address, that of IPv6 in brackets. False: EX_CONFIG,
 * it can be no host's name. */
bool acquaint_add_host(struct buf *b, const char *name, struct err *err);

/* Append the path of the file below the folder of a queue. */
void acquaint_add_path(struct buf *b, const char *spool_path);

/* Append what people have to hear of a first contact. */
void acquaint_add_notice(struct buf *b, const struct account *account, const struct acquaint *acquaint,
                         const struct tls_facts *facts);

void acquaint_free(struct acquaint *acquaint);

#endif
