/* id_test - names of queue entries. */

#include "config.h"

#include <stdlib.h>
#include <time.h>

#include "queue/id.h"
#include "tap.h"

enum { N_MADE = 20000 };

struct made {
	char text[ID_LENGTH + 1];
};

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct made *)a)->text, ((const struct made *)b)->text);
}

static void
test_format(void)
{
	char a[ID_LENGTH + 1] = "";
	char b[ID_LENGTH + 1] = "";
	bool is_sorted = true;
	bool is_read = true;

	id_format(a, 0, 0);
	tap_is(a, "0000000000000000000", "an id of zeros is 19 of them");
	id_format(a, ((int64_t)1 << 55) - 1, ~(uint64_t)0);
	tap_is(a, "VVVVVVVVVVVVVVVVVVV", "55 and 40 bits fill it");
	id_format(a, 31, 32);
	tap_is(a, "0000000000V00000010", "time first, random bits behind it");
	id_format(a, -5, 7);
	tap_is_number(id_time(str_of(a)), 0, "a clock before 1970 counts as 1970");
	/* Steps of every size: the order of the texts must be that of the times, for any random bits. */
	for (int64_t step = 1; step < (int64_t)1 << 50; step *= 3) {
		id_format(a, 1795302972000000, ~(uint64_t)0);
		id_format(b, 1795302972000000 + step, 0);
		is_sorted = is_sorted && strcmp(a, b) < 0;
		is_read = is_read && id_time(str_of(b)) == 1795302972000000 + step;
	}
	tap_ok(is_sorted, "ids sort by the time they were made");
	tap_ok(is_read, "the time can be read from the id, to the microsecond");
}

static void
test_make(void)
{
	struct made *made = calloc(N_MADE, sizeof(*made));
	bool is_valid = true;
	bool is_unique = true;
	bool is_now = true;
	bool is_random = false;
	int64_t before = (int64_t)time(NULL);
	int64_t after;

	for (size_t i = 0; made != NULL && i < N_MADE; i++)
		id_make(made[i].text);
	after = (int64_t)time(NULL) + 1;
	for (size_t i = 0; made != NULL && i < N_MADE; i++) {
		int64_t seconds = id_time(str_of(made[i].text)) / 1000000;

		is_valid = is_valid && id_is_valid(str_of(made[i].text));
		is_now = is_now && seconds >= before && seconds <= after;
		is_random = is_random || strcmp(made[i].text + 11, made[0].text + 11) != 0;
	}
	if (made != NULL)
		qsort(made, N_MADE, sizeof(*made), compare);
	for (size_t i = 1; made != NULL && i < N_MADE; i++)
		is_unique = is_unique && strcmp(made[i - 1].text, made[i].text) != 0;
	tap_ok(made != NULL && is_valid, "what is made is valid");
	tap_ok(is_now, "and of this time");
	tap_ok(is_random, "its end is not always the same");
	tap_ok(is_unique, "20000 ids made one after the other differ");
	free(made);
}

static const struct {
	const char *name;
	struct str text;
	bool is_valid;
} texts[] = {
	{"an id of digits and capitals is valid", STR("0123456789ABCDEFGHV"), true},
	{"a W is in no id", STR("0123456789ABCDEFGHW"), false},
	{"a small letter is in no id", STR("0123456789aBCDEFGHV"), false},
	{"a colon, behind the digits, is in no id", STR("0123456789:BCDEFGHV"), false},
	{"an at sign, before the letters, is in no id", STR("0123456789@BCDEFGHV"), false},
	{"a slash, before the digits, is in no id", STR("/123456789ABCDEFGHV"), false},
	{"18 characters are no id", STR("0123456789ABCDEFGH"), false},
	{"20 characters are no id", STR("0123456789ABCDEFGHVV"), false},
	{"a NUL is in no id", STR("0123456789\0BCDEFGHV"), false},
	{"the empty text is no id", STR(""), false},
};

static void
test_names(void)
{
	struct str id = {0};
	struct str tag = {0};

	tap_is_number(id_time(STR("0123456789W00000000")), -1, "what is no id has no time");
	tap_ok(id_split(STR("0123456789ABCDEFGHV.TAG01234"), &id, &tag), "a name is an id, a dot, a tag");
	tap_ok(str_equals(id, STR("0123456789ABCDEFGHV")), "its id");
	tap_ok(str_equals(tag, STR("TAG01234")), "its tag");
	tap_ok(!id_split(STR("0123456789ABCDEFGHV"), &id, &tag), "an id alone is no name");
	tap_ok(!id_split(STR("0123456789ABCDEFGHV.TAG0123"), &id, &tag), "a tag that is too short makes no name");
	tap_ok(!id_split(STR("0123456789ABCDEFGHV.TAG012345"), &id, &tag), "a tag that is too long makes no name");
	tap_ok(!id_split(STR("0123456789ABCDEFGHV.TAG0123."), &id, &tag), "nor does another dot");
	tap_ok(!id_split(STR("0123456789ABCDEFGHV-TAG01234"), &id, &tag), "nor another separator");
	tap_ok(!id_split(STR("0123456789ABCDEFgHV.TAG01234"), &id, &tag), "nor something that is no id");
	tap_ok(!id_split(STR(""), &id, &tag), "nor nothing");
}

static void
test_tags(void)
{
	char a[TAG_LENGTH + 1] = "";
	char b[TAG_LENGTH + 1] = "";
	struct made *made = calloc(N_MADE, sizeof(*made));
	struct str id;
	struct str tag;
	char name[64] = "";
	char text[32] = "";
	size_t n_equal = 0;

	id_tag(a, STR("work\nsmtp.example.org:465"));
	id_tag(b, STR("work\nsmtp.example.org:465"));
	tap_is(a, b, "the same route has the same tag");
	tap_is(a, "DCVNNHIK", "a tag does not change from release to release");
	snprintf(name, sizeof(name), "0123456789ABCDEFGHV.%s", a);
	tap_ok(id_split(str_of(name), &id, &tag), "a tag can stand in a name");
	id_tag(b, STR("work\nsmtp.example.org:466"));
	tap_ok(strcmp(a, b) != 0, "another route has another tag");
	id_tag(b, (struct str){0});
	tap_is_number((long long)strlen(b), TAG_LENGTH, "a route without words has a tag, too");
	for (size_t i = 0; made != NULL && i < N_MADE; i++) {
		snprintf(text, sizeof(text), "account%zu", i);
		id_tag(made[i].text, str_of(text));
	}
	if (made != NULL)
		qsort(made, N_MADE, sizeof(*made), compare);
	for (size_t i = 1; made != NULL && i < N_MADE; i++)
		n_equal += strcmp(made[i - 1].text, made[i].text) == 0;
	tap_is_number((long long)n_equal, 0, "20000 routes have 20000 tags");
	free(made);
}

int
main(void)
{
	test_format();
	test_make();
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		tap_ok(id_is_valid(texts[i].text) == texts[i].is_valid, "%s", texts[i].name);
	test_names();
	test_tags();
	return tap_end();
}
