/*
 * space - a real full disk: the spool lies in a small tmpfs of its own, filled to each level. What was accepted is kept, what is not
 * kept was refused, and deliveries can be recorded although nothing is free.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "part.h"

enum { PAGE = 4096, DISK_PAGES = 1024, LEVELS = 28 };

static bool
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		(void)close(fd);
	return is_good;
}

/* Namespaces of our own, so that nobody else sees the mounts. */
static bool
enter_namespace(void)
{
	char text[64];
	uid_t uid = geteuid();

	if (uid == 0) {
		if (unshare(CLONE_NEWNS) != 0)
			return false;
	} else {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
			return false;
		(void)write_text("/proc/self/setgroups", "deny");
		(void)snprintf(text, sizeof(text), "0 %u 1", (unsigned)uid);
		if (!write_text("/proc/self/uid_map", text))
			return false;
	}
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool
mount_spool(const struct stage *stage)
{
	char options[64];

	(void)snprintf(options, sizeof(options), "size=%d,mode=700", DISK_PAGES * PAGE);
	world_remove(stage->world.spool);
	return mkdir(stage->world.spool, 0700) == 0 && mount("spool", stage->world.spool, "tmpfs", MS_NOSUID, options) == 0;
}

/* Fill the disk until so many bytes are free, in a file beside the folders. */
static void
fill(const struct stage *stage, size_t n_free)
{
	char path[WORLD_PATH];
	char page[PAGE] = "";
	struct statvfs facts;
	int fd = -1;

	world_path(path, stage->world.spool, "ballast");
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		world_die("writing", path);
	while (statvfs(stage->world.spool, &facts) == 0 && facts.f_bfree * facts.f_bsize > n_free && write(fd, page, PAGE) > 0)
		;
	(void)close(fd);
}

static void
free_space(const struct stage *stage)
{
	char path[WORLD_PATH];

	world_path(path, stage->world.spool, "ballast");
	(void)unlink(path);
}

/* One scenario with so many bytes free; then there is room again. */
static void
run_level(struct stage *stage, size_t n_free, struct tally *tally)
{
	struct trap_result result = {0};
	char label[96];
	int status = 0;

	(void)snprintf(label, sizeof(label), "%s with %zu bytes free", stage->scenario->name, n_free);
	world_stop_peer(&stage->world);
	world_start_peer(&stage->world, stage->scenario->peer);
	if (!mount_spool(stage))
		world_die("mounting", stage->world.spool);
	world_copy_into(stage->world.kept, stage->world.spool);
	if (stage->scenario->has_no_peer)
		world_stop_peer(&stage->world);
	fill(stage, n_free);
	ledger_take_mail(&stage->served, stage->world.mail);
	ledger_clear(&stage->served);
	memset(stage->was_u, 0, sizeof(stage->was_u));
	status = world_run(&stage->world, stage->command.argv, stage->input, 60000);
	result.exit_code = status;
	result.is_late = status < 0;
	result.signal = status > 128 ? status - 128 : 0;
	stage_look(stage, tally);
	if (status != 0 && stage->crashed.messages[SCENARIO_SUBMITTED][0].n_entries > 0) {
		tally->n_partial++;
		tally_note(tally, label, "reported a failure, and yet it is in the queue", "");
	}
	free_space(stage);
	stage_recover(stage, tally);
	stage_judge(stage, &result, tally, label);
	(void)umount2(stage->world.spool, MNT_DETACH);
}

static unsigned
fill_scenario(const struct scenario *scenario, const struct world_setting *setting, struct tally *all)
{
	static struct stage stage;
	struct tally tally = {0};
	char line[512];

	stage_set_up(&stage, scenario, setting);
	for (size_t level = 0; level <= LEVELS; level += setting->is_quick ? 3 : 1)
		run_level(&stage, level < 20 ? level * PAGE : (level - 19) * 40 * PAGE, &tally);
	stage_free(&stage);
	(void)snprintf(line, sizeof(line),
	               "full disk, %s: %u levels: %u lost, %u partial, %u duplicates where in doubt, %u outside, %u untold, %u stuck, %u late",
	               scenario->name, tally.n_runs, tally.n_lost, tally.n_partial, tally.n_duplicates, tally.n_outside, tally.n_untold,
	               tally.n_stuck, tally.n_late);
	tally_add(all, &tally);
	return part_case(tally_is_good(&tally), line, tally.text);
}

unsigned
part_space(const struct world_setting *setting)
{
	static const char *const names[] = {"enqueue", "enqueue-3", "background-4xx", "fallback", "flush", "flush-5xx", "flush-mixed",
	                                    "bounce-relay", "retry"};
	struct tally tally = {0};
	unsigned n_failed = 0;

	if (!enter_namespace()) {
		printf("ok 1 - full disk # SKIP no namespace of our own: %s\n1..1\n", strerror(errno));
		exit(0);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t k = 0; k < n_scenarios; k++)
			if (strcmp(scenarios[k].name, names[i]) == 0 && part_wants(setting, names[i]))
				n_failed += fill_scenario(&scenarios[k], setting, &tally);
	printf("# summary: %u runs on a full disk: %u lost, %u partial, %u duplicates of which %u outside U\n", tally.n_runs, tally.n_lost,
	       tally.n_partial, tally.n_duplicates + tally.n_outside, tally.n_outside);
	return n_failed;
}
