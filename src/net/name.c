/* name.c - host names in ASCII (RFC 5890, 5891), matched against those of a certificate (RFC 9525), address
 * literals. Pure. */

#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/domain.h"
#include "net/name.h"

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

bool
name_to_ascii(const char *name, struct buf *b, struct err *err)
{
	const char *reason = domain_add_ascii(b, str_of(name));

	if (reason == NULL)
		return true;
	err_set(err, EX_NOHOST, "'");
	err_add_clean(&err->text, str_first(str_of(name), DOMAIN_MOST));
	buf_printf(&err->text, "' is no host name: %s", reason);
	return false;
}

bool
name_matches(struct str pattern, struct str host)
{
	struct str parent;

	if (str_equals_nocase(pattern, host))
		return domain_is_ascii(pattern);
	if (!str_starts_with(pattern, STR("*.")))
		return false;
	pattern = str_from(pattern, 2);
	parent = str_from(host, str_find(host, '.') + 1);
	return domain_is_ascii(pattern) && str_find(pattern, '.') < pattern.size && str_find(host, '.') > 0 &&
	       str_equals_nocase(pattern, parent);
}
