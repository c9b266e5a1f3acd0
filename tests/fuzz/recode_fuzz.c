/* recode_fuzz.c - a header section in ASCII has the same fields, each of which decodes to what it was. */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/decode_words.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/recode.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unstructured text with encoded-words of ours already in it would be decoded as well. */
static void
check_text(const struct header_field *before, const struct header_field *after)
{
	struct buf decoded = {0}, unfolded = {0};

	if (memmem(before->body.data, before->body.size, "=?", 2) == NULL) {
		for (size_t i = 0; i < before->body.size; i++)
			if (before->body.data[i] != '\n')
				buf_add_char(&unfolded, before->body.data[i]);
		must(words_decode(after->body, &decoded));
		/* A blank may come in front of a first word that had none. */
		must(str_equals(str_trim(buf_str(&decoded)), str_trim(buf_str(&unfolded))));
	}
	must(!str_has_8bit(after->body));
	buf_free(&decoded);
	buf_free(&unfolded);
}

static void
check_addresses(const struct header_field *before, const struct header_field *after)
{
	struct address_list old = {0}, new = {0};
	struct err err = {0};

	must(address_parse_list(before->body, false, &old, &err) && address_parse_list(after->body, false, &new, &err));
	must(old.n_items == new.n_items);
	for (size_t i = 0; i < old.n_items; i++)
		must(strcmp(old.items[i].mailbox, new.items[i].mailbox) == 0 &&
		     (old.items[i].display_name == NULL) == (new.items[i].display_name == NULL));
	address_list_free(&old);
	address_list_free(&new);
}

static void
check(struct str section, struct str recoded)
{
	struct header_field before = {0}, after = {0};

	while (header_next(&section, &before)) {
		must(header_next(&recoded, &after) && str_equals(before.name, after.name));
		if (str_equals(before.whole, after.whole))
			continue;
		must(str_has_8bit(before.body) && str_is_utf8(before.body));
		if (header_has_addresses(&before))
			check_addresses(&before, &after);
		else
			check_text(&before, &after);
	}
	must(str_equals(section, recoded));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str section = str_make((const char *)data, size);
	struct buf recoded = {0}, again = {0};
	bool is_changed;

	/* The kept form has neither. */
	if (size > 0 && (memchr(data, '\r', size) != NULL || memchr(data, '\0', size) != NULL))
		return 0;
	is_changed = recode_section(&recoded, section);
	must(is_changed != str_equals(buf_str(&recoded), section));
	check(section, buf_str(&recoded));
	must(!recode_section(&again, buf_str(&recoded)));
	buf_free(&recoded);
	buf_free(&again);
	return 0;
}
