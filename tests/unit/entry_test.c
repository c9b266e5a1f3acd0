/* entry_test.c - one message in the queue: made, opened, recorded, moved and removed. */

#include "config.h"

#include <signal.h>
#include <sys/resource.h>

#include "queue_kit.h"

static int
open_in_child(void *context)
{
	struct kit *kit = context;
	struct entry entry = {0};
	struct spool_scan scan = {.folder = SPOOL_QUEUE, .due = INT64_MAX};

	spool_scan(&kit->spool, &scan, &kit->err);
	return (int)entry_open(&entry, &kit->spool, SPOOL_QUEUE, scan.items[0].name, &kit->err);
}

static void
test_create(struct kit *kit, size_t size)
{
	struct kit_mail mail;
	struct entry entry = {0}, read = {0};
	struct buf given = {0}, kept = {0};
	struct stat facts = {0};
	char name[SPOOL_NAME_SIZE];
	time_t next = time(NULL) + 1000;

	tap_note("a message of %zu bytes", size);
	kit_mail_open(&mail, 3, size);
	mail.content.next = next;
	mail.content.flags = ENTRY_DELAY_TOLD;
	mail.envelope.envid = mem_copy_string("env id");
	mail.envelope.recipients[1].notify = NOTIFY_NEVER;
	mail.envelope.recipients[1].original = mem_copy_string("rfc822;or\\ig");
	mail.origin.settings = mem_copy_string("host mx\nport 25\n");
	mail.origin.config_file = mem_copy_string("/etc/x\ty");
	kit_message_text(&mail.message, &given);
	tap_ok(entry_create(&entry, &kit->spool, &mail.content, &kit->err), "an entry is made");
	tap_ok(kit_count(kit, SPOOL_TMP) == 0 && kit_count(kit, SPOOL_QUEUE) == 1, "it is in queue/, nothing is in tmp/");
	tap_ok(entry.is_open && entry.is_locked && entry.folder == SPOOL_QUEUE, "it is open and locked");
	memcpy(name, entry.name, sizeof(name));
	tap_ok(stat(kit_file(kit, SPOOL_QUEUE, name), &facts) == 0 && facts.st_mtime == next && entry.next == next,
	       "the time of the next attempt is the file's");
	tap_ok((facts.st_mode & 0777) == 0600, "nobody else may read it");
	kit_message_text(&entry.message, &kept);
	tap_ok(str_equals(buf_str(&given), buf_str(&kept)), "its message can be read at once");
	tap_is_number(kit_in_child(open_in_child, kit), ENTRY_BUSY, "another process finds it busy");
	tap_ok(entry_open(&read, &kit->spool, SPOOL_QUEUE, name, &kit->err) == ENTRY_BUSY, "so does this one");
	entry_free(&entry);
	tap_ok(kit_open_in(kit, &read, name), "it can be opened when it is free");
	kit_message_text(&read.message, &kept);
	tap_ok(str_equals(buf_str(&given), buf_str(&kept)), "and has the whole message");
	tap_ok(read.message.is_in_memory == (size < 60000), "in memory while it is small");
	tap_ok(strncmp(read.id, name, ID_LENGTH) == 0 && strcmp(read.tag, name + ID_LENGTH + 1) == 0 &&
	       read.created == mail.content.created && read.next == next && read.flags == ENTRY_DELAY_TOLD,
	       "id, tag, times and flags");
	tap_is(read.envelope.reverse_path, "sender@example.com", "reverse-path");
	tap_ok(read.envelope.n_recipients == 3 && strcmp(read.envelope.recipients[2].mailbox, "r2@example.org") == 0 &&
	       read.envelope.recipients[1].notify == NOTIFY_NEVER, "recipients");
	tap_is(read.envelope.recipients[1].original, "rfc822;or\\ig", "ORCPT");
	tap_is(read.envelope.envid, "env id", "ENVID");
	tap_is(read.origin.account, "work", "account");
	tap_is(read.origin.settings, "host mx\nport 25\n", "settings");
	tap_is(read.origin.config_file, "/etc/x\ty", "configuration file");
	tap_is(read.message_id, "<1@example.com>", "Message-ID");
	tap_ok(read.message.size == mail.message.size && read.message.header_size == mail.message.header_size &&
	       read.message.wire_size == mail.message.wire_size, "sizes");
	tap_is(kit_states(&read), "TTT", "everybody is to do");
	tap_ok(read.tried == 0 && read.n_attempts == 0 && !entry_is_finished(&read), "nothing was tried");
	tap_ok(entry_remove(&read, &kit->spool, &kit->err) && kit_count(kit, SPOOL_QUEUE) == 0, "it is removed");
	tap_is_number(kit->spool.n_unsynced, 1, "which is not synced yet");
	tap_ok(entry_remove(&read, &kit->spool, &kit->err), "removed by somebody else is removed as well");
	kit->spool.n_unsynced = 0;
	entry_free(&read);
	entry_free(&read);
	tap_ok(entry_open(&read, &kit->spool, SPOOL_QUEUE, name, &kit->err) == ENTRY_GONE, "then it is gone");
	kit_mail_free(&mail);
	buf_free(&given);
	buf_free(&kept);
}

