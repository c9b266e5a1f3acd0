/* dsn_test.c - delivery status notifications: what is in them, and that nothing others said can break them. */

#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "mail/content.h"
#include "mail/dsn.h"
#include "mail/header.h"
#include "message_kit.h"

#define ORIGINAL \
	"From: alice@mail.example.com\n" \
	"To: bob@mail.example.org\n" \
	"Subject: lunch\n" \
	"Date: Sun, 21 Nov 2021 17:36:12 +0000\n" \
	"Message-ID: <1@mail.example.com>\n" \
	"\n" \
	"At noon?\n"

#define LINES_10 "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\n"

enum { PARTS_MOST = 8 };

/* A notification taken apart. */
struct taken {
	struct buf all;
	struct str header;
	struct content content;
	struct str bodies[PARTS_MOST];
	struct str headers[PARTS_MOST];
	size_t n_parts;
	bool has_end;
	size_t longest_line;
	struct err err;
	bool is_well;
};

/* The original, envelope and facts that a case changes. */
struct scene {
	struct kit_result original;
	struct envelope envelope;
	struct dsn dsn;
};

static struct recipient *
add_recipient(struct scene *scene, const char *mailbox, int code, const char *text)
{
	struct recipient *recipient;

	envelope_add(&scene->envelope, mailbox);
	recipient = &scene->envelope.recipients[scene->envelope.n_recipients - 1];
	recipient->outcome.state = code / 100 == 5 ? OUTCOME_FAILED : code / 100 == 4 ? OUTCOME_DEFERRED : OUTCOME_PENDING;
	if (code / 100 == 2)
		recipient->outcome.state = OUTCOME_DELIVERED;
	recipient->outcome.stage = OUTCOME_AT_RCPT;
	recipient->outcome.reply_code = code;
	snprintf(recipient->outcome.text, sizeof(recipient->outcome.text), "%s", text);
	snprintf(recipient->outcome.host, sizeof(recipient->outcome.host), "smtp.example.net");
	return recipient;
}

static void
open_scene(struct scene *scene, struct str original)
{
	struct message_rules rules = {.now = 1637516172, .never_adds_date = true, .never_adds_from = true,
	                              .never_adds_message_id = true};

	*scene = (struct scene){.original = kit_read(original, rules, NULL)};
	if (!scene->original.is_well)
		abort();
	scene->envelope.reverse_path = mem_copy_string("alice@mail.example.com");
	scene->dsn = (struct dsn){.action = DSN_FAILED, .message_id = "<1@mail.example.com>",
	                          .queue_id = "1CDEF0123456789ABCD", .reporting_host = "box.example.com",
	                          .id_domain = "box.example.com", .from_name = "mailcrane on box.example.com",
	                          .from_mailbox = "MAILER-DAEMON@box.example.com", .to_mailbox = "alice@mail.example.com",
	                          .arrival = 1637516172, .tried = 1637519772, .now = 1637519773, .unique = "U1"};
}

static void
close_scene(struct scene *scene)
{
	kit_free(&scene->original);
	envelope_free(&scene->envelope);
}

/* Split the body at the delimiters, to the letter of RFC 2046. */
static void
split(struct taken *taken, struct str body)
{
	struct buf delimiter = {0};
	struct str rest = body;
	const char *part = NULL;
	struct str line = {0};

	buf_printf(&delimiter, "--%s", taken->content.boundary != NULL ? taken->content.boundary : "?");
	while (str_next_token(&rest, '\n', &line)) {
		if (!str_starts_with(line, buf_str(&delimiter)))
			continue;
		if (part != NULL && taken->n_parts < PARTS_MOST) {
			/* The line end in front of the delimiter is the delimiter's. */
			struct str whole = str_make(part, (size_t)(line.data - part) - (line.data > part ? 1 : 0));
			size_t size = header_section_size(whole);

			taken->headers[taken->n_parts] = str_first(whole, size);
			taken->bodies[taken->n_parts++] = str_from(whole, size + 1);
		}
		part = line.data + line.size + 1;
		taken->has_end = line.size == delimiter.size + 2;
		if (taken->has_end)
			break;
	}
	taken->has_end = taken->has_end && rest.size == 0;
	buf_free(&delimiter);
}

