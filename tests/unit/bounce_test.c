/* bounce_test.c - the sender of a message in the queue is told what became of it: once, for good, and never in circles. */

#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "deliver/bounce.h"
#include "mail/dsn.h"
#include "mail/keep.h"
#include "tap.h"

#define HEADER "From: alice@mail.example.com\nSubject: lunch\nMessage-ID: <1@mail.example.com>\n"
#define ORIGINAL HEADER "\nAt noon?\n"

enum { NOW = 1700000000 };

struct scene {
	char path[64];
	struct spool spool;
	struct account account;
	struct bounce_context context;
	struct entry entry;
	struct err err;
};

static void
die(const struct scene *scene, const char *what)
{
	printf("Bail out! %s: %s\n", what, buf_text(&scene->err.text));
	exit(1);
}

static void
open_spool(struct scene *scene)
{
	struct spool_place place = {.path = scene->path};

	if (!spool_open(&scene->spool, &place, &scene->err))
		die(scene, "spool_open");
}

static void
open_scene(struct scene *scene)
{
	*scene = (struct scene){0};
	snprintf(scene->path, sizeof(scene->path), "/tmp/bounce_test.XXXXXX");
	if (mkdtemp(scene->path) == NULL)
		die(scene, "mkdtemp");
	open_spool(scene);
	scene->account.mailname = mem_copy_string("box.example.com");
	scene->account.queue_lifetime = 5 * 86400;
	scene->context = (struct bounce_context){.spool = &scene->spool, .account = &scene->account,
	                                         .route = STR("smtp.example.net 587"), .now = NOW, .tried = NOW - 10};
}

static void
remove_below(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *item;

	while (folder != NULL && (item = readdir(folder)) != NULL)
		if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0 && unlinkat(fd, item->d_name, 0) != 0)
			remove_below(fd, item->d_name);
	if (folder != NULL)
		closedir(folder);
	unlinkat(at, name, AT_REMOVEDIR);
}

static void
close_scene(struct scene *scene)
{
	entry_free(&scene->entry);
	spool_free(&scene->spool);
	free(scene->account.mailname);
	free(scene->account.bounce_to);
	err_clear(&scene->err);
	remove_below(AT_FDCWD, scene->path);
}

/* A message in the queue. */
static void
enqueue(struct scene *scene, const char *reverse_path, unsigned notify, const char *message_id)
{
	struct entry_origin origin = {.account = mem_copy_string("work")};
	struct envelope envelope = {.reverse_path = mem_copy_string(reverse_path)};
	struct message message = {0};
	struct keep keep = {0};
	struct entry_content content = {.origin = &origin, .route = STR("smtp.example.net 587"), .envelope = &envelope,
	                                .message = &message, .message_id = message_id, .created = NOW - 100, .next = NOW,
	                                .folder = SPOOL_QUEUE};

	entry_free(&scene->entry);
	scene->entry = (struct entry){0};
	envelope_add(&envelope, "bob@mail.example.org");
	envelope.recipients[0].notify = notify;
	keep_open(&keep, &message);
	buf_add_text(&message.memory, ORIGINAL);
	keep_added(&keep, 0, &scene->err);
	message.header_size = (int64_t)strlen(HEADER);
	keep_end(&keep, &scene->err);
	if (!entry_create(&scene->entry, &scene->spool, &content, &scene->err))
		die(scene, "entry_create");
	message_free(&message);
	envelope_free(&envelope);
	free(origin.account);
}

/* What the server said of all recipients. */
static void
answer(struct scene *scene, enum outcome_state state, enum outcome_stage stage, const char *text)
{
	struct outcome outcome = {.state = state, .stage = stage, .reply_code = state == OUTCOME_FAILED ? 550 : 451};

	if (stage < OUTCOME_AT_MAIL)
		outcome.reply_code = 0;
	outcome_set_text(&outcome, str_of(text));
	for (size_t i = 0; i < scene->entry.envelope.n_recipients; i++)
		scene->entry.envelope.recipients[i].outcome = outcome;
	if (!entry_record(&scene->entry, NOW, &scene->err))
		die(scene, "entry_record");
}

