/* replay.c - a main for the fuzz targets without libFuzzer: plays every file of tests/fuzz/corpus/NAME once, NAME being
 * what stands before "_fuzz" in the program's name; and for dialog the dialogue files. TAP on stdout. */

#include "config.h"

#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Give the whole of an open file to the target; a target that dislikes the input aborts, which no plan survives. */
static int
play_file(FILE *file)
{
	static uint8_t data[4 * 1024 * 1024];
	size_t size = fread(data, 1, sizeof(data), file);

	if (ferror(file) != 0 || size == sizeof(data))
		return 0;
	LLVMFuzzerTestOneInput(data, size);
	return 1;
}

static int
play(const char *path)
{
	FILE *file = fopen(path, "rb");
	int is_played;

	if (file == NULL)
		return 0;
	is_played = play_file(file);
	fclose(file);
	return is_played;
}

int
main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");
	const char *slash = strrchr(argc > 0 ? argv[0] : "", '/');
	const char *name = slash != NULL ? slash + 1 : "";
	int length = (int)strcspn(name, "_");
	char pattern[4096];
	glob_t files = {0};
	size_t n_played = 0;

	if (strncmp(name, "dialog_", 7) == 0)
		snprintf(pattern, sizeof(pattern), "%s/tests/dialogues/*.txt", srcdir != NULL ? srcdir : ".");
	else
		snprintf(pattern, sizeof(pattern), "%s/tests/fuzz/corpus/%.*s/*", srcdir != NULL ? srcdir : ".", length, name);
	glob(pattern, 0, NULL, &files);
	for (size_t i = 0; i < files.gl_pathc; i++)
		n_played += (size_t)play(files.gl_pathv[i]);
	printf("1..1\n%s 1 - every seed of %.*s is survived (%zu files)\n",
	       n_played > 0 && n_played == files.gl_pathc ? "ok" : "not ok", length, name, n_played);
	globfree(&files);
	return 0;
}
