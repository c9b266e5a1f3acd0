/* commit.c - an entry comes into being. Exit 0 of the program rests on this file.
 *
 *     step                        killed or without power after it
 *     1 create in tmp/, lock      a file in tmp/: the janitor's (it is locked while its writer lives)
 *     2 write all of it           the same
 *     3 fsync of the file         the same, though it is complete: the caller was not told that it is queued
 *     4 rename                    there or not there, but complete; the caller was not told
 *     5 fsync of the folder       it is there
 *
 * So a name in queue/ always is a complete and durable file, and it was locked before it could be seen. A failure
 * in 1 to 5 removes it: while the lock is held nobody can have sent it. No sync is repeated, for the second one
 * would hide the error. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/disk.h"
#include "queue/entry.h"
#include "queue/format.h"
#include "queue/load.h"

enum {
	ONE_WRITE_MOST = 256 * 1024, /* bytes of a message that is written together with all the rest */
	STEP = 128 * 1024,
	NAME_TRIES = 10
};

struct commit {
	struct entry *entry;
	struct spool *spool;
	const struct entry_content *content;
	int tmp;
	int target;
	struct buf bytes;      /* to be written next */
	int64_t written;       /* bytes in the file */
	uint32_t crc;          /* of the message so far */
};

static bool
fail(const struct commit *c, const char *what, struct err *err)
{
	return err_set_errno(err, disk_exit_code(errno), "cannot %s %s/tmp/%s", what, c->spool->path, c->entry->name);
}

/* Step 1. */
static bool
create_file(struct commit *c, struct err *err)
{
	struct entry *entry = c->entry;
	struct buf name = {0};

	id_tag(entry->tag, c->content->route);
	for (int i = 0; i < NAME_TRIES && entry->fd < 0; i++) {
		id_make(entry->id);
		buf_clear(&name);
		buf_printf(&name, "%s.%s", entry->id, entry->tag);
		memcpy(entry->name, buf_text(&name), name.size + 1);
		entry->fd = disk_open(c->tmp, entry->name, O_RDWR | O_CREAT | O_EXCL);
		if (entry->fd < 0 && errno != EEXIST)
			break;
	}
	buf_free(&name);
	if (entry->fd < 0)
		return fail(c, "create", err);
	entry->is_open = true;
	if (disk_lock(entry->fd, false)) {
		entry->is_locked = true;
		return true;
	}
	if (disk_cannot_lock(errno))
		return err_set_errno(err, EX_TEMPFAIL, "the file system of %s cannot lock files", c->spool->path);
	return fail(c, "lock", err);
}

static bool
write_bytes(struct commit *c, struct err *err)
{
	if (!disk_write(c->entry->fd, c->bytes.data, c->bytes.size, c->written, NULL))
		return fail(c, "write", err);
	c->written += (int64_t)c->bytes.size;
	buf_clear(&c->bytes);
	return true;
}

/* The message goes behind the head into `bytes`; where that becomes much, it is written out. */
static bool
copy_message(struct commit *c, struct err *err)
{
	const struct message *message = c->content->message;
	bool is_small = message->size <= ONE_WRITE_MOST;

	for (int64_t at = 0; at < message->size;) {
		size_t step = message->size - at < STEP ? (size_t)(message->size - at) : STEP;
		char *room = buf_reserve(&c->bytes, step);
		ssize_t n = message_bytes(message, at, room, step, err);

		if (n <= 0)
			return err_set(err, EX_IOERR, "the message ends too early");
		c->crc = format_crc(c->crc, str_make(room, (size_t)n));
		buf_grow(&c->bytes, (size_t)n);
		at += n;
		if (!is_small && !write_bytes(c, err))
			return false;
	}
	return true;
}

/* What is known of the recipients' outcomes. Those that are not in the entry are not counted (format_add_head). */
static void
add_journal(struct commit *c)
{
	const struct envelope *envelope = c->content->envelope;
	size_t n = 0;

	for (size_t i = 0; i < envelope->n_recipients; i++) {
		const struct outcome *outcome = &envelope->recipients[i].outcome;

		if (outcome->state == OUTCOME_DELIVERED ||
		    (outcome->state == OUTCOME_FAILED && c->content->folder != SPOOL_FAILED))
			continue;
		if (outcome->reply_code != 0 || outcome->text[0] != '\0')
			format_add_journal(&c->bytes, c->content->created, n, outcome);
		n++;
	}
}

/* The head is made, and read as it will be read one day: an entry that could not be is not made. */
static bool
make_head(struct commit *c, struct err *err)
{
	const char *why = "nobody is left to be tried";
	size_t n = 0;

	format_add_head(&c->bytes, c->content, c->entry->id, &n);
	if (n > 0 && load_head(c->entry, buf_str(&c->bytes), &why))
		return true;
	return err_set(err, EX_SOFTWARE, "a queue entry cannot be made: %s", why);
}

/* Step 2. A file that is due now needs no time: that of writing it is the right one. */
static bool
write_file(struct commit *c, struct err *err)
{
	struct entry *entry = c->entry;
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = c->content->next}};
	size_t journal_from;

	if (!make_head(c, err) || !copy_message(c, err))
		return false;
	format_add_end(&c->bytes, c->content->message->size, c->crc);
	entry->journal_at = c->written + (int64_t)c->bytes.size;
	journal_from = c->bytes.size;
	add_journal(c);
	entry->file_size = c->written + (int64_t)c->bytes.size;
	load_journal(entry, str_from(buf_str(&c->bytes), journal_from));
	entry->next = c->content->next;
	if (!write_bytes(c, err))
		return false;
	if (c->content->next > time(NULL) && futimens(entry->fd, times) != 0)
		return fail(c, "set the time of", err);
	return true;
}

/* Steps 3 to 5. */
static bool
publish(struct commit *c, struct err *err)
{
	struct entry *entry = c->entry;
	struct disk_name from = {c->tmp, entry->name};
	struct disk_name to = {c->target, entry->name};

	if (fsync(entry->fd) != 0)
		return err_set_errno(err, EX_TEMPFAIL, "cannot sync %s/tmp/%s", c->spool->path, entry->name);
	if (!disk_rename(from, to, entry->fd))
		return err_set_errno(err, disk_exit_code(errno), "cannot move %s/tmp/%s to %s", c->spool->path,
		                     entry->name, spool_folder_name(c->content->folder));
	entry->folder = c->content->folder;
	return spool_sync(c->spool, c->content->folder, err);
}

/* Nothing is left of what was begun. */
static void
take_back(struct commit *c)
{
	if (c->entry->is_open && c->entry->folder == SPOOL_TMP)
		unlinkat(c->tmp, c->entry->name, 0);
	else if (c->entry->is_open)
		unlinkat(c->target, c->entry->name, 0);
	entry_free(c->entry);
}

bool
entry_create(struct entry *entry, struct spool *spool, const struct entry_content *content, struct err *err)
{
	struct commit c = {.entry = entry, .spool = spool, .content = content};
	bool is_well;

	*entry = (struct entry){.fd = -1, .folder = SPOOL_TMP};
	c.tmp = spool_folder(spool, SPOOL_TMP, err);
	c.target = c.tmp < 0 ? -1 : spool_folder(spool, content->folder, err);
	is_well = c.target >= 0 && create_file(&c, err) && write_file(&c, err) && publish(&c, err);
	if (is_well)
		load_message_in_file(entry);
	else
		take_back(&c);
	buf_free(&c.bytes);
	return is_well;
}