static struct taken
take(struct scene *scene)
{
	struct taken taken = {0};
	struct str rest;
	struct str line = {0};

	scene->dsn.envelope = &scene->envelope;
	scene->dsn.message = &scene->original.message;
	taken.is_well = dsn_add(&taken.all, &scene->dsn, &taken.err);
	rest = buf_str(&taken.all);
	taken.header = str_first(rest, header_section_size(rest));
	content_read(&taken.content, taken.header, false);
	split(&taken, str_from(rest, taken.header.size));
	while (str_next_token(&rest, '\n', &line))
		if (line.size > taken.longest_line)
			taken.longest_line = line.size;
	return taken;
}

static void
take_free(struct taken *taken)
{
	buf_free(&taken->all);
	content_free(&taken->content);
	err_clear(&taken->err);
}

static bool
contains(struct str text, const char *words)
{
	return text.size > 0 && memmem(text.data, text.size, words, strlen(words)) != NULL;
}

static bool
check_contains(struct str text, const char *words, const char *name)
{
	bool holds = tap_ok(contains(text, words), "%s", name);

	if (!holds)
		tap_note("not in: %.*s", STR_ARG(text));
	return holds;
}

/* Three parts and an end, whatever happened. */
static bool
is_sound(const struct taken *taken)
{
	return taken->is_well && taken->content.kind == CONTENT_MULTIPART && taken->n_parts == 3 && taken->has_end &&
	       taken->longest_line <= 998;
}

