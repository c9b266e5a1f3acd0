/* servecommand.c - what a server does about each command. Pure. */

#include "config.h"

#include <inttypes.h>

#include "smtp/servecommand.h"
#include "smtp/serveparameter.h"

static bool
has_transaction(const struct serve *s)
{
	return s->envelope.reverse_path != NULL;
}

static void
refuse_argument(struct serve *s)
{
	serve_reply(s, 501, "5.5.4", STR("this command takes no argument"));
}

static void
answer_ehlo(struct serve *s, struct str argument)
{
	if (argument.size == 0) {
		serve_reply(s, 501, "5.5.4", STR("EHLO needs a name"));
		return;
	}
	serve_reset(s);
	buf_printf(&s->out, "250-%s\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE",
	           s->offer->host_name);
	if (s->offer->size_most > 0)
		buf_printf(&s->out, " %" PRId64, s->offer->size_most);
	buf_add_text(&s->out, "\r\n");
}

static void
answer_helo(struct serve *s, struct str argument)
{
	if (argument.size == 0) {
		serve_reply(s, 501, "5.5.4", STR("HELO needs a name"));
		return;
	}
	serve_reset(s);
	serve_reply(s, 250, NULL, str_of(s->offer->host_name));
}

static void
refuse(struct serve *s, struct serveparameter_fault *fault)
{
	serve_reply(s, fault->code, fault->enhanced, buf_str(&fault->text));
	buf_free(&fault->text);
}

static void
answer_mail(struct serve *s, struct str argument)
{
	struct serveparameter_mail mail = {0};
	struct serveparameter_fault fault = {0};

	if (has_transaction(s)) {
		serve_reply(s, 503, "5.5.1", STR("a transaction has begun already"));
		return;
	}
	if (!serveparameter_read_mail(argument, &s->envelope, &mail, &fault)) {
		refuse(s, &fault);
		return;
	}
	if (s->offer->size_most > 0 && mail.size > (uint64_t)s->offer->size_most) {
		serve_reset(s);
		serve_reply(s, 552, "5.3.4", STR("the message is larger than this host takes"));
		return;
	}
	serve_reply(s, 250, "2.1.0", STR("Ok"));
}

static void
answer_rcpt(struct serve *s, struct str argument)
{
	struct serveparameter_fault fault = {0};

	if (!has_transaction(s))
		serve_reply(s, 503, "5.5.1", STR("MAIL first"));
	else if (s->envelope.n_recipients >= SERVE_RECIPIENTS_MOST)
		serve_reply(s, 452, "4.5.3", STR("too many recipients"));
	else if (serveparameter_read_rcpt(argument, &s->envelope, &fault))
		serve_reply(s, 250, "2.1.5", STR("Ok"));
	else {
		s->is_refused = true;
		refuse(s, &fault);
	}
}

static void
answer_data(struct serve *s, struct str argument)
{
	if (argument.size > 0)
		refuse_argument(s);
	else if (!has_transaction(s))
		serve_reply(s, 503, "5.5.1", STR("MAIL and RCPT first"));
	else if (s->envelope.n_recipients > 0) {
		serve_reply(s, 354, NULL, STR("End data with a lone dot"));
		s->stage = SERVE_TEXT;
	} else if (s->is_refused)
		serve_reply(s, 554, "5.5.1", STR("no valid recipients"));
	else
		serve_reply(s, 503, "5.5.1", STR("RCPT first"));
}

static void
answer_rset(struct serve *s, struct str argument)
{
	if (argument.size > 0) {
		refuse_argument(s);
		return;
	}
	serve_reset(s);
	serve_reply(s, 250, "2.0.0", STR("Ok"));
}

static void
answer_noop(struct serve *s, struct str argument)
{
	(void)argument;
	serve_reply(s, 250, "2.0.0", STR("Ok"));
}

static void
answer_vrfy(struct serve *s, struct str argument)
{
	if (argument.size == 0)
		serve_reply(s, 501, "5.5.4", STR("VRFY needs an address"));
	else
		serve_reply(s, 252, "2.1.5", STR("send some mail, and it will be tried"));
}

static void
answer_quit(struct serve *s, struct str argument)
{
	if (argument.size > 0) {
		refuse_argument(s);
		return;
	}
	serve_reply(s, 221, "2.0.0", STR("Bye"));
	s->stage = SERVE_CLOSE;
}

static void
answer_known(struct serve *s, struct str argument)
{
	(void)argument;
	serve_reply(s, 502, "5.5.1", STR("not offered here"));
}

static void answer_help(struct serve *s, struct str argument);

static const struct {
	struct str verb;
	void (*answer)(struct serve *s, struct str argument);
} commands[] = {
	{STR("EHLO"), answer_ehlo},
	{STR("HELO"), answer_helo},
	{STR("MAIL"), answer_mail},
	{STR("RCPT"), answer_rcpt},
	{STR("DATA"), answer_data},
	{STR("RSET"), answer_rset},
	{STR("NOOP"), answer_noop},
	{STR("VRFY"), answer_vrfy},
	{STR("HELP"), answer_help},
	{STR("QUIT"), answer_quit},
	{STR("EXPN"), answer_known},
	{STR("BDAT"), answer_known},
	{STR("AUTH"), answer_known},
	{STR("STARTTLS"), answer_known},
	{STR("ETRN"), answer_known},
};

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void
answer_help(struct serve *s, struct str argument)
{
	struct buf text = {0};

	(void)argument;
	buf_add_text(&text, "commands:");
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (commands[i].answer != answer_known)
			buf_printf(&text, " %.*s", STR_ARG(commands[i].verb));
	serve_reply(s, 214, "2.0.0", buf_str(&text));
	buf_free(&text);
}

void
servecommand_run(struct serve *s, struct str line)
{
	struct str verb, argument = str_trim(line);
	size_t end = str_find(argument, ' ');

	if (str_has_control(line)) {
		serve_reply(s, 500, "5.5.2", STR("control character in a command"));
		s->n_faults++;
		return;
	}
	verb = str_first(argument, end);
	argument = str_trim(str_from(argument, end));
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (!str_equals_nocase(verb, commands[i].verb))
			continue;
		s->n_faults = 0;
		commands[i].answer(s, argument);
		return;
	}
	serve_reply(s, 500, "5.5.2", STR("unknown command"));
	s->n_faults++;
}
