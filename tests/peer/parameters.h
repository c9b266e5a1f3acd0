/*
 * parameters - the arguments of MAIL and RCPT. No I/O.
 */
#ifndef PEER_PARAMETERS_H
#define PEER_PARAMETERS_H

#include "connection.h"

/* One argument taken apart; the parts lie in the line. */
struct path {
	const char *address; /* between the angle brackets */
	size_t address_size;
	const char *parameters; /* what follows, without the space before */
	size_t parameters_size;
};

/* Take FROM:<...> or TO:<...> apart; word is that word with the colon. False: wrong syntax. */
bool parameters_split(const char *arguments, size_t size, const char *word, struct path *path);

/*
 * Whether all parameters of MAIL, or of RCPT, belong to what was offered and have sensible values. NULL: they have;
 * otherwise the reply.
 */
const char *parameters_check(struct connection *connection, const struct path *path, bool is_mail);

#endif
