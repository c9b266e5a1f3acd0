/* folder.c - chooses files of a folder by their names; reads no file. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/folder.h"

enum { HASH_DIGITS = 8 };

/* A file, whatever its names are. */
struct identity {
	dev_t device;
	ino_t number;
};

/* Files that have a name with a hash. */
struct hashed {
	struct identity *files;
	size_t n;
};

/* Is it HHHHHHHH.N? */
static bool
parse_name(struct str name, uint32_t *hash)
{
	size_t at = 0;

	*hash = 0;
	for (; at < HASH_DIGITS && at < name.size; at++) {
		char c = name.data[at];

		if (ascii_is_digit(c))
			*hash = *hash << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*hash = *hash << 4 | (uint32_t)(c - 'a' + 10);
		else
			return false;
	}
	if (name.size < HASH_DIGITS + 2 || name.data[at] != '.')
		return false;
	for (at++; at < name.size; at++)
		if (!ascii_is_digit(name.data[at]))
			return false;
	return true;
}

static bool
is_wanted(uint32_t hash, const uint32_t *hashes, size_t n_hashes)
{
	for (size_t i = 0; i < n_hashes; i++)
		if (hashes[i] == hash)
			return true;
	return false;
}

static void
add_name(struct folder *folder, const char *name)
{
	folder->names = mem_resize(folder->names, folder->n_names + 1, sizeof(*folder->names));
	folder->names[folder->n_names++] = mem_copy_string(name);
}

static int
compare(const void *a, const void *b)
{
	const struct identity *left = a, *right = b;

	if (left->device != right->device)
		return left->device < right->device ? -1 : 1;
	return (left->number > right->number) - (left->number < right->number);
}

/* Is the file of this name one to read for its other name? */
static bool
has_no_hash(int fd, const char *name, const struct hashed *hashed)
{
	struct stat facts = {0};
	struct identity identity;

	if (fstatat(fd, name, &facts, 0) != 0 || !S_ISREG(facts.st_mode))
		return false;
	identity = (struct identity){.device = facts.st_dev, .number = facts.st_ino};
	return hashed->n == 0 || bsearch(&identity, hashed->files, hashed->n, sizeof(identity), compare) == NULL;
}

static void
note_hashed(struct hashed *hashed, int fd, const char *name)
{
	struct stat facts = {0};

	if (fstatat(fd, name, &facts, 0) != 0)
		return;
	hashed->files = mem_resize(hashed->files, hashed->n + 1, sizeof(*hashed->files));
	hashed->files[hashed->n++] = (struct identity){.device = facts.st_dev, .number = facts.st_ino};
}

/* Of the files with other names those that no hash speaks of. */
static void
add_plain(struct folder *folder, int fd, const struct folder *plain, struct hashed *hashed)
{
	if (hashed->n > 0)
		qsort(hashed->files, hashed->n, sizeof(*hashed->files), compare);
	for (size_t i = 0; i < plain->n_names; i++)
		if (has_no_hash(fd, plain->names[i], hashed))
			add_name(folder, plain->names[i]);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The folder as a stream of names from its beginning. */
static DIR *
open_stream(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);

	if (stream == NULL && copy >= 0)
		close(copy);
	return stream;
}

bool
folder_choose(struct folder *folder, int fd, const uint32_t *hashes, size_t n_hashes, struct err *err)
{
	DIR *stream = open_stream(fd);
	struct folder plain = {0};
	struct hashed hashed = {0};
	const struct dirent *entry;

	if (stream == NULL)
		return err_set_errno(err, EX_CONFIG, "cannot list the folder");
	while (errno = 0, (entry = readdir(stream)) != NULL) {
		uint32_t hash = 0;

		if (entry->d_name[0] == '.')
			continue;
		if (!parse_name(str_of(entry->d_name), &hash)) {
			add_name(&plain, entry->d_name);
			continue;
		}
		note_hashed(&hashed, fd, entry->d_name);
		if (is_wanted(hash, hashes, n_hashes))
			add_name(folder, entry->d_name);
		else
			folder->n_passed_over++;
	}
	if (errno != 0)
		err_set_errno(err, EX_CONFIG, "cannot list the folder");
	add_plain(folder, fd, &plain, &hashed);
	if (folder->n_names > 0)
		qsort(folder->names, folder->n_names, sizeof(*folder->names), compare_names);
	closedir(stream);
	folder_free(&plain);
	free(hashed.files);
	return !err_is_set(err);
}

void
folder_free(struct folder *folder)
{
	for (size_t i = 0; i < folder->n_names; i++)
		free(folder->names[i]);
	free(folder->names);
	*folder = (struct folder){0};
}