static void
enqueue_failed(struct scene *scene)
{
	enqueue(scene, "alice@mail.example.com", 0, "<1@mail.example.com>");
	answer(scene, OUTCOME_FAILED, OUTCOME_AT_RCPT, "no such user");
}

static bool
tell(struct scene *scene)
{
	return bounce_failed(&scene->context, &scene->entry, &scene->err);
}

/* The text of bounces/FOLDER/ID.SUFFIX; empty when there is none. */
static struct buf
read_notice(const struct scene *scene, const char *folder, const char *id, const char *suffix)
{
	struct buf path = {0}, text = {0};
	struct err ignored = {0};

	buf_printf(&path, "%s/bounces/%s/%s.%s", scene->path, folder, id, suffix);
	file_read_path(buf_text(&path), 1 << 20, &text, &ignored);
	buf_free(&path);
	err_clear(&ignored);
	return text;
}

static void
write_notice(const struct scene *scene, const char *folder, const char *suffix, const char *text, time_t when)
{
	struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
	struct buf path = {0};
	int fd;

	buf_printf(&path, "%s/bounces/%s/%s.%s", scene->path, folder, scene->entry.id, suffix);
	fd = open(buf_text(&path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) < 0 || futimens(fd, times) != 0)
		die(scene, "write_notice");
	close(fd);
	buf_free(&path);
}

static bool
notice_has(const struct scene *scene, const char *suffix, const char *words)
{
	struct buf text = read_notice(scene, "new", scene->entry.id, suffix);
	bool holds = strstr(buf_text(&text), words) != NULL;

	if (!holds)
		tap_note("'%s' is not in: %s", words, buf_text(&text));
	buf_free(&text);
	return holds;
}

/* The flags as they are on the disk. */
static unsigned
flags_on_disk(struct scene *scene)
{
	struct entry seen = {0};
	struct err ignored = {0};
	unsigned flags = ~0U;

	if (entry_peek(&seen, &scene->spool, SPOOL_QUEUE, scene->entry.name, &ignored) == ENTRY_OPENED)
		flags = seen.flags;
	entry_free(&seen);
	err_clear(&ignored);
	return flags;
}

/* Open the entry of the queue that has this id instead of the scene's. */
static bool
open_other(struct scene *scene, const char *id)
{
	enum spool_folder folder = SPOOL_QUEUE;
	char name[SPOOL_NAME_SIZE];

	entry_free(&scene->entry);
	scene->entry = (struct entry){0};
	return spool_find(&scene->spool, str_of(id), &folder, name) &&
	       entry_open(&scene->entry, &scene->spool, folder, name, &scene->err) == ENTRY_OPENED;
}

