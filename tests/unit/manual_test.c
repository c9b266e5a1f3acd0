/* manual_test.c - the manual pages against the tables of settings and options: both say the same.
 *
 * Reads $srcdir/doc/mailcranerc.5 and mailcrane.1 (srcdir is "." unless set). A setting has an entry ".It Ic NAME ..." in the
 * section SETTINGS, an old name one in OLD NAMES, each option stands in an ".It Fl ..." of OPTIONS. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "conf/option.h"
#include "tap.h"

enum { PAGE_MOST = 1024 * 1024 };

/* A page as it is written. */
struct page {
	struct buf text;
	bool is_there;
};

static bool
page_read(struct page *page, const char *name)
{
	const char *folder = getenv("srcdir");
	struct buf path = {0};
	struct err err = {0};

	buf_printf(&path, "%s/doc/%s", folder != NULL ? folder : ".", name);
	page->is_there = file_read_path(buf_text(&path), PAGE_MOST, &page->text, &err);
	tap_ok(page->is_there, "%s can be read", name);
	if (!page->is_there)
		tap_note("%s", buf_text(&err.text));
	err_clear(&err);
	buf_free(&path);
	return page->is_there;
}

/* The text between the line ".Sh HEADING" and the next ".Sh". */
static struct str
section_of(const struct page *page, const char *heading)
{
	struct str rest = buf_str(&page->text), line = {0}, section = {0};
	bool is_inside = false;

	while (str_next_token(&rest, '\n', &line)) {
		if (!str_starts_with(line, STR(".Sh "))) {
			if (is_inside)
				section.size = (size_t)(line.data + line.size - section.data);
			continue;
		}
		if (is_inside)
			break;
		is_inside = str_equals(str_from(line, 4), str_of(heading));
		section = str_make(rest.data, 0);
	}
	return is_inside ? section : (struct str){0};
}

/* Take the next entry ".It MACRO ..." off *rest: its head is the line behind the macro, its text all up to the next entry, the end of
 * the list or the next subsection. */
static bool
next_entry(struct str *rest, struct str macro, struct str *head, struct str *text)
{
	struct str line = {0};

	while (str_next_token(rest, '\n', &line)) {
		struct str start = *rest;

		if (!str_starts_with(line, macro))
			continue;
		*head = str_from(line, macro.size);
		*text = str_make(start.data, 0);
		while (str_next_token(&start, '\n', &line)) {
			if (str_starts_with(line, STR(".It ")) || str_starts_with(line, STR(".Ss ")) ||
			    str_starts_with(line, STR(".El")))
				break;
			text->size = (size_t)(line.data + line.size - text->data);
		}
		return true;
	}
	return false;
}

/* The entry of a name: its head without the name, and its text. */
static bool
find_entry(struct str section, const char *name, struct str *head, struct str *text)
{
	struct str found_head = {0}, found_text = {0}, word = {0};

	while (next_entry(&section, STR(".It Ic "), &found_head, &found_text)) {
		if (!str_next_word(&found_head, &word) || !str_equals(word, str_of(name)))
			continue;
		*head = found_head;
		*text = found_text;
		return true;
	}
	return false;
}

/* Is `word` one of the words of the text, punctuation aside? */
static bool
has_word(struct str text, const char *word)
{
	struct str line = {0}, token = {0};

	while (str_next_token(&text, '\n', &line)) {
		while (str_next_word(&line, &token)) {
			if (str_equals(token, str_of(word)))
				return true;
		}
	}
	return false;
}

static bool
has_phrase(struct str text, const char *phrase)
{
	return text.size > 0 && memmem(text.data, text.size, phrase, strlen(phrase)) != NULL;
}

/* Does the text have a line "Default: EXPECTED" with a '.' behind? Lines that go on are joined by a blank. */
static bool
has_default(struct str text, const char *expected)
{
	struct str line = {0};
	struct buf joined = {0}, wanted = {0};
	bool is_there;

	while (str_next_token(&text, '\n', &line)) {
		if (joined.size == 0 && !str_starts_with(line, STR("Default: ")))
			continue;
		if (str_starts_with(line, STR(".")))
			break;
		if (joined.size > 0)
			buf_add_char(&joined, ' ');
		buf_add_str(&joined, line);
	}
	buf_printf(&wanted, "Default: %s.", expected);
	is_there = str_starts_with(buf_str(&joined), buf_str(&wanted));
	if (!is_there)
		tap_note("the manual has '%s', the table wants '%s'", buf_text(&joined), buf_text(&wanted));
	buf_free(&joined);
	buf_free(&wanted);
	return is_there;
}

static const char *
default_of(const struct keyword *keyword)
{
	if (keyword->remark != NULL)
		return keyword->remark;
	return keyword->initial != NULL ? keyword->initial : "not set";
}

/* Every word that the setting takes is named in its entry. */
static bool
has_all_words(const struct keyword *keyword, struct str head, struct str text)
{
	bool has_all = true;

	for (const struct keyword_word *word = keyword->words; word != NULL && word->word != NULL; word++) {
		if (has_word(head, word->word) || has_word(text, word->word))
			continue;
		tap_note("the word '%s' is missing", word->word);
		has_all = false;
	}
	return has_all;
}

