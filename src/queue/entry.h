/* entry.h - one message in the queue: one file, one rename that commits it, one unlink that ends it.
 *
 *     MCQ1 ...                fixed width: sizes, checksum, time, flags
 *     A/C/O/I/S/M/P/F lines   account, configuration, settings, id, reverse-path, Message-ID, parameters, facts of the message
 *     T<mailbox>...           a line for each recipient; its first byte is the state, the only byte that changes
 *     (empty line)
 *     message, LF lines
 *     MCEND size checksum
 *     J ...                   a journal, appended to: what servers said. May be lost without harm
 *
 * State of a recipient: T to do, U the text went out and no answer came, D delivered, F failed. Unknown bytes mean
 * T. It is overwritten in place, so that recording a delivery needs no free space. The file is locked (flock) by
 * whoever works on it, from before it is visible; the lock goes with the descriptor, also into a child.
 * doc/queue.md has the proof. */

#ifndef QUEUE_ENTRY_H
#define QUEUE_ENTRY_H

#include "mail/envelope.h"
#include "mail/message.h"
#include "queue/spool.h"

enum entry_flag {
	ENTRY_BOUNCED = 1,     /* the notification about its failed recipients is durable */
	ENTRY_DELAY_TOLD = 2   /* the sender was told that it takes long */
};

/* What the queue keeps beside message and envelope, to send it later as it would be sent now. */
struct entry_origin {
	char *account;       /* id */
	char *config_file;   /* absolute path of the file of -C; NULL: the usual ones */
	char *settings;      /* given on the command line: lines "name value"; NULL: none */
};

struct entry {
	char name[SPOOL_NAME_SIZE];     /* ID.TAG */
	char id[ID_LENGTH + 1];
	char tag[TAG_LENGTH + 1];
	enum spool_folder folder;       /* where it is now */
	int fd;                         /* open and locked; meaningless unless is_open */
	bool is_open;
	bool is_locked;
	time_t created;
	time_t next;                    /* next attempt */
	unsigned flags;                 /* ENTRY_ bits */
	struct entry_origin origin;
	char *message_id;               /* with angle brackets; NULL: none */
	/* States as outcomes: D delivered, F failed, T and U pending, the latter with may_be_duplicate. Where the
	 * journal has a line about a recipient, its outcome has code, text and host of the last one. */
	struct envelope envelope;
	struct message message;         /* in memory while small, else it borrows fd, and its is_open is false */
	size_t n_states;                /* recipients in the file, also while the envelope is lent to somebody */
	unsigned char *states;          /* as they are on the disk, one for each recipient */
	struct buf head;                /* the file up to the message, as it is on the disk */
	size_t *state_offsets;          /* in the file, one for each recipient */
	time_t tried;                   /* of the journal's last line; 0: never */
	size_t n_attempts;              /* as far as the journal tells */
	/* Private. */
	int64_t journal_at;             /* offset in the file of what is behind the line MCEND */
	int64_t file_size;
	bool has_torn_line;             /* the journal does not end with a newline */
	uint64_t *recorded;             /* for each recipient: what the file tells about its outcome, as a hash */
};

/* Make an entry for the recipients of `envelope` that are pending or deferred, and commit it into `folder` (queue,
 * or failed for one that keeps what nobody took: then the failed recipients are in it as F). Steps: create in tmp/
 * and lock; write; fsync; rename; fsync of the folder. A deferred outcome with may_be_duplicate becomes U, and what
 * is known of an outcome becomes a line of the journal. next: time of the first attempt. True: the entry is
 * durable, open and locked, entry->message and entry->envelope are those of the file. False: EX_TEMPFAIL (no room),
 * EX_IOERR, EX_CANTCREAT; nothing is left of it, or (after a failed fsync of the folder) it was removed again. */
struct entry_content {
	const struct entry_origin *origin;
	struct str route;               /* describes the route, for the tag (id_tag) */
	const struct envelope *envelope;
	const struct message *message;
	const char *message_id;
	time_t created;
	time_t next;
	unsigned flags;
	enum spool_folder folder;
};
bool entry_create(struct entry *entry, struct spool *spool, const struct entry_content *content, struct err *err);

enum entry_result {
	ENTRY_OPENED,
	ENTRY_BUSY,   /* somebody else works on it */
	ENTRY_GONE,   /* it is not there any more */
	ENTRY_BAD,    /* it cannot be trusted and was moved to corrupt/: err says what is wrong, for the log */
	ENTRY_REFUSED /* local trouble (no descriptor, no lock, no memory of the disk): err; the entry is as it was */
};

/* Open, lock and read an entry. Refused as bad: not a regular file, a link, more than one name (hard link), another
 * owner, a size that does not agree, a checksum that does not, bytes behind the head that are not there. entry must
 * be zeroed. */
enum entry_result entry_open(struct entry *entry, struct spool *spool, enum spool_folder folder, const char *name,
                             struct err *err);

/* For mailq and --show: the same without a lock, without moving anything, and without looking at the message's
 * bytes beyond what is read anyway. entry->is_locked tells whether somebody else has locked it. */
enum entry_result entry_peek(struct entry *entry, struct spool *spool, enum spool_folder folder, const char *name,
                             struct err *err);

/* The text goes out for the recipients marked in is_sent (one byte for each, 0: not): they are U until
 * entry_record(). Not synced. False (EX_IOERR): it could not be written, and nothing must be sent. */
bool entry_mark_sent(struct entry *entry, const unsigned char *is_sent, struct err *err);

/* Write the envelope's outcomes down: a journal line for each recipient whose outcome is new since it was read or
 * recorded (by `now`), the state bytes, and, if anybody became D or F, one fdatasync. Pending and deferred ones are
 * T again unless may_be_duplicate. False: EX_IOERR; states that could be written are. */
bool entry_record(struct entry *entry, time_t now, struct err *err);

/* Is nobody left to be tried? */
bool entry_is_finished(const struct entry *entry);

/* Set flags, beside those that are set, for good (fdatasync). */
bool entry_set_flags(struct entry *entry, unsigned flags, struct err *err);

/* Write the time of the next attempt. The last thing done to an entry that stays, because every write changes the
 * mtime. */
bool entry_defer(struct entry *entry, time_t next, struct err *err);

/* Remove it. Not synced: spool_sync(SPOOL_QUEUE) makes it durable, for many at once. */
bool entry_remove(struct entry *entry, struct spool *spool, struct err *err);

/* Move it to another folder by a rename; synced. An F is tried again where it is moved from failed/ to queue/ with
 * is_fresh: all F become T, flags are cleared, and it counts as created now. */
bool entry_move(struct entry *entry, struct spool *spool, enum spool_folder folder, struct err *err);
bool entry_make_fresh(struct entry *entry, time_t now, struct err *err);

/* The journal's lines as they are, cleaned, for --show. */
bool entry_journal(const struct entry *entry, struct buf *b, struct err *err);

/* Unlock and free. */
void entry_free(struct entry *entry);

#endif
