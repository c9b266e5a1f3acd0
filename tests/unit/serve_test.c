/* serve_test.c - the server's side of SMTP: what clients send, in any pieces, and what they are answered. */

#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "smtp/serve.h"
#include "tap.h"

#define GREETING "220 mail.example.com ESMTP mailcrane\r\n"
#define HELLO \
	"250-mail.example.com\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE\r\n"
#define SENDER "250 2.1.0 Ok\r\n"
#define RECIPIENT "250 2.1.5 Ok\r\n"
#define GO "354 End data with a lone dot\r\n"
#define TAKEN "250 2.0.0 Ok: queued as 1ABC\r\n"
#define BYE "221 2.0.0 Bye\r\n"
#define BEGIN "MAIL FROM:<a@x.example>\r\nRCPT TO:<r@example.org>\r\nDATA\r\n"
#define BEGUN SENDER RECIPIENT GO
#define BEGIN_LF "MAIL FROM:<a@x.example>\nRCPT TO:<r@example.org>\nDATA\n"

/* What came of a session. */
struct record {
	struct buf replies;
	struct buf messages; /* of each: the envelope in angle brackets, a line end, the text, "|" */
	bool is_closed;
};

static void
take_message(struct record *record, struct serve *s, struct buf *text)
{
	buf_printf(&record->messages, "<%s>", s->envelope.reverse_path);
	for (size_t i = 0; i < s->envelope.n_recipients; i++)
		buf_printf(&record->messages, " <%s>", s->envelope.recipients[i].mailbox);
	buf_add_text(&record->messages, "\n");
	buf_truncate(text, (size_t)s->text_size);
	buf_add_str(&record->messages, buf_str(text));
	buf_add_text(&record->messages, "|");
	if (strcmp(s->envelope.reverse_path, "refuse@x.example") == 0)
		serve_refuse(s, 554, "5.6.0", STR("no\r\nthanks \xff"));
	else
		serve_accept(s, "1ABC");
}

/* Play input to s in pieces of this size. */
static void
play(struct serve *s, struct str input, size_t piece, struct record *record)
{
	struct buf text = {0};
	bool is_over = false;

	while (!is_over) {
		switch (serve_next(s)) {
		case SERVE_WANT_INPUT:
			is_over = input.size == 0;
			buf_add_str(&s->in, str_first(input, piece));
			input = str_from(input, piece);
			break;
		case SERVE_WANT_KEEP:
			buf_truncate(&text, (size_t)s->text_offset);
			buf_add_str(&text, buf_str(&s->text));
			break;
		case SERVE_WANT_MESSAGE:
			take_message(record, s, &text);
			break;
		case SERVE_WANT_CLOSE:
			record->is_closed = is_over = true;
			break;
		}
		buf_add_str(&record->replies, buf_str(&s->out));
		buf_clear(&s->out);
	}
	buf_free(&text);
}

static void
record_free(struct record *record)
{
	buf_free(&record->replies);
	buf_free(&record->messages);
}

struct session_case {
	const char *name;
	const char *input;
	const char *replies;  /* behind the greeting */
	const char *messages;
};

