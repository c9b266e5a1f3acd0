/* content.h - what the header section of a message or a part of one says about its body (RFC 2045). Pure. */

#ifndef MAIL_CONTENT_H
#define MAIL_CONTENT_H

#include <stdbool.h>

#include "base/str.h"

enum content_kind {
	CONTENT_TEXT,      /* text/..., or nothing said */
	CONTENT_DATA,      /* anything else that may be encoded as a whole, message/global (RFC 6532) too */
	CONTENT_MULTIPART, /* with a boundary; its parts may be changed */
	CONTENT_MESSAGE,   /* message/rfc822 and message/news: a header section and a body of its own */
	CONTENT_SEALED     /* not to be changed: multipart/signed, multipart/encrypted, other message/..., what is encoded
	                      already or in an unknown way, a multipart that contradicts itself */
};

enum content_encoding {
	CONTENT_7BIT, /* or nothing said */
	CONTENT_8BIT,
	CONTENT_BINARY,
	CONTENT_ENCODED /* quoted-printable, base64, something unknown, or several that disagree */
};

struct content {
	enum content_kind kind;
	enum content_encoding encoding;
	bool is_digest;    /* multipart/digest: a part that says nothing is a message */
	bool has_version;  /* MIME-Version */
	bool has_type;     /* Content-Type */
	bool has_encoding; /* Content-Transfer-Encoding */
	char *boundary;    /* of CONTENT_MULTIPART, at most CONTENT_BOUNDARY_MOST bytes; else NULL */
};

enum { CONTENT_BOUNDARY_MOST = 998 };

/* Read a header section. is_in_digest: it is of a part of a multipart/digest. content must be zeroed or freed. */
void content_read(struct content *content, struct str section, bool is_in_digest);

void content_free(struct content *content);

#endif
