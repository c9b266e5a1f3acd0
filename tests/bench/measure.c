/* measure.c - runs a command once and tells what it took: wall time, CPU time, memory. Used by tests/bench/run.
 *
 *     measure INPUT COMMAND [ARGUMENT]...
 *
 * INPUT becomes the command's standard input. One line on stdout: wall and CPU microseconds, peak resident KiB, minor page
 * faults, exit status. CPU time and memory include the command's own children, if it waited for them. */

#define _GNU_SOURCE

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long
now_us(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static long long
time_us(struct timeval time)
{
	return (long long)time.tv_sec * 1000000 + time.tv_usec;
}

int
main(int argc, char **argv)
{
	struct rusage used = {0};
	long long start = now_us(), wall;
	int status = 0, input;
	pid_t child;

	if (argc < 3)
		return 64;
	input = open(argv[1], O_RDONLY);
	if (input < 0 || dup2(input, STDIN_FILENO) < 0)
		return 66;
	child = fork();
	if (child < 0)
		return 71;
	if (child == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (wait4(child, &status, 0, &used) != child)
		return 71;
	wall = now_us() - start;
	printf("%lld %lld %ld %ld %d\n", wall, time_us(used.ru_utime) + time_us(used.ru_stime), used.ru_maxrss, used.ru_minflt,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
