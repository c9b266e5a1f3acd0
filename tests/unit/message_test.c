/* message_test.c - where a message is kept, its facts, its limits, and what happens when reading or writing fails. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "base/file.h"
#include "message_kit.h"

enum { MIB = 1024 * 1024 };

static void
add_many(struct buf *b, const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_add_text(b, line);
}

static void
test_facts(void)
{
	struct message_rules rules = kit_rules();
	struct kit_result result = kit_read(STR("From: a@x\nDate: d\nMessage-ID: <1@x>\n\nab\r\nlongest line\n"), rules, NULL);
	const struct message *m = &result.message;

	tap_is_number(m->size, 53, "size counts the bytes kept");
	tap_is_number(m->header_size, 36, "header_size counts the header section without the empty line");
	tap_is_number(m->wire_size, 59, "wire_size has one byte more for each line");
	tap_is_number(m->longest_line, 17, "longest_line is without the line end, and of the header as well");
	tap_ok(!m->has_8bit_body && !m->has_8bit_header && !m->has_nul && m->is_in_memory && m->is_open,
	       "plain text is plain and in memory");
	kit_free(&result);
	result = kit_read(STR("S: s\n\ncaf\xc3\xa9\n"), rules, NULL);
	tap_ok(result.message.has_8bit_body && !result.message.has_8bit_header,
	       "sendmail 2: 8-bit in the body is told");
	kit_free(&result);
	result = kit_read(STR("S: caf\xc3\xa9\n\nx\n"), rules, NULL);
	tap_ok(!result.message.has_8bit_body && result.message.has_8bit_header, "8-bit in the header is told");
	tap_ok(message_needs_smtputf8(&result.message), "UTF-8 in the header needs SMTPUTF8");
	kit_free(&result);
	result = kit_read(STR("S: caf\xe9\n\nx\n"), rules, NULL);
	tap_ok(result.message.has_8bit_header && !message_needs_smtputf8(&result.message),
	       "octets of another charset do not");
	kit_free(&result);
	result = kit_read(STR("S: s\0\n\na\0b\n"), rules, NULL);
	tap_ok(result.message.has_nul, "sendmail 54: NUL in the body is told");
	kit_free(&result);
	result = kit_read(STR("S: s\0\n\nab\n"), rules, NULL);
	tap_ok(!result.message.has_nul, "NUL in the header is gone");
	kit_free(&result);
}

static void
test_waiver(void)
{
	static const struct {
		struct str text;
		bool is_waived;
		const char *name;
	} cases[] = {
		{KIT_TEXT("TLS-Required: No\n\nx\n"), true, "'TLS-Required: No' is told"},
		{KIT_TEXT("S: s\r\ntls-required : \r\n no\t\r\nX: y\r\n\r\nx\r\n"), true,
	         "case, blanks and folding do not matter"},
		{KIT_TEXT("TLS-Required: Yes\n\nx\n"), false, "another value means nothing"},
		{KIT_TEXT("TLS-Required: No way\n\nx\n"), false, "nor does more than the word"},
		{KIT_TEXT("TLS-Required:\n\nx\n"), false, "nor does none"},
		{KIT_TEXT("X-TLS-Required: No\n\nx\n"), false, "nor does another field"},
		{KIT_TEXT("S: s\n\nTLS-Required: No\n"), false, "nor does a line of the body"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kit_result result = kit_read(cases[i].text, kit_rules(), NULL);

		tap_ok(result.is_well && result.message.waives_tls == cases[i].is_waived, "%s", cases[i].name);
		kit_free(&result);
	}
}

/* A body of n lines behind a short header. */
static void
add_message(struct buf *text, size_t n_lines)
{
	buf_add_text(text, "From: a@x\r\nDate: d\r\nMessage-ID: <1@x>\r\n\r\n");
	for (size_t i = 0; i < n_lines; i++)
		buf_printf(text, "line %zu of many\r\n", i);
}

