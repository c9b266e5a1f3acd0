/* manage.c - entries of the queue put on hold, released, tried again or removed. Changes the queue.
 *
 * Each entry is locked before anything is done to it, so nobody can be sending it. Each change is one rename or one unlink:
 * whenever the program is killed, an entry is where it was or where it should be. */

#include "config.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "cmd/manage.h"
#include "cmd/place.h"
#include "cmd/talk.h"
#include "cmd/walk.h"
#include "queue/entry.h"
#include "queue/hint.h"

enum { PATIENCE_SECONDS = 2, POLL_MS = 20 };

struct management {
	const struct call *call;
	struct spool *spool;
	const struct action *action;
	int64_t deadline;  /* of all waiting for locks; 0: nothing was waited for yet */
	unsigned unsynced; /* folders from which entries were removed: bits */
	int exit_code;
};

struct action {
	enum request_mode mode;
	unsigned folders; /* that "all" means: bits of walk.h */
	bool (*act)(struct management *management, struct entry *entry, struct err *err);
};

static void
note_exit(struct management *management, int exit_code)
{
	management->exit_code = outcome_worse_exit(management->exit_code, exit_code);
}

/* Tell err and empty it. */
static void
tell(struct management *management, struct err *err)
{
	note_exit(management, err->exit_code);
	talk_error(management->call->program, err);
	err_clear(err);
}

/* --- what is done to one entry -------------------------------------------------------------------------------------- */

static bool
hold(struct management *management, struct entry *entry, struct err *err)
{
	if (entry->folder == SPOOL_HOLD)
		return true;
	if (entry->folder == SPOOL_FAILED)
		return err_set(err, EX_USAGE, "%s has failed and will not be tried again", entry->id);
	return entry_move(entry, management->spool, SPOOL_HOLD, err);
}

/* The time comes first: as soon as it is in queue/ it is due. */
static bool
make_due(struct management *management, struct entry *entry, struct err *err)
{
	return entry_defer(entry, time(NULL), err) &&
	       (entry->folder == SPOOL_QUEUE || entry_move(entry, management->spool, SPOOL_QUEUE, err));
}

static bool
release(struct management *management, struct entry *entry, struct err *err)
{
	if (entry->folder == SPOOL_QUEUE)
		return true;
	if (entry->folder == SPOOL_HOLD)
		return make_due(management, entry, err);
	err_set(err, EX_USAGE, "%s has failed, it is not on hold", entry->id);
	return err_hint(err, "'mailcrane --retry=%s' tries it again", entry->id);
}

static bool
retry(struct management *management, struct entry *entry, struct err *err)
{
	if (entry->folder == SPOOL_HOLD) {
		err_set(err, EX_USAGE, "%s is on hold", entry->id);
		return err_hint(err, "'mailcrane --release=%s' ends that", entry->id);
	}
	if (entry->folder == SPOOL_FAILED && !entry_make_fresh(entry, time(NULL), err))
		return false;
	return make_due(management, entry, err);
}

static size_t
count_uncertain(const struct envelope *envelope)
{
	size_t n = 0;

	for (size_t i = 0; i < envelope->n_recipients; i++) {
		const struct outcome *outcome = &envelope->recipients[i].outcome;

		n += outcome->may_be_duplicate && outcome->state != OUTCOME_DELIVERED &&
		     outcome->state != OUTCOME_FAILED;
	}
	return n;
}

static bool
remove_entry(struct management *management, struct entry *entry, struct err *err)
{
	size_t n_uncertain = count_uncertain(&entry->envelope);
	enum spool_folder folder = entry->folder;

	if (!entry_remove(entry, management->spool, err))
		return false;
	management->unsynced |= 1U << folder;
	if (n_uncertain > 0) {
		struct buf text = {0};

		buf_printf(&text, "%s may have been delivered to %zu recipient%s: it went out once, and no answer came",
		           entry->id, n_uncertain, n_uncertain == 1 ? "" : "s");
		talk_warning(management->call->program, buf_text(&text));
		buf_free(&text);
	}
	return true;
}

static const struct action actions[] = {{MODE_HOLD, WALK_QUEUE, hold},
                                        {MODE_RELEASE, WALK_HOLD, release},
                                        {MODE_RETRY, WALK_QUEUE | WALK_FAILED, retry},
                                        {MODE_REMOVE, WALK_ALL, remove_entry}};

/* --- entries -------------------------------------------------------------------------------------------------------- */

/* False: there is no time left to wait in. */
static bool
wait_a_little(struct management *management)
{
	struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};

	if (management->deadline == 0)
		management->deadline = clock_deadline(PATIENCE_SECONDS);
	if (clock_now() >= management->deadline)
		return false;
	nanosleep(&pause, NULL);
	return true;
}

/* Open it, wherever whoever works on it moves it meanwhile. False: err says why; or it is empty, and the entry is gone. */
static bool
open_entry(struct management *management, struct entry *entry, enum spool_folder folder, const char *name,
           struct err *err)
{
	char now_at[SPOOL_NAME_SIZE] = "";
	struct str id;
	struct str tag;

