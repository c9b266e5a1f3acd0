/* queuecheck.c - is everything in the queue as it should be? Reads it; changes it only to repair. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/place.h"
#include "cmd/queuecheck.h"
#include "cmd/talk.h"
#include "cmd/walk.h"
#include "queue/disk.h"
#include "queue/entry.h"
#include "queue/format.h"

enum {
	CHUNK_SIZE = 65536,
	SUFFIXES_MOST = 100 /* for names in corrupt/ */
};

struct check {
	struct call *call;
	struct spool *spool;
	struct buf out;
	struct json document;
	struct json *json; /* of it; NULL: as text */
	size_t n_findings;
	time_t now;
};

/* --- findings ------------------------------------------------------------------------------------------------------- */

static void
print(struct check *check)
{
	fwrite(buf_text(&check->out), 1, check->out.size, stdout);
	buf_clear(&check->out);
}

static void
find(struct check *check, enum spool_folder folder, const char *name, const char *what)
{
	struct buf path = {0};

	buf_printf(&path, "%s/", spool_folder_name(folder));
	err_add_clean(&path, str_of(name));
	if (check->json != NULL) {
		json_begin_object(check->json, NULL);
		json_add_text(check->json, "path", buf_text(&path));
		json_add_text(check->json, "text", what);
		json_end(check->json);
	} else
		buf_printf(&check->out, "%s: %s\n", buf_text(&path), what);
	check->n_findings++;
	print(check);
	buf_free(&path);
}

/* --- entries -------------------------------------------------------------------------------------------------------- */

/* The message by its checksum, which the line behind it tells. */
static bool
check_message(const struct entry *entry, struct err *err)
{
	char *chunk = mem_alloc(CHUNK_SIZE, 1);
	char end[FORMAT_END_MOST];
	int64_t at = 0;
	uint32_t found = 0;
	uint32_t told = 0;
	ssize_t n;

	while ((n = message_bytes(&entry->message, at, chunk, CHUNK_SIZE, err)) > 0) {
		found = format_crc(found, str_make(chunk, (size_t)n));
		at += n;
	}
	free(chunk);
	if (n < 0)
		return false;
	n = pread(entry->fd, end, sizeof(end), (int64_t)entry->head.size + entry->message.size);
	if (n < 0)
		return err_set_errno(err, EX_IOERR, "cannot be read");
	if (at != entry->message.size || !format_read_end(str_make(end, (size_t)n), entry->message.size, &told))
		return err_set(err, EX_DATAERR, "its message is not all there");
	return told == found || err_set(err, EX_DATAERR, "its message does not agree with the checksum");
}

/* False: err says what is wrong. A small message is summed by entry_peek() already, and costs little. */
static bool
look_at_entry(struct check *check, enum spool_folder folder, const char *name, struct err *err)
{
	struct entry entry = {0};
	enum entry_result result = entry_peek(&entry, check->spool, folder, name, err);
	bool is_good = result == ENTRY_GONE || (result == ENTRY_OPENED && check_message(&entry, err));

	entry_free(&entry);
	return is_good;
}

/* Opening it for work puts it into corrupt/ when it is bad. */
static bool
repair_entry(struct check *check, enum spool_folder folder, const char *name, struct err *err)
{
	struct entry entry = {0};
	enum entry_result result = entry_open(&entry, check->spool, folder, name, err);

	entry_free(&entry);
	return result != ENTRY_BAD && result != ENTRY_REFUSED;
}

/* The text of an error about an entry, which may begin with its path. */
static const char *
without_path(const struct err *err, const char *name)
{
	const char *text = buf_text(&err->text);
	const char *path = strstr(text, name);

	return path != NULL && path[strlen(name)] == ':' ? path + strlen(name) + 2 : text;
}

static void
visit(void *context, enum spool_folder folder, const char *name)
{
	struct check *check = context;
	struct err err = {0};
	bool is_good;

	if (check->call->request.repairs)
		is_good = repair_entry(check, folder, name, &err);
	else
		is_good = look_at_entry(check, folder, name, &err);
	if (!is_good)
		find(check, folder, name, without_path(&err, name));
	err_clear(&err);
}

/* --- everything else ------------------------------------------------------------------------------------------------ */

/* A second one of a name, and so on, gets a number behind it. */
static bool
rename_aside(int from, int corrupt, const char *name)
{
	struct buf new_name = {0};
	bool is_moved = false;

	for (int i = 0; !is_moved && i < SUFFIXES_MOST; i++) {
		buf_clear(&new_name);
		buf_add_text(&new_name, name);
		if (i > 0)
			buf_printf(&new_name, ".%d", i);
		is_moved = disk_rename((struct disk_name){from, name}, (struct disk_name){corrupt, buf_text(&new_name)}, -1);
		if (!is_moved && errno != EEXIST)
			break;
	}
	buf_free(&new_name);
	return is_moved;
}

