/* login.h - AUTH in a session (RFC 4954). */

#ifndef DELIVER_LOGIN_H
#define DELIVER_LOGIN_H

#include "deliver/session.h"

/* The dialogue wants something for AUTH (WANT_AUTH): begin, answer a challenge, or see whether the login is complete. */
void login_serve(struct session *session);

#endif
