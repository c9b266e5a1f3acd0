/* help.c - --help and the completion scripts, written from the table of options. Pure. */

#include "config.h"

#include <string.h>

#include "conf/option.h"

enum { HELP_COLUMN = 36 };

static const char usage[] =
	"Usage: mailcrane [OPTION]... [--] RECIPIENT...\n"
	"       mailcrane [OPTION]... -t [--] [RECIPIENT]...\n"
	"       mailcrane [OPTION]... --serverinfo\n"
	"       mailcrane [OPTION]... --check[=server] | --print-config | --route=ADDRESS...\n"
	"       mailcrane [OPTION]... --rmqs=HOST|@DOMAIN|#QUEUE\n"
	"       mailcrane --flush | --mailq | --show=ID | --hold=ID... | --release=ID... | --retry=ID... | --remove=ID...\n"
	"Send the message on standard input to the recipients, by SMTP or LMTP.\n";

/* Append the name of an option's argument, in brackets with '=' when it may be left out. */
static void
add_argument(struct buf *b, const struct option_view *view)
{
	bool is_optional = view->argument == OPTION_OPTIONAL;

	if (view->argument == OPTION_BARE || view->argument == OPTION_ATTACHED)
		return;
	buf_add_text(b, is_optional ? "[=" : "=");
	if (view->metavar != NULL)
		buf_add_text(b, view->metavar);
	else
		keyword_add_words(b, view->setting, '|');
	if (is_optional)
		buf_add_char(b, ']');
}

static void
add_default(struct buf *b, const struct keyword *setting)
{
	const char *text = setting->remark != NULL ? setting->remark : setting->initial;

	if (text != NULL)
		buf_printf(b, " [%s]", text);
}

static void
add_help_line(struct buf *b, const struct option_view *view)
{
	size_t start = b->size;

	if (view->letter != 0)
		buf_printf(b, "  -%c, --%s", view->letter, view->name);
	else
		buf_printf(b, "      --%s", view->name);
	add_argument(b, view);
	if (b->size - start > HELP_COLUMN - 2) {
		buf_add_char(b, '\n');
		start = b->size;
	}
	buf_printf(b, "%*s%s", (int)(HELP_COLUMN - (b->size - start)), "", view->help);
	if (view->setting != NULL)
		add_default(b, view->setting);
	buf_add_char(b, '\n');
}

void
option_add_help(struct buf *b)
{
	struct option_view view = {0};
	const char *last = NULL;

	buf_add_text(b, usage);
	for (size_t i = 0; option_at(i, &view); i++) {
		const char *heading = view.setting != NULL ? "Settings, as in the configuration file, and their defaults" :
		                      view.is_queue ? "The queue, see mailcrane-queue(7)" : "Actions";

		if (view.is_hidden)
			continue;
		if (last == NULL || strcmp(last, heading) != 0)
			buf_printf(b, "\n%s:\n", heading);
		last = heading;
		add_help_line(b, &view);
	}
	buf_add_text(b, "\nOf sendmail: -bm send, -bp list the queue, -bpc count it; -q flush, -qf flush all, -qITEXT -qRTEXT -qSTEXT\n"
	             "flush what has TEXT in its id, a recipient, the sender (-q!...: has not); -odi try before the end, -odb queue\n"
	             "and try in the background, -odq queue only. Other -o and -O are ignored.\n");
	buf_add_text(b, "Accepted and ignored:");
	for (size_t i = 0; option_at(i, &view); i++)
		if (view.letter != 0 && view.keyword == NULL && view.act == OPTION_ACT_IGNORE)
			buf_printf(b, " -%c", view.letter);
	buf_add_char(b, '\n');
}

/* The words a setting's argument may be, with `separator` between them; false when there are none. */
static bool
add_words(struct buf *b, const struct option_view *view, char separator)
{
	return view->setting != NULL && keyword_add_words(b, view->setting, separator);
}

/* "--name|-x", a pattern of case. */
static void
add_case(struct buf *b, const struct option_view *view)
{
	buf_printf(b, "--%s", view->name);
	if (view->letter != 0)
		buf_printf(b, "|-%c", view->letter);
}

static void
add_bash_arguments(struct buf *b)
{
	struct option_view view = {0};

	for (size_t i = 0; option_at(i, &view); i++) {
		struct buf words = {0};

		if (!view.is_hidden && add_words(&words, &view, ' ')) {
			buf_add_text(b, "\t");
			add_case(b, &view);
			buf_printf(b, ")\n\t\tCOMPREPLY=($(compgen -W '%s' -- \"$current\"))\n\t\treturn\n\t\t;;\n", buf_text(&words));
		} else if (!view.is_hidden && view.is_file) {
			buf_add_text(b, "\t");
			add_case(b, &view);
			buf_add_text(b, ")\n\t\tCOMPREPLY=($(compgen -f -- \"$current\"))\n\t\tcompopt -o filenames 2>/dev/null\n"
			             "\t\treturn\n\t\t;;\n");
		}
		buf_free(&words);
	}
}

