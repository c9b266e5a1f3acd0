/* dsnpart.c - the two parts of a notification that are written anew. Pure. RFC 3464, RFC 6533. */

#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/domain.h"
#include "mail/address.h"
#include "mail/dsnpart.h"
#include "mail/word.h"

enum {
	LINE_MOST = 76,  /* columns; longer lines are folded where there is a blank */
	VALUE_MOST = 400 /* bytes of what others said, cleaned */
};

bool
dsnpart_is_about(const struct recipient *recipient, enum dsn_action action)
{
	unsigned wanted = action == DSN_FAILED ? NOTIFY_FAILURE : NOTIFY_DELAY;

	if (recipient->notify != 0 && (recipient->notify & wanted) == 0)
		return false;
	if (action == DSN_FAILED)
		return recipient->outcome.state == OUTCOME_FAILED;
	return recipient->outcome.state == OUTCOME_PENDING || recipient->outcome.state == OUTCOME_DEFERRED;
}

/* Append text cleaned, at most VALUE_MOST bytes of it, no character split. */
static void
add_clean(struct buf *b, const char *text)
{
	size_t from = b->size;
	size_t size;

	err_add_clean(b, str_first(str_of(text), VALUE_MOST + 4));
	size = b->size - from;
	if (size <= VALUE_MOST)
		return;
	size = VALUE_MOST;
	while (size > 0 && ((unsigned char)b->data[from + size] & 0xc0) == 0x80)
		size--;
	buf_truncate(b, from + size);
}

static void
add_reply(struct buf *b, const struct outcome *outcome)
{
	if (outcome->reply_code != 0)
		buf_printf(b, "%d ", outcome->reply_code);
	if (outcome->reply_code != 0 && outcome->enhanced[0] != 0)
		buf_printf(b, "%u.%u.%u ", outcome->enhanced[0], outcome->enhanced[1], outcome->enhanced[2]);
	add_clean(b, outcome->text);
}

/* --- for people ------------------------------------------------------------------------------------------------------- */

static const char *
fate_of(const struct dsn *dsn, const struct outcome *outcome)
{
	bool is_failure = dsn->action == DSN_FAILED;

	if (outcome->reply_code == 0)
		return is_failure ? "given up" : "no success yet";
	return is_failure ? "refused" : "not taken for now";
}

static void
add_fate(struct buf *b, const struct dsn *dsn, const struct recipient *recipient)
{
	const struct outcome *outcome = &recipient->outcome;

	buf_add_char(b, '<');
	add_clean(b, recipient->mailbox);
	buf_add_char(b, '>');
	if (recipient->original != NULL && strcmp(recipient->original, recipient->mailbox) != 0) {
		buf_add_text(b, " (sent to <");
		add_clean(b, recipient->original);
		buf_add_text(b, ">)");
	}
	if (outcome->text[0] == '\0' && outcome->reply_code == 0) {
		buf_printf(b, "\n    %s\n", dsn->action == DSN_FAILED ? "given up" : "not tried yet");
	} else {
		buf_printf(b, "\n    %s", fate_of(dsn, outcome));
		if (outcome->host[0] != '\0') {
			buf_add_text(b, outcome->reply_code != 0 ? " by " : ", host ");
			add_clean(b, outcome->host);
		}
		if (outcome->stage != OUTCOME_LOCALLY)
			buf_printf(b, " (%s)", outcome_stage_name(outcome->stage));
		buf_add_text(b, ":\n    ");
		add_reply(b, outcome);
		buf_add_char(b, '\n');
	}
	if (outcome->may_be_duplicate)
		buf_add_text(b, "    The message was sent there and no answer came: it may have arrived nevertheless.\n");
	buf_add_char(b, '\n');
}

static void
add_prospect(struct buf *b, const struct dsn *dsn, size_t n)
{
	const char *whom = n == 1 ? "this recipient" : "these recipients";

	if (dsn->action == DSN_FAILED) {
		buf_printf(b, "It could not be delivered to %s, and will not be tried again:\n\n", whom);
		return;
	}
	buf_printf(b, "It could not be delivered to %s yet. It will be tried again", whom);
	if (dsn->retry_until != 0) {
		buf_add_text(b, " until\n");
		clock_add_date(b, dsn->retry_until);
	}
	buf_add_text(b, ". There is nothing for you to do.\n\n");
}