static const struct session_case sessions[] = {
	/* Callers. */
	{"sendmail 35: the dialogue of Symfony",
	 "HELO [127.0.0.1]\r\n" BEGIN "Bcc: h@example.org\r\n\r\n..dot\r\n.\r\nQUIT\r\n",
	 "250 mail.example.com\r\n" BEGUN TAKEN BYE, "<a@x.example> <r@example.org>\nBcc: h@example.org\r\n\r\n.dot\r\n|"},
	{"sendmail 36: after RSET a transaction begins anew",
	 "EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<p@example.org>\r\nRSET\r\n" BEGIN "x\r\n.\r\n",
	 HELLO SENDER RECIPIENT "250 2.0.0 Ok\r\n" BEGUN TAKEN, "<a@x.example> <r@example.org>\nx\r\n|"},
	{"sendmail 37: LF alone ends commands and the text", "EHLO x\n" BEGIN_LF "Subject: s\n\n..x\n.\nQUIT\n",
	 HELLO BEGUN TAKEN BYE, "<a@x.example> <r@example.org>\nSubject: s\n\n.x\n|"},
	{"sendmail 38: two messages in one session", "EHLO x\r\n" BEGIN "1\r\n.\r\n" BEGIN "2\r\n.\r\nQUIT\r\n",
	 HELLO BEGUN TAKEN BEGUN TAKEN BYE, "<a@x.example> <r@example.org>\n1\r\n|<a@x.example> <r@example.org>\n2\r\n|"},
	{"a shorter message holds nothing of the longer one before it", BEGIN "long\r\nlong\r\n.\r\n" BEGIN "2\r\n.\r\n" BEGIN ".\r\n",
	 BEGUN TAKEN BEGUN TAKEN BEGUN TAKEN,
	 "<a@x.example> <r@example.org>\nlong\r\nlong\r\n|<a@x.example> <r@example.org>\n2\r\n|<a@x.example> <r@example.org>\n|"},

	/* Commands. */
	{"verbs are known in any case, with blanks around", "  ehlo  x \r\nmail from: <a@x.example>\r\nRcpt To:r@example.org\r\n",
	 HELLO SENDER RECIPIENT, ""},
	{"commands without a meaning are answered", "NOOP\r\nnoop x\r\nVRFY joe\r\nHELP\r\nRSET\r\n",
	 "250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n252 2.1.5 send some mail, and it will be tried\r\n"
	 "214 2.0.0 commands: EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT\r\n250 2.0.0 Ok\r\n",
	 ""},
	{"commands that are not offered are 502, others 500", "AUTH PLAIN x\r\nSTARTTLS\r\nBDAT 1 LAST\r\nEXPN x\r\nGET / HTTP/1.0\r\n\r\nMAILFROM:<a@b>\r\n",
	 "502 5.5.1 not offered here\r\n502 5.5.1 not offered here\r\n502 5.5.1 not offered here\r\n502 5.5.1 not offered here\r\n"
	 "500 5.5.2 unknown command\r\n500 5.5.2 unknown command\r\n500 5.5.2 unknown command\r\n",
	 ""},
	{"a name is needed", "EHLO\r\nHELO \r\nVRFY\r\n",
	 "501 5.5.4 EHLO needs a name\r\n501 5.5.4 HELO needs a name\r\n501 5.5.4 VRFY needs an address\r\n", ""},
	{"no argument where there is none", "RSET x\r\nQUIT x\r\nDATA x\r\nQUIT\r\n",
	 "501 5.5.4 this command takes no argument\r\n501 5.5.4 this command takes no argument\r\n"
	 "501 5.5.4 this command takes no argument\r\n" BYE,
	 ""},
	{"control characters are in no command", "NOOP \001\r\nMAIL FROM:<a\rb@x.example>\r\nNOOP\tx\r\nNOOP \x7f\r\n",
	 "500 5.5.2 control character in a command\r\n500 5.5.2 control character in a command\r\n"
	 "500 5.5.2 control character in a command\r\n500 5.5.2 control character in a command\r\n",
	 ""},
	{"the wrong order is 503",
	 "RCPT TO:<a@b.example>\r\nDATA\r\nMAIL FROM:<a@b.example>\r\nMAIL FROM:<a@b.example>\r\nDATA\r\n",
	 "503 5.5.1 MAIL first\r\n503 5.5.1 MAIL and RCPT first\r\n" SENDER
	 "503 5.5.1 a transaction has begun already\r\n503 5.5.1 RCPT first\r\n",
	 ""},
	{"a greeting ends the transaction", "MAIL FROM:<a@b.example>\r\nEHLO x\r\nRCPT TO:<a@b.example>\r\n",
	 SENDER HELLO "503 5.5.1 MAIL first\r\n", ""},
	{"nobody valid is 554", "MAIL FROM:<a@b.example>\r\nRCPT TO:<a@@b>\r\nDATA\r\n",
	 SENDER "553 5.1.3 bad address '<a@@b>': a domain is expected behind the '@'\r\n554 5.5.1 no valid recipients\r\n", ""},
	{"but not in the transaction after that",
	 "MAIL FROM:<a@b.example>\r\nRCPT TO:<a@@b>\r\nRSET\r\nMAIL FROM:<a@b.example>\r\nDATA\r\n",
	 SENDER "553 5.1.3 bad address '<a@@b>': a domain is expected behind the '@'\r\n250 2.0.0 Ok\r\n" SENDER "503 5.5.1 RCPT first\r\n",
	 ""},
	{"HELO ends the transaction, too", "MAIL FROM:<a@b.example>\r\nHELO x\r\nRCPT TO:<a@b.example>\r\n",
	 SENDER "250 mail.example.com\r\n503 5.5.1 MAIL first\r\n", ""},
	{"after QUIT nothing is read", "QUIT\r\nNOOP\r\n", BYE, ""},

	/* Addresses. */
	{"the null sender", "MAIL FROM:<>\r\nRCPT TO:<r@example.org>\r\nDATA\r\nx\r\n.\r\n", BEGUN TAKEN, "<> <r@example.org>\nx\r\n|"},
	{"quoted local parts, source routes, local parts alone",
	 "MAIL FROM:<@a,@b:\"a> b\"@x.example>\r\nRCPT TO:<postmaster>\r\nRCPT TO:<\"a\\\"b\"@x.example> NOTIFY=NEVER\r\nDATA\r\n.\r\n",
	 SENDER RECIPIENT RECIPIENT GO TAKEN, "<\"a> b\"@x.example> <postmaster> <\"a\\\"b\"@x.example>\n|"},
	{"a recipient named twice is one", "MAIL FROM:<a@x.example>\r\nRCPT TO:<r@example.org>\r\nRCPT TO:<r@EXAMPLE.org>\r\nDATA\r\n.\r\n",
	 SENDER RECIPIENT RECIPIENT GO TAKEN, "<a@x.example> <r@example.org>\n|"},
	{"what is no path is 501", "MAIL FROM\r\nMAIL FROM:\r\nMAIL <a@b.example>\r\nMAIL FROM:<a@b.example\r\nMAIL FROM:<a@b.example>x\r\n",
	 "501 5.5.4 MAIL FROM:<address> is expected\r\n501 5.5.4 MAIL FROM:<address> is expected\r\n"
	 "501 5.5.4 MAIL FROM:<address> is expected\r\n501 5.5.4 MAIL FROM:<address> is expected\r\n"
	 "501 5.5.4 MAIL FROM:<address> is expected\r\n",
	 ""},
	{"the null recipient is none", "MAIL FROM:<>\r\nRCPT TO:<>\r\n", SENDER "553 5.1.3 bad address '<>': nobody can be there\r\n", ""},

	/* Parameters. */
	{"the parameters of MAIL",
	 "MAIL FROM:<a@b.example> SIZE=1 BODY=8bitmime SMTPUTF8 AUTH=<> RET=full ENVID=a+2Bb\r\nRSET\r\n"
	 "MAIL FROM:<a@b.example> BODY=7BIT AUTH=a+3Db\r\n",
	 SENDER "250 2.0.0 Ok\r\n" SENDER, ""},
	{"the parameters of RCPT",
	 "MAIL FROM:<a@b.example>\r\nRCPT TO:<a@b.example> NOTIFY=success,FAILURE,DELAY ORCPT=rfc822;a+2Bb@c\r\n"
	 "RCPT TO:<b@b.example> ORCPT=x400;abc NOTIFY=NEVER\r\n",
	 SENDER RECIPIENT RECIPIENT, ""},
	{"unknown parameters are 555", "MAIL FROM:<a@b.example> X=1\r\nMAIL FROM:<a@b.example> NOTIFY=NEVER\r\n",
	 "555 5.5.4 X: unknown parameter\r\n555 5.5.4 NOTIFY: unknown parameter\r\n", ""},
	{"bad values are 501",
	 "MAIL FROM:<a@b.example> SIZE=x\r\nMAIL FROM:<a@b.example> BODY=BINARYMIME\r\nMAIL FROM:<a@b.example> RET=NO\r\n"
	 "MAIL FROM:<a@b.example> ENVID=\r\nMAIL FROM:<a@b.example> ENVID=+0D\r\nMAIL FROM:<a@b.example> ENVID=+2\r\n"
	 "MAIL FROM:<a@b.example> SMTPUTF8=1\r\nMAIL FROM:<a@b.example> SIZE\r\nMAIL FROM:<a@b.example> SIZE=1 SIZE=1\r\n",
	 "501 5.5.4 SIZE: bad parameter\r\n501 5.5.4 BODY: bad parameter\r\n501 5.5.4 RET: bad parameter\r\n"
	 "501 5.5.4 ENVID: bad parameter\r\n501 5.5.4 ENVID: bad parameter\r\n501 5.5.4 ENVID: bad parameter\r\n"
	 "501 5.5.4 SMTPUTF8: bad parameter\r\n501 5.5.4 SIZE: bad parameter\r\n501 5.5.4 SIZE: bad parameter\r\n",
	 ""},
	{"more bad values are 501",
	 "MAIL FROM:<a@b.example> ENVID=a=b\r\nMAIL FROM:<a@b.example> SMTPUTF8=\r\nMAIL FROM:<a@b.example> ENVID=+80\r\n"
	 "MAIL FROM:<a@b.example> ENVID=+2f\r\nMAIL FROM:<a@b.example> ENVID=+2F\r\n",
	 "501 5.5.4 ENVID: bad parameter\r\n501 5.5.4 SMTPUTF8: bad parameter\r\n501 5.5.4 ENVID: bad parameter\r\n"
	 "501 5.5.4 ENVID: bad parameter\r\n" SENDER,
	 ""},
	{"bad values of RCPT are 501",
	 "MAIL FROM:<>\r\nRCPT TO:<a@b.example> NOTIFY=\r\nRCPT TO:<a@b.example> NOTIFY=NEVER,DELAY\r\n"
	 "RCPT TO:<a@b.example> NOTIFY=DELAY,\r\nRCPT TO:<a@b.example> ORCPT=a@b\r\nRCPT TO:<a@b.example> ORCPT=rfc822;a+00\r\n",
	 SENDER "501 5.5.4 NOTIFY: bad parameter\r\n501 5.5.4 NOTIFY: bad parameter\r\n501 5.5.4 NOTIFY: bad parameter\r\n"
	 "501 5.5.4 ORCPT: bad parameter\r\n501 5.5.4 ORCPT: bad parameter\r\n",
	 ""},

	/* Text. */
	{"one dot is taken off each line that begins with one", BEGIN "..\r\n...\r\n.x\r\n. \r\nx.\r\n.\r\n", BEGUN TAKEN,
	 "<a@x.example> <r@example.org>\n.\r\n..\r\nx\r\n \r\nx.\r\n|"},
	{"protocol M3: after DATA CRLF an LF alone ends neither a line nor the text",
	 BEGIN "a\n.\nb\n.\r\nc\r\n.\nd\r\n.\r\n", BEGUN TAKEN,
	 "<a@x.example> <r@example.org>\na\n.\nb\n.\r\nc\r\n\nd\r\n|"},
	{"protocol M3: nor does a CR", BEGIN "a\r.\rb\r\n.\rc\r.\r\nd\r\r\n.\r\r\ne\r\n.\r\n", BEGUN TAKEN,
	 "<a@x.example> <r@example.org>\na\r.\rb\r\n\rc\r.\r\nd\r\r\n\r\r\ne\r\n|"},
	{"protocol M3: what looks like commands behind such an end is text",
	 BEGIN "a\n.\nMAIL FROM:<evil@x.example>\nRCPT TO:<v@example.org>\nDATA\nx\n.\r\n.\r\n", BEGUN TAKEN,
	 "<a@x.example> <r@example.org>\na\n.\nMAIL FROM:<evil@x.example>\nRCPT TO:<v@example.org>\nDATA\nx\n.\r\n|"},
	{"protocol M3: after DATA LF only LF . LF ends the text", BEGIN_LF "a\r\n.\r\nb\r.\rc\n.\n", BEGUN TAKEN,
	 "<a@x.example> <r@example.org>\na\r\n\r\nb\r.\rc\n|"},
	{"how DATA ended counts, not the commands before it", "NOOP\nMAIL FROM:<>\nRCPT TO:<r@example.org>\nDATA\r\na\n.\n\r\n.\r\nQUIT\n",
	 "250 2.0.0 Ok\r\n" BEGUN TAKEN BYE, "<> <r@example.org>\na\n.\n\r\n|"},
	{"nor is it forgotten by commands with CRLF", "NOOP\r\n" BEGIN_LF "a\n.\nNOOP\r\n",
	 "250 2.0.0 Ok\r\n" BEGUN TAKEN "250 2.0.0 Ok\r\n", "<a@x.example> <r@example.org>\na\n|"},
	{"an end of the input within the text is no message", "EHLO x\r\n" BEGIN "Subject: s\r\n\r\nhalf\r\n.", HELLO BEGUN, ""},
	{"an end of the input within a command is no command", BEGIN "x\r\n.\r\nQUIT", BEGUN TAKEN, "<a@x.example> <r@example.org>\nx\r\n|"},
	{"a text of the caller's is harmless in a reply", "MAIL FROM:<refuse@x.example>\r\nRCPT TO:<r@example.org>\r\nDATA\r\n.\r\nNOOP\r\n",
	 BEGUN "554 5.6.0 no? thanks ?\r\n250 2.0.0 Ok\r\n", "<refuse@x.example> <r@example.org>\n|"},
};

