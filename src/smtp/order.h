/* order.h - one message on its way through a session: which recipients were asked, accepted, put off; how much text is sent.
 *
 * An order takes one transaction (MAIL ... final reply), or several when the server takes only some recipients at a
 * time. Results go into the outcomes of the envelope; a recipient that is still OUTCOME_PENDING afterwards was not
 * tried to the end and may be tried on another connection. Pure. */

#ifndef SMTP_ORDER_H
#define SMTP_ORDER_H

#include <stdbool.h>

#include "mail/envelope.h"
#include "mail/message.h"
#include "smtp/dot.h"
#include "smtp/reply.h"

/* What the present transaction knows of a recipient. */
enum order_mark {
	MARK_OPEN,     /* not named in a RCPT yet */
	MARK_ASKED,    /* RCPT sent */
	MARK_ACCEPTED, /* waits for the final reply */
	MARK_PUT_OFF   /* 452 or 552 at RCPT: too many at once; the next transaction asks again */
};

struct order {
	/* Set by the caller, who keeps them until dialog_finished() gave the order back. */
	const struct message *message;
	struct envelope *envelope;

	/* The engine's own; zeroed by the caller. */
	struct order *next;          /* in one of the dialog's lists */
	unsigned char *marks;        /* one enum order_mark for each recipient */
	size_t cursor;               /* the first recipient that may have to be asked next */
	size_t n_asked;              /* RCPT commands of this transaction: sent, */
	size_t n_answered;           /* answered, */
	size_t n_accepted;           /* and accepted */
	size_t n_put_off;
	size_t n_unanswered;         /* commands of this order in the dialog's FIFO */
	size_t final_cursor;         /* LMTP: the recipient whose final reply comes next */
	int64_t text_offset;         /* bytes of the kept message that the session has given */
	int64_t wire_left;           /* BDAT: octets of the wire form not yet in a chunk */
	int64_t chunk_left;          /* BDAT: octets still to come in the open chunk */
	struct buf text;             /* BDAT: wire form waiting for its place in a chunk */
	struct dot dot;
	bool is_mail_sent;
	bool is_behind_refusal;      /* MAIL was sent behind another message's last chunk, which was refused */
	bool is_data_sent;
	bool is_chunked;             /* BDAT instead of DATA */
	bool uses_smtputf8;          /* known once for all recipients, of whom there may be many */
	bool may_send_text;          /* 354 came */
	bool is_text_out;            /* the last bytes of the text were given out */
	bool is_told;                /* and dialog_completed() has told so */
	bool is_final;               /* the final reply was read */
	bool is_refused;             /* MAIL, DATA, a chunk or an atomic order was refused: nothing more in this transaction */
	bool is_without_chunking;    /* BDAT was offered and then not understood: DATA from now on */
};

/* Begin a transaction with the recipients that are pending. */
void order_begin(struct order *order, bool is_chunked);

/* The next recipient to be asked, or n_recipients: skips those that are settled. */
size_t order_next_recipient(struct order *order);

/* Record the answer to RCPT. 452 and 552 are "too many recipients" (RFC 5321 4.5.3.1.10) and put off. */
void order_record_rcpt(struct order *order, size_t recipient, const struct reply *reply);

/* Give the reply as result to all recipients that are pending, or accepted, or one. */
void order_settle_pending(struct order *order, enum outcome_stage stage, const struct reply *reply);
void order_settle_accepted(struct order *order, enum outcome_stage stage, const struct reply *reply);
void order_settle_one(struct order *order, size_t recipient, enum outcome_stage stage, const struct reply *reply);

/* The text went out whole and no answer came: whoever was not refused is deferred, and a retry may deliver twice. */
void order_settle_unknown(struct order *order, const char *text);

/* Refused by ourselves before anything was sent. */
void order_refuse(struct order *order, enum outcome_stage stage, const unsigned short enhanced[3], const char *text);

/* Atomic orders: somebody was refused, or the server does not take all at once, so nobody gets the message. The others share
 * the class of the refusal. */
void order_refuse_rest(struct order *order);

/* LMTP: the next accepted recipient from final_cursor on, or n_recipients. */
size_t order_next_accepted(struct order *order);

/* While the final reply is awaited: are there recipients for whom another transaction will be needed? */
bool order_expects_another(const struct order *order);

/* After a transaction: does another one make sense for recipients that are open or put off? Makes those pending again. */
bool order_needs_another(struct order *order);

/* Lists of orders, oldest first, linked by `next`: add at the end; take the first one off, NULL when the list is empty. */
void order_append(struct order **list, struct order *order);
struct order *order_take_first(struct order **list);
size_t order_count(const struct order *list);

/* Frees the engine's notes, not the message or envelope. */
void order_free(struct order *order);

#endif
