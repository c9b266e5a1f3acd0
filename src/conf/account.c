/* account.c - accounts as a whole: made, copied, merged, printed, stored and freed, row by row of the table of
 * settings. Pure but for the working directory that relative paths begin at when they are stored. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/account.h"
#include "conf/keyword.h"
#include "conf/value.h"

void
account_init(struct account *account)
{
	memset(account, 0, sizeof(*account));
	for (size_t row = 0; row < keyword_count(); row++)
		value_reset(account, row);
}

void
account_copy(struct account *target, const struct account *source)
{
	char *id = mem_copy_string(source->id);

	free(target->id);
	target->id = id;
	target->origin = source->origin;
	for (size_t row = 0; row < keyword_count(); row++) {
		value_copy(target, source, row);
		target->is_set[row] = source->is_set[row];
	}
}

void
account_override(struct account *target, const struct account *source)
{
	for (size_t row = 0; row < keyword_count(); row++) {
		if (!source->is_set[row])
			continue;
		value_copy(target, source, row);
		target->is_set[row] = true;
	}
}

void
account_forget_passwords(struct account *target, const struct account *nearer, const char *origin)
{
	bool is_replaced = false;

	for (size_t row = 0; row < keyword_count(); row++)
		is_replaced = is_replaced || (nearer->is_set[row] && (keyword_at(row)->flags & KEYWORD_IS_PASSWORD) != 0);
	for (size_t row = 0; is_replaced && row < keyword_count(); row++) {
		const char *file = target->origins[row].file;

		if ((keyword_at(row)->flags & KEYWORD_IS_PASSWORD) == 0)
			continue;
		if (origin != NULL && (file == NULL || strcmp(file, origin) != 0))
			continue;
		value_free(target, row);
		value_reset(target, row);
	}
}

bool
account_treats_as_temporary(const struct account *account, const unsigned short enhanced[3])
{
	struct str rest = str_of(account->treat_as_temporary), code = {0};
	struct buf wanted = {0};
	bool is_there = false;

	buf_printf(&wanted, "%u.%u.%u", enhanced[0], enhanced[1], enhanced[2]);
	while (!is_there && keyword_next_code(&rest, &code))
		is_there = str_equals(code, buf_str(&wanted));
	buf_free(&wanted);
	return is_there;
}

/* Is it a path that means another file in another working directory? "-", the built-in word and URLs of a token are no paths. */
static bool
is_relative_path(const struct keyword *keyword, struct str value)
{
	if ((keyword->flags & (KEYWORD_IS_PATH | KEYWORD_IS_FILE)) == 0 || value.size == 0 || value.data[0] == '/')
		return false;
	if (keyword->initial != NULL && str_equals(value, str_of(keyword->initial)))
		return false;
	return !str_equals(value, STR("-")) && str_find(value, ':') >= str_find(value, '/');
}

static void
add_escaped(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '\n')
			buf_add_text(b, "\\n");
		else if (text.data[i] == '\\')
			buf_add_text(b, "\\\\");
		else
			buf_add_char(b, text.data[i]);
	}
}

static bool
add_unescaped(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] != '\\') {
			buf_add_char(b, text.data[i]);
			continue;
		}
		i++;
		if (i == text.size || (text.data[i] != 'n' && text.data[i] != '\\'))
			return false;
		buf_add_char(b, text.data[i] == 'n' ? '\n' : '\\');
	}
	return true;
}

static void
add_setting(struct buf *b, const struct account *account, size_t row)
{
	const struct keyword *keyword = keyword_at(row);
	struct buf value = {0};
	char *folder = NULL;

	/* An empty argument unsets, but where only a word can. */
	if (!value_add(&value, account, row, false) && (keyword->flags & KEYWORD_OFF_UNSETS) != 0)
		buf_add_text(&value, "off");
	buf_printf(b, "%s ", keyword->name);
	if (is_relative_path(keyword, buf_str(&value)) && (folder = getcwd(NULL, 0)) != NULL) {
		add_escaped(b, str_of(folder));
		buf_add_char(b, '/');
	}
	add_escaped(b, buf_str(&value));
	buf_add_char(b, '\n');
	free(folder);
	buf_free(&value);
}

void
account_add_settings(struct buf *b, const struct account *overrides)
{
	for (size_t row = 0; row < keyword_count(); row++)
		if (overrides->is_set[row] && (keyword_at(row)->flags & (KEYWORD_IS_SECRET | KEYWORD_OF_MESSAGE)) == 0)
			add_setting(b, overrides, row);
}

