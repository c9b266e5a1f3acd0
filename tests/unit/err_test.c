/* err_test.c - behaviour of base/err.c. */

#include "config.h"

#include <errno.h>

#include "base/err.h"
#include "tap.h"

static void
test_filling(void)
{
	struct err err = {0};

	tap_ok(!err_is_set(&err), "a zeroed error is no error");
	tap_ok(!err_set(&err, EX_CONFIG, "line %d", 3), "setting an error returns false");
	err_set(&err, EX_IOERR, "a later fault");
	tap_is(buf_text(&err.text), "line 3", "the first cause stays");
	tap_is_number(err.exit_code, EX_CONFIG, "the exit code of the first cause stays");
	err_prefix(&err, "%s", "rcfile");
	err_prefix(&err, "account work");
	tap_is(buf_text(&err.text), "account work: rcfile: line 3", "contexts stand outermost first");
	err_hint(&err, "first");
	err_hint(&err, "second");
	tap_is(buf_text(&err.hint), "first", "the first hint stays");
	tap_ok(!err_is_temporary(&err), "a fault of the configuration is not temporary");
	err_clear(&err);
	err_clear(&err);
	tap_ok(!err_is_set(&err) && err.text.data == NULL && err.hint.data == NULL, "clearing twice is harmless");
}

static void
test_errno(void)
{
	struct err err = {0};

	errno = ENOENT;
	err_set_errno(&err, EX_TEMPFAIL, "cannot open %s", "x");
	tap_is(buf_text(&err.text), "cannot open x: No such file or directory", "the text of errno stands behind");
	tap_ok(err_is_temporary(&err), "EX_TEMPFAIL is temporary");
	errno = EACCES;
	err_set_errno(&err, EX_IOERR, "again");
	tap_is(buf_text(&err.text), "cannot open x: No such file or directory",
	       "a second errno does not change the text");
	err_clear(&err);
}

static void
test_moving(void)
{
	struct err outer = {0}, inner = {0};

	err_set(&inner, EX_IOERR, "inner");
	err_hint(&inner, "mend it");
	tap_ok(!err_move(&outer, &inner) && !err_is_set(&inner) && inner.text.size == 0,
	       "a moved error is empty afterwards");
	tap_ok(outer.exit_code == EX_IOERR && strcmp(buf_text(&outer.text), "inner") == 0 &&
	               strcmp(buf_text(&outer.hint), "mend it") == 0,
	       "code, text and hint move together");
	err_set(&inner, EX_CONFIG, "later");
	err_move(&outer, &inner);
	tap_is(buf_text(&outer.text), "inner", "an error that is filled keeps its first cause");
	tap_ok(!err_is_set(&inner), "... and the other is emptied");
	err_clear(&outer);
	err_clear(&inner);
}

static void
test_names(void)
{
	tap_is(err_exit_name(0), "EX_OK", "0 is EX_OK");
	tap_is(err_exit_name(75), "EX_TEMPFAIL", "75 is EX_TEMPFAIL");
	tap_is(err_exit_name(1), "EX_???", "a code that sysexits.h does not know has no name");
}

static void
is_clean(struct str text, const char *expected, const char *name)
{
	struct buf b = {0};

	err_add_clean(&b, text);
	tap_is(buf_text(&b), expected, name);
	buf_free(&b);
}

static void
test_cleaning(void)
{
	is_clean(STR("550 no \"such\" user"), "550 no \"such\" user", "printable ASCII stays");
	is_clean(STR("gr\xc3\xbc\xc3\x9f \xe2\x82\xac"), "gr\xc3\xbc\xc3\x9f \xe2\x82\xac", "well-formed UTF-8 stays");
	is_clean(STR("a\r\nb\tc\x1b[2J\x7f"), "a\\x0d\\nb\\x09c\\x1b[2J\\x7f",
	         "control characters are shown as numbers");
	is_clean(str_make("a\0b", 3), "a\\x00b", "a NUL does not end the text");
	is_clean(STR("x\xc2\x9b"), "x\\xc2\\x9b", "C1 control characters are shown as numbers, also as UTF-8");
	is_clean(STR("x\x9b\xff"), "x\\x9b\\xff", "octets that are not UTF-8 are shown as numbers");
	is_clean(STR("a\xe2\x80\xae"
	             "b\xe2\x80\x8b"),
	         "a\\xe2\\x80\\xaeb\\xe2\\x80\\x8b", "marks that hide or reorder text are shown as numbers");
	is_clean(STR("a\xe2\x82"), "a\\xe2\\x82", "a sequence that is cut short is shown as numbers");
}

int
main(void)
{
	test_filling();
	test_errno();
	test_moving();
	test_names();
	test_cleaning();
	return tap_end();
}
