/* outcome_test - exit codes, their order, and texts that fit. */

#include "config.h"

#include <sysexits.h>

#include "mail/outcome.h"
#include "tap.h"

static const struct {
	const char *name;
	enum outcome_state state;
	enum outcome_stage stage;
	int exit_code;
} exits[] = {
	{"a pending recipient is EX_TEMPFAIL", OUTCOME_PENDING, OUTCOME_AT_CONNECT, EX_TEMPFAIL},
	{"a deferred recipient is EX_TEMPFAIL", OUTCOME_DEFERRED, OUTCOME_AT_RCPT, EX_TEMPFAIL},
	{"a delivered recipient is EX_OK", OUTCOME_DELIVERED, OUTCOME_AT_END, EX_OK},
	{"a failure at RCPT is EX_NOUSER", OUTCOME_FAILED, OUTCOME_AT_RCPT, EX_NOUSER},
	{"sendmail 62: a failure at MAIL is EX_UNAVAILABLE", OUTCOME_FAILED, OUTCOME_AT_MAIL, EX_UNAVAILABLE},
	{"a failure at DATA is EX_UNAVAILABLE", OUTCOME_FAILED, OUTCOME_AT_DATA, EX_UNAVAILABLE},
	{"a failure at the end is EX_UNAVAILABLE", OUTCOME_FAILED, OUTCOME_AT_END, EX_UNAVAILABLE},
	{"a failure at connecting is EX_UNAVAILABLE", OUTCOME_FAILED, OUTCOME_AT_CONNECT, EX_UNAVAILABLE},
	{"a failure found by ourselves is EX_DATAERR", OUTCOME_FAILED, OUTCOME_LOCALLY, EX_DATAERR},
};

static void
test_exit_order(void)
{
	static const int order[] = {EX_OK, EX_TEMPFAIL, EX_NOUSER, EX_UNAVAILABLE, EX_DATAERR, EX_PROTOCOL, EX_NOPERM, EX_CONFIG};
	size_t n = sizeof(order) / sizeof(order[0]);
	bool is_right = true;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			is_right = is_right && outcome_worse_exit(order[i], order[j]) == order[i > j ? i : j];
	tap_ok(is_right, "the worse of two exit codes: 0, 75, 67, 69, 65, then all others, whichever comes first");
}

static void
test_texts(void)
{
	struct outcome outcome = {0};
	char text[600] = "";
	bool is_named = true;

	outcome_set_text(&outcome, STR("550 no\x1b[2J such\r\nuser"));
	tap_is(outcome.text, "550 no\\x1b[2J such\\x0d\\nuser", "a text is cleaned of control characters");
	memset(text, 'x', sizeof(text) - 1);
	outcome_set_text(&outcome, str_of(text));
	tap_is_number((long long)strlen(outcome.text), 255, "a long text is cut to 255 bytes");
	memcpy(text + 254, "\xc3\xbc", 2);
	outcome_set_text(&outcome, str_of(text));
	tap_is_number((long long)strlen(outcome.text), 254, "a character of two bytes is not cut in the middle");
	memcpy(text + 254, "x\xf0\x9f\x90\x8e", 5);
	outcome_set_text(&outcome, str_of(text));
	tap_is_number((long long)strlen(outcome.text), 255, "a character of four bytes behind the limit goes as a whole");
	outcome_set_host(&outcome, str_of(text).data);
	tap_is_number((long long)strlen(outcome.host), 127, "a long host is cut to 127 bytes");
	outcome_set_host(&outcome, NULL);
	tap_is(outcome.host, "", "no host is the empty text");
	outcome_set_text(&outcome, (struct str){0});
	tap_is(outcome.text, "", "an empty text empties");
	tap_is(outcome_state_name(OUTCOME_DEFERRED), "deferred", "states have names");
	tap_is(outcome_stage_name(OUTCOME_AT_END), "end of message", "stages have names");
	for (int i = OUTCOME_AT_CONNECT; i <= OUTCOME_LOCALLY; i++)
		is_named = is_named && outcome_stage_name((enum outcome_stage)i) != NULL;
	tap_ok(is_named, "every stage has a name");
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		struct outcome outcome = {.state = exits[i].state, .stage = exits[i].stage};

		tap_is_number(outcome_exit_code(&outcome), exits[i].exit_code, exits[i].name);
	}
	test_exit_order();
	test_texts();
	return tap_end();
}
