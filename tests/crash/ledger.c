/*
 * ledger - reads spool and mail directory; see ledger.h.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger.h"

struct bytes {
	char *text; /* with a NUL */
	size_t size;
};

void
ledger_make(struct ledger *ledger, unsigned n_messages)
{
	*ledger = (struct ledger){.n_messages = n_messages};
	ledger->messages = calloc(n_messages, sizeof(ledger->messages[0]));
	if (ledger->messages == NULL)
		abort();
}

void
ledger_clear(struct ledger *ledger)
{
	memset(ledger->messages, 0, ledger->n_messages * sizeof(ledger->messages[0]));
	ledger->n_others = ledger->n_entries = ledger->n_temporary = ledger->n_corrupt = ledger->n_broken = 0;
	ledger->text[0] = '\0';
}

void
ledger_free(struct ledger *ledger)
{
	free(ledger->messages);
	*ledger = (struct ledger){0};
}

static void
complain(struct ledger *ledger, const char *what, const char *name)
{
	ledger->n_broken++;
	if (ledger->text[0] == '\0')
		(void)snprintf(ledger->text, sizeof(ledger->text), "%s: %s", name, what);
}

static bool
read_file(const char *folder, const char *name, struct bytes *bytes)
{
	char path[WORLD_PATH];
	struct stat facts;
	int fd = -1;

	*bytes = (struct bytes){0};
	world_path(path, folder, name);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	bytes->text = malloc((size_t)facts.st_size + 1);
	if (bytes->text == NULL)
		abort();
	for (ssize_t n = 1; n > 0 && bytes->size < (size_t)facts.st_size; bytes->size += n > 0 ? (size_t)n : 0)
		n = read(fd, bytes->text + bytes->size, (size_t)facts.st_size - bytes->size);
	bytes->text[bytes->size] = '\0';
	(void)close(fd);
	return true;
}

/* The recipient of an address KIND.M.R@example.test. */
static struct ledger_recipient *
find(struct ledger *ledger, const char *address, unsigned *message)
{
	const char *dot = address + strcspn(address, ".@ \t\n");
	char *end = NULL;
	unsigned long m = 0;
	unsigned long r = 0;

	if (*dot != '.')
		return NULL;
	m = strtoul(dot + 1, &end, 10);
	if (*end != '.' || end == dot + 1)
		return NULL;
	dot = end;
	r = strtoul(dot + 1, &end, 10);
	if (*end != '@' || end == dot + 1 || m >= ledger->n_messages || r >= LEDGER_RECIPIENTS)
		return NULL;
	if (message != NULL)
		*message = (unsigned)m;
	return &ledger->messages[m][r];
}

/* Is the body, lines with `ending`, the one that was written for message m? text begins with the header. */
static bool
is_body_whole(const char *text, size_t size, unsigned m, const char *ending)
{
	char blank[8];
	char field[32];
	const char *head_end = NULL;
	const char *at = NULL;
	size_t n = 0;

	(void)snprintf(blank, sizeof(blank), "%s%s", ending, ending);
	(void)snprintf(field, sizeof(field), "<m%u@crash.", m);
	head_end = strstr(text, blank);
	at = strstr(text, "X-Lines: ");
	if (head_end == NULL || at == NULL || at > head_end)
		return false;
	n = (size_t)strtoul(at + 9, NULL, 10);
	at = strstr(text, field);
	if (at == NULL || at > head_end)
		return false;
	at = head_end + strlen(blank);
	for (size_t i = 0; i < n; i++) {
		char line[80];
		char whole[96];

		world_body_line(m, i, line);
		(void)snprintf(whole, sizeof(whole), "%s%s", line, ending);
		if (strncmp(at, whole, strlen(whole)) != 0)
			return false;
		at += strlen(whole);
	}
	return at == text + size;
}

/* --- entries --- */

static enum ledger_place
place_of(const char *folder)
{
	return strcmp(folder, "queue") == 0 ? IN_QUEUE : strcmp(folder, "hold") == 0 ? IN_HOLD : IN_FAILED;
}

