/* open.c - an entry is opened, locked, read and judged. What cannot be trusted is moved to corrupt/, never sent and
 * never removed. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"
#include "queue/disk.h"
#include "queue/entry.h"
#include "queue/format.h"
#include "queue/load.h"

enum {
	BLOCK = 64 * 1024,                  /* read at once; what is smaller is in memory then */
	STEP = 256 * 1024,
	JOURNAL_READ_MOST = 8 * 1024 * 1024, /* of a longer one, the end */
	SUFFIXES_MOST = 100                 /* for names in corrupt/ */
};

struct opening {
	struct entry *entry;
	struct spool *spool;
	int folder;
	bool is_peek;
	struct buf block;      /* the first bytes of the file */
	int64_t size;          /* of the file */
	const char *why;       /* it is bad because; NULL: errno says what went wrong */
	bool is_busy;
	bool is_gone;
};

/* --- reading --- */

static bool
is_bad(struct opening *o, const char *why)
{
	o->why = why;
	return false;
}

/* Have `size` bytes of the file in the block. */
static bool
read_block(struct opening *o, size_t size)
{
	size_t missing = size > o->block.size ? size - o->block.size : 0;
	ssize_t n = disk_read(o->entry->fd, buf_reserve(&o->block, missing), missing, (int64_t)o->block.size);

	if (n < 0)
		return false;
	buf_grow(&o->block, (size_t)n);
	return (size_t)n == missing || is_bad(o, "it is shorter than it was");
}

/* The bytes of the message, by their checksum; unless they are all in the block, they are read once here. */
static bool
sum_message(struct opening *o, uint32_t *crc)
{
	struct message *message = &o->entry->message;
	int64_t start = (int64_t)o->entry->head.size;
	char *step;
	bool is_well = true;

	*crc = 0;
	if (start + message->size <= (int64_t)o->block.size) {
		*crc = format_crc(0, str_make(o->block.data + start, (size_t)message->size));
		return true;
	}
	step = mem_alloc(STEP, 1);
	for (int64_t at = 0; is_well && at < message->size;) {
		size_t wanted = message->size - at < STEP ? (size_t)(message->size - at) : STEP;
		ssize_t n = disk_read(o->entry->fd, step, wanted, start + at);

		if (n < 0)
			is_well = false;
		else if ((size_t)n < wanted)
			is_well = is_bad(o, "its message is not all there");
		else
			*crc = format_crc(*crc, str_make(step, wanted));
		at += (int64_t)wanted;
	}
	free(step);
	return is_well;
}

/* Up to `size` bytes of the file from `at` on, of the block or read into b. */
static bool
read_piece(struct opening *o, int64_t at, int64_t size, struct buf *b, struct str *piece)
{
	ssize_t n;

	if (size > o->size - at)
		size = o->size - at;
	if (at + size <= (int64_t)o->block.size) {
		*piece = str_make(o->block.data + at, (size_t)size);
		return true;
	}
	n = disk_read(o->entry->fd, buf_reserve(b, (size_t)size), (size_t)size, at);
	if (n < 0)
		return false;
	buf_grow(b, (size_t)n);
	*piece = buf_str(b);
	return true;
}

/* The line MCEND, and the message by it. */
static bool
read_end(struct opening *o)
{
	int64_t at = (int64_t)o->entry->head.size + o->entry->message.size;
	struct buf b = {0};
	struct str line = {0};
	uint32_t told = 0, found = 0;
	size_t size = 0;
	bool is_well = read_piece(o, at, FORMAT_END_MOST, &b, &line);

	if (is_well) {
		size = line.size == 0 ? 0 : 2 + str_find(str_from(line, 1), '\n');
		if (size == 0 || size > line.size ||
		    !format_read_end(str_first(line, size), o->entry->message.size, &told))
			is_well = is_bad(o, "the line behind its message is not right");
	}
	o->entry->journal_at = at + (int64_t)size;
	/* Who only looks does not read a large message. */
	if (is_well && !(o->is_peek && o->entry->journal_at > (int64_t)o->block.size)) {
		is_well = sum_message(o, &found);
		if (is_well && found != told)
			is_well = is_bad(o, "its message does not agree with the checksum");
	}
	buf_free(&b);
	return is_well;
}

