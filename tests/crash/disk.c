/*
 * disk - see disk.h.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"

struct name {
	bool is_there;
	unsigned folder;
	unsigned object;
	char text[RECORD_NAME];
};

struct names {
	struct name *list;
	size_t n;
};

/* --- which steps are durable --- */

static bool
is_of_names(const struct record_step *step)
{
	return step->kind == RECORD_CREATE || step->kind == RECORD_RENAME || step->kind == RECORD_UNLINK;
}

static bool
is_sync(const struct disk *disk, size_t step, unsigned object)
{
	const struct record_step *it = &disk->record->steps[step];

	return it->kind == RECORD_SYNC && it->object == object && step != disk->drop.step && object != disk->drop.object;
}

static bool
is_synced(const struct disk *disk, size_t step, unsigned object)
{
	for (size_t i = step + 1; i < disk->n_steps; i++)
		if (is_sync(disk, i, object))
			return true;
	return false;
}

/* The first write of a file that is not durable. */
static size_t
first_pending(const struct disk *disk, unsigned object)
{
	for (size_t i = disk->n_steps; i > 0; i--)
		if (is_sync(disk, i - 1, object))
			return i;
	return 0;
}

static bool
is_write(const struct record_step *step, unsigned object)
{
	return step->object == object && (step->kind == RECORD_WRITE || step->kind == RECORD_CUT);
}

size_t
disk_count_writes(const struct disk *disk, unsigned object)
{
	size_t n = 0;

	for (size_t i = first_pending(disk, object); i < disk->n_steps; i++)
		n += is_write(&disk->record->steps[i], object);
	return n;
}

void
disk_make(struct disk *disk, const struct record *record, size_t n_steps, struct disk_drop drop)
{
	*disk = (struct disk){.record = record, .n_steps = n_steps, .drop = drop};
	disk->is_durable = calloc(n_steps + 1, sizeof(disk->is_durable[0]));
	disk->is_applied = calloc(n_steps + 1, sizeof(disk->is_applied[0]));
	disk->pending = calloc(n_steps + 1, sizeof(disk->pending[0]));
	if (disk->is_durable == NULL || disk->is_applied == NULL || disk->pending == NULL)
		abort();
	for (size_t i = 0; i < n_steps; i++) {
		const struct record_step *step = &record->steps[i];

		if (!is_of_names(step))
			continue;
		disk->is_durable[i] = is_synced(disk, i, step->kind == RECORD_RENAME ? step->folder_to : step->folder);
		disk->is_applied[i] = true;
		if (!disk->is_durable[i])
			disk->pending[disk->n_pending++] = i;
	}
	for (unsigned i = 0; i < record->n_objects; i++)
		if (!record->objects[i].is_folder && disk_count_writes(disk, i) > 0)
			disk->loose[disk->n_loose++] = i;
}

void
disk_free(struct disk *disk)
{
	free(disk->is_durable);
	free(disk->is_applied);
	free(disk->pending);
	*disk = (struct disk){0};
}

/* --- names and bytes by the choices --- */

static void
remove_name(struct names *names, unsigned folder, const char *text)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->list[i].is_there && names->list[i].folder == folder && strcmp(names->list[i].text, text) == 0)
			names->list[i].is_there = false;
}

static void
add_name(struct names *names, unsigned folder, const char *text, unsigned object)
{
	struct name *name = &names->list[names->n];

	remove_name(names, folder, text);
	name->is_there = true;
	name->folder = folder;
	name->object = object;
	memcpy(name->text, text, strlen(text) + 1);
	names->n++;
}

static struct names
names_of(const struct disk *disk)
{
	const struct record *record = disk->record;
	struct names names = {.list = calloc(record->n_objects + disk->n_steps + 1, sizeof(struct name))};

	if (names.list == NULL)
		abort();
	for (unsigned i = 0; i < record->n_objects; i++)
		if (record->objects[i].was_there)
			add_name(&names, record->objects[i].folder, record->objects[i].name, i);
	for (size_t i = 0; i < disk->n_steps; i++) {
		const struct record_step *step = &record->steps[i];

		if (!is_of_names(step) || !disk->is_applied[i])
			continue;
		if (step->kind != RECORD_CREATE)
			remove_name(&names, step->folder, step->name);
		if (step->kind == RECORD_CREATE)
			add_name(&names, step->folder, step->name, step->object);
		if (step->kind == RECORD_RENAME)
			add_name(&names, step->folder_to, step->name_to, step->object);
	}
	return names;
}