static void
test_create_outcomes(struct kit *kit)
{
	struct kit_mail mail;
	struct entry entry = {0}, made = {0};
	char name[SPOOL_NAME_SIZE];

	kit_mail_open(&mail, 5, 100);
	mail.envelope.recipients[0].outcome.state = OUTCOME_DELIVERED;
	mail.envelope.recipients[1].outcome = (struct outcome){.state = OUTCOME_DEFERRED, .stage = OUTCOME_AT_END,
	                                                       .may_be_duplicate = true, .text = "connection lost"};
	mail.envelope.recipients[2].outcome = (struct outcome){.state = OUTCOME_FAILED, .reply_code = 550, .text = "no"};
	mail.envelope.recipients[3].outcome = (struct outcome){.state = OUTCOME_DEFERRED, .stage = OUTCOME_AT_RCPT,
	                                                       .reply_code = 451, .text = "later", .host = "mx"};
	tap_ok(entry_create(&made, &kit->spool, &mail.content, &kit->err), "an entry is made after a first attempt");
	tap_is(kit_states(&made), "UTT", "who is done is not in it; where no answer came is U");
	tap_is(made.envelope.recipients[1].mailbox, "r3@example.org", "the rest is in order");
	memcpy(name, made.name, sizeof(name));
	entry_free(&made);
	kit_open_in(kit, &entry, name);
	tap_is(kit_states(&entry), "UTT", "so it is read");
	tap_ok(entry.envelope.recipients[0].outcome.may_be_duplicate &&
	       entry.envelope.recipients[0].outcome.state == OUTCOME_PENDING, "U is pending, and may be a duplicate");
	tap_is(entry.envelope.recipients[0].outcome.text, "connection lost", "why the first was not delivered");
	tap_is(entry.envelope.recipients[1].outcome.text, "later", "and the second");
	tap_ok(entry.envelope.recipients[1].outcome.reply_code == 451 && entry.n_attempts == 1 &&
	       entry.tried == mail.content.created, "one attempt was made");
	tap_is(entry.envelope.recipients[2].outcome.text, "", "nothing is known of the third");
	tap_ok(!kit_exists(kit_file(kit, SPOOL_FAILED, name)), "nothing is in failed/");
	entry_remove(&entry, &kit->spool, &kit->err);
	entry_free(&entry);

	mail.content.folder = SPOOL_FAILED;
	tap_ok(entry_create(&made, &kit->spool, &mail.content, &kit->err), "one for failed/");
	tap_is(kit_states(&made), "UFTT", "keeps those who failed");
	tap_is(made.envelope.recipients[1].outcome.text, "no", "and why");
	tap_ok(kit_exists(kit_file(kit, SPOOL_FAILED, made.name)), "and is there");
	entry_remove(&made, &kit->spool, &kit->err);
	tap_is_number(kit->spool.n_unsynced, 1, "removals from failed/ are not counted");
	entry_free(&made);
	for (size_t i = 0; i < 5; i++)
		mail.envelope.recipients[i].outcome.state = OUTCOME_DELIVERED;
	tap_ok(!entry_create(&made, &kit->spool, &mail.content, &kit->err) && kit_count(kit, SPOOL_TMP) == 0 &&
	       kit_count(kit, SPOOL_FAILED) == 0, "one without recipients is not made, and nothing is left of it");
	err_clear(&kit->err);
	entry_free(&made);
	kit_mail_free(&mail);
}

