/* known_test.c - the file of keys of servers: looked up, added, forgotten, and whatever somebody may have put in its place. */

#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "net/gnutls.h"
#include "net/known.h"
#include "tap.h"

static char folder[] = "/tmp/known-test-XXXXXX";
static char path[64];
static char lock_path[80];

static const unsigned char first[DIGEST_SHA256_SIZE] = {1, 2, 3};
static const unsigned char second[DIGEST_SHA256_SIZE] = {9, 8, 7};

static void
write_text(const char *text, mode_t mode)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fchmod(fd, mode) != 0)
		abort();
	close(fd);
}

static void
read_text(struct buf *text)
{
	struct err err = {0};

	buf_clear(text);
	if (!file_read_path(path, 1 << 20, text, &err))
		abort();
}

/* What the file says of the server and the first key; the code when it says nothing. */
static enum known_result
ask(const char *server, int *code)
{
	struct buf before = {0};
	struct err err = {0};
	enum known_result result = known_find(path, server, first, &before, &err);

	*code = err.exit_code;
	buf_free(&before);
	err_clear(&err);
	return result;
}

static int
add(const char *server, const unsigned char *key)
{
	struct err err = {0};
	int code = known_add(path, server, key, &err) ? 0 : err.exit_code;

	err_clear(&err);
	return code;
}

static void
test_life(void)
{
	struct buf before = {0}, text = {0};
	struct err err = {0};
	struct stat facts = {0};
	bool is_found = true;
	int code = 0;

	tap_ok(ask("a.test:25", &code) == KNOWN_NOT && code == 0, "without a file nobody is known");
	tap_is_number(add("a.test:25", first), 0, "a server is remembered");
	tap_ok(stat(path, &facts) == 0 && (facts.st_mode & 07777) == 0600, "in a file that others cannot read");
	tap_ok(ask("a.test:25", &code) == KNOWN_SAME, "and known then");
	tap_ok(ask("a.test:465", &code) == KNOWN_NOT && ask("a.test:2", &code) == KNOWN_NOT &&
	               ask("b.a.test:25", &code) == KNOWN_NOT,
	       "but not at another port, nor by a part of the name");
	add("b.test:25", second);
	tap_ok(known_find(path, "b.test:25", first, &before, &err) == KNOWN_CHANGED &&
	               strncmp(buf_text(&before), "sha256/CQgHAAAA", 15) == 0 &&
	               strstr(buf_text(&before), " since 20") != NULL,
	       "another key is told, with the one that was there and since when");
	tap_is_number(add("a.test:25", first), 0, "a server that another process has remembered with the same key is fine");
	tap_is_number(add("b.test:25", first), EX_UNAVAILABLE, "with another key it is not");
	read_text(&text);
	tap_ok(strchr(buf_text(&text), '\n') < strrchr(buf_text(&text), '\n') && text.data[text.size - 1] == '\n' &&
	               strstr(strstr(buf_text(&text), "b.test"), "a.test") == NULL,
	       "each is there once");
	tap_ok(known_forget(path, "a.test:25", &is_found, &err) && is_found && ask("a.test:25", &code) == KNOWN_NOT,
	       "a server is forgotten");
	tap_ok(known_find(path, "b.test:25", second, &before, &err) == KNOWN_SAME, "and no other with it");
	tap_ok(known_forget(path, "a.test:25", &is_found, &err) && !is_found, "twice is harmless, and told");
	buf_free(&before);
	buf_free(&text);
}

static void
test_contents(void)
{
	static const char odd[] = "# a remark\n\nc.test:25\n\001\002 \xff\xff\nlonely\r\n"
				  "d.test:25 sha256/AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= 2026-01-01T00:00:00Z\x1b[31m";
	struct buf before = {0}, text = {0};
	struct err err = {0};
	bool is_found = false;
	int code = 0;
	char *big = malloc(5 << 20);

	write_text(odd, 0600);
	tap_ok(ask("e.test:25", &code) == KNOWN_NOT && code == 0, "lines that make no sense are passed over");
	tap_ok(ask("d.test:25", &code) == KNOWN_SAME, "and do not hide those that do");
	tap_ok(ask("c.test:25", &code) == KNOWN_ERROR && code == EX_CONFIG,
	       "a damaged line does not make its server a stranger");
	tap_ok(known_find(path, "d.test:25", second, &before, &err) == KNOWN_CHANGED &&
	               strchr(buf_text(&before), 0x1b) == NULL,
	       "nothing of the file reaches a terminal as it is");
	tap_is_number(add("e.test:25", first), 0, "a server is added behind a line without end");
	read_text(&text);
	tap_ok(strncmp(buf_text(&text), odd, strlen(odd)) == 0 && strstr(buf_text(&text), "31m\ne.test:25 ") != NULL,
	       "and all that was there stays");
	tap_ok(known_forget(path, "c.test:25", &is_found, &err) && is_found && ask("c.test:25", &code) == KNOWN_NOT,
	       "a damaged line can be forgotten");
	write_text("f.test:25 sha256/CQgHAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	           "f.test:25 sha256/AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
	           0600);
	tap_ok(ask("f.test:25", &code) == KNOWN_SAME, "a server may have two keys");
	memset(big, 'x', 5 << 20);
	big[(5 << 20) - 1] = '\0';
	write_text(big, 0600);
	tap_ok(ask("f.test:25", &code) == KNOWN_ERROR && code != 0, "a file that is absurdly large is an error");
	free(big);
	buf_free(&before);
	buf_free(&text);
	(void)unlink(path);
}

