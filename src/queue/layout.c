/* layout.c - the spool's folders made for the first time. VERSION is written when everything else is durable; until
 * then each call does all of it again. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "queue/disk.h"
#include "queue/layout.h"

enum {
	MODE = S_IRWXU,
	N_FIRST_FOLDERS = SPOOL_BOUNCES_CUR + 1 /* those that every spool has */
};

static const char version[] = "1\n";

static const char *const folder_paths[N_SPOOL_FOLDERS] = {
	[SPOOL_TMP] = "tmp",
	[SPOOL_QUEUE] = "queue",
	[SPOOL_HOLD] = "hold",
	[SPOOL_FAILED] = "failed",
	[SPOOL_CORRUPT] = "corrupt",
	[SPOOL_ROUTES] = "routes",
	[SPOOL_LOCK] = "lock",
	[SPOOL_BOUNCES_TMP] = "bounces/tmp",
	[SPOOL_BOUNCES_NEW] = "bounces/new",
	[SPOOL_BOUNCES_CUR] = "bounces/cur",
	[SPOOL_POLICIES] = "policies",
	[SPOOL_REPORTS] = "reports",
};

const char *
layout_folder_path(enum spool_folder folder)
{
	return folder_paths[folder];
}

/* fsync of a folder; a file system that cannot do that is as good as it gets. */
static bool
sync_folder(int fd)
{
	return fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS;
}

/* Make the name of the folder `path` durable in its parent. A parent that may be written to but not read (mode
 * 1733) cannot be opened for fsync; then the whole file system is synced, which happens once. */
static bool
sync_parent(char *path)
{
	char *slash = strrchr(path, '/');
	int fd;
	bool is_well;
	int cause;

	*slash = '\0';
	fd = open(slash == path ? "/" : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	if (fd >= 0) {
		is_well = sync_folder(fd);
	} else {
		if (errno != EACCES)
			return false;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return false;
		is_well = syncfs(fd) == 0;
	}
	cause = errno;
	close(fd);
	errno = cause;
	return is_well;
}

/* One folder of the path. One that belongs to us may have been made by a process that died before it was durable,
 * so that is done again; others' folders are not our work. */
static bool
make_level(char *path, bool must_exist)
{
	struct stat facts = {0};

	if (stat(path, &facts) == 0) {
		if (!S_ISDIR(facts.st_mode)) {
			errno = ENOTDIR;
			return false;
		}
		return must_exist || facts.st_uid != geteuid() || sync_parent(path);
	}
	if (errno != ENOENT || must_exist)
		return false;
	if (mkdir(path, MODE) != 0 && errno != EEXIST)
		return false;
	return sync_parent(path);
}

bool
layout_make_path(const char *path, size_t given, size_t *at)
{
	size_t size = strlen(path);
	char *prefix = mem_copy_string(path);
	bool is_well = true;

	for (size_t i = 1; is_well && i <= size; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		if (path[i - 1] == '/')
			continue;
		*at = i;
		prefix[i] = '\0';
		is_well = make_level(prefix, i <= given);
		prefix[i] = path[i];
	}
	free(prefix);
	return is_well;
}

static bool
make_folder(int root, const char *name)
{
	return mkdirat(root, name, MODE) == 0 || errno == EEXIST;
}

/* fsync of a folder by name. */
static bool
sync_named(int root, const char *name)
{
	int fd = disk_open(root, name, O_RDONLY | O_DIRECTORY);
	bool is_well;
	int cause;

	if (fd < 0)
		return false;
	is_well = sync_folder(fd);
	cause = errno;
	close(fd);
	errno = cause;
	return is_well;
}

/* VERSION: a file of a new name in tmp/, and a rename. Dying before the rename leaves a file for the janitor. */
static bool
write_version(int root)
{
	char id[ID_LENGTH + 1];
	char name[ID_LENGTH + sizeof("tmp/")];
	struct buf path = {0};
	int fd;
	bool is_well;
	int cause;

	id_make(id);
	buf_printf(&path, "tmp/%s", id);
	memcpy(name, buf_text(&path), sizeof(name));
	buf_free(&path);
	fd = disk_open(root, name, O_WRONLY | O_CREAT | O_EXCL);
	if (fd < 0)
		return false;
	is_well = disk_write(fd, version, sizeof(version) - 1, 0, NULL) && fsync(fd) == 0 &&
	          renameat(root, name, root, "VERSION") == 0;
	cause = errno;
	if (!is_well)
		unlinkat(root, name, 0);
	close(fd);
	errno = cause;
	return is_well;
}

bool
layout_complete(int root)
{
	if (!make_folder(root, "bounces"))
		return false;
	for (size_t i = 0; i < N_FIRST_FOLDERS; i++)
		if (!make_folder(root, folder_paths[i]))
			return false;
	/* The names of all folders are durable before VERSION says that they are there. */
	return sync_named(root, "bounces") && sync_folder(root) && write_version(root) && sync_folder(root);
}

bool
layout_make_folder(int root, enum spool_folder folder)
{
	return make_folder(root, "bounces") && make_folder(root, folder_paths[folder]) && sync_named(root, "bounces") &&
	       sync_folder(root);
}

enum layout_version
layout_read_version(int root, char *text, size_t size)
{
	int fd = disk_open(root, "VERSION", O_RDONLY | O_NONBLOCK);
	struct buf clean = {0};
	ssize_t n;
	int cause;

	if (fd < 0)
		return errno == ENOENT ? LAYOUT_INCOMPLETE : LAYOUT_ERROR;
	/* Two bytes are enough where all is as usual; the rest is for people. */
	n = disk_read(fd, text, sizeof(version) - 1, 0);
	if (n == (ssize_t)sizeof(version) - 1 && memcmp(text, version, sizeof(version) - 1) != 0)
		n = disk_read(fd, text, size - 1, 0);
	cause = errno;
	close(fd);
	errno = cause;
	if (n < 0)
		return LAYOUT_ERROR;
	text[n] = '\0';
	if (strcmp(text, version) == 0)
		return LAYOUT_CURRENT;
	err_add_clean(&clean, str_first(str_trim(str_of(text)), size / 4 - 1));
	memcpy(text, buf_text(&clean), clean.size + 1);
	buf_free(&clean);
	return LAYOUT_FOREIGN;
}
