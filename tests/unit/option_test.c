/* option_test.c - the command line, --help, and the completion scripts. */

#include "config.h"

#include <stdlib.h>

#include "base/file.h"
#include "conf/keyword.h"
#include "conf/option.h"
#include "tap.h"

enum { WORDS_MOST = 32, FILE_SIZE_MOST = 1024 * 1024 };

/* Split `line` at blanks ('' is an empty word) and parse it. getopt_long reorders, so the words are ours. */
static bool
parse(struct request *request, const char *line, struct err *err)
{
	char *words[WORDS_MOST + 1] = {0};
	int n = 0;
	struct str rest = str_of(line), word = {0};
	bool is_good;

	words[n++] = strdup("mailcrane");
	while (n < WORDS_MOST && str_next_word(&rest, &word))
		words[n++] = str_equals(word, STR("''")) ? strdup("") : strndup(word.data, word.size);
	is_good = request_parse(request, n, words, err);
	for (int i = 0; i < n; i++)
		free(words[i]);
	return is_good;
}

static void
refuses(const char *line, const char *expected)
{
	struct request request = {0};
	struct err err = {0};
	bool is_good = parse(&request, line, &err);

	tap_ok(!is_good && err.exit_code == EX_USAGE, "'%s' is a usage error", line);
	tap_is(buf_text(&err.text), expected, "... and says why");
	err_clear(&err);
	request_free(&request);
}

/* The part of it that is about the queue. */
static void
add_queue(struct buf *b, const struct request *request)
{
	static const char *const deliveries[] = {"", " interactive", " background", " queue"};
	static const char *const counts[] = {"", " number", " total"};

	buf_add_text(b, deliveries[request->delivery]);
	buf_add_text(b, counts[request->counts_only]);
	if (request->flush.is_forced)
		buf_add_text(b, " forced");
	if (request->flush.network_up)
		buf_add_text(b, " network-up");
	if (request->flush.all_users)
		buf_add_text(b, " all-users");
	for (size_t i = 0; i < request->flush.n_filters; i++) {
		const struct request_filter *filter = &request->flush.filters[i];

		buf_printf(b, " %s%c=%s", filter->is_negated ? "!" : "", filter->kind, filter->text);
	}
	if (request->target != NULL)
		buf_printf(b, " target=%s", request->target);
	if (request->report_day != NULL)
		buf_printf(b, " day=%s", request->report_day);
	if (request->wants_json)
		buf_add_text(b, " json");
	if (request->repairs)
		buf_add_text(b, " repair");
	if (request->checks_server)
		buf_add_text(b, " server");
}

/* The facts of a request as one line, to compare. */
static void
add_request(struct buf *b, const struct request *request)
{
	static const char *const modes[] = {"send", "serverinfo", "etrn", "print-config", "check", "flush", "mailq", "show", "hold",
	                                    "release", "retry", "remove", "queue-check", "route", "forget-key", "serve",
	                                    "newaliases", "verify", "tls-report", "nothing", "help",
	                                    "version"};

	buf_add_text(b, modes[request->mode]);
	if (request->is_pretending)
		buf_add_text(b, " pretend");
	if (request->is_debugging)
		buf_add_text(b, " debug");
	if (request->reads_recipients)
		buf_add_text(b, " -t");
	if (request->reads_sender)
		buf_add_text(b, " read-envelope-from");
	if (request->config_file != NULL)
		buf_printf(b, " file=%s", request->config_file);
	if (request->account_id != NULL)
		buf_printf(b, " account=%s", request->account_id);
	if (request->sender != NULL)
		buf_printf(b, " sender=%s", request->sender);
	if (request->etrn_argument != NULL)
		buf_printf(b, " etrn=%s", request->etrn_argument);
	add_queue(b, request);
	for (size_t i = 0; i < request->n_message_files; i++)
		buf_printf(b, " message=%s", request->message_files[i]);
	for (size_t i = 0; i < request->n_operands; i++)
		buf_printf(b, " [%s]", request->operands[i]);
}

static void
means(const char *line, const char *expected, const char *sentence)
{
	struct request request = {0};
	struct err err = {0};
	struct buf b = {0};

	if (parse(&request, line, &err))
		add_request(&b, &request);
	else
		buf_add_text(&b, buf_text(&err.text));
	tap_is(buf_text(&b), expected, sentence);
	buf_free(&b);
	err_clear(&err);
	request_free(&request);
}

