/* session.h - one connection to one host: serves what the dialogue wants with a stream, TLS and AUTH, each wait with a
 * deadline. */

#ifndef DELIVER_SESSION_H
#define DELIVER_SESSION_H

#include "auth/sasl.h"
#include "auth/secret.h"
#include "conf/account.h"
#include "deliver/route.h"
#include "net/stream.h"
#include "smtp/dialog.h"

/* Who looks on: `show` gets the dialogue line by line ("C: ...", "S: ...", "* ..."), secrets hidden; `progress` how
 * much of a message is sent. NULL: nobody looks. */
struct session_watch {
	void (*show)(void *context, struct str line);
	void *context;
	void (*progress)(void *context, int64_t n_sent, int64_t n_all); /* bytes */
	void *progress_context;
};

/* Where the messages come from. */
struct session_orders {
	/* A message in a form that a server with these capabilities takes. NULL: no more. Keeps the order until: */
	struct order *(*next)(void *context, const struct caps *caps);
	/* Its outcomes are as good as this session makes them. */
	void (*finished)(void *context, struct order *order, const char *host);
	void *context;
};

/* The session as it stands; what it learnt is kept for reports after its end. Zeroed by the caller, who sets the first part. */
struct session {
	const struct account *account;
	const struct route_host *host;
	const struct secret *secret;    /* NULL: none is needed */
	const char *etrn;               /* ETRN argument; NULL: none */
	const char *avoid;              /* addresses of the host not to be tried, separated by blanks; NULL: none */
	bool is_inquiry;                /* only look what the server offers: no AUTH */
	struct session_watch watch;
	struct session_orders orders;

	struct dialog_demand demand;
	struct dialog dialog;
	struct connection connection;
	struct stream stream;
	struct tls_facts tls;           /* tls.version NULL: no TLS was in use */
	struct sasl *sasl;
	struct buf initial;             /* initial response that did not fit into AUTH; wiped */
	struct buf binding;             /* channel binding data, lent to sasl */
	struct buf text;                /* room for a step of the message */
	struct buf transcript;
	int64_t deadline;               /* of what is waited for now */
	int64_t send_deadline;          /* of the text in `out`; 0: none is on its way */
	size_t n_replies_seen;
};

/* Connect and go through the whole dialogue. False: it could not begin, or ended before its time: err says why, and
 * *why is what a recipient without an own result may be told (deferred). True: it came to its end; recipients may still
 * be pending (limits of the server). */
bool session_run(struct session *session, struct outcome *why, struct err *err);

void session_free(struct session *session);

#endif
