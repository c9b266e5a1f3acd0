/* domain.c - domain names in ASCII. Pure. */

#include "config.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>

#include "base/domain.h"
#include "base/mem.h"

enum { UNICODE_MOST = 1024 }; /* octets of a name in UTF-8: more cannot become a name in ASCII */

static const char *
label_fault(struct str label)
{
	if (label.size == 0)
		return "two dots in a row, or a dot at the start, in the domain";
	if (label.size > DOMAIN_LABEL_MOST)
		return "a label of the domain has more than 63 characters";
	if (label.data[0] == '-' || label.data[label.size - 1] == '-')
		return "a label of the domain begins or ends with '-'";
	for (size_t i = 0; i < label.size; i++) {
		char c = label.data[i];

		/* The underscore is no LDH character, but there are hosts with it, and their own mail must leave them. */
		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_')
			return "a character that cannot stand in a domain";
	}
	return NULL;
}

static const char *
name_fault(struct str name)
{
	if (name.size > DOMAIN_MOST)
		return "the domain has more than 253 characters";
	while (true) {
		size_t dot = str_find(name, '.');
		const char *reason = label_fault(str_first(name, dot));

		if (reason != NULL || dot == name.size)
			return reason;
		name = str_from(name, dot + 1);
	}
}

/* May the name hold something that only the library can judge: a U-label, or an A-label that must be well-formed? */
static bool
needs_library(struct str name)
{
	struct str label = {0};

	if (str_has_8bit(name))
		return true;
	while (str_next_token(&name, '.', &label))
		if (str_starts_with_nocase(label, STR("xn--")))
			return true;
	return false;
}

/* libidn2 lets through what is no domain at all, so its result is looked at like any name. Not
 * IDN2_USE_STD3_ASCII_RULES: it silently deletes characters instead of refusing them. */
static const char *
add_converted(struct buf *b, struct str name)
{
	char *terminated = mem_copy(name.data, name.size);
	char *ascii = NULL;
	const char *reason = NULL;
	int code = idn2_to_ascii_8z(terminated, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

	free(terminated);
	if (code != IDN2_OK)
		return "the domain is not one of IDNA2008";
	reason = name_fault(str_of(ascii));
	if (reason == NULL)
		buf_add_text(b, ascii);
	idn2_free(ascii);
	return reason;
}

const char *
domain_add_ascii(struct buf *b, struct str domain)
{
	const char *reason;

	if (domain.size > 1 && domain.data[domain.size - 1] == '.')
		domain.size--;
	if (domain.size == 0)
		return "the domain is empty";
	if (str_has_control(domain))
		return "a control character";
	if (domain.size > UNICODE_MOST)
		return "the domain has more than 253 characters";
	if (needs_library(domain))
		return add_converted(b, domain);
	reason = name_fault(domain);
	if (reason == NULL)
		buf_add_str(b, domain);
	return reason;
}

bool
domain_is_ascii(struct str domain)
{
	return domain.size > 0 && name_fault(domain) == NULL;
}
