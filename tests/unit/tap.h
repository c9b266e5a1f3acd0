/* tap.h - what a unit test needs: cases with sentences as names, TAP on stdout. Each test file is one program. */

#ifndef TESTS_UNIT_TAP_H
#define TESTS_UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_n_cases;
static int tap_n_failed;

/* One case. `name` is a sentence about behaviour. Returns holds. */
static inline bool __attribute__((format(printf, 2, 3)))
tap_ok(bool holds, const char *name, ...)
{
	va_list arguments;

	tap_n_cases++;
	if (!holds)
		tap_n_failed++;
	printf("%s %d - ", holds ? "ok" : "not ok", tap_n_cases);
	va_start(arguments, name);
	vprintf(name, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
	return holds;
}

static inline void __attribute__((format(printf, 1, 2)))
tap_note(const char *format, ...)
{
	va_list arguments;

	printf("# ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}

/* The two texts are the same; shows both when not. NULL equals only NULL. */
static inline bool
tap_is(const char *got, const char *expected, const char *name)
{
	bool holds = got == NULL || expected == NULL ? got == expected : strcmp(got, expected) == 0;

	tap_ok(holds, "%s", name);
	if (!holds) {
		tap_note("     got: %s", got == NULL ? "(null)" : got);
		tap_note("expected: %s", expected == NULL ? "(null)" : expected);
	}
	return holds;
}

static inline bool
tap_is_number(long long got, long long expected, const char *name)
{
	bool holds = got == expected;

	tap_ok(holds, "%s", name);
	if (!holds)
		tap_note("got %lld, expected %lld", got, expected);
	return holds;
}

/* Prints the plan; the exit status of the program. */
static inline int
tap_end(void)
{
	printf("1..%d\n", tap_n_cases);
	return tap_n_failed > 0;
}

#endif
