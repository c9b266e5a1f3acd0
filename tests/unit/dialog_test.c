/* dialog_test.c - every file in tests/dialogues, played in memory: the server's bytes whole, one by one and in sevens. */

#include "config.h"

#include <glob.h>
#include <stdlib.h>

#include "base/file.h"
#include "player.h"
#include "tap.h"

static const size_t pieces[] = {0, 1, 7};

/* The first comment of the file, which is the sentence about behaviour. */
static struct str
title_of(const struct buf *script)
{
	struct str rest = buf_str(script), line;

	while (str_next_token(&rest, '\n', &line))
		if (str_starts_with(line, STR("# ")))
			return str_from(line, 2);
	return STR("(no title)");
}

static void
test_file(const char *path)
{
	struct player_result results[sizeof(pieces) / sizeof(pieces[0])] = {{0}};
	struct buf script = {0};
	struct err err = {0};
	bool is_same = true;

	if (!file_read_path(path, 16 * 1024 * 1024, &script, &err)) {
		tap_ok(false, "%s can be read: %s", path, buf_text(&err.text));
		err_clear(&err);
		return;
	}
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		player_run(script.data, script.size, pieces[i], &results[i]);
		is_same = is_same && results[i].is_as_scripted &&
		          str_equals(buf_str(&results[i].summary), buf_str(&results[0].summary));
	}
	tap_ok(is_same, "%.*s (%s)", STR_ARG(title_of(&script)), strrchr(path, '/') + 1);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		if (!is_same)
			tap_note("pieces of %zu: %s", pieces[i], buf_text(&results[i].complaint));
		player_result_free(&results[i]);
	}
	buf_free(&script);
}

int
main(void)
{
	const char *srcdir = getenv("srcdir");
	char pattern[4096];
	glob_t files = {0};

	snprintf(pattern, sizeof(pattern), "%s/tests/dialogues/*.txt", srcdir != NULL ? srcdir : ".");
	if (glob(pattern, 0, NULL, &files) != 0)
		tap_ok(false, "there are dialogue files: %s", pattern);
	for (size_t i = 0; i < files.gl_pathc; i++)
		test_file(files.gl_pathv[i]);
	globfree(&files);
	return tap_end();
}