static void
test_failure(void)
{
	struct scene scene;
	struct taken taken;
	struct recipient *bob;

	open_scene(&scene, STR(ORIGINAL));
	scene.dsn.retry_until = 1637516172 + 5 * 86400;
	bob = add_recipient(&scene, "bob@mail.example.org", 550, "no such user here");
	bob->outcome.enhanced[0] = 5;
	bob->outcome.enhanced[1] = 1;
	bob->outcome.enhanced[2] = 1;
	add_recipient(&scene, "carol@mail.example.org", 250, "taken");
	taken = take(&scene);
	tap_ok(is_sound(&taken), "a notification has three parts");
	check_contains(taken.header, "Content-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"", "and is a multipart/report");
	check_contains(taken.header, "From: \"mailcrane on box.example.com\" <MAILER-DAEMON@box.example.com>\n", "it comes from the mail system");
	check_contains(taken.header, "\nTo: alice@mail.example.com\n", "it goes to the sender");
	check_contains(taken.header, "\nSubject: Undelivered Mail Returned to Sender\n", "its subject says what it is");
	check_contains(taken.header, "\nAuto-Submitted: auto-replied\n", "it is marked as written by a program");
	check_contains(taken.header, "\nMessage-ID: <U1.dsn@box.example.com>\n", "it has a Message-ID of its own");
	check_contains(taken.header, "\nIn-Reply-To: <1@mail.example.com>\nReferences: <1@mail.example.com>\n", "it belongs to the thread of the original");
	check_contains(taken.header, "\nMIME-Version: 1.0\n", "it is MIME");
	check_contains(taken.header, "Date: Sun, 21 Nov 2021 ", "it has a date");
	tap_ok(!contains(taken.header, "8bit"), "nothing is declared 8bit when all is ASCII");
	check_contains(taken.bodies[0], "could not be delivered to this recipient, and will not be tried again", "people read that it will not be tried again");
	check_contains(taken.bodies[0], "<bob@mail.example.org>\n    refused by smtp.example.net (recipient):\n    550 5.1.1 no such user here\n", "people read the reply as it came");
	check_contains(taken.bodies[0], "Queue id: 1CDEF0123456789ABCD\n", "people read the queue id");
	check_contains(taken.bodies[0], "mailcrane --retry=1CDEF0123456789ABCD\n", "and how to try again");
	check_contains(taken.bodies[0], "about your message of\nSun, 21 Nov 2021 ", "and which message it is about");
	check_contains(taken.bodies[0], "delivered to 1 other recipient.", "people read that others got it");
	check_contains(taken.headers[1], "Content-Type: message/delivery-status\n", "the second part is for programs");
	tap_ok(str_starts_with(taken.bodies[1], STR("Reporting-MTA: dns; box.example.com\n"
	                                           "X-Mailcrane-Queue-ID: 1CDEF0123456789ABCD\n"
	                                           "Arrival-Date: Sun, 21 Nov 2021 ")), "it begins with the fields about the message");
	check_contains(taken.bodies[1], "\n\nFinal-Recipient: rfc822; bob@mail.example.org\nAction: failed\nStatus: 5.1.1\n"
	                                "Remote-MTA: dns; smtp.example.net\nDiagnostic-Code: smtp; 550 5.1.1 no such user here\n"
	                                "Last-Attempt-Date: Sun, 21 Nov 2021 ", "and goes on with those about the recipient");
	tap_ok(!contains(taken.bodies[1], "carol") && !contains(taken.bodies[1], "Original-") && !contains(taken.bodies[1], "Will-Retry"),
	       "no field is there without a reason");
	check_contains(taken.headers[2], "Content-Type: message/rfc822\n", "the third part is a message");
	tap_ok(str_equals(taken.bodies[2], STR(ORIGINAL)), "a small original is returned to the letter");
	take_free(&taken);
	scene.dsn.to_mailbox = "postmaster@mail.example.com";
	taken = take(&scene);
	check_contains(taken.bodies[0], "about the message from\n<alice@mail.example.com> of\n", "somebody else reads whose message it is about");
	tap_ok(dsn_is_own("<U1.dsn@box.example.com>") && !dsn_is_own("<1@mail.example.com>") && !dsn_is_own(NULL), "its Message-ID tells that it is ours");
	take_free(&taken);
	close_scene(&scene);
}

static void
test_wishes(void)
{
	struct scene scene;
	struct taken taken;
	struct recipient *bob;

	open_scene(&scene, STR(ORIGINAL));
	bob = add_recipient(&scene, "bob@mail.example.org", 550, "");
	bob->outcome.host[0] = '\0';
	bob->outcome.reply_code = 0;
	bob->outcome.stage = OUTCOME_LOCALLY;
	outcome_set_text(&bob->outcome, STR("the message is too large"));
	bob->original = mem_copy_string("team@mail.example.com");
	scene.envelope.envid = mem_copy_string("QQ  =314+159");
	scene.dsn.tried = 0;
	taken = take(&scene);
	check_contains(taken.bodies[1], "\nOriginal-Envelope-Id: QQ  =314+159\n", "the envelope's id is told as the sender wrote it (RFC 3461 6.3)");
	check_contains(taken.bodies[1], "\n\nOriginal-Recipient: rfc822; team@mail.example.com\nFinal-Recipient: rfc822; bob@mail.example.org\n",
	               "the original recipient is told");
	check_contains(taken.bodies[1], "\nStatus: 5.0.0\nDiagnostic-Code: x-mailcrane; the message is too large\n",
	               "without a reply there is a general status, and our words are not passed off as the server's");
	tap_ok(!contains(taken.bodies[1], "Remote-MTA"), "without a host no host is told");
	tap_ok(!contains(taken.bodies[1], "Last-Attempt-Date"), "without an attempt no time of one");
	check_contains(taken.bodies[0], "<bob@mail.example.org> (sent to <team@mail.example.com>)\n    given up:\n    the message is too large\n",
	               "people read what was the matter here");
	take_free(&taken);
	close_scene(&scene);

	open_scene(&scene, STR(ORIGINAL));
	add_recipient(&scene, "bob@mail.example.org", 550, "no");
	add_recipient(&scene, "carol@mail.example.org", 450, "later");
	bob = &scene.envelope.recipients[0];
	tap_ok(dsn_is_wanted(&scene.envelope, DSN_FAILED), "whoever said nothing is told of a failure");
	tap_ok(dsn_is_wanted(&scene.envelope, DSN_DELAYED), "and of a delay");
	bob->notify = NOTIFY_NEVER;
	tap_ok(!dsn_is_wanted(&scene.envelope, DSN_FAILED), "NOTIFY=NEVER silences");
	bob->notify = NOTIFY_SUCCESS | NOTIFY_DELAY;
	tap_ok(!dsn_is_wanted(&scene.envelope, DSN_FAILED), "NOTIFY without FAILURE silences");
	bob->notify = NOTIFY_FAILURE;
	tap_ok(dsn_is_wanted(&scene.envelope, DSN_FAILED), "NOTIFY=FAILURE wants it");
	scene.envelope.recipients[1].notify = NOTIFY_FAILURE;
	tap_ok(!dsn_is_wanted(&scene.envelope, DSN_DELAYED), "NOTIFY without DELAY silences that of a delay");
	scene.envelope.recipients[1].notify = NOTIFY_DELAY;
	tap_ok(dsn_is_wanted(&scene.envelope, DSN_DELAYED), "NOTIFY=DELAY wants it");
	add_recipient(&scene, "dave@mail.example.org", 551, "gone")->notify = NOTIFY_NEVER;
	taken = take(&scene);
	tap_ok(contains(taken.bodies[1], "bob@") && !contains(taken.bodies[0], "dave@") && !contains(taken.bodies[1], "dave@"),
	       "who asked for silence is not in the notification about another");
	take_free(&taken);
	close_scene(&scene);
}

static void
test_delay(void)
{
	struct scene scene;
	struct taken taken;
	struct recipient *carol;

	open_scene(&scene, STR(ORIGINAL));
	scene.dsn.action = DSN_DELAYED;
	scene.dsn.retry_until = 1637516172 + 5 * 86400;
	add_recipient(&scene, "bob@mail.example.org", 550, "no");
	carol = add_recipient(&scene, "carol@mail.example.org", 451, "greylisted");
	carol->outcome.may_be_duplicate = true;
	add_recipient(&scene, "dave@mail.example.org", 0, "");
	taken = take(&scene);
	tap_ok(is_sound(&taken), "a notification about a delay has three parts");
	check_contains(taken.header, "\nSubject: Delayed Mail (still being retried)\n", "its subject says that it is about a delay");
	check_contains(taken.bodies[0], "It will be tried again until\nFri, 26 Nov 2021 ", "people read until when it will be tried");
	check_contains(taken.bodies[0], "There is nothing for you to do.", "people read that they need not do anything");
	check_contains(taken.bodies[0], "    not taken for now by smtp.example.net (recipient):\n    451 greylisted\n", "people read why");
	check_contains(taken.bodies[0], "may have arrived nevertheless", "people read that it may have arrived");
	check_contains(taken.bodies[0], "<dave@mail.example.org>\n    not tried yet\n", "people read who was not tried");
	check_contains(taken.bodies[1], "Final-Recipient: rfc822; carol@mail.example.org\nAction: delayed\nStatus: 4.0.0\n", "the action is delayed");
	check_contains(taken.bodies[1], "\nWill-Retry-Until: Fri, 26 Nov 2021 ", "programs read until when it will be tried");
	tap_ok(!contains(taken.bodies[1], "bob@"), "who failed is not in it");
	check_contains(taken.headers[2], "Content-Type: text/rfc822-headers\n", "the header section alone is returned");
	tap_ok(str_equals(taken.bodies[2], str_first(STR(ORIGINAL), strlen(ORIGINAL) - strlen("\nAt noon?\n"))), "to the letter");
	take_free(&taken);
	scene.envelope.wants_full_return = true;
	taken = take(&scene);
	check_contains(taken.headers[2], "Content-Type: message/rfc822\n", "RET=FULL returns the whole");
	take_free(&taken);
	close_scene(&scene);
}

static void
test_sizes(void)
{
	struct scene scene;
	struct taken taken;
	struct buf large = {0};

	buf_add_text(&large, ORIGINAL);
	while (large.size <= DSN_WHOLE_MOST)
		buf_add_text(&large, LINES_10);
	open_scene(&scene, buf_str(&large));
	add_recipient(&scene, "bob@mail.example.org", 552, "too large");
	taken = take(&scene);
	check_contains(taken.headers[2], "Content-Type: text/rfc822-headers\n", "of a large original only the header section is returned");
	tap_ok(is_sound(&taken) && taken.all.size < 4096, "and the notification is small");
	take_free(&taken);
	scene.envelope.wants_full_return = true;
	taken = take(&scene);
	tap_ok(str_equals(taken.bodies[2], buf_str(&large)) && is_sound(&taken), "unless RET=FULL asks for it");
	take_free(&taken);
	while (large.size < 300 * 1024)
		buf_add_text(&large, LINES_10);
	close_scene(&scene);
	open_scene(&scene, buf_str(&large));
	scene.envelope.wants_full_return = true;
	add_recipient(&scene, "bob@mail.example.org", 552, "too large");
	taken = take(&scene);
	tap_ok(str_equals(taken.bodies[2], buf_str(&large)), "also of one that is in a file");
	take_free(&taken);
	close(scene.original.message.fd);
	scene.original.message.fd = kit_file(STR("short"));
	taken = take(&scene);
	tap_ok(!taken.is_well && taken.err.exit_code == EX_IOERR && taken.all.size == 0, "an original that cannot be read is an error, and nothing is made");
	take_free(&taken);
	close_scene(&scene);
	buf_free(&large);
	open_scene(&scene, STR(ORIGINAL));
	scene.envelope.wants_headers_return = true;
	add_recipient(&scene, "bob@mail.example.org", 550, "no");
	taken = take(&scene);
	check_contains(taken.headers[2], "Content-Type: text/rfc822-headers\n", "RET=HDRS returns the header section alone");
	take_free(&taken);
	close_scene(&scene);
	open_scene(&scene, STR(ORIGINAL));
	scene.envelope.wants_full_return = true;
	scene.envelope.requires_tls = true;
	add_recipient(&scene, "bob@mail.example.org", 550, "no");
	taken = take(&scene);
	check_contains(taken.headers[2], "Content-Type: text/rfc822-headers\n",
	               "a message that requires TLS comes back as its header section, even with RET=FULL");
	take_free(&taken);
	close_scene(&scene);
}

static void
test_long_lines(void)
{
	struct scene scene;
	struct taken taken;
	struct buf text = {0};

	buf_add_text(&text, "Subject: long\nX-Long: ");
	for (size_t i = 0; i < 600; i++)
		buf_add_text(&text, "word ");
	buf_add_text(&text, "end\nX-Solid: ");
	for (size_t i = 0; i < 3000; i++)
		buf_add_char(&text, 'x');
	buf_add_text(&text, "\nX-Edge: ");
	for (size_t i = 0; i < 991; i++)
		buf_add_char(&text, 'z');
	buf_add_text(&text, " behind\n\nbody\n");
	open_scene(&scene, buf_str(&text));
	add_recipient(&scene, "bob@mail.example.org", 550, "no");
	taken = take(&scene);
	tap_ok(is_sound(&taken), "a header section with lines of 3000 octets is folded");
	check_contains(taken.headers[2], "text/rfc822-headers", "and returned alone");
	tap_ok(contains(taken.bodies[2], "word\n word") && contains(taken.bodies[2], "x\n x"), "before a blank, or anywhere");
	take_free(&taken);
	close_scene(&scene);
	buf_clear(&text);
	buf_add_text(&text, "Subject: long\n\n");
	for (size_t i = 0; i < 2500; i++)
		buf_add_char(&text, 'y');
	buf_add_char(&text, '\n');
	open_scene(&scene, buf_str(&text));
	add_recipient(&scene, "bob@mail.example.org", 550, "no");
	taken = take(&scene);
	tap_ok(is_sound(&taken), "a body with lines of 2500 octets is encoded");
	check_contains(taken.bodies[2], "Content-Transfer-Encoding: quoted-printable\n", "and declares it");
	take_free(&taken);
	close_scene(&scene);
	buf_free(&text);
	open_scene(&scene, (struct str)KIT_TEXT("Subject: nul\n\na\0b\n"));
	add_recipient(&scene, "bob@mail.example.org", 550, "no");
	taken = take(&scene);
	tap_ok(is_sound(&taken) && str_find(buf_str(&taken.all), '\0') == taken.all.size, "NUL is never in a notification");
	take_free(&taken);
	close_scene(&scene);
}

static void
test_8bit(void)
{
	struct scene scene;
	struct taken taken;

	open_scene(&scene, STR("Subject: body\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
	                       "Content-Transfer-Encoding: 8bit\n\nGr\xc3\xbc\xc3\x9f" "e\n"));
	add_recipient(&scene, "bob@mail.example.org", 550, "unbekannter Empf\xc3\xa4nger");
	taken = take(&scene);
	check_contains(taken.header, "\nContent-Transfer-Encoding: 8bit\n", "an 8-bit original is declared for the whole");
	check_contains(taken.headers[2], "\nContent-Transfer-Encoding: 8bit\n", "and for its part");
	tap_ok(is_sound(&taken) && contains(taken.headers[2], "message/rfc822\n"), "an 8-bit body is no reason for message/global");
	check_contains(taken.headers[0], "text/plain; charset=utf-8\n", "a reply in UTF-8 is shown to people");
	check_contains(taken.bodies[1], "550 unbekannter Empf\\xc3\\xa4nger\n", "and escaped for programs, which expect ASCII");
	take_free(&taken);
	close_scene(&scene);

	open_scene(&scene, STR("Subject: Gr\xc3\xbc\xc3\x9f" "e\n\nhello\n"));
	add_recipient(&scene, "bob@mail.example.org", 550, "no \xc3\xa4");
	taken = take(&scene);
	check_contains(taken.headers[1], "message/global-delivery-status\n", "a UTF-8 header makes the status global");
	check_contains(taken.headers[2], "message/global\n", "and the returned message");
	check_contains(taken.bodies[1], "rfc822; bob@mail.example.org\n", "an ASCII address stays of type rfc822");
	check_contains(taken.bodies[1], "550 no \xc3\xa4\n", "there UTF-8 is shown to programs");
	tap_ok(!str_has_8bit(taken.header), "the notification's own header stays ASCII");
	take_free(&taken);
	scene.envelope.wants_headers_return = true;
	taken = take(&scene);
	check_contains(taken.headers[2], "message/global-headers\n", "a UTF-8 header section alone is of its own type");
	take_free(&taken);
	close_scene(&scene);

	open_scene(&scene, STR(ORIGINAL));
	add_recipient(&scene, "b\xc3\xb6" "b@mail.example.org", 550, "no")->original = mem_copy_string("\xc3\xbc@x.example");
	taken = take(&scene);
	check_contains(taken.headers[1], "message/global-delivery-status\n", "a UTF-8 address makes the status global");
	check_contains(taken.bodies[1], "Original-Recipient: utf-8; \xc3\xbc@x.example\nFinal-Recipient: utf-8; b\xc3\xb6" "b@mail.example.org\n", "and has the type utf-8");
	take_free(&taken);
	close_scene(&scene);

	open_scene(&scene, STR("Subject: Gr\xfc\xdf" "e\n\nhello\n"));
	add_recipient(&scene, "bob@mail.example.org", 550, "no");
	taken = take(&scene);
	tap_ok(is_sound(&taken) && contains(taken.headers[2], "message/rfc822\n") && contains(taken.headers[2], "8bit"),
	       "a header in another charset is 8bit and not global");
	take_free(&taken);
	close_scene(&scene);
}

/* Nothing a server says may become a line of ours. */
static void
test_hostile_replies(void)
{
	static const char *const replies[] = {
		"x\n\n--=_U1_0--\nAction: delivered\n",
		"x\r\nFinal-Recipient: rfc822; evil@x.example\r\n\r\nStatus: 2.0.0",
		"\x1b[2J\x1b]0;title\x07",
		"--=_U1_0",
		"=_U1_0 =_U1_1 =_U1_2",
		"",
		"          ",
		"\xff\xfe\xe2\x80\xae overridden",
	};

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct scene scene;
		struct taken taken;

		open_scene(&scene, STR(ORIGINAL));
		add_recipient(&scene, "bob@mail.example.org", 550, replies[i]);
		taken = take(&scene);
		if (!tap_ok(is_sound(&taken) && str_equals(taken.bodies[2], STR(ORIGINAL)) && !contains(taken.bodies[1], "\nAction: delivered") &&
		                    !contains(taken.bodies[1], "\nFinal-Recipient: rfc822; evil") && !contains(taken.bodies[1], "\nStatus: 2") &&
		                    !contains(buf_str(&taken.all), "\x1b") && !contains(buf_str(&taken.all), "\r"),
		            "hostile reply %zu stays in its place", i))
			tap_note("%s", buf_text(&taken.all));
		take_free(&taken);
		close_scene(&scene);
	}
}

