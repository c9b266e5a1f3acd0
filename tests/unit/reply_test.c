/* reply_test.c - replies read from a buffer, in any pieces. */

#include "config.h"

#include "smtp/line.h"
#include "smtp/reply.h"
#include "tap.h"

struct good_case {
	const char *name;
	const char *bytes;
	int code;
	unsigned short enhanced[3];
	const char *text;
};

static const struct good_case good_cases[] = {
	{"one line", "250 ok\r\n", 250, {0, 0, 0}, "ok"},
	{"protocol 3: a code without text", "220\r\n", 220, {0, 0, 0}, ""},
	{"a code with a blank and nothing", "220 \r\n", 220, {0, 0, 0}, ""},
	{"several lines are joined", "250-a\r\n250-b\r\n250 c\r\n", 250, {0, 0, 0}, "a\nb\nc"},
	{"protocol 16: LF ends a line", "250-a\n250 b\n", 250, {0, 0, 0}, "a\nb"},
	{"an enhanced code is taken off each line", "550-5.1.1 a\r\n550 5.1.1 b\r\n", 550, {5, 1, 1}, "a\nb"},
	{"protocol 17: an enhanced code of another class stays text", "550 2.0.0 lie\r\n", 550, {0, 0, 0}, "2.0.0 lie"},
	{"protocol 17: an enhanced code alone", "250 2.1.0\r\n", 250, {2, 1, 0}, ""},
	{"an enhanced code with four digits is text", "250 2.1000.0 x\r\n", 250, {0, 0, 0}, "2.1000.0 x"},
	{"an enhanced code with two numbers is text", "250 2.1 x\r\n", 250, {0, 0, 0}, "2.1 x"},
	{"354 has no enhanced code", "354 3.0.0 go\r\n", 354, {0, 0, 0}, "3.0.0 go"},
	{"a CR inside a line is part of it", "250 a\rb\r\n", 250, {0, 0, 0}, "a\rb"},
};

static const struct {
	const char *name;
	const char *bytes;
	size_t size;
} bad_cases[] = {
	{"two digits", "25 ok\r\n", 7},
	{"four digits", "2500 ok\r\n", 9},
	{"no blank", "250ok\r\n", 7},
	{"an empty line", "\r\n", 2},
	{"a newline alone", "\n", 1},
	{"first digit 1", "150 x\r\n", 7},
	{"first digit 6", "650 x\r\n", 7},
	{"letters", "abc x\r\n", 7},
	{"a NUL", "250 a\0b\r\n", 9},
	{"a NUL for the blank", "250\0\r\n", 6},
	{"a code that changes", "250-a\r\n550 b\r\n", 14},
	{"a second line without code", "250-a\r\nb\r\n", 10},
};

static void
test_good(const struct good_case *c, size_t piece)
{
	struct reply reply = {0};
	struct buf in = {0};
	const char *why = NULL;
	enum reply_status status = REPLY_INCOMPLETE;
	size_t size = strlen(c->bytes);

	for (size_t at = 0; at < size && status == REPLY_INCOMPLETE; at += piece) {
		buf_add(&in, c->bytes + at, at + piece < size ? piece : size - at);
		status = reply_read(&reply, &in, &why);
	}
	tap_ok(status == REPLY_COMPLETE && reply.code == c->code && memcmp(reply.enhanced, c->enhanced, sizeof(c->enhanced)) == 0 &&
	           strcmp(buf_text(&reply.text), c->text) == 0 && in.size == 0,
	       "%s (pieces of %zu)", c->name, piece);
	reply_free(&reply);
	buf_free(&in);
}

static void
test_bad(size_t i)
{
	struct reply reply = {0};
	struct buf in = {0};
	const char *why = NULL;

	buf_add(&in, bad_cases[i].bytes, bad_cases[i].size);
	tap_ok(reply_read(&reply, &in, &why) == REPLY_MALFORMED && why != NULL, "protocol 11, 13, 14: %s is malformed",
	       bad_cases[i].name);
	reply_free(&reply);
	buf_free(&in);
}

/* n lines of `size` octets each (with CRLF), the last one ends the reply. */
static enum reply_status
read_lines(size_t n, size_t size, struct reply *reply)
{
	struct buf in = {0};
	const char *why = NULL;
	enum reply_status status;

	for (size_t i = 0; i < n; i++) {
		buf_add_text(&in, i + 1 < n ? "250-" : "250 ");
		for (size_t k = 6; k < size; k++)
			buf_add_char(&in, 'a');
		buf_add_text(&in, "\r\n");
	}
	status = reply_read(reply, &in, &why);
	buf_free(&in);
	return status;
}

