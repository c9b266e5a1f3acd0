/* serve.h - the server's side of SMTP (RFC 5321) without I/O and without a clock: the mirror of smtp/dialog.h.
 *
 * The caller moves bytes between the client and the two buffers `in` and `out`, and serves what serve_next() wants:
 *
 *     SERVE_WANT_INPUT    send `out`, add at least one byte to `in`; at the end of the input a transaction that is
 *                         not complete has never been
 *     SERVE_WANT_KEEP     `text` is the message's from byte `text_offset` on: keep it, its memory is used again
 *     SERVE_WANT_MESSAGE  the message is complete, text_size bytes for `envelope`: send `out`, take responsibility
 *                         and serve_accept(), or serve_refuse()
 *     SERVE_WANT_CLOSE    send `out`, close
 *
 * However the input is cut, the replies and the messages are the same. Many commands may come at once (RFC 2920).
 *
 * A command line ends with CRLF or with LF alone. The text ends as the line of its DATA did: after DATA CRLF only by CRLF
 * "." CRLF, an LF alone being a byte like others; after DATA LF only by LF "." LF. So whoever writes CRLF and doubles the
 * dots that stand behind one cannot be made to end a message by what stands in it (RFC 5321 4.1.1.4). Line ends are given
 * on as they came.
 *
 * The addresses of the envelope are as address_parse_path() makes them, local parts alone among them. */

#ifndef SMTP_SERVE_H
#define SMTP_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "mail/envelope.h"

enum {
	SERVE_LINE_MOST = 4096,        /* octets of a command without its line end; longer ones are refused */
	SERVE_RECIPIENTS_MOST = 10000, /* in one transaction; more are refused for now (452) */
	SERVE_FAULTS_MOST = 100,       /* lines in succession that are no commands; then the session ends */
	SERVE_REPLY_MOST = 510         /* octets of a line of a reply without its end */
};

enum serve_want {
	SERVE_WANT_INPUT,
	SERVE_WANT_KEEP,
	SERVE_WANT_MESSAGE,
	SERVE_WANT_CLOSE
};

/* What is offered to the client. Borrowed; must outlive the serve. */
struct serve_offer {
	const char *host_name;
	int64_t size_most;   /* bytes of the largest message, announced and kept to; 0: any */
};

enum serve_stage {
	SERVE_COMMAND,  /* a line is a command */
	SERVE_TEXT,     /* after 354 */
	SERVE_MESSAGE,  /* the caller has the message and owes the answer */
	SERVE_CLOSE
};

/* Where in a line of text the last byte was. */
enum serve_place {
	SERVE_AT_START,
	SERVE_BEHIND_DOT,    /* the dot at the start, not passed on */
	SERVE_BEHIND_DOT_CR, /* and a CR, not passed on */
	SERVE_INSIDE,
	SERVE_BEHIND_CR
};

struct serve {
	const struct serve_offer *offer;
	struct buf in;
	struct buf out;
	struct envelope envelope;  /* of the transaction; reverse_path NULL: there is none */
	struct buf text;
	int64_t text_offset;
	int64_t text_size;         /* bytes of the message so far, `text` included */

	/* Private. */
	enum serve_stage stage;
	bool is_skipping;          /* the rest of a line that is too long */
	bool is_refused;           /* some recipient of this transaction was */
	bool is_crlf;              /* the line of the last command ended with CRLF */
	bool is_too_large;
	enum serve_place place;
	size_t n_faults;
};

/* s must be zeroed or freed. The greeting is in `out`. */
void serve_start(struct serve *s, const struct serve_offer *offer);
enum serve_want serve_next(struct serve *s);

/* Answer to the message, after SERVE_WANT_MESSAGE: it is taken, under this id; or not, with a code of class 4 or 5, an enhanced
 * code of the same class, and a text that may be anything. The transaction is over. */
void serve_accept(struct serve *s, const char *id);
void serve_refuse(struct serve *s, int code, const char *enhanced, struct str text);

void serve_free(struct serve *s);

/* For smtp/servecommand.c: a reply of one line (enhanced NULL: none); the end of the transaction. */
void serve_reply(struct serve *s, int code, const char *enhanced, struct str text);
void serve_reset(struct serve *s);

#endif