struct content {
	char *bytes;
	size_t size;
};

static void
grow(struct content *content, size_t size)
{
	if (size <= content->size)
		return;
	content->bytes = realloc(content->bytes, size);
	if (content->bytes == NULL)
		abort();
	memset(content->bytes + content->size, 0, size - content->size);
	content->size = size;
}

static void
apply_write(struct content *content, const struct record_step *step, size_t size)
{
	if (step->kind == RECORD_CUT) {
		grow(content, step->size);
		content->size = step->size;
		return;
	}
	if (size == 0)
		return;
	grow(content, step->offset + size);
	memcpy(content->bytes + step->offset, step->bytes, size);
}

static struct content
content_of(const struct disk *disk, unsigned object)
{
	const struct record_object *it = &disk->record->objects[object];
	const struct disk_bytes *choice = &disk->bytes[object];
	size_t first = first_pending(disk, object);
	size_t n_pending = 0;
	struct content content = {0};

	grow(&content, it->size);
	if (it->size > 0)
		memcpy(content.bytes, it->bytes, it->size);
	for (size_t i = 0; i < disk->n_steps; i++) {
		const struct record_step *step = &disk->record->steps[i];

		if (!is_write(step, object))
			continue;
		if (i < first || choice->kind == BYTES_ALL) {
			apply_write(&content, step, step->size);
			continue;
		}
		n_pending++;
		if (choice->kind == BYTES_ZERO && step->kind == RECORD_WRITE)
			grow(&content, step->offset + step->size);
		else if (choice->kind == BYTES_ONE && n_pending == choice->n_writes)
			apply_write(&content, step, step->size);
		else if (choice->kind == BYTES_TORN && n_pending == choice->n_writes)
			apply_write(&content, step, step->size / 2);
		else if ((choice->kind == BYTES_SOME || choice->kind == BYTES_TORN) && n_pending <= choice->n_writes)
			apply_write(&content, step, step->size);
	}
	return content;
}

/* --- on a real disk --- */

static void
write_object(const struct disk *disk, const struct names *names, unsigned object, const char *path)
{
	struct content content = {0};
	int fd = -1;

	if (disk->record->objects[object].is_folder) {
		if (mkdir(path, 0700) != 0)
			world_die("making", path);
		for (size_t i = 0; i < names->n; i++) {
			char inner[WORLD_PATH];

			if (!names->list[i].is_there || names->list[i].folder != object)
				continue;
			world_path(inner, path, names->list[i].text);
			write_object(disk, names, names->list[i].object, inner);
		}
		return;
	}
	content = content_of(disk, object);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || (content.size > 0 && write(fd, content.bytes, content.size) != (ssize_t)content.size))
		world_die("writing", path);
	(void)close(fd);
	free(content.bytes);
}

void
disk_write(const struct disk *disk, const char *path)
{
	struct names names = names_of(disk);

	world_remove(path);
	for (size_t i = 0; i < names.n; i++)
		if (names.list[i].is_there && names.list[i].folder == 0)
			write_object(disk, &names, names.list[i].object, path);
	free(names.list);
}

static uint64_t
mix(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * 1099511628211u;
	return hash;
}

static uint64_t
hash_object(const struct disk *disk, const struct names *names, unsigned object)
{
	struct content content = {0};
	uint64_t hash = 14695981039346656037u;

	if (disk->record->objects[object].is_folder) {
		/* The order of the names does not matter. */
		for (size_t i = 0; i < names->n; i++)
			if (names->list[i].is_there && names->list[i].folder == object) {
				uint64_t inner = hash_object(disk, names, names->list[i].object);

				hash += mix(inner, names->list[i].text, strlen(names->list[i].text)) * 0x9e3779b97f4a7c15u;
			}
		return hash;
	}
	content = content_of(disk, object);
	hash = mix(hash + content.size, content.bytes, content.size);
	free(content.bytes);
	return hash;
}

uint64_t
disk_hash(const struct disk *disk)
{
	struct names names = names_of(disk);
	uint64_t hash = hash_object(disk, &names, 0);

	free(names.list);
	return hash;
}
