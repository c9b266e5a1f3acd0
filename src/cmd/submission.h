/* submission.h - the messages of one call: read from stdin or files, each with its envelope. */

#ifndef CMD_SUBMISSION_H
#define CMD_SUBMISSION_H

#include "cmd/author.h"
#include "cmd/lane.h"
#include "cmd/outbox.h"

/* A message that comes from elsewhere than stdin or a file, with an envelope that options and operands have no say in. */
struct submission_given {
	const struct envelope *envelope;
	int fd;                      /* the text, to be read from its start to its end; stays the caller's */
};

/* Zeroed but for call (and given). */
struct submission {
	struct call *call;
	const struct submission_given *given; /* NULL: as the call says. Borrowed */
	struct delivery delivery;    /* its parcels are the messages */
	struct secret secret;
	struct finder finder;
	struct spool state;          /* for the finder: with direct delivery policies are kept, whether mail is queued or not */
	struct outbox outbox;
	bool was_stdin_read;
	struct buf trouble;          /* why the message was neither tried nor queued, as it was told */

	/* For cmd/aftermath.c: what another process goes on with. */
	bool is_child;               /* this is that process */
	bool was_queue_looked_at;
	struct lane lane;
	struct lane_route *route;    /* what is due in the queue, in the child */
	struct entry *entries;       /* in the child: of each parcel that was queued while its answer was awaited */

	/* While a message is read. */
	char *full_name;             /* for a generated From; NULL: the user has none */
	char *login_address;         /* likewise for a message with the null sender */
	struct author author;
	struct parcel *current;
	struct message_found *found; /* what its header section holds */
};

/* A parcel for each message that was asked for, not read yet. */
void submission_begin(struct submission *submission);

/* Read them all; where the sender in a message chooses the account, it is chosen. False: err says why, nobody has got
 * anything. */
bool submission_read(struct submission *submission, struct err *err);

void submission_free(struct submission *submission);

#endif