/* Whoever reads it may not be who wrote the message. */
static void
add_subject(struct buf *b, const struct dsn *dsn)
{
	if (address_equals(dsn->envelope->reverse_path, dsn->to_mailbox)) {
		buf_add_text(b, "your message");
		return;
	}
	buf_add_text(b, "the message from\n<");
	add_clean(b, dsn->envelope->reverse_path);
	buf_add_char(b, '>');
}

static void
add_commands(struct buf *b, const struct dsn *dsn)
{
	struct buf id = {0};

	add_clean(&id, dsn->queue_id);
	buf_printf(b, "Queue id: %s\n", buf_text(&id));
	if (dsn->action == DSN_FAILED)
		buf_printf(b, "The message is kept there for a while. To look at it, or to try it once more:\n"
		              "    " PACKAGE_NAME " --show=%s\n    " PACKAGE_NAME " --retry=%s\n", buf_text(&id), buf_text(&id));
	else
		buf_printf(b, "To look at it, or to give it up:\n"
		              "    " PACKAGE_NAME " --show=%s\n    " PACKAGE_NAME " --remove=%s\n", buf_text(&id), buf_text(&id));
	buf_free(&id);
}

void
dsnpart_add_text(struct buf *b, const struct dsn *dsn)
{
	const struct envelope *envelope = dsn->envelope;
	size_t n_delivered = envelope_count(envelope, OUTCOME_DELIVERED);
	size_t n = 0;

	for (size_t i = 0; i < envelope->n_recipients; i++)
		n += dsnpart_is_about(&envelope->recipients[i], dsn->action);
	buf_add_text(b, "This is " PACKAGE_NAME " on ");
	add_clean(b, dsn->reporting_host);
	buf_add_text(b, ". It is about ");
	add_subject(b, dsn);
	buf_add_text(b, " of\n");
	clock_add_date(b, dsn->arrival);
	buf_add_text(b, ".\n\n");
	add_prospect(b, dsn, n);
	for (size_t i = 0; i < envelope->n_recipients; i++)
		if (dsnpart_is_about(&envelope->recipients[i], dsn->action))
			add_fate(b, dsn, &envelope->recipients[i]);
	if (n_delivered > 0)
		buf_printf(b, "It was delivered to %zu other recipient%s.\n\n", n_delivered, n_delivered == 1 ? "" : "s");
	add_commands(b, dsn);
}

/* --- for programs ----------------------------------------------------------------------------------------------------- */

/* Append text cleaned; in ASCII unless is_global. */
static void
add_value(struct buf *b, const char *text, bool is_global)
{
	struct buf clean = {0};

	add_clean(&clean, text);
	for (size_t i = 0; i < clean.size; i++) {
		if (is_global || (unsigned char)clean.data[i] < 0x80)
			buf_add_char(b, clean.data[i]);
		else
			buf_printf(b, "\\x%02x", (unsigned char)clean.data[i]);
	}
	buf_free(&clean);
}

/* Append "NAME: VALUE", folded before blanks, which stay. */
static void
add_field(struct buf *b, const char *name, struct str value)
{
	bool is_first = true;

	value = str_trim(value);
	buf_printf(b, "%s: ", name);
	while (value.size > 0) {
		size_t size = 0;

		while (size < value.size && value.data[size] == ' ')
			size++;
		size += str_find(str_from(value, size), ' ');
		if (!is_first && word_column(b) + size > LINE_MOST)
			buf_add_char(b, '\n');
		is_first = false;
		buf_add_str(b, str_first(value, size));
		value = str_from(value, size);
	}
	buf_add_char(b, '\n');
}

