/* caps.h - what a server says it can do: the keywords of its EHLO or LHLO reply (RFC 5321 4.1.1.1). Pure. */

#ifndef SMTP_CAPS_H
#define SMTP_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct caps {
	bool has_pipelining;    /* RFC 2920 */
	bool has_chunking;      /* RFC 3030 */
	bool has_8bitmime;      /* RFC 6152 */
	bool has_smtputf8;      /* RFC 6531 */
	bool has_dsn;           /* RFC 3461 */
	bool has_size;          /* RFC 1870 */
	bool has_starttls;      /* RFC 3207 */
	bool has_auth;          /* RFC 4954 */
	bool has_etrn;          /* RFC 1985 */
	bool has_limits;        /* RFC 9422 */
	bool has_requiretls;    /* RFC 8689; counts inside TLS only */
	uint64_t size_most;     /* bytes of the largest message; 0: no limit known */
	uint64_t rcpt_most;     /* LIMITS RCPTMAX (RFC 9422): recipients in one transaction; 0: no limit known */
	uint64_t mail_most;     /* LIMITS MAILMAX: transactions in one session; 0: no limit known */
	struct buf mechanisms;  /* words behind AUTH, separated by blanks */
	struct buf text;        /* the keyword lines as they came, joined by LF; raw */
};

/* Forget everything, then read the text of a reply (lines joined by LF, the first one is the server's name). Keywords are
 * compared without case and as whole words; unknown ones are ignored; a limit that is no number, or too large for one,
 * is no limit. */
void caps_read(struct caps *caps, struct str reply_text);

void caps_free(struct caps *caps);

#endif
