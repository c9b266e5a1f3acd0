/* spool.h - the queue's folders: found, made, checked, scanned and cleaned; locks that are not an entry's.
 *
 *     VERSION        "1\n"; another number is refused
 *     tmp/           being written; never sent from
 *     queue/         committed: due or deferred; the time of the next attempt is the file's mtime
 *     hold/          the same, put aside by the user
 *     failed/        failed for good (all recipients are told), kept for 30 days; may be edited and tried again
 *     corrupt/       what could not be read; never removed by the program
 *     bounces/       a Maildir of delivery status notifications: tmp, new, cur
 *     routes/        hints (queue/hint.h); may be removed at any time
 *     lock/          files to lock; what is in them does not matter
 *     policies/      MTA-STS policies of domains; made when there is one
 *     reports/       what is to be said about TLS, a file for each day; made when it is asked for
 *     known-keys     not the queue's: keys of servers (net/known.h), with known-keys.lock
 *
 * All of it belongs to one user, mode 0700, on one file system. Everything is opened relative to descriptors of the
 * folders, without following links. Only flock(2) is used, so a lock cannot outlive its process. */

#ifndef QUEUE_SPOOL_H
#define QUEUE_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/err.h"
#include "queue/id.h"

enum spool_folder {
	SPOOL_TMP,
	SPOOL_QUEUE,
	SPOOL_HOLD,
	SPOOL_FAILED,
	SPOOL_CORRUPT,
	SPOOL_ROUTES,
	SPOOL_LOCK,
	SPOOL_BOUNCES_TMP,
	SPOOL_BOUNCES_NEW,
	SPOOL_BOUNCES_CUR,
	/* Not made with the others, but on first use. */
	SPOOL_POLICIES,
	SPOOL_REPORTS,
	N_SPOOL_FOLDERS
};

enum {
	SPOOL_NAME_SIZE = 64,            /* of a file's name with its NUL; longer ones are not ours */
	SPOOL_BATCH = 8192,              /* entries that a scan returns at most, so that memory does not grow with the queue */
	SPOOL_TMP_AGE = 36 * 3600,       /* seconds after which what is left in tmp/ may be removed */
	SPOOL_FAILED_AGE = 30 * 86400,   /* the same for failed/ */
	SPOOL_BOUNCE_AGE = 30 * 86400,   /* and for notifications that were read (bounces/cur) */
	SPOOL_POLICY_AGE = 366 * 86400,  /* of a policy that nobody asked for: none is in force for longer (RFC 8461 3.2) */
	SPOOL_REPORT_AGE = 30 * 86400
};

/* Where to look for the spool. */
struct spool_place {
	const char *path;          /* the setting queue_dir; NULL or "": by the rules below */
	const char *state_home;    /* $XDG_STATE_HOME; NULL: not set */
	const char *home;          /* NULL: none */
	const char *system_folder; /* LOCALSTATEDIR/spool/mailcrane: sticky, a folder for each uid in it */
};

/* Queues of users without a home; `make install-mta` makes it. */
#define SPOOL_SYSTEM_FOLDER LOCALSTATEDIR "/spool/" PACKAGE_NAME

/* The place for queue_dir (NULL or "": none) in the environment of this process. Borrowed from both. */
struct spool_place spool_place_of_user(const char *queue_dir);

struct spool {
	char *path;                       /* absolute */
	int root;                         /* descriptor of path */
	int folders[N_SPOOL_FOLDERS];     /* descriptors; opened on first use; -1: not open */
	bool is_open;
	bool is_volatile;                 /* on a file system that does not survive a reboot (tmpfs) */
	bool is_remote;                   /* on NFS or SMB */
	bool has_warned_of_sync;          /* fsync of a folder is not supported here; was told once */
	unsigned n_unsynced;              /* names removed from queue/ since its last fsync */
	struct buf warnings;              /* lines for the user, collected here; the caller prints and clears them */
};