static void
test_actions(void)
{
	means("a@x b@y", "send [a@x] [b@y]", "operands are recipients");
	means("a@x -t b@y -f c@z", "send -t sender=c@z [a@x] [b@y]", "msmtp 6.22: options may stand behind operands");
	means("-- -a -t", "send [-a] [-t]", "msmtp 6.22: behind -- everything is an operand");
	means("-- --help", "send [--help]", "behind -- there are no long options");
	means("-P -C rc -a work x@y", "send pretend file=rc account=work [x@y]", "-P, -C and -a");
	means("--pretend --file=rc --account=work", "send pretend file=rc account=work", "their long names");
	means("-d x", "send debug [x]", "-d takes no argument of its own");
	means("-d0.1 x", "send debug [x]", "msmtp 6.22: -d0.1 is debug");
	means("-v x", "send debug [x]", "msmtp 6.22: -v is debug");
	means("-f '' x", "send sender= [x]", "msmtp 6.9: -f with an empty argument is the null sender");
	means("-f <> x", "send sender=<> [x]", "msmtp 6.9: -f <> is handed on");
	means("-fa@b x", "send sender=a@b [x]", "an argument may be glued to its letter");
	means("-f a -f b", "send sender=b", "the last one counts");
	means("--message a --message=- x", "send message=a message=- [x]", "--message may be repeated");
	means("--read-env x", "send read-envelope-from [x]", "long names may be shortened");
	means("-S --host=h", "serverinfo", "-S is --serverinfo");
	means("--rmqs=@d", "etrn etrn=@d", "--rmqs has its argument");
	means("--print-config", "print-config", "--print-config");
	means("--check", "check", "--check");
	means("--check=server --json -a x", "check account=x json server", "--check=server");
	means("--help x -a y", "help account=y [x]", "--help goes with everything");
	means("--version --serverinfo x", "version [x]", "--version goes with everything");
	means("", "send", "no argument is no error here");
}

static void
test_ignored(void)
{
	means("-t -i", "send -t", "msmtp 6.23: PHP's -t -i");
	means("-FCronDaemon -i -B8BITMIME -oem user", "send [user]", "msmtp 6.23: cron's options");
	means("-oem -oi -f a -- rcpt", "send sender=a [rcpt]", "msmtp 6.23: mutt's options");
	means("-oi -oem -O x -h 3 -L tag -Ac -B 8BITMIME -A m r", "send [r]", "msmtp 6.22: options with an argument swallow it");
	means("-bm -G -i -m -n r", "send [r]", "msmtp 6.22: options without one do not");
	means("-ti -it r", "send -t [r]", "letters may be clustered");
}

