/* message.h - one message: read to its end, repaired once, immutable from then on.
 *
 * message_read() takes a message from a descriptor, makes it canonical and keeps it in memory while it is small, in an
 * unlinked spool file when it is larger, so memory does not grow with its size. What is kept has LF line ends, ends with one,
 * and its header section is complete; the wire form (CRLF, dots doubled) is made while sending. */

#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "mail/address.h"
#include "mail/envelope.h"

struct message {
	struct buf memory;      /* the bytes, when is_in_memory */
	bool is_in_memory;
	int fd;                 /* else the bytes begin at `start` of this descriptor; owned. Meaningless when in memory */
	int64_t start;
	int64_t size;           /* bytes as kept (LF line ends) */
	int64_t header_size;    /* bytes of the header section, without the empty line */
	int64_t wire_size;      /* bytes with CRLF, before dot-stuffing: what SIZE announces (RFC 1870) */
	int64_t longest_line;   /* bytes of the longest line, without its end */
	bool has_8bit_body;     /* an octet above 0x7f after the header section */
	bool has_8bit_header;
	bool has_utf8_header;   /* and all of it is UTF-8 */
	bool has_nul;           /* in the body; in the header section there is none */
	bool waives_tls;        /* "TLS-Required: No" (RFC 8689 section 3): rather without TLS than not at all. Relaxes what
	                           domains publish, never an account's settings; nothing beside envelope.requires_tls */
	int64_t ignored_size;   /* bytes that stood behind the lone dot that ended the message, as far as they were there */
	bool is_open;           /* message_free() has something to do */
};

struct identity;

/* What to do with a message while it is read. Zeroed: nothing is added but what is missing. */
struct message_rules {
	const char *from_mailbox;     /* for a generated From; NULL: none is made */
	const char *from_name;        /* display name of a generated From; NULL: none */
	const char *message_id_domain;
	const struct identity *identity; /* for local mailboxes in From, Sender, Resent-From, Resent-Sender; NULL: they stay */
	const char *qualify_domain;   /* for bare addresses in From, Sender, Reply-To, To, Cc and Resent-; NULL: they stay */
	time_t now;                   /* for Date and Message-ID */
	bool keeps_bcc;               /* remove_bcc_headers off */
	bool replaces_from;           /* set_from_header on */
	bool never_adds_from;         /* set_from_header off */
	bool never_adds_date;
	bool never_adds_message_id;
	bool replaces_to;             /* set_to_header on: To, Cc, Bcc go, one To lists the envelope's recipients */
	bool hides_recipients;        /* undisclosed_recipients: "To: undisclosed-recipients:;" */
	bool repairs_nothing;         /* repair off: nothing but Bcc is removed, nothing is added or changed, but for what
	                               * identity, replaces_ and hides_ ask for */
	bool adds_to;                 /* repair full: "To: undisclosed-recipients:;" when there is neither To nor Cc */
	bool ends_at_lone_dot;        /* a line with a single dot ends the message; `decide` comes too late to change it */
	bool reads_recipients;        /* -t: collect recipients from To, Cc, Bcc, or the first Resent- block's that has any */
	bool reads_sender;            /* --read-envelope-from: collect the first mailbox of From */
	int64_t size_limit;           /* of what is kept; 0: none. More is EX_DATAERR */
};

/* What was found in the header section for the caller. The caller frees it. */
struct message_found {
	struct address_list recipients;
	char *sender;       /* mailbox of the first From; NULL: none, or not asked for */
	bool has_author;    /* no From (of a resent message: Resent-From) will have to be added */
	char *message_id;   /* with angle brackets, as kept in the message; NULL: none */
};

/* Read fd to its end. The header section is complete first (found is filled), then `decide` (may be NULL) is called once with
 * what was found and may still change the rules, e.g. choose the account by From, or the recipients that replaces_to
 * lists; returning false stops with err. Header section at most 1 MiB and 10000 fields, else EX_DATAERR. A read error is
 * EX_IOERR and the message is not usable. At the end the whole of fd was read also when an error came (drained up to 64 MiB
 * or 10 s), so that the writer is not killed by SIGPIPE. Only behind a lone dot nothing is waited for. */
struct message_source {
	int fd;
	bool (*decide)(void *context, const struct message_found *found, struct message_rules *rules, struct err *err);
	void *context;
	const struct envelope *envelope; /* for replaces_to; may be NULL */
};
bool message_read(struct message *message, const struct message_source *source, struct message_rules *rules,
                  struct message_found *found, struct err *err);

/* Read away what is left of fd, so that its writer is not killed by SIGPIPE: to its end, but at most 64 MiB and at most wait_ms
 * (0: what is there already), and nothing of a terminal. Returns the number of bytes. For errors found before
 * message_read() as well. */
int64_t message_drain(int fd, int wait_ms);

/* Copy up to size bytes from `offset` of the kept form into data. Returns the number of bytes, 0 at the end, -1 with err
 * (EX_IOERR). */
ssize_t message_bytes(const struct message *message, int64_t offset, void *data, size_t size, struct err *err);

/* Must the header be sent by SMTPUTF8 (raw UTF-8 in it)? Octets of another charset are as wrong with it as without. */
bool message_needs_smtputf8(const struct message *message);

void message_free(struct message *message);
void message_found_free(struct message_found *found);

#endif
