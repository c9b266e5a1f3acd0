/* objection.h - is something known already, by what the server offers, that makes sending a message to it pointless? Pure. */

#ifndef SMTP_OBJECTION_H
#define SMTP_OBJECTION_H

#include "smtp/dialog.h"

/* True: the pending recipients of the order have failed, and nothing of it is to be sent. Its size (RFC 1870), an address that
 * needs SMTPUTF8 (RFC 6531), REQUIRETLS (RFC 8689: TLS, verified, that offers it). */
bool objection_settles(const struct dialog *d, struct order *order);

#endif
