/* classic_test.c - the command line of the sendmail names, option by option. */

#include "config.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"
#include "conf/classic.h"
#include "conf/value.h"
#include "tap.h"

enum { WORDS_MOST = 16 };

static const char *const mode_names[] = {
	[MODE_SEND] = "send", [MODE_FLUSH] = "flush", [MODE_MAILQ] = "mailq", [MODE_SERVE] = "serve",
	[MODE_NEWALIASES] = "newaliases", [MODE_VERIFY] = "verify", [MODE_TLS_REPORT] = "tls-report", [MODE_NOTHING] = "nothing", [MODE_HELP] = "help",
	[MODE_VERSION] = "version"
};

static const char *const delivery_names[] = {
	[DELIVERY_DEFAULT] = "", [DELIVERY_INTERACTIVE] = " interactive", [DELIVERY_BACKGROUND] = " background",
	[DELIVERY_QUEUE] = " queue"
};

static const char *const error_names[] = {
	[ERRORS_PRINT] = "", [ERRORS_MAIL] = " errors=mail", [ERRORS_EXIT] = " errors=exit", [ERRORS_QUIET] = " errors=quiet"
};

static void
add_text(struct buf *b, const char *name, const char *text)
{
	if (text != NULL)
		buf_printf(b, " %s=[%s]", name, text);
}

/* What was understood, but for what is as usual. */
static void
describe(struct buf *b, const struct request *request)
{
	buf_add_text(b, mode_names[request->mode]);
	buf_add_text(b, request->counts_only == COUNT_NUMBER ? " number" : request->counts_only == COUNT_TOTAL ? " total" : "");
	buf_add_text(b, request->reads_recipients ? " t" : "");
	buf_add_text(b, request->ignores_dot ? " dots" : "");
	buf_add_text(b, request->skips_aliases ? " plain" : "");
	buf_add_text(b, request->is_debugging ? " verbose" : "");
	buf_add_text(b, request->tells_version ? " tells" : "");
	buf_add_text(b, delivery_names[request->delivery]);
	buf_add_text(b, error_names[request->errors]);
	add_text(b, "from", request->sender);
	add_text(b, "name", request->overrides.from_full_name);
	add_text(b, "notify", request->overrides.dsn_notify);
	buf_add_text(b, request->overrides.dsn_return == DSN_RETURN_FULL ? " full" : "");
	buf_add_text(b, request->overrides.dsn_return == DSN_RETURN_HEADERS ? " hdrs" : "");
	add_text(b, "envid", request->envid);
	add_text(b, "tag", request->log_tag);
	buf_add_text(b, request->flush.is_forced ? " forced" : "");
	for (size_t i = 0; i < request->flush.n_filters; i++)
		buf_printf(b, " %s%c:%s", request->flush.filters[i].is_negated ? "!" : "", request->flush.filters[i].kind,
		           request->flush.filters[i].text);
	for (size_t i = 0; i < request->n_operands; i++)
		buf_printf(b, " <%s>", request->operands[i]);
	/* Nothing of what the name mailcrane can do. */
	if (request->config_file != NULL || request->account_id != NULL || request->n_message_files > 0 ||
	    request->is_pretending || request->overrides.logfile != NULL || request->overrides.host != NULL ||
	    request->overrides.passwordeval != NULL)
		buf_add_text(b, " MORE");
}

static void
is_read_as(const char *expected, const char *title, char **words, int n)
{
	struct request request = {0};
	struct err err = {0};
	struct buf b = {0};

	if (request_parse(&request, n, words, &err))
		describe(&b, &request);
	else
		buf_printf(&b, "%d: %s", err.exit_code, buf_text(&err.text));
	if (err.hint.size > 0)
		buf_printf(&b, " (hint)");
	tap_ok(strcmp(buf_text(&b), expected) == 0, "%s", title);
	if (strcmp(buf_text(&b), expected) != 0)
		tap_note("it is: %s", buf_text(&b));
	buf_free(&b);
	err_clear(&err);
	request_free(&request);
}

