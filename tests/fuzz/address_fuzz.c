/* address_fuzz - whatever the text: every mailbox that comes out is safe, has its place in the text, and is read again as the
 * same from the header form. The first byte chooses between header, operand and path. */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

static bool
is_same_name(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Is the name written without encoding, blanks and all? Others come back in another form. */
static bool
is_plain_name(const char *name)
{
	struct str text = str_of(name), rest = text, word = {0};

	if (name == NULL || str_has_8bit(text) || strstr(name, "  ") != NULL)
		return false;
	while (str_next_word(&rest, &word))
		if (word.size > 75)
			return false;
	return text.size == str_trim(text).size;
}

static void
check_header_form(const struct address *address)
{
	struct address_list list = {0};
	struct buf b = {0};
	struct err err = {0};

	address_add_header(&b, address->display_name, address->mailbox);
	for (size_t i = 0; i < b.size; i++)
		demand(!ascii_is_control(b.data[i]) || (b.data[i] == '\n' && i + 1 < b.size && b.data[i + 1] == ' '));
	demand(address_parse_list(buf_str(&b), false, &list, &err));
	demand(list.n_items == 1 && strcmp(list.items[0].mailbox, address->mailbox) == 0);
	if (is_plain_name(address->display_name))
		demand(is_same_name(list.items[0].display_name, address->display_name));
	address_list_free(&list);
	buf_free(&b);
}

static void
check(const struct address *address, size_t text_size)
{
	struct buf ascii = {0};
	struct err err = {0};
	struct address again = {0};

	if (address->mailbox[0] == '\0')
		return;
	demand(address_is_safe(address->mailbox));
	demand(address_equals(address->mailbox, address->mailbox));
	demand(address->length > 0 && address->offset + address->length <= text_size);
	demand(address->local_size <= strlen(address->mailbox));
	if (address_domain(address) != NULL) {
		demand(address_add_ascii_domain(&ascii, address_domain(address), &err));
		demand(!str_has_8bit(buf_str(&ascii)) && !str_has_control(buf_str(&ascii)));
		buf_free(&ascii);
		demand(address_parse_path(str_of(address->mailbox), &again, &err));
		demand(strcmp(again.mailbox, address->mailbox) == 0 && again.local_size == address->local_size);
		address_free(&again);
	}
	check_header_form(address);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct address_list list = {0};
	struct address address = {0};
	struct err err = {0};
	struct str text = {0};

	if (size == 0)
		return 0;
	text = str_make((const char *)data + 1, size - 1);
	if (data[0] % 3 == 2) {
		if (address_parse_path(text, &address, &err))
			check(&address, text.size);
		else
			demand(err.exit_code == EX_DATAERR);
	} else if (!address_parse_list(text, data[0] % 3 == 1, &list, &err)) {
		demand(err.exit_code == EX_DATAERR && !str_has_control(buf_str(&err.text)));
	}
	for (size_t i = 0; i < list.n_items; i++)
		check(&list.items[i], text.size);
	address_free(&address);
	address_list_free(&list);
	err_clear(&err);
	return 0;
}
