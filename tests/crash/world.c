/*
 * world - folders, processes and the peer; see world.h.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

void
world_die(const char *what, const char *name)
{
	int error = errno;

	printf("Bail out! %s %s: %s\n", what, name, strerror(error));
	fflush(stdout);
	exit(99);
}

int64_t
world_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
nap(long ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000};

	(void)nanosleep(&time, NULL);
}

void
world_path(char path[WORLD_PATH], const char *folder, const char *name)
{
	if (snprintf(path, WORLD_PATH, "%s/%s", folder, name) >= WORLD_PATH)
		world_die("name too long:", name);
}

/* --- folders --- */

static void
remove_inside(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *item = NULL;

	if (folder == NULL)
		return;
	while ((item = readdir(folder)) != NULL) {
		if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, item->d_name, 0) == 0)
			continue;
		remove_inside(fd, item->d_name);
		(void)unlinkat(fd, item->d_name, AT_REMOVEDIR);
	}
	(void)closedir(folder);
}

void
world_remove(const char *path)
{
	if (unlink(path) == 0)
		return;
	remove_inside(AT_FDCWD, path);
	(void)rmdir(path);
}

static void
copy_file(int from_folder, int to_folder, const char *name, const struct stat *facts)
{
	char block[65536];
	struct timespec times[2] = {facts->st_atim, facts->st_mtim};
	int from = openat(from_folder, name, O_RDONLY | O_CLOEXEC);
	int to = openat(to_folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, facts->st_mode & 0777);
	ssize_t n = 0;

	if (from < 0 || to < 0)
		world_die("copying", name);
	while ((n = read(from, block, sizeof(block))) > 0)
		if (write(to, block, (size_t)n) != n)
			world_die("copying", name);
	(void)futimens(to, times);
	(void)close(from);
	(void)close(to);
}

