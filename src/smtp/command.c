/* command.c - the one place where SMTP and LMTP commands are written. Pure. */

#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "mail/address.h"
#include "smtp/command.h"

enum {
	LINE_MOST = 512,       /* a command line without extensions, with CRLF (RFC 5321 4.5.3.1.4); also AUTH with response */
	LINE_LONG_MOST = 2048, /* MAIL and RCPT with all parameters that we write (RFC 3461 5.1 and others) */
	ENVID_MOST = 100,      /* as it is written (RFC 3461 4.4) */
	ORCPT_MOST = 500       /* likewise, with its type (RFC 3461 4.2) */
};

static const struct {
	unsigned bit;
	const char *word;
} notify_words[] = {
	{NOTIFY_NEVER, "NEVER"},
	{NOTIFY_SUCCESS, "SUCCESS"},
	{NOTIFY_FAILURE, "FAILURE"},
	{NOTIFY_DELAY, "DELAY"},
};

/* Append line and CRLF, if it may be sent at all: the last check before the wire. */
static bool
add_line(struct buf *out, const struct buf *line, size_t most, struct err *err)
{
	if (str_has_control(buf_str(line))) {
		err_set(err, EX_DATAERR, "control character in a command: ");
		err_add_clean(&err->text, buf_str(line));
		return false;
	}
	if (line->size + 2 > most)
		return err_set(err, EX_DATAERR, "command line longer than %zu octets: %.40s...", most, buf_text(line));
	buf_add_str(out, buf_str(line));
	buf_add_text(out, "\r\n");
	return true;
}

bool
command_add(struct buf *out, const char *verb, const char *argument, struct err *err)
{
	struct buf line = {0};
	bool is_added;

	buf_add_text(&line, verb);
	if (argument != NULL)
		buf_printf(&line, " %s", argument);
	is_added = add_line(out, &line, LINE_MOST, err);
	buf_free(&line);
	return is_added;
}

/* "<mailbox>"; its domain in A-labels if it is not ASCII and SMTPUTF8 is not in use. */
static bool
add_path(struct buf *line, const char *mailbox, bool uses_smtputf8, struct err *err)
{
	const char *at = strrchr(mailbox, '@');

	if (mailbox[0] != '\0' && !address_is_safe(mailbox)) {
		err_set(err, EX_DATAERR, "this is no address that could be sent: ");
		err_add_clean(&err->text, str_of(mailbox));
		return false;
	}
	buf_add_char(line, '<');
	if (at == NULL || uses_smtputf8 || !str_has_8bit(str_of(at)))
		buf_add_text(line, mailbox);
	else {
		buf_add(line, mailbox, (size_t)(at + 1 - mailbox));
		if (!address_add_ascii_domain(line, at + 1, err))
			return false;
	}
	buf_add_char(line, '>');
	return true;
}

/* xtext of RFC 3461 section 4: '+', '=', blanks, controls and 8-bit octets as +HH. */
static void
add_xtext(struct buf *line, struct str text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (c <= ' ' || c >= 0x7f || c == '+' || c == '=')
			buf_printf(line, "+%02X", (unsigned char)c);
		else
			buf_add_char(line, c);
	}
}

/* Append " KEYWORD" with text in xtext, unless that is longer than servers have to take or not printable ASCII (RFC 3461 4.2,
 * 4.4): a message without it is better than a refused one. */
static void
add_xtext_parameter(struct buf *line, const char *keyword, const char *text, size_t most)
{
	struct buf value = {0};

	add_xtext(&value, str_of(text));
	if (value.size > 0 && value.size <= most && !str_has_8bit(str_of(text)) && !str_has_control(str_of(text)))
		buf_printf(line, " %s%s", keyword, buf_text(&value));
	buf_free(&value);
}

bool
command_needs_smtputf8(const struct envelope *envelope, const struct message *message)
{
	return envelope_needs_smtputf8(envelope) || message_needs_smtputf8(message);
}

