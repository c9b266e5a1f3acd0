/* policycache.c - policies on the disk.
 *
 *     mailcrane-policy 1
 *     domain example.org
 *     id 20160831085700Z
 *     fetched 1790000000
 *     failed 0
 *     failed_id -
 *     fault 0
 *     why -
 *     policy 112
 *     (so many bytes)
 *     sum 0123456789abcdef
 *
 * The lines are always these, in this order. */

#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "deliver/policycache.h"
#include "queue/note.h"

enum {
	WHY_MOST = 400,
	LINES_MOST = 4096,   /* bytes of all lines together */
	SUM_SIZE = sizeof("sum 0123456789abcdef\n") - 1
};

static const char first_line[] = "mailcrane-policy 1\n";

/* --- reading ------------------------------------------------------------------------------------------------------- */

/* The value of the line `name` at the front of *rest. False: that is another line. */
static bool
take(struct str *rest, const char *name, struct str *value)
{
	struct str line = {0};
	size_t size = strlen(name);

	if (!str_next_token(rest, '\n', &line) || line.size <= size || line.data[size] != ' ' ||
	    !str_starts_with(line, str_of(name)))
		return false;
	*value = str_from(line, size + 1);
	return true;
}

static bool
take_number(struct str *rest, const char *name, uint64_t most, int64_t *number)
{
	struct str value = {0};
	uint64_t found = 0;

	if (!take(rest, name, &value) || !str_to_number(value, most, &found))
		return false;
	*number = (int64_t)found;
	return true;
}

/* An id, or "-" for none. */
static bool
take_id(struct str *rest, const char *name, char id[MTASTS_ID_SIZE])
{
	struct str value = {0};

	if (!take(rest, name, &value))
		return false;
	if (str_equals(value, STR("-")))
		return true;
	if (!mtasts_is_id(value))
		return false;
	memcpy(id, value.data, value.size);
	return true;
}

/* Cut the line with the checksum off the end, and compare. */
static bool
check_sum(struct str *text)
{
	struct buf expected = {0};
	struct str before;
	bool is_good;

	if (text->size < SUM_SIZE)
		return false;
	before = str_first(*text, text->size - SUM_SIZE);
	buf_printf(&expected, "sum %016" PRIx64 "\n", str_hash(STR_HASH_START, before));
	is_good = str_equals(buf_str(&expected), str_from(*text, before.size));
	buf_free(&expected);
	*text = before;
	return is_good;
}

static bool
read_policy(struct cached_policy *cached, struct str text)
{
	struct err err = {0};
	bool is_good;

	if (cached->fetched_at == 0)
		return text.size == 0;
	is_good = cached->id[0] != '\0' && mtasts_parse(&cached->policy, text, &err);
	buf_add_str(&cached->text, text);
	err_clear(&err);
	return is_good;
}

static bool
read_lines(struct cached_policy *cached, const char *domain, struct str text)
{
	struct str value = {0};
	int64_t fault = 0, size = 0;

	if (!check_sum(&text) || !str_starts_with(text, str_of(first_line)))
		return false;
	text = str_from(text, sizeof(first_line) - 1);
	if (!take(&text, "domain", &value) || !str_equals(value, str_of(domain)) || !take_id(&text, "id", cached->id) ||
	    !take_number(&text, "fetched", INT64_MAX, &cached->fetched_at) ||
	    !take_number(&text, "failed", INT64_MAX, &cached->failed_at) || !take_id(&text, "failed_id", cached->failed_id) ||
	    !take_number(&text, "fault", POLICY_UNTRUSTED, &fault) || !take(&text, "why", &value))
		return false;
	cached->fault = (enum policy_fault)fault;
	if (!str_equals(value, STR("-")))
		err_add_clean(&cached->why, value);
	return take_number(&text, "policy", MTASTS_POLICY_MOST, &size) && text.size == (size_t)size && read_policy(cached, text);
}

bool
policycache_read(struct spool *spool, const char *domain, struct cached_policy *cached)
{
	struct buf text = {0};
	bool is_good;

	*cached = (struct cached_policy){0};
	is_good = note_read(spool, SPOOL_POLICIES, domain, MTASTS_POLICY_MOST + LINES_MOST, &text) &&
	          read_lines(cached, domain, buf_str(&text));
	buf_free(&text);
	if (!is_good)
		cached_policy_free(cached);
	return is_good;
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

static const char *
or_dash(const char *text)
{
	return text[0] != '\0' ? text : "-";
}

bool
policycache_write(struct spool *spool, const char *domain, const struct cached_policy *cached)
{
	bool has_policy = cached->fetched_at > 0;
	struct str why = str_first(buf_str(&cached->why), WHY_MOST);
	struct buf text = {0};
	bool is_written;

	buf_printf(&text, "%sdomain %s\nid %s\nfetched %" PRId64 "\n", first_line, domain, or_dash(has_policy ? cached->id : ""),
	           cached->fetched_at);
	buf_printf(&text, "failed %" PRId64 "\nfailed_id %s\nfault %d\nwhy ", cached->failed_at, or_dash(cached->failed_id),
	           (int)cached->fault);
	/* Cut anywhere, it is cleaned once more. */
	err_add_clean(&text, why.size > 0 ? why : STR("-"));
	buf_printf(&text, "\npolicy %zu\n", has_policy ? cached->text.size : 0);
	if (has_policy)
		buf_add_str(&text, buf_str(&cached->text));
	buf_printf(&text, "sum %016" PRIx64 "\n", str_hash(STR_HASH_START, buf_str(&text)));
	is_written = note_write(spool, SPOOL_POLICIES, domain, buf_str(&text));
	buf_free(&text);
	return is_written;
}

void
cached_policy_free(struct cached_policy *cached)
{
	mtasts_policy_free(&cached->policy);
	buf_free(&cached->text);
	buf_free(&cached->why);
	*cached = (struct cached_policy){0};
}
