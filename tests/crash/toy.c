/*
 * toy - see toy.h.
 */
#include "config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "toy.h"

enum { PATH = 512, SIZE = 4 << 20, RECIPIENTS = 8 };

struct toy {
	char spool[PATH];
	int port;
	const char *wrong;
};

static bool
is_wrong(const struct toy *toy, const char *name)
{
	return strcmp(toy->wrong, name) == 0;
}

static void
path_of(char path[PATH], const struct toy *toy, const char *folder, const char *name)
{
	if (snprintf(path, PATH, "%s%s%s%s%s", toy->spool, folder[0] != '\0' ? "/" : "", folder, name[0] != '\0' ? "/" : "", name) >= PATH)
		exit(73);
}

static bool
read_config(struct toy *toy, const char *name)
{
	char line[PATH];
	FILE *file = fopen(name, "re");

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "port ", 5) == 0)
			toy->port = (int)strtol(line + 5, NULL, 10);
		if (strncmp(line, "queue_dir ", 10) == 0)
			(void)snprintf(toy->spool, sizeof(toy->spool), "%s", line + 10);
	}
	if (file != NULL)
		(void)fclose(file);
	return toy->port != 0 && toy->spool[0] != '\0';
}

static bool
sync_folder(const struct toy *toy, const char *folder)
{
	char path[PATH];
	int fd = -1;
	bool is_good = false;

	path_of(path, toy, folder, "");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	is_good = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		(void)close(fd);
	return is_good;
}

static bool
make_spool(const struct toy *toy)
{
	static const char *const folders[] = {"", "tmp", "queue", "hold", "failed", "corrupt", "bounces", "bounces/new"};
	bool has_made = false;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char path[PATH];

		path_of(path, toy, folders[i], "");
		has_made |= mkdir(path, 0700) == 0;
	}
	return !has_made || (sync_folder(toy, "") && sync_folder(toy, "..") && sync_folder(toy, "bounces"));
}

/* Write a file in tmp, sync it, give it its name in folder, sync that. */
static bool
commit(const struct toy *toy, const char *folder, const char *name, const char *text, size_t size)
{
	char from[PATH];
	char to[PATH];
	int fd = -1;
	bool is_bounce = strcmp(folder, "queue") != 0;
	bool is_good = true;
	size_t done = 0;

	path_of(to, toy, folder, name);
	path_of(from, toy, is_wrong(toy, "no-tmp") ? folder : "tmp", name);
	fd = open(from, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	is_good = flock(fd, LOCK_EX | LOCK_NB) == 0;
	while (is_good && done < size) {
		size_t piece = size - done < 65536 ? size - done : 65536;
		ssize_t n = write(fd, text + done, piece);

		is_good = n > 0;
		done += n > 0 ? (size_t)n : 0;
	}
	if (is_good && !is_wrong(toy, is_bounce ? "no-bounce-sync" : "no-fsync"))
		is_good = fsync(fd) == 0;
	is_good |= is_wrong(toy, "no-check");
	if (is_good)
		is_good = rename(from, to) == 0;
	if (is_good && !is_wrong(toy, is_bounce ? "no-bounce-sync" : "no-folder-sync") && !is_wrong(toy, "no-check")) {
		is_good = sync_folder(toy, folder);
		if (!is_good)
			(void)unlink(to);
	}
	if (!is_good)
		(void)unlink(from);
	(void)close(fd);
	return is_good;
}

static int
enqueue(const struct toy *toy, char **addresses)
{
	static char text[SIZE];
	static char entry[SIZE];
	char head[4096] = "Adefault\nItoy\nSjoe@example.test\nF0 0 0 -\n";
	char name[64];
	size_t size = 0;
	unsigned n_recipients = 0;
	struct timespec now;
	int length = 0;

	for (ssize_t n = 1; n > 0; size += n > 0 ? (size_t)n : 0) {
		n = read(0, text + size, sizeof(text) / 2 - size);
		if (n < 0)
			return 74;
	}
	for (; *addresses != NULL; addresses++, n_recipients++)
		(void)snprintf(head + strlen(head), sizeof(head) - strlen(head), "T%s\n", *addresses);
	length = snprintf(entry, sizeof(entry), "MCQ1 %08zx %08x %016zx %016x -- 00000000\n%s\n%.*s\nMCEND %zu 0\n", 70 + strlen(head),
	                  n_recipients, size, 0u, head, (int)size, text, size);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)snprintf(name, sizeof(name), "%lld%09ld.toy", (long long)now.tv_sec, now.tv_nsec);
	return make_spool(toy) && commit(toy, "queue", name, entry, (size_t)length) ? 0 : 75;
}

