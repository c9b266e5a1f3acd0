/* dialog.h - the client's side of SMTP (RFC 5321) and LMTP (RFC 2033) without I/O and without a clock.
 *
 * Replies record facts; facts choose the next command. One FIFO of unanswered commands gives pipelining (RFC 2920). The
 * caller ("the session") moves bytes between the peer and the two buffers `in` and `out`, and serves what dialog_next() wants:
 *
 *     WANT_REPLY   send `out`, add at least one byte to `in` (or call dialog_lost)
 *     WANT_TLS     do the TLS handshake, then dialog_protected
 *     WANT_AUTH    by the state in `auth`: dialog_auth_begin, dialog_auth_answer or dialog_auth_cancel, dialog_auth_done
 *     WANT_BODY    read the message from `sending->text_offset` on: dialog_text, or dialog_text_end at its end; sending
 *                  `out` may wait until it has grown to a good size
 *     WANT_ORDER   dialog_take_order, dialog_no_more_orders, or dialog_wait_for_answers
 *     WANT_CLOSE   send `out`, close. If `failure` is set the session went wrong; what is pending in the envelopes may
 *                  be tried elsewhere
 *
 * After each step dialog_finished() hands back the orders that are done with, and dialog_completed() tells whose text is complete
 * with the bytes that are in `out` by now. */

#ifndef SMTP_DIALOG_H
#define SMTP_DIALOG_H

#include <stdbool.h>

#include "base/err.h"
#include "smtp/caps.h"
#include "smtp/order.h"
#include "smtp/reply.h"

enum {
	DIALOG_UNANSWERED_MOST = 4096,         /* octets of commands sent and not answered */
	DIALOG_PENDING_MOST = 512,             /* commands sent and not answered */
	DIALOG_CHUNK_IN_GROUP = 64 * 1024,     /* octets of a message that may ride in the recipients' group */
	DIALOG_CHUNK_SIZE = 1024 * 1024,       /* octets of each chunk of a larger one */
	DIALOG_TEXT_STEP = 64 * 1024           /* octets that the session gives at a time */
};

enum dialog_want {
	WANT_REPLY,
	WANT_TLS,
	WANT_AUTH,
	WANT_BODY,
	WANT_ORDER,
	WANT_CLOSE
};

enum dialog_stage {
	STAGE_GREETING,
	STAGE_EHLO,
	STAGE_HELO,
	STAGE_LHLO,
	STAGE_STARTTLS,
	STAGE_AUTH,
	STAGE_ETRN,
	STAGE_RSET,
	STAGE_MAIL,
	STAGE_RCPT,
	STAGE_DATA,
	STAGE_CHUNK, /* BDAT, more to come */
	STAGE_END,   /* BDAT LAST, or the final dot */
	STAGE_QUIT,
	/* Stages without a command of their own: */
	STAGE_TEXT,  /* the message between 354 and the final dot */
	STAGE_ORDER  /* nothing to do: ask for an order */
};

enum dialog_auth {
	DIALOG_AUTH_IDLE,       /* choose a mechanism from caps.mechanisms and begin */
	DIALOG_AUTH_ASKED,      /* a line is on its way */
	DIALOG_AUTH_CHALLENGED, /* `challenge` holds the text behind 334 */
	DIALOG_AUTH_ACCEPTED,   /* 235: the mechanism must agree that it is finished */
	DIALOG_AUTH_DONE
};

/* What the account demands of the session. Borrowed; must outlive the dialog. */
struct dialog_demand {
	const char *client_name;  /* argument of EHLO, HELO and LHLO */
	bool is_lmtp;
	bool is_protected;        /* TLS from the first byte on */
	bool is_verified;         /* by that, or by what WANT_TLS asked for, it is known who the server is; may change until
	                             dialog_protected() */
	bool wants_starttls;      /* no STARTTLS, no mail */
	bool tries_starttls;      /* STARTTLS where it is offered, else in the clear (RFC 7435) */
	bool wants_auth;          /* no AUTH, no mail */
	bool is_atomic;           /* all recipients or none */
	bool may_pipeline;
	bool may_chunk;
	unsigned depth;           /* messages whose text may be out without an answer; 0: one */
	const char *etrn;         /* argument of ETRN; NULL: none */
};

struct dialog_pending {
	enum dialog_stage stage;
	struct order *order;      /* NULL for commands that belong to the session */
	size_t recipient;         /* of RCPT */
	size_t size;              /* octets of the command */
};

