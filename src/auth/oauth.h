/* oauth.h - the texts of OAUTHBEARER (RFC 7628) and XOAUTH2 (Google's own), which libgsasl does not have. Pure. */

#ifndef AUTH_OAUTH_H
#define AUTH_OAUTH_H

#include "base/err.h"

enum { OAUTH_ERROR_MOST = 4096 }; /* bytes of error JSON that are looked at */

/* Who logs in where. Borrowed. */
struct oauth_login {
	const char *user;
	const char *token;
	const char *host;
	int port;
};

/* Append the initial response (not base64) to b; all room is reserved first. False: EX_CONFIG, a control character in
 * user, token or host; neither is quoted. */
bool oauth_bearer(struct buf *b, const struct oauth_login *login, struct err *err);
bool oauth_xoauth2(struct buf *b, const struct oauth_login *login, struct err *err);

/* Append the reason of a refusal, taken from the server's error JSON, to b: its "status" and "scope" as cleaned text,
 * at most a few hundred bytes; nothing when it is longer than OAUTH_ERROR_MOST, is not JSON, or holds the token, or
 * when Jansson cannot be loaded. */
void oauth_add_reason(struct buf *b, struct str text, const char *token);

#endif
