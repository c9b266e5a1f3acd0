/* sendmail.c - what the letters behind sendmail's options -b, -o, -O and -q mean here. Pure. */

#include "config.h"

#include <string.h>

#include "base/mem.h"
#include "conf/sendmail.h"

/* What sendmail can do under -bX and this program cannot, and what to do instead. */
static const struct {
	char letter;
	const char *hint;
} foreign_modes[] = {
	{'d', "there is no daemon: the timer mailcrane-flush.timer, or -q in a crontab, delivers what waits"},
	{'D', "there is no daemon: the timer mailcrane-flush.timer, or -q in a crontab, delivers what waits"},
	{'l', "there is no daemon: the timer mailcrane-flush.timer, or -q in a crontab, delivers what waits"},
	{'t', "-bv tells what becomes of an address"},
	{'a', "-bs speaks SMTP on standard input"},
	{'S', "-bs speaks SMTP on standard input"},
};

static const struct {
	const char *argument;
	enum request_mode mode;
	enum request_count counts_only;
} modes[] = {
	{"m", MODE_SEND, COUNT_NONE},
	{"p", MODE_MAILQ, COUNT_NONE},
	{"pc", MODE_MAILQ, COUNT_NUMBER}, /* of Exim */
	{"P", MODE_MAILQ, COUNT_TOTAL},
	{"s", MODE_SERVE, COUNT_NONE},
	{"i", MODE_NEWALIASES, COUNT_NONE},
	{"v", MODE_VERIFY, COUNT_NONE},
	{"h", MODE_NOTHING, COUNT_NONE},
	{"H", MODE_NOTHING, COUNT_NONE},
};

static const struct {
	char letter;
	enum request_errors errors;
} error_modes[] = {
	{'p', ERRORS_PRINT},
	{'m', ERRORS_MAIL},
	{'w', ERRORS_MAIL},
	{'e', ERRORS_EXIT},
	{'q', ERRORS_QUIET},
};

/* The options that have an effect. Under the long name the value may be a word: "background". */
static const struct {
	struct str name;
	char letter;
} long_names[] = {
	{STR("DeliveryMode="), 'd'},
	{STR("ErrorMode="), 'e'},
	{STR("IgnoreDots="), 'i'},
	{STR("IgnoreDots"), 'i'},
};

static const struct {
	char letter;
	enum request_delivery delivery;
} deliveries[] = {
	{'i', DELIVERY_INTERACTIVE},
	{'f', DELIVERY_INTERACTIVE},
	{'b', DELIVERY_BACKGROUND},
	{'q', DELIVERY_QUEUE},
	{'d', DELIVERY_QUEUE},
};

bool
sendmail_mode(const char *argument, enum request_mode *mode, enum request_count *counts_only, struct err *err)
{
	const char *hint = "-bm sends (and is not needed), -bs speaks SMTP, -bp lists the queue, -bi checks aliases, -bv addresses";
	struct buf clean = {0};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argument, modes[i].argument) != 0)
			continue;
		*mode = modes[i].mode;
		if (modes[i].mode == MODE_MAILQ)
			*counts_only = modes[i].counts_only;
		return true;
	}
	for (size_t i = 0; i < sizeof(foreign_modes) / sizeof(foreign_modes[0]); i++)
		if (argument[0] == foreign_modes[i].letter)
			hint = foreign_modes[i].hint;
	err_add_clean(&clean, str_of(argument));
	err_set(err, EX_USAGE, "unsupported operation mode -b%s", buf_text(&clean));
	buf_free(&clean);
	return err_hint(err, "%s", hint);
}

/* "", "t", "true", "yes"; "f" and "no" say the opposite, and all else nothing. */
static void
set_ignores_dot(struct request *request, struct str value)
{
	if (value.size == 0 || str_find(STR("tTyY"), value.data[0]) < 4)
		request->ignores_dot = true;
	else if (str_find(STR("fFnN"), value.data[0]) < 4)
		request->ignores_dot = false;
}

/* A value by its first letter. */
static void
set_mode_of(struct request *request, char option, char value)
{
	for (size_t i = 0; option == 'd' && i < sizeof(deliveries) / sizeof(deliveries[0]); i++)
		if (value == deliveries[i].letter)
			request->delivery = deliveries[i].delivery;
	for (size_t i = 0; option == 'e' && i < sizeof(error_modes) / sizeof(error_modes[0]); i++)
		if (value == error_modes[i].letter)
			request->errors = error_modes[i].errors;
}

void
sendmail_option(struct request *request, const char *argument)
{
	struct str text = str_of(argument), value = str_from(text, 1);
	char option = text.size > 0 ? text.data[0] : '\0';
	bool is_long = false;

	for (size_t i = 0; !is_long && i < sizeof(long_names) / sizeof(long_names[0]); i++) {
		if (!str_starts_with_nocase(text, long_names[i].name))
			continue;
		is_long = true;
		option = long_names[i].letter;
		value = str_from(text, long_names[i].name.size);
	}
	if (option == 'i')
		set_ignores_dot(request, value);
	else if (value.size == 1 || (is_long && value.size > 0))
		set_mode_of(request, option, ascii_lower(value.data[0]));
}

/* "15m", "1h30m", "30". */
static bool
is_time(const char *text)
{
	for (size_t i = 0; text[i] != '\0'; i++)
		if (!ascii_is_digit(text[i]) && (i == 0 || strchr("smhdw", text[i]) == NULL))
			return false;
	return true;
}

static bool
add_filter(struct request_flush *flush, const char *argument, struct err *err)
{
	bool is_negated = argument[0] == '!';
	const char *filter = argument + (is_negated ? 1 : 0);

	if (filter[1] == '\0')
		return err_set(err, EX_USAGE, "option -q%s needs the text to look for", argument);
	if (flush->n_filters == REQUEST_FILTERS_MOST)
		return err_set(err, EX_USAGE, "too many filters: at most %d of -qI, -qR and -qS", REQUEST_FILTERS_MOST);
	flush->filters[flush->n_filters++] = (struct request_filter){filter[0], is_negated, mem_copy_string(filter + 1)};
	flush->is_forced = true;
	return true;
}

bool
sendmail_queue_run(struct request_flush *flush, const char *argument, struct err *err)
{
	struct buf clean = {0};
	char kind;

	if (argument == NULL)
		return true;
	kind = argument[0] == '!' ? argument[1] : argument[0];
	if (kind == 'I' || kind == 'R' || kind == 'S')
		return add_filter(flush, argument, err);
	if (strcmp(argument, "f") == 0)
		flush->is_forced = true;
	if (strcmp(argument, "f") == 0 || is_time(argument) || strchr("GpLQ", argument[0]) != NULL)
		return true;
	err_add_clean(&clean, str_of(argument));
	err_set(err, EX_USAGE, "unsupported option -q%s", buf_text(&clean));
	buf_free(&clean);
	return err_hint(err, "-q delivers what is due, -qf everything, -qITEXT, -qRTEXT and -qSTEXT what has the text in its id, a "
	                "recipient or the sender");
}