static void
test_spool(void)
{
	struct buf text = {0};
	struct buf expected = {0};
	struct kit_result result;
	char piece[10];
	struct err err = {0};

	add_message(&text, 100000);
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] != '\r')
			buf_add_char(&expected, text.data[i]);
	}
	result = kit_read(buf_str(&text), kit_rules(), NULL);
	tap_ok(result.is_well && !result.message.is_in_memory && result.message.memory.data == NULL,
	       "a large message is in a spool file");
	tap_ok(str_equals(buf_str(&result.kept), buf_str(&expected)), "and comes back whole");
	tap_is_number(result.message.size, (long long)expected.size, "its size is that of the file");
	tap_is_number(result.message.wire_size, (long long)text.size, "its wire size is that of the CRLF form");
	tap_ok(message_bytes(&result.message, result.message.size - 4, piece, sizeof(piece), &err) == 4 &&
	       memcmp(piece, "any\n", 4) == 0, "bytes are read up to the end");
	tap_ok(message_bytes(&result.message, result.message.size, piece, sizeof(piece), &err) == 0,
	       "behind the end there are none");
	tap_ok(ftruncate(result.message.fd, 100) == 0 &&
	       message_bytes(&result.message, 100, piece, sizeof(piece), &err) == -1 && err.exit_code == EX_IOERR,
	       "a spool file that was cut is EX_IOERR");
	err_clear(&err);
	kit_free(&result);
	{
		struct kit_result whole = kit_read(buf_str(&text), kit_rules(), NULL);
		struct kit_result cut = kit_read_pieces(buf_str(&text), 30000, kit_rules(), NULL);

		tap_ok(kit_is_same(&whole, &cut), "the same is kept when it comes in random pieces");
		kit_free(&whole);
		kit_free(&cut);
	}
	buf_free(&text);
	buf_free(&expected);
}

static void
test_limits(void)
{
	struct message_rules rules = kit_rules();
	struct buf text = {0};
	struct kit_result result;

	buf_add_text(&text, "From: a@x\n");
	add_many(&text, " 0123456789abcdef0123456789abcde\n", (MIB - 10) / 33);
	result = kit_read(buf_str(&text), rules, NULL);
	tap_ok(result.is_well && !result.message.is_in_memory, "a header section of almost 1 MiB is taken");
	kit_free(&result);
	add_many(&text, " 0123456789abcdef0123456789abcde\n", 1);
	result = kit_read(buf_str(&text), rules, NULL);
	tap_ok(!result.is_well && result.err.exit_code == EX_DATAERR,
	       "a header section of more than 1 MiB is EX_DATAERR");
	tap_ok(!result.message.is_open && result.message.memory.data == NULL, "and there is no message then");
	kit_free(&result);
	buf_clear(&text);
	add_many(&text, "A: b\n", 10000);
	result = kit_read(buf_str(&text), rules, NULL);
	tap_ok(result.is_well, "10000 fields are taken");
	kit_free(&result);
	add_many(&text, "A: b\n", 1);
	result = kit_read(buf_str(&text), rules, NULL);
	tap_ok(!result.is_well && result.err.exit_code == EX_DATAERR, "10001 fields are EX_DATAERR");
	kit_free(&result);
	rules.size_limit = 53;
	result = kit_read(STR("From: a@x\nDate: d\nMessage-ID: <1@x>\n\nab\r\nlongest line\n"), rules, NULL);
	tap_ok(result.is_well, "a message as large as the limit is taken");
	kit_free(&result);
	rules.size_limit = 52;
	result = kit_read(STR("From: a@x\nDate: d\nMessage-ID: <1@x>\n\nab\r\nlongest line"), rules, NULL);
	tap_ok(!result.is_well && result.err.exit_code == EX_DATAERR,
	       "a larger one is EX_DATAERR, by the added line end as well");
	kit_free(&result);
	buf_free(&text);
}

static struct kit_result
read_fd(int fd, struct message_rules rules)
{
	struct message_source source = {.fd = fd};

	return kit_read_source(&source, rules);
}

static void
test_read_error(void)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY);
	struct kit_result result = read_fd(fd, kit_rules());

	tap_ok(!result.is_well && result.err.exit_code == EX_IOERR && !result.message.is_open,
	       "protocol 89: a read error is EX_IOERR");
	tap_note("%s", buf_text(&result.err.text));
	kit_free(&result);
	close(fd);
	result = read_fd(-1, kit_rules());
	tap_ok(!result.is_well && result.err.exit_code == EX_IOERR, "a closed descriptor as well");
	kit_free(&result);
}

