/* entry.c - what happens to an entry that is open: states, journal, flags and time written in place; moved;
 * removed. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "queue/disk.h"
#include "queue/entry.h"
#include "queue/format.h"
#include "queue/load.h"

enum { JOURNAL_MOST = 32 * 1024 * 1024 }; /* bytes; nothing is appended to a longer one */

static bool
fail(const struct entry *entry, const char *what, struct err *err)
{
	return err_set_errno(err, EX_IOERR, "cannot %s queue entry %s", what, entry->id);
}

/* Write bytes of the head, which is as it should be in memory, from `from` up to `end`. What could not be written
 * is put back from `before`, so that the head in memory is the one on the disk. */
static bool
write_head(struct entry *entry, size_t from, size_t end, const char *before)
{
	size_t n = 0;
	int cause;

	if (disk_write(entry->fd, entry->head.data + from, end - from, (int64_t)from, &n))
		return true;
	cause = errno;
	memcpy(entry->head.data + from + n, before + n, end - from - n);
	errno = cause;
	return false;
}

/* Make the states on the disk those in `wanted`, by one write over the range of those that change: bytes between
 * them are written as they are. Dying before it leaves the old states, dying after it the new ones. */
static bool
write_states(struct entry *entry, const unsigned char *wanted)
{
	size_t n = entry->n_states;
	size_t from = SIZE_MAX, end = 0;
	char *before;
	bool is_written;

	for (size_t i = 0; i < n; i++) {
		if (entry->states[i] == wanted[i])
			continue;
		from = from == SIZE_MAX ? entry->state_offsets[i] : from;
		end = entry->state_offsets[i] + 1;
	}
	if (end == 0)
		return true;
	before = mem_copy(entry->head.data + from, end - from);
	for (size_t i = 0; i < n; i++)
		entry->head.data[entry->state_offsets[i]] = (char)wanted[i];
	is_written = write_head(entry, from, end, before);
	for (size_t i = 0; i < n; i++)
		entry->states[i] = (unsigned char)entry->head.data[entry->state_offsets[i]];
	free(before);
	return is_written;
}

/* One state byte, as it counts: what is unknown is to do. */
static bool
is_final(unsigned char state)
{
	return state == 'D' || state == 'F';
}

bool
entry_mark_sent(struct entry *entry, const unsigned char *is_sent, struct err *err)
{
	size_t n = entry->n_states;
	unsigned char *wanted = mem_alloc(n, 1);
	bool is_written;

	for (size_t i = 0; i < n; i++)
		wanted[i] = is_sent[i] != 0 && !is_final(entry->states[i]) ? 'U' : entry->states[i];
	is_written = write_states(entry, wanted) || fail(entry, "write to", err);
	free(wanted);
	return is_written;
}

/* Lines for the outcomes that are not in the file yet. */
static void
add_news(struct entry *entry, time_t now, struct buf *lines)
{
	if (entry->has_torn_line)
		buf_add_char(lines, '\n');
	for (size_t i = 0; i < entry->envelope.n_recipients; i++) {
		const struct outcome *outcome = &entry->envelope.recipients[i].outcome;
		uint64_t hash = load_outcome_hash(outcome);

		if (hash == entry->recorded[i])
			continue;
		entry->recorded[i] = hash;
		if (outcome->state == OUTCOME_PENDING)
			continue;
		format_add_journal(lines, now, i, outcome);
		if (entry->n_attempts == 0 || entry->tried != now)
			entry->n_attempts++;
		entry->tried = now;
	}
}

/* The journal may be lost (a full disk): it is for people, and everything that counts is in the states. */
static void
append_journal(struct entry *entry, struct str lines)
{
	size_t n = 0;
	bool is_first_torn = entry->has_torn_line;

	if (lines.size <= (is_first_torn ? 1U : 0U) || entry->file_size - entry->journal_at > JOURNAL_MOST)
		return;
	disk_write(entry->fd, lines.data, lines.size, entry->file_size, &n);
	if (n == 0)
		return;
	entry->file_size += (int64_t)n;
	entry->has_torn_line = lines.data[n - 1] != '\n';
}

