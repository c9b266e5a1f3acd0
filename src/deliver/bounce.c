/* bounce.c - tells the sender of a message in the queue what became of it. Works on the spool's files. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "deliver/bounce.h"
#include "deliver/destination.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "mail/header.h"
#include "mail/keep.h"
#include "queue/disk.h"

enum {
	BLOCK_SIZE = 64 * 1024,
	SECONDS_OF_HOUR = 3600,
	COUNTER_SIZE = 26       /* "HOUR COUNT\n", of fixed width, so that it is replaced by one write */
};

static const char counter_name[] = "notifications"; /* in lock/; what is in it is a hint only */

/* --- not too many ------------------------------------------------------------------------------------------------------ */

/* How many there were in this hour, by the counter's file. What makes no sense is 0: it is a hint only. */
static unsigned
read_count(int fd, int64_t hour)
{
	char text[COUNTER_SIZE + 1] = {0};
	uint64_t read_hour = 0;
	unsigned count = 0;

	if (disk_read(fd, text, COUNTER_SIZE, 0) != COUNTER_SIZE ||
	    sscanf(text, "%16" SCNx64 " %8x\n", &read_hour, &count) != 2 || (int64_t)read_hour != hour)
		return 0;
	return count;
}

/* Read the counter, with `adds` after making it one more. 0 when it is busy or cannot be had. */
static unsigned
consult_counter(const struct bounce_context *context, bool adds)
{
	struct err ignored = {0};
	char text[COUNTER_SIZE + 1];
	int64_t hour = (int64_t)context->now / SECONDS_OF_HOUR;
	unsigned count = 0;
	int fd = -1;

	if (spool_lock(context->spool, counter_name, &fd, &ignored) == SPOOL_LOCKED) {
		count = read_count(fd, hour);
		if (adds && count < BOUNCE_HOURLY_MOST) {
			snprintf(text, sizeof(text), "%016" PRIx64 " %08x\n", (uint64_t)hour, ++count);
			disk_write(fd, text, COUNTER_SIZE, 0, NULL);
		}
		close(fd);
	}
	err_clear(&ignored);
	return count;
}

/* --- the Maildir ------------------------------------------------------------------------------------------------------- */

static bool
write_message(int fd, const struct message *message, struct err *err)
{
	char *block = mem_alloc(BLOCK_SIZE, 1);
	int64_t offset = 0;
	ssize_t n = 0;

	while (offset < message->size) {
		n = message_bytes(message, offset, block, BLOCK_SIZE, err);
		if (n <= 0)
			break;
		if (!disk_write(fd, block, (size_t)n, offset, NULL)) {
			err_set_errno(err, disk_exit_code(errno), "cannot write a notification");
			break;
		}
		offset += n;
	}
	free(block);
	if (offset < message->size)
		return err_set(err, EX_IOERR, "a notification is incomplete");
	/* Once only: after an error a second one would say that all is well. */
	if (fsync(fd) != 0)
		return err_set_errno(err, disk_exit_code(errno), "cannot sync a notification");
	return true;
}

/* Move the complete file from tmp/ to new/. One that is there with this name was written before a crash, and is as good, unless
 * it is older than the entry, which was tried afresh since. */