static void
test_create_refused(struct kit *kit)
{
	struct kit_mail mail;
	struct entry entry = {0};

	kit_mail_open(&mail, 1, 300000);
	/* The message's file is shorter than it was. */
	if (ftruncate(mail.message.fd, 200000) != 0)
		abort();
	tap_ok(!entry_create(&entry, &kit->spool, &mail.content, &kit->err) && err_is_set(&kit->err),
	       "a message that cannot be read is not queued");
	tap_ok(kit_count(kit, SPOOL_TMP) == 0 && kit_count(kit, SPOOL_QUEUE) == 0, "and nothing is left of it");
	err_clear(&kit->err);
	spool_folder(&kit->spool, SPOOL_QUEUE, &kit->err);
	rename(kit_file(kit, SPOOL_QUEUE, ""), kit_path(kit, "spool/elsewhere"));
	message_free(&mail.message);
	kit_message(&mail.message, 10);
	tap_ok(entry_create(&entry, &kit->spool, &mail.content, &kit->err), "a folder that was renamed is still the folder");
	entry_remove(&entry, &kit->spool, &kit->err);
	entry_free(&entry);
	rmdir(kit_path(kit, "spool/elsewhere"));
	tap_ok(!entry_create(&entry, &kit->spool, &mail.content, &kit->err), "where it was removed, there is no entry");
	tap_ok(kit_count(kit, SPOOL_TMP) == 0 && strstr(buf_text(&kit->err.text), kit->path) != NULL,
	       "nothing is left, and the path is named");
	err_clear(&kit->err);
	spool_free(&kit->spool);
	spool_open(&kit->spool, &kit->place, &kit->err);
	kit_mail_free(&mail);
}

