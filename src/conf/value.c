/* value.c - reads, copies, prints and frees the values of an account by the rows of the table. Pure but for the home
 * directory that ~ stands for. */

#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/keyword.h"
#include "conf/value.h"

/* One value on its way between text and field. */
struct value {
	char *text;     /* KEYWORD_TEXT; owned */
	int64_t number; /* all others */
};

static void *
field_of(struct account *account, const struct keyword *keyword)
{
	return (char *)account + keyword->offset;
}

static const void *
constant_field_of(const struct account *account, const struct keyword *keyword)
{
	return (const char *)account + keyword->offset;
}

static void
store(struct account *account, const struct keyword *keyword, struct value value)
{
	void *field = field_of(account, keyword);
	bool is_true = value.number != 0;
	int number = (int)value.number;

	switch (keyword->type) {
	case KEYWORD_TEXT:
		memcpy(field, &value.text, sizeof(value.text));
		break;
	case KEYWORD_SWITCH:
		memcpy(field, &is_true, sizeof(is_true));
		break;
	case KEYWORD_WORD:
	case KEYWORD_NUMBER:
		memcpy(field, &number, sizeof(number));
		break;
	case KEYWORD_LONG:
		memcpy(field, &value.number, sizeof(value.number));
		break;
	}
}

static struct value
load(const struct account *account, const struct keyword *keyword)
{
	const void *field = constant_field_of(account, keyword);
	struct value value = {0};
	bool is_true = false;
	int number = 0;

	switch (keyword->type) {
	case KEYWORD_TEXT:
		memcpy(&value.text, field, sizeof(value.text));
		break;
	case KEYWORD_SWITCH:
		memcpy(&is_true, field, sizeof(is_true));
		value.number = is_true;
		break;
	case KEYWORD_WORD:
	case KEYWORD_NUMBER:
		memcpy(&number, field, sizeof(number));
		value.number = number;
		break;
	case KEYWORD_LONG:
		memcpy(&value.number, field, sizeof(value.number));
		break;
	}
	return value;
}

static bool
refuse(struct err *err, const struct keyword *keyword, struct str argument, const char *expected)
{
	struct buf clean = {0};

	err_add_clean(&clean, argument);
	err_set(err, EX_CONFIG, "%s: '%s' is not %s", keyword->name, buf_text(&clean), expected);
	buf_free(&clean);
	return false;
}

static bool
refuse_word(struct err *err, const struct keyword *keyword, struct str argument)
{
	struct buf expected = {0};

	buf_add_text(&expected, "one of: ");
	keyword_add_words(&expected, keyword, ' ');
	refuse(err, keyword, argument, buf_text(&expected));
	buf_free(&expected);
	return false;
}

static const struct keyword_word *
find_word(const struct keyword *keyword, struct str argument)
{
	for (const struct keyword_word *word = keyword->words; word != NULL && word->word != NULL; word++)
		if (str_equals(argument, str_of(word->word)))
			return word;
	return NULL;
}

/* The first word of this value is the one it is printed and stored as. */
static const struct keyword_word *
word_of(const struct keyword *keyword, int64_t number)
{
	for (const struct keyword_word *word = keyword->words; word != NULL && word->word != NULL; word++)
		if (word->value == number)
			return word;
	return NULL;
}

/* Numbers are read as msmtp does, by strtol with base 0: 0x1A is 26, 025 is 21. */
static bool
read_number(const struct keyword *keyword, struct str argument, int64_t *number, struct err *err)
{
	struct buf expected = {0};
	char *text = mem_copy(argument.data, argument.size), *end = NULL;
	bool is_good = argument.size > 0 && ascii_is_digit(argument.data[0]);
	long long parsed = 0;

	errno = 0;
	if (is_good)
		parsed = strtoll(text, &end, 0);
	is_good = is_good && errno == 0 && end == text + argument.size && parsed >= keyword->least && parsed <= keyword->most;
	free(text);
	if (is_good) {
		*number = parsed;
		return true;
	}
	buf_add_text(&expected, "a number");
	if (keyword->most < INT32_MAX)
		buf_printf(&expected, " from %lld to %lld", (long long)keyword->least, (long long)keyword->most);
	else
		buf_printf(&expected, " of at least %lld", (long long)keyword->least);
	if (keyword->words != NULL)
		buf_printf(&expected, " and not '%s'", keyword->words[0].word);
	refuse(err, keyword, argument, buf_text(&expected));
	buf_free(&expected);
	return false;
}

