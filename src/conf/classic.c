/* classic.c - the command line of the sendmail names: the letters of sendmail(8), and nothing else. Pure.
 *
 * getopt(3) does the work, told to stop at the first operand. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/classic.h"
#include "conf/sendmail.h"
#include "conf/value.h"

enum {
	TEXT_MOST = 998,            /* bytes of an option's argument that gets to the wire */
	OPERAND_MOST = 128 * 1024,  /* bytes of an operand, which may be a list */
	ENVID_MOST = 100,           /* as xtext (RFC 3461 4.4) */
	TAG_MOST = 32
};

/* The union of what sendmail, Postfix, Exim, OpenSMTPD, dma, nullmailer and msmtp take, but for what would be refused anyway.
 * ':' in front tells a missing argument from an unknown option; "::" is an argument without a blank before it. */
static const char letters[] = "+:A:B:b:C:cD:d::E::e:F:f:Gh:IiJ::L:mN:nO:o:p:q::R:r:tUV:vX:x";

/* The one file that -C may name: it is read anyway. */
static const char default_file[] = SYSCONFDIR "/mailcranerc";

static const struct {
	const char *name;
	enum request_name meaning;
	enum request_mode mode;
} names[] = {
	{"sendmail", NAME_SENDMAIL, MODE_SEND},
	{"send-mail", NAME_SENDMAIL, MODE_SEND},
	{"mailq", NAME_MAILQ, MODE_MAILQ},
	{"newaliases", NAME_NEWALIASES, MODE_NEWALIASES},
	{"runq", NAME_RUNQ, MODE_FLUSH},
};

enum { N_NAMES = sizeof(names) / sizeof(names[0]) };

/* While the options are read. */
struct parse {
	struct request *request;
	bool is_run_wanted;       /* -q */
	bool has_ended_options;   /* by "--" */
};

enum request_name
classic_name(const char *path)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : path;

	if (name != NULL && name[0] == '-')
		name++;
	for (size_t i = 0; name != NULL && i < N_NAMES; i++)
		if (strcmp(name, names[i].name) == 0)
			return names[i].meaning;
	return NAME_MAILCRANE;
}

static enum request_mode
mode_of_name(enum request_name name)
{
	size_t i = 0;

	while (i < N_NAMES - 1 && names[i].meaning != name)
		i++;
	return names[i].mode;
}

static void
replace(char **field, const char *text)
{
	free(*field);
	*field = mem_copy_string(text);
}

/* --- arguments ----------------------------------------------------------------------------------------------------- */

/* `what` is the option or "recipient". */
static bool
is_clean(const char *what, const char *text, size_t most, struct err *err)
{
	struct str whole = str_of(text);
	struct buf clean = {0};

	if (whole.size > most)
		return err_set(err, EX_DATAERR, "%s: the text has more than %zu bytes", what, most);
	if (!str_has_control(whole))
		return true;
	err_add_clean(&clean, str_first(whole, 120));
	err_set(err, EX_DATAERR, "%s: a control character in '%s'", what, buf_text(&clean));
	buf_free(&clean);
	return false;
}

static bool
take_sender(struct request *request, char letter, const char *argument, struct err *err)
{
	const char what[] = {'o', 'p', 't', 'i', 'o', 'n', ' ', '-', letter, '\0'};
	struct buf clean = {0};

	if (!is_clean(what, argument, TEXT_MOST, err))
		return false;
	/* The address was left out, as in "-f -t". */
	if (argument[0] == '-') {
		err_add_clean(&clean, str_of(argument));
		err_set(err, EX_DATAERR, "%s: '%s' looks like an option and not like an address", what, buf_text(&clean));
		buf_free(&clean);
		return false;
	}
	replace(&request->sender, argument);
	return true;
}

static bool
take_setting(struct request *request, const char *name, struct str argument, struct err *err)
{
	const struct origin origin = {"command line", 0};

	return value_set(&request->overrides, str_of(name), argument, origin, err);
}

static bool
take_full_name(struct request *request, const char *argument, struct err *err)
{
	if (!is_clean("option -F", argument, TEXT_MOST, err))
		return false;
	return take_setting(request, "from_full_name", str_of(argument), err);
}

/* The words in small letters, as the settings know them. */
static void
add_small(struct buf *b, const char *text)
{
	for (size_t i = 0; text[i] != '\0'; i++)
		buf_add_char(b, ascii_lower(text[i]));
}

static bool
take_notify(struct request *request, const char *argument, struct err *err)
{
	struct buf words = {0};
	struct err why = {0};
	bool is_good;

	add_small(&words, argument);
	is_good = strcmp(buf_text(&words), "off") != 0 && take_setting(request, "dsn_notify", buf_str(&words), &why);
	err_clear(&why);
	buf_free(&words);
	return is_good || err_set(err, EX_USAGE, "option -N takes never, or a list of failure, delay and success with commas");
}

