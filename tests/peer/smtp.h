/*
 * smtp - the built-in engine: what each command of SMTP and LMTP does and answers.
 */
#ifndef PEER_SMTP_H
#define PEER_SMTP_H

#include "connection.h"

/* Serve the command in connection->line. */
void smtp_command(struct connection *connection);

#endif