static void
test_slow_writer(void)
{
	struct kit_result result;
	int ends[2];
	pid_t writer;

	if (pipe2(ends, O_NONBLOCK) != 0 || (writer = fork()) < 0)
		abort();
	if (writer == 0) {
		struct timespec pause = {.tv_nsec = 50000000};

		nanosleep(&pause, NULL);
		_exit(write(ends[1], "S: s\n\nx\n", 8) == 8 ? 0 : 1);
	}
	close(ends[1]);
	result = read_fd(ends[0], kit_rules());
	tap_is(buf_text(&result.kept), KIT_ALL "S: s\n\nx\n", "a descriptor that does not block is waited for");
	kit_free(&result);
	close(ends[0]);
	waitpid(writer, NULL, 0);
}

/* A child writes size bytes after `text` to a pipe; tells whether it could. */
static pid_t
write_beside(int *fd, struct str text, size_t size)
{
	char block[4096] = {0};
	int ends[2];
	pid_t writer;

	if (pipe(ends) != 0 || (writer = fork()) < 0)
		abort();
	if (writer > 0) {
		close(ends[1]);
		*fd = ends[0];
		return writer;
	}
	close(ends[0]);
	memset(block, 'x', sizeof(block));
	if (write(ends[1], text.data, text.size) != (ssize_t)text.size)
		_exit(1);
	for (size_t done = 0; done < size; done += sizeof(block)) {
		if (write(ends[1], block, sizeof(block)) != (ssize_t)sizeof(block))
			_exit(1);
	}
	_exit(0);
}

static void
test_drain(void)
{
	struct message_rules rules = kit_rules();
	struct kit_result result;
	int status = -1;
	int fd = -1;
	pid_t writer;

	rules.size_limit = 1000;
	writer = write_beside(&fd, STR("S: s\n\n"), 3 * MIB);
	result = read_fd(fd, rules);
	tap_ok(!result.is_well, "a message over the limit is refused");
	waitpid(writer, &status, 0);
	tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "sendmail 57: its writer is not killed");
	kit_free(&result);
	close(fd);
	writer = write_beside(&fd, STR(""), 3 * MIB);
	tap_is_number(message_drain(fd, 10000), 3 * MIB, "what is left of a descriptor can be read away");
	waitpid(writer, &status, 0);
	tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "and the writer is not killed");
	close(fd);
	fd = open("/dev/zero", O_RDONLY);
	tap_is_number(message_drain(fd, 10000), 64 * MIB, "of an endless writer 64 MiB are read");
	close(fd);
}

static void
test_lone_dot(void)
{
	struct message_rules rules = kit_rules();
	struct kit_result result;
	int64_t start;
	int ends[2];

	rules.ends_at_lone_dot = true;
	rules.never_adds_date = rules.never_adds_message_id = true;
	kit_is(STR("From: a@x\n\na\n.\nb\n"), rules, STR("From: a@x\n\na\n"),
	       "sendmail 8: a lone dot ends the message");
	kit_is(STR("From: a@x\n.\nb\n"), rules, STR("From: a@x\n\n"),
	       "a lone dot in the header ends the message");
	kit_is(STR("."), rules, STR(KIT_FROM "\n"), "a dot alone is an empty message");
	kit_is(STR("From: a@x\n\n..\n.x\nend\n"), rules, STR("From: a@x\n\n..\n.x\nend\n"),
	       "sendmail 7: dots are not taken off");
	result = kit_read(STR("From: a@x\n\na\n.\nbc\n"), rules, NULL);
	tap_is_number(result.message.ignored_size, 3, "what stands behind the dot is counted");
	kit_free(&result);
	result = kit_read(STR("From: a@x\n.\nbcd\n"), rules, NULL);
	tap_is_number(result.message.ignored_size, 4, "also behind a dot in the header");
	kit_free(&result);
	result = kit_read(STR("From: a@x\n\na\n."), rules, NULL);
	tap_is_number(result.message.ignored_size, 0, "behind a dot at the end there is nothing");
	kit_free(&result);
	if (pipe(ends) != 0 || write(ends[1], "S: s\n\nx\n.\n", 10) != 10)
		abort();
	start = (int64_t)time(NULL);
	result = read_fd(ends[0], rules);
	tap_ok(result.is_well && time(NULL) - start < 5,
	       "a pipe that stays open behind the dot is not waited for");
	kit_free(&result);
	close(ends[0]);
	close(ends[1]);
}