static bool
take_return(struct request *request, const char *argument, struct err *err)
{
	struct buf word = {0};
	bool is_good;

	add_small(&word, argument);
	is_good = strcmp(buf_text(&word), "full") == 0 || strcmp(buf_text(&word), "hdrs") == 0;
	if (is_good)
		is_good = take_setting(request, "dsn_return", buf_str(&word), err);
	else
		err_set(err, EX_USAGE, "option -R takes full or hdrs");
	buf_free(&word);
	return is_good;
}

/* It goes to the wire as xtext, where a byte that is not a plain one takes three. */
static bool
take_envid(struct request *request, const char *argument, struct err *err)
{
	struct str envid = str_of(argument);
	size_t size = 0;

	if (!is_clean("option -V", argument, TEXT_MOST, err))
		return false;
	if (str_has_8bit(envid))
		return err_set(err, EX_USAGE, "option -V takes ASCII characters only");
	for (size_t i = 0; i < envid.size; i++)
		size += envid.data[i] == '+' || envid.data[i] == '=' || envid.data[i] == ' ' ? 3 : 1;
	if (size > ENVID_MOST)
		return err_set(err, EX_USAGE, "option -V takes at most %d characters as they are sent", ENVID_MOST);
	if (size > 0)
		replace(&request->envid, argument);
	return true;
}

static void
take_tag(struct request *request, const char *argument)
{
	struct buf tag = {0};

	for (size_t i = 0; argument[i] != '\0' && tag.size < TAG_MOST; i++)
		if (argument[i] > ' ' && argument[i] < 0x7f)
			buf_add_char(&tag, argument[i]);
	if (tag.size > 0)
		replace(&request->log_tag, buf_text(&tag));
	buf_free(&tag);
}

static bool
take_file(const char *argument, struct err *err)
{
	if (strcmp(argument, default_file) == 0)
		return true;
	err_set(err, EX_USAGE, "option -C: another configuration file cannot be chosen under this name");
	return err_hint(err, "the name " PACKAGE_NAME " takes -C");
}

/* -eX is -oeX. */
static void
take_error_mode(struct request *request, const char *argument)
{
	struct buf option = {0};

	buf_printf(&option, "e%s", argument);
	sendmail_option(request, buf_text(&option));
	buf_free(&option);
}

static bool
take_run(struct parse *parse, const char *argument, struct err *err)
{
	parse->is_run_wanted = true;
	return sendmail_queue_run(&parse->request->flush, argument, err);
}

