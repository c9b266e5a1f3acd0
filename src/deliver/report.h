/* report.h - what happened to a parcel, in words: for stderr, and as the one line of the log. Pure. */

#ifndef DELIVER_REPORT_H
#define DELIVER_REPORT_H

#include "base/err.h"
#include "deliver/delivery.h"

/* Append a line for people for each thing that went wrong with the parcel (recipients with the same fate share one), each with
 * account, host, what the server said. Nothing when all were delivered, or are taken care of by the queue. */
void report_add_problems(struct buf *b, const struct delivery *delivery, const struct parcel *parcel);

/* What to do about a route's failure, that is no single parcel's; NULL: nothing sensible to say. */
const char *report_failure_hint(const struct account *account, const struct outcome *why, const struct err *failure);

/* One line about the parcel's success: "2 recipients: 250 2.0.0 queued as 1". */
void report_add_success(struct buf *b, const struct parcel *parcel);

/* What to do about it; NULL: nothing sensible to say. A failure's own hint wins. */
const char *report_hint(const struct delivery *delivery, const struct parcel *parcel);

/* What the log says of one attempt. */
struct report_line {
	const struct account *account;   /* NULL: none was found */
	const struct envelope *envelope; /* NULL: it did not come that far */
	const struct message *message;   /* NULL likewise */
	const char *message_id;          /* NULL: unknown */
	const char *queue_id;            /* NULL: it has nothing to do with the queue */
	const char *error;               /* NULL: none */
	bool is_tls_used;
	int exit_code;
	const char *tag;                 /* the name in the system's log; NULL: ours */
};

/* Append the attempt in msmtp's grammar: "host=.. tls=on auth=on user=.. from=.. recipients=a,b mailsize=..
 * smtpstatus=.. smtpmsg='..' errormsg='..' exitcode=EX_OK"; without time and line end. */
void report_add_log(struct buf *b, const struct report_line *line);

/* The same as one JSON object. */
void report_add_json(struct buf *b, const struct report_line *line, time_t when);

#endif