static void
test_settings(struct str section)
{
	for (size_t row = 0; row < keyword_count(); row++) {
		const struct keyword *keyword = keyword_at(row);
		struct str head = {0}, text = {0};
		bool is_there = find_entry(section, keyword->name, &head, &text);
		bool is_no_option = (keyword->flags & (KEYWORD_FILE_ONLY | KEYWORD_IS_SECRET)) != 0;

		tap_ok(is_there, "mailcranerc(5) describes %s", keyword->name);
		if (!is_there)
			continue;
		tap_ok(has_default(text, default_of(keyword)), "the default of %s is the one of the table", keyword->name);
		tap_ok(has_all_words(keyword, head, text), "all words of %s are named", keyword->name);
		if (is_no_option && strcmp(keyword->name, "from") != 0)
			tap_ok(has_phrase(text, "no such option"), "%s is said not to be an option", keyword->name);
	}
}

static void
test_old_names(struct str section)
{
	struct str head = {0}, text = {0};

	for (size_t i = 0; i < keyword_alias_count(); i++) {
		const struct keyword_alias *alias = keyword_alias_at(i);
		bool is_there = find_entry(section, alias->name, &head, &text);

		tap_ok(is_there, "mailcranerc(5) describes the old name %s", alias->name);
		if (is_there && alias->setting != NULL)
			tap_ok(has_word(text, alias->setting), "it says that %s is %s now", alias->name, alias->setting);
	}
}

/* Everything described is in the table. */
static void
test_nothing_else(struct str section, const char *heading)
{
	struct str head = {0}, text = {0}, word = {0};
	bool is_known = true;

	while (next_entry(&section, STR(".It Ic "), &head, &text)) {
		if (str_next_word(&head, &word) && keyword_is_known(word))
			continue;
		tap_note("%.*s", STR_ARG(word));
		is_known = false;
	}
	tap_ok(is_known, "%s describes nothing that the program does not know", heading);
}

/* An option in the head of an entry: the letter, or the name behind a '-'; cut off what stands for the argument. */
static bool
heads_name(struct str section, const char *name)
{
	struct str head = {0}, text = {0}, word = {0};

	while (next_entry(&section, STR(".It Fl "), &head, &text)) {
		while (str_next_word(&head, &word))
			if (str_equals(word, str_of(name)))
				return true;
	}
	return false;
}

static void
test_options(struct str section)
{
	struct option_view view = {0};

	for (size_t i = 0; option_at(i, &view); i++) {
		bool is_secret = view.setting != NULL && (view.setting->flags & KEYWORD_IS_SECRET) != 0;
		char letter[2] = {view.letter, '\0'};
		char name[sizeof(view.name) + 1], phrase[] = {'F', 'l', ' ', view.letter, '\0'};

		/* Some are told in the text: -v with -d, and what is refused. */
		if (view.letter != 0)
			tap_ok(heads_name(section, letter) || (strchr("bqv", view.letter) != NULL && has_phrase(section, phrase)),
			       "mailcrane(1) describes -%s", letter);
		if (view.name[0] == '\0' || view.is_file_only || is_secret)
			continue;
		snprintf(name, sizeof(name), "-%s", view.name);
		tap_ok(heads_name(section, name), "mailcrane(1) describes -%s", name);
	}
}

static bool
is_option(struct str word)
{
	struct option_view view = {0};

	for (size_t i = 0; option_at(i, &view); i++) {
		if (word.size == 1 && word.data[0] == view.letter)
			return true;
		if (word.size > 1 && !view.is_file_only && str_equals(str_from(word, 1), str_of(view.name)))
			return true;
	}
	return str_equals(word, STR("bm"));
}

/* Options in the heads are the words behind "Fl", and those behind " , " that begin with '-' (one macro for several). */
static void
test_no_other_options(struct str section)
{
	struct str head = {0}, text = {0}, word = {0};
	bool is_known = true;

	while (next_entry(&section, STR(".It "), &head, &text)) {
		bool is_name = false;

		while (str_next_word(&head, &word)) {
			bool is_option_word = is_name || (word.size > 1 && word.data[0] == '-');

			is_name = str_equals(word, STR("Fl"));
			if (!is_option_word || is_option(word))
				continue;
			tap_note("%.*s", STR_ARG(word));
			is_known = false;
		}
	}
	tap_ok(is_known, "OPTIONS describes nothing that the program does not know");
}

int
main(void)
{
	struct page settings = {0}, program = {0};

	if (page_read(&settings, "mailcranerc.5")) {
		test_settings(section_of(&settings, "SETTINGS"));
		test_old_names(section_of(&settings, "OLD NAMES"));
		test_nothing_else(section_of(&settings, "SETTINGS"), "SETTINGS");
		test_nothing_else(section_of(&settings, "OLD NAMES"), "OLD NAMES");
	}
	if (page_read(&program, "mailcrane.1")) {
		test_options(section_of(&program, "OPTIONS"));
		test_no_other_options(section_of(&program, "OPTIONS"));
	}
	buf_free(&settings.text);
	buf_free(&program.text);
	return tap_end();
}