static bool
take_option(struct parse *parse, int letter, const char *argument, struct err *err)
{
	struct request *request = parse->request;

	switch (letter) {
	case 'b':
		return sendmail_mode(argument, &request->mode, &request->counts_only, err);
	case 'I':
		request->mode = MODE_NEWALIASES;
		return true;
	case 'q':
		return take_run(parse, argument, err);
	case 'f':
	case 'r':
		return take_sender(request, (char)letter, argument, err);
	case 'F':
		return take_full_name(request, argument, err);
	case 't':
		request->reads_recipients = true;
		return true;
	case 'i':
		request->ignores_dot = true;
		return true;
	case 'n':
		request->skips_aliases = true;
		return true;
	case 'v':
		request->is_debugging = true;
		return true;
	case 'd':
		request->tells_version = argument != NULL && strcmp(argument, "0.1") == 0;
		return true;
	case 'e':
		take_error_mode(request, argument);
		return true;
	case 'o':
	case 'O':
		sendmail_option(request, argument);
		return true;
	case 'N':
		return take_notify(request, argument, err);
	case 'R':
		return take_return(request, argument, err);
	case 'V':
		return take_envid(request, argument, err);
	case 'L':
		take_tag(request, argument);
		return true;
	case 'C':
		return take_file(argument, err);
	default:
		/* A B c D E G h J m p U X x: about things that are not here, or done anyway. What they name is not looked at. */
		return true;
	}
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

/* What getopt did not like: code is '?' or ':', letter what it was about. */
static bool
refuse_option(int code, int letter, struct err *err)
{
	char c = (char)letter;
	struct buf clean = {0};

	if (c == '-') {
		err_set(err, EX_USAGE, "there are no long options under this name");
		return err_hint(err, "--help or --version, and nothing else, tell more; the name " PACKAGE_NAME " has long options");
	}
	err_add_clean(&clean, str_make(&c, 1));
	if (code == ':')
		err_set(err, EX_USAGE, "option -%s needs an argument", buf_text(&clean));
	else
		err_set(err, EX_USAGE, "unknown option -%s", buf_text(&clean));
	buf_free(&clean);
	return c == 's' ? err_hint(err, "mail(1) sends a text with a subject") : err_hint(err, "--help lists the options");
}

/* The index of the first operand in *first. */
static bool
take_options(struct parse *parse, int argc, char **argv, int *first, struct err *err)
{
	bool is_good = true;

	optind = 0; /* glibc and musl: start anew */
	opterr = 0;
	while (is_good) {
		int before = optind > 0 ? optind : 1;
		int code = getopt(argc, argv, letters);

		if (code == -1) {
			parse->has_ended_options = optind > before;
			break;
		}
		is_good = code == '?' || code == ':' ? refuse_option(code, optopt, err) : take_option(parse, code, optarg, err);
	}
	*first = optind;
	return is_good;
}

static bool
take_operand(struct parse *parse, const char *operand, struct err *err)
{
	struct request *request = parse->request;

	if (!is_clean("recipient", operand, OPERAND_MOST, err))
		return false;
	if (strcmp(operand, "-") == 0)
		return err_set(err, EX_DATAERR, "recipient: '-' is no address");
	if (operand[0] == '-' && !parse->has_ended_options) {
		struct buf clean = {0};

		err_add_clean(&clean, str_of(operand));
		err_set(err, EX_USAGE, "option after recipient: '%s'", buf_text(&clean));
		buf_free(&clean);
		return err_hint(err, "options stand before all recipients; before a recipient that begins with '-' there must be '--'");
	}
	request->operands = mem_resize(request->operands, request->n_operands + 1, sizeof(*request->operands));
	request->operands[request->n_operands++] = mem_copy_string(operand);
	return true;
}

/* What cannot go together. */
static bool
check_combination(struct parse *parse, struct err *err)
{
	struct request *request = parse->request;

	if (parse->is_run_wanted && request->mode == MODE_SEND)
		request->mode = MODE_FLUSH;
	if (parse->is_run_wanted && request->mode != MODE_FLUSH)
		return err_set(err, EX_USAGE, "-q does not go with another operation");
	/* Who mended something and types sendmail -q wants to see it work. */
	request->flush.is_all = request->mode == MODE_FLUSH && !request->flush.is_forced;
	if (request->mode == MODE_SEND)
		return true;
	if (request->reads_recipients)
		return err_set(err, EX_USAGE, "no message is sent, so -t has no meaning");
	if (request->mode == MODE_VERIFY)
		return request->n_operands > 0 || err_set(err, EX_USAGE, "no addresses given");
	if (request->n_operands > 0)
		return err_set(err, EX_USAGE, "too many arguments: no message is sent, so there can be no recipients");
	return true;
}

/* --help and --version, if there is nothing else. */
static bool
is_asking(struct request *request, int argc, char **argv)
{
	const char *word = argc == 2 ? argv[1] : "";

	if (strcmp(word, "--help") == 0)
		request->mode = MODE_HELP;
	else if (strcmp(word, "--version") == 0)
		request->mode = MODE_VERSION;
	else
		return false;
	return true;
}

bool
classic_parse(struct request *request, int argc, char **argv, struct err *err)
{
	struct parse parse = {.request = request};
	int first = 0;

	request->mode = mode_of_name(request->name);
	if (is_asking(request, argc, argv))
		return true;
	if (!take_options(&parse, argc, argv, &first, err))
		return false;
	for (int i = first; i < argc; i++)
		if (!take_operand(&parse, argv[i], err))
			return false;
	return check_combination(&parse, err);
}

void
classic_add_help(struct buf *b)
{
	buf_add_text(b,
	    "Usage: sendmail [OPTION...] [--] RECIPIENT...    send the message on standard input\n"
	    "       sendmail [OPTION...] -t [--] [RECIPIENT...]\n"
	    "       mailq, sendmail -bp                       list the queue\n"
	    "       runq, sendmail -q                         deliver what is due in the queue\n"
	    "       newaliases, sendmail -bi                  check the file of aliases\n"
	    "       sendmail -bs                              speak SMTP on standard input and output\n"
	    "       sendmail -bv ADDRESS...                   tell what becomes of addresses\n"
	    "\n"
	    "  -t                 send to the recipients in the header too\n"
	    "  -f, -r ADDRESS     envelope sender; '' or <> is the null one\n"
	    "  -F NAME            full name for a From header that is added\n"
	    "  -i, -oi            a line with a single dot does not end the message\n"
	    "  -odb -odi -odq     deliver in the background, at once, or leave it to the queue\n"
	    "  -oem -oep -oeq -oee\n"
	    "                     what to tell when a message is refused, and how\n"
	    "  -n                 do not look up aliases\n"
	    "  -N LIST, -R RETURN, -V ID\n"
	    "                     delivery status notifications\n"
	    "  -L TAG             name in the system's log\n"
	    "  -v                 print the dialogue with the server on standard error\n"
	    "\n"
	    "Other options of sendmail are taken and have no effect, or are refused: see mailcrane-sendmail(8).\n"
	    "The settings stand in the configuration of mailcrane: see mailcranerc(5).\n");
}
