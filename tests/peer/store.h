/*
 * store - one message on its way into the mail directory.
 *
 * Three files: .eml with the message, .raw with its bytes as they came, .env with the envelope. They get their names
 * when the message is accepted, the .eml last. Memory does not grow with the message.
 */
#ifndef PEER_STORE_H
#define PEER_STORE_H

#include <gnutls/crypto.h>

#include "options.h"
#include "shared.h"

struct store {
	const struct options *options; /* NULL: no message is being received */
	unsigned connection;
	int message_fd; /* -1: not kept */
	int raw_fd;
	gnutls_hash_hd_t hash; /* with --discard */
	unsigned long long size;
	struct text head; /* the beginning of the message, as much as the refuse rule looks at */
	bool has_failed;  /* a write went wrong */
};

/* How many messages a mail directory holds already, so that their files stay as they are. */
unsigned store_count(const char *directory);

void store_begin(struct store *store, const struct options *options, unsigned connection);

/* Bytes of the message, and bytes as they came. */
void store_message(struct store *store, const char *bytes, size_t size);
void store_raw(struct store *store, const char *bytes, size_t size);

/* Whether the Subject contains the word. */
bool store_has_subject(const struct store *store, const char *word);

/* Keep the message with this envelope; its number, 0 when that went wrong. The store is free again. */
unsigned store_commit(struct store *store, struct shared *shared, const struct text *envelope);

/* Drop what was received; harmless when nothing was. */
void store_abort(struct store *store);

#endif
