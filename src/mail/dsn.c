/* dsn.c - a delivery status notification as the text of a message. Reads the original by message_bytes(). RFC 3461, RFC 3464,
 * RFC 6522, RFC 6533. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "mail/address.h"
#include "mail/dsnpart.h"
#include "mail/mime.h"

enum {
	BLOCK_SIZE = 64 * 1024,
	LINE_MOST = 998,        /* octets (RFC 5322 2.1.1) */
	MESSAGE_ID_MOST = 900,
	UNIQUE_MOST = 40        /* of it in the boundary, which may have 70 characters (RFC 2046 5.1.1) */
};

/* What stands behind the Message-ID's own part in every notification. */
static const char own_mark[] = ".dsn@";

/* The bodies of the three parts. */
struct parts {
	struct buf text;
	struct buf status;
	struct buf original;
	bool is_whole;       /* the original is there with its body */
	bool is_global;      /* UTF-8 in addresses or the original's header */
	struct buf boundary;
};

static const char *const subjects[] = {
	[DSN_FAILED] = "Undelivered Mail Returned to Sender",
	[DSN_DELAYED] = "Delayed Mail (still being retried)",
};

bool
dsn_is_wanted(const struct envelope *envelope, enum dsn_action action)
{
	for (size_t i = 0; i < envelope->n_recipients; i++)
		if (dsnpart_is_about(&envelope->recipients[i], action))
			return true;
	return false;
}

bool
dsn_is_own(const char *message_id)
{
	return message_id != NULL && message_id[0] == '<' && strstr(message_id, own_mark) != NULL;
}

/* --- the original ----------------------------------------------------------------------------------------------------- */

static bool
add_bytes(struct buf *b, const struct message *message, int64_t size, struct err *err)
{
	int64_t offset = 0;

	while (offset < size) {
		size_t step = size - offset < BLOCK_SIZE ? (size_t)(size - offset) : BLOCK_SIZE;
		ssize_t n = message_bytes(message, offset, buf_reserve(b, step), step, err);

		if (n < 0)
			return false;
		if (n == 0)
			return err_set(err, EX_IOERR, "the message ends after %lld bytes", (long long)offset);
		buf_grow(b, (size_t)n);
		offset += n;
	}
	return true;
}

/* Append text with lines that are too long folded: before the last blank that fits, or anywhere, at no character's expense. */
static void
add_folded(struct buf *b, struct str text)
{
	struct str line = {0};

	while (str_next_token(&text, '\n', &line)) {
		while (line.size > LINE_MOST) {
			size_t size = LINE_MOST - 1;

			while (size > LINE_MOST / 2 && !ascii_is_blank(line.data[size]))
				size--;
			if (!ascii_is_blank(line.data[size])) {
				size = LINE_MOST - 1;
				while (size > LINE_MOST / 2 && ((unsigned char)line.data[size] & 0xc0) == 0x80)
					size--;
			}
			buf_add_str(b, str_first(line, size));
			buf_add_text(b, ascii_is_blank(line.data[size]) ? "\n" : "\n ");
			line = str_from(line, size);
		}
		buf_add_str(b, line);
		buf_add_char(b, '\n');
	}
}

static bool
add_header_section(struct buf *b, const struct message *message, struct err *err)
{
	struct buf section = {0};
	bool is_well = add_bytes(&section, message, message->header_size, err);

	if (is_well)
		add_folded(b, buf_str(&section));
	buf_free(&section);
	return is_well;
}

static bool
wants_whole(const struct dsn *dsn)
{
	/* RFC 8689 section 5: a message that must not be read on its way does not come back whole, whatever was asked for. */
	if (dsn->envelope->wants_headers_return || dsn->envelope->requires_tls)
		return false;
	if (dsn->envelope->wants_full_return)
		return dsn->message->size <= DSN_FULL_MOST;
	return dsn->action == DSN_FAILED && dsn->message->size <= DSN_WHOLE_MOST;
}

/* Append the whole original, long lines and NUL encoded where that can be done. *is_added: it could. */
static bool
add_whole(struct buf *b, const struct message *message, bool *is_added, struct err *err)
{
	struct message encoded = {0};
	const struct mime_server any = {.takes_8bit = true, .takes_utf8 = true};
	struct mime_result result = {0};
	bool is_well = true;

	if (mime_is_needed(message, any))
		is_well = mime_encode(message, any, &encoded, &result, err);
	if (result.is_changed)
		message = &encoded;
	*is_added = message->longest_line <= LINE_MOST && !message->has_nul;
	if (is_well && *is_added)
		is_well = add_bytes(b, message, message->size, err);
	message_free(&encoded);
	return is_well;
}

static bool
add_original(struct parts *parts, const struct dsn *dsn, struct err *err)
{
	if (wants_whole(dsn) && !add_whole(&parts->original, dsn->message, &parts->is_whole, err))
		return false;
	return parts->is_whole || add_header_section(&parts->original, dsn->message, err);
}

/* --- the notification ------------------------------------------------------------------------------------------------- */

static bool
needs_utf8(const struct dsn *dsn)
{
	for (size_t i = 0; i < dsn->envelope->n_recipients; i++) {
		const struct recipient *recipient = &dsn->envelope->recipients[i];

		if (dsnpart_is_about(recipient, dsn->action) &&
		    (str_has_8bit(str_of(recipient->mailbox)) || str_has_8bit(str_of(recipient->original))))
			return true;
	}
	return dsn->message->has_utf8_header;
}

