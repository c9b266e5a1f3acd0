/* message.c - reads a message to its end and keeps it. Reads and writes the descriptors it was given or opened itself. */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "mail/canonical.h"
#include "mail/keep.h"
#include "mail/message.h"
#include "mail/repair.h"

enum {
	BLOCK_SIZE = 64 * 1024,
	HEADER_MOST = 1024 * 1024,
	FIELDS_MOST = 10000,
	DRAIN_MOST = 64 * 1024 * 1024,
	DRAIN_WAIT_MS = 10000,
	READ_TRIES = 100 /* of an interrupted call: a signal that comes for ever must not hold us for ever */
};

/* What lasts only while a message is read. */
struct reader {
	struct message *message;
	const struct message_source *source;
	struct message_rules *rules;
	struct message_found *found;
	struct canonical canonical;
	struct buf header;     /* the section as it came */
	struct keep keep;      /* keep.has_header: the repaired section is in the message */
};

/* What is in memory from `from` on was added. */
static bool
keep(struct reader *r, size_t from, struct err *err)
{
	if (!keep_added(&r->keep, from, err))
		return false;
	if (r->rules->size_limit > 0 && r->message->size > r->rules->size_limit)
		return err_set(err, EX_DATAERR, "the message is larger than %lld bytes", (long long)r->rules->size_limit);
	return true;
}

static bool
check_header_limits(const struct reader *r, struct err *err)
{
	if (r->header.size > HEADER_MOST)
		return err_set(err, EX_DATAERR, "the header section is larger than %d bytes", HEADER_MOST);
	if (r->canonical.n_fields > FIELDS_MOST)
		return err_set(err, EX_DATAERR, "the header section has more than %d fields", FIELDS_MOST);
	return true;
}

/* The header section is complete: repair it and keep it. */
static bool
finish_header(struct reader *r, struct err *err)
{
	const struct message_source *source = r->source;
	struct repair repair = {0};
	struct buf *memory = &r->message->memory;
	bool is_well = repair_open(&repair, buf_str(&r->header), err) &&
	               repair_collect(&repair, r->rules, r->found, err) &&
	               (source->decide == NULL || source->decide(source->context, r->found, r->rules, err));

	if (is_well) {
		repair_apply(&repair, r->rules, source->envelope);
		repair_write(&repair, memory);
		if (r->found->message_id == NULL)
			r->found->message_id = mem_copy_string(repair.message_id);
		r->message->header_size = (int64_t)memory->size;
		r->message->waives_tls = repair.waives_tls;
		buf_add_char(memory, '\n');
	}
	repair_free(&repair);
	buf_free(&r->header);
	is_well = is_well && keep(r, 0, err);
	r->keep.has_header = true;
	return is_well;
}

/* The section may be over. */
static bool
check_header(struct reader *r, struct err *err)
{
	if (!check_header_limits(r, err))
		return false;
	return r->canonical.part == CANONICAL_HEADER || finish_header(r, err);
}

static bool
take(struct reader *r, struct str input, struct err *err)
{
	size_t from;

	if (!r->keep.has_header) {
		input = str_from(input, canonical_header(&r->canonical, input, &r->header));
		if (!check_header(r, err))
			return false;
		if (!r->keep.has_header)
			return true;
	}
	from = r->message->memory.size;
	r->message->ignored_size = (int64_t)(input.size - canonical_body(&r->canonical, input, &r->message->memory));
	return keep(r, from, err);
}

/* The input is over. */
static bool
finish(struct reader *r, struct err *err)
{
	size_t from;

	if (!r->keep.has_header) {
		canonical_end_header(&r->canonical, &r->header);
		if (!check_header(r, err))
			return false;
	}
	from = r->message->memory.size;
	canonical_end_body(&r->canonical, &r->message->memory);
	return keep(r, from, err) && keep_end(&r->keep, err);
}

/* read(2), also from a descriptor that does not block. */
static ssize_t
read_block(int fd, char *block, size_t size)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	ssize_t n;

	for (;;) {
		n = read(fd, block, size);
		if (n < 0 && errno == EAGAIN)
			poll(&readable, 1, -1);
		else if (n >= 0 || errno != EINTR)
			return n;
	}
}

static bool
read_all(struct reader *r, char *block, struct err *err)
{
	ssize_t n;

	while (r->canonical.part != CANONICAL_END) {
		n = read_block(r->source->fd, block, BLOCK_SIZE);
		if (n < 0)
			return err_set_errno(err, EX_IOERR, "cannot read the message");
		if (n == 0)
			return finish(r, err);
		if (!take(r, str_make(block, (size_t)n), err))
			return false;
	}
	/* A lone dot: who wrote it may keep the pipe open. */
	r->message->ignored_size += message_drain(r->source->fd, 0);
	return finish(r, err);
}

bool
message_read(struct message *message, const struct message_source *source, struct message_rules *rules,
             struct message_found *found, struct err *err)
{
	struct reader r = {.message = message, .source = source, .rules = rules, .found = found};
	char *block = mem_resize(NULL, BLOCK_SIZE, 1); /* zeroing it would cost more than most messages */
	bool is_well;

	keep_open(&r.keep, message);
	r.canonical.ends_at_lone_dot = rules->ends_at_lone_dot;
	is_well = read_all(&r, block, err);
	free(block);
	buf_free(&r.header);
	if (!is_well) {
		message_free(message);
		message_drain(source->fd, DRAIN_WAIT_MS);
		return false;
	}
	return true;
}

int64_t
message_drain(int fd, int wait_ms)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	int64_t deadline = clock_now() + wait_ms;
	int64_t size = 0;
	char *block;
	ssize_t n;
	int n_ready;

	if (isatty(fd))
		return 0;
	block = mem_alloc(BLOCK_SIZE, 1);
	while (size < DRAIN_MOST) {
		n_ready = poll(&readable, 1, clock_poll_timeout(deadline));
		if (n_ready < 0 && errno == EINTR)
			continue;
		n = n_ready > 0 ? read(fd, block, BLOCK_SIZE) : 0;
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			break;
		size += n > 0 ? n : 0;
		if (wait_ms > 0 && clock_now() >= deadline)
			break;
	}
	free(block);
	return size;
}

ssize_t
message_bytes(const struct message *message, int64_t offset, void *data, size_t size, struct err *err)
{
	ssize_t n = -1;

	if (offset < 0 || offset >= message->size || size == 0)
		return 0;
	if ((int64_t)size > message->size - offset)
		size = (size_t)(message->size - offset);
	if (message->is_in_memory) {
		memcpy(data, message->memory.data + offset, size);
		return (ssize_t)size;
	}
	for (int i = 0; i < READ_TRIES; i++) {
		n = pread(message->fd, data, size, message->start + offset);
		if (n >= 0 || errno != EINTR)
			break;
	}
	if (n < 0)
		err_set_errno(err, EX_IOERR, "cannot read the spooled message");
	else if (n == 0)
		err_set(err, EX_IOERR, "the spooled message ends after %lld of %lld bytes", (long long)offset,
		        (long long)message->size);
	return n > 0 ? n : -1;
}

bool
message_needs_smtputf8(const struct message *message)
{
	return message->has_utf8_header;
}

void
message_free(struct message *message)
{
	if (message->is_open) {
		buf_free(&message->memory);
		if (!message->is_in_memory && message->fd >= 0)
			close(message->fd);
	}
	*message = (struct message){0};
}

void
message_found_free(struct message_found *found)
{
	address_list_free(&found->recipients);
	free(found->sender);
	free(found->message_id);
	*found = (struct message_found){0};
}