/* --- sending --- */

struct entry {
	char *text;
	size_t size;
	char name[256];
	int fd;
	char *states[RECIPIENTS];
	unsigned n;
	const char *message;
	size_t message_size;
};

static int
answer(FILE *in)
{
	char line[1024];

	do {
		if (fgets(line, sizeof(line), in) == NULL)
			return 0;
	} while (line[3] == '-');
	return (int)strtol(line, NULL, 10);
}

static int
say(int fd, FILE *in, const char *before, const char *what, size_t size, const char *after)
{
	char line[1200];
	int length = snprintf(line, sizeof(line), "%s%.*s%s\r\n", before, (int)size, what, after);

	return send(fd, line, (size_t)length, MSG_NOSIGNAL) == length ? answer(in) : 0;
}

/* The text as one chunk (RFC 3030), with its command. */
static void
send_text(int fd, const struct entry *entry)
{
	static char out[2 * SIZE];
	size_t n_lines = 0;
	size_t n = 0;
	size_t done = 0;

	for (size_t i = 0; i < entry->message_size; i++)
		n_lines += entry->message[i] == '\n';
	n = (size_t)snprintf(out, sizeof(out), "BDAT %zu LAST\r\n", entry->message_size + n_lines);
	for (size_t i = 0; i < entry->message_size; i++) {
		if (entry->message[i] == '\n')
			out[n++] = '\r';
		out[n++] = entry->message[i];
	}
	while (done < n) {
		ssize_t sent = send(fd, out + done, n - done, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		done += (size_t)sent;
	}
}

static bool
write_states(const struct entry *entry, bool syncs)
{
	for (unsigned i = 0; i < entry->n; i++)
		if (pwrite(entry->fd, entry->states[i], 1, entry->states[i] - entry->text) != 1)
			return false;
	return !syncs || fdatasync(entry->fd) == 0;
}

static char
state_of(int code)
{
	return code >= 200 && code < 400 ? 'A' : code >= 500 ? 'F' : 'T';
}

/* Offer it to the server; A: accepted, answer to the text to come. False: connection lost. */
static bool
offer(const struct toy *toy, int fd, FILE *in, struct entry *entry)
{
	bool has_accepted = false;
	int code = 0;

	if (say(fd, in, "MAIL FROM:<", "joe@example.test", 16, ">") != 250)
		return false;
	for (unsigned i = 0; i < entry->n; i++) {
		if (*entry->states[i] == 'D' || *entry->states[i] == 'F')
			continue;
		code = say(fd, in, "RCPT TO:<", entry->states[i] + 1, strcspn(entry->states[i] + 1, "\n"), ">");
		if (code == 0)
			return false;
		*entry->states[i] = state_of(code) == 'A' ? 'U' : state_of(code);
		has_accepted |= *entry->states[i] == 'U';
	}
	if (!has_accepted)
		return say(fd, in, "RSET", "", 0, "") == 250;
	if (!is_wrong(toy, "no-mark") && !write_states(entry, false))
		return false;
	send_text(fd, entry);
	code = answer(in);
	for (unsigned i = 0; i < entry->n && code != 0; i++)
		if (*entry->states[i] == 'U')
			*entry->states[i] = state_of(code) == 'A' ? 'D' : state_of(code);
	return code != 0;
}

static bool
notify(const struct toy *toy, const struct entry *entry)
{
	char text[4096] = "From: toy\n\nContent-Type: message/delivery-status\n";

	for (unsigned i = 0; i < entry->n; i++)
		if (*entry->states[i] == 'F')
			(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "\nFinal-Recipient: rfc822; %.*s\nAction: failed\n",
			               (int)strcspn(entry->states[i] + 1, "\n"), entry->states[i] + 1);
	return commit(toy, "bounces/new", entry->name, text, strlen(text));
}

static void
settle(const struct toy *toy, const struct entry *entry)
{
	unsigned n[128] = {0};
	char from[PATH];
	char to[PATH];

	for (unsigned i = 0; i < entry->n; i++)
		n[*entry->states[i] & 127]++;
	path_of(from, toy, "queue", entry->name);
	path_of(to, toy, "failed", entry->name);
	if (n['T'] + n['U'] + n['F'] == 0) {
		(void)unlink(from);
		(void)sync_folder(toy, "queue");
		return;
	}
	if (!is_wrong(toy, "no-record") && !write_states(entry, true))
		return;
	if (n['T'] + n['U'] > 0)
		return;
	if (is_wrong(toy, "bounce-late") ? rename(from, to) == 0 && notify(toy, entry) : notify(toy, entry) && rename(from, to) == 0)
		(void)sync_folder(toy, "failed");
}

static bool
open_entry(const struct toy *toy, struct entry *entry)
{
	char path[PATH];
	struct stat facts;
	char *at = NULL;
	unsigned long head = 0;

	path_of(path, toy, "queue", entry->name);
	entry->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (entry->fd < 0 || flock(entry->fd, LOCK_EX | LOCK_NB) != 0 || fstat(entry->fd, &facts) != 0 || facts.st_nlink != 1)
		return false;
	entry->size = (size_t)facts.st_size;
	entry->text = calloc(1, entry->size + 1);
	if (entry->text == NULL || pread(entry->fd, entry->text, entry->size, 0) != (ssize_t)entry->size || entry->size < 70)
		return false;
	head = strtoul(entry->text + 5, &at, 16);
	entry->n = (unsigned)strtoul(at, &at, 16);
	entry->message_size = strtoul(at, &at, 16);
	if (head + entry->message_size > entry->size || entry->n > RECIPIENTS)
		return false;
	entry->message = entry->text + head;
	at = entry->text + head - 1;
	for (unsigned i = entry->n; i > 0; i--) {
		at--;
		while (at > entry->text && at[-1] != '\n')
			at--;
		entry->states[i - 1] = at;
	}
	return true;
}

static void
send_entry(const struct toy *toy, const char *name)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)toy->port)};
	struct entry entry = {.fd = -1};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *in = NULL;
	char path[PATH];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)snprintf(entry.name, sizeof(entry.name), "%s", name);
	if (open_entry(toy, &entry) && fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    (in = fdopen(fd, "r")) != NULL && answer(in) == 220 && say(fd, in, "EHLO toy", "", 0, "") == 250) {
		path_of(path, toy, "queue", name);
		if (is_wrong(toy, "unlink-first"))
			(void)unlink(path);
		if (offer(toy, fd, in, &entry))
			settle(toy, &entry);
		(void)say(fd, in, "QUIT", "", 0, "");
	}
	if (in != NULL)
		(void)fclose(in);
	else if (fd >= 0)
		(void)close(fd);
	if (entry.fd >= 0)
		(void)close(entry.fd);
	free(entry.text);
}

static int
flush(const struct toy *toy)
{
	char path[PATH];
	struct dirent **items = NULL;
	int n = 0;

	path_of(path, toy, "queue", "");
	n = scandir(path, &items, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (items[i]->d_name[0] != '.')
			send_entry(toy, items[i]->d_name);
		free(items[i]);
	}
	free(items);
	return 0;
}

int
toy_run(int argc, char **argv)
{
	struct toy toy = {.wrong = getenv("CRASH_TOY") != NULL ? getenv("CRASH_TOY") : ""};

	if (argc < 4 || !read_config(&toy, argv[2]))
		return 64;
	return strcmp(argv[3], "--flush") == 0 ? flush(&toy) : enqueue(&toy, argv + 4);
}
