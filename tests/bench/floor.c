/* floor.c - the least that taking a message can cost: write it, sync it, rename it, sync the folder. Used by tests/bench/queue.
 *
 *     floor FOLDER <MESSAGE
 *
 * No configuration, no message read beyond its bytes, no lock, no checks: nothing that keeps the promise may be faster. */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	char message[65536], name[32], committed[32];
	ssize_t size = read(STDIN_FILENO, message, sizeof(message));
	int folder = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;
	int file;

	snprintf(name, sizeof(name), "t%d", (int)getpid());
	snprintf(committed, sizeof(committed), "q%d", (int)getpid());
	file = openat(folder, name, O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
	if (size < 0 || file < 0 || pwrite(file, message, (size_t)size, 0) != size || fsync(file) != 0 ||
	    renameat(folder, name, folder, committed) != 0 || fsync(folder) != 0)
		return 74;
	return 0;
}
