/* cargo.c - an entry of the queue on its way through a session. */

#include "config.h"

#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "cmd/cargo.h"
#include "cmd/log.h"
#include "cmd/talk.h"

static bool
has_recipient(const struct envelope *envelope, struct str part)
{
	for (size_t i = 0; i < envelope->n_recipients; i++)
		if (str_contains_nocase(str_of(envelope->recipients[i].mailbox), part))
			return true;
	return false;
}

static bool
matches(const struct request_filter *filter, const struct entry *entry)
{
	struct str part = str_of(filter->text);
	bool is_match = false;

	if (filter->kind == 'I')
		is_match = str_contains_nocase(str_of(entry->id), part);
	else if (filter->kind == 'S')
		is_match = str_contains_nocase(str_of(entry->envelope.reverse_path), part);
	else if (filter->kind == 'R')
		is_match = has_recipient(&entry->envelope, part);
	return is_match != filter->is_negated;
}

/* Where times do not count, nothing tells that another lane has tried an entry already: each has its share of the names. */
static bool
is_for_another_lane(const struct lane *lane, const char *name)
{
	return lane->choice.is_forced && lane->n_lanes > 1 &&
	       (unsigned char)name[ID_LENGTH - 1] % lane->n_lanes != lane->number;
}

/* Somebody else may have tried it between the scan and our lock; and what this run has tried is not tried once more. */
static bool
is_still_wanted(const struct cargo_claim *claim, const struct entry *entry)
{
	const struct lane_choice *choice = &claim->lane->choice;

	for (size_t i = 0; i < choice->n_filters; i++)
		if (!matches(&choice->filters[i], entry))
			return false;
	if ((claim->ignores_time || choice->is_repeated) && entry->tried >= choice->began)
		return false;
	return choice->is_forced || claim->ignores_time || retry_is_due(entry->next, time(NULL));
}

void
cargo_complain(const struct cargo_claim *claim, const char *name, struct err *err)
{
	err_prefix(err, "queue entry %s", name);
	talk_error(claim->lane->program, err);
	log_alert(claim->lane->program, claim->account, buf_text(&err->text));
	err_clear(err);
}

struct cargo *
cargo_of(struct entry *entry)
{
	struct cargo *cargo = mem_alloc(1, sizeof(*cargo));

	cargo->entry = *entry;
	*entry = (struct entry){0};
	settle_lend(&cargo->entry, &cargo->parcel);
	cargo->parcel.name = mem_copy_string(cargo->entry.id);
	cargo->n_claimed = cargo->n_pending = envelope_count(&cargo->parcel.envelope, OUTCOME_PENDING);
	return cargo;
}

struct cargo *
cargo_claim(const struct cargo_claim *claim, const char *name, bool *is_busy)
{
	struct cargo *cargo = NULL;
	struct entry entry = {0};
	struct err err = {0};

	*is_busy = false;
	if (is_for_another_lane(claim->lane, name))
		return NULL;
	switch (entry_open(&entry, claim->lane->spool, SPOOL_QUEUE, name, &err)) {
	case ENTRY_OPENED:
		if (is_still_wanted(claim, &entry))
			cargo = cargo_of(&entry);
		break;
	case ENTRY_BUSY:
		*is_busy = true;
		break;
	case ENTRY_GONE:
		break;
	case ENTRY_BAD:
	case ENTRY_REFUSED:
		cargo_complain(claim, name, &err);
		break;
	}
	err_clear(&err);
	entry_free(&entry);
	return cargo;
}

bool
cargo_is_pending(const struct cargo *cargo)
{
	return envelope_count(&cargo->parcel.envelope, OUTCOME_PENDING) > 0;
}

bool
cargo_has_progressed(struct cargo *cargo)
{
	size_t n_before = cargo->n_pending;

	cargo->n_pending = envelope_count(&cargo->parcel.envelope, OUTCOME_PENDING);
	return cargo->n_pending < n_before;
}

bool
cargo_was_told_to_go(const struct cargo *cargo)
{
	for (size_t i = 0; i < cargo->parcel.envelope.n_recipients; i++)
		if (cargo->parcel.envelope.recipients[i].outcome.reply_code == 421)
			return true;
	return false;
}

bool
cargo_is_doubtful(const struct cargo *cargo)
{
	for (size_t i = 0; i < cargo->parcel.envelope.n_recipients; i++) {
		const struct outcome *outcome = &cargo->parcel.envelope.recipients[i].outcome;

		if (outcome->state == OUTCOME_DEFERRED && outcome->may_be_duplicate && outcome->reply_code == 0 &&
		    cargo->was_sent)
			return true;
	}
	return false;
}

void
cargo_count(const struct cargo *cargo, struct lane_counts *counts)
{
	const struct envelope *envelope = &cargo->entry.envelope;

	if (counts == NULL)
		return;
	if (envelope_count(envelope, OUTCOME_DEFERRED) > 0)
		atomic_fetch_add(&counts->n_put_off, 1);
	else if (envelope_count(envelope, OUTCOME_FAILED) > 0)
		atomic_fetch_add(&counts->n_failed, 1);
	else
		atomic_fetch_add(&counts->n_delivered, 1);
}

void
cargo_append(struct cargo **list, struct cargo *cargo)
{
	while (*list != NULL)
		list = &(*list)->next;
	cargo->next = NULL;
	*list = cargo;
}

struct cargo *
cargo_take_first(struct cargo **list)
{
	struct cargo *cargo = *list;

	if (cargo != NULL)
		*list = cargo->next;
	return cargo;
}

void
cargo_free(struct cargo *cargo)
{
	settle_take_back(&cargo->entry, &cargo->parcel);
	entry_free(&cargo->entry);
	parcel_free(&cargo->parcel);
	free(cargo);
}
