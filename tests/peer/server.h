/*
 * server - listens, serves each connection in a child, ends in time.
 */
#ifndef PEER_SERVER_H
#define PEER_SERVER_H

#include "log.h"
#include "options.h"
#include "script.h"
#include "shared.h"
#include "tls.h"

#define LISTENERS_MAX 8

struct server {
	const struct options *options;
	const struct tls *tls;
	const struct log *log;
	const struct scripts *scripts; /* none: the built-in engine */
	struct shared *shared;
	int listeners[LISTENERS_MAX];
	size_t n_listeners;
	struct text ports; /* one per line; the path of a unix socket */
};

/* Listen on all addresses. False: *problem tells which and why not, the caller's to free. */
bool server_listen(struct server *server, struct text *problem);

/* Serve until enough sessions have ended, SIGTERM or SIGINT comes or the lifetime is over. Returns the exit status. */
int server_run(struct server *server);

/* Close the sockets, remove unix ones. */
void server_free(struct server *server);

#endif