	memcpy(now_at, name, strnlen(name, sizeof(now_at) - 1));
	if (!id_split(str_of(name), &id, &tag))
		return err_set(err, EX_USAGE, "%s is no entry's name", name);
	for (;;) {
		switch (entry_open(entry, management->spool, folder, now_at, err)) {
		case ENTRY_OPENED:
			return true;
		case ENTRY_BAD:
		case ENTRY_REFUSED:
			return false;
		case ENTRY_GONE:
			if (!spool_find(management->spool, id, &folder, now_at))
				return false;
			break;
		case ENTRY_BUSY:
			break;
		}
		entry_free(entry);
		*entry = (struct entry){0};
		err_clear(err);
		if (!wait_a_little(management))
			return err_set(err, EX_TEMPFAIL, "%.*s is being delivered just now, try again", STR_ARG(id));
	}
}

/* One of those that "all" means: that it is gone meanwhile, or has gone elsewhere, is no one's fault. */
static void
manage_one_of_all(void *context, enum spool_folder folder, const char *name)
{
	struct management *management = context;
	struct entry entry = {0};
	struct err err = {0};

	if (open_entry(management, &entry, folder, name, &err) &&
	    (management->action->folders & (1U << entry.folder)) != 0)
		management->action->act(management, &entry, &err);
	if (err_is_set(&err))
		tell(management, &err);
	entry_free(&entry);
	err_clear(&err);
}

static void
manage_entry(struct management *management, const char *target)
{
	enum spool_folder folder = SPOOL_QUEUE;
	char name[SPOOL_NAME_SIZE] = "";
	struct entry entry = {0};
	struct err err = {0};

	if (walk_find(management->spool, target, &folder, name, &err)) {
		if (open_entry(management, &entry, folder, name, &err))
			management->action->act(management, &entry, &err);
		else if (!err_is_set(&err))
			err_set(&err, EX_NOINPUT, "no entry %s in the queue any more", target);
	}
	if (err_is_set(&err))
		tell(management, &err);
	entry_free(&entry);
	err_clear(&err);
}

/* --- accounts ------------------------------------------------------------------------------------------------------- */

/* The tags of the routes to release, one behind the other. */
struct release {
	struct str account; /* empty: every one */
	struct buf tags;
};

static bool
collect_route(void *context, const char *tag, const struct hint *hint)
{
	struct release *release = context;
	struct str account = str_first(release->account, sizeof(hint->account) - 1);

	if (account.size == 0 || str_equals(account, str_of(hint->account)))
		buf_add(&release->tags, tag, TAG_LENGTH);
	return true;
}

/* Routes of the account may be tried at once. Returns how many there were. */
static size_t
release_routes(struct management *management, struct str account)
{
	struct release release = {.account = account};
	const struct hint well = {0};
	size_t n;

	if (!management->spool->is_open)
		return 0;
	hint_each(management->spool, collect_route, &release);
	n = release.tags.size / TAG_LENGTH;
	for (size_t i = 0; i < n; i++) {
		struct str tag = str_make(release.tags.data + i * TAG_LENGTH, TAG_LENGTH);
		struct err err = {0};

		if (!hint_write(management->spool, tag, &well)) {
			err_set(&err, EX_IOERR, "route %.*s cannot be released in %s", STR_ARG(tag),
			        management->spool->path);
			tell(management, &err);
		}
	}
	buf_free(&release.tags);
	return n;
}

static bool
is_account(const struct call *call, const char *target)
{
	for (size_t i = 0; i < call->config.n_accounts; i++)
		if (strcmp(call->config.accounts[i].id, target) == 0)
			return true;
	return false;
}

/* --- the whole ------------------------------------------------------------------------------------------------------ */

static void
manage_all(struct management *management)
{
	struct walk_visitor visitor = {.visit = manage_one_of_all, .context = management};
	struct err err = {0};

	if (!walk_entries(management->spool, management->action->folders, &visitor, &err))
		tell(management, &err);
	if (management->action->mode == MODE_RELEASE)
		release_routes(management, str_of(""));
}

static void
manage_target(struct management *management, const char *target)
{
	bool may_be_account = management->action->mode == MODE_RELEASE && target[0] != '\0';

	if (strcmp(target, "all") == 0)
		manage_all(management);
	else if (!may_be_account ||
	         (release_routes(management, str_of(target)) == 0 && !is_account(management->call, target)))
		manage_entry(management, target);
}

static void
sync_folders(struct management *management)
{
	for (unsigned folder = 0; folder < N_SPOOL_FOLDERS; folder++) {
		struct err err = {0};

		if ((management->unsynced & (1U << folder)) != 0 && !spool_sync(management->spool, folder, &err))
			tell(management, &err);
		err_clear(&err);
	}
}

static const struct action *
action_of(enum request_mode mode)
{
	for (size_t i = 1; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (actions[i].mode == mode)
			return &actions[i];
	return &actions[0];
}

int
manage_run(struct call *call)
{
	struct spool spool = {0};
	struct err err = {0};
	struct management management = {.call = call, .spool = &spool, .action = action_of(call->request.mode)};

	if (place_open(call, &spool, false, &err)) {
		manage_target(&management, call->request.target);
		for (size_t i = 0; i < call->request.n_operands; i++)
			manage_target(&management, call->request.operands[i]);
		sync_folders(&management);
	} else
		tell(&management, &err);
	talk_problems(call->program, buf_str(&spool.warnings));
	err_clear(&err);
	spool_free(&spool);
	return management.exit_code;
}