/* Put what is not ours out of the way. */
static void
put_aside(struct check *check, enum spool_folder folder, const char *name)
{
	struct err err = {0};
	struct buf shown = {0};
	int from = spool_folder(check->spool, folder, &err);
	int corrupt = spool_folder(check->spool, SPOOL_CORRUPT, &err);

	err_add_clean(&shown, str_of(name));
	if (from >= 0 && corrupt >= 0) {
		if (!rename_aside(from, corrupt, name))
			err_set_errno(&err, EX_IOERR, "%s/%s cannot be put into corrupt/", spool_folder_name(folder),
			              buf_text(&shown));
		else if (spool_sync(check->spool, SPOOL_CORRUPT, &err))
			spool_sync(check->spool, folder, &err);
	}
	if (err_is_set(&err))
		talk_error(check->call->program, &err);
	buf_free(&shown);
	err_clear(&err);
}

static bool
is_entry_name(const char *name)
{
	struct str id;
	struct str tag;

	return strlen(name) < SPOOL_NAME_SIZE && id_split(str_of(name), &id, &tag);
}

static void
check_stray(struct check *check, enum spool_folder folder, const char *name, const struct stat *facts)
{
	(void)facts;
	if (is_entry_name(name))
		return;
	find(check, folder, name, "is not the name of an entry");
	if (check->call->request.repairs)
		put_aside(check, folder, name);
}

static void
check_orphan(struct check *check, enum spool_folder folder, const char *name, const struct stat *facts)
{
	if (facts->st_mtime + SPOOL_TMP_AGE < check->now)
		find(check, folder, name, "was left by a program that did not come to its end");
}

static void
check_route(struct check *check, enum spool_folder folder, const char *name, const struct stat *facts)
{
	if (!S_ISREG(facts->st_mode))
		find(check, folder, name, "is not a regular file");
}

/* Call look for each name in a folder. */
static void
check_folder(struct check *check, enum spool_folder folder,
             void (*look)(struct check *check, enum spool_folder folder, const char *name, const struct stat *facts))
{
	struct err err = {0};
	int folder_fd = spool_folder(check->spool, folder, &err);
	int fd = folder_fd < 0 ? -1 : openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *found;

	if (names == NULL) {
		err_set_errno(&err, EX_IOERR, "cannot be read");
		find(check, folder, "", buf_text(&err.text));
		if (fd >= 0)
			close(fd);
	}
	while (names != NULL && (found = readdir(names)) != NULL) {
		struct stat facts = {0};

		/* Network file systems keep removed files by such names. */
		if (found->d_name[0] == '.')
			continue;
		if (fstatat(fd, found->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0)
			look(check, folder, found->d_name, &facts);
	}
	if (names != NULL)
		closedir(names);
	err_clear(&err);
}

static void
check_everything(struct check *check)
{
	struct walk_visitor visitor = {.visit = visit, .context = check};
	struct err err = {0};

	if (!walk_entries(check->spool, WALK_ALL, &visitor, &err))
		find(check, SPOOL_QUEUE, "", buf_text(&err.text));
	err_clear(&err);
	check_folder(check, SPOOL_QUEUE, check_stray);
	check_folder(check, SPOOL_HOLD, check_stray);
	check_folder(check, SPOOL_FAILED, check_stray);
	check_folder(check, SPOOL_TMP, check_orphan);
	check_folder(check, SPOOL_ROUTES, check_route);
	if (check->call->request.repairs)
		spool_clean(check->spool, check->now, true);
}

static void
report(struct check *check)
{
	if (check->call->request.wants_json) {
		check->document.out = &check->out;
		check->json = &check->document;
		json_begin_object(check->json, NULL);
		json_add_text(check->json, "schema", "mailcrane.queue-check/1");
		json_begin_array(check->json, "findings");
	}
	if (check->spool->is_open)
		check_everything(check);
	if (check->json != NULL) {
		json_end(check->json);
		json_end(check->json);
		buf_add_char(&check->out, '\n');
		print(check);
	}
}

int
queuecheck_run(struct call *call)
{
	struct spool spool = {0};
	struct err err = {0};
	struct check check = {.call = call, .spool = &spool, .now = time(NULL)};
	int exit_code;

	if (place_open(call, &spool, false, &err)) {
		report(&check);
		exit_code = check.n_findings > 0 ? EX_DATAERR : EX_OK;
	} else {
		exit_code = err.exit_code;
		talk_error(call->program, &err);
	}
	talk_problems(call->program, buf_str(&spool.warnings));
	buf_free(&check.out);
	err_clear(&err);
	spool_free(&spool);
	return exit_code;
}
