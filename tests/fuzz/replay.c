/* replay.c - a main for the fuzz targets without libFuzzer: plays every file of tests/fuzz/corpus/NAME once, NAME being
 * what stands before "_fuzz" in the program's name; and for dialog the dialogue files. TAP on stdout. */

#include "config.h"

#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The whole file; a fuzz target that dislikes the input aborts, which no plan survives. */
static int
play(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	size_t size;
	long end;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (end = ftell(file)) < 0)
		return 0;
	rewind(file);
	data = malloc((size_t)end + 1);
	if (data == NULL)
		return 0;
	size = fread(data, 1, (size_t)end, file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return size == (size_t)end;
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
