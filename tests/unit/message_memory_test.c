/* message_memory_test.c - memory does not grow with the message: 100 MiB of several kinds of lines. */

#include "config.h"

#include <fcntl.h>
#include <malloc.h>
#include <time.h>

#include "message_kit.h"

#ifndef __has_feature
#define __has_feature(name) 0
#endif

enum { MIB = 1024 * 1024 };

/* KiB that may be needed; the address sanitizer keeps what was freed for a while. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { MEMORY_MOST = 4 * 2048 };
#else
enum { MEMORY_MOST = 2048 };
#endif

static const struct {
	const char *line;
	const char *name;
	bool ends_at_lone_dot;
} rows[] = {
	{"a line such as it is sent every day, of seventy or eighty characters\n", "LF lines", false},
	{"a line such as it is sent every day, of seventy or eighty characters\n", "LF lines, looking for a dot", true},
	{"a line such as it is sent every day, of seventy or eighty characters\r\n", "CRLF lines", false},
	{"one line without an end ", "a single line", false},
	{"10%\r", "CR lines", true},
	{"\n.x", "lines with a dot, looking for one", true},
};

/* In place of KiB. */
enum { NOT_READ = -1, CANNOT_TELL = -2 };

/* A value in KiB of /proc/self/status. */
static long
status_value(const char *name)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	long value = -1;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtol(line + strlen(name), NULL, 10);
	}
	if (file != NULL)
		fclose(file);
	return value;
}

/* Read a message of at least `least` bytes; the growth of the process meanwhile in KiB, or one of the above. */
static long
growth_while_reading(int fd, bool ends_at_lone_dot, int64_t least)
{
	struct message_rules rules = kit_rules();
	struct message_source source = {.fd = fd};
	struct message message = {0};
	struct message_found found = {0};
	struct err err = {0};
	int clear_refs = open("/proc/self/clear_refs", O_WRONLY);
	long before;

	/* The highest mark starts again from what is in use, and what is free is not taken into use unseen. */
	malloc_trim(0);
	if (clear_refs < 0 || write(clear_refs, "5", 1) != 1)
		return CANNOT_TELL;
	close(clear_refs);
	before = status_value("VmRSS:");
	rules.ends_at_lone_dot = ends_at_lone_dot;
	if (!message_read(&message, &source, &rules, &found, &err) || message.size < least)
		return NOT_READ;
	return status_value("VmHWM:") - before;
}

/* KiB of memory that a process of its own needs to read 100 MiB of this line, or one of the above. */
static long
memory_for(const char *line, bool ends_at_lone_dot, double *seconds)
{
	long *growth = mmap(NULL, sizeof(*growth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec begin = {0};
	struct timespec end = {0};
	struct buf block = {0};
	FILE *file = tmpfile();
	pid_t reader;
	long kib;

	if (growth == MAP_FAILED || file == NULL)
		abort();
	while (block.size < MIB)
		buf_add_text(&block, line);
	fputs("S: s\n\n", file);
	for (int i = 0; i < 100; i++)
		fwrite(block.data, 1, block.size, file);
	fflush(file);
	rewind(file);
	buf_free(&block);
	*growth = NOT_READ;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	if ((reader = fork()) < 0)
		abort();
	if (reader == 0) {
		*growth = growth_while_reading(fileno(file), ends_at_lone_dot, 50 * MIB);
		_exit(0);
	}
	waitpid(reader, NULL, 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	*seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
	fclose(file);
	kib = *growth;
	munmap(growth, sizeof(*growth));
	return kib;
}

static void
test_memory(void)
{
	double seconds = 0;
	long kib;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kib = memory_for(rows[i].line, rows[i].ends_at_lone_dot, &seconds);
		tap_note("100 MiB of %s: %ld KiB, %.3f s", rows[i].name, kib, seconds);
		if (kib == CANNOT_TELL)
			tap_ok(true, "100 MiB of %s # SKIP memory cannot be measured here", rows[i].name);
		else
			tap_ok(kib >= 0 && kib < MEMORY_MOST, "100 MiB of %s need less than 2 MiB of memory", rows[i].name);
	}
}

int
main(void)
{
	test_memory();
	return tap_end();
}