/* Find the spool and make it if it is not there: path; else $XDG_STATE_HOME/mailcrane; else
 * ~/.local/state/mailcrane; where that cannot be written, system_folder/UID. Each folder that is made is fsynced
 * into its parent. False: EX_CANTCREAT (nowhere can it be made; err names what was tried and why), EX_NOPERM (it
 * belongs to somebody else, or is open to others), EX_CONFIG (its VERSION is unknown, or path is not absolute),
 * EX_TEMPFAIL (no room, no descriptor, a fault of the disk: then no other place is tried, for a user has one
 * queue). A queue in memory, or a new one on a file server, is warned of. */
bool spool_open(struct spool *spool, const struct spool_place *place, struct err *err);

/* The same, but nothing is made: where there is no spool, true with is_open false. EX_CANTCREAT also where path is given
 * and cannot be looked into. */
bool spool_open_existing(struct spool *spool, const struct spool_place *place, struct err *err);

/* The descriptor of one of its folders; -1: err says why. */
int spool_folder(struct spool *spool, enum spool_folder folder, struct err *err);

/* "queue", "hold", ... Constant. */
const char *spool_folder_name(enum spool_folder folder);

/* Is there room for one more message? False: EX_TEMPFAIL, less than 10 MiB are free (of a small file system: less
 * than 1 %), or less than 1 % of the inodes. */
bool spool_has_room(const struct spool *spool, struct err *err);

/* Make removals and renames in a folder durable. fsync is called once and never again after an error. A file system
 * that cannot do it for folders (EINVAL, ENOTSUP) is warned of once and accepted. */
bool spool_sync(struct spool *spool, enum spool_folder folder, struct err *err);

/* --- scanning --- */

struct spool_item {
	char name[SPOOL_NAME_SIZE]; /* ID.TAG */
	int64_t next;               /* seconds since 1970: time of the next attempt */
};

struct spool_scan {
	/* Set by the caller. */
	enum spool_folder folder;
	int64_t due;                /* only what is due by then; INT64_MAX: everything, and no file is looked at for its time */
	int64_t longest_wait;       /* seconds: what is due later than due + this has a wrong time, and is due; 0: no such rule */
	/* Is the route of this tag worth looking at? NULL: all are. */
	bool (*wants_tag)(void *context, struct str tag);
	void *context;

	/* Set by spool_scan. */
	struct spool_item *items;   /* owned; in the order of their names, i.e. oldest first; at most SPOOL_BATCH */
	size_t n_items;
	bool has_more;              /* there are more, behind the last of items */
	size_t n_seen;              /* entries in the folder, whether wanted or not */
	char after[SPOOL_NAME_SIZE]; /* "" or a name: only what comes behind it; set to the last of items for the next call */
};

/* Read the folder once. False: it cannot be read (EX_IOERR). Names that are not ours are passed over. */
bool spool_scan(struct spool *spool, struct spool_scan *scan, struct err *err);
void spool_scan_free(struct spool_scan *scan);

/* How many entries are in a folder; 0 when there is no spool. */
size_t spool_count(struct spool *spool, enum spool_folder folder);

/* The file of this id in one of the folders queue, hold, failed. False: there is none. */
bool spool_find(struct spool *spool, struct str id, enum spool_folder *folder, char name[SPOOL_NAME_SIZE]);

/* --- locks --- */

enum spool_lock_result { SPOOL_LOCKED, SPOOL_LOCK_BUSY, SPOOL_LOCK_ERROR };

/* Take lock/NAME (made if need be) without waiting. *fd holds it until it is closed. ENOLCK is an error that says
 * that this file system cannot lock. */
enum spool_lock_result spool_lock(struct spool *spool, const char *name, int *fd, struct err *err);

/* --- janitor --- */

/* Remove what a crash has left: files in tmp/ older than SPOOL_TMP_AGE whose lock is free, failed/ after
 * SPOOL_FAILED_AGE, bounces/cur after SPOOL_BOUNCE_AGE, hints and slot locks that nobody used for a month. At most
 * once an hour, unless is_forced. Returns the number of files removed. */
size_t spool_clean(struct spool *spool, time_t now, bool is_forced);

void spool_free(struct spool *spool);

#endif
