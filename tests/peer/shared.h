/*
 * shared - the counters all connections of the peer share, and the summary made of them.
 *
 * The counters lie in a page shared by the server and the children that serve connections; a child counts in place, so
 * that nothing is lost however it ends.
 */
#ifndef PEER_SHARED_H
#define PEER_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>

#include "fault.h"

/* Connections beyond this number are counted, but have no record of their own. */
#define RECORDS_MAX 65536u

/* One connection; written by its child alone. */
struct record {
	unsigned long long bytes_in; /* on the raw socket, below TLS */
	unsigned long long bytes_out;
	unsigned flights;
	unsigned reads; /* calls of recv that returned data */
	unsigned commands;
	unsigned messages;
	unsigned recipients;
	unsigned mismatches;
	bool has_quit;
	bool has_ended;
};

struct shared {
	atomic_uint n_stored; /* numbers the messages */
	atomic_uint fault_uses[FAULTS_MAX];
	unsigned n_connections; /* of the server alone */
	unsigned n_ended;
	struct record spare;
	struct record records[RECORDS_MAX];
};

/* NULL: no memory. Never freed. */
struct shared *shared_new(void);

/* The record of a connection, which counts from 1. */
struct record *shared_record(struct shared *shared, unsigned connection);

unsigned shared_mismatches(const struct shared *shared);

/* Replace the file by the present counts. False: errno tells why not. */
bool shared_write_summary(const struct shared *shared, const char *file);

#endif
