/* str_test.c - behaviour of base/str.c. */

#include "config.h"

#include "base/str.h"
#include "tap.h"

static void
test_comparing(void)
{
	tap_ok(str_equals(str_of(NULL), str_of("")), "NULL is the empty text");
	tap_ok(str_equals(STR("ab"), str_of("ab")) && !str_equals(STR("ab"), STR("aB")), "equality minds the case");
	tap_ok(str_equals_nocase(STR("StartTLS"), STR("STARTTLS")), "letters of either case are equal without case");
	tap_ok(!str_equals_nocase(STR("a"), STR("ab")), "texts of different length are never equal");
	tap_ok(!str_equals_nocase(STR("\xc3\x84"), STR("\xc3\xa4")), "bytes above 0x7f are equal only to themselves");
	tap_ok(!str_equals_nocase(STR("@["), STR("`{")), "characters beside the letters have no case");
	tap_ok(str_starts_with(STR("abc"), STR("ab")) && !str_starts_with(STR("a"), STR("ab")),
	       "a prefix must fit into the text");
	tap_ok(str_starts_with_nocase(STR("ABc"), STR("ab")),
	       "a prefix is found without case");
	tap_ok(str_starts_with((struct str){0}, (struct str){0}), "the empty text begins with the empty text");
}

static void
test_cutting(void)
{
	struct str s = STR("abc");

	tap_is_number((long long)str_find(s, 'c'), 2, "a character is found at its position");
	tap_is_number((long long)str_find(s, 'x'), 3, "a character that is not there is found at the end");
	tap_is_number((long long)str_search_nocase(STR("abABc"), STR("aBC")), 2, "a text is found at its first position, whatever the case");
	tap_is_number((long long)str_search_nocase(s, STR("abcd")), 3, "a text that is not there is found at the end");
	tap_ok(str_contains_nocase(s, STR("C")) && !str_contains_nocase((struct str){0}, STR("a")) && str_contains_nocase((struct str){0}, (struct str){0}),
	       "a text contains what stands in it, and the empty text");
	tap_is_number((long long)str_from(s, 9).size, 0, "cutting beyond the end gives nothing");
	tap_is_number((long long)str_first(s, 9).size, 3, "the first 9 of 3 bytes are 3");
	tap_ok(str_equals(str_trim(STR(" \t a b\r\n ")), STR("a b")), "blanks and line ends at both ends are trimmed");
	tap_is_number((long long)str_trim(STR(" \r\n")).size, 0, "a text of blanks is trimmed to nothing");
}

static void
test_splitting(void)
{
	struct str rest = STR("a,,b");
	struct str part = {0};

	tap_ok(str_next_token(&rest, ',', &part) && str_equals(part, STR("a")),
	       "the first token ends at the separator");
	tap_ok(str_next_token(&rest, ',', &part) && part.size == 0, "two separators have an empty token between them");
	tap_ok(str_next_token(&rest, ',', &part) && str_equals(part, STR("b")), "the last token ends with the text");
	tap_ok(!str_next_token(&rest, ',', &part), "there is no token after the end");
	rest = STR("  PLAIN\t LOGIN ");
	tap_ok(str_next_word(&rest, &part) && str_equals(part, STR("PLAIN")), "blanks before a word are skipped");
	tap_ok(str_next_word(&rest, &part) && str_equals(part, STR("LOGIN")), "words are separated by runs of blanks");
	tap_ok(!str_next_word(&rest, &part), "blanks at the end are not a word");
}

static bool
is_number(const char *text, uint64_t most, uint64_t expected)
{
	uint64_t number = 77;

	return str_to_number(str_of(text), most, &number) && number == expected;
}

static void
test_numbers(void)
{
	uint64_t number = 77;

	tap_ok(is_number("0", 10, 0) && is_number("10", 10, 10) && is_number("007", 10, 7), "digits are a number");
	tap_ok(is_number("18446744073709551615", UINT64_MAX, UINT64_MAX), "the largest number is read");
	tap_ok(!str_to_number(STR("18446744073709551616"), UINT64_MAX, &number), "a number past 64 bits is refused");
	tap_ok(!str_to_number(STR("11"), 10, &number) && !str_to_number(STR("9"), 8, &number),
	       "a number above the limit is refused");
	tap_ok(!str_to_number(STR(""), 10, &number) && !str_to_number(STR("-1"), 10, &number) &&
	               !str_to_number(STR("1 "), 10, &number) && !str_to_number(STR("0x1"), 10, &number),
	       "nothing, a sign, a blank and a letter are not numbers");
	tap_is_number((long long)number, 77, "a refused number leaves the variable alone");
}

static void
test_octets(void)
{
	tap_ok(str_is_utf8(STR("gr\xc3\xbc\xc3\x9f")) && str_is_utf8(STR("\xf0\x9f\x93\xae")), "UTF-8 is well-formed");
	tap_ok(!str_is_utf8(STR("\xc0\xaf")) && !str_is_utf8(STR("\xe0\x80\xaf")), "overlong forms are refused");
	tap_ok(!str_is_utf8(STR("\xed\xa0\x80")) && !str_is_utf8(STR("\xf4\x90\x80\x80")),
	       "surrogates and points above U+10FFFF are refused");
	tap_ok(!str_is_utf8(STR("\xc3")) && !str_is_utf8(STR("\xbf")) && !str_is_utf8(STR("\xe2\x82")),
	       "a sequence that is cut short or begins in the middle is refused");
	tap_ok(str_has_8bit(STR("a\x80")) && !str_has_8bit(STR("a\x7f")), "8-bit begins at 0x80");
	tap_ok(str_has_control(STR("a\r")) && str_has_control(STR("\x7f")) && !str_has_control(STR(" \x80")),
	       "control characters are those below 0x20 and 0x7f");
}

static void
test_distance(void)
{
	char longer[65] = {0};

	memset(longer, 'x', 64);
	tap_is_number((long long)str_distance(STR("host"), STR("host")), 0, "equal words have no distance");
	tap_is_number((long long)str_distance(STR("hsot"), STR("host")), 1, "swapped neighbours are one edit");
	tap_is_number((long long)str_distance(STR("kitten"), STR("sitting")), 3, "kitten is three edits from sitting");
	tap_is_number((long long)str_distance(STR(""), STR("abc")), 3, "from nothing to a word is its length");
	tap_ok(str_distance(str_of(longer), STR("x")) == SIZE_MAX, "a word of 64 bytes is far from everything");
}

static void
test_hash(void)
{
	tap_ok(str_hash(STR_HASH_START, STR("")) == UINT64_C(0xcbf29ce484222325), "FNV-1a of nothing");
	tap_ok(str_hash(STR_HASH_START, STR("foobar")) == UINT64_C(0x85944171f73967e8), "FNV-1a of foobar");
	tap_ok(str_hash(str_hash(STR_HASH_START, STR("foo")), STR("bar")) == UINT64_C(0x85944171f73967e8), "and in two parts");
}

int
main(void)
{
	test_comparing();
	test_cutting();
	test_splitting();
	test_numbers();
	test_octets();
	test_distance();
	test_hash();
	return tap_end();
}