/* Neither looked up nor written through. */
static void
refuses_file(const char *name)
{
	int code = 0;
	enum known_result result = ask("a.test:25", &code);

	tap_ok(result == KNOWN_ERROR && code == EX_CONFIG && add("a.test:25", first) == EX_CONFIG, "%s is refused", name);
	(void)unlink(path);
}

static void
test_places(void)
{
	struct err err = {0};
	char other[80];
	struct stat facts = {0};

	snprintf(other, sizeof(other), "%s/other", folder);
	write_text("", 0644);
	refuses_file("a file that others can read");
	write_text("", 0620);
	refuses_file("a file that others can write");
	write_text("", 0600);
	if (rename(path, other) != 0 || symlink(other, path) != 0)
		abort();
	refuses_file("a link");
	if (link(other, path) != 0)
		abort();
	refuses_file("a file with two names");
	(void)unlink(other);
	if (mkfifo(path, 0600) != 0)
		abort();
	refuses_file("a pipe");
	if (geteuid() == 0) {
		write_text("", 0600);
		if (chown(path, 12345, 12345) != 0)
			abort();
		refuses_file("somebody else's file");
	} else {
		tap_ok(true, "somebody else's file is refused # SKIP only root can make one");
	}
	/* What is written goes into a new file: one that was prepared is not written through. */
	snprintf(other, sizeof(other), "%s.new", path);
	if (symlink("/nonexistent/target", other) != 0)
		abort();
	tap_is_number(add("a.test:25", first), 0, "a link in the place of the new file is no obstacle");
	tap_ok(lstat(path, &facts) == 0 && S_ISREG(facts.st_mode), "nor followed");
	(void)unlink(path);
	(void)unlink(lock_path);
	if (symlink("/nonexistent/target", lock_path) != 0)
		abort();
	tap_is_number(add("a.test:25", first), EX_CANTCREAT, "a link in the place of the lock is");
	(void)unlink(lock_path);
	snprintf(other, sizeof(other), "%s/none/known", folder);
	tap_ok(known_find(other, "a.test:25", first, NULL, &err) == KNOWN_ERROR, "a folder that is missing is an error");
	err_clear(&err);
}

/* Many processes at once: nobody's line is lost. */
static void
test_crowd(void)
{
	enum { CROWD = 12, EACH = 8 };
	struct buf text = {0};
	unsigned n_lines = 0;
	bool is_good = true;

	fflush(stdout);
	for (int i = 0; i < CROWD; i++) {
		if (fork() != 0)
			continue;
		for (int k = 0; k < EACH; k++) {
			char server[32];

			snprintf(server, sizeof(server), "host%d.test:%d", i, k + 1);
			if (add(server, first) != 0)
				_exit(1);
			/* All of them meet this one. */
			if (add("all.test:25", first) != 0)
				_exit(2);
		}
		_exit(0);
	}
	for (int i = 0; i < CROWD; i++) {
		int status = 0;

		is_good = wait(&status) > 0 && status == 0 && is_good;
	}
	read_text(&text);
	for (size_t i = 0; i < text.size; i++)
		n_lines += text.data[i] == '\n';
	tap_ok(is_good, "many processes remember at the same time");
	tap_is_number((int)n_lines, CROWD * EACH + 1, "and no line is lost or doubled");
	buf_free(&text);
}

int
main(void)
{
	struct err err = {0};
	char command[80];

	if (!gnutls_load(&err) || mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/known-keys", folder);
	snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
	test_life();
	test_contents();
	test_places();
	test_crowd();
	snprintf(command, sizeof(command), "rm -rf -- '%s'", folder);
	return system(command) != 0 ? 1 : tap_end();
}