static bool
read_journal(struct opening *o)
{
	int64_t at = o->entry->journal_at;
	struct buf b = {0};
	struct str journal = {0};
	bool is_cut = o->size - at > JOURNAL_READ_MOST;
	bool is_well;

	if (is_cut)
		at = o->size - JOURNAL_READ_MOST;
	is_well = read_piece(o, at, JOURNAL_READ_MOST, &b, &journal);
	if (is_well && is_cut)
		journal = str_from(journal, str_find(journal, '\n') + 1);
	if (is_well)
		load_journal(o->entry, journal);
	buf_free(&b);
	return is_well;
}

/* The whole file. */
static bool
read_entry(struct opening *o)
{
	struct entry *entry = o->entry;
	size_t head_size = 0, n_recipients = 0;
	int64_t message_size = 0;
	const char *why = NULL;

	if (!read_block(o, o->size < BLOCK ? (size_t)o->size : BLOCK))
		return false;
	if (!format_first_line(buf_str(&o->block), &head_size, &n_recipients, &message_size))
		return is_bad(o, "its first line is not one of an entry");
	if ((int64_t)head_size > o->size || message_size > o->size - (int64_t)head_size)
		return is_bad(o, "it is shorter than its first line says");
	if (!read_block(o, head_size))
		return false;
	if (!load_head(entry, str_first(buf_str(&o->block), head_size), &why))
		return is_bad(o, why);
	/* A head can be right without its length. */
	if (entry->message.size != message_size)
		return is_bad(o, "its sizes do not agree");
	entry->file_size = o->size;
	if (!read_end(o) || !read_journal(o))
		return false;
	if (entry->journal_at > (int64_t)o->block.size) {
		load_message_in_file(entry);
		return true;
	}
	buf_truncate(&o->block, head_size + (size_t)message_size);
	buf_consume(&o->block, head_size);
	entry->message.memory = o->block;
	entry->message.is_in_memory = true;
	entry->message.is_open = true;
	entry->message.fd = -1;
	o->block = (struct buf){0};
	return true;
}

/* --- opening --- */

static bool
open_file(struct opening *o)
{
	struct entry *entry = o->entry;

	/* O_NONBLOCK: a FIFO must not hold us. */
	entry->fd = disk_open(o->folder, entry->name, (o->is_peek ? O_RDONLY : O_RDWR) | O_NONBLOCK);
	if (entry->fd >= 0) {
		entry->is_open = true;
		return true;
	}
	switch (errno) {
	case ENOENT:
		o->is_gone = true;
		return false;
	case ELOOP:
		return is_bad(o, "it is a symbolic link");
	case EISDIR:
	case ENXIO:
	case ENODEV:
		return is_bad(o, "it is not a regular file");
	default:
		return false;
	}
}

/* Who only looks takes the lock for an instant only, to see whether it can be had. */
static bool
lock_file(struct opening *o)
{
	struct entry *entry = o->entry;

	if (disk_lock(entry->fd, o->is_peek)) {
		entry->is_locked = !o->is_peek;
		if (o->is_peek)
			flock(entry->fd, LOCK_UN);
		return true;
	}
	if (errno == EWOULDBLOCK && o->is_peek)
		entry->is_locked = true;
	else if (errno == EWOULDBLOCK)
		o->is_busy = true;
	return o->is_peek;
}