static void
copy_inside(int from, int to)
{
	DIR *folder = fdopendir(from);
	struct dirent *item = NULL;

	if (folder == NULL)
		world_die("reading", "a folder");
	while ((item = readdir(folder)) != NULL) {
		struct stat facts;

		if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
			continue;
		if (fstatat(from, item->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (S_ISDIR(facts.st_mode)) {
			int inner = openat(from, item->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			int made = mkdirat(to, item->d_name, facts.st_mode & 0777);
			int outer = openat(to, item->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			if (inner < 0 || made != 0 || outer < 0)
				world_die("copying", item->d_name);
			copy_inside(inner, outer);
		} else if (S_ISREG(facts.st_mode)) {
			copy_file(from, to, item->d_name, &facts);
		}
	}
	(void)closedir(folder);
	(void)close(to);
}

void
world_copy_into(const char *from, const char *to)
{
	int source = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int target = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (target < 0)
		world_die("opening", to);
	if (source < 0)
		(void)close(target);
	else
		copy_inside(source, target);
}

void
world_copy(const char *from, const char *to)
{
	world_remove(to);
	if (access(from, F_OK) != 0)
		return;
	if (mkdir(to, 0700) != 0)
		world_die("making", to);
	world_copy_into(from, to);
}

/* --- messages and configuration --- */

/* text with FOLDER replaced by the world's. */
static void
fill_in(const struct world *world, const char *text, char *filled, size_t size)
{
	const char *at = NULL;
	size_t n = 0;

	filled[0] = '\0';
	for (; (at = strstr(text, "FOLDER")) != NULL && n < size; text = at + 6) {
		(void)snprintf(filled + n, size - n, "%.*s%s", (int)(at - text), text, world->folder);
		n = strlen(filled);
	}
	(void)snprintf(filled + n, size - n, "%s", text);
}

void
world_body_line(unsigned m, size_t i, char line[80])
{
	(void)snprintf(line, 80, "%04u %06zu the quick brown fox jumps over the lazy dog", m, i);
}

size_t
world_body_lines(size_t size)
{
	return size / 56 + 1;
}

void
world_write_message(struct world *world, unsigned m, size_t size, char path[WORLD_PATH])
{
	char name[32];
	FILE *file = NULL;

	(void)snprintf(name, sizeof(name), "m%u", m);
	world_path(path, world->folder, name);
	file = fopen(path, "we");
	if (file == NULL)
		world_die("writing", path);
	fprintf(file,
	        "From: Joe <joe@example.test>\nTo: undisclosed-recipients:;\nSubject: message %u\nMessage-ID: <m%u@crash.example.test>\n"
	        "Date: Sat, 21 Nov 2026 12:00:00 +0000\nX-Lines: %zu\n\n", m, m, world_body_lines(size));
	for (size_t i = 0; i < world_body_lines(size); i++) {
		char line[80];

		world_body_line(m, i, line);
		fprintf(file, "%s\n", line);
	}
	if (fclose(file) != 0)
		world_die("writing", path);
}

void
world_configure(struct world *world, const char *lines)
{
	FILE *file = fopen(world->config, "we");
	char filled[2048];

	fill_in(world, lines != NULL ? lines : "", filled, sizeof(filled));
	if (file == NULL || fchmod(fileno(file), 0600) != 0)
		world_die("writing", world->config);
	fprintf(file,
	        "defaults\naccount default\nhost 127.0.0.1\nport %d\nfrom joe@example.test\ndomain here.example.test\ntls off\nauth off\n"
	        "timeout 3\nqueue on\nqueue_dir %s\nsubmit_timeout 3\n%s",
	        world->port, world->spool, filled);
	if (fclose(file) != 0)
		world_die("writing", world->config);
}

/* --- processes --- */

/* Children of a process, but for `except`: how many. */
static unsigned
count_children(pid_t pid, pid_t except)
{
	char name[64];
	char text[4096];
	char *at = text;
	unsigned n = 0;
	ssize_t size = 0;
	int fd = -1;

	(void)snprintf(name, sizeof(name), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		(void)close(fd);
	text[size < 0 ? 0 : size] = '\0';
	while (*at != '\0') {
		char *end = NULL;
		long child = strtol(at, &end, 10);

		if (end == at)
			break;
		n += child != except;
		at = end;
		while (*at == ' ')
			at++;
	}
	return n;
}

bool
world_settle(struct world *world, int limit_ms)
{
	int64_t end = world_now_ms() + limit_ms;

	for (unsigned round = 0;; round++) {
		if (count_children(getpid(), world->peer) == 0 && (world->peer == 0 || count_children(world->peer, 0) == 0))
			return true;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (world_now_ms() > end)
			return false;
		if (round > 2)
			nap(1);
	}
}

static void
become(char *const *argv, const char *input, const char *output)
{
	int in = open(input != NULL ? input : "/dev/null", O_RDONLY);
	int out = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(99);
	(void)close(in);
	(void)close(out);
	(void)execv(argv[0], argv);
	_exit(99);
}

int
world_run(struct world *world, char *const *argv, const char *input, int limit_ms)
{
	int64_t end = world_now_ms() + limit_ms;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		become(argv, input, world->output);
	if (pid < 0)
		world_die("starting", argv[0]);
	for (unsigned round = 0; waitpid(pid, &status, WNOHANG) == 0; round++) {
		if (world_now_ms() > end) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
			return -1;
		}
		nap(round < 20 ? 0 : 1);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 99)
		world_die("starting", argv[0]);
	if (!world_settle(world, limit_ms))
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void
world_command(struct world_command *command, const struct world *world, const char *words)
{
	char *at = NULL;
	unsigned n = 0;

	if (snprintf(command->room, sizeof(command->room), "%s -C %s %s", world->mailcrane, world->config, words) >=
	    (int)sizeof(command->room))
		world_die("command too long:", words);
	at = command->room;
	while (*at != '\0' && n + 1 < WORLD_ARGUMENTS) {
		command->argv[n++] = at;
		at += strcspn(at, " ");
		while (*at == ' ')
			*at++ = '\0';
	}
	command->argv[n] = NULL;
}

/* --- the peer --- */

static void
become_peer(struct world *world, const char *const *options, const char *port_file)
{
	char listen[64];
	const char *argv[64] = {world->peer_program, "--port-file", port_file, "--mail-dir", world->mail, "--lifetime", "7200"};
	unsigned n = 7;
	char log[WORLD_PATH];
	static char filled[16][WORLD_PATH];

	if (world->port != 0) {
		(void)snprintf(listen, sizeof(listen), "127.0.0.1:%d", world->port);
		argv[n++] = "--listen";
		argv[n++] = listen;
	}
	for (unsigned i = 0; options != NULL && options[i] != NULL && n < 60 && i < 16; i++) {
		fill_in(world, options[i], filled[i], sizeof(filled[i]));
		argv[n++] = filled[i];
	}
	world_path(log, world->folder, "peer-output");
	become((char *const *)(void *)argv, NULL, log);
}

void
world_start_peer(struct world *world, const char *const *options)
{
	char port_file[WORLD_PATH];
	int64_t end = world_now_ms() + 10000;

	world_path(port_file, world->folder, "port");
	(void)unlink(port_file);
	world->peer = fork();
	if (world->peer == 0)
		become_peer(world, options, port_file);
	for (;;) {
		FILE *file = fopen(port_file, "re");
		char text[32] = "";

		if (file != NULL) {
			bool is_whole = fgets(text, sizeof(text), file) != NULL && strchr(text, '\n') != NULL;

			(void)fclose(file);
			if (is_whole)
				world->port = (int)strtol(text, NULL, 10);
			if (is_whole)
				return;
		}
		if (world_now_ms() > end || waitpid(world->peer, NULL, WNOHANG) == world->peer)
			world_die("starting", world->peer_program);
		nap(1);
	}
}

void
world_stop_peer(struct world *world)
{
	if (world->peer <= 0)
		return;
	(void)kill(world->peer, SIGTERM);
	for (unsigned i = 0; waitpid(world->peer, NULL, WNOHANG) == 0; i++) {
		if (i == 2000)
			(void)kill(world->peer, SIGKILL);
		nap(1);
	}
	world->peer = 0;
}

void
world_make(struct world *world, const struct world_setting *setting)
{
	const char *parent = getenv("CRASH_DIR") != NULL ? getenv("CRASH_DIR") : getenv("TMPDIR");

	*world = (struct world){.mailcrane = setting->mailcrane, .peer_program = setting->peer};
	if (snprintf(world->folder, sizeof(world->folder), "%s/crash.XXXXXX", parent != NULL ? parent : "/tmp") >= 200 ||
	    mkdtemp(world->folder) == NULL)
		world_die("making", world->folder);
	world_path(world->spool, world->folder, "spool");
	world_path(world->kept, world->folder, "kept");
	world_path(world->crashed, world->folder, "crashed");
	world_path(world->mail, world->folder, "mail");
	world_path(world->config, world->folder, "config");
	world_path(world->output, world->folder, "output");
	if (mkdir(world->mail, 0700) != 0)
		world_die("making", world->mail);
}

void
world_free(struct world *world)
{
	world_stop_peer(world);
	if (world->folder[0] != '\0' && getenv("CRASH_KEEP") == NULL)
		world_remove(world->folder);
	world->folder[0] = '\0';
}
