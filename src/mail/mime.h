/* mime.h - re-encodes of a message what a server cannot take: 8-bit octets, lines of more than 998 octets, NUL; and raw UTF-8
 * in its header section.
 *
 * What can be encoded is: the body of a message, or of a part of a multipart at any depth, of a message within too, with
 * the Content-Transfer-Encoding 7bit, 8bit, binary or none. Text becomes quoted-printable, other content base64 where that is
 * shorter. Only the header fields that tell of it change: Content-Transfer-Encoding (of the parts around as well, if it says
 * 8bit or binary), and where they are missing MIME-Version and Content-Type: text/plain in the charset utf-8, unknown-8bit
 * or us-ascii. Of the message's own header section, fields with raw UTF-8 are changed as mail/recode.h says. Everything else
 * stays byte for byte.
 *
 * What cannot be encoded without breaking it stays as it is: multipart/signed and multipart/encrypted (RFC 1847), what is
 * encoded already, boundary lines and what surrounds them, header sections of parts. It is sent nevertheless, and the caller
 * is told to warn. Only NUL is dropped there, for no server may be sent one (RFC 5321 4.1.1.4, RFC 5322 3.5). */

#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include "mail/message.h"

/* What the server takes. */
struct mime_server {
	bool takes_8bit; /* 8BITMIME */
	bool takes_utf8; /* SMTPUTF8 */
};

struct mime_result {
	bool is_changed;       /* false: the message can be sent as it is, or nothing can be done */
	bool keeps_8bit;       /* 8-bit octets stay although the server does not take them */
	bool keeps_8bit_header; /* so do some in the header section, which is no reason to warn: servers seldom mind */
	bool keeps_long_lines; /* lines of more than 998 octets stay */
	bool drops_nul;        /* NUL was dropped, not encoded */
};

/* May something in the message have to be re-encoded for this server? */
bool mime_is_needed(const struct message *message, struct mime_server server);

/* Are there raw 8-bit octets in the header section that the server cannot be given? SMTPUTF8 helps where all of it is UTF-8. */
bool mime_has_bad_header(const struct message *message, struct mime_server server);

/* Make the re-encoded message `out`, in memory or a spool file as message_read() does, if anything changes; else out is
 * zeroed. out is the caller's to free. False: the message cannot be read, or a spool file not be written. */
bool mime_encode(const struct message *in, struct mime_server server, struct message *out, struct mime_result *result,
                 struct err *err);

/* What to warn people of, or NULL. Constant text. */
const char *mime_warning(const struct mime_result *result);

#endif