/* It may have been sent, or moved, between open and lock. */
static bool
has_its_name(const struct opening *o, const struct stat *facts)
{
	struct stat named = {0};

	return facts->st_nlink > 0 &&
	       (o->is_peek || (fstatat(o->folder, o->entry->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	                       named.st_dev == facts->st_dev && named.st_ino == facts->st_ino));
}

/* What the file system tells about the file. */
static bool
check_facts(struct opening *o)
{
	struct entry *entry = o->entry;
	struct stat facts = {0};

	if (fstat(entry->fd, &facts) != 0)
		return false;
	if (!has_its_name(o, &facts)) {
		o->is_gone = true;
		return false;
	}
	if (!S_ISREG(facts.st_mode))
		return is_bad(o, "it is not a regular file");
	if (facts.st_nlink > 1)
		return is_bad(o, "it has more than one name (hard link)");
	if (facts.st_uid != geteuid())
		return is_bad(o, "it belongs to another user");
	if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return is_bad(o, "others may write to it");
	o->size = facts.st_size;
	entry->next = facts.st_mtime;
	return true;
}

/* Out of the way; a link is moved itself, not what it leads to. */
static bool
quarantine(struct opening *o, struct err *err)
{
	struct disk_name from = {o->folder, o->entry->name};
	struct buf name = {0};
	int corrupt = spool_folder(o->spool, SPOOL_CORRUPT, err);
	bool is_moved = false;

	if (corrupt < 0)
		return false;
	for (int i = 0; !is_moved && i < SUFFIXES_MOST; i++) {
		buf_clear(&name);
		buf_add_text(&name, from.name);
		if (i > 0)
			buf_printf(&name, ".%d", i);
		is_moved = disk_rename(from, (struct disk_name){corrupt, buf_text(&name)}, o->entry->fd);
		if (!is_moved && errno != EEXIST)
			break;
	}
	buf_free(&name);
	return is_moved || err_set_errno(err, disk_exit_code(errno), "cannot move it to corrupt/");
}

/* It was not opened: why? */
static enum entry_result
explain(struct opening *o, struct err *err)
{
	const char *folder = spool_folder_name(o->entry->folder);
	const char *name = o->entry->name;
	int cause = errno;

	if (o->is_gone)
		return ENTRY_GONE;
	if (o->is_busy)
		return ENTRY_BUSY;
	if (o->why == NULL) {
		errno = cause;
		if (o->entry->is_open && !o->entry->is_locked && !o->is_peek && disk_cannot_lock(cause))
			err_set_errno(err, EX_TEMPFAIL, "the file system of %s cannot lock files", o->spool->path);
		else
			err_set_errno(err, disk_exit_code(cause), "cannot open %s/%s/%s", o->spool->path, folder, name);
		return ENTRY_REFUSED;
	}
	if (o->is_peek) {
		err_set(err, EX_DATAERR, "%s/%s/%s: %s", o->spool->path, folder, name, o->why);
		return ENTRY_BAD;
	}
	if (!quarantine(o, err)) {
		err_prefix(err, "%s/%s/%s: %s", o->spool->path, folder, name, o->why);
		return ENTRY_REFUSED;
	}
	err_set(err, EX_DATAERR, "%s/%s/%s: %s; it was moved to corrupt/", o->spool->path, folder, name, o->why);
	return ENTRY_BAD;
}

static enum entry_result
open_entry(struct opening *o, enum spool_folder folder, const char *name, struct err *err)
{
	enum entry_result result = ENTRY_OPENED;
	size_t size = strlen(name);

	*o->entry = (struct entry){.fd = -1, .folder = folder};
	if (size >= SPOOL_NAME_SIZE) {
		err_set(err, EX_DATAERR, "%s/%s: its name is not that of an entry", o->spool->path,
		        spool_folder_name(folder));
		return ENTRY_REFUSED;
	}
	memcpy(o->entry->name, name, size + 1);
	o->folder = spool_folder(o->spool, folder, err);
	if (o->folder < 0)
		return ENTRY_REFUSED;
	if (!open_file(o) || !lock_file(o) || !check_facts(o) || !read_entry(o)) {
		result = explain(o, err);
		entry_free(o->entry);
	}
	buf_free(&o->block);
	return result;
}

enum entry_result
entry_open(struct entry *entry, struct spool *spool, enum spool_folder folder, const char *name, struct err *err)
{
	struct opening o = {.entry = entry, .spool = spool};

	return open_entry(&o, folder, name, err);
}

enum entry_result
entry_peek(struct entry *entry, struct spool *spool, enum spool_folder folder, const char *name, struct err *err)
{
	struct opening o = {.entry = entry, .spool = spool, .is_peek = true};

	return open_entry(&o, folder, name, err);
}
