/* mem.c - memory that never fails to the caller. No I/O but the last words of a dying process. */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"

_Noreturn static void
die_without_memory(void)
{
	static const char last_words[] = PACKAGE_NAME ": out of memory\n";

	if (write(STDERR_FILENO, last_words, sizeof(last_words) - 1) < 0)
		_exit(EX_OSERR);
	_exit(EX_OSERR);
}

void *
mem_alloc(size_t n, size_t size)
{
	void *data = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

	if (data == NULL)
		die_without_memory();
	return data;
}

void *
mem_resize(void *old, size_t n, size_t size)
{
	void *data;

	if (n == 0 || size == 0)
		n = size = 1;
	data = reallocarray(old, n, size);
	if (data == NULL)
		die_without_memory();
	return data;
}

char *
mem_copy(const void *data, size_t size)
{
	char *copy;

	if (size == SIZE_MAX)
		die_without_memory();
	copy = mem_alloc(size + 1, 1);
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

char *
mem_copy_string(const char *text)
{
	return text == NULL ? NULL : mem_copy(text, strlen(text));
}

void
mem_wipe(void *data, size_t size)
{
	if (size > 0)
		explicit_bzero(data, size);
}

/* An allocator hands out first what it got back last, so that taking a few blocks of each size finds the freed ones. */
void
mem_sweep(void)
{
	enum { DEPTH = 8, STEP = 16, LARGEST = 1024 };
	void *blocks[DEPTH];

	for (size_t size = STEP; size <= LARGEST; size += STEP) {
		for (size_t i = 0; i < DEPTH; i++) {
			blocks[i] = malloc(size);
			if (blocks[i] != NULL)
				mem_wipe(blocks[i], size);
		}
		for (size_t i = 0; i < DEPTH; i++)
			free(blocks[i]);
	}
}