static bool
occurs_in(const struct buf *text, const struct buf *words)
{
	return text->size > 0 && memmem(text->data, text->size, words->data, words->size) != NULL;
}

/* '=' followed by '_' can stand neither in quoted-printable nor in base64; whatever else there is was looked through. */
static void
choose_boundary(struct parts *parts, const char *unique)
{
	size_t n = 0;

	do {
		buf_clear(&parts->boundary);
		buf_add_text(&parts->boundary, "=_");
		for (size_t i = 0; unique[i] != '\0' && parts->boundary.size < UNIQUE_MOST; i++)
			if (ascii_is_alpha(unique[i]) || ascii_is_digit(unique[i]))
				buf_add_char(&parts->boundary, unique[i]);
		buf_printf(&parts->boundary, "_%zu", n++);
	} while (occurs_in(&parts->text, &parts->boundary) || occurs_in(&parts->status, &parts->boundary) ||
	         occurs_in(&parts->original, &parts->boundary));
}

/* May the original's identifier stand in a field of ours? */
static bool
is_sound_id(const char *message_id)
{
	struct str id = str_of(message_id);

	return id.size > 2 && id.size <= MESSAGE_ID_MOST && id.data[0] == '<' && id.data[id.size - 1] == '>' &&
	       !str_has_control(id) && !str_has_8bit(id) && str_find(id, ' ') == id.size;
}

void
dsn_add_message_id(struct buf *b, const struct dsn *dsn)
{
	struct buf domain = {0};
	struct err ignored = {0};

	if (dsn->id_domain == NULL || dsn->id_domain[0] == '\0' || !address_add_ascii_domain(&domain, dsn->id_domain, &ignored)) {
		buf_clear(&domain);
		buf_add_text(&domain, "localhost");
	}
	buf_printf(b, "<%s%s%s>", dsn->unique, own_mark, buf_text(&domain));
	buf_free(&domain);
	err_clear(&ignored);
}

static void
add_header(struct buf *b, const struct dsn *dsn)
{
	buf_add_text(b, "From: ");
	address_add_header(b, dsn->from_name, dsn->from_mailbox);
	buf_add_text(b, "\nTo: ");
	address_add_header(b, NULL, dsn->to_mailbox);
	buf_printf(b, "\nSubject: %s\nDate: ", subjects[dsn->action]);
	clock_add_date(b, dsn->now);
	buf_add_text(b, "\nMessage-ID: ");
	dsn_add_message_id(b, dsn);
	buf_add_char(b, '\n');
	if (is_sound_id(dsn->message_id))
		buf_printf(b, "In-Reply-To: %s\nReferences: %s\n", dsn->message_id, dsn->message_id);
	buf_add_text(b, "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n");
}

static void
add_part(struct buf *b, const struct parts *parts, const char *type, const char *description, const struct buf *body)
{
	buf_printf(b, "\n--%s\nContent-Type: %s\nContent-Description: %s\n", buf_text(&parts->boundary), type, description);
	if (str_has_8bit(buf_str(body)))
		buf_add_text(b, "Content-Transfer-Encoding: 8bit\n");
	buf_add_char(b, '\n');
	buf_add_str(b, buf_str(body));
}

static const char *
type_of_original(const struct parts *parts)
{
	if (parts->is_global)
		return parts->is_whole ? "message/global" : "message/global-headers";
	return parts->is_whole ? "message/rfc822" : "text/rfc822-headers";
}

static void
add_parts(struct buf *b, const struct parts *parts)
{
	bool is_8bit = str_has_8bit(buf_str(&parts->text)) || str_has_8bit(buf_str(&parts->status)) ||
	               str_has_8bit(buf_str(&parts->original));

	buf_printf(b, "Content-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"%s\"\n",
	           buf_text(&parts->boundary));
	if (is_8bit)
		buf_add_text(b, "Content-Transfer-Encoding: 8bit\n");
	buf_add_text(b, "\nThis is a notification in the format of RFC 3464.\n");
	add_part(b, parts, str_has_8bit(buf_str(&parts->text)) ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii",
	         "Notification", &parts->text);
	add_part(b, parts, parts->is_global ? "message/global-delivery-status" : "message/delivery-status", "Delivery report",
	         &parts->status);
	add_part(b, parts, type_of_original(parts), parts->is_whole ? "Undelivered message" : "Headers of the message",
	         &parts->original);
	buf_printf(b, "\n--%s--\n", buf_text(&parts->boundary));
}

bool
dsn_add(struct buf *b, const struct dsn *dsn, struct err *err)
{
	struct parts parts = {.is_global = needs_utf8(dsn)};
	bool is_well = add_original(&parts, dsn, err);

	if (is_well) {
		dsnpart_add_text(&parts.text, dsn);
		dsnpart_add_status(&parts.status, dsn, parts.is_global);
		choose_boundary(&parts, dsn->unique);
		add_header(b, dsn);
		add_parts(b, &parts);
	}
	buf_free(&parts.text);
	buf_free(&parts.status);
	buf_free(&parts.original);
	buf_free(&parts.boundary);
	return is_well;
}
