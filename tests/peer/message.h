/*
 * message - DATA and BDAT: receive a message, keep it, and answer for it.
 */
#ifndef PEER_MESSAGE_H
#define PEER_MESSAGE_H

#include "connection.h"

void message_data(struct connection *connection);

/* Arguments: the size of the chunk, and LAST. The chunk is read whatever the answer is. */
void message_bdat(struct connection *connection, const char *arguments, size_t size);

#endif
