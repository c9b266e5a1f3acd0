/* rcparse.c - reads the text of a configuration file line by line into accounts. Runs the commands of `eval`
 * lines, which is its only I/O. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/proc.h"
#include "conf/keyword.h"
#include "conf/rcparse.h"
#include "conf/value.h"

enum { EVAL_SECONDS = 120, EVAL_OUTPUT_MOST = 1024 * 1024 };

/* One line taken apart. */
struct line {
	int number;
	struct str keyword;      /* empty for a comment and an empty line */
	struct str argument;     /* without quotes */
	int keyword_column;
	int argument_column;
	bool is_evaluated;       /* it is the output of an `eval` line */
};

/* Where the settings that come go to. */
struct reader {
	struct rcparse *parse;
	struct account defaults;
	bool is_in_defaults;     /* else the last account; before the first one an account `default` comes into being */
	int implicit_line;       /* where that one did; 0: it did not */
};

static struct str
skip_blanks(struct str s)
{
	while (s.size > 0 && ascii_is_blank(s.data[0]))
		s = str_from(s, 1);
	return s;
}

static struct str
strip_blanks(struct str s)
{
	s = skip_blanks(s);
	while (s.size > 0 && ascii_is_blank(s.data[s.size - 1]))
		s.size--;
	return s;
}

static void
split_line(struct str text, struct line *line)
{
	struct str rest = skip_blanks(text);
	size_t end = 0;

	line->keyword = (struct str){0};
	line->argument = (struct str){0};
	line->keyword_column = (int)(text.size - rest.size) + 1;
	if (rest.size == 0 || rest.data[0] == '#')
		return;
	while (end < rest.size && !ascii_is_blank(rest.data[end]))
		end++;
	line->keyword = str_first(rest, end);
	rest = skip_blanks(str_from(rest, end));
	line->argument_column = (int)(text.size - rest.size) + 1;
	line->argument = strip_blanks(rest);
	if (line->argument.size > 1 && line->argument.data[0] == '"' &&
	    line->argument.data[line->argument.size - 1] == '"') {
		line->argument = str_make(line->argument.data + 1, line->argument.size - 2);
		line->argument_column++;
	}
}

/* Take the next line off *text, without its end. */
static bool
next_line(struct str *text, struct str *line)
{
	if (!str_next_token(text, '\n', line))
		return false;
	if (line->size > 0 && line->data[line->size - 1] == '\r')
		line->size--;
	return true;
}

static bool
fail_at(const struct reader *reader, const struct line *line, int column, struct err *err)
{
	return err_prefix(err, "%s:%d:%d%s", reader->parse->name, line->number, column,
	                  line->is_evaluated ? ": output of the command" : "");
}

static struct account *
find_account(const struct rcparse *parse, struct str id)
{
	for (size_t i = 0; i < parse->n_accounts; i++)
		if (str_equals(id, str_of(parse->accounts[i].id)))
			return &parse->accounts[i];
	return NULL;
}

/* A new account that starts from the current defaults; what they set does not count as written in the account. */
static struct account *
add_account(struct reader *reader, struct str id, int line_number)
{
	struct rcparse *parse = reader->parse;
	struct account *account = NULL;

	parse->accounts = mem_resize(parse->accounts, parse->n_accounts + 1, sizeof(*parse->accounts));
	account = &parse->accounts[parse->n_accounts++];
	account_init(account);
	account_copy(account, &reader->defaults);
	memset(account->is_set, 0, sizeof(account->is_set));
	account->id = mem_copy(id.data, id.size);
	account->origin = (struct origin){parse->name, line_number};
	reader->is_in_defaults = false;
	return account;
}

