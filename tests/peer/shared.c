/*
 * shared - the counters all connections of the peer share, and the summary made of them.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shared.h"
#include "text.h"

static unsigned
count_records(const struct shared *shared)
{
	return shared->n_connections < RECORDS_MAX ? shared->n_connections : RECORDS_MAX;
}

static void
sum_records(const struct shared *shared, struct record *sum)
{
	*sum = shared->spare;
	for (unsigned i = 0; i < count_records(shared); i++) {
		const struct record *record = &shared->records[i];

		sum->flights += record->flights;
		sum->reads += record->reads;
		sum->bytes_in += record->bytes_in;
		sum->bytes_out += record->bytes_out;
		sum->commands += record->commands;
		sum->messages += record->messages;
		sum->recipients += record->recipients;
		sum->mismatches += record->mismatches;
	}
}

static void
format_record(struct text *text, const struct record *record)
{
	text_format(text,
		    "{\"flights\": %u, \"reads\": %u, \"bytes_in\": %llu, \"bytes_out\": %llu, \"commands\": %u, "
		    "\"messages\": %u, \"recipients\": %u, \"mismatches\": %u, \"quit\": %s}",
		    record->flights, record->reads, record->bytes_in, record->bytes_out, record->commands,
		    record->messages, record->recipients, record->mismatches, record->has_quit ? "true" : "false");
}

static void
format_summary(struct text *text, const struct shared *shared)
{
	struct record sum = {0};

	sum_records(shared, &sum);
	text_format(text,
		    "{\"connections\": %u, \"open\": %u, \"messages\": %u, \"recipients\": %u, \"flights\": %u, "
		    "\"reads\": %u, \"commands\": %u, \"bytes_in\": %llu, \"bytes_out\": %llu, \"mismatches\": %u,\n"
		    "\"per_connection\": [",
		    shared->n_connections, shared->n_connections - shared->n_ended, sum.messages, sum.recipients,
		    sum.flights, sum.reads, sum.commands, sum.bytes_in, sum.bytes_out, sum.mismatches);
	for (unsigned i = 0; i < count_records(shared); i++) {
		text_add(text, i == 0 ? "\n" : ",\n");
		format_record(text, &shared->records[i]);
	}
	text_add(text, "]}\n");
}

struct shared *
shared_new(void)
{
	void *page = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

struct record *
shared_record(struct shared *shared, unsigned connection)
{
	return connection > RECORDS_MAX ? &shared->spare : &shared->records[connection - 1];
}

unsigned
shared_mismatches(const struct shared *shared)
{
	struct record sum = {0};

	sum_records(shared, &sum);
	return sum.mismatches;
}

bool
shared_write_summary(const struct shared *shared, const char *file)
{
	struct text text = {0};
	struct text temporary = {0};
	bool ok = false;
	int fd = -1;

	text_format(&temporary, "%s.%ld", file, (long)getpid());
	fd = open(text_string(&temporary), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		goto out;
	format_summary(&text, shared);
	ok = write(fd, text.bytes, text.size) == (ssize_t)text.size;
	ok = close(fd) == 0 && ok;
	ok = ok && rename(text_string(&temporary), file) == 0;
out:
	text_free(&temporary);
	text_free(&text);
	return ok;
}
