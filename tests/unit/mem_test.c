/* mem_test.c - behaviour of base/mem.c. */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"
#include "tap.h"

/* The address sanitizer ends a program that asks for too much, unless it is told to return NULL. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void
test_allocation(void)
{
	char *data = mem_alloc(0, 0);
	char *copy;

	tap_ok(data != NULL, "memory for nothing is not NULL");
	data = mem_resize(data, 3, 2);
	memcpy(data, "abcde", 6);
	data = mem_resize(data, 100, 100);
	tap_is(data, "abcde", "what was there survives growing");
	free(data);
	data = mem_alloc(16, 1);
	tap_ok(data[0] == 0 && data[15] == 0, "new memory is zeroed");
	mem_wipe(data, 0);
	memcpy(data, "secret", 7);
	mem_wipe(data, 7);
	tap_ok(memcmp(data, "\0\0\0\0\0\0", 7) == 0, "wiped memory holds zeros");
	mem_wipe(NULL, 0);
	free(data);
	tap_ok(mem_copy_string(NULL) == NULL, "the copy of NULL is NULL");
	copy = mem_copy_string("text");
	tap_is(copy, "text", "a copied text is the same");
	free(copy);
	copy = mem_copy("abc", 2);
	tap_is(copy, "ab", "a copy of bytes is terminated");
	free(copy);
	copy = mem_copy(NULL, 0);
	tap_is(copy, "", "a copy of no bytes is the empty text");
	free(copy);
}

/* How a child ends that asks for more memory than there is; what it says is in text. */
static int
exit_status_without_memory(char *text, size_t size)
{
	int status = 0, fds[2];
	ssize_t n;
	pid_t pid;

	if (pipe(fds) != 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		/* A product that does not fit size_t fails under every allocator. */
		mem_resize(NULL, SIZE_MAX / 2, 4);
		_exit(0);
	}
	close(fds[1]);
	n = read(fds[0], text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
main(void)
{
	char text[200] = {0};

	test_allocation();
	tap_is_number(exit_status_without_memory(text, sizeof(text)), EX_OSERR,
	              "out of memory ends the program with 71");
	tap_ok(strstr(text, ": out of memory\n") != NULL, "out of memory is said on stderr");
	return tap_end();
}