static void
test_record(struct kit *kit)
{
	struct entry entry = {0};
	char name[SPOOL_NAME_SIZE];
	unsigned char is_sent[5] = {1, 1, 0, 1, 1};
	struct buf journal = {0};

	kit_entry(kit, 5, 100, name);
	kit_open_in(kit, &entry, name);
	tap_ok(entry_mark_sent(&entry, is_sent, &kit->err), "the text goes out for four");
	tap_is(kit_states_on_disk(kit, name), "UUTUU", "who are U");
	kit_set_outcome(&entry, 0, OUTCOME_DELIVERED, "ok");
	kit_set_outcome(&entry, 1, OUTCOME_FAILED, "no\x1b such\nuser");
	kit_set_outcome(&entry, 3, OUTCOME_DEFERRED, "busy");
	kit_set_outcome(&entry, 4, OUTCOME_DEFERRED, "lost");
	entry.envelope.recipients[4].outcome.may_be_duplicate = true;
	tap_ok(entry_record(&entry, 1000, &kit->err), "what became of them is recorded");
	tap_is(kit_states_on_disk(kit, name), "DFTTU", "by states");
	tap_is(kit_states(&entry), "DFTTU", "in memory too");
	tap_ok(entry.tried == 1000 && entry.n_attempts == 1, "and counts as one attempt");
	tap_ok(!entry_is_finished(&entry), "some are still to do");
	entry_free(&entry);
	kit_open_in(kit, &entry, name);
	tap_is(entry.envelope.recipients[1].outcome.text, "no\\x1b such\\nuser", "the text is read back, clean");
	tap_is(entry.envelope.recipients[3].outcome.host, "mx.example.org", "and the host");
	tap_ok(entry.envelope.recipients[0].outcome.state == OUTCOME_DELIVERED &&
	       entry.envelope.recipients[1].outcome.state == OUTCOME_FAILED &&
	       entry.envelope.recipients[4].outcome.may_be_duplicate && entry.tried == 1000, "and the rest");
	entry_journal(&entry, &journal, &kit->err);
	tap_ok(strstr(buf_text(&journal), "busy\n") != NULL && strchr(buf_text(&journal), '\x1b') == NULL,
	       "the journal can be shown");

	/* The same again: it is no news. What is final stays. */
	buf_clear(&journal);
	tap_ok(entry_record(&entry, 2000, &kit->err) && entry.tried == 1000, "what is recorded already is not again");
	memset(is_sent, 1, sizeof(is_sent));
	tap_ok(entry_mark_sent(&entry, is_sent, &kit->err), "who is done is never sent to again");
	tap_is(kit_states(&entry), "DFUUU", "whatever the caller says");
	kit_set_outcome(&entry, 0, OUTCOME_DEFERRED, "what?");
	kit_set_outcome(&entry, 2, OUTCOME_DELIVERED, "ok");
	kit_set_outcome(&entry, 3, OUTCOME_DEFERRED, "busy");
	kit_set_outcome(&entry, 4, OUTCOME_DELIVERED, "ok");
	tap_ok(entry_record(&entry, 2000, &kit->err), "a second attempt");
	tap_is(kit_states_on_disk(kit, name), "DFDTD", "and D remains D");
	tap_ok(entry.n_attempts == 2, "is the second");
	entry_journal(&entry, &journal, &kit->err);
	tap_ok(strstr(buf_text(&journal), "J 2000 3 T rcpt 450 4.2.1 mx.example.org busy\n") != NULL,
	       "the same answer in a new attempt is a new line");
	kit_set_outcome(&entry, 3, OUTCOME_FAILED, "gone");
	kit_set_outcome(&entry, 0, OUTCOME_DELIVERED, "ok");
	tap_ok(entry_record(&entry, 3000, &kit->err) && entry_is_finished(&entry), "when all are final, it is finished");
	tap_ok(entry_set_flags(&entry, ENTRY_BOUNCED, &kit->err) &&
	       entry_set_flags(&entry, ENTRY_DELAY_TOLD, &kit->err), "flags are set");
	tap_ok(entry_defer(&entry, 1234567, &kit->err), "and the time");
	entry_free(&entry);
	kit_open_in(kit, &entry, name);
	tap_ok(entry.flags == (ENTRY_BOUNCED | ENTRY_DELAY_TOLD) && entry.next == 1234567, "both are read back");

	tap_ok(entry_move(&entry, &kit->spool, SPOOL_FAILED, &kit->err), "it is moved to failed/");
	tap_ok(entry.folder == SPOOL_FAILED && kit_exists(kit_file(kit, SPOOL_FAILED, name)) &&
	       !kit_exists(kit_file(kit, SPOOL_QUEUE, name)), "and is there");
	tap_ok(entry.next >= time(NULL) - 100, "its time there begins now");
	tap_ok(entry_make_fresh(&entry, 5000, &kit->err), "it is made anew");
	tap_is(kit_states(&entry), "DTDTD", "who failed is to do, who has it is done");
	tap_ok(entry.envelope.recipients[1].outcome.state == OUTCOME_PENDING, "in the envelope too");
	tap_ok(entry_move(&entry, &kit->spool, SPOOL_QUEUE, &kit->err), "and moved back");
	entry_free(&entry);
	tap_ok(kit_open_in(kit, &entry, name), "it still can be trusted");
	tap_ok(entry.created == 5000 && entry.flags == 0, "is as old as new, and nobody was told");
	tap_is(kit_states(&entry), "DTDTD", "with these states");
	entry_remove(&entry, &kit->spool, &kit->err);
	entry_free(&entry);
	buf_free(&journal);
}

static void
test_lent_envelope(struct kit *kit)
{
	struct entry entry = {0};
	char name[SPOOL_NAME_SIZE];
	const unsigned char is_sent[2] = {0, 1};
	struct envelope lent;

	kit_entry(kit, 2, 100, name);
	kit_open_in(kit, &entry, name);
	lent = entry.envelope;
	entry.envelope = (struct envelope){0};
	tap_ok(entry_mark_sent(&entry, is_sent, &kit->err), "the text goes out while the envelope is lent to a delivery");
	tap_is(kit_states_on_disk(kit, name), "TU", "and that is written down all the same");
	entry.envelope = lent;
	entry_remove(&entry, &kit->spool, &kit->err);
	entry_free(&entry);
}

