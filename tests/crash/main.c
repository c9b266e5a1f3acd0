/*
 * main - crash tests: what becomes of the queue when the program is killed, calls fail, the power is cut, the server misbehaves.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "part.h"
#include "toy.h"

static unsigned n_cases;

static const struct {
	const char *name;
	unsigned (*run)(const struct world_setting *setting);
} parts[] = {
	{"kill", part_kill},
	{"errno", part_errno},
	{"powercut", part_powercut},
	{"faults", part_faults},
	{"space", part_space},
	{"soak", part_soak},
	{"self", part_self},
};

unsigned
part_case(bool is_good, const char *name, const char *text)
{
	printf("%s %u - %s\n", is_good ? "ok" : "not ok", ++n_cases, name);
	if (!is_good && text[0] != '\0')
		printf("#   %s\n", text);
	fflush(stdout);
	return is_good ? 0 : 1;
}

void
part_end(void)
{
	printf("1..%u\n", n_cases);
	fflush(stdout);
}

bool
part_wants(const struct world_setting *setting, const char *name)
{
	return setting->only == NULL || strcmp(setting->only, name) == 0;
}

static void
find_program(char path[WORLD_PATH], const char *folder, const char *name)
{
	char relative[WORLD_PATH];

	char *found = NULL;

	world_path(relative, folder, name);
	found = realpath(relative, NULL);
	if (found == NULL || snprintf(path, WORLD_PATH, "%s", found) >= WORLD_PATH)
		world_die("finding", relative);
	free(found);
}

int
main(int argc, char **argv)
{
	struct world_setting setting = {.seed = 1};
	const char *folder = getenv("BUILDDIR") != NULL ? getenv("BUILDDIR") : ".";
	const char *quick = getenv("CRASH_QUICK");

	if (argc > 2 && strcmp(argv[1], "-C") == 0)
		return toy_run(argc, argv);
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: crash PART [SCENARIO]\nparts: kill errno powercut faults space soak self\n"
		                "environment: BUILDDIR, MAILCRANE, CRASH_QUICK=1, CRASH_SEED, CRASH_DIR, CRASH_KEEP\n");
		return 64;
	}
	find_program(setting.mailcrane, folder, "mailcrane");
	find_program(setting.peer, folder, "peer");
	if (getenv("MAILCRANE") != NULL)
		(void)snprintf(setting.mailcrane, sizeof(setting.mailcrane), "%s", getenv("MAILCRANE"));
	find_program(setting.self, "/proc/self", "exe");
	setting.is_quick = quick != NULL && strcmp(quick, "1") == 0;
	setting.is_chatty = getenv("CRASH_CHATTY") != NULL;
	setting.only = argc > 2 ? argv[2] : NULL;
	if (getenv("CRASH_SEED") != NULL)
		setting.seed = (unsigned)strtoul(getenv("CRASH_SEED"), NULL, 10);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)unsetenv("XDG_STATE_HOME");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(argv[1], parts[i].name) == 0) {
			unsigned n_failed = parts[i].run(&setting);

			part_end();
			return n_failed == 0 ? 0 : 1;
		}
	fprintf(stderr, "crash: no part %s\n", argv[1]);
	return 64;
}
