/* sendmail_test.c - the letters behind sendmail's -b, -o, -O and -q. */

#include "config.h"

#include <stdlib.h>

#include "conf/sendmail.h"
#include "tap.h"

/* What -bX means: "MODE COUNT", or the error. */
static void
mode_is(const char *argument, const char *expected)
{
	enum request_mode mode = MODE_VERSION;
	enum request_count counts_only = COUNT_NONE;
	struct err err = {0};
	struct buf b = {0};

	if (sendmail_mode(argument, &mode, &counts_only, &err))
		buf_printf(&b, "%s %d", mode == MODE_SEND ? "send" : mode == MODE_MAILQ ? "mailq" : mode == MODE_SERVE ? "serve" :
		           mode == MODE_NEWALIASES ? "newaliases" : mode == MODE_VERIFY ? "verify" : "other", (int)counts_only);
	else
		buf_printf(&b, "%d: %s; %s", err.exit_code, buf_text(&err.text), err.hint.size > 0 ? "hint" : "no hint");
	tap_is(buf_text(&b), expected, argument[0] != '\0' ? "a letter behind -b" : "nothing behind -b");
	buf_free(&b);
	err_clear(&err);
}

static void
delivery_is(const char *argument, enum request_delivery before, enum request_delivery after)
{
	struct request request = {.delivery = before};

	sendmail_option(&request, argument);
	tap_ok(request.delivery == after, "-o %s makes delivery %d of %d", argument, (int)after, (int)before);
}

static void
errors_are(const char *argument, enum request_errors before, enum request_errors after)
{
	struct request request = {.errors = before};

	sendmail_option(&request, argument);
	tap_ok(request.errors == after, "-o %s makes the way of errors %d of %d", argument, (int)after, (int)before);
}

static void
dots_are(const char *argument, bool before, bool after)
{
	struct request request = {.ignores_dot = before};

	sendmail_option(&request, argument);
	tap_ok(request.ignores_dot == after, "-o %s: dots are %signored", argument, after ? "" : "not ");
}

/* What -qX means. */
static void
run_is(const char *argument, const char *expected)
{
	struct request_flush flush = {0};
	struct err err = {0};
	struct buf b = {0};

	if (!sendmail_queue_run(&flush, argument, &err))
		buf_printf(&b, "%d: %s", err.exit_code, buf_text(&err.text));
	else
		buf_add_text(&b, flush.is_forced ? "forced" : "due");
	for (size_t i = 0; i < flush.n_filters; i++) {
		buf_printf(&b, " %s%c:%s", flush.filters[i].is_negated ? "not " : "", flush.filters[i].kind, flush.filters[i].text);
		free(flush.filters[i].text);
	}
	tap_ok(strcmp(buf_text(&b), expected) == 0, "-q%s is: %s", argument != NULL ? argument : "", expected);
	tap_note("%s", buf_text(&b));
	buf_free(&b);
	err_clear(&err);
}

int
main(void)
{
	mode_is("m", "send 0");
	mode_is("p", "mailq 0");
	mode_is("pc", "mailq 1");
	mode_is("P", "mailq 2");
	mode_is("s", "serve 0");
	mode_is("i", "newaliases 0");
	mode_is("v", "verify 0");
	mode_is("h", "other 0");
	mode_is("H", "other 0");
	mode_is("ss", "64: unsupported operation mode -bss; hint");
	mode_is("d", "64: unsupported operation mode -bd; hint");
	mode_is("", "64: unsupported operation mode -b; hint");
	mode_is("mm", "64: unsupported operation mode -bmm; hint");
	mode_is("\x01", "64: unsupported operation mode -b\\x01; hint");

	delivery_is("di", DELIVERY_DEFAULT, DELIVERY_INTERACTIVE);
	delivery_is("df", DELIVERY_QUEUE, DELIVERY_INTERACTIVE);
	delivery_is("db", DELIVERY_DEFAULT, DELIVERY_BACKGROUND);
	delivery_is("dq", DELIVERY_BACKGROUND, DELIVERY_QUEUE);
	delivery_is("dd", DELIVERY_DEFAULT, DELIVERY_QUEUE);
	delivery_is("d", DELIVERY_QUEUE, DELIVERY_QUEUE);
	delivery_is("dx", DELIVERY_QUEUE, DELIVERY_QUEUE);
	delivery_is("dbx", DELIVERY_QUEUE, DELIVERY_QUEUE);
	delivery_is("ib", DELIVERY_QUEUE, DELIVERY_QUEUE);
	delivery_is("", DELIVERY_QUEUE, DELIVERY_QUEUE);
	delivery_is("DeliveryMode=background", DELIVERY_DEFAULT, DELIVERY_BACKGROUND);
	delivery_is("deliverymode=Q", DELIVERY_DEFAULT, DELIVERY_QUEUE);
	delivery_is("DeliveryMode=", DELIVERY_QUEUE, DELIVERY_QUEUE);
	delivery_is("DeliveryMod=b", DELIVERY_QUEUE, DELIVERY_QUEUE);

	errors_are("em", ERRORS_PRINT, ERRORS_MAIL);
	errors_are("ew", ERRORS_PRINT, ERRORS_MAIL);
	errors_are("ee", ERRORS_PRINT, ERRORS_EXIT);
	errors_are("eq", ERRORS_PRINT, ERRORS_QUIET);
	errors_are("ep", ERRORS_QUIET, ERRORS_PRINT);
	errors_are("ez", ERRORS_QUIET, ERRORS_QUIET);
	errors_are("e", ERRORS_QUIET, ERRORS_QUIET);
	errors_are("emx", ERRORS_QUIET, ERRORS_QUIET);
	errors_are("ErrorMode=mail", ERRORS_PRINT, ERRORS_MAIL);
	errors_are("errormode=q", ERRORS_PRINT, ERRORS_QUIET);
	errors_are("dq", ERRORS_PRINT, ERRORS_PRINT);

	dots_are("i", false, true);
	dots_are("itrue", false, true);
	dots_are("iY", false, true);
	dots_are("ifalse", true, false);
	dots_are("iz", true, true);
	dots_are("iz", false, false);
	dots_are("IgnoreDots", false, true);
	dots_are("IgnoreDots=", false, true);
	dots_are("ignoredots=true", false, true);
	dots_are("IgnoreDots=False", true, false);
	dots_are("Ignore", false, false);

	run_is(NULL, "due");
	run_is("", "due");
	run_is("f", "forced");
	run_is("30", "due");
	run_is("1d12h", "due");
	run_is("p30m", "due");
	run_is("Gx", "due");
	run_is("Lx", "due");
	run_is("Q", "due");
	run_is("Iabc", "forced I:abc");
	run_is("!R@example.org", "forced not R:@example.org");
	run_is("S!", "forced S:!");
	run_is("I", "64: option -qI needs the text to look for");
	run_is("!I", "64: option -q!I needs the text to look for");
	run_is("30x", "64: unsupported option -q30x");
	run_is("m30", "64: unsupported option -qm30");
	run_is("!", "64: unsupported option -q!");
	run_is("!!Ia", "64: unsupported option -q!!Ia");
	return tap_end();
}
