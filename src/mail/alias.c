/* alias.c - looks up and expands local names. Pure. The text of the file is read in mail/aliasfile.c. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mail/address.h"
#include "mail/alias.h"
#include "mail/aliasfile.h"
#include "mail/mailbox.h"

enum { DEPTH_MOST = 64 };

/* How far an entry is expanded. */
enum mark {
	MARK_NONE,
	MARK_OPEN, /* its targets are being looked at: meeting it again is a loop */
	MARK_DONE
};

/* One expansion of one envelope. */
struct expansion {
	const struct alias_table *table;
	const struct alias_rules *rules;
	struct alias_notes *notes; /* NULL: nobody wants them */
	struct envelope result;
	const struct recipient *origin; /* the recipient that is being replaced */
	enum mark *marks;          /* one for each entry */
	struct err *err;
};

/* The entry `name` itself, or NULL. */
static const struct alias_entry *
find_entry(const struct alias_table *table, struct str name)
{
	const struct alias_entry *found = NULL;
	size_t low = 0, high = table->n_entries;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (aliasfile_compare_nocase(str_of(table->entries[middle].name), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < table->n_entries && str_equals_nocase(str_of(table->entries[low].name), name); low++) {
		if (str_equals(str_of(table->entries[low].name), name))
			return &table->entries[low];
		if (found == NULL)
			found = &table->entries[low];
	}
	return found;
}

static const struct alias_entry *
find_default(const struct alias_table *table)
{
	const struct alias_entry *entry = find_entry(table, STR("default"));

	return entry != NULL ? entry : find_entry(table, STR("*"));
}

static bool
is_local(const struct alias_rules *rules, const char *mailbox)
{
	struct str text = str_of(mailbox);
	size_t local_size = mailbox_local_size(text);

	if (local_size == text.size)
		return true;
	for (size_t i = 0; rules->local_domains != NULL && rules->local_domains[i] != NULL; i++)
		if (str_equals_nocase(str_from(text, local_size + 1), str_of(rules->local_domains[i])))
			return true;
	return false;
}

/* A copy, with the rules' domain when it has none. */
static char *
qualify(const struct alias_rules *rules, const char *mailbox)
{
	struct address address = {.mailbox = mem_copy_string(mailbox)};

	address.local_size = mailbox_local_size(str_of(mailbox));
	if (rules->domain != NULL)
		address_qualify(&address, rules->domain);
	return address.mailbox;
}

/* Add a mailbox that is not looked up any further. */
static void
add_final(struct expansion *x, const char *mailbox, bool is_replaced)
{
	char *qualified = qualify(x->rules, mailbox);

	if (x->origin != NULL && envelope_add(&x->result, qualified)) {
		struct recipient *recipient = &x->result.recipients[x->result.n_recipients - 1];

		recipient->notify = x->origin->notify;
		recipient->outcome = x->origin->outcome;
		if (x->origin->original != NULL)
			recipient->original = mem_copy_string(x->origin->original);
		else if (is_replaced)
			recipient->original = qualify(x->rules, x->origin->mailbox);
	}
	free(qualified);
}

static bool
has_usable_target(const struct alias_entry *entry)
{
	for (size_t i = 0; i < entry->n_targets; i++)
		if (entry->targets[i].kind != ALIAS_REFUSED)
			return true;
	return false;
}

static bool visit(struct expansion *x, const struct alias_entry *entry, bool has_default, size_t depth);

/* Add mailbox, or what stands for it. has_default: unknown names may still become the default's targets. */
static bool
resolve(struct expansion *x, const char *mailbox, bool has_default, size_t depth)
{
	struct str text = str_of(mailbox);
	const struct alias_entry *entry = NULL;
	bool is_default = false;

	if (is_local(x->rules, mailbox))
		entry = find_entry(x->table, str_first(text, mailbox_local_size(text)));
	/* A qualified mailbox may exist at the relay although no alias has its name. */
	if (entry == NULL && has_default && mailbox_local_size(text) == text.size) {
		entry = find_default(x->table);
		is_default = true;
	}
	if (entry == NULL) {
		add_final(x, mailbox, depth > 0);
		return true;
	}
	if (!has_usable_target(entry))
		add_final(x, mailbox, depth > 0);
	return visit(x, entry, has_default && !is_default, depth + 1);
}

static bool
visit(struct expansion *x, const struct alias_entry *entry, bool has_default, size_t depth)
{
	enum mark *mark = &x->marks[entry - x->table->entries];

	if (*mark == MARK_DONE)
		return true;
	if (*mark == MARK_OPEN) {
		err_set(x->err, EX_CONFIG, "%s:%zu: alias '%s' leads back to itself", x->table->path, entry->line, entry->name);
		return err_hint(x->err, "write \\%s for the mailbox itself", entry->name);
	}
	if (depth > DEPTH_MOST)
		return err_set(x->err, EX_CONFIG, "%s:%zu: alias '%s': names are nested more than %d deep", x->table->path,
		               entry->line, entry->name, DEPTH_MOST);
	*mark = MARK_OPEN;
	for (size_t i = 0; i < entry->n_targets; i++) {
		const struct alias_target *target = &entry->targets[i];

		if (target->kind == ALIAS_REFUSED) {
			if (x->notes != NULL)
				aliasfile_note_refused(x->notes, x->table->path, target);
		} else if (target->kind == ALIAS_FINAL) {
			add_final(x, target->text, true);
		} else if (!resolve(x, target->text, has_default, depth)) {
			return false;
		}
	}
	*mark = MARK_DONE;
	return true;
}

bool
alias_concerns(const struct alias_rules *rules, const struct envelope *envelope)
{
	for (size_t i = 0; i < envelope->n_recipients; i++)
		if (is_local(rules, envelope->recipients[i].mailbox))
			return true;
	return false;
}

bool
alias_expand(const struct alias_table *table, const struct alias_rules *rules, struct envelope *envelope,
             struct alias_notes *notes, struct err *err)
{
	struct expansion x = {.table = table, .rules = rules, .notes = notes, .err = err};
	bool went_well = true;

	x.marks = mem_alloc(table->n_entries, sizeof(*x.marks));
	for (size_t i = 0; went_well && i < envelope->n_recipients; i++) {
		x.origin = &envelope->recipients[i];
		went_well = resolve(&x, x.origin->mailbox, true, 0);
	}
	free(x.marks);
	if (went_well) {
		struct envelope old = {
			.recipients = envelope->recipients, .n_recipients = envelope->n_recipients, .slots = envelope->slots};

		envelope->recipients = x.result.recipients;
		envelope->n_recipients = x.result.n_recipients;
		envelope->slots = x.result.slots;
		envelope->n_slots = x.result.n_slots;
		envelope->n_indexed = x.result.n_indexed;
		x.result = old;
	}
	envelope_free(&x.result);
	return went_well;
}

bool
alias_check(const struct alias_table *table, const struct alias_rules *rules, struct err *err)
{
	struct expansion x = {.table = table, .rules = rules, .err = err};
	bool went_well = true;

	x.marks = mem_alloc(table->n_entries, sizeof(*x.marks));
	for (size_t i = 0; went_well && i < table->n_entries; i++)
		went_well = visit(&x, &table->entries[i], &table->entries[i] != find_default(table), 1);
	free(x.marks);
	return went_well;
}

void
alias_table_free(struct alias_table *table)
{
	for (size_t i = 0; i < table->n_entries; i++)
		aliasfile_entry_free(&table->entries[i]);
	free(table->entries);
	free(table->path);
	alias_notes_free(&table->notes);
	*table = (struct alias_table){0};
}

void
alias_notes_free(struct alias_notes *notes)
{
	for (size_t i = 0; i < notes->n_items; i++)
		free(notes->items[i]);
	free(notes->items);
	*notes = (struct alias_notes){0};
}