static bool
publish(struct disk_name from, struct disk_name to, int fd, const struct entry *entry)
{
	struct stat facts = {0};

	if (disk_rename(from, to, fd))
		return true;
	if (errno != EEXIST)
		return false;
	if (fstatat(to.folder, to.name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && facts.st_mtime >= entry->created) {
		unlinkat(from.folder, from.name, 0);
		return true;
	}
	return renameat(from.folder, from.name, to.folder, to.name) == 0;
}

/* The file in tmp/. What a crash left there has the same name; whoever made it held the lock on the entry, as we do now. */
static int
create_file(int folder, const char *name)
{
	int fd = disk_open(folder, name, O_WRONLY | O_CREAT | O_EXCL);

	if (fd < 0 && errno == EEXIST && unlinkat(folder, name, 0) == 0)
		fd = disk_open(folder, name, O_WRONLY | O_CREAT | O_EXCL);
	return fd;
}

/* Put the message into bounces/new for good. */
static bool
keep_message(struct bounce_context *context, const struct entry *entry, const char *name, const struct message *message,
             struct err *err)
{
	struct disk_name from = {spool_folder(context->spool, SPOOL_BOUNCES_TMP, err), name};
	struct disk_name to = {spool_folder(context->spool, SPOOL_BOUNCES_NEW, err), name};
	bool is_well;
	int fd;

	if (from.folder < 0 || to.folder < 0)
		return false;
	fd = create_file(from.folder, name);
	if (fd < 0)
		return err_set_errno(err, disk_exit_code(errno), "cannot create %s/bounces/tmp/%s", context->spool->path, name);
	is_well = write_message(fd, message, err);
	if (is_well && !publish(from, to, fd, entry))
		is_well = err_set_errno(err, disk_exit_code(errno), "cannot move a notification to %s/bounces/new", context->spool->path);
	close(fd);
	if (!is_well) {
		unlinkat(from.folder, name, 0);
		return false;
	}
	context->way = BOUNCE_KEPT;
	/* Also for one that was there: who wrote it may have died before this. */
	return spool_sync(context->spool, SPOOL_BOUNCES_NEW, err);
}

/* --- the notification -------------------------------------------------------------------------------------------------- */

static const char *
host_of(const struct account *account)
{
	return account->mailname != NULL && account->mailname[0] != '\0' ? account->mailname : "localhost";
}

/* Was the server there to talk to when those who wait were tried last? */
static bool
was_reached(const struct envelope *envelope)
{
	for (size_t i = 0; i < envelope->n_recipients; i++) {
		const struct outcome *outcome = &envelope->recipients[i].outcome;

		if (outcome->state != OUTCOME_DELIVERED && outcome->state != OUTCOME_FAILED &&
		    outcome->stage >= OUTCOME_AT_MAIL && outcome->stage != OUTCOME_LOCALLY)
			return true;
	}
	return false;
}

/* To whom it is sent; NULL: it is kept here. */
static const char *
addressee(const struct bounce_context *context, const struct entry *entry, enum dsn_action action)
{
	const char *bounce_to = context->account->bounce_to;

	if (bounce_to == NULL || bounce_to[0] == '\0' || strcmp(bounce_to, "local") == 0)
		return NULL;
	if (action == DSN_DELAYED && !was_reached(&entry->envelope))
		return NULL;
	if (strcmp(bounce_to, "sender") == 0)
		bounce_to = entry->envelope.reverse_path;
	return address_is_safe(bounce_to) ? bounce_to : NULL;
}

/* text becomes a message. */
static bool
make_message(struct message *message, struct str text, struct err *err)
{
	struct keep keep = {0};
	size_t header_size = header_section_size(text);
	size_t from;

	keep_open(&keep, message);
	message->header_size = (int64_t)header_size;
	buf_add_str(&message->memory, str_first(text, header_size + 1));
	if (!keep_added(&keep, 0, err))
		return false;
	keep.has_header = true;
	from = message->memory.size;
	buf_add_str(&message->memory, str_from(text, header_size + 1));
	return keep_added(&keep, from, err) && keep_end(&keep, err);
}

/* A notification while it is made. */
struct notice {
	enum dsn_action action;
	const char *to;          /* whom it is sent to; NULL: kept here */
	struct message message;
	struct buf message_id;
};

static bool
make_notice(struct notice *notice, const struct bounce_context *context, const struct entry *entry, struct err *err)
{
	const struct account *account = context->account;
	struct buf text = {0}, name = {0}, mailbox = {0}, unique = {0};
	struct dsn dsn = {.action = notice->action, .envelope = &entry->envelope, .message = &entry->message,
	                  .message_id = entry->message_id, .queue_id = entry->id, .reporting_host = host_of(account),
	                  .id_domain = host_of(account), .arrival = entry->created, .now = context->now};
	bool is_well;

	buf_printf(&name, PACKAGE_NAME " on %s", host_of(account));
	buf_printf(&mailbox, "MAILER-DAEMON@%s", host_of(account));
	buf_printf(&unique, "%s%c", entry->id, notice->action == DSN_FAILED ? 'F' : 'D');
	dsn.from_name = buf_text(&name);
	dsn.from_mailbox = buf_text(&mailbox);
	dsn.unique = buf_text(&unique);
	dsn.to_mailbox = notice->to != NULL ? notice->to : entry->envelope.reverse_path;
	dsn.tried = context->tried != 0 ? context->tried : entry->tried;
	dsn.retry_until = account->queue_lifetime > 0 ? entry->created + (time_t)account->queue_lifetime : 0;
	dsn_add_message_id(&notice->message_id, &dsn);
	is_well = dsn_add(&text, &dsn, err) && make_message(&notice->message, buf_str(&text), err);
	buf_free(&text);
	buf_free(&name);
	buf_free(&mailbox);
	buf_free(&unique);
	return is_well;
}

/* With direct delivery it goes another way than the message did. */
static void
add_route(struct buf *route, const struct bounce_context *context, const char *to, struct tls_wish wish)
{
	struct buf destination = {0};

	buf_add_str(route, context->route);
	if (context->account->delivery != DELIVER_DIRECT)
		return;
	destination_add(&destination, to);
	destination_add_route(route, buf_text(&destination), wish);
	buf_free(&destination);
}

static bool
queue_notice(struct bounce_context *context, const struct entry *entry, const struct notice *notice, struct err *err)
{
	struct envelope envelope = {.reverse_path = mem_copy_string(""), .requires_tls = entry->envelope.requires_tls};
	struct buf route = {0};
	struct entry_content content = {.origin = &entry->origin, .envelope = &envelope,
	                                .message = &notice->message, .message_id = buf_text(&notice->message_id),
	                                .created = context->now, .next = context->now, .folder = SPOOL_QUEUE};
	struct entry made = {0};
	bool is_well;

	envelope_add(&envelope, notice->to);
	/* Nobody is told of what becomes of it (RFC 3461 6.2). */
	envelope.recipients[0].notify = NOTIFY_NEVER;
	add_route(&route, context, notice->to, destination_wish(&envelope, &notice->message));
	content.route = buf_str(&route);
	is_well = entry_create(&made, context->spool, &content, err);
	if (is_well) {
		memcpy(context->id, made.id, sizeof(context->id));
		context->way = BOUNCE_QUEUED;
	}
	entry_free(&made);
	envelope_free(&envelope);
	buf_free(&route);
	return is_well;
}

static bool
notify(struct bounce_context *context, const struct entry *entry, enum dsn_action action, struct err *err)
{
	struct notice notice = {.action = action, .to = addressee(context, entry, action)};
	char name[ID_LENGTH + 16];
	bool is_well = make_notice(&notice, context, entry, err);

	snprintf(name, sizeof(name), "%s.%s", entry->id, action == DSN_FAILED ? "dsn" : "delayed");
	if (is_well)
		is_well = notice.to != NULL ? queue_notice(context, entry, &notice, err)
		                            : keep_message(context, entry, name, &notice.message, err);
	message_free(&notice.message);
	buf_free(&notice.message_id);
	return is_well;
}

/* What has to be done about an entry that nobody, or nobody yet, took. */
static bool
tell(struct bounce_context *context, const struct entry *entry, enum dsn_action action, struct err *err)
{
	char name[ID_LENGTH + 16];
	bool has_no_sender = entry->envelope.reverse_path[0] == '\0';

	if (has_no_sender && (action != DSN_FAILED || !dsn_is_own(entry->message_id)))
		return true;
	if (!has_no_sender && !dsn_is_wanted(&entry->envelope, action))
		return true;
	/* Late mail must not use up what failures need. */
	if (consult_counter(context, false) >= (action == DSN_FAILED ? BOUNCE_HOURLY_MOST : BOUNCE_HOURLY_MOST / 2)) {
		context->way = BOUNCE_LIMITED;
		return true;
	}
	if (has_no_sender) {
		snprintf(name, sizeof(name), "%s.dsn", entry->id);
		if (!keep_message(context, entry, name, &entry->message, err))
			return false;
	} else if (!notify(context, entry, action, err)) {
		return false;
	}
	/* After it is done, so that trouble with the disk does not use up what is allowed. */
	consult_counter(context, true);
	return true;
}

bool
bounce_failed(struct bounce_context *context, struct entry *entry, struct err *err)
{
	context->way = BOUNCE_NONE;
	if ((entry->flags & ENTRY_BOUNCED) != 0)
		return true;
	return tell(context, entry, DSN_FAILED, err) && entry_set_flags(entry, entry->flags | ENTRY_BOUNCED, err);
}

bool
bounce_delayed(struct bounce_context *context, struct entry *entry, struct err *err)
{
	context->way = BOUNCE_NONE;
	if ((entry->flags & ENTRY_DELAY_TOLD) != 0)
		return true;
	return tell(context, entry, DSN_DELAYED, err) && entry_set_flags(entry, entry->flags | ENTRY_DELAY_TOLD, err);
}

size_t
bounce_count(struct spool *spool)
{
	return spool_count(spool, SPOOL_BOUNCES_NEW);
}
