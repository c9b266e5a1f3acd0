/* hostlist.c - the setting `host` taken apart. Pure. */

#include "config.h"

#include "base/mem.h"
#include "conf/hostlist.h"

enum { PORT_MOST = 65535 };

static const struct str service_word = STR("srv:");

bool
hostlist_is_direct(struct str host)
{
	return str_equals_nocase(host, STR("mx"));
}

bool
hostlist_is_service(struct str host, struct str *domain)
{
	if (!str_starts_with_nocase(host, service_word))
		return false;
	*domain = str_from(host, service_word.size);
	return true;
}

static size_t
count_colons(struct str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.size; i++)
		n += text.data[i] == ':';
	return n;
}

static bool
read_port(struct str text, int *port)
{
	uint64_t number = 0;

	if (!str_to_number(text, PORT_MOST, &number) || number == 0)
		return false;
	*port = (int)number;
	return true;
}

/* "[NAME]" or "[NAME]:PORT". */
static bool
read_bracketed(struct str text, struct hostlist_item *item)
{
	size_t end = str_find(text, ']');
	struct str behind;

	if (end == text.size)
		return false;
	item->name = str_first(str_from(text, 1), end - 1);
	behind = str_from(text, end + 1);
	return item->name.size > 0 &&
	       (behind.size == 0 || (behind.data[0] == ':' && read_port(str_from(behind, 1), &item->port)));
}

static bool
read_item(struct str text, struct hostlist_item *item)
{
	size_t colon = str_find(text, ':');

	*item = (struct hostlist_item){.name = text};
	if (text.size == 0)
		return false;
	if (text.data[0] == '[')
		return read_bracketed(text, item);
	/* Two colons make it an IPv6 address, which has no port without brackets. */
	if (count_colons(text) != 1)
		return true;
	item->name = str_first(text, colon);
	return colon > 0 && read_port(str_from(text, colon + 1), &item->port);
}

bool
hostlist_next(struct str *rest, struct hostlist_item *item)
{
	size_t comma = str_find(*rest, ',');
	struct str text = str_trim(str_first(*rest, comma));

	if (rest->size == 0)
		return false;
	*rest = str_from(*rest, comma < rest->size ? comma + 1 : comma);
	return read_item(text, item);
}

char *
hostlist_copy_first(const char *host)
{
	struct str name = {0}, rest = str_of(host);
	struct hostlist_item item = {0};

	if (host == NULL)
		return NULL;
	if (!hostlist_is_service(rest, &name))
		name = hostlist_next(&rest, &item) ? item.name : str_of(host);
	return mem_copy(name.data, name.size);
}

const char *
hostlist_complain(struct str host)
{
	static const char wanted[] = "NAME or NAME:PORT, several of them with commas, srv:DOMAIN, or mx";
	struct hostlist_item item;
	struct str rest = host, domain = {0};
	size_t n = 0;

	if (host.size > 0 && host.data[host.size - 1] == ',')
		return wanted;
	if (hostlist_is_service(host, &domain))
		return domain.size > 0 && count_colons(domain) == 0 && str_find(domain, ',') == domain.size ? NULL : wanted;
	while (rest.size > 0) {
		if (!hostlist_next(&rest, &item))
			return wanted;
		if (++n > HOSTLIST_MOST)
			return "at most 20 hosts";
		if (str_starts_with_nocase(item.name, service_word) || (n > 1 && hostlist_is_direct(item.name)))
			return wanted;
	}
	return NULL;
}