static const struct serve_offer offer = {.host_name = "mail.example.com"};

static void
test_session(const struct session_case *c)
{
	static const size_t pieces[] = {1, 2, 3, 7, 4096};
	struct buf expected = {0};
	bool holds = true;

	buf_printf(&expected, GREETING "%s", c->replies);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]) && holds; i++) {
		struct record record = {0};
		struct serve s = {0};

		serve_start(&s, &offer);
		play(&s, str_of(c->input), pieces[i], &record);
		holds = strcmp(buf_text(&record.replies), buf_text(&expected)) == 0 &&
		        strcmp(buf_text(&record.messages), c->messages) == 0;
		if (!holds) {
			tap_note("in pieces of %zu:", pieces[i]);
			tap_is(buf_text(&record.replies), buf_text(&expected), c->name);
			tap_is(buf_text(&record.messages), c->messages, c->name);
		}
		serve_free(&s);
		record_free(&record);
	}
	if (holds)
		tap_ok(true, "%s", c->name);
	buf_free(&expected);
}

static void
test_wishes(void)
{
	struct serve s = {0};

	serve_start(&s, &offer);
	buf_add_text(&s.in, "MAIL FROM:<a@b.example> RET=HDRS ENVID=a+2Bb+3D\r\n"
	                    "RCPT TO:<r@b.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+2By@b.example\r\n"
	                    "RCPT TO:<s@b.example> NOTIFY=NEVER ORCPT=x400;x\r\n");
	serve_next(&s);
	tap_is(s.envelope.envid, "a+b=", "ENVID is decoded");
	tap_ok(s.envelope.wants_headers_return && !s.envelope.wants_full_return, "RET is kept");
	tap_is_number(s.envelope.recipients[0].notify, NOTIFY_SUCCESS | NOTIFY_DELAY, "NOTIFY is kept for its recipient");
	tap_is(s.envelope.recipients[0].original, "x+y@b.example", "ORCPT is decoded");
	tap_is_number(s.envelope.recipients[1].notify, NOTIFY_NEVER, "NOTIFY=NEVER is kept");
	tap_is(s.envelope.recipients[1].original, NULL, "ORCPT of another kind of address is not handed on");
	serve_free(&s);
}

