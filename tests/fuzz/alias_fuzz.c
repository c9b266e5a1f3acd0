/* alias_fuzz - whatever the file: every target is safe, expanding ends, gives safe mailboxes only, each once, and loses no
 * recipient altogether. */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "mail/alias.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const local_domains[] = {"localhost", NULL};

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

static void
check_table(const struct alias_table *table)
{
	for (size_t i = 0; i < table->n_entries; i++) {
		demand(address_is_safe(table->entries[i].name) && table->entries[i].n_targets > 0);
		for (size_t k = 0; k < table->entries[i].n_targets; k++) {
			const struct alias_target *target = &table->entries[i].targets[k];

			demand(target->line >= table->entries[i].line);
			demand(target->kind == ALIAS_REFUSED ? !str_has_control(str_of(target->text))
			                                     : address_is_safe(target->text));
		}
	}
}

static void
check_expansion(const struct alias_table *table, const struct alias_rules *rules, struct envelope *envelope)
{
	struct alias_notes notes = {0};
	struct err err = {0};
	size_t n_before = envelope->n_recipients;

	if (!alias_expand(table, rules, envelope, &notes, &err))
		demand(err.exit_code == EX_CONFIG && envelope->n_recipients == n_before);
	demand(n_before == 0 || envelope->n_recipients > 0);
	for (size_t i = 0; i < envelope->n_recipients; i++) {
		demand(address_is_safe(envelope->recipients[i].mailbox));
		for (size_t k = 0; k < i && i < 50; k++)
			demand(!address_equals(envelope->recipients[i].mailbox, envelope->recipients[k].mailbox));
	}
	alias_notes_free(&notes);
	err_clear(&err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct alias_rules rules = {.local_domains = local_domains, .domain = "x.example"};
	struct alias_table table = {0};
	struct envelope envelope = {0};
	struct err err = {0};

	if (alias_parse(&table, "f", str_make((const char *)data, size), &err)) {
		envelope_add(&envelope, "root");
		envelope_add(&envelope, "a@localhost");
		for (size_t i = 0; i < table.n_entries && i < 100; i++)
			envelope_add(&envelope, table.entries[i].name);
		check_expansion(&table, &rules, &envelope);
		err_clear(&err);
		alias_check(&table, &rules, &err);
	} else {
		demand(err.exit_code == EX_CONFIG && !str_has_control(buf_str(&err.text)));
	}
	check_table(&table);
	envelope_free(&envelope);
	alias_table_free(&table);
	err_clear(&err);
	return 0;
}
