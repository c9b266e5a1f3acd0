/* header_test.c - fields of a header section. */

#include "config.h"

#include "mail/header.h"
#include "tap.h"

static void
is_unfolded(const char *body, const char *expected, const char *name)
{
	struct buf b = {0};

	header_add_unfolded(&b, str_of(body));
	tap_is(buf_text(&b), expected, name);
	buf_free(&b);
}

/* The section as "NAME=BODY;" for each field, and what follows behind '|'. */
static void
has_fields(const char *text, const char *expected, const char *name)
{
	struct str rest = str_of(text);
	struct header_field field = {0};
	struct buf b = {0};
	size_t n_whole = 0;

	while (header_next(&rest, &field)) {
		buf_printf(&b, "%.*s=%.*s;", STR_ARG(field.name), STR_ARG(field.body));
		n_whole += field.whole.size;
	}
	buf_printf(&b, "|%.*s", STR_ARG(rest));
	tap_is(buf_text(&b), expected, name);
	tap_ok(n_whole + rest.size == strlen(text) && header_section_size(str_of(text)) == n_whole,
	       "%s: the fields and the rest are all of the text", name);
	buf_free(&b);
}

static void
test_fields(void)
{
	has_fields("A: 1\nB: 2\n\nx\n", "A= 1;B= 2;|\nx\n", "fields end at the empty line");
	has_fields("A: 1\n b\n\tc\nB:\n\n", "A= 1\n b\n\tc;B=;|\n", "folded lines belong to the field, a body may be empty");
	has_fields("A : 1\nB\t :2\n", "A= 1;B=2;|", "blanks before the colon are no part of the name");
	has_fields("A: 1", "A= 1;|", "the last line end may be missing");
	has_fields("A: 1\n \t\n b\n", "A= 1;| \t\n b\n", "a line of blanks ends the section");
	has_fields("A: 1\nno field\nB: 2\n", "A= 1;|no field\nB: 2\n", "a line that is no field ends the section");
	has_fields("A: 1\n: 2\n", "A= 1;|: 2\n", "a field has a name");
	has_fields(" a\nB: 2\n", "| a\nB: 2\n", "a folded line without a field begins no section");
	has_fields("A\xc3\xa9: 2\n", "|A\xc3\xa9: 2\n", "a name is ASCII");
	has_fields("A: x:y\n", "A= x:y;|", "the first colon counts");
	has_fields("", "|", "an empty text has no field");
}

static void
test_names(void)
{
	struct str rest = STR("bCC : x\n");
	struct header_field field = {0};

	tap_ok(header_next(&rest, &field) && header_is(&field, "Bcc") && !header_is(&field, "Bc") &&
	       !header_is(&field, "Bcc "), "names are the same in upper and lower case");
}

static void
test_unfolding(void)
{
	is_unfolded(" a\n b", "a b", "a fold is taken out and its blank stays");
	is_unfolded(" a\r\n\tb \r\n  c\n", "a\tb   c", "a fold with CR LF as well");
	is_unfolded("  ", "", "nothing but blanks is empty");
	is_unfolded("\n a", "a", "a body may begin with a fold");
	is_unfolded(" a\nb", "a\nb", "a line end without a blank behind is no fold");
	is_unfolded("abc", "abc", "text without a fold stays");
}

int
main(void)
{
	test_fields();
	test_names();
	test_unfolding();
	return tap_end();
}