static void
test_torn_journal(struct kit *kit)
{
	struct entry entry = {0};
	char name[SPOOL_NAME_SIZE];
	struct buf text = {0};

	kit_entry(kit, 2, 100, name);
	kit_read(kit_file(kit, SPOOL_QUEUE, name), &text);
	buf_add_text(&text, "J 77 0 T rcpt 450 - - old\nJ 99 0 T rcpt 45");
	kit_write(kit_file(kit, SPOOL_QUEUE, name), text.data, text.size);
	tap_ok(kit_open_in(kit, &entry, name), "a journal whose last line is torn does no harm");
	tap_is(entry.envelope.recipients[0].outcome.text, "old", "and the line before counts");
	kit_set_outcome(&entry, 1, OUTCOME_DEFERRED, "new");
	entry_record(&entry, 100, &kit->err);
	kit_set_outcome(&entry, 0, OUTCOME_DEFERRED, "newer");
	entry_record(&entry, 101, &kit->err);
	entry_free(&entry);
	kit_open_in(kit, &entry, name);
	tap_is(entry.envelope.recipients[1].outcome.text, "new", "what is written behind it is not lost");
	tap_is(entry.envelope.recipients[0].outcome.text, "newer", "nor is what comes then");
	entry_free(&entry);
	kit_read(kit_file(kit, SPOOL_QUEUE, name), &text);
	tap_ok(strstr(buf_text(&text), "45\nJ 100 1") != NULL && strstr(buf_text(&text), "\n\n\n") == NULL,
	       "the torn line is ended once");

	/* A journal of 9 MiB: its end counts. */
	while (text.size < 9 * 1024 * 1024)
		buf_add_text(&text, "J 200 1 T rcpt 450 - - many\n");
	buf_add_text(&text, "J 300 1 T rcpt 450 - - last\n");
	kit_write(kit_file(kit, SPOOL_QUEUE, name), text.data, text.size);
	kit_open_in(kit, &entry, name);
	tap_is(entry.envelope.recipients[1].outcome.text, "last", "of an endless journal the end is read");
	entry_remove(&entry, &kit->spool, &kit->err);
	entry_free(&entry);
	buf_free(&text);
}

/* A write that cannot be made: the file may not become longer, as on a full disk. */
static int
record_without_room(void *context)
{
	struct kit *kit = context;
	struct spool_scan scan = {.folder = SPOOL_QUEUE, .due = INT64_MAX};
	struct entry entry = {0};
	unsigned char is_sent[2] = {1, 1};
	int readable;
	bool is_well;

	spool_scan(&kit->spool, &scan, &kit->err);
	if (entry_open(&entry, &kit->spool, SPOOL_QUEUE, scan.items[0].name, &kit->err) != ENTRY_OPENED)
		return 9;
	/* A descriptor that cannot be written to in place of the real one. */
	readable = open(kit_file(kit, SPOOL_QUEUE, scan.items[0].name), O_RDONLY | O_CLOEXEC);
	if (dup2(readable, entry.fd) < 0)
		return 9;
	kit_set_outcome(&entry, 0, OUTCOME_DELIVERED, "ok");
	is_well = entry_mark_sent(&entry, is_sent, &kit->err);
	if (is_well || kit->err.exit_code != EX_IOERR || strcmp(kit_states(&entry), "TT") != 0)
		return 1;
	err_clear(&kit->err);
	if (entry_record(&entry, 5, &kit->err) || kit->err.exit_code != EX_IOERR)
		return 2;
	if (strcmp(kit_states(&entry), "TT") != 0 || entry.envelope.recipients[0].outcome.state != OUTCOME_DELIVERED)
		return 3;
	err_clear(&kit->err);
	return !entry_set_flags(&entry, ENTRY_BOUNCED, &kit->err) && entry.flags == 0 ? 0 : 4;
}