struct dialog {
	const struct dialog_demand *demand;
	struct buf in;
	struct buf out;
	struct caps caps;
	struct reply reply;               /* the last one, or one that is being read */
	struct buf greeting;              /* text of the greeting, raw */
	struct buf challenge;
	struct buf hidden;                /* texts that are never shown, each ended by LF: secrets; wiped */
	enum dialog_auth auth;
	struct order *sending;            /* the order whose commands or text are being sent */
	struct buf *transcript;           /* lines "C: ..." and "S: ..." are added, secrets hidden; NULL: none. Borrowed */

	struct err failure;               /* what ended the session before its time; exit code by what it was about */
	struct outcome failure_outcome;   /* the same for the recipients that remain pending: deferred */

	/* Facts. */
	bool is_protected;
	bool knows_caps;
	bool must_use_helo;
	bool is_tls_agreed;               /* 220 to STARTTLS came */
	bool was_tls_refused;             /* another reply came, and the session goes on in the clear */
	bool has_asked_etrn;
	bool is_reset_needed;             /* a transaction was left before its end */
	bool has_no_more_orders;
	bool is_waiting;                  /* no order is asked for while anything is unanswered */
	bool has_quit;
	bool is_dead;                     /* nothing more may be sent */
	size_t n_transactions;
	size_t n_replies;                 /* read so far */

	/* Lists of orders. */
	struct order *awaiting;           /* text sent, final reply not read; oldest first */
	struct order *again;              /* need another transaction in this session */
	struct order *finished;

	/* The FIFO: a ring. */
	struct dialog_pending pending[DIALOG_PENDING_MOST];
	size_t first_pending;
	size_t n_pending;
	size_t unanswered_size;           /* octets */
};

/* d must be zeroed or freed. */
void dialog_start(struct dialog *d, const struct dialog_demand *demand);
enum dialog_want dialog_next(struct dialog *d);

/* How many seconds the peer may take for what is waited for now (RFC 5321 4.5.3.2), and what that is, for texts such as
 * "no answer to MAIL". */
int dialog_patience(const struct dialog *d);
const char *dialog_doing(const struct dialog *d);

/* The connection is lost or silent: ends the dialog. exit_code as in struct err, text says how ("connection lost", "no
 * answer within 300 seconds"). */
void dialog_lost(struct dialog *d, int exit_code, const char *text);

/* End the session for a reason of the caller's (TLS or AUTH failed locally); takes over what err holds and empties it. */
void dialog_give_up(struct dialog *d, enum outcome_stage stage, struct err *err);

/* TLS is in use from now on: everything learnt in the clear is forgotten (RFC 3207 4.2). */
void dialog_protected(struct dialog *d);

/* Whatever the server says from now on, this text (the password) is not in it when it is shown or kept. The lines of AUTH
 * are hidden without being told. */
void dialog_hide(struct dialog *d, struct str secret);

/* initial is base64, "=" for an empty response, NULL for none. *is_initial_sent false: it did not fit, it must answer
 * the first challenge. */
void dialog_auth_begin(struct dialog *d, const char *mechanism, const char *initial, bool *is_initial_sent);
void dialog_auth_answer(struct dialog *d, struct str line);
/* Send "*"; the session fails with err (taken over and emptied) once the server has answered. */
void dialog_auth_cancel(struct dialog *d, struct err *err);
void dialog_auth_done(struct dialog *d);

void dialog_take_order(struct dialog *d, struct order *order);
void dialog_no_more_orders(struct dialog *d);

/* There is no order now: ask again once everything that was sent is answered. */
void dialog_wait_for_answers(struct dialog *d);

/* May another order be taken by this session, or does it have to end (MAILMAX, QUIT, failure)? */
bool dialog_has_room(const struct dialog *d);

/* Give text of the message, in order, in its kept form (LF). */
void dialog_text(struct dialog *d, struct str text);
void dialog_text_end(struct dialog *d);

/* The next order whose last bytes of text are in `out`, told once for each transaction; or NULL. Asked after each
 * dialog_text_end() and dialog_next(), before `out` is sent. */
struct order *dialog_completed(struct dialog *d);

/* The order that dialog_completed() gave must not be sent: nothing of `out` is, the session is over; takes over what err holds
 * and empties it. The order comes back unsettled, as if its text had never been complete. */
void dialog_withdraw(struct dialog *d, struct order *order, struct err *err);

/* Is a complete text waiting for its final reply? */
bool dialog_is_text_out(const struct dialog *d);

/* The next order that is done with, or NULL. It is the caller's again; order_free it. */
struct order *dialog_finished(struct dialog *d);

void dialog_free(struct dialog *d);

#endif
