/* session.h - one connection to one host: serves what the dialogue wants with a stream, TLS and AUTH, each wait with a
 * deadline. */

#ifndef DELIVER_SESSION_H
#define DELIVER_SESSION_H

#include "auth/sasl.h"
#include "auth/secret.h"
#include "conf/account.h"
#include "deliver/acquaint.h"
#include "deliver/route.h"
#include "net/stream.h"
#include "smtp/dialog.h"

/* Who looks on: `show` gets the dialogue line by line ("C: ...", "S: ...", "* ..."), secrets hidden; `progress` how
 * much of a message is sent. NULL: nobody looks. */
struct session_watch {
	void (*show)(void *context, struct str line);
	void *context;
	/* Something that people must hear, in one line. Where nobody listens (NULL), what would have to be told is not done. */
	void (*tell)(void *context, const char *text);
	void *tell_context;
	void (*progress)(void *context, int64_t n_sent, int64_t n_all); /* bytes */
	void *progress_context;
};

/* What a callback says about the session. */
enum session_turn {
	SESSION_GO_ON,
	SESSION_WAIT,   /* from next() only: ask again once everything that was sent is answered; SESSION_END when it is */
	SESSION_END,    /* no more messages; from `limit`: give up what is waited for */
	SESSION_LEAVE   /* this process forgets the connection without a word on it: another one (a child) goes on with it */
};

struct session;

/* Where the messages come from. Those that may be NULL say so. */
struct session_orders {
	/* SESSION_GO_ON: *order is a message in a form that a server with these capabilities takes; the session keeps it
	 * until finished(). It is asked for while the messages before are still unanswered: SESSION_WAIT is the way to know
	 * their fate first. */
	enum session_turn (*next)(void *context, const struct caps *caps, struct order **order);
	/* The last bytes of its text are about to be sent: from now on it may arrive for those recipients that are asked or
	 * accepted (order->marks). Once for each transaction. False: it must not be sent (err says why; the session ends). May
	 * be NULL. */
	bool (*sending)(void *context, struct order *order, struct err *err);
	/* Its outcomes are as good as this session makes them. */
	void (*finished)(void *context, struct order *order, const struct session *session);
	/* session.limit has passed while the server is waited for in the dialogue (not while connecting, nor in a handshake).
	 * `is_text_out`: a text went out whole, whose answer is awaited. SESSION_GO_ON lifts the limit. NULL: SESSION_END. */
	enum session_turn (*limit)(void *context, bool is_text_out);
	void *context;
};

/* The session as it stands; what it learnt is kept for reports after its end. Zeroed by the caller, who sets the first part. */
struct session {
	const struct account *account;
	const struct route_host *host;
	const struct secret *secret;    /* NULL: none is needed */
	struct sasl_history *history;   /* of the run, which this session adds to; NULL: there is none */
	const char *etrn;               /* ETRN argument; NULL: none */
	const char *avoid;              /* addresses of the host not to be tried, separated by blanks; NULL: none */
	bool is_inquiry;                /* only look what the server offers: no AUTH */
	bool must_stay_clear;           /* for ROUTE_TLS_MAY: a handshake with this host failed just now */
	int64_t limit;                  /* a deadline for all of it, connecting included; 0: none */
	struct session_watch watch;
	struct session_orders orders;
	struct dialog_demand demand;
	struct dialog dialog;
	struct connection connection;
	struct stream stream;
	struct acquaint acquaint;
	enum tls_fault tls_fault;       /* what was wrong with the server's certificate, also where it does not matter */
	struct tls_facts tls;           /* tls.version NULL: no TLS was in use */
	struct sasl *sasl;
	struct buf initial;             /* initial response that did not fit into AUTH; wiped */
	struct buf binding;             /* channel binding data, lent to sasl */
	struct buf text;                /* room for a step of the message */
	struct buf transcript;
	int64_t deadline;               /* of what is waited for now */
	int64_t send_deadline;          /* of the text in `out`; 0: none is on its way */
	size_t n_replies_seen;
	bool is_connected;              /* the connection came about */
	bool has_left;                  /* SESSION_LEAVE was said: nothing more is sent or read here */
};

/* Connect and go through the whole dialogue. False: it could not begin, or ended before its time: err says why, and
 * *why is what a recipient without an own result may be told (deferred). True: it came to its end; recipients may still
 * be pending (limits of the server), or, when has_left is set, whatever another process makes of it. */
bool session_run(struct session *session, struct outcome *why, struct err *err);

void session_free(struct session *session);

#endif