/* How much is kept of a 334 with so many octets of text. */
static long long
challenge_kept(size_t size)
{
	struct reply reply = {0};
	struct buf in = {0};
	const char *why = NULL;
	long long kept = -1;

	buf_add_text(&in, "334 ");
	for (size_t i = 0; i < size; i++)
		buf_add_char(&in, 'Q');
	buf_add_text(&in, "\r\n");
	if (reply_read(&reply, &in, &why) == REPLY_COMPLETE)
		kept = (long long)reply.text.size;
	reply_free(&reply);
	buf_free(&in);
	return kept;
}

static void
test_bounds(void)
{
	struct reply reply = {0};

	tap_ok(read_lines(REPLY_LINES_MOST, 20, &reply) == REPLY_COMPLETE, "256 lines are accepted");
	reply_free(&reply);
	tap_ok(read_lines(REPLY_LINES_MOST + 1, 20, &reply) == REPLY_MALFORMED, "protocol 8: 257 lines are refused");
	reply_free(&reply);
	tap_ok(read_lines(1, 5000, &reply) == REPLY_COMPLETE, "protocol 9: a line of 5000 octets is accepted");
	tap_is_number((long long)reply.text.size, REPLY_TEXT_MOST, "of a long line the first 4 KiB are kept");
	reply_free(&reply);
	tap_is_number(challenge_kept(12292), 12292, "a challenge is kept whole");
	tap_ok(read_lines(2, 40000, &reply) == REPLY_MALFORMED, "more than 64 KiB in all are refused");
	reply_free(&reply);
}

static void
test_endless_line(void)
{
	struct reply reply = {0};
	struct buf in = {0};
	const char *why = NULL;
	enum reply_status status = REPLY_INCOMPLETE;
	size_t n = 0;

	buf_add_text(&in, "250 ");
	while (status == REPLY_INCOMPLETE && n++ < 1000000) {
		buf_add_char(&in, 'a');
		status = reply_read(&reply, &in, &why);
	}
	tap_ok(status == REPLY_MALFORMED && n <= REPLY_SIZE_MOST, "protocol 10: a line without end is refused at 64 KiB");
	reply_free(&reply);
	buf_free(&in);
}

static void
test_sequence(void)
{
	struct reply reply = {0};
	struct buf in = {0}, shown = {0};
	const char *why = NULL;

	buf_add_text(&in, "250 2.1.0 a\r\n550 b\x1b[0m\r\n22");
	tap_ok(reply_read(&reply, &in, &why) == REPLY_COMPLETE && reply.code == 250, "the first of two replies comes first");
	tap_ok(reply_read(&reply, &in, &why) == REPLY_COMPLETE && reply.code == 550 && reply.enhanced[0] == 0,
	       "the second one starts afresh");
	reply_add_clean(&reply, &shown);
	tap_is(buf_text(&shown), "550 b\\x1b[0m", "protocol 15: a reply is shown without control characters");
	tap_ok(reply_read(&reply, &in, &why) == REPLY_INCOMPLETE && in.size == 2, "half a reply waits");
	reply_free(&reply);
	buf_free(&in);
	buf_free(&shown);
}

static void
test_line(void)
{
	struct buf in = {0};
	struct str line;
	size_t taken;

	buf_add_text(&in, "abc\r\nde");
	tap_ok(line_first(&in, &line, &taken) && str_equals(line, STR("abc")) && taken == 5, "a line comes without its CRLF");
	buf_consume(&in, taken);
	tap_ok(!line_first(&in, &line, &taken), "half a line is no line");
	buf_add_text(&in, "\n\n");
	tap_ok(line_first(&in, &line, &taken) && str_equals(line, STR("de")) && taken == 3, "LF alone ends a line");
	buf_consume(&in, taken);
	tap_ok(line_first(&in, &line, &taken) && line.size == 0 && taken == 1, "an empty line is a line");
	buf_free(&in);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(good_cases) / sizeof(good_cases[0]); i++)
		for (size_t piece = 1; piece <= 64; piece *= 8)
			test_good(&good_cases[i], piece);
	for (size_t i = 0; i < sizeof(bad_cases) / sizeof(bad_cases[0]); i++)
		test_bad(i);
	test_bounds();
	test_endless_line();
	test_sequence();
	test_line();
	return tap_end();
}