/* The states that the outcomes ask for. What is final stays so. Returns whether somebody becomes final, and whether
 * delivered. */
static bool
choose_states(const struct entry *entry, unsigned char *wanted, bool *is_delivery)
{
	bool has_final = false;

	*is_delivery = false;
	for (size_t i = 0; i < entry->envelope.n_recipients; i++) {
		wanted[i] = entry->states[i];
		if (is_final(wanted[i]))
			continue;
		wanted[i] = (unsigned char)format_state(&entry->envelope.recipients[i].outcome);
		has_final = has_final || is_final(wanted[i]);
		*is_delivery = *is_delivery || wanted[i] == 'D';
	}
	return has_final;
}

bool
entry_record(struct entry *entry, time_t now, struct err *err)
{
	unsigned char *wanted = mem_alloc(entry->envelope.n_recipients, 1);
	struct buf lines = {0};
	bool is_delivery = false;
	bool has_final = choose_states(entry, wanted, &is_delivery);
	bool is_written;
	int cause;

	add_news(entry, now, &lines);
	/* Dying between the two writes: behind a D it costs text, in front of it a second delivery; behind an F the
	 * text that its sender is to be told, in front of it nothing. */
	if (!is_delivery)
		append_journal(entry, buf_str(&lines));
	is_written = write_states(entry, wanted);
	cause = errno;
	if (is_delivery)
		append_journal(entry, buf_str(&lines));
	errno = cause;
	if (!is_written)
		fail(entry, "record what became of", err);
	/* Also what a broken write left is worth it. Never a second time: after an error it would say that all is
	 * well. */
	if (has_final && fdatasync(entry->fd) != 0)
		is_written = fail(entry, "sync", err);
	buf_free(&lines);
	free(wanted);
	return is_written;
}

bool
entry_is_finished(const struct entry *entry)
{
	const struct envelope *envelope = &entry->envelope;

	return envelope_count(envelope, OUTCOME_DELIVERED) + envelope_count(envelope, OUTCOME_FAILED) ==
	       envelope->n_recipients;
}

bool
entry_set_flags(struct entry *entry, unsigned flags, struct err *err)
{
	char *at = entry->head.data + FORMAT_FLAGS_AT;
	char before[2] = {at[0], at[1]};

	flags |= entry->flags;
	at[0] = (flags & ENTRY_BOUNCED) != 0 ? 'B' : '-';
	at[1] = (flags & ENTRY_DELAY_TOLD) != 0 ? 'W' : '-';
	if (!write_head(entry, FORMAT_FLAGS_AT, FORMAT_FLAGS_AT + sizeof(before), before))
		return fail(entry, "write to", err);
	entry->flags = flags;
	return fdatasync(entry->fd) == 0 || fail(entry, "sync", err);
}

bool
entry_defer(struct entry *entry, time_t next, struct err *err)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = next}};

	if (futimens(entry->fd, times) != 0)
		return fail(entry, "set the time of", err);
	entry->next = next;
	return true;
}

bool
entry_remove(struct entry *entry, struct spool *spool, struct err *err)
{
	int folder = spool_folder(spool, entry->folder, err);

	if (folder < 0)
		return false;
	/* Not there: an NFS server did it and its answer was lost, or somebody was faster with rm. */
	if (unlinkat(folder, entry->name, 0) != 0 && errno != ENOENT)
		return err_set_errno(err, EX_IOERR, "cannot remove %s/%s/%s", spool->path,
		                     spool_folder_name(entry->folder), entry->name);
	spool->n_unsynced += entry->folder == SPOOL_QUEUE;
	return true;
}

bool
entry_move(struct entry *entry, struct spool *spool, enum spool_folder folder, struct err *err)
{
	enum spool_folder old = entry->folder;
	struct disk_name from = {spool_folder(spool, old, err), entry->name};
	struct disk_name to = {from.folder < 0 ? -1 : spool_folder(spool, folder, err), entry->name};

	if (to.folder < 0)
		return false;
	/* The time in failed/ counts from now; losing it would only keep the file longer or shorter. */
	if (folder == SPOOL_FAILED && futimens(entry->fd, NULL) == 0)
		entry->next = time(NULL);
	if (!disk_rename(from, to, entry->fd))
		return err_set_errno(err, disk_exit_code(errno), "cannot move %s/%s/%s to %s", spool->path,
		                     spool_folder_name(old), entry->name, spool_folder_name(folder));
	entry->folder = folder;
	/* The new name first: without a journal, the other way round could lose both. */
	return spool_sync(spool, folder, err) && spool_sync(spool, old, err);
}

