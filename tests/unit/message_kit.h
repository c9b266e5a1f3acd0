/* message_kit.h - what the tests of messages share: a message is read whole, byte by byte and in random pieces, and each time
 * the same must be kept. */

#ifndef TESTS_UNIT_MESSAGE_KIT_H
#define TESTS_UNIT_MESSAGE_KIT_H

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mail/message.h"
#include "tap.h"

/* What the rules of kit_rules() generate, the random part of the Message-ID written as R. */
#define KIT_FROM "From: Alice Example <alice@mail.example.com>\n"
#define KIT_DATE "Date: Sun, 21 Nov 2021 17:36:12 +0000\n"
#define KIT_ID "Message-ID: <R.1637516172@mail.example.com>\n"
#define KIT_ALL KIT_FROM KIT_DATE KIT_ID

/* A string literal, that may hold NUL, as initialiser of a struct str. */
#define KIT_TEXT(literal) {"" literal, sizeof(literal) - 1}

struct kit_result {
	struct message message;
	struct message_found found;
	struct err err;
	bool is_well;
	struct buf kept;
};

static inline struct message_rules
kit_rules(void)
{
	return (struct message_rules){.from_mailbox = "alice@mail.example.com", .from_name = "Alice Example",
	                              .message_id_domain = "mail.example.com", .now = 1637516172};
}

static inline void
kit_free(struct kit_result *result)
{
	message_free(&result->message);
	message_found_free(&result->found);
	err_clear(&result->err);
	buf_free(&result->kept);
}

/* All bytes of the message, with the random part of a Message-ID replaced by R. */
static inline void
kit_read_back(struct kit_result *result)
{
	static const char digits[] = "0123456789abcdef";
	struct buf raw = {0};
	ssize_t n;
	size_t skip;

	for (;;) {
		n = message_bytes(&result->message, (int64_t)raw.size, buf_reserve(&raw, 4096), 4096, &result->err);
		if (n <= 0)
			break;
		buf_grow(&raw, (size_t)n);
	}
	for (size_t i = 0; i < raw.size; i++) {
		buf_add_char(&result->kept, raw.data[i]);
		skip = raw.data[i] == '<' ? strspn(raw.data + i + 1, digits) : 0;
		if (skip != 24)
			continue;
		buf_add_char(&result->kept, 'R');
		i += skip;
	}
	buf_free(&raw);
}

static inline struct kit_result
kit_read_source(const struct message_source *source, struct message_rules rules)
{
	struct kit_result result = {0};

	result.is_well = message_read(&result.message, source, &rules, &result.found, &result.err);
	if (result.is_well)
		kit_read_back(&result);
	return result;
}

/* A file that holds text, to be read from its start. */
static inline int
kit_file(struct str text)
{
	int fd = memfd_create("message", 0);

	for (size_t done = 0; done < text.size;) {
		ssize_t n = write(fd, text.data + done, text.size - done);

		if (n <= 0)
			abort();
		done += (size_t)n;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static inline struct kit_result
kit_read(struct str text, struct message_rules rules, const struct envelope *envelope)
{
	struct message_source source = {.fd = kit_file(text), .envelope = envelope};
	struct kit_result result = kit_read_source(&source, rules);

	close(source.fd);
	return result;
}

/* As kit_read, but each read(2) gets one piece of at most `most` bytes, of random size when most is not 1. */
static inline struct kit_result
kit_read_pieces(struct str text, size_t most, struct message_rules rules, const struct envelope *envelope)
{
	struct message_source source = {.envelope = envelope};
	struct kit_result result;
	int pair[2];
	pid_t writer;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0 || (writer = fork()) < 0)
		abort();
	if (writer == 0) {
		close(pair[0]);
		for (size_t done = 0; done < text.size;) {
			size_t size = 1 + (size_t)random() % most;
			ssize_t n = send(pair[1], text.data + done, str_first(str_from(text, done), size).size, MSG_NOSIGNAL);

			if (n <= 0)
				_exit(1);
			done += (size_t)n;
		}
		_exit(0);
	}
	random();
	close(pair[1]);
	source.fd = pair[0];
	result = kit_read_source(&source, rules);
	close(pair[0]);
	waitpid(writer, NULL, 0);
	return result;
}

/* Is b, which came in pieces, what a is, which was there from the start? Of what stands behind a lone dot only that is
 * counted which was there already; the writer of the pieces may be slow. */
static inline bool
kit_is_same(const struct kit_result *a, const struct kit_result *b)
{
	const struct message *m = &a->message;
	const struct message *n = &b->message;

	return a->is_well == b->is_well && str_equals(buf_str(&a->kept), buf_str(&b->kept)) && m->size == n->size &&
	       m->header_size == n->header_size && m->wire_size == n->wire_size &&
	       m->longest_line == n->longest_line && m->has_8bit_body == n->has_8bit_body &&
	       m->has_8bit_header == n->has_8bit_header &&
	       m->has_utf8_header == n->has_utf8_header && m->has_nul == n->has_nul &&
	       n->ignored_size <= m->ignored_size && a->found.recipients.n_items == b->found.recipients.n_items &&
	       strcmp(buf_text(&a->err.text), buf_text(&b->err.text)) == 0;
}

/* Does every way to cut text give what `whole` is? */
static inline bool
kit_cuts_agree(const struct kit_result *whole, struct str text, struct message_rules rules,
               const struct envelope *envelope)
{
	static const size_t most_sizes[] = {1, 2, 3, 7, 40};
	bool holds = true;

	for (size_t i = 0; i < sizeof(most_sizes) / sizeof(most_sizes[0]); i++) {
		struct kit_result result = kit_read_pieces(text, most_sizes[i], rules, envelope);

		if (!kit_is_same(whole, &result)) {
			holds = false;
			tap_note("in pieces of at most %zu bytes: %s%s", most_sizes[i], buf_text(&result.kept),
			         buf_text(&result.err.text));
		}
		kit_free(&result);
	}
	return holds;
}

/* One case: this is kept of the text, however it is cut. */
static inline void
kit_is(struct str text, struct message_rules rules, struct str expected, const char *name)
{
	struct kit_result whole = kit_read(text, rules, NULL);
	bool holds = whole.is_well && str_equals(buf_str(&whole.kept), expected);

	tap_ok(kit_cuts_agree(&whole, text, rules, NULL) && holds, "%s", name);
	if (!holds)
		tap_note("got: %s%s", buf_text(&whole.kept), buf_text(&whole.err.text));
	kit_free(&whole);
}

#endif
