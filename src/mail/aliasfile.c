/* aliasfile.c - reads the text of an aliases file. Pure. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mail/address.h"
#include "mail/aliasfile.h"
#include "mail/mailbox.h"

/* Walks over the text of an entry and knows what is quoted. */
struct scan {
	struct str text;
	size_t at;
	size_t depth; /* of comments in parentheses */
	bool is_quoted;
};

int
aliasfile_compare_nocase(struct str a, struct str b)
{
	size_t least = a.size < b.size ? a.size : b.size;

	for (size_t i = 0; i < least; i++) {
		int difference = (unsigned char)ascii_lower(a.data[i]) - (unsigned char)ascii_lower(b.data[i]);

		if (difference != 0)
			return difference;
	}
	return (a.size > b.size) - (a.size < b.size);
}

static int
compare_entries(const void *left, const void *right)
{
	const struct alias_entry *a = left, *b = right;
	int order = aliasfile_compare_nocase(str_of(a->name), str_of(b->name));

	if (order == 0)
		order = strcmp(a->name, b->name);
	return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

static void
add_note(struct alias_notes *notes, struct buf *text)
{
	notes->items = mem_resize(notes->items, notes->n_items + 1, sizeof(*notes->items));
	notes->items[notes->n_items++] = buf_take(text);
}

void
aliasfile_note_refused(struct alias_notes *notes, const char *path, const struct alias_target *target)
{
	const char *text = target->text + strspn(target->text, "\" ");
	struct buf note = {0};

	buf_printf(&note, "%s:%zu: '%s' is left out: %s", path, target->line, target->text,
	           text[0] == '|'   ? "commands are never run"
	           : text[0] == '/' ? "files are never written to"
	                            : "files are never included");
	add_note(notes, &note);
}

void
aliasfile_entry_free(struct alias_entry *entry)
{
	for (size_t i = 0; i < entry->n_targets; i++)
		free(entry->targets[i].text);
	free(entry->targets);
	free(entry->name);
	*entry = (struct alias_entry){0};
}

/* Take one character. Returns it when it stands outside quotes and comments, and is not escaped; else 0. */
static char
scan_next(struct scan *scan)
{
	char c = scan->text.data[scan->at++];

	if (c == '\\' && scan->at < scan->text.size && scan->text.data[scan->at] != '\n') {
		scan->at++;
		return '\0';
	}
	if (scan->is_quoted || (c == '"' && scan->depth == 0)) {
		if (c == '"')
			scan->is_quoted = !scan->is_quoted;
		return '\0';
	}
	if (c == '(' || (c == ')' && scan->depth > 0)) {
		scan->depth += c == '(' ? 1 : (size_t)-1;
		return '\0';
	}
	return scan->depth > 0 ? '\0' : c;
}

/* Where the first `sign` outside quotes and comments is, or the end. */
static size_t
find_outside(struct str text, char sign)
{
	struct scan scan = {.text = text};

	while (scan.at < text.size)
		if (scan_next(&scan) == sign)
			return scan.at - 1;
	return text.size;
}

/* Append a line without its comment: a '#' at its start, or behind a blank, comma or colon. */
static void
add_uncommented(struct buf *b, struct str line)
{
	struct scan scan = {.text = line};

	while (scan.at < line.size) {
		size_t at = scan.at;

		if (scan_next(&scan) == '#' && (at == 0 || strchr(" \t,:", line.data[at - 1]) != NULL)) {
			line = str_first(line, at);
			break;
		}
	}
	buf_add_str(b, line);
}

static size_t
count_lines(struct str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.size; i++)
		n += text.data[i] == '\n';
	return n;
}

static bool
is_refused(struct str text)
{
	if (text.size > 0 && text.data[0] == '"')
		text = str_trim(str_from(text, 1));
	return text.size > 0 && (text.data[0] == '|' || text.data[0] == '/' || str_starts_with_nocase(text, STR(":include:")));
}

/* Read text as one mailbox. False: EX_CONFIG. */
static bool
read_mailbox(struct str text, struct address *address, struct err *err)
{
	struct address_list list = {0};
	bool went_well = address_parse_list(text, false, &list, err);

	if (went_well && list.n_items != 1)
		went_well = err_set(err, EX_CONFIG, "one address is expected");
	if (went_well) {
		*address = list.items[0];
		list.n_items = 0;
	} else {
		err->exit_code = EX_CONFIG;
	}
	address_list_free(&list);
	return went_well;
}

static void
keep_target(struct alias_entry *entry, struct alias_target target)
{
	entry->targets = mem_resize(entry->targets, entry->n_targets + 1, sizeof(*entry->targets));
	entry->targets[entry->n_targets++] = target;
}

static void
keep_refused(struct alias_entry *entry, struct str text, size_t line)
{
	struct alias_target target = {.kind = ALIAS_REFUSED, .line = line};
	struct buf shown = {0};

	err_add_clean(&shown, text);
	target.text = buf_take(&shown);
	keep_target(entry, target);
}