/* The lines of the last n recipients before the empty line at `end`. */
static const char *
recipients_begin(const char *begin, const char *end, unsigned long n)
{
	const char *at = end;

	while (n > 0 && at > begin) {
		at--; /* its LF */
		while (at > begin && at[-1] != '\n')
			at--;
		n--;
	}
	return at;
}

static void
note_recipient(struct ledger *ledger, const char *line, const char *folder, unsigned *message)
{
	struct ledger_recipient *recipient = find(ledger, line + 1, message);

	if (recipient == NULL)
		return;
	recipient->n_entries++;
	recipient->place = place_of(folder);
	recipient->state = strchr("UDF", line[0]) != NULL ? line[0] : 'T';
}

static void
read_entry(struct ledger *ledger, const char *folder, const char *name, const struct bytes *entry)
{
	unsigned long numbers[3] = {0};
	char *at = entry->text + 5;
	const char *line = NULL;
	size_t rest = 0;
	unsigned message = UINT32_MAX;

	ledger->n_entries++;
	if (entry->size < 64 || strncmp(entry->text, "MCQ1 ", 5) != 0) {
		complain(ledger, "no entry", name);
		return;
	}
	for (int i = 0; i < 3; i++)
		numbers[i] = strtoul(at, &at, 16);
	if (numbers[0] < 64 || numbers[0] > entry->size || numbers[0] + numbers[2] > entry->size ||
	    strncmp(entry->text + numbers[0] - 2, "\n\n", 2) != 0) {
		complain(ledger, "sizes that do not agree", name);
		return;
	}
	rest = entry->size - numbers[0] - numbers[2];
	if (rest < 8 || strncmp(entry->text + numbers[0] + numbers[2], "\nMCEND ", 7) != 0)
		complain(ledger, "no end", name);
	line = recipients_begin(entry->text, entry->text + numbers[0] - 1, numbers[1]);
	for (unsigned long i = 0; i < numbers[1]; i++) {
		note_recipient(ledger, line, folder, &message);
		line += strcspn(line, "\n") + 1;
	}
	ledger->n_others += message == UINT32_MAX && place_of(folder) == IN_QUEUE;
	entry->text[numbers[0] + numbers[2]] = '\0';
	if (message != UINT32_MAX && !is_body_whole(entry->text + numbers[0], numbers[2], message, "\n"))
		complain(ledger, "the message is not whole", name);
}

/* --- notifications --- */

static void
read_notification(struct ledger *ledger, const char *name, const struct bytes *bytes)
{
	static const char field[] = "\nFinal-Recipient:";
	bool is_delay = strstr(bytes->text, "\nAction: delayed") != NULL;
	unsigned n = 0;

	for (const char *at = bytes->text; (at = strstr(at, field)) != NULL;) {
		struct ledger_recipient *recipient = NULL;

		at += strlen(field);
		at += strcspn(at, ";\n");
		at += strspn(at, "; ");
		recipient = find(ledger, at, NULL);
		if (recipient != NULL && is_delay)
			recipient->n_delays++;
		else if (recipient != NULL)
			recipient->n_told++;
		n += recipient != NULL;
	}
	if (n == 0)
		complain(ledger, "a notification about nobody", name);
}

/* --- folders --- */

static unsigned
count(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *item = NULL;
	unsigned n = 0;

	while (folder != NULL && (item = readdir(folder)) != NULL)
		n += item->d_name[0] != '.';
	if (folder != NULL)
		(void)closedir(folder);
	return n;
}

static void
read_folder(struct ledger *ledger, const char *spool, const char *name,
            void (*see)(struct ledger *ledger, const char *folder, const char *name, const struct bytes *bytes))
{
	char path[WORLD_PATH];
	DIR *folder = NULL;
	struct dirent *item = NULL;

	world_path(path, spool, name);
	folder = opendir(path);
	while (folder != NULL && (item = readdir(folder)) != NULL) {
		struct bytes bytes = {0};

		if (item->d_name[0] == '.' || !read_file(path, item->d_name, &bytes))
			continue;
		see(ledger, name, item->d_name, &bytes);
		free(bytes.text);
	}
	if (folder != NULL)
		(void)closedir(folder);
}