/* Seconds of each unit, the largest first, so that a value is printed as it would be written. */
static const struct {
	char letter;
	int seconds;
} units[] = {{'w', 7 * 86400}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

enum { N_UNITS = sizeof(units) / sizeof(units[0]) };

static bool
read_duration(const struct keyword *keyword, struct str argument, int64_t *seconds, struct err *err)
{
	struct str digits = argument;
	struct buf expected = {0};
	uint64_t number = 0;
	int64_t unit = 1;

	for (size_t i = 0; i < N_UNITS && argument.size > 0; i++) {
		if (argument.data[argument.size - 1] != units[i].letter)
			continue;
		unit = units[i].seconds;
		digits = str_first(argument, argument.size - 1);
	}
	if (str_to_number(digits, (uint64_t)(keyword->most / unit), &number) && (int64_t)number * unit >= keyword->least) {
		*seconds = (int64_t)number * unit;
		return true;
	}
	buf_add_text(&expected, "a time such as 90s, 30m, 12h or 5d");
	if (keyword->words != NULL)
		buf_printf(&expected, " and not '%s'", keyword->words[0].word);
	refuse(err, keyword, argument, buf_text(&expected));
	buf_free(&expected);
	return false;
}

static void
add_duration(struct buf *b, int64_t seconds)
{
	size_t i = 0;

	/* Two weeks are 14d to most people. */
	while (i + 1 < N_UNITS && (units[i].letter == 'w' || seconds % units[i].seconds != 0))
		i++;
	buf_printf(b, "%lld%c", (long long)(seconds / units[i].seconds), units[i].letter);
}

static bool
read_text(const struct keyword *keyword, struct str argument, char **text, struct err *err)
{
	const char *expected = NULL;

	if ((keyword->flags & KEYWORD_OFF_UNSETS) != 0 && str_equals(argument, STR("off")))
		return true;
	if (argument.size == 0) {
		*text = (keyword->flags & KEYWORD_KEEPS_EMPTY) != 0 ? mem_copy_string("") : NULL;
		return true;
	}
	if ((keyword->flags & (KEYWORD_IS_SECRET | KEYWORD_IS_COMMAND)) == 0) {
		for (size_t i = 0; i < argument.size; i++)
			if (ascii_is_control(argument.data[i]) && argument.data[i] != '\t')
				return refuse(err, keyword, argument, "free of control characters");
	}
	if (keyword->complain != NULL && (expected = keyword->complain(argument)) != NULL)
		return refuse(err, keyword, argument, expected);
	*text = mem_copy(argument.data, argument.size);
	if ((keyword->flags & KEYWORD_IS_PATH) != 0 && argument.data[0] == '~') {
		char *written = *text;

		*text = file_expand_home(written);
		free(written);
	}
	return true;
}

static bool
read_value(const struct keyword *keyword, struct str argument, struct value *value, struct err *err)
{
	const struct keyword_word *word = find_word(keyword, argument);

	if (argument.size > 0 && memchr(argument.data, '\0', argument.size) != NULL)
		return err_set(err, EX_CONFIG, "%s: the argument holds a NUL byte", keyword->name);
	switch (keyword->type) {
	case KEYWORD_TEXT:
		if (keyword->words == NULL)
			return read_text(keyword, argument, &value->text, err);
		if (word == NULL)
			return refuse_word(err, keyword, argument);
		word = word_of(keyword, word->value);
		value->text = word != NULL ? mem_copy_string(word->word) : NULL;
		return true;
	case KEYWORD_SWITCH:
	case KEYWORD_WORD:
		if (word == NULL)
			return refuse_word(err, keyword, argument);
		value->number = word->value;
		return true;
	case KEYWORD_NUMBER:
	case KEYWORD_LONG:
		if (argument.size == 0 && keyword->empty != NULL)
			return true;
		if (word == NULL && (keyword->flags & KEYWORD_IS_DURATION) != 0)
			return read_duration(keyword, argument, &value->number, err);
		if (word == NULL)
			return read_number(keyword, argument, &value->number, err);
		value->number = word->value;
		return true;
	}
	return true;
}

/* Does an empty argument have no meaning for this row? */
static bool
needs_argument(const struct keyword *keyword)
{
	if ((keyword->flags & KEYWORD_NEEDS_ARGUMENT) != 0)
		return true;
	return keyword->empty == NULL && (keyword->type != KEYWORD_TEXT || keyword->words != NULL);
}

/* What an old name and its argument mean today. */
static bool
translate(const struct keyword_alias *alias, struct str *argument, struct err *err)
{
	bool is_on = argument->size == 0 || str_equals(*argument, STR("on"));

	if (alias->on == NULL)
		return true;
	if (alias->off == NULL && argument->size > 0)
		return err_set(err, EX_CONFIG, "%s: takes no argument", alias->name);
	if (!is_on && !str_equals(*argument, STR("off")))
		return err_set(err, EX_CONFIG, "%s: the argument is neither on nor off", alias->name);
	*argument = str_of(is_on ? alias->on : alias->off);
	return true;
}

/* The size of the setting's name at the front of a word that is none, where a value seems to be glued to it, as in
 * "password=secret"; else of the whole word. */
static size_t
name_size(struct str word)
{
	const struct keyword *keyword;
	size_t size = 0;

	while (size < word.size && (ascii_is_alpha(word.data[size]) || ascii_is_digit(word.data[size]) || word.data[size] == '_'))
		size++;
	if (size == word.size || word.data[size] == '=' || word.data[size] == ':')
		return size;
	keyword = keyword_find(str_first(word, size), NULL);
	return keyword != NULL && (keyword->flags & (KEYWORD_IS_SECRET | KEYWORD_IS_PASSWORD)) != 0 ? size : word.size;
}

static bool
refuse_name(struct str word, struct err *err)
{
	enum { SHOWN_MOST = 60 };
	struct str name = str_first(word, name_size(word));
	const char *nearest = keyword_nearest(name);
	struct buf clean = {0};

	err_add_clean(&clean, str_first(name, SHOWN_MOST));
	/* What follows may be a secret. */
	if (name.size < word.size) {
		err_add_clean(&clean, str_first(str_from(word, name.size), 1));
		buf_add_text(&clean, "...");
	}
	if (nearest != NULL)
		err_set(err, EX_CONFIG, "unknown command '%s' (did you mean '%s'?)", buf_text(&clean), nearest);
	else
		err_set(err, EX_CONFIG, "unknown command '%s'", buf_text(&clean));
	buf_free(&clean);
	return false;
}

bool
value_set(struct account *account, struct str name, struct str argument, struct origin origin, struct err *err)
{
	const struct keyword_alias *alias = keyword_find_alias(name);
	const struct keyword *keyword = NULL;
	struct value value = {0};
	size_t row = 0;

	if (alias != NULL && alias->setting == NULL)
		return true;
	if (alias != NULL && !translate(alias, &argument, err))
		return false;
	keyword = keyword_find(alias != NULL ? str_of(alias->setting) : name, &row);
	if (keyword == NULL)
		return refuse_name(name, err);
	if (argument.size == 0 && needs_argument(keyword))
		return err_set(err, EX_CONFIG, "%s: an argument is missing", keyword->name);
	if (argument.size == 0 && keyword->empty != NULL)
		argument = str_of(keyword->empty);
	if (!read_value(keyword, argument, &value, err))
		return false;
	value_free(account, row);
	store(account, keyword, value);
	account->is_set[row] = true;
	account->origins[row] = origin;
	return true;
}

void
value_reset(struct account *account, size_t row)
{
	const struct keyword *keyword = keyword_at(row);
	struct value value = {0};
	struct err err = {0};

	if (keyword->initial != NULL)
		read_value(keyword, str_of(keyword->initial), &value, &err);
	err_clear(&err);
	store(account, keyword, value);
	account->origins[row] = (struct origin){0};
	account->is_set[row] = false;
}

void
value_copy(struct account *target, const struct account *source, size_t row)
{
	const struct keyword *keyword = keyword_at(row);
	struct value value = load(source, keyword);

	value.text = mem_copy_string(value.text);
	value_free(target, row);
	store(target, keyword, value);
	target->origins[row] = source->origins[row];
}

void
value_free(struct account *account, size_t row)
{
	const struct keyword *keyword = keyword_at(row);
	struct value value = load(account, keyword);

	if (value.text != NULL && (keyword->flags & (KEYWORD_IS_SECRET | KEYWORD_IS_URI)) != 0)
		mem_wipe(value.text, strlen(value.text));
	free(value.text);
	store(account, keyword, (struct value){0});
}

static void
add_without_secret(struct buf *b, const struct keyword *keyword, struct str text)
{
	struct str secret = keyword_secret(keyword, text);
	size_t start = secret.size > 0 ? (size_t)(secret.data - text.data) : text.size;

	buf_add_str(b, str_first(text, start));
	if (secret.size > 0)
		buf_add_char(b, '*');
	buf_add_str(b, str_from(text, start + secret.size));
}

bool
value_add(struct buf *b, const struct account *account, size_t row, bool is_shown)
{
	const struct keyword *keyword = keyword_at(row);
	struct value value = load(account, keyword);
	const struct keyword_word *word = NULL;

	if (keyword->type == KEYWORD_TEXT) {
		if (value.text == NULL)
			return false;
		word = find_word(keyword, str_of(value.text));
		if (is_shown && word != NULL && word->shown != NULL)
			buf_add_text(b, word->shown);
		else
			add_without_secret(b, keyword, str_of(value.text));
		return true;
	}
	word = word_of(keyword, value.number);
	if (word != NULL)
		buf_add_text(b, is_shown && word->shown != NULL ? word->shown : word->word);
	else if (value.number != 0 && (keyword->flags & KEYWORD_IS_DURATION) != 0)
		add_duration(b, value.number);
	else if (value.number != 0)
		buf_printf(b, "%lld", (long long)value.number);
	else
		return false;
	return true;
}
