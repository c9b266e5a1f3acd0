/* hint.c - what is known of a route, in a small file of lines "name value". It may be torn or gone: it is read with
 * distrust. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "queue/disk.h"
#include "queue/hint.h"
#include "queue/note.h"

enum { FILE_MOST = 2048 }; /* bytes of a hint; longer ones are not ours */

static bool
is_tag(struct str tag)
{
	bool is_good = tag.size == TAG_LENGTH;

	for (size_t i = 0; is_good && i < tag.size; i++)
		is_good = ascii_is_digit(tag.data[i]) || (tag.data[i] >= 'A' && tag.data[i] <= 'V');
	return is_good;
}

/* A text with its NUL. */
static void
set_text(char *array, size_t capacity, struct str text)
{
	struct buf clean = {0};
	size_t size;

	err_add_clean(&clean, str_first(text, capacity));
	size = clean.size < capacity ? clean.size : capacity - 1;
	while (size > 0 && size < clean.size && ((unsigned char)clean.data[size] & 0xc0) == 0x80)
		size--;
	if (size > 0)
		memcpy(array, clean.data, size);
	array[size] = '\0';
	buf_free(&clean);
}

/* One line. False: it makes no sense. Unknown names are passed over. */
static bool
read_line(struct hint *hint, struct str name, struct str value)
{
	uint64_t number = 0;

	if (str_equals(name, STR("account"))) {
		set_text(hint->account, sizeof(hint->account), value);
		return true;
	}
	if (str_equals(name, STR("text"))) {
		set_text(hint->text, sizeof(hint->text), value);
		return true;
	}
	if (!str_equals(name, STR("failures")) && !str_equals(name, STR("not_before")) &&
	    !str_equals(name, STR("held")) && !str_equals(name, STR("since")))
		return true;
	if (!str_to_number(value, INT64_MAX, &number))
		return false;
	if (str_equals(name, STR("failures")))
		hint->n_failures = number < INT32_MAX ? (unsigned)number : INT32_MAX;
	else if (str_equals(name, STR("not_before")))
		hint->not_before = (int64_t)number;
	else if (str_equals(name, STR("held")))
		hint->is_held = number != 0;
	else
		hint->since = (int64_t)number;
	return true;
}

/* The last line must be "end": a file that was torn is none. */
static bool
read_lines(struct hint *hint, struct str text)
{
	struct str line = {0};

	while (str_next_token(&text, '\n', &line)) {
		size_t end = str_find(line, ' ');

		if (str_equals(line, STR("end")))
			return text.size == 0 && (hint->n_failures > 0 || hint->is_held);
		if (!read_line(hint, str_first(line, end), str_from(line, end + 1)))
			return false;
	}
	return false;
}

static bool
read_hint(int folder, const char *tag, struct hint *hint)
{
	char text[FILE_MOST];
	int fd = disk_open(folder, tag, O_RDONLY | O_NONBLOCK);
	ssize_t n;

	*hint = (struct hint){0};
	if (fd < 0)
		return false;
	n = disk_read(fd, text, sizeof(text), 0);
	close(fd);
	if (n > 0 && (size_t)n < sizeof(text) && read_lines(hint, str_make(text, (size_t)n)))
		return true;
	*hint = (struct hint){0};
	return false;
}

/* The folder with the hints; -1 without a word, for hints are not worth one. */
static int
open_routes(struct spool *spool)
{
	struct err err = {0};
	int folder = spool->is_open ? spool_folder(spool, SPOOL_ROUTES, &err) : -1;

	err_clear(&err);
	return folder;
}

void
hint_read(struct spool *spool, struct str tag, struct hint *hint)
{
	char name[TAG_LENGTH + 1] = {0};
	int folder;

	*hint = (struct hint){0};
	if (!is_tag(tag))
		return;
	folder = open_routes(spool);
	memcpy(name, tag.data, TAG_LENGTH);
	if (folder >= 0)
		read_hint(folder, name, hint);
}

static void
add_text(struct buf *b, const char *name, const char *text)
{
	buf_printf(b, "%s ", name);
	err_add_clean(b, str_of(text));
	buf_add_char(b, '\n');
}

static void
add_lines(struct buf *b, const struct hint *hint)
{
	buf_printf(b, "failures %u\nnot_before %" PRId64 "\nheld %d\nsince %" PRId64 "\n", hint->n_failures,
	           hint->not_before > 0 ? hint->not_before : 0, hint->is_held, hint->since > 0 ? hint->since : 0);
	add_text(b, "account", hint->account);
	add_text(b, "text", hint->text);
	buf_add_text(b, "end\n");
}

bool
hint_write(struct spool *spool, struct str tag, const struct hint *hint)
{
	char name[TAG_LENGTH + 1] = {0};
	struct buf text = {0};
	bool is_written;
	int folder;

	if (!is_tag(tag))
		return false;
	folder = open_routes(spool);
	if (folder < 0)
		return false;
	memcpy(name, tag.data, TAG_LENGTH);
	if (hint->n_failures == 0 && !hint->is_held)
		return unlinkat(folder, name, 0) == 0 || errno == ENOENT;
	add_lines(&text, hint);
	is_written = text.size < FILE_MOST && note_write(spool, SPOOL_ROUTES, name, buf_str(&text));
	buf_free(&text);
	return is_written;
}

void
hint_each(struct spool *spool, bool (*see)(void *context, const char *tag, const struct hint *hint), void *context)
{
	DIR *stream = spool->is_open ? disk_open_folder(spool->root, spool_folder_name(SPOOL_ROUTES)) : NULL;
	const struct dirent *found;
	struct hint hint;
	bool goes_on = true;

	if (stream == NULL)
		return;
	while (goes_on && (found = readdir(stream)) != NULL)
		if (is_tag(str_of(found->d_name)) && read_hint(dirfd(stream), found->d_name, &hint))
			goes_on = see(context, found->d_name, &hint);
	closedir(stream);
}

int
hint_take_slot(struct spool *spool, struct str tag, int most, bool *is_busy)
{
	struct err err = {0};
	struct buf name = {0};
	enum spool_lock_result result = SPOOL_LOCK_BUSY;
	int fd = -1;

	*is_busy = false;
	if (!is_tag(tag))
		return -1;
	for (int i = 0; result == SPOOL_LOCK_BUSY && i < most; i++) {
		buf_clear(&name);
		buf_printf(&name, "slot.%.*s.%d", STR_ARG(tag), i);
		result = spool_lock(spool, buf_text(&name), &fd, &err);
	}
	err_clear(&err);
	buf_free(&name);
	*is_busy = result == SPOOL_LOCK_BUSY;
	return result == SPOOL_LOCKED ? fd : -1;
}