/* The head with a new time: made from what was read, and it must come out the same but for time, flags, checksum
 * and states. */
static bool
make_fresh_head(const struct entry *entry, time_t now, struct buf *head)
{
	struct envelope envelope = entry->envelope;
	struct entry_content content = {
		.origin = &entry->origin, .envelope = &envelope, .message = &entry->message,
		.message_id = entry->message_id, .created = now, .folder = SPOOL_QUEUE,
	};
	size_t n = 0;

	/* All of them pending, so that all are in it. */
	envelope.recipients = mem_alloc(envelope.n_recipients, sizeof(*envelope.recipients));
	for (size_t i = 0; i < envelope.n_recipients; i++) {
		envelope.recipients[i] = entry->envelope.recipients[i];
		envelope.recipients[i].outcome = (struct outcome){0};
	}
	format_add_head(head, &content, entry->id, &n);
	free(envelope.recipients);
	return n == envelope.n_recipients && head->size == entry->head.size;
}

bool
entry_make_fresh(struct entry *entry, time_t now, struct err *err)
{
	size_t n = entry->envelope.n_recipients;
	unsigned char *wanted = mem_alloc(n, 1);
	struct buf head = {0};
	char before[FORMAT_FIRST_LINE];
	bool is_well = make_fresh_head(entry, now, &head) ||
	               err_set(err, EX_SOFTWARE, "queue entry %s cannot be made anew", entry->id);

	/* The first line is one write within one sector. Dying between it and the states leaves an entry whose F
	 * still are F. */
	if (is_well) {
		memcpy(before, entry->head.data, sizeof(before));
		memcpy(entry->head.data, head.data, sizeof(before));
		for (size_t i = 0; i < n; i++)
			wanted[i] = entry->states[i] == 'F' ? 'T' : entry->states[i];
		is_well = (write_head(entry, 0, sizeof(before), before) && write_states(entry, wanted)) ||
		          fail(entry, "write to", err);
	}
	if (is_well) {
		entry->created = now;
		entry->flags = 0;
		for (size_t i = 0; i < n; i++) {
			struct outcome *outcome = &entry->envelope.recipients[i].outcome;

			if (outcome->state == OUTCOME_FAILED)
				outcome->state = OUTCOME_PENDING;
			entry->recorded[i] = load_outcome_hash(outcome);
		}
		is_well = fdatasync(entry->fd) == 0 || fail(entry, "sync", err);
	}
	buf_free(&head);
	free(wanted);
	return is_well;
}

bool
entry_journal(const struct entry *entry, struct buf *b, struct err *err)
{
	int64_t size = entry->file_size - entry->journal_at;
	struct buf text = {0};
	struct str rest, line;
	ssize_t n;

	if (size > JOURNAL_MOST)
		size = JOURNAL_MOST;
	n = disk_read(entry->fd, buf_reserve(&text, (size_t)size), (size_t)size, entry->journal_at);
	if (n < 0) {
		buf_free(&text);
		return fail(entry, "read the journal of", err);
	}
	buf_grow(&text, (size_t)n);
	rest = buf_str(&text);
	while (str_next_token(&rest, '\n', &line)) {
		if (line.size == 0)
			continue;
		err_add_clean(b, line);
		buf_add_char(b, '\n');
	}
	buf_free(&text);
	return true;
}

void
entry_free(struct entry *entry)
{
	message_free(&entry->message);
	envelope_free(&entry->envelope);
	free(entry->origin.account);
	free(entry->origin.config_file);
	free(entry->origin.settings);
	free(entry->message_id);
	free(entry->states);
	free(entry->state_offsets);
	free(entry->recorded);
	buf_free(&entry->head);
	if (entry->is_open)
		close(entry->fd);
	*entry = (struct entry){0};
}
