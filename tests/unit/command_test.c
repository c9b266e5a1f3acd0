/* command_test.c - commands as they are written, and what never gets into one. */

#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "smtp/command.h"
#include "tap.h"

static struct buf out;
static struct err err;

static const char *
result(bool is_added)
{
	static char text[4096];

	snprintf(text, sizeof(text), "%s", is_added ? buf_text(&out) : "(refused)");
	if (is_added == err_is_set(&err) || (!is_added && out.size > 0))
		snprintf(text, sizeof(text), "(inconsistent)");
	buf_free(&out);
	err_clear(&err);
	return text;
}

static void
test_simple(void)
{
	char long_name[600];

	tap_is(result(command_add(&out, "DATA", NULL, &err)), "DATA\r\n", "a command without argument");
	tap_is(result(command_add(&out, "EHLO", "client.example", &err)), "EHLO client.example\r\n", "a command with one");
	tap_is(result(command_add(&out, "EHLO", "a\r\nMAIL FROM:<x>", &err)), "(refused)", "CR LF never gets into a command");
	tap_is(result(command_add(&out, "EHLO", "a\x7f", &err)), "(refused)", "DEL never gets into a command");
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	tap_is(result(command_add(&out, "EHLO", long_name, &err)), "(refused)", "a command above 512 octets is refused");
	long_name[505] = '\0';
	tap_ok(strlen(result(command_add(&out, "EHLO", long_name, &err))) == 512, "a command of 512 octets is not");
	command_add_bdat(&out, 86, true);
	command_add_bdat(&out, 1048576, false);
	tap_is(result(true), "BDAT 86 LAST\r\nBDAT 1048576\r\n", "chunks with their sizes");
}

static void
test_mail(void)
{
	char from[] = "a@example.org", null[] = "", bad[] = "a@b>\r\nRCPT TO:<v@y", idn[] = "a@b\xc3\xbc" "cher.example";
	char utf8[] = "j\xc3\xb6rg@example.org", envid[] = "a+b=c d", long_envid[102], bad_envid[] = "a\nb", utf8_envid[] = "\xc3\xb6";
	struct envelope envelope = {.reverse_path = from};
	struct message message = {.wire_size = 123};
	struct caps none = {0}, all = {.has_size = true, .has_8bitmime = true, .has_smtputf8 = true, .has_dsn = true};

	tap_is(result(command_add_mail(&out, &envelope, &message, &none, &err)), "MAIL FROM:<a@example.org>\r\n",
	       "no parameters where nothing is offered");
	tap_is(result(command_add_mail(&out, &envelope, &message, &all, &err)), "MAIL FROM:<a@example.org> SIZE=123\r\n",
	       "parameters only for what the message needs");
	message.has_8bit_body = true;
	tap_is(result(command_add_mail(&out, &envelope, &message, &all, &err)),
	       "MAIL FROM:<a@example.org> SIZE=123 BODY=8BITMIME\r\n", "BODY=8BITMIME for an 8-bit body");
	message.has_8bit_body = false;
	envelope.requires_tls = true;
	tap_is(result(command_add_mail(&out, &envelope, &message, &all, &err)), "MAIL FROM:<a@example.org> SIZE=123\r\n",
	       "REQUIRETLS is not written where it is not offered");
	all.has_requiretls = true;
	tap_is(result(command_add_mail(&out, &envelope, &message, &all, &err)),
	       "MAIL FROM:<a@example.org> SIZE=123 REQUIRETLS\r\n", "REQUIRETLS for a message that requires TLS");
	envelope.requires_tls = false;
	tap_is(result(command_add_mail(&out, &envelope, &message, &all, &err)), "MAIL FROM:<a@example.org> SIZE=123\r\n",
	       "and for no other");
	envelope.reverse_path = null;
	tap_is(result(command_add_mail(&out, &envelope, &message, &none, &err)), "MAIL FROM:<>\r\n", "the null reverse-path");
	envelope.reverse_path = bad;
	tap_is(result(command_add_mail(&out, &envelope, &message, &none, &err)), "(refused)",
	       "protocol 81: a reverse-path with CR LF never gets into a command");
	envelope.reverse_path = idn;
	tap_is(result(command_add_mail(&out, &envelope, &message, &none, &err)), "MAIL FROM:<a@xn--bcher-kva.example>\r\n",
	       "protocol 85: a domain that is not ASCII becomes A-labels");
	envelope.reverse_path = utf8;
	tap_is(result(command_add_mail(&out, &envelope, &message, &all, &err)),
	       "MAIL FROM:<j\xc3\xb6rg@example.org> SIZE=123 SMTPUTF8\r\n", "SMTPUTF8 for a local part that needs it");
	envelope.reverse_path = from;
	envelope.envid = envid;
	envelope.wants_headers_return = true;
	tap_is(result(command_add_mail(&out, &envelope, &message, &all, &err)),
	       "MAIL FROM:<a@example.org> SIZE=123 RET=HDRS ENVID=a+2Bb+3Dc+20d\r\n", "RET and ENVID, in xtext");
	tap_is(result(command_add_mail(&out, &envelope, &message, &none, &err)), "MAIL FROM:<a@example.org>\r\n",
	       "neither where DSN is not offered");
	envelope.wants_headers_return = false;
	envelope.wants_full_return = true;
	envelope.envid = NULL;
	tap_is(result(command_add_mail(&out, &envelope, &message, &all, &err)), "MAIL FROM:<a@example.org> SIZE=123 RET=FULL\r\n",
	       "RET without ENVID");
	envelope.wants_full_return = false;
	memset(long_envid, 'a', sizeof(long_envid));
	long_envid[100] = '\0';
	envelope.envid = long_envid;
	tap_ok(strlen(result(command_add_mail(&out, &envelope, &message, &all, &err))) == 34 + 7 + 100 + 2,
	       "protocol M9: an ENVID of 100 characters is sent");
	long_envid[98] = '+';
	long_envid[99] = '\0';
	tap_is(result(command_add_mail(&out, &envelope, &message, &all, &err)), "MAIL FROM:<a@example.org> SIZE=123\r\n",
	       "protocol M9: one that is longer in xtext is left out");
	envelope.envid = bad_envid;
	tap_is(result(command_add_mail(&out, &envelope, &message, &all, &err)), "MAIL FROM:<a@example.org> SIZE=123\r\n",
	       "protocol M9: so is one with a line end");
	envelope.envid = utf8_envid;
	tap_is(result(command_add_mail(&out, &envelope, &message, &all, &err)), "MAIL FROM:<a@example.org> SIZE=123\r\n",
	       "and one that is not ASCII");
}

