/* qualify_fuzz.c - a field with qualified addresses holds the same addresses, each with a domain, and nothing else changed. */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "mail/qualify.h"
#include "mail/word.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_forgotten(const struct address *address, struct str body)
{
	return word_is_encoded(str_first(str_from(body, address->offset), address->length));
}

/* Are all bytes of `before` in `after`, in their order, and nothing else but n times `inserted`? */
static void
check_bytes(struct str before, struct str after, struct str inserted, size_t n)
{
	size_t i = 0;

	must(after.size == before.size + n * inserted.size);
	for (size_t k = 0; k < after.size; k++)
		if (i < before.size && after.data[k] == before.data[i])
			i++;
	must(i == before.size);
}

static void
check(struct str body, struct str qualified)
{
	struct address_list before = {0}, after = {0};
	struct err err = {0};
	size_t n = 0;

	must(address_parse_list(body, false, &before, &err) && address_parse_list(qualified, false, &after, &err));
	must(before.n_items == after.n_items);
	for (size_t i = 0; i < before.n_items; i++) {
		if (address_domain(&before.items[i]) == NULL && !is_forgotten(&before.items[i], body)) {
			address_qualify(&before.items[i], "d.example");
			n++;
		}
		must(strcmp(before.items[i].mailbox, after.items[i].mailbox) == 0);
		must((before.items[i].display_name == NULL) == (after.items[i].display_name == NULL));
		must(before.items[i].display_name == NULL ||
		     strcmp(before.items[i].display_name, after.items[i].display_name) == 0);
	}
	address_list_free(&before);
	address_list_free(&after);
	check_bytes(body, qualified, STR("@d.example"), n);
}

/* No address in it needs a domain. */
static void
check_none(struct str body)
{
	struct address_list list = {0};
	struct err err = {0};

	if (address_parse_list(body, false, &list, &err))
		for (size_t i = 0; i < list.n_items; i++)
			must(address_domain(&list.items[i]) != NULL || is_forgotten(&list.items[i], body));
	address_list_free(&list);
	err_clear(&err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str body = str_make((const char *)data, size);
	struct buf qualified = {0}, again = {0};

	if (qualify_add(&qualified, body, "d.example")) {
		check(body, buf_str(&qualified));
		must(!qualify_add(&again, buf_str(&qualified), "d.example"));
	} else {
		must(qualified.size == 0);
		check_none(body);
	}
	buf_free(&qualified);
	buf_free(&again);
	return 0;
}