/* is(EXPECTED, TITLE, argv[0], argv[1] ..., NULL) */
static void
is(const char *expected, const char *title, ...)
{
	char *words[WORDS_MOST + 1] = {0};
	va_list arguments;
	int n = 0;

	va_start(arguments, title);
	for (const char *word = va_arg(arguments, const char *); word != NULL && n < WORDS_MOST;
	     word = va_arg(arguments, const char *))
		words[n++] = mem_copy_string(word);
	va_end(arguments);
	is_read_as(expected, title, words, n);
	for (int i = 0; i < n; i++)
		free(words[i]);
}

/* `sendmail WORD r@x` is the message to r@x as if WORD were not there. */
static void
is_ignored(const char *word)
{
	struct buf title = {0};

	buf_printf(&title, "sendmail 1: %s has no effect", word);
	is("send <r@x>", buf_text(&title), "sendmail", word, "r@x", NULL);
	buf_free(&title);
}

/* `sendmail WORD a@x b@x`: the next word is swallowed. */
static void
swallows(const char *word)
{
	struct buf title = {0};

	buf_printf(&title, "sendmail 1: %s swallows the next word", word);
	is("send <b@x>", buf_text(&title), "sendmail", word, "/tmp/x", "b@x", NULL);
	buf_free(&title);
}

static void
is_unknown(char letter)
{
	char word[] = {'-', letter, '\0'};
	struct buf title = {0}, expected = {0};

	buf_printf(&title, "sendmail 1: -%c is refused", letter);
	buf_printf(&expected, "64: unknown option -%c (hint)", letter);
	is(buf_text(&expected), buf_text(&title), "sendmail", word, "r@x", NULL);
	buf_free(&title);
	buf_free(&expected);
}

static void
mode_is_refused(const char *word, bool has_hint)
{
	struct buf title = {0}, expected = {0};

	buf_printf(&title, "sendmail 1: %s is refused", word);
	buf_printf(&expected, "64: unsupported operation mode %s%s", word, has_hint ? " (hint)" : "");
	is(buf_text(&expected), buf_text(&title), "sendmail", word, NULL);
	buf_free(&title);
	buf_free(&expected);
}