static void
add_mail_parameters(struct buf *line, const struct envelope *envelope, const struct message *message,
                    const struct caps *caps)
{
	if (caps->has_size)
		buf_printf(line, " SIZE=%" PRId64, message->wire_size);
	if (caps->has_8bitmime && message->has_8bit_body)
		buf_add_text(line, " BODY=8BITMIME");
	if (caps->has_smtputf8 && command_needs_smtputf8(envelope, message))
		buf_add_text(line, " SMTPUTF8");
	if (caps->has_requiretls && envelope->requires_tls)
		buf_add_text(line, " REQUIRETLS");
	if (!caps->has_dsn)
		return;
	if (envelope->wants_full_return || envelope->wants_headers_return)
		buf_printf(line, " RET=%s", envelope->wants_full_return ? "FULL" : "HDRS");
	add_xtext_parameter(line, "ENVID=", envelope->envid, ENVID_MOST);
}

bool
command_add_mail(struct buf *out, const struct envelope *envelope, const struct message *message, const struct caps *caps,
                 struct err *err)
{
	bool uses_smtputf8 = caps->has_smtputf8 && command_needs_smtputf8(envelope, message);
	struct buf line = {0};
	bool is_added;

	buf_add_text(&line, "MAIL FROM:");
	is_added = add_path(&line, envelope->reverse_path, uses_smtputf8, err);
	if (is_added) {
		add_mail_parameters(&line, envelope, message, caps);
		is_added = add_line(out, &line, LINE_LONG_MOST, err);
	}
	buf_free(&line);
	return is_added;
}

static void
add_rcpt_parameters(struct buf *line, const struct recipient *recipient)
{
	bool is_first = true;

	for (size_t i = 0; i < sizeof(notify_words) / sizeof(notify_words[0]); i++) {
		if ((recipient->notify & notify_words[i].bit) == 0)
			continue;
		buf_add_text(line, is_first ? " NOTIFY=" : ",");
		buf_add_text(line, notify_words[i].word);
		is_first = false;
	}
	add_xtext_parameter(line, "ORCPT=rfc822;", recipient->original, ORCPT_MOST - (sizeof("rfc822;") - 1));
}

bool
command_add_rcpt(struct buf *out, const struct recipient *recipient, bool uses_smtputf8, const struct caps *caps,
                 struct err *err)
{
	struct buf line = {0};
	bool is_added;

	buf_add_text(&line, "RCPT TO:");
	is_added = add_path(&line, recipient->mailbox, uses_smtputf8, err);
	if (is_added) {
		if (caps->has_dsn)
			add_rcpt_parameters(&line, recipient);
		is_added = add_line(out, &line, LINE_LONG_MOST, err);
	}
	buf_free(&line);
	return is_added;
}

bool
command_add_auth(struct buf *out, const char *mechanism, const char *initial, bool *is_complete, struct err *err)
{
	size_t size = strlen("AUTH ") + strlen(mechanism) + strlen(" \r\n") + (initial != NULL ? strlen(initial) : 0);

	*is_complete = initial != NULL && size <= LINE_MOST;
	if (!*is_complete)
		return command_add(out, "AUTH", mechanism, err);
	/* No temporary copy: the response is a secret. */
	if (str_has_control(str_of(mechanism)) || str_has_control(str_of(initial)))
		return err_set(err, EX_SOFTWARE, "control character in an AUTH command");
	buf_reserve(out, size);
	buf_add_text(out, "AUTH ");
	buf_add_text(out, mechanism);
	buf_add_char(out, ' ');
	buf_add_text(out, initial);
	buf_add_text(out, "\r\n");
	return true;
}

void
command_add_bdat(struct buf *out, int64_t size, bool is_last)
{
	buf_printf(out, "BDAT %" PRId64 "%s\r\n", size, is_last ? " LAST" : "");
}