static bool
read_setting(struct account *overrides, struct str line, struct err *err)
{
	const struct origin origin = {"command line", 0};
	size_t name_size = str_find(line, ' ');
	struct buf value = {0};
	bool is_good = false;

	if (name_size == line.size || !add_unescaped(&value, str_from(line, name_size + 1)))
		err_set(err, EX_CONFIG, "a stored setting cannot be read");
	else
		is_good = value_set(overrides, str_first(line, name_size), buf_str(&value), origin, err);
	buf_free(&value);
	return is_good;
}

bool
account_read_settings(struct account *overrides, struct str text, struct err *err)
{
	struct str line = {0};

	while (str_next_token(&text, '\n', &line))
		if (line.size > 0 && !read_setting(overrides, line, err))
			return false;
	return true;
}

/* The lines of msmtp --pretend. What it has no words for (a number that is off, an empty text) it calls "(not set)". */
static void
print_pretend_line(struct buf *b, const struct account *account, size_t row)
{
	const struct keyword *keyword = keyword_at(row);
	struct buf value = {0};
	bool is_set = value_add(&value, account, row, true);
	bool is_text = keyword->type == KEYWORD_TEXT;

	buf_printf(b, "%s = ", keyword->label != NULL ? keyword->label : keyword->name);
	if (is_set && (!is_text || value.size > 0))
		err_add_clean(b, buf_str(&value));
	else if (keyword->label != NULL && !is_text)
		buf_add_text(b, "0");
	else
		buf_add_text(b, "(not set)");
	if (is_set && (keyword->flags & KEYWORD_IS_SECONDS) != 0 && ascii_is_digit(buf_text(&value)[0]))
		buf_add_text(b, " seconds");
	buf_add_char(b, '\n');
	buf_free(&value);
}

static void
print_origin(struct buf *b, struct origin origin)
{
	buf_add_text(b, "# ");
	if (origin.file == NULL)
		buf_add_text(b, "default");
	else
		err_add_clean(b, str_of(origin.file));
	if (origin.line > 0)
		buf_printf(b, ":%d", origin.line);
	buf_add_char(b, '\n');
}

/* Quotes keep what the grammar would strip: nothing at all, and quotes that belong to the value. */
static bool
needs_quotes(struct str value)
{
	if (value.size == 0 || ascii_is_blank(value.data[0]) || ascii_is_blank(value.data[value.size - 1]))
		return true;
	return value.size > 1 && value.data[0] == '"' && value.data[value.size - 1] == '"';
}

static void
print_config_lines(struct buf *b, const struct account *account, size_t row)
{
	const struct keyword *keyword = keyword_at(row);
	struct buf value = {0};

	/* It is no account's. */
	if ((keyword->flags & KEYWORD_SYSTEM_ONLY) != 0 && !account->is_set[row])
		return;
	if (value_add(&value, account, row, false)) {
		const char *quote = needs_quotes(buf_str(&value)) ? "\"" : "";

		print_origin(b, account->origins[row]);
		/* One cannot be read back, the other only in the system's file. */
		if (keyword_secret(keyword, buf_str(&value)).size > 0 || (keyword->flags & KEYWORD_SYSTEM_ONLY) != 0)
			buf_add_text(b, "# ");
		buf_printf(b, "%s %s", keyword->name, quote);
		/* Only a command given as an option can have several lines; they cannot be written in a file. */
		if (memchr(buf_text(&value), '\n', value.size) != NULL)
			err_add_clean(b, buf_str(&value));
		else
			buf_add_str(b, buf_str(&value));
		buf_printf(b, "%s\n", quote);
	}
	buf_free(&value);
}

void
account_print(struct buf *b, const struct account *account, bool with_origins)
{
	if (with_origins) {
		print_origin(b, account->origin);
		buf_printf(b, "account %s\n", account->id != NULL ? account->id : "default");
	}
	for (size_t row = 0; row < keyword_count(); row++) {
		if (with_origins)
			print_config_lines(b, account, row);
		else
			print_pretend_line(b, account, row);
	}
}

void
account_free(struct account *account)
{
	for (size_t row = 0; row < keyword_count(); row++)
		value_free(account, row);
	free(account->id);
	memset(account, 0, sizeof(*account));
}
