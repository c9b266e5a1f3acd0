/*
 * record - see record.h.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record.h"

enum { PROCESSES = 64, NO_OBJECT = RECORD_OBJECTS };

/* A call that names a file: what it was about before it was made. */
struct pending {
	char path[WORLD_PATH];
	char path_to[WORLD_PATH];
	unsigned object;
	unsigned object_to; /* what a rename replaces */
	unsigned n_mail;
};

struct recorder {
	struct record *record;
	struct stage *stage;
	struct pending pending[PROCESSES];
};

/* The calls that change names, whatever their generation. -1: no such argument. */
static const struct {
	long number;
	enum record_kind kind;
	int folder;
	int path;
	int folder_to;
	int path_to;
} names[] = {
	{SYS_openat, RECORD_CREATE, 0, 1, -1, -1},
	{SYS_mkdirat, RECORD_CREATE, 0, 1, -1, -1},
	{SYS_linkat, RECORD_CREATE, 2, 3, -1, -1},
	{SYS_renameat, RECORD_RENAME, 0, 1, 2, 3},
	{SYS_renameat2, RECORD_RENAME, 0, 1, 2, 3},
	{SYS_unlinkat, RECORD_UNLINK, 0, 1, -1, -1},
#ifdef __x86_64__
	{SYS_open, RECORD_CREATE, -1, 0, -1, -1},
	{SYS_creat, RECORD_CREATE, -1, 0, -1, -1},
	{SYS_mkdir, RECORD_CREATE, -1, 0, -1, -1},
	{SYS_link, RECORD_CREATE, -1, 1, -1, -1},
	{SYS_rename, RECORD_RENAME, -1, 0, -1, 1},
	{SYS_unlink, RECORD_UNLINK, -1, 0, -1, -1},
	{SYS_rmdir, RECORD_UNLINK, -1, 0, -1, -1},
#endif
};

/* --- objects --- */

static unsigned
find_inode(const struct record *record, uint64_t inode)
{
	for (unsigned i = record->n_objects; i > 0; i--)
		if (record->objects[i - 1].inode == inode)
			return i - 1;
	return NO_OBJECT;
}

static unsigned
add_object(struct record *record, const char *path, const struct stat *facts)
{
	struct record_object *object = NULL;

	if (record->n_objects == RECORD_OBJECTS)
		world_die("too many files:", path);
	object = &record->objects[record->n_objects];
	*object = (struct record_object){.is_folder = S_ISDIR(facts->st_mode), .inode = facts->st_ino};
	(void)snprintf(object->path, sizeof(object->path), "%s", path);
	return record->n_objects++;
}

static const char *
last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static void
copy_name(char to[RECORD_NAME], const char *path)
{
	if (snprintf(to, RECORD_NAME, "%s", last_name(path)) >= RECORD_NAME)
		world_die("name too long:", path);
}

static unsigned
folder_of(const struct record *record, const char *path)
{
	char folder[WORLD_PATH];
	struct stat facts;

	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(last_name(path) - path - 1), path);
	return stat(folder, &facts) == 0 ? find_inode(record, facts.st_ino) : NO_OBJECT;
}

static char *
read_all(int fd, size_t offset, size_t size)
{
	char *bytes = calloc(1, size + 1);

	if (bytes == NULL)
		abort();
	for (size_t done = 0; done < size;) {
		ssize_t n = pread(fd, bytes + done, size - done, (off_t)(offset + done));

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return bytes;
}

/* What is there before the run. */
static void
add_tree(struct record *record, const char *path, unsigned folder)
{
	struct stat facts;
	unsigned self = 0;
	DIR *items = NULL;
	struct dirent *item = NULL;

	if (lstat(path, &facts) != 0)
		return;
	self = add_object(record, path, &facts);
	record->objects[self].was_there = true;
	record->objects[self].folder = folder;
	copy_name(record->objects[self].name, path);
	if (!S_ISDIR(facts.st_mode)) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		record->objects[self].size = (size_t)facts.st_size;
		record->objects[self].bytes = read_all(fd, 0, (size_t)facts.st_size);
		(void)close(fd);
		return;
	}
	items = opendir(path);
	while (items != NULL && (item = readdir(items)) != NULL) {
		char inner[WORLD_PATH];

		if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
			continue;
		world_path(inner, path, item->d_name);
		add_tree(record, inner, self);
	}
	if (items != NULL)
		(void)closedir(items);
}

/* --- what the calls are about --- */

static unsigned
count_mail(const struct recorder *recorder)
{
	DIR *folder = opendir(recorder->stage->world.mail);
	struct dirent *item = NULL;
	unsigned n = 0;

	while (folder != NULL && (item = readdir(folder)) != NULL)
		n += item->d_name[0] != '.' && strstr(item->d_name, ".env") != NULL;
	if (folder != NULL)
		(void)closedir(folder);
	return n;
}