/* The same for a file that is full from some byte on: `limit` is its first byte that cannot be written. */
static void
limit_file(size_t limit)
{
	struct rlimit room = {.rlim_cur = limit, .rlim_max = limit};

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &room) != 0)
		abort();
}

static int
record_on_full_disk(void *context)
{
	struct kit *kit = context;
	struct spool_scan scan = {.folder = SPOOL_QUEUE, .due = INT64_MAX};
	struct entry entry = {0};
	unsigned char is_sent[2] = {1, 1};

	spool_scan(&kit->spool, &scan, &kit->err);
	if (entry_open(&entry, &kit->spool, SPOOL_QUEUE, scan.items[0].name, &kit->err) != ENTRY_OPENED)
		return 9;
	limit_file((size_t)entry.file_size + 5);
	kit_set_outcome(&entry, 0, OUTCOME_DEFERRED, "first");
	entry.envelope.recipients[0].outcome.may_be_duplicate = true;
	if (!entry_record(&entry, 5, &kit->err) || strcmp(kit_states(&entry), "UT") != 0 || !entry.has_torn_line)
		return 1;
	kit_set_outcome(&entry, 0, OUTCOME_DEFERRED, "second");
	if (!entry_record(&entry, 6, &kit->err) || strcmp(kit_states(&entry), "TT") != 0)
		return 2;
	/* Only the first of two states can be written. */
	limit_file(entry.state_offsets[1]);
	if (entry_mark_sent(&entry, is_sent, &kit->err) || strcmp(kit_states(&entry), "UT") != 0)
		return 3;
	err_clear(&kit->err);
	/* What was written is known, and not written again. */
	entry.envelope.recipients[0].outcome.may_be_duplicate = true;
	return entry_record(&entry, 7, &kit->err) && strcmp(kit_states(&entry), "UT") == 0 ? 0 : 4;
}

static void
test_full_disk(struct kit *kit)
{
	struct entry entry = {0};
	char name[SPOOL_NAME_SIZE];

	kit_entry(kit, 2, 100, name);
	tap_is_number(kit_in_child(record_on_full_disk, kit), 0, "a full disk costs lines of the journal, but no state");
	tap_is(kit_states_on_disk(kit, name), "UT", "what could be written is there");
	tap_ok(kit_open_in(kit, &entry, name), "and the entry is good");
	kit_set_outcome(&entry, 1, OUTCOME_DEFERRED, "later");
	entry_record(&entry, 8, &kit->err);
	entry_free(&entry);
	kit_open_in(kit, &entry, name);
	tap_is(entry.envelope.recipients[1].outcome.text, "later", "its journal goes on when there is room");
	entry_remove(&entry, &kit->spool, &kit->err);
	entry_free(&entry);
}

static void
test_trouble(struct kit *kit)
{
	struct entry entry = {0};
	char name[SPOOL_NAME_SIZE];
	char longest[SPOOL_NAME_SIZE + 1];

	kit_entry(kit, 2, 100, name);
	tap_is_number(kit_in_child(record_without_room, kit), 0,
	              "when states cannot be written, that is told, and memory knows both truths");
	tap_is(kit_states_on_disk(kit, name), "TT", "and the file is as it was");
	memset(longest, 'A', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	tap_ok(entry_open(&entry, &kit->spool, SPOOL_QUEUE, longest, &kit->err) == ENTRY_REFUSED, "a name that is too long");
	err_clear(&kit->err);
	unlink(kit_file(kit, SPOOL_QUEUE, name));
}

int
main(void)
{
	struct kit kit;

	kit_open(&kit);
	test_create(&kit, 0);
	test_create(&kit, 1000);
	test_create(&kit, 100000);
	test_create(&kit, 1000000);
	test_create_outcomes(&kit);
	test_create_refused(&kit);
	test_record(&kit);
	test_lent_envelope(&kit);
	test_torn_journal(&kit);
	test_full_disk(&kit);
	test_trouble(&kit);
	kit_close(&kit);
	return tap_end();
}
