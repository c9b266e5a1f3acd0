/* library_test.c - shared libraries loaded when they are needed, and what is said when they cannot be. */

#include "config.h"

#include "base/library.h"
#include "tap.h"

static const char *const names[] = {"strlen", "memcmp"};

struct table {
	__typeof__(strlen) *length;
	__typeof__(memcmp) *compare;
};

static struct library
c_library(void)
{
	return (struct library){
		.file = "libc.so.6", .user = "the test", .package = "the C library", .symbols = names, .n_symbols = 2};
}

static void
test_load(void)
{
	const struct library library = c_library();
	struct table table = {0};
	struct table again = {0};
	struct err err = {0};

	tap_ok(library_load(&library, &table, &err) && !err_is_set(&err), "a library that is there can be loaded");
	tap_ok(table.length != NULL && table.length("four") == 4, "its functions are in the order of their names");
	tap_ok(table.compare != NULL && table.compare("a", "b", 1) < 0, "all of them");
	tap_ok(library_load(&library, &again, &err) && memcmp(&table, &again, sizeof(table)) == 0,
	       "again gives the same functions");
	err_clear(&err);
}

static void
test_absence(void)
{
	struct library library = c_library();
	struct table table = {0};
	struct err err = {0};

	library.file = "libmailcrane-absent.so.1";
	tap_ok(!library_load(&library, &table, &err), "a library that is not there cannot");
	tap_is_number(err.exit_code, EX_UNAVAILABLE, "that is a service that is not available");
	tap_ok(strstr(buf_text(&err.text),
	              "the test needs the C library, which cannot be loaded: libmailcrane-absent.so.1:") ==
	               buf_text(&err.text),
	       "the error says who needs what, and which file");
	tap_is(buf_text(&err.hint), "install the C library, or repair its installation",
	       "the hint says what to install");
	tap_ok(table.length == NULL, "nothing is in the table");
	err_clear(&err);
}

static void
test_lack(void)
{
	static const char *const others[] = {"strlen", "mailcrane_absent"};
	struct library library = c_library();
	struct table table = {0};
	struct err err = {0};

	library.symbols = others;
	tap_ok(!library_load(&library, &table, &err), "a library that lacks a function is refused");
	tap_is_number(err.exit_code, EX_UNAVAILABLE, "that is a service that is not available, too");
	tap_is(buf_text(&err.text), "the test needs the C library, and libc.so.6 has no mailcrane_absent",
	       "the error names the function");
	tap_ok(table.length == NULL, "nothing is in the table, not even what was found");
	err_clear(&err);
}

int
main(void)
{
	test_load();
	test_absence();
	test_lack();
	return tap_end();
}