static bool
read_text(pid_t pid, uint64_t address, char text[WORLD_PATH])
{
	size_t n = 0;

	/* A page at a time, as the next one may not be there. */
	while (n < WORLD_PATH) {
		size_t most = 4096 - (size_t)((address + n) & 4095);
		struct iovec here = {text + n, most < WORLD_PATH - n ? most : WORLD_PATH - n};
		struct iovec there = {(void *)(uintptr_t)(address + n), here.iov_len};
		ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);

		if (got <= 0)
			return false;
		if (memchr(text + n, '\0', (size_t)got) != NULL)
			return true;
		n += (size_t)got;
	}
	return false;
}

static bool
resolve(const struct trap_call *call, int folder, int path, char resolved[WORLD_PATH])
{
	char text[WORLD_PATH];
	char link[64];
	char base[WORLD_PATH];
	ssize_t n = 0;
	int fd = folder < 0 ? AT_FDCWD : (int)call->arguments[folder];

	memset(text, 0, sizeof(text));
	resolved[0] = '\0';
	if (!read_text(call->pid, call->arguments[path], text))
		return false;
	for (size_t size = strlen(text); size > 1 && text[size - 1] == '/'; size--)
		text[size - 1] = '\0';
	if (text[0] == '/')
		return snprintf(resolved, WORLD_PATH, "%s", text) < WORLD_PATH;
	if (fd == AT_FDCWD)
		(void)snprintf(link, sizeof(link), "/proc/%d/cwd", (int)call->pid);
	else
		(void)snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)call->pid, fd);
	n = readlink(link, base, sizeof(base) - 1);
	if (n <= 0)
		return false;
	base[n] = '\0';
	return snprintf(resolved, WORLD_PATH, "%s/%s", base, text) < WORLD_PATH;
}

static bool
is_in_spool(const struct recorder *recorder, const char *path)
{
	size_t size = strlen(recorder->stage->world.spool);

	return strncmp(path, recorder->stage->world.spool, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

static unsigned
object_of_path(const struct record *record, const char *path)
{
	struct stat facts;

	return lstat(path, &facts) == 0 ? find_inode(record, facts.st_ino) : NO_OBJECT;
}

static int
row_of(long number)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == number)
			return (int)i;
	return -1;
}

static struct record_step *
add_step(struct recorder *recorder, enum record_kind kind, unsigned object, unsigned n_mail_before)
{
	struct record *record = recorder->record;
	struct record_step *step = NULL;

	if (record->n_steps == record->room) {
		record->room = record->room == 0 ? 256 : 2 * record->room;
		record->steps = reallocarray(record->steps, record->room, sizeof(record->steps[0]));
		if (record->steps == NULL)
			abort();
	}
	step = &record->steps[record->n_steps++];
	*step = (struct record_step){.kind = kind, .object = object};
	step->n_mail_before = n_mail_before;
	step->n_mail_after = count_mail(recorder);
	return step;
}

static void
before(void *context, const struct trap_call *call)
{
	struct recorder *recorder = context;
	struct pending *pending = &recorder->pending[call->point.process % PROCESSES];
	int row = row_of(call->point.number);

	pending->path[0] = pending->path_to[0] = '\0';
	pending->object = pending->object_to = NO_OBJECT;
	pending->n_mail = count_mail(recorder);
	if (row < 0)
		return;
	if (resolve(call, names[row].folder, names[row].path, pending->path))
		pending->object = object_of_path(recorder->record, pending->path);
	if (names[row].path_to >= 0 && resolve(call, names[row].folder_to, names[row].path_to, pending->path_to))
		pending->object_to = object_of_path(recorder->record, pending->path_to);
}

/* --- what they did --- */

/* The last name is gone: the next file may get the same inode. */
static void
forget_inode(struct record *record, unsigned object)
{
	if (object != NO_OBJECT)
		record->objects[object].inode = 0;
}

static void
note_create(struct recorder *recorder, const struct pending *pending)
{
	struct stat facts;
	struct record_step *step = NULL;
	unsigned object = NO_OBJECT;

	if (pending->object != NO_OBJECT || !is_in_spool(recorder, pending->path) || lstat(pending->path, &facts) != 0)
		return;
	if (facts.st_nlink > 1 && !S_ISDIR(facts.st_mode))
		object = find_inode(recorder->record, facts.st_ino);
	if (object == NO_OBJECT)
		object = add_object(recorder->record, pending->path, &facts);
	step = add_step(recorder, RECORD_CREATE, object, pending->n_mail);
	step->folder = folder_of(recorder->record, pending->path);
	copy_name(step->name, pending->path);
}

static void
note_rename(struct recorder *recorder, const struct pending *pending)
{
	struct record_step *step = NULL;

	if (pending->object == NO_OBJECT || !is_in_spool(recorder, pending->path_to))
		return;
	step = add_step(recorder, RECORD_RENAME, pending->object, pending->n_mail);
	step->folder = folder_of(recorder->record, pending->path);
	step->folder_to = folder_of(recorder->record, pending->path_to);
	copy_name(step->name, pending->path);
	copy_name(step->name_to, pending->path_to);
	forget_inode(recorder->record, pending->object_to);
}