/* The same for "NAME: TYPE; TEXT"; type may be NULL. No field for a text that is empty or NULL. */
static void
add_typed(struct buf *b, const char *name, const char *type, const char *text, bool is_global)
{
	struct buf value = {0};

	if (text == NULL || str_trim(str_of(text)).size == 0)
		return;
	if (type != NULL)
		buf_printf(&value, "%s; ", type);
	add_value(&value, text, is_global);
	add_field(b, name, buf_str(&value));
	buf_free(&value);
}

static void
add_address(struct buf *b, const char *name, const char *address, bool is_global)
{
	add_typed(b, name, address != NULL && str_has_8bit(str_of(address)) ? "utf-8" : "rfc822", address, is_global);
}

static void
add_time(struct buf *b, const char *name, time_t when)
{
	struct buf value = {0};

	if (when == 0)
		return;
	clock_add_date(&value, when);
	add_field(b, name, buf_str(&value));
	buf_free(&value);
}

static void
add_status(struct buf *b, const struct dsn *dsn, const struct outcome *outcome)
{
	if (outcome->enhanced[0] != 0)
		buf_printf(b, "Status: %u.%u.%u\n", outcome->enhanced[0], outcome->enhanced[1], outcome->enhanced[2]);
	else
		buf_printf(b, "Status: %d.0.0\n", dsn->action == DSN_FAILED ? 5 : 4);
}

/* The host as a name where it is one; an address of the network stands in brackets, and the path of a socket is no matter of
 * the DNS. */
static void
add_host(struct buf *b, const char *host, bool is_global)
{
	struct buf value = {0};
	bool is_number = strchr(host, ':') != NULL || host[strspn(host, "0123456789.")] == '\0';

	if (host[0] == '\0')
		return;
	if (host[0] == '/') {
		add_typed(b, "Remote-MTA", "x-local", host, is_global);
		return;
	}
	if (is_number && host[0] != '[')
		buf_printf(&value, "[%s%s]", strchr(host, ':') != NULL ? "IPv6:" : "", host);
	else if (domain_add_ascii(&value, str_of(host)) != NULL)
		buf_add_text(&value, host);
	add_typed(b, "Remote-MTA", "dns", buf_text(&value), is_global);
	buf_free(&value);
}

/* Only what a server said is of type smtp (RFC 3464 2.3.6). */
static void
add_diagnostic(struct buf *b, const struct outcome *outcome, bool is_global)
{
	struct buf reply = {0};

	add_reply(&reply, outcome);
	add_typed(b, "Diagnostic-Code", outcome->reply_code != 0 ? "smtp" : "x-" PACKAGE_NAME, buf_text(&reply), is_global);
	buf_free(&reply);
}

static void
add_recipient(struct buf *b, const struct dsn *dsn, const struct recipient *recipient, bool is_global)
{
	const struct outcome *outcome = &recipient->outcome;

	buf_add_char(b, '\n');
	add_address(b, "Original-Recipient", recipient->original, is_global);
	add_address(b, "Final-Recipient", recipient->mailbox, is_global);
	buf_printf(b, "Action: %s\n", dsn->action == DSN_FAILED ? "failed" : "delayed");
	add_status(b, dsn, outcome);
	add_host(b, outcome->host, is_global);
	add_diagnostic(b, outcome, is_global);
	add_time(b, "Last-Attempt-Date", dsn->tried);
	if (dsn->action == DSN_DELAYED)
		add_time(b, "Will-Retry-Until", dsn->retry_until);
}

void
dsnpart_add_status(struct buf *b, const struct dsn *dsn, bool is_global)
{
	const struct envelope *envelope = dsn->envelope;

	add_typed(b, "Reporting-MTA", "dns", dsn->reporting_host, is_global);
	/* Decoded of xtext, as RFC 3461 6.3 wants it. */
	add_typed(b, "Original-Envelope-Id", NULL, envelope->envid, is_global);
	add_typed(b, "X-Mailcrane-Queue-ID", NULL, dsn->queue_id, is_global);
	add_time(b, "Arrival-Date", dsn->arrival);
	for (size_t i = 0; i < envelope->n_recipients; i++)
		if (dsnpart_is_about(&envelope->recipients[i], dsn->action))
			add_recipient(b, dsn, &envelope->recipients[i], is_global);
}