static bool
refuse_parent(const struct rcparse *parse, struct str id, struct err *err)
{
	const struct account *nearest = NULL;
	size_t least = id.size / 2;
	struct buf clean = {0};

	for (size_t i = 0; i + 1 < parse->n_accounts; i++) { /* the last one is the one that asks */
		size_t distance = str_distance(id, str_of(parse->accounts[i].id));

		if (distance <= least) {
			least = distance;
			nearest = &parse->accounts[i];
		}
	}
	err_add_clean(&clean, id);
	if (id.size == 0)
		err_set(err, EX_CONFIG, "account: the name of an account is missing after ':' or ','");
	else if (nearest != NULL)
		err_set(err, EX_CONFIG, "account %s not (yet) defined (did you mean '%s'?)", buf_text(&clean), nearest->id);
	else
		err_set(err, EX_CONFIG, "account %s not (yet) defined", buf_text(&clean));
	buf_free(&clean);
	return false;
}

/* Take over what was written in the accounts of a comma list, later ones over earlier ones. */
static bool
inherit(struct reader *reader, struct account *account, struct str list, struct err *err)
{
	bool is_last = false;

	while (!is_last) {
		size_t end = str_find(list, ',');
		struct str id = strip_blanks(str_first(list, end));
		const struct account *parent = find_account(reader->parse, id);

		is_last = end == list.size;
		list = str_from(list, end + 1);
		if (parent == NULL || parent == account)
			return refuse_parent(reader->parse, id, err);
		account_override(account, parent);
	}
	return true;
}

static bool
check_new_id(const struct reader *reader, struct str id, struct err *err)
{
	const struct account *known = find_account(reader->parse, id);

	if (id.size == 0)
		return err_set(err, EX_CONFIG, "account: the name is missing");
	if (str_find(id, ',') < id.size)
		return err_set(err, EX_CONFIG, "account: a name must not contain colons or commas");
	if (str_has_control(id))
		return err_set(err, EX_CONFIG, "account: a name must not contain control characters");
	if (known == NULL)
		return true;
	err_set(err, EX_CONFIG, "account %s was already defined in line %d", known->id, known->origin.line);
	if (reader->implicit_line > 0 && strcmp(known->id, "default") == 0)
		err_hint(err, "the settings from line %d on come before any 'account' line and so make an account 'default'; "
		         "put 'defaults' or 'account default' above them", reader->implicit_line);
	return false;
}

static bool
begin_account(struct reader *reader, const struct line *line, struct err *err)
{
	size_t colon = str_find(line->argument, ':');
	struct str id = strip_blanks(str_first(line->argument, colon));
	struct account *account = NULL;

	if (!check_new_id(reader, id, err))
		return fail_at(reader, line, line->argument_column, err);
	account = add_account(reader, id, line->number);
	if (colon == line->argument.size)
		return true;
	if (!inherit(reader, account, str_from(line->argument, colon + 1), err))
		return fail_at(reader, line, line->argument_column + (int)colon + 1, err);
	return true;
}

static bool
begin_defaults(struct reader *reader, const struct line *line, struct err *err)
{
	if (line->argument.size > 0) {
		err_set(err, EX_CONFIG, "defaults: takes no argument");
		return fail_at(reader, line, line->argument_column, err);
	}
	reader->is_in_defaults = true;
	return true;
}

static bool
refuse_elsewhere(const struct reader *reader, const struct line *line, struct err *err)
{
	err_set(err, EX_CONFIG, "%.*s: counts in the system's configuration file only", STR_ARG(line->keyword));
	return fail_at(reader, line, line->keyword_column, err);
}

static bool
take_setting(struct reader *reader, const struct line *line, struct err *err)
{
	struct rcparse *parse = reader->parse;
	struct account *account = &reader->defaults;
	const struct keyword *keyword = keyword_find(line->keyword, NULL);
	bool is_known = keyword_is_known(line->keyword);

	if (keyword != NULL && (keyword->flags & KEYWORD_SYSTEM_ONLY) != 0 && !parse->is_system)
		return refuse_elsewhere(reader, line, err);

	if (is_known && !reader->is_in_defaults && parse->n_accounts == 0) {
		add_account(reader, STR("default"), line->number);
		reader->implicit_line = line->number;
	}
	if (!reader->is_in_defaults && parse->n_accounts > 0)
		account = &parse->accounts[parse->n_accounts - 1];
	if (line->is_evaluated && !is_known) { /* likely a password whose keyword was forgotten */
		err_set(err, EX_CONFIG, "its first word, which may be a secret and is not shown, is no keyword");
		err_hint(err, "the command must print a whole line of the configuration, such as 'user joe'");
		return fail_at(reader, line, line->keyword_column, err);
	}
	if (value_set(account, line->keyword, line->argument, (struct origin){parse->name, line->number}, err))
		return true;
	return fail_at(reader, line, is_known ? line->argument_column : line->keyword_column, err);
}

