/* detach.c - a child that goes on when the caller has got its exit status. */

#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "cmd/detach.h"

enum { INHERITED_MOST = 1024 };  /* descriptors to look at where there is no /proc */

/* What came through exec(2) has no close-on-exec flag, and everything that we open has. */
static void
close_if_inherited(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	if (fd > STDERR_FILENO && flags >= 0 && (flags & FD_CLOEXEC) == 0)
		close(fd);
}

static void
close_inherited(void)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *file;
	uint64_t fd;

	for (int i = STDERR_FILENO + 1; folder == NULL && i < INHERITED_MOST; i++)
		close_if_inherited(i);
	while (folder != NULL && (file = readdir(folder)) != NULL)
		if (str_to_number(str_of(file->d_name), INT32_MAX, &fd))
			close_if_inherited((int)fd);
	if (folder != NULL)
		closedir(folder);
}

static void
take_null_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	if (null > STDERR_FILENO)
		close(null);
}

pid_t
detach_fork(void)
{
	sigset_t hangup, before;
	pid_t pid;

	/* What is buffered would be written twice. */
	fflush(NULL);
	/* Our children were all waited for, but those that this has made: one for each message of a long call. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
	/* The caller may be gone, and its terminal closed, before the child has left that. */
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hangup, &before);
	pid = fork();
	if (pid == 0) {
		setsid();
		signal(SIGHUP, SIG_IGN);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid != 0)
		return pid;
	if (chdir("/") != 0)
		_exit(EXIT_FAILURE);
	take_null_streams();
	close_inherited();
	return 0;
}
