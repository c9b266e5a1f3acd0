/* mem.h - memory that never fails to the caller.
 *
 * Out of memory ends the program with a line on stderr and exit status 71 (EX_OSERR): nothing was promised
 * yet, and what was committed to disk stays there. */

#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Zeroed memory for n objects of size bytes each. Never NULL, also for n == 0. The caller frees it. */
void *mem_alloc(size_t n, size_t size);

/* Grow or shrink old (which may be NULL) to n objects of size bytes; bytes beyond the old size are undefined. */
void *mem_resize(void *old, size_t n, size_t size);

/* A NUL-terminated copy of text, the caller's. NULL gives NULL. */
char *mem_copy_string(const char *text);

/* A NUL-terminated copy of size bytes, the caller's. */
char *mem_copy(const void *data, size_t size);

/* Overwrite with zeros in a way that the compiler must not remove. data may be NULL when size is 0. */
void mem_wipe(void *data, size_t size);

/* Overwrite what the allocator keeps of small blocks that a library freed as they were: the last ones of each size
 * up to 1024 octets. It is an effort, not a promise. */
void mem_sweep(void);

#endif
