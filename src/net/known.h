/* known.h - keys of servers that were met before (trust on first use), in a file of the user's.
 *
 * A line for each: "HOST:PORT sha256/BASE64 TIME", the SPKI digest (RFC 7469 2.4) and when it was first seen. What is no such
 * line is kept and passed over. The file must be a regular one, belong to the user, and be closed to all others; links are
 * not followed. It is replaced as a whole, durably, while FILE.lock is locked; readers need no lock. */

#ifndef NET_KNOWN_H
#define NET_KNOWN_H

#include "base/err.h"
#include "net/digest.h"

enum known_result {
	KNOWN_ERROR,   /* err: EX_CONFIG (not ours, open to others, a link, damaged), EX_IOERR */
	KNOWN_NOT,     /* nothing is known of the server */
	KNOWN_SAME,
	KNOWN_CHANGED  /* it had another key */
};

/* Look the server up. *before, when KNOWN_CHANGED, gets the key it had, as a pin, and since when. No file: KNOWN_NOT. */
enum known_result known_find(const char *path, const char *server, const unsigned char key[DIGEST_SHA256_SIZE],
                             struct buf *before, struct err *err);

/* Remember the key of a server that was not known; the folder must be there. When another process was faster: true if it
 * has seen the same key. False: EX_UNAVAILABLE (it has seen another one), EX_TEMPFAIL (the lock is held for 10 seconds),
 * EX_CANTCREAT, or as KNOWN_ERROR. */
bool known_add(const char *path, const char *server, const unsigned char key[DIGEST_SHA256_SIZE], struct err *err);

/* Forget the server. *is_found: it was known. False: as known_add. */
bool known_forget(const char *path, const char *server, bool *is_found, struct err *err);

#endif