static void
add_bash(struct buf *b)
{
	struct option_view view = {0};

	buf_add_text(b, "# Completion of mailcrane for bash. Written from the program's table of options.\n\n"
	             "_mailcrane()\n{\n\tlocal current=${COMP_WORDS[COMP_CWORD]} option=\n"
	             "\tlocal previous=${COMP_WORDS[COMP_CWORD-1]}\n\n\tCOMPREPLY=()\n"
	             "\tif [[ $current == = ]]; then\n\t\toption=$previous\n\t\tcurrent=\n"
	             "\telif [[ $previous == = ]]; then\n\t\toption=${COMP_WORDS[COMP_CWORD-2]}\n"
	             "\telse\n\t\tcase $previous in\n\t\t");
	for (size_t i = 0, n = 0; option_at(i, &view); i++) {
		if (view.is_hidden || view.argument != OPTION_REQUIRED)
			continue;
		if (n++ > 0)
			buf_add_char(b, '|');
		add_case(b, &view);
	}
	buf_add_text(b, ")\n\t\t\toption=$previous\n\t\t\t;;\n\t\tesac\n\tfi\n\tcase $option in\n");
	add_bash_arguments(b);
	buf_add_text(b, "\tesac\n\t[[ -n $option ]] && return\n\tif [[ $current == -* ]]; then\n\t\tCOMPREPLY=($(compgen -W '");
	for (size_t i = 0, n = 0; option_at(i, &view); i++)
		if (!view.is_hidden)
			buf_printf(b, "%s--%s%s", n++ > 0 ? " " : "", view.name, view.argument == OPTION_REQUIRED ? "=" : "");
	buf_add_text(b, "' -- \"$current\"))\n\t\t[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null\n\tfi\n"
	             "\treturn 0\n}\n\ncomplete -F _mailcrane mailcrane\n");
}

/* Text inside [...] of an _arguments specification and single quotes. */
static void
add_zsh_text(struct buf *b, const char *text)
{
	for (size_t i = 0; text[i] != '\0'; i++) {
		if (text[i] == '\'')
			buf_add_text(b, "'\\'");
		else if (strchr("[]:\\", text[i]) != NULL)
			buf_add_char(b, '\\');
		buf_add_char(b, text[i]);
	}
}

static void
add_zsh_option(struct buf *b, const struct option_view *view, bool is_letter)
{
	bool is_optional = view->argument == OPTION_OPTIONAL;
	struct buf words = {0};

	buf_add_text(b, " \\\n\t'*");
	if (is_letter)
		buf_printf(b, "-%c%s", view->letter, view->argument == OPTION_REQUIRED ? "+" : "");
	else
		buf_printf(b, "--%s%s", view->name, is_optional ? "=-" : view->argument == OPTION_REQUIRED ? "=" : "");
	buf_add_char(b, '[');
	add_zsh_text(b, view->help);
	buf_add_char(b, ']');
	if (view->argument == OPTION_REQUIRED || is_optional) {
		buf_add_text(b, is_optional ? "::" : ":");
		add_zsh_text(b, view->metavar != NULL ? view->metavar : "word");
		buf_add_char(b, ':');
		if (add_words(&words, view, ' '))
			buf_printf(b, "(%s)", buf_text(&words));
		else if (view->is_file)
			buf_add_text(b, "_files");
	}
	buf_add_char(b, '\'');
	buf_free(&words);
}

static void
add_zsh(struct buf *b)
{
	struct option_view view = {0};

	buf_add_text(b, "#compdef mailcrane\n# Completion of mailcrane for zsh. Written from the program's table of options.\n\n"
	             "_arguments -s -S");
	for (size_t i = 0; option_at(i, &view); i++) {
		if (view.is_hidden)
			continue;
		if (view.letter != 0)
			add_zsh_option(b, &view, true);
		add_zsh_option(b, &view, false);
	}
	buf_add_text(b, " \\\n\t'*:recipient:_email_addresses -c'\n");
}

static void
add_fish_text(struct buf *b, const char *text)
{
	for (size_t i = 0; text[i] != '\0'; i++) {
		if (text[i] == '\'' || text[i] == '\\')
			buf_add_char(b, '\\');
		buf_add_char(b, text[i]);
	}
}

static void
add_fish(struct buf *b)
{
	struct option_view view = {0};

	buf_add_text(b, "# Completion of mailcrane for fish. Written from the program's table of options.\n\n"
	             "complete -c mailcrane -f\n");
	for (size_t i = 0; option_at(i, &view); i++) {
		struct buf words = {0};

		if (view.is_hidden)
			continue;
		buf_printf(b, "complete -c mailcrane -l %s", view.name);
		if (view.letter != 0)
			buf_printf(b, " -s %c", view.letter);
		if (view.is_file)
			buf_add_text(b, " -r -F");
		else if (view.argument == OPTION_REQUIRED)
			buf_add_text(b, " -x");
		if (add_words(&words, &view, ' '))
			buf_printf(b, " -a '%s'", buf_text(&words));
		buf_add_text(b, " -d '");
		add_fish_text(b, view.help);
		buf_add_text(b, "'\n");
		buf_free(&words);
	}
}

bool
option_add_completion(struct buf *b, const char *shell)
{
	static const struct {
		const char *shell;
		void (*add)(struct buf *b);
	} writers[] = {{"bash", add_bash}, {"zsh", add_zsh}, {"fish", add_fish}};

	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		if (strcmp(shell, writers[i].shell) != 0)
			continue;
		writers[i].add(b);
		return true;
	}
	return false;
}
