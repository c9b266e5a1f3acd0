/* mtasts.c - records and policies of MTA-STS (RFC 8461). Pure. */

#include "config.h"

#include <string.h>

#include "base/domain.h"
#include "net/mtasts.h"

enum {
	FIELD_NAME_MOST = 32,
	SHOWN_MOST = 60      /* bytes of what is wrong that are shown */
};

static const char *const mode_names[] = {
	[MTASTS_NONE] = "none", [MTASTS_TESTING] = "testing", [MTASTS_ENFORCE] = "enforce"
};

enum { N_MODES = sizeof(mode_names) / sizeof(mode_names[0]) };

/* --- the record ---------------------------------------------------------------------------------------------------- */

/* sts-ext-name, and the names of policy fields. */
static bool
is_field_name(struct str name)
{
	if (name.size == 0 || name.size > FIELD_NAME_MOST)
		return false;
	for (size_t i = 0; i < name.size; i++) {
		char c = name.data[i];

		if (ascii_is_alpha(c) || ascii_is_digit(c))
			continue;
		if (i == 0 || (c != '_' && c != '-' && c != '.'))
			return false;
	}
	return true;
}

bool
mtasts_is_id(struct str text)
{
	if (text.size == 0 || text.size >= MTASTS_ID_SIZE)
		return false;
	for (size_t i = 0; i < text.size; i++)
		if (!ascii_is_alpha(text.data[i]) && !ascii_is_digit(text.data[i]))
			return false;
	return true;
}

/* The value of an extension of a record: visible, without '=' and ';'. */
static bool
is_record_value(struct str value)
{
	for (size_t i = 0; i < value.size; i++)
		if (value.data[i] <= ' ' || value.data[i] > '~' || value.data[i] == '=')
			return false;
	return value.size > 0;
}

/* Without blanks (not line ends) at the start, or at both ends. */
static struct str
skip_blanks(struct str s)
{
	while (s.size > 0 && ascii_is_blank(s.data[0]))
		s = str_from(s, 1);
	return s;
}

static struct str
trim_blanks(struct str s)
{
	s = skip_blanks(s);
	while (s.size > 0 && ascii_is_blank(s.data[s.size - 1]))
		s.size--;
	return s;
}

/* The fields behind the version: "name=value" with ';' between, and perhaps behind the last. The id goes to *id. */
static bool
read_record(struct str rest, struct str *id)
{
	struct str field = {0};

	while (str_next_token(&rest, ';', &field)) {
		size_t equals;
		struct str name, value;

		field = trim_blanks(field);
		if (field.size == 0 && trim_blanks(rest).size == 0)
			break;
		equals = str_find(field, '=');
		name = str_first(field, equals);
		value = str_from(field, equals + 1);
		if (!is_field_name(name) || !is_record_value(value))
			return false;
		if (!str_equals(name, STR("id")) || id->size > 0)
			continue;
		if (!mtasts_is_id(value))
			return false;
		*id = value;
	}
	return id->size > 0;
}

void
mtasts_add_record(struct mtasts_record *record, struct str text)
{
	const struct str version = STR("v=STSv1");
	struct str rest, id = {0};

	if (!str_starts_with(text, version))
		return;
	rest = skip_blanks(str_from(text, version.size));
	if (rest.size == 0 || rest.data[0] != ';')
		return;
	record->n++;
	record->id[0] = '\0';
	if (!read_record(str_from(rest, 1), &id))
		return;
	memcpy(record->id, id.data, id.size);
	record->id[id.size] = '\0';
}

bool
mtasts_has_policy(const struct mtasts_record *record)
{
	return record->n == 1 && record->id[0] != '\0';
}

/* --- the policy ---------------------------------------------------------------------------------------------------- */

struct reader {
	struct mtasts_policy *policy;
	unsigned line;
	bool has_version;
	bool has_mode;
	bool has_max_age;
	struct err *err;
};

/* False, with the line and what it should be. */
static bool
refuse(struct reader *reader, struct str value, const char *wanted)
{
	struct buf clean = {0};

	err_add_clean(&clean, str_first(value, SHOWN_MOST));
	err_set(reader->err, EX_DATAERR, "line %u: '%s' is not %s", reader->line, buf_text(&clean), wanted);
	buf_free(&clean);
	return false;
}

static bool
read_version(struct reader *reader, struct str value)
{
	if (reader->has_version)
		return true;
	reader->has_version = true;
	return str_equals(value, STR("STSv1")) || refuse(reader, value, "the version STSv1");
}

static bool
read_mode(struct reader *reader, struct str value)
{
	if (reader->has_mode)
		return true;
	reader->has_mode = true;
	for (size_t i = 0; i < N_MODES; i++) {
		if (!str_equals(value, str_of(mode_names[i])))
			continue;
		reader->policy->mode = (enum mtasts_mode)i;
		return true;
	}
	return refuse(reader, value, "one of the modes none, testing and enforce");
}

