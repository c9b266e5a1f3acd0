/* place.h - the spool of this call: which folder the settings, the environment and the user's home make it. */

#ifndef CMD_PLACE_H
#define CMD_PLACE_H

#include "cmd/choose.h"
#include "queue/spool.h"

/* Open the spool: of `queue_dir` of the account that is chosen, or would be without a sender (then it is chosen, and
 * call->has_account set); where there is no account at all, or none that could be used, by the built-in rules
 * (spool_open). Reads the configuration files unless that was done. makes_it: make it where it is not there; else
 * spool->is_open tells whether there is one. False: as choose_read_files (a file with a mistake, for then nobody knows where
 * the queue is), EX_CONFIG (-a names no account), or as spool_open. The caller frees spool either way. */
bool place_open(struct call *call, struct spool *spool, bool makes_it, struct err *err);

/* Where mail of this user may lie besides: the folder for users without a home, which was used when the home could not be. Not
 * made; spool->is_open tells whether it is there. */
bool place_open_other(const struct spool *first, struct spool *spool, struct err *err);

#endif