/* Any line but `eval`. */
static bool
take_line(struct reader *reader, const struct line *line, struct err *err)
{
	if (line->keyword.size == 0)
		return true;
	if (str_equals(line->keyword, STR("account")))
		return begin_account(reader, line, err);
	if (str_equals(line->keyword, STR("defaults")))
		return begin_defaults(reader, line, err);
	return take_setting(reader, line, err);
}

/* The line is replaced by the first line of the command's output, which may hold a secret. */
static bool
evaluate(struct reader *reader, const struct line *line, struct err *err)
{
	struct buf output = {0};
	char *command = mem_copy(line->argument.data, line->argument.size);
	const struct proc_command shell = {.line = command, .is_alone = reader->parse->is_alone};
	struct line result = {.number = line->number, .is_evaluated = true};
	struct str text = {0}, first = {0};
	bool is_good = false;

	if (line->argument.size == 0)
		err_set(err, EX_CONFIG, "eval: a command is missing");
	else if (strlen(command) != line->argument.size)
		err_set(err, EX_CONFIG, "eval: the command holds a NUL byte");
	else if (reader->parse->refuses_eval)
		err_set(err, EX_CONFIG, "eval: commands are not run here");
	else
		is_good = proc_run_command(&shell, EVAL_OUTPUT_MOST, clock_deadline(EVAL_SECONDS), &output, err);
	if (is_good && output.size == 0)
		is_good = err_set(err, EX_CONFIG, "eval: the command printed nothing");
	if (!is_good) {
		fail_at(reader, line, line->argument_column, err);
		goto out;
	}
	text = buf_str(&output);
	next_line(&text, &first);
	split_line(first, &result);
	is_good = take_line(reader, &result, err);
out:
	buf_wipe(&output);
	free(command);
	return is_good;
}

bool
rcparse_read(struct rcparse *parse, struct str text, struct err *err)
{
	struct reader reader = {.parse = parse};
	struct line line = {0};
	struct str raw = {0};
	bool is_good = true;

	account_init(&reader.defaults);
	while (is_good && next_line(&text, &raw)) {
		line.number++;
		split_line(raw, &line);
		if (str_equals(line.keyword, STR("eval")))
			is_good = evaluate(&reader, &line, err);
		else
			is_good = take_line(&reader, &line, err);
	}
	account_free(&reader.defaults);
	return is_good;
}

bool
rcparse_has_secret(struct str text)
{
	struct line line = {0};
	struct str raw = {0};

	while (next_line(&text, &raw)) {
		const struct keyword *keyword = NULL;

		split_line(raw, &line);
		keyword = keyword_find(line.keyword, NULL);
		if (keyword != NULL && keyword_secret(keyword, line.argument).size > 0)
			return true;
	}
	return false;
}

struct str
rcparse_last(struct str text, struct str keyword)
{
	struct str raw = {0}, last = {0};
	struct line line = {0};

	while (next_line(&text, &raw)) {
		split_line(raw, &line);
		if (str_equals(line.keyword, keyword))
			last = line.argument;
	}
	return last;
}

void
rcparse_free(struct rcparse *parse)
{
	for (size_t i = 0; i < parse->n_accounts; i++)
		account_free(&parse->accounts[i]);
	free(parse->accounts);
	parse->accounts = NULL;
	parse->n_accounts = 0;
}