static void
test_maildir(void)
{
	struct scene scene;
	struct buf text;

	open_scene(&scene);
	tap_is_number((long long)bounce_count(&scene.spool), 0, "at first there are no notifications");
	enqueue_failed(&scene);
	tap_ok(tell(&scene) && scene.context.way == BOUNCE_KEPT, "a failure is told in the Maildir");
	tap_ok(notice_has(&scene, "dsn", "\nTo: alice@mail.example.com\n") &&
	       notice_has(&scene, "dsn", "From: \"mailcrane on box.example.com\" <MAILER-DAEMON@box.example.com>\n") &&
	       notice_has(&scene, "dsn", "\nDiagnostic-Code: smtp; 550 no such user\n") &&
	       notice_has(&scene, "dsn", "\nLast-Attempt-Date: Tue, 14 Nov 2023 22:13:10 ") &&
	       notice_has(&scene, "dsn", "\nReporting-MTA: dns; box.example.com\n") && notice_has(&scene, "dsn", scene.entry.id) &&
	       notice_has(&scene, "dsn", "\nIn-Reply-To: <1@mail.example.com>\n") && notice_has(&scene, "dsn", ORIGINAL "\n--"),
	       "by a file of the entry's name that says what happened");
	text = read_notice(&scene, "tmp", scene.entry.id, "dsn");
	tap_is_number((long long)text.size, 0, "nothing is left in tmp");
	buf_free(&text);
	tap_is_number(flags_on_disk(&scene), ENTRY_BOUNCED, "the entry is flagged on the disk");
	tap_is_number((long long)bounce_count(&scene.spool), 1, "it is counted");
	tap_ok(tell(&scene) && scene.context.way == BOUNCE_NONE && bounce_count(&scene.spool) == 1, "it is told once");

	write_notice(&scene, "new", "dsn", "mine", time(NULL));
	scene.entry.flags = 0;
	tap_ok(tell(&scene) && scene.context.way == BOUNCE_KEPT && notice_has(&scene, "dsn", "mine") && bounce_count(&scene.spool) == 1,
	       "after a crash before the flag the file that is there is left alone");
	tap_is_number(scene.entry.flags, ENTRY_BOUNCED, "and the flag is set");
	text = read_notice(&scene, "tmp", scene.entry.id, "dsn");
	tap_is_number((long long)text.size, 0, "and tmp is clean");
	buf_free(&text);
	write_notice(&scene, "new", "dsn", "mine", NOW - 1000);
	scene.entry.flags = 0;
	tap_ok(tell(&scene) && notice_has(&scene, "dsn", "no such user"), "a file from before the entry was tried afresh is replaced");

	enqueue_failed(&scene);
	write_notice(&scene, "tmp", "dsn", "torn", NOW);
	tap_ok(tell(&scene) && notice_has(&scene, "dsn", "no such user"), "what a crash left in tmp is made anew");
	close_scene(&scene);
}

static void
test_silence(void)
{
	struct scene scene;

	open_scene(&scene);
	scene.account.bounce_to = mem_copy_string("sender");
	enqueue(&scene, "", 0, "<1@mail.example.com>");
	answer(&scene, OUTCOME_FAILED, OUTCOME_AT_RCPT, "no such user");
	tap_ok(tell(&scene) && scene.context.way == BOUNCE_NONE && scene.entry.flags == ENTRY_BOUNCED && bounce_count(&scene.spool) == 0 &&
	       spool_count(&scene.spool, SPOOL_QUEUE) == 1, "a message without a sender makes no notification");
	enqueue(&scene, "alice@mail.example.com", NOTIFY_NEVER, NULL);
	answer(&scene, OUTCOME_FAILED, OUTCOME_AT_RCPT, "no such user");
	tap_ok(tell(&scene) && scene.context.way == BOUNCE_NONE && scene.entry.flags == ENTRY_BOUNCED && bounce_count(&scene.spool) == 0,
	       "NOTIFY=NEVER is honoured");
	close_scene(&scene);
	scene.spool = (struct spool){0};
	tap_is_number((long long)bounce_count(&scene.spool), 0, "where there is no spool there are no notifications");
}

