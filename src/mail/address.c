/* address.c - mailboxes: paths, comparison, header and domain forms. Pure. */

#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "mail/address.h"
#include "mail/list.h"
#include "mail/mailbox.h"
#include "mail/phrase.h"
#include "mail/token.h"
#include "mail/word.h"

enum {
	SHOWN_MOST = 120, /* bytes of the text at fault in an error */
	LINE_MOST = 78    /* RFC 5322 2.1.1 */
};

/* Is it nothing but blanks and comments, or "<>" among them? */
static bool
is_null_path(struct str text)
{
	const struct token first = token_next(text, 0);
	const struct token second = token_next(text, first.end);

	if (first.kind == TOKEN_SIGN && first.sign == '<' && second.kind == TOKEN_SIGN && second.sign == '>')
		return token_next(text, second.end).kind == TOKEN_END;
	return first.kind == TOKEN_END;
}

bool
address_parse_list(struct str text, bool is_operand, struct address_list *list, struct err *err)
{
	return list_parse(text, is_operand, list, err);
}

bool
address_parse_path(struct str text, struct address *address, struct err *err)
{
	struct address_list list = {0};
	struct buf shown = {0};
	bool went_well = false;

	if (is_null_path(text) && !str_has_control(text)) {
		*address = (struct address){.mailbox = mem_copy("", 0)};
		return true;
	}
	if (!list_parse(text, true, &list, err))
		goto out;
	err_add_clean(&shown, str_first(text, SHOWN_MOST));
	if (list.n_items != 1) {
		err_set(err, EX_DATAERR, "bad sender address '%s': exactly one address is expected", buf_text(&shown));
		goto out;
	}
	/* An option that was taken for the address, as in "-f -t". */
	if (list.items[0].mailbox[0] == '-' && address_domain(&list.items[0]) == NULL) {
		err_set(err, EX_DATAERR, "bad sender address '%s': it looks like an option", buf_text(&shown));
		goto out;
	}
	*address = list.items[0];
	list.n_items = 0;
	went_well = true;
out:
	buf_free(&shown);
	address_list_free(&list);
	return went_well;
}

bool
address_is_safe(const char *mailbox)
{
	return mailbox != NULL && mailbox_fault(str_of(mailbox)) == NULL;
}

const char *
address_domain(const struct address *address)
{
	const char *rest = address->mailbox == NULL ? "" : address->mailbox + address->local_size;

	return rest[0] == '@' && rest[1] != '\0' ? rest + 1 : NULL;
}

void
address_qualify(struct address *address, const char *domain)
{
	struct buf mailbox = {0};

	if (address->local_size == 0 || address_domain(address) != NULL)
		return;
	buf_add(&mailbox, address->mailbox, address->local_size);
	buf_add_char(&mailbox, '@');
	buf_add_text(&mailbox, domain);
	free(address->mailbox);
	address->mailbox = buf_take(&mailbox);
}

bool
address_equals(const char *a, const char *b)
{
	struct str left = str_of(a), right = str_of(b);
	size_t local_size = mailbox_local_size(left);

	return left.size == right.size && mailbox_local_size(right) == local_size &&
	       str_equals(str_first(left, local_size), str_first(right, local_size)) &&
	       str_equals_nocase(str_from(left, local_size), str_from(right, local_size));
}

void
address_add_header(struct buf *b, const char *display_name, const char *mailbox)
{
	struct str address = str_of(mailbox);
	size_t before = b->size;

	phrase_add(b, str_of(display_name));
	if (b->size == before) {
		buf_add_str(b, address);
		return;
	}
	buf_add_text(b, word_column(b) + address.size + 3 > LINE_MOST ? "\n <" : " <");
	buf_add_str(b, address);
	buf_add_char(b, '>');
}

bool
address_add_ascii_domain(struct buf *b, const char *domain, struct err *err)
{
	const char *reason = mailbox_add_ascii_domain(b, str_of(domain));
	struct buf shown = {0};

	if (reason == NULL)
		return true;
	err_add_clean(&shown, str_first(str_of(domain), SHOWN_MOST));
	err_set(err, EX_DATAERR, "bad domain '%s': %s", buf_text(&shown), reason);
	buf_free(&shown);
	return false;
}

void
address_free(struct address *address)
{
	free(address->mailbox);
	free(address->display_name);
	*address = (struct address){0};
}

void
address_list_free(struct address_list *list)
{
	for (size_t i = 0; i < list->n_items; i++)
		address_free(&list->items[i]);
	free(list->items);
	*list = (struct address_list){0};
}