static void
test_hostile_others(void)
{
	struct scene scene;
	struct taken taken;
	struct recipient *bob;
	char words[256];

	open_scene(&scene, STR("Subject: evil\n\n--=_U1_0\nContent-Type: text/html\n\n--=_U1_0--\n--=_U1_1--\n"));
	add_recipient(&scene, "bob@mail.example.org", 550, "no");
	taken = take(&scene);
	tap_ok(is_sound(&taken), "an original that knows the boundary gets another one");
	tap_is(taken.content.boundary, "=_U1_2", "the first that is not in it");
	take_free(&taken);
	scene.dsn.message_id = "<x>\nBcc:evil@x.example,<y>";
	taken = take(&scene);
	tap_ok(is_sound(&taken) && !contains(taken.header, "Bcc") && !contains(taken.header, "In-Reply-To"),
	       "a Message-ID that would be a header is left out");
	take_free(&taken);
	close_scene(&scene);

	memset(words, 'w', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	for (size_t i = 9; i < sizeof(words); i += 10)
		words[i] = i + 1 < sizeof(words) ? ' ' : '\0';
	open_scene(&scene, STR(ORIGINAL));
	bob = add_recipient(&scene, "bob@mail.example.org", 550, words);
	scene.envelope.envid = mem_alloc(6000, 1);
	memset(scene.envelope.envid, '\x01', 5999);
	bob->original = mem_alloc(6000, 1);
	memset(bob->original, '\x02', 5999);
	taken = take(&scene);
	tap_ok(is_sound(&taken), "endless identifiers are cut");
	tap_ok(contains(taken.bodies[1], "Diagnostic-Code: smtp; 550 wwwwwwwww wwwwwwwww wwwwwwwww wwwwwwwww wwwwwwwww\n wwwwwwwww"),
	       "a long reply is folded before a blank");
	check_contains(taken.bodies[0], words, "and shown to people in one piece");
	take_free(&taken);
	close_scene(&scene);
}

/* How the host is told. */
static void
test_hosts(void)
{
	static const struct {
		const char *host;
		const char *field;
	} cases[] = {
		{"smtp.example.net", "\nRemote-MTA: dns; smtp.example.net\n"},
		{"192.0.2.1", "\nRemote-MTA: dns; [192.0.2.1]\n"},
		{"2001:db8::1", "\nRemote-MTA: dns; [IPv6:2001:db8::1]\n"},
		{"/run/smtp.sock", "\nRemote-MTA: x-local; /run/smtp.sock\n"},
		{"m\xc3\xbcller.example", "\nRemote-MTA: dns; xn--mller-kva.example\n"},
		{"no name", "\nRemote-MTA: dns; no name\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene scene;
		struct taken taken;

		open_scene(&scene, STR(ORIGINAL));
		outcome_set_host(&add_recipient(&scene, "bob@mail.example.org", 550, "no")->outcome, cases[i].host);
		taken = take(&scene);
		tap_ok(contains(taken.bodies[1], cases[i].field), "the host %s is told as what it is", cases[i].host);
		take_free(&taken);
		close_scene(&scene);
	}
}

static void
test_many(void)
{
	struct scene scene;
	struct taken taken;
	char mailbox[64];

	open_scene(&scene, STR(ORIGINAL));
	for (int i = 0; i < 5000; i++) {
		snprintf(mailbox, sizeof(mailbox), "r%d@mail.example.org", i);
		add_recipient(&scene, mailbox, 550, "no such user");
	}
	taken = take(&scene);
	tap_ok(is_sound(&taken) && contains(taken.bodies[0], "to these recipients,") && contains(taken.bodies[1], "; r4999@"),
	       "5000 recipients are all in it");
	take_free(&taken);
	close_scene(&scene);
}

/* For a look with other eyes: dsn_test --print writes one notification. */
static int
print(void)
{
	struct scene scene;
	struct taken taken;

	open_scene(&scene, STR("Subject: Gr\xc3\xbc\xc3\x9f" "e\nMessage-ID: <1@mail.example.com>\n\n--=_U1_0--\nhello\n"));
	add_recipient(&scene, "bob@mail.example.org", 550, "line\nAction: delivered\n\n--=_U1_0--")->original = mem_copy_string("team@x.example");
	add_recipient(&scene, "b\xc3\xb6" "b@mail.example.org", 451, "later");
	scene.envelope.recipients[1].outcome.state = OUTCOME_FAILED;
	scene.envelope.envid = mem_copy_string("abc");
	taken = take(&scene);
	fwrite(taken.all.data, 1, taken.all.size, stdout);
	take_free(&taken);
	close_scene(&scene);
	return 0;
}

int
main(int argc, char **argv)
{
	setenv("TZ", "UTC", 1);
	if (argc > 1 && strcmp(argv[1], "--print") == 0)
		return print();
	test_failure();
	test_wishes();
	test_delay();
	test_sizes();
	test_long_lines();
	test_8bit();
	test_hostile_replies();
	test_hostile_others();
	test_hosts();
	test_many();
	return tap_end();
}
