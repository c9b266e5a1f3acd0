/* netrc.c - the text of a .netrc file. Pure. */

#include "config.h"

#include "auth/netrc.h"

struct reader {
	const char *host; /* what is looked for */
	const char *user;
	char *data;
	size_t size;
	size_t at;
	int line; /* of byte `at`, from 1 */
};

struct entry {
	bool is_wanted_host;
	bool is_wanted_user;
	struct str password; /* data NULL: none yet */
};

static bool
is_blank_or_end(char c)
{
	return ascii_is_blank(c) || c == '\n' || c == '\r';
}

static char
next_char(struct reader *reader)
{
	char c = reader->data[reader->at++];

	if (c == '\n')
		reader->line++;
	return c;
}

static void
skip_line(struct reader *reader)
{
	while (reader->at < reader->size && reader->data[reader->at] != '\n')
		reader->at++;
}

/* Take a token's bytes off, moving them over quotes and backslashes from start on. True: it ended as it should. */
static bool
unquote(struct reader *reader, char *start, size_t *size)
{
	bool is_quoted = *start == '"';
	char *end = start;

	if (is_quoted)
		reader->at++;
	while (reader->at < reader->size) {
		char c = reader->data[reader->at];

		if (is_quoted ? c == '"' : is_blank_or_end(c))
			break;
		if (c == '\\' && reader->at + 1 < reader->size)
			reader->at++;
		*end++ = next_char(reader);
	}
	*size = (size_t)(end - start);
	if (!is_quoted)
		return true;
	if (reader->at == reader->size)
		return false;
	reader->at++;
	return true;
}

/* The next token, unquoted in place. Its data is NULL at the end of the text. */
static bool
next_token(struct reader *reader, struct str *token, struct err *err)
{
	size_t size = 0;
	char *start;
	int line;

	*token = (struct str){0};
	while (reader->at < reader->size && is_blank_or_end(reader->data[reader->at]))
		next_char(reader);
	if (reader->at == reader->size)
		return true;
	start = reader->data + reader->at;
	line = reader->line;
	if (!unquote(reader, start, &size))
		return err_set(err, EX_CONFIG, "line %d: the quotation mark is never closed", line);
	*token = str_make(start, size);
	return true;
}

/* The token behind a word that needs one. */
static bool
next_value(struct reader *reader, const char *word, struct str *value, struct err *err)
{
	int line = reader->line;

	if (!next_token(reader, value, err))
		return false;
	return value->data != NULL || err_set(err, EX_CONFIG, "line %d: nothing follows '%s'", line, word);
}

/* A macro ends with an empty line. */
static void
skip_macro(struct reader *reader)
{
	skip_line(reader);
	while (reader->at < reader->size) {
		size_t start;

		next_char(reader);
		start = reader->at;
		skip_line(reader);
		if (str_trim(str_make(reader->data + start, reader->at - start)).size == 0)
			return;
	}
}

static bool
read_word(struct reader *reader, struct str word, struct entry *entry, struct err *err)
{
	struct str value = {0};

	if (str_equals(word, STR("machine"))) {
		if (!next_value(reader, "machine", &value, err))
			return false;
		*entry = (struct entry){.is_wanted_host = str_equals_nocase(value, str_of(reader->host))};
	} else if (str_equals(word, STR("default"))) {
		*entry = (struct entry){0};
	} else if (str_equals(word, STR("login")) || str_equals(word, STR("user"))) {
		if (!next_value(reader, "login", &value, err))
			return false;
		entry->is_wanted_user = str_equals(value, str_of(reader->user));
	} else if (str_equals(word, STR("password"))) {
		if (!next_value(reader, "password", &entry->password, err))
			return false;
	} else if (str_equals(word, STR("account"))) {
		return next_value(reader, "account", &value, err);
	} else if (str_equals(word, STR("macdef"))) {
		skip_macro(reader);
	} else if (word.size > 0 && word.data[0] == '#') {
		skip_line(reader);
	}
	return true;
}

bool
netrc_search(struct buf *text, const char *host, const char *user, struct str *password, struct err *err)
{
	struct reader reader = {.host = host, .user = user, .data = text->data, .size = text->size, .line = 1};
	struct entry entry = {0};
	struct str word = {0};

	*password = (struct str){0};
	while (next_token(&reader, &word, err)) {
		if (word.data == NULL)
			return true;
		if (!read_word(&reader, word, &entry, err))
			return false;
		if (entry.is_wanted_host && entry.is_wanted_user && entry.password.data != NULL) {
			*password = entry.password;
			return true;
		}
	}
	return false;
}