static bool
read_max_age(struct reader *reader, struct str value)
{
	uint64_t number = 0;

	if (reader->has_max_age)
		return true;
	reader->has_max_age = true;
	if (!str_to_number(value, MTASTS_AGE_MOST, &number))
		return refuse(reader, value, "a max_age of 0 to 31557600 seconds");
	reader->policy->max_age = (int64_t)number;
	return true;
}

static bool
read_mx(struct reader *reader, struct str value)
{
	struct mtasts_policy *policy = reader->policy;
	struct str domain = str_starts_with(value, STR("*.")) ? str_from(value, 2) : value;

	if (!domain_is_ascii(domain))
		return refuse(reader, value, "the name of a host, or one with '*.' for its first label");
	if (policy->n_mx == MTASTS_MX_MOST)
		return err_set(reader->err, EX_DATAERR, "line %u: more than %d mx patterns", reader->line, MTASTS_MX_MOST);
	for (size_t i = 0; i < value.size; i++)
		buf_add_char(&policy->mx, ascii_lower(value.data[i]));
	buf_add_char(&policy->mx, '\n');
	policy->n_mx++;
	return true;
}

static const struct {
	struct str name;
	bool (*read)(struct reader *reader, struct str value);
} fields[] = {
	{STR("version"), read_version},
	{STR("mode"), read_mode},
	{STR("max_age"), read_max_age},
	{STR("mx"), read_mx},
};

static bool
read_line(struct reader *reader, struct str line)
{
	size_t colon = str_find(line, ':');
	struct str name = str_first(line, colon);
	struct str value = trim_blanks(str_from(line, colon + 1));

	if (colon == line.size || !is_field_name(name))
		return refuse(reader, line, "a name and a value with ':' between");
	if (str_has_control(value) || !str_is_utf8(value))
		return refuse(reader, value, "text");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (str_equals(name, fields[i].name))
			return fields[i].read(reader, value);
	return true;
}

static bool
read_lines(struct reader *reader, struct str text)
{
	struct str line = {0};

	while (str_next_token(&text, '\n', &line)) {
		reader->line++;
		if (line.size > 0 && line.data[line.size - 1] == '\r')
			line.size--;
		/* Not in the grammar, but what editors leave at the end of a file shall not cost a domain its protection. */
		if (trim_blanks(line).size > 0 && !read_line(reader, line))
			return false;
	}
	return true;
}

static bool
is_complete(const struct reader *reader)
{
	const char *missing = !reader->has_version ? "version" : !reader->has_mode ? "mode" :
	                      !reader->has_max_age ? "max_age" : NULL;

	/* Without one a policy would be a domain's refusal of all mail. */
	if (missing == NULL && reader->policy->mode != MTASTS_NONE && reader->policy->n_mx == 0)
		missing = "mx";
	return missing == NULL || err_set(reader->err, EX_DATAERR, "there is no field '%s'", missing);
}

bool
mtasts_parse(struct mtasts_policy *policy, struct str text, struct err *err)
{
	struct reader reader = {.policy = policy, .err = err};

	if (text.size > MTASTS_POLICY_MOST)
		return err_set(err, EX_DATAERR, "more than %d bytes", MTASTS_POLICY_MOST);
	if (read_lines(&reader, text) && is_complete(&reader))
		return true;
	mtasts_policy_free(policy);
	return false;
}

bool
mtasts_next_mx(struct str *rest, struct str *pattern)
{
	return str_next_token(rest, '\n', pattern);
}

static bool
matches(struct str pattern, struct str host)
{
	if (!str_starts_with(pattern, STR("*.")))
		return str_equals_nocase(pattern, host);
	/* From the dot on both are the same, and there is something in front of it. */
	return str_find(host, '.') > 0 && str_equals_nocase(str_from(pattern, 1), str_from(host, str_find(host, '.')));
}

bool
mtasts_allows(const struct mtasts_policy *policy, struct str host)
{
	struct str rest = buf_str(&policy->mx), pattern = {0};

	while (mtasts_next_mx(&rest, &pattern))
		if (matches(pattern, host))
			return true;
	return false;
}

const char *
mtasts_mode_name(enum mtasts_mode mode)
{
	return mode_names[mode];
}

void
mtasts_add_record_name(struct buf *b, struct str domain)
{
	buf_add_text(b, "_mta-sts.");
	buf_add_str(b, domain);
}

void
mtasts_add_host_name(struct buf *b, struct str domain)
{
	buf_add_text(b, "mta-sts.");
	buf_add_str(b, domain);
}

void
mtasts_policy_free(struct mtasts_policy *policy)
{
	buf_free(&policy->mx);
	*policy = (struct mtasts_policy){0};
}
