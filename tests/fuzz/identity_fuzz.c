/* identity_fuzz.c - a field in which senders were replaced is still one field with as many mailboxes; those that no rule is about
 * are the same. */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "mail/identity.h"
#include "mail/word.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct identity *identity, struct str before, struct str after)
{
	struct address_list old = {0}, new = {0};
	struct err err = {0};

	must(address_parse_list(before, false, &old, &err) && address_parse_list(after, false, &new, &err));
	must(old.n_items == new.n_items);
	for (size_t i = 0; i < old.n_items; i++) {
		const struct address *address = &old.items[i];
		const char *expected = identity_find(identity, address->mailbox);

		if (expected == NULL || word_is_encoded(str_first(str_from(before, address->offset), address->length)))
			must(strcmp(new.items[i].mailbox, address->mailbox) == 0);
		else
			must(strcmp(new.items[i].mailbox, expected) == 0 && new.items[i].display_name != NULL);
	}
	address_list_free(&old);
	address_list_free(&new);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct identity identity = {.host = "box"};
	struct buf text = {0}, written = {0}, again = {0};
	struct header_field field = {0}, replaced = {0};
	struct str rest;
	struct err err = {0};

	must(identity_parse(&identity, STR("root=ops@example.org *=noreply@example.org"), &err));
	buf_add_text(&text, "From:");
	buf_add(&text, data, size);
	rest = buf_str(&text);
	if (header_next(&rest, &field) && identity_rewrite(&identity, &field, &written)) {
		rest = buf_str(&written);
		must(header_next(&rest, &replaced) && rest.size == 0 && header_is(&replaced, "From"));
		check(&identity, field.body, replaced.body);
		must(!identity_rewrite(&identity, &replaced, &again));
	} else {
		must(written.size == 0);
	}
	must(again.size == 0);
	buf_free(&text);
	buf_free(&written);
	buf_free(&again);
	identity_free(&identity);
	return 0;
}