/* The last line of what s answered to the input. */
static char *
last_reply(struct serve *s, struct str input, size_t piece)
{
	struct record record = {0};
	struct str replies;
	char *last;
	size_t from;

	play(s, input, piece, &record);
	replies = str_trim(buf_str(&record.replies));
	for (from = replies.size; from > 0 && replies.data[from - 1] != '\n'; from--)
		;
	last = mem_copy(replies.data + from, replies.size - from);
	record_free(&record);
	return last;
}

static void
test_last(const struct serve_offer *o, struct buf *input, const char *expected, const char *name)
{
	static const size_t pieces[] = {1, 1000, 1 << 20};
	bool holds = true;

	for (size_t i = 0; i < 3; i++) {
		struct serve s = {0};
		char *last;

		serve_start(&s, o);
		last = last_reply(&s, buf_str(input), pieces[i]);
		if (strcmp(last, expected) != 0)
			tap_note("got: %s", last);
		holds = holds && strcmp(last, expected) == 0;
		free(last);
		serve_free(&s);
	}
	tap_ok(holds, "%s", name);
	buf_clear(input);
}

static void
add_many(struct buf *b, char c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_add_char(b, c);
}

static void
test_limits(void)
{
	const struct serve_offer small = {.host_name = "mail.example.com", .size_most = 10};
	struct buf input = {0};

	buf_add_text(&input, "NOOP ");
	add_many(&input, 'x', SERVE_LINE_MOST - 5);
	buf_add_text(&input, "\r\n");
	test_last(&offer, &input, "250 2.0.0 Ok", "a command of 4096 octets is read");

	buf_add_text(&input, "NOOP ");
	add_many(&input, 'x', SERVE_LINE_MOST - 4);
	buf_add_text(&input, "\r\n");
	test_last(&offer, &input, "500 5.5.2 line too long", "one of 4097 is refused");

	buf_add_text(&input, "NOOP ");
	add_many(&input, 'x', 100000);
	buf_add_text(&input, "\nNOOP\n");
	test_last(&offer, &input, "250 2.0.0 Ok", "behind a long line the session goes on");

	buf_add_text(&input, "MAIL FROM:<> ENVID=");
	add_many(&input, 'x', 100);
	buf_add_text(&input, "\r\nRCPT TO:<r@example.org> ORCPT=rfc822;");
	add_many(&input, 'x', 500);
	buf_add_text(&input, "\r\n");
	test_last(&offer, &input, "250 2.1.5 Ok", "an ENVID of 100 octets and an ORCPT of 500 are read");
	buf_add_text(&input, "MAIL FROM:<> ENVID=");
	add_many(&input, 'x', 101);
	buf_add_text(&input, "\r\n");
	test_last(&offer, &input, "501 5.5.4 ENVID: bad parameter", "a longer ENVID is refused");
	buf_add_text(&input, "MAIL FROM:<>\r\nRCPT TO:<r@example.org> ORCPT=rfc822;");
	add_many(&input, 'x', 501);
	buf_add_text(&input, "\r\n");
	test_last(&offer, &input, "501 5.5.4 ORCPT: bad parameter", "and a longer ORCPT");

	buf_add_text(&input, "EHLO x\r\n");
	test_last(&small, &input, "250 SIZE 10", "the limit is announced");
	buf_add_text(&input, "MAIL FROM:<> SIZE=11\r\n");
	test_last(&small, &input, "552 5.3.4 the message is larger than this host takes", "SIZE beyond the limit is refused at once");
	buf_add_text(&input, "MAIL FROM:<> SIZE=11\r\nRCPT TO:<r@example.org>\r\n");
	test_last(&small, &input, "503 5.5.1 MAIL first", "and no transaction has begun then");
	buf_add_text(&input, "MAIL FROM:<> SIZE=10\r\n");
	test_last(&small, &input, "250 2.1.0 Ok", "SIZE at the limit is not");
	buf_add_text(&input, BEGIN "12345678\r\n.\r\n");
	test_last(&small, &input, "250 2.0.0 Ok: queued as 1ABC", "a message at the limit is taken");
	buf_add_text(&input, BEGIN "123456789\r\n.\r\n");
	test_last(&small, &input, "552 5.3.4 the message is larger than this host takes", "a larger one is refused at its end");
	buf_add_text(&input, BEGIN "123456789\r\n.\r\n" BEGIN "1\r\n.\r\n");
	test_last(&small, &input, "250 2.0.0 Ok: queued as 1ABC", "and the next one is taken");

	buf_add_text(&input, "MAIL FROM:<>\r\n");
	for (unsigned i = 0; i < SERVE_RECIPIENTS_MOST; i++)
		buf_printf(&input, "RCPT TO:<r%u@example.org>\r\n", i);
	test_last(&offer, &input, "250 2.1.5 Ok", "10000 recipients are taken");
	buf_add_text(&input, "MAIL FROM:<>\r\n");
	for (unsigned i = 0; i < SERVE_RECIPIENTS_MOST + 1; i++)
		buf_printf(&input, "RCPT TO:<r%u@example.org>\r\n", i);
	test_last(&offer, &input, "452 4.5.3 too many recipients", "one more is put off");

	for (unsigned i = 0; i < SERVE_FAULTS_MOST; i++)
		buf_add_text(&input, "x\r\n");
	buf_add_text(&input, "NOOP\r\n");
	test_last(&offer, &input, "421 4.7.0 too many lines that are no commands", "who sends no commands is sent away");
	for (unsigned i = 0; i < SERVE_FAULTS_MOST; i++)
		buf_add_text(&input, "x\r\nNOOP\r\n");
	test_last(&offer, &input, "250 2.0.0 Ok", "who errs now and then is not");

	buf_add(&input, "NOOP \0\r\n", 8);
	test_last(&offer, &input, "500 5.5.2 control character in a command", "a NUL is in no command");
	for (unsigned i = 0; i < 1000; i++)
		buf_add_text(&input, BEGIN "x\r\n.\r\n");
	test_last(&offer, &input, "250 2.0.0 Ok: queued as 1ABC", "1000 transactions in one session");
	buf_free(&input);
}