static void
see_notification(struct ledger *ledger, const char *folder, const char *name, const struct bytes *bytes)
{
	(void)folder;
	read_notification(ledger, name, bytes);
}

void
ledger_read_spool(struct ledger *ledger, const char *spool)
{
	char path[WORLD_PATH];

	read_folder(ledger, spool, "queue", read_entry);
	read_folder(ledger, spool, "hold", read_entry);
	read_folder(ledger, spool, "failed", read_entry);
	read_folder(ledger, spool, "bounces/new", see_notification);
	read_folder(ledger, spool, "bounces/cur", see_notification);
	world_path(path, spool, "tmp");
	ledger->n_temporary += count(path);
	world_path(path, spool, "corrupt");
	ledger->n_corrupt += count(path);
}

/* --- the server's record --- */

static void
read_mail(struct ledger *ledger, const char *name, const char *envelope, const struct bytes *mail)
{
	unsigned m = UINT32_MAX;
	bool is_notification = true;

	for (const char *at = strstr(envelope, "\nto "); at != NULL; at = strstr(at + 4, "\nto ")) {
		unsigned other = 0;
		struct ledger_recipient *recipient = find(ledger, at + 4, &other);

		if (recipient == NULL)
			continue;
		is_notification = false;
		recipient->n_served++;
		if (m != UINT32_MAX && m != other)
			complain(ledger, "one message for recipients of two", name);
		m = other;
	}
	if (is_notification)
		read_notification(ledger, name, mail);
	else if (!is_body_whole(mail->text, mail->size, m, "\r\n"))
		complain(ledger, "the server got a message that is not whole", name);
}

static int
is_envelope(const struct dirent *item)
{
	size_t size = strlen(item->d_name);

	return item->d_name[0] != '.' && size > 4 && size < 32 && strcmp(item->d_name + size - 4, ".env") == 0;
}

static void
read_message(struct ledger *ledger, const char *mail, const char *envelope_name)
{
	char name[64];
	struct bytes envelope = {0};
	struct bytes text = {0};

	(void)snprintf(name, sizeof(name), "%.*s.eml", (int)strlen(envelope_name) - 4, envelope_name);
	if (read_file(mail, envelope_name, &envelope) && read_file(mail, name, &text))
		read_mail(ledger, envelope_name, envelope.text, &text);
	free(envelope.text);
	free(text.text);
}

static void
remove_message(const char *mail, const char *envelope_name)
{
	static const char *const kinds[] = {"env", "eml", "raw"};

	for (int i = 0; i < 3; i++) {
		char name[64];
		char path[WORLD_PATH];

		(void)snprintf(name, sizeof(name), "%.*s.%s", (int)strlen(envelope_name) - 4, envelope_name, kinds[i]);
		world_path(path, mail, name);
		(void)unlink(path);
	}
}

static unsigned
read_messages(struct ledger *ledger, const char *mail, unsigned most, bool takes)
{
	struct dirent **items = NULL;
	int n = scandir(mail, &items, is_envelope, versionsort);
	unsigned n_read = 0;

	for (int i = 0; i < n; i++) {
		if (n_read < most) {
			read_message(ledger, mail, items[i]->d_name);
			n_read++;
		}
		if (takes)
			remove_message(mail, items[i]->d_name);
		free(items[i]);
	}
	free(items);
	return n_read;
}

void
ledger_take_mail(struct ledger *ledger, const char *mail)
{
	(void)read_messages(ledger, mail, UINT32_MAX, true);
}

unsigned
ledger_read_mail(struct ledger *ledger, const char *mail, unsigned n)
{
	return read_messages(ledger, mail, n, false);
}

void
ledger_add_served(struct ledger *ledger, const struct ledger *other)
{
	ledger->n_broken += other->n_broken;
	if (ledger->text[0] == '\0')
		memcpy(ledger->text, other->text, sizeof(ledger->text));
	for (unsigned m = 0; m < ledger->n_messages && m < other->n_messages; m++)
		for (unsigned r = 0; r < LEDGER_RECIPIENTS; r++) {
			ledger->messages[m][r].n_served += other->messages[m][r].n_served;
			ledger->messages[m][r].n_told += other->messages[m][r].n_told;
		}
}