static void
test_rcpt(void)
{
	char to[] = "b@example.net", bad[] = "b@x> NOTIFY=NEVER", original[] = "root+x@example.org", long_original[600];
	struct recipient recipient = {.mailbox = to};
	struct caps none = {0}, dsn = {.has_dsn = true};

	tap_is(result(command_add_rcpt(&out, &recipient, false, &none, &err)), "RCPT TO:<b@example.net>\r\n", "a recipient");
	recipient.notify = NOTIFY_FAILURE | NOTIFY_DELAY;
	recipient.original = original;
	tap_is(result(command_add_rcpt(&out, &recipient, false, &dsn, &err)),
	       "RCPT TO:<b@example.net> NOTIFY=FAILURE,DELAY ORCPT=rfc822;root+2Bx@example.org\r\n", "NOTIFY and ORCPT");
	tap_is(result(command_add_rcpt(&out, &recipient, false, &none, &err)), "RCPT TO:<b@example.net>\r\n",
	       "neither where DSN is not offered");
	memset(long_original, 'a', sizeof(long_original));
	long_original[493] = '\0';
	recipient.notify = 0;
	recipient.original = long_original;
	tap_ok(strlen(result(command_add_rcpt(&out, &recipient, false, &dsn, &err))) == 23 + 7 + 500 + 2,
	       "protocol M9: an ORCPT of 500 characters is sent");
	long_original[491] = '+';
	long_original[492] = '\0';
	tap_is(result(command_add_rcpt(&out, &recipient, false, &dsn, &err)), "RCPT TO:<b@example.net>\r\n",
	       "protocol M9: one that is longer in xtext is left out");
	recipient.mailbox = bad;
	tap_is(result(command_add_rcpt(&out, &recipient, false, &none, &err)), "(refused)", "a mailbox with '>' is refused");
}

static void
test_auth(void)
{
	char response[600];
	bool is_complete = false;

	tap_is(result(command_add_auth(&out, "PLAIN", "AGEAYg==", &is_complete, &err)), "AUTH PLAIN AGEAYg==\r\n",
	       "AUTH with an initial response");
	tap_ok(is_complete, "and says that it was sent");
	tap_is(result(command_add_auth(&out, "LOGIN", NULL, &is_complete, &err)), "AUTH LOGIN\r\n", "AUTH without one");
	memset(response, 'A', sizeof(response) - 1);
	response[sizeof(response) - 1] = '\0';
	tap_is(result(command_add_auth(&out, "PLAIN", response, &is_complete, &err)), "AUTH PLAIN\r\n",
	       "a response that does not fit waits for the challenge");
	tap_ok(!is_complete, "and says so");
	tap_is(result(command_add_auth(&out, "PLAIN", "A\r\nB", &is_complete, &err)), "(refused)", "CR LF never gets into AUTH");
}

int
main(void)
{
	test_simple();
	test_mail();
	test_rcpt();
	test_auth();
	return tap_end();
}