static void
test_queue(void)
{
	means("--flush", "flush", "--flush");
	means("-q", "flush", "sendmail 5.4: -q is --flush");
	means("-qf", "flush forced", "sendmail 5.4: -qf is forced");
	means("--flush --force", "flush forced", "--flush --force is forced");
	means("-q --network-up --all-users", "flush network-up all-users", "what more a flush can be told");
	means("-q15m", "flush", "sendmail 5.4: -q15m is one flush");
	means("-q1h30m", "flush", "sendmail 5.4: so is -q1h30m");
	means("-qGjunk", "flush", "-qG is a plain flush");
	means("-qp5m", "flush", "-qp is a plain flush");
	means("-qL", "flush", "-qL is a plain flush");
	means("-qQ", "flush", "-qQ is a plain flush");
	means("-qIABC", "flush forced I=ABC", "sendmail 5.4: -qI looks at ids, and is forced");
	means("-qRjoe -qS!me", "flush forced R=joe S=!me", "-qR and -qS together; a '!' behind the letter is text");
	means("-q!Rjoe@x", "flush forced !R=joe@x", "sendmail 5.4: -q!R negates");
	means("-qIa -qIb -qIc -qId -qIe -qIf -qIg -qIh", "flush forced I=a I=b I=c I=d I=e I=f I=g I=h", "eight filters");
	means("--mailq", "mailq", "--mailq");
	means("--mailq --json", "mailq json", "--mailq --json");
	means("-bp", "mailq", "sendmail 5.3: -bp is --mailq");
	means("-bpc", "mailq number", "-bpc counts");
	means("-bs", "serve", "-bs speaks SMTP");
	means("-bi", "newaliases", "-bi checks aliases");
	means("-bv a b@c", "verify [a] [b@c]", "-bv has operands");
	means("-bh", "nothing", "-bh does nothing");
	means("-bP", "mailq total", "-bP tells the total");
	means("-bpc -bp", "mailq", "the last -bp counts");
	means("--show=A", "show target=A", "--show");
	means("--show=A --json", "show target=A json", "--show --json");
	means("--queue-check --json", "queue-check json", "--queue-check --json");
	means("--hold=all", "hold target=all", "--hold");
	means("--release=work", "release target=work", "--release");
	means("--retry A B C", "retry target=A [B] [C]", "operands are further ids");
	means("--remove=A --remove=B C", "remove target=A [B] [C]", "a mode that is given again has a further id");
	means("--queue-check", "queue-check", "--queue-check");
	means("--tls-report", "tls-report", "--tls-report");
	means("--tls-report=2026-11-28", "tls-report day=2026-11-28", "--tls-report=2026-11-28");
	means("--queue-check=repair", "queue-check repair", "--queue-check=repair");
	means("--route=a@b.example --json c@d.example", "route target=a@b.example json [c@d.example]", "--route takes addresses");
	means("--forget-key=a:25 b:25", "forget-key target=a:25 [b:25]", "--forget-key");
	means("--help --flush", "help", "--help is stronger than a flush");
	means("-odi r", "send interactive [r]", "-odi");
	means("-odf r", "send interactive [r]", "-odf is -odi");
	means("-odb r", "send background [r]", "-odb");
	means("-odq r", "send queue [r]", "-odq");
	means("-odd r", "send queue [r]", "-odd is -odq");
	means("-o db r", "send background [r]", "-o db is -odb");
	means("-odq -odb r", "send background [r]", "the last -od counts");
	means("-odz -or0s -oQ/tmp -oi -od r", "send [r]", "other options of sendmail have no effect");
	means("-O DeliveryMode=b r", "send background [r]", "-O DeliveryMode=b");
	means("-ODeliveryMode=queue r", "send queue [r]", "-O DeliveryMode=queue");
	means("-Odeliverymode=I r", "send interactive [r]", "-O does not look at case");
	means("-ODeliveryMode= -O QueueDirectory=/tmp r", "send [r]", "other long options of sendmail have no effect");
}

static void
test_queue_refusals(void)
{
	refuses("-qx", "unsupported option -qx");
	refuses("-qf5", "unsupported option -qf5");
	refuses("-qm", "unsupported option -qm");
	refuses("-q!", "unsupported option -q!");
	refuses("-q!f", "unsupported option -q!f");
	refuses("-qI", "option -qI needs the text to look for");
	refuses("-q!S", "option -q!S needs the text to look for");
	refuses("-qI1 -qI2 -qI3 -qI4 -qI5 -qI6 -qI7 -qI8 -qI9", "too many filters: at most 8 of -qI, -qR and -qS");
	refuses("-q a@b", "too many arguments: no message is sent, so there can be no recipients");
	refuses("-q -t", "too many arguments: no message is sent, so there can be no recipients");
	refuses("-bp a@b", "too many arguments: no message is sent, so there can be no recipients");
	refuses("--show=A -t", "too many arguments: no message is sent, so there can be no recipients");
	refuses("--queue-check a", "too many arguments: no message is sent, so there can be no recipients");
	refuses("--flush --message=x", "too many arguments: no message is sent, so --message has no meaning");
	refuses("--remove=", "option --remove needs an argument");
	refuses("--show", "option --show needs an argument");
	refuses("--hold=A --release=A", "cannot use both --hold and --release");
	refuses("--retry=A -q", "cannot use both --retry and --flush");
	refuses("-bp -S", "cannot use both --mailq and --serverinfo");
	refuses("-S --show=A", "cannot use both --serverinfo and --show");
	refuses("--remove=A --queue-check", "cannot use both --remove and --queue-check");
	refuses("--pretend --remove=all", "cannot use both --pretend and --remove");
	refuses("--pretend --queue-check=repair", "cannot use both --pretend and --queue-check");
	refuses("--pretend --tls-report", "cannot use both --pretend and --tls-report");
	refuses("--tls-report --mailq", "cannot use both --tls-report and --mailq");
	refuses("--tls-report yesterday", "too many arguments: no message is sent, so there can be no recipients");
	refuses("--tls-report --json", "--json goes with --mailq, --show, --queue-check, --route and --check");
	refuses("--pretend --forget-key=a:25", "cannot use both --pretend and --forget-key");
	refuses("--forget-key=a:25 -q", "cannot use both --forget-key and --flush");
	refuses("-P -q", "cannot use both --pretend and --flush");
	refuses("--queue-check=mend", "option --queue-check takes no other argument than 'repair'");
	refuses("--force r", "--force goes with --flush");
	refuses("--network-up r", "--network-up goes with --flush");
	refuses("--mailq --all-users", "--all-users goes with --flush");
	refuses("--json r", "--json goes with --mailq, --show, --queue-check, --route and --check");
	refuses("-q --json", "--json goes with --mailq, --show, --queue-check, --route and --check");
	refuses("-bpc --json", "--json does not go with -bpc and -bP");
}