struct decision {
	int n_calls;
	char sender[64];
	size_t n_recipients;
	bool refuses;
};

static bool
decide(void *context, const struct message_found *found, struct message_rules *rules, struct err *err)
{
	struct decision *decision = context;

	decision->n_calls++;
	snprintf(decision->sender, sizeof(decision->sender), "%s", found->sender == NULL ? "" : found->sender);
	decision->n_recipients = found->recipients.n_items;
	rules->message_id_domain = "decided.example";
	rules->never_adds_date = true;
	return !decision->refuses || err_set(err, EX_CONFIG, "no account");
}

static void
test_decide(void)
{
	struct str text = STR("From: a@x\nTo: b@x, c@x\n\nx\n");
	struct message_rules rules = kit_rules();
	struct decision decision = {0};
	struct message_source source = {.fd = kit_file(text), .decide = decide, .context = &decision};
	struct kit_result result;

	rules.reads_sender = rules.reads_recipients = true;
	result = kit_read_source(&source, rules);
	tap_ok(decision.n_calls == 1 && strcmp(decision.sender, "a@x") == 0 && decision.n_recipients == 2,
	       "the decision is made once, knowing sender and recipients");
	tap_is(buf_text(&result.kept),
	       "Message-ID: <R.1637516172@decided.example>\nFrom: a@x\nTo: b@x, c@x\n\nx\n",
	       "and its rules are followed");
	kit_free(&result);
	lseek(source.fd, 0, SEEK_SET);
	decision.refuses = true;
	result = kit_read_source(&source, rules);
	tap_ok(!result.is_well && result.err.exit_code == EX_CONFIG && !result.message.is_open,
	       "a decision against it stops with its cause");
	tap_is_number(lseek(source.fd, 0, SEEK_CUR), (long long)text.size, "and the input was read to its end");
	kit_free(&result);
	close(source.fd);
}

static void
test_write_errors(void)
{
	struct rlimit old = {0};
	struct rlimit small = {0};
	struct buf text = {0};
	struct kit_result result;
	int fd;

	add_message(&text, 50000);
	fd = kit_file(buf_str(&text));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){.rlim_cur = 300000, .rlim_max = old.rlim_max};
	setrlimit(RLIMIT_FSIZE, &small);
	result = read_fd(fd, kit_rules());
	setrlimit(RLIMIT_FSIZE, &old);
	tap_ok(!result.is_well && result.err.exit_code == EX_IOERR && !result.message.is_open,
	       "a spool file that cannot grow is EX_IOERR");
	tap_note("%s", buf_text(&result.err.text));
	tap_ok(strstr(buf_text(&result.err.hint), "TMPDIR") != NULL, "and the hint names TMPDIR");
	tap_is_number(lseek(fd, 0, SEEK_CUR), (long long)text.size, "and the input was read to its end");
	kit_free(&result);
	lseek(fd, 0, SEEK_SET);
	getrlimit(RLIMIT_NOFILE, &old);
	small = (struct rlimit){.rlim_cur = (rlim_t)fd, .rlim_max = old.rlim_max};
	setrlimit(RLIMIT_NOFILE, &small);
	result = read_fd(fd, kit_rules());
	setrlimit(RLIMIT_NOFILE, &old);
	tap_ok(!result.is_well && result.err.exit_code == EX_CANTCREAT && !result.message.is_open,
	       "a spool file that cannot be made is EX_CANTCREAT");
	tap_note("%s", buf_text(&result.err.text));
	kit_free(&result);
	close(fd);
	buf_free(&text);
}

static void
test_free(void)
{
	struct message message = {0};

	message_free(&message);
	message_free(&message);
	tap_ok(true, "a zeroed message is freed, twice");
}

int
main(void)
{
	setenv("TZ", "UTC0", 1);
	test_facts();
	test_waiver();
	test_spool();
	test_limits();
	test_read_error();
	test_slow_writer();
	test_drain();
	test_lone_dot();
	test_decide();
	test_write_errors();
	test_free();
	return tap_end();
}
