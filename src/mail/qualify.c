/* qualify.c - gives the bare addresses of a header field their domain. Pure. RFC 5322 3.4, RFC 5321 2.3.5. */

#include "config.h"

#include "mail/address.h"
#include "mail/qualify.h"
#include "mail/token.h"
#include "mail/word.h"

/* Is there an element of the list without '@'? A look that costs little, since most fields have none. */
static bool
may_have_bare(struct str body)
{
	struct token token = token_next(body, 0);
	bool has_word = false;
	bool has_at = false;

	for (;; token = token_next(body, token.end)) {
		bool is_end = token.kind == TOKEN_END;

		if (token.kind == TOKEN_FAULTY)
			return false;
		if (is_end || token.sign == ',' || token.sign == ';' || token.sign == ':') {
			/* Before a colon stands the name of a group, or a source route. */
			if (has_word && !has_at && token.sign != ':')
				return true;
			if (is_end)
				return false;
			has_word = has_at = false;
		} else if (token.sign == '@') {
			has_at = true;
		} else {
			has_word = true;
		}
	}
}

/* The address as it was written. */
static struct str
written_form(const struct address *address, struct str body)
{
	return str_first(str_from(body, address->offset), address->length);
}

bool
qualify_add(struct buf *b, struct str body, const char *domain)
{
	struct address_list list = {0};
	struct err ignored = {0};
	size_t n_kept = 0;

	if (may_have_bare(body) && address_parse_list(body, false, &list, &ignored)) {
		for (size_t i = 0; i < list.n_items; i++) {
			const struct address *address = &list.items[i];
			struct str written = written_form(address, body);
			size_t end = address->offset + address->length;

			if (address_domain(address) != NULL || word_is_encoded(written))
				continue;
			buf_add_str(b, str_from(str_first(body, end), n_kept));
			buf_add_char(b, '@');
			buf_add_text(b, domain);
			n_kept = end;
		}
	}
	if (n_kept > 0)
		buf_add_str(b, str_from(body, n_kept));
	address_list_free(&list);
	err_clear(&ignored);
	return n_kept > 0;
}