static void
test_settings(void)
{
	struct request request = {0};
	struct err err = {0};
	const struct account *set = &request.overrides;
	size_t row = 0;

	tap_ok(parse(&request, "--host=h --port 587 --tls --tls-starttls=off --auth --set-from-header --logfile= -Fme -Nnever "
	             "-R hdrs -X log --keepbcc --connect-timeout=5 --tls-force-sslv3 x", &err), "settings are options");
	tap_note("%s", buf_text(&err.text));
	tap_ok(strcmp(set->host, "h") == 0 && set->port == 587 && set->tls && !set->tls_starttls && set->auth == AUTH_ON,
	       "their values arrive");
	tap_ok(strcmp(set->from_full_name, "me") == 0 && strcmp(set->dsn_notify, "never") == 0 &&
	       set->dsn_return == DSN_RETURN_HEADERS && strcmp(set->logfile, "log") == 0, "so do those of letters");
	tap_ok(!set->remove_bcc_headers && set->timeout == 5, "old names are options too");
	keyword_find(STR("port"), &row);
	tap_ok(set->is_set[row] && strcmp(set->origins[row].file, "command line") == 0 && set->origins[row].line == 0,
	       "their origin is the command line");
	keyword_find(STR("domain"), &row);
	tap_ok(!set->is_set[row], "what is not given is not set");
	tap_ok(request.n_operands == 1, "an optional argument does not take the next word");
	request_free(&request);
	request_free(&request);
	tap_ok(request.operands == NULL, "a request is freed twice without harm");
	tap_ok(parse(&request, "--logfile=~/log --socket=", &err) && request.overrides.socket == NULL, "an empty argument unsets");
	request_free(&request);
	err_clear(&err);
}

