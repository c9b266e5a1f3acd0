/* allusers.c - root flushes everybody's queue, each as its owner.
 *
 * For each user with a queue a child becomes that user for good and executes this program again with --flush, in an
 * environment of its own. Nothing of a user's is opened as root but the folder with the queues of users without a
 * home, by name. What a user's configuration makes that child do must not reach root's terminal, nor keep root from the
 * others. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/allusers.h"
#include "cmd/place.h"
#include "cmd/talk.h"

enum { USER_SECONDS = 600 }; /* then the next user's turn comes, while this one's goes on by itself */

struct user {
	uid_t uid;
	gid_t gid;
	char *name; /* NULL: without a passwd entry */
	char *home; /* NULL likewise */
};

struct users {
	struct user *list;
	size_t n;
};

static void
add_user(struct users *users, uid_t uid, const struct passwd *entry)
{
	for (size_t i = 0; i < users->n; i++)
		if (users->list[i].uid == uid)
			return;
	users->list = mem_resize(users->list, users->n + 1, sizeof(*users->list));
	users->list[users->n++] = (struct user){
		.uid = uid,
		.gid = entry != NULL ? entry->pw_gid : (gid_t)uid,
		.name = mem_copy_string(entry != NULL ? entry->pw_name : NULL),
		.home = mem_copy_string(entry != NULL ? entry->pw_dir : NULL),
	};
}

/* Only looked for, so it does not matter what it is. */
static bool
has_queue(const struct passwd *entry)
{
	struct buf path = {0};
	struct stat facts;
	bool is_there;

	buf_printf(&path, "%s/.local/state/" PACKAGE_NAME "/queue", entry->pw_dir);
	is_there = lstat(buf_text(&path), &facts) == 0;
	buf_free(&path);
	return is_there;
}

static void
add_users_with_home(struct users *users)
{
	const struct passwd *entry;

	setpwent();
	while ((entry = getpwent()) != NULL)
		if (entry->pw_dir != NULL && entry->pw_dir[0] == '/' && has_queue(entry))
			add_user(users, entry->pw_uid, entry);
	endpwent();
}

/* Anybody can make a folder there, also one with somebody else's number. */
static bool
is_folder_of(int spools, const char *name, uid_t uid)
{
	struct stat facts;

	return fstatat(spools, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == uid;
}

static void
add_users_without_home(struct users *users)
{
	DIR *folder = opendir(SPOOL_SYSTEM_FOLDER);
	const struct dirent *file;
	uint64_t uid;

	while (folder != NULL && (file = readdir(folder)) != NULL)
		if (str_to_number(str_of(file->d_name), UINT32_MAX - 1, &uid) &&
		    is_folder_of(dirfd(folder), file->d_name, (uid_t)uid))
			add_user(users, (uid_t)uid, getpwuid((uid_t)uid));
	if (folder != NULL)
		closedir(folder);
}

static bool
become(const struct user *user)
{
	bool has_groups = user->name != NULL ? initgroups(user->name, user->gid) == 0 : setgroups(1, &user->gid) == 0;

	return has_groups && setresgid(user->gid, user->gid, user->gid) == 0 && setresuid(user->uid, user->uid, user->uid) == 0;
}

/* Commands of the user will run with our standard streams: with the terminal as theirs they could type into it (TIOCSTI), and
 * read what root types. */
static bool
leave_terminal(void)
{
	static const char *const names[] = {"/dev/null", "/proc/self/fd/1", "/proc/self/fd/2"};

	setsid();
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int flags = fd == STDIN_FILENO ? O_RDONLY : O_WRONLY;
		int other;

		if (fd != STDIN_FILENO && !isatty(fd))
			continue;
		other = open(names[fd], flags | O_NOCTTY | O_CLOEXEC);
		if (other < 0 || dup2(other, fd) < 0)
			return false;
		close(other);
	}
	return true;
}

_Noreturn static void
flush_as(const struct call *call, const struct user *user)
{
	const char *arguments[5] = {PACKAGE_NAME, "--flush"};
	size_t n = 2;

	if (call->request.flush.network_up)
		arguments[n++] = "--network-up";
	if (call->request.flush.is_forced)
		arguments[n++] = "--force";
	if (!leave_terminal()) {
		fprintf(stderr, "%s: cannot leave the terminal: %s\n", call->program, strerror(errno));
		_exit(EX_OSERR);
	}
	if (!become(user)) {
		fprintf(stderr, "%s: cannot become uid %ld: %s\n", call->program, (long)user->uid, strerror(errno));
		_exit(EX_NOPERM);
	}
	clearenv();
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
	if (user->home != NULL)
		setenv("HOME", user->home, 1);
	if (user->name != NULL) {
		setenv("USER", user->name, 1);
		setenv("LOGNAME", user->name, 1);
	}
	if (chdir("/") == 0)
		execv("/proc/self/exe", (char *const *)arguments);
	fprintf(stderr, "%s: cannot execute myself: %s\n", call->program, strerror(errno));
	_exit(EX_OSERR);
}

/* SIGCHLD is blocked. False: it has not ended within its time. */
static bool
await(pid_t pid, const sigset_t *child_signal, int *status)
{
	int64_t end = clock_deadline(USER_SECONDS);
	pid_t ended;

	while ((ended = waitpid(pid, status, WNOHANG)) == 0) {
		int64_t left = end - clock_now();
		struct timespec patience = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};

		if (left <= 0)
			return false;
		sigtimedwait(child_signal, NULL, &patience);
	}
	if (ended < 0)
		*status = W_EXITCODE(EX_OSERR, 0);
	return true;
}

static int
flush_user(const struct call *call, const struct user *user)
{
	sigset_t child_signal, before;
	int status = 0;
	pid_t pid;

	fflush(NULL);
	sigemptyset(&child_signal);
	sigaddset(&child_signal, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child_signal, &before);
	pid = fork();
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		flush_as(call, user);
	}
	if (pid < 0)
		status = W_EXITCODE(EX_OSERR, 0);
	else if (!await(pid, &child_signal, &status))
		fprintf(stderr, "%s: the flush for uid %ld takes longer than %d seconds, and goes on by itself\n", call->program,
		        (long)user->uid, USER_SECONDS);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}

int
allusers_flush(struct call *call)
{
	struct users users = {0};
	struct err err = {0};
	int exit_code = EX_OK;

	if (geteuid() != 0) {
		err_set(&err, EX_NOPERM, "--all-users is for root, who may act for every user");
		err_hint(&err, "--flush alone is for your own queue");
		talk_error(call->program, &err);
		err_clear(&err);
		return EX_NOPERM;
	}
	/* Whoever called us may have had it ignored, and then nobody can be waited for. */
	signal(SIGCHLD, SIG_DFL);
	add_users_with_home(&users);
	add_users_without_home(&users);
	for (size_t i = 0; i < users.n; i++) {
		int one = flush_user(call, &users.list[i]);

		/* One user's trouble is no reason to leave out the others. */
		exit_code = exit_code == EX_OK ? one : exit_code;
		free(users.list[i].name);
		free(users.list[i].home);
	}
	free(users.list);
	return exit_code;
}
