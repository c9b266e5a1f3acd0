/* delivery.h - brings parcels (a message and its envelope each) to the hosts of an account, and settles every recipient. */

#ifndef DELIVER_DELIVERY_H
#define DELIVER_DELIVERY_H

#include "deliver/session.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "mail/mime.h"

struct parcel {
	char *name;                /* of the file, "-" for stdin; for messages to people */
	struct message message;
	struct envelope envelope;
	char *message_id;          /* with angle brackets; NULL: not known */
	int exit_code;             /* set by delivery_run: of this parcel alone */
	struct order order;        /* the engine's notes */

	/* What was done to the message for servers that could not take it as it is. Set by delivery_run. */
	bool is_examined;          /* mime_encode() was asked */
	bool was_for_8bit;         /* and told that the server takes 8-bit octets */
	struct mime_result encoding;
	struct message encoded;    /* when encoding.is_changed */
};

struct delivery {
	/* Set by the caller. */
	const struct account *account;
	const struct secret *secret;  /* NULL: none is needed */
	struct session_watch watch;
	struct parcel *parcels;
	size_t n_parcels;

	/* Set by delivery_run. */
	struct err failure;           /* why a session failed last; empty when none did */
	bool is_tls_used;
	size_t next_parcel;
};

/* Try each host until no recipient is pending, everything over as few connections as the servers allow. Afterwards
 * every recipient has an outcome other than pending, and every parcel its exit code. True: all were delivered. */
bool delivery_run(struct delivery *delivery);

void delivery_free(struct delivery *delivery);

/* Frees all it holds. */
void parcel_free(struct parcel *parcel);

#endif