static void
test_refusals(void)
{
	struct request request = {0};
	struct err err = {0};

	refuses("--nosuch x", "unknown option --nosuch");
	refuses("--prot=smtp --tls-sttarttls", "unknown option --tls-sttarttls (did you mean --tls-starttls?)");
	refuses("--set x", "option --set is short for several: --set-from-header, --set-date-header, --set-msgid-header, --set-to-header");
	refuses("-Z", "unknown option -Z");
	refuses("-C", "option -C needs an argument");
	refuses("--port", "option --port needs an argument");
	refuses("--help=x", "option --help takes no argument");
	refuses("--port=x", "command line: port: 'x' is not a number from 1 to 65535");
	refuses("--port=", "command line: port: an argument is missing");
	refuses("--tls=maybe", "command line: tls: 'maybe' is not one of: on off");
	refuses("--ntlmdomain=x", "'ntlmdomain' can only be set in a configuration file, not by --ntlmdomain");
	refuses("--allow-from-override=off", "'allow_from_override' can only be set in a configuration file, not by "
	        "--allow-from-override");
	refuses("--tls-nostarttls", "'tls_nostarttls' can only be set in a configuration file, not by --tls-nostarttls");
	refuses("--password=x", "there is no option --password: the arguments of a process can be read by every user");
	refuses("--proxy-password=x", "there is no option --proxy-password: the arguments of a process can be read by every user");
	refuses("--configure=a@b", "unknown option --configure");
	refuses("-bd", "unsupported operation mode -bd");
	refuses("-bpx", "unsupported operation mode -bpx");
	refuses("-bz", "unsupported operation mode -bz");
	refuses("-bv", "no addresses given");
	refuses("-bs a@b", "too many arguments: no message is sent, so there can be no recipients");
	refuses("-bs -bi", "cannot use both -bs and -bi");
	refuses("-bmx", "unsupported operation mode -bmx");
	refuses("-r x", "unknown option -r");
	refuses("-S --rmqs=x", "cannot use both --serverinfo and --rmqs");
	refuses("--check=all", "option --check takes no other argument than 'server'");
	refuses("--check -P", "cannot use both --pretend and --check");
	refuses("--check r", "too many arguments: no message is sent, so there can be no recipients");
	refuses("--print-config -S", "cannot use both --print-config and --serverinfo");
	refuses("-S a@b", "too many arguments: no message is sent, so there can be no recipients");
	refuses("--rmqs=x -t", "too many arguments: no message is sent, so there can be no recipients");
	refuses("-S --message=x", "too many arguments: no message is sent, so --message has no meaning");
	refuses("-a x --host=h y", "cannot use both --host and --account");
	refuses("--read-envelope-from -f x y", "cannot use both --from and --read-envelope-from");
	parse(&request, "--password=hush", &err);
	tap_ok(strstr(buf_text(&err.text), "hush") == NULL && strstr(buf_text(&err.hint), "hush") == NULL &&
	       strstr(buf_text(&err.hint), "passwordeval") != NULL, "a password is not repeated, and the hint says how to give it");
	err_clear(&err);
	request_free(&request);
	parse(&request, "-bd", &err);
	tap_ok(strstr(buf_text(&err.hint), "mailcrane-flush.timer") != NULL, "-bd names what delivers instead of a daemon");
	err_clear(&err);
	request_free(&request);
}

static void
test_help(void)
{
	struct option_view view = {0};
	struct buf help = {0};
	bool has_all = true;

	option_add_help(&help);
	for (size_t i = 0; option_at(i, &view); i++) {
		struct buf name = {0};

		buf_printf(&name, "--%s", view.name);
		if (!view.is_hidden && strstr(buf_text(&help), buf_text(&name)) == NULL)
			has_all = false;
		buf_free(&name);
	}
	tap_ok(has_all, "--help has every option that is not hidden");
	tap_ok(strstr(buf_text(&help), "--password=") == NULL, "--help has no option for a secret");
	tap_ok(strstr(buf_text(&help), "-X, --logfile=FILE") != NULL, "--help has letters and arguments");
	tap_ok(strstr(buf_text(&help), "\nThe queue, see mailcrane-queue(7):\n  -q, --flush ") != NULL, "--help has a group about the queue");
	buf_free(&help);
}

static void
test_letters(void)
{
	struct option_view view = {0}, other = {0};
	bool is_unique = true;

	for (size_t i = 0; option_at(i, &view); i++)
		for (size_t j = 0; j < i && option_at(j, &other); j++) {
			if (view.letter != 0 && view.letter == other.letter)
				is_unique = false;
			if (view.name[0] != '\0' && !view.is_file_only && !other.is_file_only && strcmp(view.name, other.name) == 0)
				is_unique = false;
		}
	tap_ok(is_unique, "no letter and no name stands for two options");
}

static void
test_completion(const char *shell, const char *name)
{
	const char *folder = getenv("srcdir");
	struct buf path = {0}, written = {0}, made = {0};
	struct err err = {0};

	buf_printf(&path, "%s/completion/%s", folder == NULL ? "." : folder, name);
	if (!file_read_path(buf_text(&path), FILE_SIZE_MOST, &written, &err))
		tap_note("%s", buf_text(&err.text));
	tap_ok(option_add_completion(&made, shell) && str_equals(buf_str(&made), buf_str(&written)),
	       "completion/%s is what the table of options says", name);
	err_clear(&err);
	buf_free(&path);
	buf_free(&written);
	buf_free(&made);
}

int
main(void)
{
	struct buf b = {0};

	test_actions();
	test_ignored();
	test_queue();
	test_queue_refusals();
	test_settings();
	test_refusals();
	test_help();
	test_letters();
	test_completion("bash", "mailcrane.bash");
	test_completion("zsh", "_mailcrane");
	test_completion("fish", "mailcrane.fish");
	tap_ok(!option_add_completion(&b, "csh") && b.size == 0, "there is no script for a shell that is not known");
	return tap_end();
}