static void
note_unlink(struct recorder *recorder, const struct pending *pending)
{
	struct record_step *step = NULL;

	if (pending->object == NO_OBJECT || !is_in_spool(recorder, pending->path))
		return;
	step = add_step(recorder, RECORD_UNLINK, pending->object, pending->n_mail);
	step->folder = folder_of(recorder->record, pending->path);
	copy_name(step->name, pending->path);
	forget_inode(recorder->record, pending->object);
}

static long
position(const struct trap_call *call)
{
	char name[64];
	char line[128];
	long at = 0;
	FILE *file = NULL;

	(void)snprintf(name, sizeof(name), "/proc/%d/fdinfo/%d", (int)call->pid, (int)call->arguments[0]);
	file = fopen(name, "re");
	if (file != NULL && fgets(line, sizeof(line), file) != NULL && strncmp(line, "pos:", 4) == 0)
		at = strtol(line + 4, NULL, 10);
	if (file != NULL)
		(void)fclose(file);
	return at;
}

/* Calls on a descriptor. What was written is read back from the file. */
static void
note_descriptor(struct recorder *recorder, const struct trap_call *call, unsigned n_mail)
{
	char name[64];
	struct stat facts;
	struct record_step *step = NULL;
	unsigned object = NO_OBJECT;
	long number = call->point.number;
	bool is_sync = number == SYS_fsync || number == SYS_fdatasync;
	int out = number == SYS_copy_file_range ? 2 : 0;
	int fd = -1;

	(void)snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)call->pid, (int)call->arguments[out]);
	if (stat(name, &facts) != 0 || (object = find_inode(recorder->record, facts.st_ino)) == NO_OBJECT)
		return;
	if (is_sync) {
		(void)add_step(recorder, RECORD_SYNC, object, n_mail);
		return;
	}
	if (number == SYS_ftruncate) {
		step = add_step(recorder, RECORD_CUT, object, n_mail);
		step->size = (size_t)facts.st_size;
		return;
	}
	if (call->result <= 0)
		return;
	step = add_step(recorder, RECORD_WRITE, object, n_mail);
	step->size = (size_t)call->result;
	step->offset = number == SYS_pwrite64 ? (size_t)call->arguments[3] : (size_t)(position(call) - call->result);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || number == SYS_copy_file_range || number == SYS_pwritev)
		world_die("this way of writing is not known to the recorder:", trap_name(number));
	step->bytes = read_all(fd, step->offset, step->size);
	(void)close(fd);
}

static void
after(void *context, const struct trap_call *call)
{
	struct recorder *recorder = context;
	struct pending *pending = &recorder->pending[call->point.process % PROCESSES];
	int row = row_of(call->point.number);

	if (call->result < 0)
		return;
	if (row >= 0 && pending->path[0] != '\0') {
		if (names[row].kind == RECORD_CREATE)
			note_create(recorder, pending);
		else if (names[row].kind == RECORD_RENAME)
			note_rename(recorder, pending);
		else
			note_unlink(recorder, pending);
		return;
	}
	switch (call->point.number) {
	case SYS_write:
	case SYS_writev:
	case SYS_pwrite64:
	case SYS_pwritev:
	case SYS_copy_file_range:
	case SYS_sendfile:
	case SYS_ftruncate:
	case SYS_fsync:
	case SYS_fdatasync:
		note_descriptor(recorder, call, pending->n_mail);
		break;
	default:
		break;
	}
}

static void
ended(void *context, unsigned process, int status)
{
	struct recorder *recorder = context;

	if (process == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		(void)add_step(recorder, RECORD_EXIT, 0, count_mail(recorder));
}

bool
record_run(struct record *record, struct stage *stage, struct trap_result *result)
{
	static struct recorder recorder;
	struct stat facts;
	struct trap_plan plan = {.argv = stage->command.argv,
	                         .input = stage->input,
	                         .output = stage->world.output,
	                         .before = before,
	                         .after = after,
	                         .ended = ended,
	                         .context = &recorder,
	                         .limit_ms = 60000};

	memset(record, 0, sizeof(*record));
	recorder = (struct recorder){.record = record, .stage = stage};
	if (stat(stage->world.folder, &facts) != 0)
		return false;
	(void)add_object(record, stage->world.folder, &facts);
	add_tree(record, stage->world.spool, 0);
	return trap_run(&plan, result);
}

void
record_free(struct record *record)
{
	for (unsigned i = 0; i < record->n_objects; i++)
		free(record->objects[i].bytes);
	for (size_t i = 0; i < record->n_steps; i++)
		free(record->steps[i].bytes);
	free(record->steps);
	memset(record, 0, sizeof(*record));
}

void
record_describe(const struct record *record, size_t step, char text[256])
{
	const struct record_step *it = &record->steps[step];
	const char *path = record->objects[it->object].path;
	size_t base = strlen(record->objects[0].path);
	const char *what[] = {"create", "rename", "unlink", "write", "cut", "sync", "exit"};

	(void)snprintf(text, 256, "step %zu: %s %.100s%s%.60s", step, what[it->kind], it->object == 0 ? "." : path + base + 1,
	               it->kind == RECORD_RENAME ? " to " : "", it->kind == RECORD_RENAME ? it->name_to : "");
}
