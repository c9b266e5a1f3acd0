/* account.c - accounts as a whole: made, copied, merged, printed and freed, row by row of the table of
 * settings. Pure. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

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

	if (value_add(&value, account, row, false)) {
		const char *quote = needs_quotes(buf_str(&value)) ? "\"" : "";

		print_origin(b, account->origins[row]);
		if ((keyword->flags & KEYWORD_IS_SECRET) != 0)
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