/* Read one target, which may have line ends in it. */
static bool
read_target(struct alias_entry *entry, struct str text, size_t line, struct err *err)
{
	struct alias_target target = {.line = line};
	struct address address = {0};

	if (is_refused(text)) {
		keep_refused(entry, text, line);
		return true;
	}
	if (text.data[0] == '\\') {
		target.kind = ALIAS_FINAL;
		text = str_from(text, 1);
	}
	if (!read_mailbox(text, &address, err))
		return false;
	/* Behind a comment, a name or the backslash. */
	if (is_refused(str_of(address.mailbox))) {
		keep_refused(entry, str_of(address.mailbox), line);
		address_free(&address);
		return true;
	}
	target.text = address.mailbox;
	free(address.display_name);
	keep_target(entry, target);
	return true;
}

/* Read what stands behind the colon; line is that of its first byte. */
static bool
read_targets(struct alias_entry *entry, const char *path, struct str text, size_t line, struct err *err)
{
	while (text.size > 0) {
		size_t end = find_outside(text, ',');
		struct str part = str_first(text, end);
		struct str target = str_trim(part);

		if (target.size > 0) {
			size_t target_line = line + count_lines(str_first(part, (size_t)(target.data - part.data)));

			if (!read_target(entry, target, target_line, err))
				return err_prefix(err, "%s:%zu: alias '%s'", path, target_line, entry->name);
		}
		line += count_lines(part);
		text = str_from(text, end + 1);
	}
	if (entry->n_targets == 0)
		return err_set(err, EX_CONFIG, "%s:%zu: alias '%s': an address is expected behind the ':'", path, entry->line,
		               entry->name);
	return true;
}

/* Read "name: target, ..."; folding in it is a line end followed by a blank. */
static bool
read_entry(struct alias_table *table, struct str text, size_t line, struct err *err)
{
	size_t colon = find_outside(text, ':');
	struct alias_entry entry = {.line = line};
	struct address name = {0};

	if (colon == text.size)
		return err_set(err, EX_CONFIG, "%s:%zu: 'NAME: ADDRESS, ...' is expected", table->path, line);
	if (!read_mailbox(str_trim(str_first(text, colon)), &name, err))
		return err_prefix(err, "%s:%zu: alias name", table->path, line);
	entry.name = name.mailbox;
	free(name.display_name);
	if (name.mailbox[name.local_size] != '\0') {
		err_set(err, EX_CONFIG, "%s:%zu: alias name '%s': a local name without '@' is expected", table->path, line,
		        entry.name);
		aliasfile_entry_free(&entry);
		return false;
	}
	line += count_lines(str_first(text, colon));
	if (!read_targets(&entry, table->path, str_from(text, colon + 1), line, err)) {
		aliasfile_entry_free(&entry);
		return false;
	}
	if ((table->n_entries & (table->n_entries - 1)) == 0)
		table->entries = mem_resize(table->entries, table->n_entries == 0 ? 1 : table->n_entries * 2,
		                            sizeof(*table->entries));
	table->entries[table->n_entries++] = entry;
	for (size_t i = 0; i < entry.n_targets; i++)
		if (entry.targets[i].kind == ALIAS_REFUSED)
			aliasfile_note_refused(&table->notes, table->path, &entry.targets[i]);
	return true;
}

/* Sort the entries; of those with one name only the first in the file stays. */
static void
sort_entries(struct alias_table *table)
{
	size_t n = 0;

	if (table->n_entries > 0)
		qsort(table->entries, table->n_entries, sizeof(*table->entries), compare_entries);
	for (size_t i = 0; i < table->n_entries; i++) {
		struct alias_entry *entry = &table->entries[i];

		if (n > 0 && strcmp(table->entries[n - 1].name, entry->name) == 0) {
			struct buf note = {0};

			buf_printf(&note, "%s:%zu: alias '%s' is left out: line %zu has it already", table->path, entry->line,
			           entry->name, table->entries[n - 1].line);
			add_note(&table->notes, &note);
			aliasfile_entry_free(entry);
		} else {
			table->entries[n++] = *entry;
		}
	}
	table->n_entries = n;
}

bool
alias_parse(struct alias_table *table, const char *path, struct str text, struct err *err)
{
	struct buf entry = {0}; /* the lines of one entry, without comments */
	struct str line = {0};
	size_t entry_line = 0;
	bool went_well = true;

	table->path = mem_copy_string(path);
	for (size_t number = 1; went_well && str_next_token(&text, '\n', &line); number++) {
		bool is_indented = line.size > 0 && ascii_is_blank(line.data[0]);

		if (line.size > 0 && line.data[line.size - 1] == '\r')
			line.size--;
		if (entry.size > 0 && (is_indented || line.size == 0 || line.data[0] == '#')) {
			/* The blank keeps it folding when the line has nothing but a comment. */
			buf_add_text(&entry, "\n ");
			add_uncommented(&entry, line);
			continue;
		}
		if (entry.size > 0)
			went_well = read_entry(table, buf_str(&entry), entry_line, err);
		buf_clear(&entry);
		add_uncommented(&entry, line);
		if (str_trim(buf_str(&entry)).size == 0)
			buf_clear(&entry);
		entry_line = number;
	}
	if (went_well && entry.size > 0)
		went_well = read_entry(table, buf_str(&entry), entry_line, err);
	buf_free(&entry);
	sort_entries(table);
	return went_well;
}