static void
test_memory(void)
{
	struct serve s = {0};
	struct str line = STR("0123456789012345678901234567890123456789012345678901234567890123456789\r\n");
	int64_t n_kept = 0;
	size_t most = 0;

	serve_start(&s, &offer);
	buf_add_text(&s.in, BEGIN);
	for (int i = 0; i < 100000; i++) {
		enum serve_want want;

		while ((want = serve_next(&s)) == SERVE_WANT_KEEP)
			n_kept += (int64_t)s.text.size;
		buf_add_str(&s.in, line);
		if (s.text.capacity + s.in.capacity > most)
			most = s.text.capacity + s.in.capacity;
	}
	tap_is_number(n_kept, 99999LL * (long long)line.size, "a text of 7 MB is handed on as it comes");
	tap_ok(most < 16384, "and is not kept in memory");
	serve_free(&s);
}

static void
test_reply(void)
{
	struct serve s = {0};
	struct buf text = {0};

	serve_start(&s, &offer);
	buf_clear(&s.out);
	add_many(&text, 'x', 10000);
	serve_reply(&s, 554, "5.0.0", buf_str(&text));
	tap_is_number((long long)s.out.size, 512, "a reply is cut to 512 octets");
	tap_ok(strcmp(buf_text(&s.out) + 510, "\r\n") == 0, "and ends with CRLF");
	buf_free(&text);
	serve_free(&s);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(sessions) / sizeof(sessions[0]); i++)
		test_session(&sessions[i]);
	test_wishes();
	test_limits();
	test_memory();
	test_reply();
	return tap_end();
}
