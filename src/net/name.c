/* name.c - host names in ASCII (RFC 5890, 5891), matched against those of a certificate (RFC 9525), address
 * literals. Pure. */

#include "config.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <string.h>

#include "net/name.h"

enum { LABEL_MOST = 63, NAME_MOST = 253 };

bool
name_to_address(const char *text, struct name_address *address)
{
	*address = (struct name_address){0};
	if (inet_pton(AF_INET, text, address->octets) == 1)
		address->size = 4;
	else if (inet_pton(AF_INET6, text, address->octets) == 1)
		address->size = 16;
	return address->size > 0;
}

static bool
is_label(struct str label)
{
	if (label.size == 0 || label.size > LABEL_MOST)
		return false;
	if (label.data[0] == '-' || label.data[label.size - 1] == '-')
		return false;
	for (size_t i = 0; i < label.size; i++) {
		char c = label.data[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_')
			return false;
	}
	return true;
}

static bool
is_name(struct str name)
{
	struct str label = {0};

	if (name.size == 0 || name.size > NAME_MOST || name.data[name.size - 1] == '.')
		return false;
	while (str_next_token(&name, '.', &label))
		if (!is_label(label))
			return false;
	return true;
}

/* May the name hold something that only the library can judge: a U-label, or an A-label that must be well-formed?
 */
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

static bool
refuse(struct str name, const char *why, struct err *err)
{
	struct buf shown = {0};

	err_add_clean(&shown, str_first(name, NAME_MOST));
	err_set(err, EX_NOHOST, "'%s' is no host name: %s", buf_text(&shown), why);
	buf_free(&shown);
	return false;
}

bool
name_to_ascii(const char *name, struct buf *b, struct err *err)
{
	struct str ascii = str_of(name);
	char *converted = NULL;
	bool is_good;

	if (needs_library(ascii)) {
		/* Not IDN2_USE_STD3_ASCII_RULES: it silently deletes characters instead of refusing them. */
		int code = idn2_to_ascii_8z(name, &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

		if (code != IDN2_OK)
			return refuse(ascii, idn2_strerror(code), err);
		ascii = str_of(converted);
	}
	if (ascii.size > 0 && ascii.data[ascii.size - 1] == '.')
		ascii = str_first(ascii, ascii.size - 1);
	is_good = is_name(ascii);
	if (is_good)
		buf_add_str(b, ascii);
	idn2_free(converted);
	return is_good || refuse(str_of(name), "labels are 1 to 63 letters, digits and hyphens", err);
}

bool
name_matches(struct str pattern, struct str host)
{
	struct str parent;

	if (str_equals_nocase(pattern, host))
		return is_name(pattern);
	if (!str_starts_with(pattern, STR("*.")))
		return false;
	pattern = str_from(pattern, 2);
	parent = str_from(host, str_find(host, '.') + 1);
	return is_name(pattern) && str_find(pattern, '.') < pattern.size && str_find(host, '.') > 0 &&
	       str_equals_nocase(pattern, parent);
}