static void
test_sending(void)
{
	struct scene scene;
	struct buf notice = {0}, kept;
	char id[ID_LENGTH + 1];

	open_scene(&scene);
	scene.account.bounce_to = mem_copy_string("sender");
	enqueue_failed(&scene);
	tap_ok(tell(&scene) && scene.context.way == BOUNCE_QUEUED && bounce_count(&scene.spool) == 0 &&
	       spool_count(&scene.spool, SPOOL_QUEUE) == 2, "a notification to the sender is put into the queue");
	tap_is_number(flags_on_disk(&scene), ENTRY_BOUNCED, "and the entry flagged");
	memcpy(id, scene.context.id, sizeof(id));
	tap_ok(strcmp(scene.entry.id, id) != 0 && open_other(&scene, id), "it is an entry of its own");
	tap_ok(scene.entry.envelope.reverse_path[0] == '\0' && scene.entry.envelope.n_recipients == 1 &&
	       strcmp(scene.entry.envelope.recipients[0].mailbox, "alice@mail.example.com") == 0 &&
	       scene.entry.envelope.recipients[0].notify == NOTIFY_NEVER && strcmp(scene.entry.origin.account, "work") == 0 &&
	       dsn_is_own(scene.entry.message_id), "without a sender, to the sender, by the same account");
	for (ssize_t n = 1; n > 0;) {
		n = message_bytes(&scene.entry.message, (int64_t)notice.size, buf_reserve(&notice, 4096), 4096, &scene.err);
		if (n > 0)
			buf_grow(&notice, (size_t)n);
	}
	tap_ok(strstr(buf_text(&notice), "\nDiagnostic-Code: smtp; 550 no such user\n") != NULL &&
	       strstr(buf_text(&notice), scene.entry.message_id) != NULL, "with the notification as its message");
	tap_ok(str_starts_with(str_from(buf_str(&notice), (size_t)scene.entry.message.header_size), STR("\nThis is")), "whose header section is known");

	answer(&scene, OUTCOME_FAILED, OUTCOME_AT_MAIL, "no null senders here");
	tap_ok(tell(&scene) && scene.context.way == BOUNCE_KEPT && spool_count(&scene.spool, SPOOL_QUEUE) == 2,
	       "a notification that is refused is kept, and none is made about it");
	kept = read_notice(&scene, "new", id, "dsn");
	tap_ok(str_equals(buf_str(&kept), buf_str(&notice)), "as it is");
	buf_free(&kept);
	buf_free(&notice);

	free(scene.account.bounce_to);
	scene.account.bounce_to = mem_copy_string("postmaster@box.example.com");
	enqueue_failed(&scene);
	tap_ok(tell(&scene) && scene.context.way == BOUNCE_QUEUED && open_other(&scene, scene.context.id) &&
	       strcmp(scene.entry.envelope.recipients[0].mailbox, "postmaster@box.example.com") == 0, "an address gets it instead of the sender");
	free(scene.account.bounce_to);
	scene.account.bounce_to = mem_copy_string("evil@x.example>\nRCPT TO:<y");
	enqueue_failed(&scene);
	tap_ok(tell(&scene) && scene.context.way == BOUNCE_KEPT, "what is no address does not get it");
	close_scene(&scene);
}

static void
test_delay(void)
{
	struct scene scene;

	open_scene(&scene);
	scene.account.bounce_to = mem_copy_string("sender");
	enqueue(&scene, "alice@mail.example.com", 0, NULL);
	answer(&scene, OUTCOME_DEFERRED, OUTCOME_AT_CONNECT, "no route to host");
	/* Somebody else got it at an earlier try. */
	envelope_add(&scene.entry.envelope, "carol@mail.example.org");
	scene.entry.envelope.recipients[1].outcome = (struct outcome){.state = OUTCOME_DELIVERED, .stage = OUTCOME_AT_END};
	tap_ok(bounce_delayed(&scene.context, &scene.entry, &scene.err) && scene.context.way == BOUNCE_KEPT,
	       "a delay because the server cannot be reached is told here");
	tap_ok(notice_has(&scene, "delayed", "\nSubject: Delayed Mail (still being retried)\n") &&
	       notice_has(&scene, "delayed", "\nAction: delayed\n") && notice_has(&scene, "delayed", "\nWill-Retry-Until: "),
	       "with the time until which it will be tried");
	tap_is_number(flags_on_disk(&scene), ENTRY_DELAY_TOLD, "it is noted");
	tap_ok(bounce_delayed(&scene.context, &scene.entry, &scene.err) && scene.context.way == BOUNCE_NONE && bounce_count(&scene.spool) == 1,
	       "it is told once");
	enqueue(&scene, "alice@mail.example.com", 0, NULL);
	answer(&scene, OUTCOME_DEFERRED, OUTCOME_AT_CONNECT, "no route to host");
	tap_ok(bounce_delayed(&scene.context, &scene.entry, &scene.err), "another delay is told");
	answer(&scene, OUTCOME_FAILED, OUTCOME_AT_RCPT, "gone");
	tap_ok(tell(&scene) && scene.entry.flags == (ENTRY_DELAY_TOLD | ENTRY_BOUNCED), "a later failure is told besides");

	enqueue(&scene, "alice@mail.example.com", 0, NULL);
	answer(&scene, OUTCOME_DEFERRED, OUTCOME_AT_RCPT, "greylisted");
	tap_ok(bounce_delayed(&scene.context, &scene.entry, &scene.err) && scene.context.way == BOUNCE_QUEUED, "a delay for another reason is sent");
	enqueue(&scene, "alice@mail.example.com", NOTIFY_FAILURE, NULL);
	answer(&scene, OUTCOME_DEFERRED, OUTCOME_AT_RCPT, "greylisted");
	tap_ok(bounce_delayed(&scene.context, &scene.entry, &scene.err) && scene.context.way == BOUNCE_NONE, "whoever wants failures alone is not told");
	close_scene(&scene);
}

