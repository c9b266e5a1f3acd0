/* cargo.h - an entry of the queue on its way through a session: claimed by its lock, lent to a parcel, in one list
 * or another. */

#ifndef CMD_CARGO_H
#define CMD_CARGO_H

#include "cmd/lane.h"

struct cargo {
	struct parcel parcel;  /* first: a parcel that is handed out is found again by its address */
	struct entry entry;
	struct cargo *next;
	bool was_sent;         /* its text may have gone out: its recipients are U on the disk */
	size_t n_claimed;      /* recipients who were to be tried when it was claimed: others have their result already */
	size_t n_pending;      /* recipients at the end of the last session; before that all who are to be tried */
};

/* Which entries are wanted, and who is told of what is wrong with one. */
struct cargo_claim {
	const struct lane *lane;
	const struct account *account;
	bool ignores_time;     /* though the choice does not */
};

/* The entry of this name, open, locked and lent. NULL: it is not wanted, or not ours (*is_busy: for now), or bad
 * (then that was told). */
struct cargo *cargo_claim(const struct cargo_claim *claim, const char *name, bool *is_busy);

/* The same of an entry that is open and locked, whose contents are taken over. */
struct cargo *cargo_of(struct entry *entry);

/* Tell on stderr and in the log what is wrong with an entry; err is emptied. */
void cargo_complain(const struct cargo_claim *claim, const char *name, struct err *err);

bool cargo_is_pending(const struct cargo *cargo);        /* for anybody */
bool cargo_has_progressed(struct cargo *cargo);          /* has anybody been settled since this was asked last? */
bool cargo_was_told_to_go(const struct cargo *cargo);    /* 421: the answer of a server that goes away, whatever was asked */
bool cargo_is_doubtful(const struct cargo *cargo);       /* the text went out, and no answer came */

/* It was settled: count it. counts NULL: nobody counts. */
void cargo_count(const struct cargo *cargo, struct lane_counts *counts);

/* Lists, oldest first. */
void cargo_append(struct cargo **list, struct cargo *cargo);
struct cargo *cargo_take_first(struct cargo **list);

/* Gives back what was lent, unlocks, frees. */
void cargo_free(struct cargo *cargo);

#endif
