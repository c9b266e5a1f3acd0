/*
 * self - a test of the crash tests: a small queue program that is right passes them, and each of several that are wrong in one way is
 * caught.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "part.h"

static const struct {
	const char *wrong;    /* CRASH_TOY; "": nothing is */
	const char *part;
	const char *scenario;
	const char *sign;     /* that must be in the output */
} trials[] = {
	{"", "kill", "enqueue", " 0 lost, 0 partial, 0 duplicates"},
	{"", "kill", "flush-mixed", " 0 lost, 0 partial"},
	{"", "errno", "enqueue", " 0 lost, 0 partial, 0 duplicates"},
	{"", "powercut", "first-run", " 0 lost, 0 partial, 0 duplicates"},
	{"", "powercut", "flush-5xx", " 0 lost, 0 partial"},
	{"no-fsync", "powercut", "enqueue", "not ok"},
	{"no-folder-sync", "powercut", "enqueue", "LOST"},
	{"no-tmp", "kill", "enqueue", "not ok"},
	{"no-mark", "kill", "flush", "delivered twice, not in doubt"},
	{"no-record", "kill", "flush-mixed", "delivered twice, not in doubt"},
	{"unlink-first", "kill", "flush", "LOST"},
	{"no-check", "errno", "enqueue", "not ok"},
	{"no-bounce-sync", "powercut", "flush-5xx", "not ok"},
	{"bounce-late", "kill", "flush-5xx", "nobody was told"},
};

/* Run a part on the toy; its output is put into text. */
static bool
run_trial(const struct world_setting *setting, size_t i, char *text, size_t size)
{
	char command[3 * WORLD_PATH];
	FILE *pipe = NULL;
	size_t n = 0;
	int status = 0;

	(void)snprintf(command, sizeof(command), "CRASH_TOY='%s' MAILCRANE='%s' CRASH_QUICK=0 '%s' %s %s 2>&1", trials[i].wrong,
	               setting->self, setting->self, trials[i].part, trials[i].scenario);
	pipe = popen(command, "re");
	if (pipe == NULL)
		world_die("starting", setting->self);
	n = fread(text, 1, size - 1, pipe);
	text[n] = '\0';
	status = pclose(pipe);
	return WIFEXITED(status) && WEXITSTATUS(status) < 99;
}

unsigned
part_self(const struct world_setting *setting)
{
	static char text[65536];
	unsigned n_failed = 0;

	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		char name[160];
		bool has_run = run_trial(setting, i, text, sizeof(text));
		bool is_right = trials[i].wrong[0] == '\0';
		bool is_good = strstr(text, trials[i].sign) != NULL && (strstr(text, "not ok") == NULL) == is_right;

		(void)snprintf(name, sizeof(name), "%s, %s: %s%s", trials[i].part, trials[i].scenario,
		               is_right ? "a queue that is right passes" : "caught: ", trials[i].wrong);
		text[strcspn(text, "\n")] = '\0';
		n_failed += part_case(has_run && is_good, name, text);
	}
	return n_failed;
}