static void
test_limit(void)
{
	struct scene scene;
	struct buf path = {0};
	bool is_well = true;
	int fd;

	open_scene(&scene);
	for (int i = 0; i < BOUNCE_HOURLY_MOST; i++) {
		enqueue_failed(&scene);
		is_well = is_well && tell(&scene) && scene.context.way == BOUNCE_KEPT;
	}
	tap_ok(is_well && bounce_count(&scene.spool) == BOUNCE_HOURLY_MOST, "20 notifications are made in an hour");
	enqueue_failed(&scene);
	tap_ok(tell(&scene) && scene.context.way == BOUNCE_LIMITED && bounce_count(&scene.spool) == BOUNCE_HOURLY_MOST, "and no more");
	tap_is_number(flags_on_disk(&scene), ENTRY_BOUNCED, "the entry can go to failed nevertheless");
	scene.context.now += 3600;
	enqueue_failed(&scene);
	tap_ok(tell(&scene) && scene.context.way == BOUNCE_KEPT, "an hour later there may be others");
	scene.context.now -= 3600;
	buf_printf(&path, "%s/lock/notifications", scene.path);
	fd = open(buf_text(&path), O_WRONLY | O_TRUNC | O_CLOEXEC);
	tap_ok(fd >= 0 && write(fd, "fffffffffffffffffffffffffffffffff", 30) == 30, "the counter can be spoiled");
	close(fd);
	enqueue_failed(&scene);
	tap_ok(tell(&scene) && scene.context.way == BOUNCE_KEPT, "and when it makes no sense it counts nothing");
	buf_free(&path);
	close_scene(&scene);
}

/* Put a file where the folder was, so that nothing can be made in it. */
static void
block_folder(struct scene *scene, const char *folder)
{
	struct buf path = {0};
	int fd;

	spool_free(&scene->spool);
	buf_printf(&path, "%s/bounces/%s", scene->path, folder);
	rmdir(buf_text(&path));
	fd = open(buf_text(&path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	buf_free(&path);
	open_spool(scene);
}

static void
test_trouble(void)
{
	struct scene scene;
	struct buf path = {0};

	open_scene(&scene);
	enqueue_failed(&scene);
	block_folder(&scene, "new");
	for (int i = 0; i <= BOUNCE_HOURLY_MOST; i++) {
		err_clear(&scene.err);
		if (tell(&scene))
			break;
	}
	tap_ok(!tell(&scene) && err_is_set(&scene.err) && scene.entry.flags == 0 && flags_on_disk(&scene) == 0,
	       "what cannot be told is not noted as told, however often it is tried");
	err_clear(&scene.err);
	buf_printf(&path, "%s/bounces/new", scene.path);
	unlink(buf_text(&path));
	buf_free(&path);
	tap_ok(tell(&scene) && scene.context.way == BOUNCE_KEPT && notice_has(&scene, "dsn", "no such user"), "and is told when the trouble is over");
	close_scene(&scene);
}

int
main(void)
{
	setenv("TZ", "UTC", 1);
	test_maildir();
	test_silence();
	test_sending();
	test_delay();
	test_limit();
	test_trouble();
	return tap_end();
}
