/*
 * auth - the server side of AUTH (RFC 4954): PLAIN, LOGIN, CRAM-MD5, EXTERNAL, XOAUTH2, OAUTHBEARER.
 */
#ifndef PEER_AUTH_H
#define PEER_AUTH_H

#include "connection.h"

/* Serve AUTH with these arguments; afterwards connection->user tells who it is. */
void auth_command(struct connection *connection, const char *arguments, size_t size);

#endif
