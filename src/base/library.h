/* library.h - shared libraries that few calls need, loaded by the first call that does. */

#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include "base/err.h"

struct library {
	const char *file;    /* its soname */
	const char *user;    /* what needs it, the subject of a sentence: "TLS" */
	const char *package; /* what to install, for the hint */
	const char *const *symbols;
	size_t n_symbols;
};

/* Load it, for the rest of the process, and put the addresses of its symbols into table, which has room for one pointer
 * each, in their order. Again is harmless and cheap. False: EX_UNAVAILABLE with a hint what to install; table is then as
 * it was. */
bool library_load(const struct library *library, void *table, struct err *err);

#endif
