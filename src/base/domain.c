/* domain.c - domain names in ASCII. Pure. */

#include "config.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>

#include "base/domain.h"
#include "base/library.h"
#include "base/mem.h"

enum { UNICODE_MOST = 1024 }; /* octets of a name in UTF-8: more cannot become a name in ASCII */

/* Libidn2 and the tables of characters behind it cost more than all else at the start of the program, and hardly any name
 * needs them. */
struct idn2_table {
	__typeof__(idn2_check_version) *check_version;
	__typeof__(idn2_free) *free;
	__typeof__(idn2_to_ascii_8z) *to_ascii_8z;
};

static const char *const idn2_names[] = {"idn2_check_version", "idn2_free", "idn2_to_ascii_8z"};

_Static_assert(sizeof(struct idn2_table) == sizeof(idn2_names), "one address per name");

static bool
load_idn2(struct idn2_table *idn2)
{
	const struct library library = {
		.file = IDN2_SONAME,
		.user = "a domain that is not ASCII",
		.package = "Libidn2 2.0 or newer",
		.symbols = idn2_names,
		.n_symbols = sizeof(idn2_names) / sizeof(idn2_names[0]),
	};
	struct err err = {0};
	bool is_loaded = library_load(&library, idn2, &err);

	err_clear(&err);
	return is_loaded;
}

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
	struct idn2_table idn2 = {0};
	char *terminated;
	char *ascii = NULL;
	const char *reason = NULL;
	int code;

	if (!load_idn2(&idn2))
		return "the domain is not ASCII, and Libidn2 cannot be loaded (install it)";
	terminated = mem_copy(name.data, name.size);
	code = idn2.to_ascii_8z(terminated, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	free(terminated);
	if (code != IDN2_OK)
		return "the domain is not one of IDNA2008";
	reason = name_fault(str_of(ascii));
	if (reason == NULL)
		buf_add_text(b, ascii);
	idn2.free(ascii);
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

const char *
domain_library_version(void)
{
	struct idn2_table idn2 = {0};

	return load_idn2(&idn2) ? idn2.check_version(NULL) : "(cannot be loaded)";
}
