/* note.c - small files in the spool that are replaced as a whole. */

#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "queue/disk.h"
#include "queue/note.h"

/* The folder; -1 without a word. */
static int
open_folder(struct spool *spool, enum spool_folder folder)
{
	struct err err = {0};
	int fd = spool->is_open ? spool_folder(spool, folder, &err) : -1;

	err_clear(&err);
	return fd;
}

static bool
is_ours(const struct stat *facts, size_t most)
{
	return S_ISREG(facts->st_mode) && facts->st_uid == geteuid() && facts->st_nlink == 1 &&
	       (facts->st_mode & (S_IWGRP | S_IWOTH)) == 0 && facts->st_size >= 0 && (size_t)facts->st_size <= most;
}

bool
note_read(struct spool *spool, enum spool_folder folder, const char *name, size_t most, struct buf *b)
{
	int place = open_folder(spool, folder);
	struct stat facts = {0};
	ssize_t n = -1;
	int fd;

	if (place < 0)
		return false;
	/* O_NONBLOCK: a FIFO must not be waited for. */
	fd = disk_open(place, name, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (fstat(fd, &facts) == 0 && is_ours(&facts, most))
		n = disk_read(fd, buf_reserve(b, (size_t)facts.st_size), (size_t)facts.st_size, 0);
	close(fd);
	if (n < 0)
		return false;
	buf_grow(b, (size_t)n);
	return true;
}

/* A new file in tmp/, and a rename over the old one. Dying in between leaves a file for the janitor. */
bool
note_write(struct spool *spool, enum spool_folder folder, const char *name, struct str text)
{
	int place = open_folder(spool, folder);
	int tmp = open_folder(spool, SPOOL_TMP);
	char id[ID_LENGTH + 1];
	bool is_written;
	int fd;

	if (place < 0 || tmp < 0)
		return false;
	id_make(id);
	fd = disk_open(tmp, id, O_WRONLY | O_CREAT | O_EXCL);
	if (fd < 0)
		return false;
	is_written = disk_write(fd, text.data, text.size, 0, NULL) && renameat(tmp, id, place, name) == 0;
	if (!is_written)
		unlinkat(tmp, id, 0);
	close(fd);
	return is_written;
}
