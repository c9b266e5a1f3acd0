/* caps_test.c - the keywords of an EHLO reply. */

#include "config.h"

#include "smtp/caps.h"
#include "tap.h"

static struct caps
read_text(const char *text)
{
	struct caps caps = {0};

	caps_read(&caps, str_of(text));
	return caps;
}

static void
test_all(void)
{
	struct caps caps = read_text("mx.example PIPELINING\npipelining\nSize 1000\n8BITMIME\nSTARTTLS\nAUTH PLAIN LOGIN\nETRN\nDSN\n"
	                             "SMTPUTF8\nCHUNKING\nLIMITS RCPTMAX=20 MAILMAX=5\nRequireTLS\nX-NEW a b");

	tap_ok(caps.has_pipelining && caps.has_8bitmime && caps.has_starttls && caps.has_auth && caps.has_etrn && caps.has_dsn &&
	           caps.has_smtputf8 && caps.has_chunking && caps.has_requiretls,
	       "keywords are found without regard to case");
	tap_is_number((long long)caps.size_most, 1000, "SIZE has its limit");
	tap_is(buf_text(&caps.mechanisms), "PLAIN LOGIN", "AUTH has its mechanisms");
	tap_ok(caps.rcpt_most == 20 && caps.mail_most == 5, "protocol 35: LIMITS has its numbers");
	caps_free(&caps);
	caps = read_text("mx.example PIPELINING");
	tap_ok(!caps.has_pipelining, "the first line is the server's name and no keyword");
	caps_free(&caps);
}

static void
test_words(void)
{
	struct caps caps = read_text("mx\nDSNX\nXDSN\nPIPELININGS");

	tap_ok(!caps.has_dsn && !caps.has_pipelining, "a keyword is a whole word");
	caps_free(&caps);
	caps = read_text("mx\nAUTH=LOGIN\nAUTH PLAIN");
	tap_is(buf_text(&caps.mechanisms), "LOGIN PLAIN", "the old form AUTH= counts as well");
	caps_free(&caps);
	caps = read_text("");
	tap_ok(!caps.has_size && caps.text.size == 0, "an empty reply offers nothing");
	caps_free(&caps);
}

static void
test_sizes(void)
{
	static const struct {
		const char *line;
		long long limit;
	} cases[] = {
		{"mx\nSIZE", 0},
		{"mx\nSIZE 0", 0},
		{"mx\nSIZE 99999999999999999999", 0},
		{"mx\nSIZE abc", 0},
		{"mx\nSIZE -5", 0},
		{"mx\nSIZE 18446744073709551615", -1},
		{"mx\nSIZE 10 20", 10},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct caps caps = read_text(cases[i].line);

		tap_is_number((long long)caps.size_most, cases[i].limit, "protocol 32: the limit of a SIZE line");
		caps_free(&caps);
	}
}

static void
test_again(void)
{
	struct caps caps = read_text("mx\nAUTH PLAIN\nPIPELINING");

	caps_read(&caps, STR("mx\nSIZE 5"));
	tap_ok(!caps.has_auth && !caps.has_pipelining && caps.mechanisms.size == 0 && caps.size_most == 5,
	       "protocol 45: reading again forgets everything from before");
	caps_free(&caps);
}

int
main(void)
{
	test_all();
	test_words();
	test_sizes();
	test_again();
	return tap_end();
}
