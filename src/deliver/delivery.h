/* delivery.h - brings parcels (a message and its envelope each) to the hosts of an account, and settles every recipient. */

#ifndef DELIVER_DELIVERY_H
#define DELIVER_DELIVERY_H

#include "deliver/session.h"
#include "deliver/sign.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "mail/mime.h"

struct parcel {
	char *name;                /* of the file, "-" for stdin; for messages to people */
	struct message message;
	struct envelope envelope;
	char *message_id;          /* with angle brackets; NULL: not known */
	int exit_code;             /* set by delivery_run: of this parcel alone */
	bool is_tls_used;          /* likewise: by a session that it was in, or for which it had to wait */
	char *queue_id;            /* id of the entry in the queue that has whoever was put off; NULL: there is none */
	struct entry *entry;       /* its entry in the queue, when it comes from there; borrowed. Not looked into here */
	struct order order;        /* the engine's notes */

	/* What was done to the message for servers that could not take it as it is. Set by delivery_run. */
	bool is_examined;          /* mime_encode() was asked */
	struct mime_server was_for; /* and told that the server takes this */
	struct mime_result encoding;
	struct message encoded;    /* when encoding.is_changed */
	bool is_sealed;            /* it was signed, or it cannot be: */
	struct message sealed;     /* what is to be sent, by an account that signs; not open: it goes unsigned */
};

/* Where parcels come from, one after the other, for as many sessions as it takes. */
struct delivery_source {
	/* SESSION_GO_ON: *parcel has recipients that are pending. The delivery holds it until finished(). */
	enum session_turn (*next)(void *context, struct parcel **parcel);
	bool (*sending)(void *context, struct parcel *parcel, struct err *err);  /* as in session_orders; may be NULL */
	/* A session is done with it. Whoever is pending still may be tried in another session: the source hands it out again
	 * then, or not. */
	void (*finished)(void *context, struct parcel *parcel);
	enum session_turn (*limit)(void *context, bool is_text_out);             /* as in session_orders; may be NULL */
	void *context;
};

/* What became of one route. */
struct delivery_end {
	char *destination;            /* NULL: the relay's */
	struct tls_wish wish;
	struct outcome why;           /* as in struct delivery */
	struct err failure;           /* empty: its last session came to its end */
};

struct delivery {
	/* Set by the caller. */
	const struct account *account;
	const struct secret *secret;  /* NULL: none is needed */
	struct finder *finder;        /* NULL: DNS is not asked, so there are only hosts that the account names */
	const char *destination;      /* for delivery_session with direct delivery: the domain of all that the source hands out */
	struct tls_wish wish;         /* likewise: what all of it says about TLS */
	struct sasl_history *history; /* of the run with this account; NULL: none is kept */
	bool goes_on;                 /* delivery_session is to leave out the hosts that calls before were with */
	struct session_watch watch;
	struct parcel *parcels;       /* for delivery_run */
	size_t n_parcels;
	struct delivery_source source; /* for delivery_session; for delivery_run as much of it as is wanted, next too */
	int64_t limit;                /* a deadline for everything; 0: none, as it is once source.limit said SESSION_GO_ON */

	/* Set by delivery_run and delivery_session. */
	struct err failure;           /* why a session failed last; empty when none did */
	struct outcome why;           /* the same as an outcome for whoever is pending: deferred */
	struct delivery_end *ends;    /* of each route of delivery_run */
	size_t n_ends;
	bool is_answered;             /* direct: DNS told which hosts there are, so that mail may expire when none is reached */
	bool has_more_hosts;          /* behind the one at work; what it puts off is asked of them */
	struct buf asked;             /* by delivery_session: the hosts it was with */
	bool is_tls_used;
	bool has_left;                /* a callback said SESSION_LEAVE: another process goes on, this one must not touch parcels
	                               * that the callback gave away */
	size_t n_sessions;            /* connections made */
	size_t n_finished;            /* parcels that finished() was called for */
	size_t next_parcel;
	struct signer signer;         /* as long as the delivery runs */
};

/* Try each host, for direct delivery those of each destination, until no recipient of `parcels` is pending, everything over as
 * few connections as the servers allow; what source.next hands out, when it is set, comes behind them in the same sessions.
 * Afterwards every recipient of `parcels` has an outcome other than pending, and every parcel its exit code; only after
 * SESSION_LEAVE parcels with pending recipients are left as they were. True: all of `parcels` were delivered. */
bool delivery_run(struct delivery *delivery);

/* One session (at the next address or host when the first is not ready) with the account's host, or the destination's, for
 * whatever the source hands out; a call that goes on leaves out those that were asked before. Recipients that it did
 * not come to stay pending; those of a destination that can never be
 * reached have failed. True: it came to its end. False: failure and why say how it failed. */
bool delivery_session(struct delivery *delivery);

void delivery_free(struct delivery *delivery);

/* Frees all it holds. */
void parcel_free(struct parcel *parcel);

#endif