static void
test_names(void)
{
	static const struct {
		const char *path;
		enum request_name name;
	} cases[] = {
		{"sendmail", NAME_SENDMAIL}, {"/usr/lib/sendmail", NAME_SENDMAIL}, {"-sendmail", NAME_SENDMAIL},
		{"send-mail", NAME_SENDMAIL}, {"/usr/bin/mailq", NAME_MAILQ}, {"./newaliases", NAME_NEWALIASES},
		{"runq", NAME_RUNQ}, {"mailcrane", NAME_MAILCRANE}, {"msmtp", NAME_MAILCRANE}, {"sendmail2", NAME_MAILCRANE},
		{"sendmail/", NAME_MAILCRANE}, {"sendmail/x", NAME_MAILCRANE}, {"--sendmail", NAME_MAILCRANE}, {"", NAME_MAILCRANE},
		{"Sendmail", NAME_MAILCRANE}, {NULL, NAME_MAILCRANE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		tap_ok(classic_name(cases[i].path) == cases[i].name, "the name '%s'", cases[i].path != NULL ? cases[i].path : "(none)");
	is("send <r@x>", "sendmail sends", "sendmail", "r@x", NULL);
	is("mailq", "mailq lists", "mailq", NULL);
	is("mailq verbose", "mailq takes options of the list", "mailq", "-v", "-Ac", NULL);
	is("64: too many arguments: no message is sent, so there can be no recipients", "sendmail 5.3: mailq has no operands", "mailq",
	   "x", NULL);
	is("newaliases verbose", "newaliases checks", "newaliases", "-v", NULL);
	is("flush", "runq flushes", "runq", NULL);
	is("flush", "runq -q is runq", "runq", "-q15m", NULL);
	is("64: too many arguments: no message is sent, so there can be no recipients", "runq has no operands", "runq", "15m", NULL);
	is("64: -q does not go with another operation", "mailq -q is refused", "mailq", "-q", NULL);
}

static void
test_letters_without_effect(void)
{
	static const char *const words[] = {
		"-Ac", "-Am", "-B8BITMIME", "-B7BIT", "-c", "-D/tmp/x", "-d", "-d0", "-d17.1", "-E", "-Ex", "-G", "-h3", "-hx", "-J",
		"-Jx", "-m", "-om", "-odz", "-oA/etc/x", "-oQ/tmp/q", "-oT3d", "-or0s", "-os", "-ol", "-oo", "-o7", "-o8", "-oX", "-oMrx",
		"-oP", "-oez", "-ez", "-OQueueDirectory=/tmp", "-Oqueuedirectory=/tmp", "-OX=/tmp/x", "-OSMTPUTF8", "-OREQUIRETLS",
		"-psmtp:host", "-U", "-X/tmp/x", "-x", "-bm", "-oif", "-oiFalse",
	};
	static const char *const swallowing[] = {"-A", "-B", "-D", "-h", "-O", "-o", "-p", "-X"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		is_ignored(words[i]);
	for (size_t i = 0; i < sizeof(swallowing) / sizeof(swallowing[0]); i++)
		swallows(swallowing[i]);
	is("send <r@x>", "sendmail 1: -d, -E, -J and -q never take the next word", "sendmail", "-d", "-E", "-J", "r@x", NULL);
	is("send tells <r@x>", "sendmail 1: -d0.1 tells the version", "sendmail", "-d0.1", "r@x", NULL);
	for (const char *letter = "MQSsTPazZgjklKuwWyYH"; *letter != '\0'; letter++)
		is_unknown(*letter);
	is("64: option -f needs an argument (hint)", "an argument that is missing is told", "sendmail", "-f", NULL);
	is("64: option -L needs an argument (hint)", "so is that of -L", "sendmail", "-i", "-L", NULL);
}

static void
test_modes(void)
{
	is("mailq", "-bp lists", "sendmail", "-bp", NULL);
	is("mailq number", "-bpc counts", "sendmail", "-bpc", NULL);
	is("mailq total", "-bP tells the total", "sendmail", "-bP", NULL);
	is("newaliases", "-bi checks aliases", "sendmail", "-bi", NULL);
	is("newaliases", "-I is -bi", "sendmail", "-I", NULL);
	is("nothing", "-bh does nothing", "sendmail", "-bh", NULL);
	is("nothing", "-bH does nothing", "sendmail", "-bH", NULL);
	is("serve dots background errors=mail", "sendmail 38: -bs goes with what its callers give", "sendmail", "-bs", "-i", "-odb",
	   "-oem", NULL);
	is("64: too many arguments: no message is sent, so there can be no recipients", "-bs has no operands", "sendmail", "-bs", "r@x",
	   NULL);
	is("verify <r@x> <s>", "-bv has operands", "sendmail", "-bv", "r@x", "s", NULL);
	is("64: no addresses given", "and needs them", "sendmail", "-bv", NULL);
	is("64: no message is sent, so -t has no meaning", "-t is for sending", "sendmail", "-bv", "-t", "r@x", NULL);
	is("64: too many arguments: no message is sent, so there can be no recipients", "-bp has no operands", "sendmail", "-bp", "r@x",
	   NULL);
	mode_is_refused("-ba", true);
	mode_is_refused("-bd", true);
	mode_is_refused("-bD", true);
	mode_is_refused("-bl", true);
	mode_is_refused("-bt", true);
	mode_is_refused("-bS", true);
	mode_is_refused("-bz", true);
	mode_is_refused("-be", true);
	is("help", "--help alone", "sendmail", "--help", NULL);
	is("version", "--version alone", "mailq", "--version", NULL);
	is("64: there are no long options under this name (hint)", "--help with more is refused", "sendmail", "--help", "r@x", NULL);
	is("64: there are no long options under this name (hint)", "sendmail 64: --passwordeval is refused", "sendmail",
	   "--passwordeval=touch /tmp/p", "-t", NULL);
	is("64: there are no long options under this name (hint)", "behind other options, too", "sendmail", "-t", "-i", "--host=x", NULL);
	is("64: there are no long options under this name (hint)", "in a cluster, too", "sendmail", "-i-host=x", "r@x", NULL);
	is("64: option -C: another configuration file cannot be chosen under this name (hint)", "sendmail 64: -C is refused", "sendmail",
	   "-C/tmp/evil.conf", "-t", NULL);
	is("send t", "-C with the file that is read anyway has no effect", "sendmail", "-C", SYSCONFDIR "/mailcranerc", "-t", NULL);
}

static void
test_queue_runs(void)
{
	is("flush", "-q", "sendmail", "-q", NULL);
	is("flush", "-qTIME", "sendmail", "-q30m", NULL);
	is("flush forced", "-qf", "sendmail", "-qf", NULL);
	is("flush forced I:ab !R:c S:d", "-qI, -q!R, -qS", "sendmail", "-qIab", "-q!Rc", "-qSd", NULL);
	is("flush", "-qG", "sendmail", "-qGslow", NULL);
	is("flush", "-qp", "sendmail", "-qp5m", NULL);
	is("flush", "-bm -q", "sendmail", "-bm", "-q", NULL);
	is("64: too many arguments: no message is sent, so there can be no recipients", "-q never takes the next word, which is an "
	   "operand", "sendmail", "-q", "15m", NULL);
	is("64: no message is sent, so -t has no meaning", "-q -t", "sendmail", "-q", "-t", NULL);
	is("64: -q does not go with another operation", "-bp -q", "sendmail", "-bp", "-q", NULL);
	is("64: -q does not go with another operation", "-q -bs", "sendmail", "-q", "-bs", NULL);
	is("64: unsupported option -qz (hint)", "-qz", "sendmail", "-qz", NULL);
}

static void
test_message_options(void)
{
	is("send t dots <r@x>", "-ti", "sendmail", "-ti", "r@x", NULL);
	is("send t dots <r@x>", "-it", "sendmail", "-it", "r@x", NULL);
	is("send t dots errors=mail", "-tioem", "sendmail", "-tioem", NULL);
	is("send dots <r@x>", "-oi", "sendmail", "-oi", "r@x", NULL);
	is("send dots <r@x>", "-oitrue", "sendmail", "-oitrue", "r@x", NULL);
	is("send dots <r@x>", "-oit is not -t", "sendmail", "-oit", "r@x", NULL);
	is("send dots <r@x>", "-O IgnoreDots=True", "sendmail", "-O", "IgnoreDots=True", "r@x", NULL);
	is("send dots <r@x>", "-O ignoredots", "sendmail", "-Oignoredots", "r@x", NULL);
	is("send <r@x>", "-oi -oif: the last counts", "sendmail", "-oi", "-oif", "r@x", NULL);
	is("send plain <r@x>", "-n", "sendmail", "-n", "r@x", NULL);
	is("send verbose <r@x>", "-v", "sendmail", "-v", "r@x", NULL);
	is("send background <r@x>", "-odb", "sendmail", "-odb", "r@x", NULL);
	is("send interactive <r@x>", "-odf", "sendmail", "-odf", "r@x", NULL);
}

static void
test_errors_and_sender(void)
{
	is("send t dots background errors=mail", "sendmail 33: RT's command line", "sendmail", "-oi", "-ODeliveryMode=b", "-OErrorMode=m",
	   "-t", NULL);
	is("send errors=mail <r@x>", "-oem", "sendmail", "-oem", "r@x", NULL);
	is("send errors=mail <r@x>", "-oew", "sendmail", "-oew", "r@x", NULL);
	is("send errors=exit <r@x>", "-oee", "sendmail", "-oee", "r@x", NULL);
	is("send errors=quiet <r@x>", "-ee is -oee, and the last counts", "sendmail", "-ee", "-oeq", "r@x", NULL);
	is("send errors=quiet <r@x>", "-e q", "sendmail", "-e", "q", "r@x", NULL);
	is("send <r@x>", "-oem -oep: the last counts", "sendmail", "-oem", "-oep", "r@x", NULL);
	is("send from=[a@b] <r@x>", "-fa@b", "sendmail", "-fa@b", "r@x", NULL);
	is("send from=[a@b] <r@x>", "-f a@b", "sendmail", "-f", "a@b", "r@x", NULL);
	is("send from=[a@b] <r@x>", "-r a@b is -f", "sendmail", "-r", "a@b", "r@x", NULL);
	is("send from=[c@d] <r@x>", "-f twice: the last counts", "sendmail", "-fa@b", "-f", "c@d", "r@x", NULL);
	is("send from=[] <r@x>", "-f '' is the null sender and not a missing one", "sendmail", "-f", "", "r@x", NULL);
	is("send from=[<>] <r@x>", "-f<> is the null sender", "sendmail", "-f<>", "r@x", NULL);
	is("send from=[Name <a@b>] <r@x>", "-f with a name is read later", "sendmail", "-f", "Name <a@b>", "r@x", NULL);
	is("65: option -f: '-t' looks like an option and not like an address", "sendmail 6: -f -t", "sendmail", "-f", "-t", "r@x", NULL);
	is("65: option -r: '-x@y' looks like an option and not like an address", "sendmail 6: -r-x@y", "sendmail", "-r-x@y", NULL);
	is("65: option -f: a control character in 'a@b>\\x0d\\nRCPT TO:<v@y'", "sendmail 63: no control character in -f", "sendmail", "-f",
	   "a@b>\r\nRCPT TO:<v@y", "r@x", NULL);
	is("65: recipient: a control character in 'a@b>\\nRCPT TO:<v@y'", "sendmail 63: nor in a recipient", "sendmail",
	   "a@b>\nRCPT TO:<v@y", NULL);
	is("65: option -F: a control character in 'x\\nBcc: v@y'", "sendmail 63: nor in -F", "sendmail", "-F", "x\nBcc: v@y", "r@x", NULL);
	is("65: option -V: a control character in 'x\\x7f'", "sendmail 63: nor in -V", "sendmail", "-Vx\x7f", "r@x", NULL);
	is("send name=[CronDaemon] <r@x>", "-FCronDaemon", "sendmail", "-FCronDaemon", "r@x", NULL);
	is("send name=[A B] <r@x>", "-F 'A B'", "sendmail", "-F", "A B", "r@x", NULL);
	is("send <r@x>", "-F '' is no name", "sendmail", "-F", "", "r@x", NULL);
}

static void
test_dsn_and_log(void)
{
	char envid[101] = "", tag[101] = "";

	memset(envid, 'e', sizeof(envid) - 1);
	memset(tag, 't', sizeof(tag) - 1);
	is("send notify=[failure,delay] hdrs <r@x>", "sendmail 15: -N and -R", "sendmail", "-N", "failure,delay", "-R", "hdrs", "r@x", NULL);
	is("send notify=[never] full <r@x>", "-NNEVER -RFULL in capitals", "sendmail", "-NNEVER", "-RFULL", "r@x", NULL);
	is("64: option -N takes never, or a list of failure, delay and success with commas", "-N sometimes", "sendmail", "-N", "sometimes",
	   "r@x", NULL);
	is("64: option -N takes never, or a list of failure, delay and success with commas", "-N off", "sendmail", "-Noff", "r@x", NULL);
	is("64: option -N takes never, or a list of failure, delay and success with commas", "-N never,delay", "sendmail",
	   "-Nnever,delay", "r@x", NULL);
	is("64: option -R takes full or hdrs", "-R headers", "sendmail", "-Rheaders", "r@x", NULL);
	is("64: option -R takes full or hdrs", "-R off", "sendmail", "-R", "off", "r@x", NULL);
	is("send envid=[a b+c] <r@x>", "-V is taken as it is, for it is encoded later", "sendmail", "-V", "a b+c", "r@x", NULL);
	is("64: option -V takes ASCII characters only", "-V with more than ASCII", "sendmail", "-V\xc3\xa9", "r@x", NULL);
	is("send <r@x>", "-V '' is none", "sendmail", "-V", "", "r@x", NULL);
	envid[98] = '+';
	is("64: option -V takes at most 100 characters as they are sent", "one of 100 that takes 102", "sendmail", "-V", envid, "r@x", NULL);
	is("send tag=[cron] <r@x>", "-L cron", "sendmail", "-Lcron", "r@x", NULL);
	is("send tag=[ab%sc] <r@x>", "-L without what is not printable", "sendmail", "-L", "a\nb %s\x1b" "c\xc3\xa9", "r@x", NULL);
	is("send <r@x>", "-L without anything printable", "sendmail", "-L", "\n", "r@x", NULL);
	is("send tag=[tttttttttttttttttttttttttttttttt] <r@x>", "-L of 100 bytes has 32", "sendmail", "-L", tag, "r@x", NULL);
}

static void
test_operands(void)
{
	struct buf long_text = {0};

	for (size_t i = 0; i < 1000; i++)
		buf_add_char(&long_text, 'a');
	is("send <a@x,b@y> <c@z>", "operands stay as they are", "sendmail", "a@x,b@y", "c@z", NULL);
	is("send dots <-odd@x>", "sendmail 46: behind -- a recipient may begin with '-'", "sendmail", "-i", "--", "-odd@x", NULL);
	is("64: option after recipient: '-t' (hint)", "sendmail 46: an option behind a recipient is none, and refused", "sendmail", "r@x",
	   "-t", NULL);
	is("64: option after recipient: '-OQueueDirectory=/tmp' (hint)", "injected ones, too", "sendmail", "r@x",
	   "-OQueueDirectory=/tmp", "-X/tmp/x", NULL);
	is("64: option after recipient: '--' (hint)", "so is -- behind a recipient", "sendmail", "r@x", "--", "-t", NULL);
	is("64: option after recipient: '-t' (hint)", "an argument that looks like -- does not end options", "sendmail", "-L", "--", "r@x",
	   "-t", NULL);
	is("65: recipient: '-' is no address", "sendmail 1: a lone '-'", "sendmail", "-", NULL);
	is("65: recipient: '-' is no address", "behind --, too", "sendmail", "--", "-", NULL);
	is("send", "no recipients are found missing later", "sendmail", NULL);
	is("65: option -F: the text has more than 998 bytes", "a long argument is refused", "sendmail", "-F", buf_text(&long_text), NULL);
	buf_free(&long_text);
}

static void
test_help(void)
{
	struct buf help = {0};

	classic_add_help(&help);
	tap_ok(strstr(buf_text(&help), "sendmail -bs") != NULL && strstr(buf_text(&help), "\n  --") == NULL,
	       "--help has the letters and no long options");
	buf_free(&help);
}

int
main(void)
{
	test_names();
	test_letters_without_effect();
	test_modes();
	test_queue_runs();
	test_message_options();
	test_errors_and_sender();
	test_dsn_and_log();
	test_operands();
	test_help();
	return tap_end();
}
