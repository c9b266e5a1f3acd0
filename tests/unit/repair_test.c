/* repair_test.c - what is removed from a header section, put in front of it and read from it. Each message is also read byte
 * by byte and in random pieces. */

#include "config.h"

#include "mail/identity.h"
#include "mail/repair.h"
#include "message_kit.h"

struct row {
	const char *name;
	struct str text;
	struct str expected;
};

static const struct row plain_rows[] = {
	{"sendmail 5: From, Date and Message-ID are put in front",
	 KIT_TEXT("Subject: s\n\nb\n"), KIT_TEXT(KIT_ALL "Subject: s\n\nb\n")},
	{"sendmail 9: a Date that is there stays the only one",
	 KIT_TEXT("Date: Sat, 01 Jan 2022 00:00:00 -0000\nFrom: root (x)\n\naGkK\n"),
	 KIT_TEXT(KIT_ID "Date: Sat, 01 Jan 2022 00:00:00 -0000\nFrom: root (x)\n\naGkK\n")},
	{"sendmail 14: a complete header passes as it is",
	 KIT_TEXT("from: a@x\nDATE : d\nMessage-Id: <1@x>\nX:  y \n\t z\n\nx\n"),
	 KIT_TEXT("from: a@x\nDATE : d\nMessage-Id: <1@x>\nX:  y \n\t z\n\nx\n")},
	{"sendmail 19: CRLF in the header, LF in the body, no last line end",
	 KIT_TEXT("From: a@x\r\nBcc: hid@x\r\nSubject: s\r\nMessage-ID: <u@x>\r\nDate: d\r\n\r\nhi\n.\nx"),
	 KIT_TEXT("From: a@x\nSubject: s\nMessage-ID: <u@x>\nDate: d\n\nhi\n.\nx\n")},
	{"sendmail 21: Content-Length and Bcc go",
	 KIT_TEXT("From: a@x\nContent-Length: 7\nBcc: b@x\nSubject: s\n\nx\n"),
	 KIT_TEXT(KIT_DATE KIT_ID "From: a@x\nSubject: s\n\nx\n")},
	{"sendmail 29: names in capitals are the same fields",
	 KIT_TEXT("FROM: vzdump <root>\nMESSAGE-ID: <1@x>\nDATE: d\n\nx\n"),
	 KIT_TEXT("FROM: vzdump <root>\nMESSAGE-ID: <1@x>\nDATE: d\n\nx\n")},
	{"sendmail 47: text without a header gets one",
	 KIT_TEXT("hi\n"), KIT_TEXT(KIT_ALL "\nhi\n")},
	{"sendmail 48: an empty line in front is the end of the header",
	 KIT_TEXT("\nhi\n"), KIT_TEXT(KIT_ALL "\nhi\n")},
	{"sendmail 49: lines of an mbox in front go and name no sender",
	 KIT_TEXT("From joe Sat Jan  1 00:00:00 2022\n>From x\nSubject: s\n\nFrom y\n>From z\n"),
	 KIT_TEXT(KIT_ALL "Subject: s\n\nFrom y\n>From z\n")},
	{"sendmail 50: the first line that is no field is the first of the body",
	 KIT_TEXT("Subject: s\nnot a header\nTo: o@example.org\n\nx\n"),
	 KIT_TEXT(KIT_ALL "Subject: s\n\nnot a header\nTo: o@example.org\n\nx\n")},
	{"sendmail 51: a header without its end is whole",
	 KIT_TEXT("Subject: s\nTo: o@example.org"), KIT_TEXT(KIT_ALL "Subject: s\nTo: o@example.org\n\n")},
	{"a header that ends with a line end is whole",
	 KIT_TEXT("Subject: s\n"), KIT_TEXT(KIT_ALL "Subject: s\n\n")},
	{"sendmail 52: no input is an empty message",
	 KIT_TEXT(""), KIT_TEXT(KIT_ALL "\n")},
	{"sendmail 55: progress bars become lines",
	 KIT_TEXT("Subject: s\n\n10%\r50%\r100%\ndone\r\n"),
	 KIT_TEXT(KIT_ALL "Subject: s\n\n10%\n50%\n100%\ndone\n")},
	{"sendmail 56: CR CR LF is one line end",
	 KIT_TEXT("Subject: s\r\r\n\r\r\nx\r\r\n"), KIT_TEXT(KIT_ALL "Subject: s\n\nx\n")},
	{"a line of blanks ends the header",
	 KIT_TEXT("Subject: s\n  \nx\n"), KIT_TEXT(KIT_ALL "Subject: s\n\nx\n")},
	{"msmtp 20: an empty From is none",
	 KIT_TEXT("From: \nSubject: s\n\nx\n"), KIT_TEXT(KIT_ALL "Subject: s\n\nx\n")},
	{"an empty From beside another one is left alone",
	 KIT_TEXT("From:\nFrom: a@x\n\nx\n"), KIT_TEXT(KIT_DATE KIT_ID "From:\nFrom: a@x\n\nx\n")},
	{"protocol 82: folded Bcc in any writing goes",
	 KIT_TEXT("From: a@x\nbcc: b@x,\n c@x\nBCC\t: d@x\nBcc :e@x\n\nx\n"),
	 KIT_TEXT(KIT_DATE KIT_ID "From: a@x\n\nx\n")},
	{"protocol 82: Bcc behind a NUL goes",
	 KIT_TEXT("From: a@x\n\0Bcc: b@x\nB\0cc: c@x\n\nx\n"), KIT_TEXT(KIT_DATE KIT_ID "From: a@x\n\nx\n")},
	{"protocol 82: Bcc behind lines of an mbox goes",
	 KIT_TEXT("From a@x Sat\nBcc: b@x\n\nx\n"), KIT_TEXT(KIT_ALL "\nx\n")},
	{"Bcc as the only field goes",
	 KIT_TEXT("Bcc: b@x"), KIT_TEXT(KIT_ALL "\n")},
	{"Bcc of an attached message stays",
	 KIT_TEXT("From: a@x\nContent-Type: message/rfc822\n\nBcc: b@x\nSubject: s\n\nx\n"),
	 KIT_TEXT(KIT_DATE KIT_ID "From: a@x\nContent-Type: message/rfc822\n\nBcc: b@x\nSubject: s\n\nx\n")},
	{"names that only begin like Bcc stay",
	 KIT_TEXT("From: a@x\nBccx: b\nX-Bcc: c\n\nx\n"),
	 KIT_TEXT(KIT_DATE KIT_ID "From: a@x\nBccx: b\nX-Bcc: c\n\nx\n")},
	{"Return-Path goes",
	 KIT_TEXT("Return-Path: <forged@x>\nFrom: a@x\n\nx\n"), KIT_TEXT(KIT_DATE KIT_ID "From: a@x\n\nx\n")},
	{"sendmail 44: a resent message gets Resent- fields, its own stay",
	 KIT_TEXT("Resent-From: me@x\nResent-To: q@x\nResent-Bcc: rb@x\nFrom: a@x\nBcc: bb@x\nSubject: s\n\nx\n"),
	 KIT_TEXT("Resent-" KIT_DATE "Resent-" KIT_ID "Resent-From: me@x\nResent-To: q@x\nFrom: a@x\nSubject: s\n\nx\n")},
	{"a resent message without Resent-From gets it",
	 KIT_TEXT("Resent-To: q@x\nSubject: s\n\nx\n"),
	 KIT_TEXT("Resent-" KIT_FROM "Resent-" KIT_DATE "Resent-" KIT_ID "Resent-To: q@x\nSubject: s\n\nx\n")},
	{"a complete Resent- block is enough",
	 KIT_TEXT("resent-from: a@x\nresent-date: d\nresent-message-id: <1@x>\n\nx\n"),
	 KIT_TEXT("resent-from: a@x\nresent-date: d\nresent-message-id: <1@x>\n\nx\n")},
	{"an older Resent- block does not complete the first one",
	 KIT_TEXT("Resent-From: a@x\nReceived: r\nResent-Date: d\n\nx\n"),
	 KIT_TEXT("Resent-" KIT_DATE "Resent-" KIT_ID "Resent-From: a@x\nReceived: r\nResent-Date: d\n\nx\n")},
	{"other names with Resent- make no resent message",
	 KIT_TEXT("Resent-Reply-To: a@x\nSubject: s\n\nx\n"),
	 KIT_TEXT(KIT_ALL "Resent-Reply-To: a@x\nSubject: s\n\nx\n")},
};

static void
test_plain(void)
{
	for (size_t i = 0; i < sizeof(plain_rows) / sizeof(plain_rows[0]); i++)
		kit_is(plain_rows[i].text, kit_rules(), plain_rows[i].expected, plain_rows[i].name);
}

static void
test_switches(void)
{
	struct str text = STR("From: a@x\nTo: t@x\nBcc: b@x\nResent-Bcc: c@x\n\nx\n");
	struct message_rules rules = kit_rules();

	rules.keeps_bcc = true;
	kit_is(STR("From: a@x\nBcc: b@x\nDate: d\nMessage-ID: <1@x>\n\nx\n"), rules,
	       STR("From: a@x\nBcc: b@x\nDate: d\nMessage-ID: <1@x>\n\nx\n"), "msmtp 19: Bcc is kept when the rules say so");
	kit_is(text, rules, STR("Resent-" KIT_FROM "Resent-" KIT_DATE "Resent-" KIT_ID
	                        "From: a@x\nTo: t@x\nBcc: b@x\nResent-Bcc: c@x\n\nx\n"), "and Resent-Bcc with it");
	rules = kit_rules();
	rules.never_adds_from = rules.never_adds_date = rules.never_adds_message_id = true;
	kit_is(STR("From:\n\nx\n"), rules, STR("From:\n\nx\n"), "nothing is added when the rules say never");
	rules = kit_rules();
	rules.from_mailbox = NULL;
	kit_is(STR("S: s\n\n"), rules, STR(KIT_DATE KIT_ID "S: s\n\n"), "without a mailbox no From is made");
	rules.from_mailbox = "from@x.example";
	rules.from_name = NULL;
	kit_is(STR("S: s\n\n"), rules, STR("From: from@x.example\n" KIT_DATE KIT_ID "S: s\n\n"),
	       "sendmail 12: without a name From is the bare mailbox");
	rules = kit_rules();
	rules.replaces_from = true;
	kit_is(STR("From: a@x\nS: s\nFROM: b@x\n\nx\n"), rules, STR(KIT_ALL "S: s\n\nx\n"),
	       "every From is replaced when the rules say so");
	kit_is(STR("S: s\n\nx\n"), rules, STR(KIT_ALL "S: s\n\nx\n"), "one From is made when there is none to replace");
	rules.from_mailbox = NULL;
	kit_is(STR("From: a@x\n\nx\n"), rules, STR(KIT_DATE KIT_ID "From: a@x\n\nx\n"), "but not by nothing");
	rules = kit_rules();
	rules.message_id_domain = NULL;
	kit_is(STR("From: a@x\nDate: d\n\n"), rules, STR("Message-ID: <R.1637516172@localhost>\nFrom: a@x\nDate: d\n\n"),
	       "without a domain Message-ID has localhost");
	rules.message_id_domain = "bad domain>";
	kit_is(STR("From: a@x\nDate: d\n\n"), rules, STR("Message-ID: <R.1637516172@localhost>\nFrom: a@x\nDate: d\n\n"),
	       "nor does a domain that is none get into Message-ID");
}

static void
to_is(struct message_rules rules, const struct envelope *envelope, const char *expected, const char *name)
{
	struct str text = STR("To: a@x\nDate: d\nCc: b@x\nMessage-ID: <1@x>\nBcc: c@x\nFrom: f@x\n\nx\n");
	struct kit_result result = kit_read(text, rules, envelope);
	bool agrees = kit_cuts_agree(&result, text, rules, envelope);

	tap_is(buf_text(&result.kept), expected, name);
	tap_ok(agrees, "%s, however it is cut", name);
	kit_free(&result);
}

static void
test_to(void)
{
	struct recipient recipients[] = {{.mailbox = (char *)"first-recipient@example.org"},
	                                 {.mailbox = (char *)"second-recipient@example.org"},
	                                 {.mailbox = (char *)"third@example.org"}};
	struct envelope envelope = {.recipients = recipients, .n_recipients = 3};
	struct message_rules rules = kit_rules();

	rules.replaces_to = true;
	to_is(rules, &envelope, "To: first-recipient@example.org, second-recipient@example.org,\n"
	      " third@example.org\nDate: d\nMessage-ID: <1@x>\nFrom: f@x\n\nx\n",
	      "msmtp 19: one To lists the envelope's recipients, folded");
	to_is(rules, NULL, "To: undisclosed-recipients:;\nDate: d\nMessage-ID: <1@x>\nFrom: f@x\n\nx\n",
	      "without an envelope they are undisclosed");
	rules.hides_recipients = true;
	to_is(rules, &envelope, "To: undisclosed-recipients:;\nDate: d\nMessage-ID: <1@x>\nFrom: f@x\n\nx\n",
	      "hidden recipients are in no field");
	rules.keeps_bcc = true;
	to_is(rules, &envelope, "To: undisclosed-recipients:;\nDate: d\nMessage-ID: <1@x>\nFrom: f@x\n\nx\n",
	      "hidden recipients are not in a kept Bcc either");
}

static void
test_qualification(void)
{
	struct message_rules rules = kit_rules();

	rules.qualify_domain = "mail.example.com";
	rules.never_adds_date = rules.never_adds_message_id = true;
	kit_is(STR("From: root (Cron Daemon)\nTo: root\nX: root\nSubject: root\n\nTo: root\n"), rules,
	       STR("From: root@mail.example.com (Cron Daemon)\nTo: root@mail.example.com\nX: root\nSubject: root\n\nTo: root\n"),
	       "sendmail 1: bare addresses get the domain, nothing else changes");
	kit_is(STR("FROM : vzdump <root>\nReply-to: a\nSender: b,\n c\nCC:d\n\nx\n"), rules,
	       STR("FROM : vzdump <root@mail.example.com>\nReply-to: a@mail.example.com\nSender: b@mail.example.com,\n "
	           "c@mail.example.com\nCC:d@mail.example.com\n\nx\n"),
	       "sendmail 29: in every field with addresses, however its name is written");
	kit_is(STR("Resent-From: a\nResent-Sender: b\nResent-To: c\nResent-Cc: d\nResent-Reply-To: e\n\nx\n"), rules,
	       STR("Resent-From: a@mail.example.com\nResent-Sender: b@mail.example.com\nResent-To: c@mail.example.com\n"
	           "Resent-Cc: d@mail.example.com\nResent-Reply-To: e\n\nx\n"),
	       "so in the Resent- fields that mean something");
	kit_is(STR("From:  a@x ,\n\t\"B\"  <b@y> \nTo: bad@@x, root\n\nx\n"), rules,
	       STR("From:  a@x ,\n\t\"B\"  <b@y> \nTo: bad@@x, root\n\nx\n"),
	       "fields that need nothing, or cannot be read, stay byte for byte");
	rules.keeps_bcc = true;
	kit_is(STR("From: a@x\nBcc: root\n\nx\n"), rules, STR("From: a@x\nBcc: root\n\nx\n"), "a kept Bcc stays as it is");
	rules.qualify_domain = "b\xc3\xbc" "cher.example";
	kit_is(STR("From: a\n\nx\n"), rules, STR("From: a@xn--bcher-kva.example\n\nx\n"), "a domain that is not ASCII becomes A-labels");
	rules.qualify_domain = "no domain";
	kit_is(STR("From: a\n\nx\n"), rules, STR("From: a\n\nx\n"), "what is no domain qualifies nothing");
	rules.qualify_domain = "mail.example.com";
	rules.replaces_from = true;
	kit_is(STR("From: a\nTo: b\n\nx\n"), rules, STR(KIT_FROM "To: b@mail.example.com\n\nx\n"), "a field that was replaced is gone");
}

static void
test_identity(void)
{
	static const char *const local_domains[] = {"localhost", "mail.example.com", NULL};
	struct identity identity = {.local_domains = local_domains, .host = "box"};
	struct message_rules rules = kit_rules();
	struct err err = {0};

	tap_ok(identity_parse(&identity, STR("root=ops@example.org"), &err), "rules are read");
	rules.identity = &identity;
	rules.qualify_domain = "mail.example.com";
	rules.never_adds_date = rules.never_adds_message_id = true;
	kit_is(STR("From: root (Cron Daemon)\nTo: root\nSender: root\nReply-To: root\n\nFrom: root\n"), rules,
	       STR("From: \"root@box (Cron Daemon)\" <ops@example.org>\nTo: root@mail.example.com\n"
	           "Sender: \"root@box\" <ops@example.org>\nReply-To: root@mail.example.com\n\nFrom: root\n"),
	       "users 2: senders that only this host knows are replaced, recipients are qualified");
	kit_is(STR("FROM: a, root,\n b@localhost\nSENDER : c\n\nx\n"), rules,
	       STR("FROM: a@mail.example.com, \"root@box\" <ops@example.org>,\n b@localhost\nSENDER : c@mail.example.com\n\nx\n"),
	       "what no rule is about is qualified beside it");
	kit_is(STR("Resent-From: root\nResent-Sender: root@localhost\nResent-To: root\nX-From: root\nFrom: a@x\n\nx\n"), rules,
	       STR("Resent-From: \"root@box\" <ops@example.org>\nResent-Sender: \"root@box\" <ops@example.org>\n"
	           "Resent-To: root@mail.example.com\nX-From: root\nFrom: a@x\n\nx\n"), "so in the Resent- fields");
	kit_is(STR("From:  joe@x\t(root)\nSender: <a@x> \n\nx\n"), rules, STR("From:  joe@x\t(root)\nSender: <a@x> \n\nx\n"),
	       "other senders stay byte for byte");
	rules.repairs_nothing = true;
	kit_is(STR("From: root, b\nTo: c\n\nx\n"), rules, STR("From: \"root@box\" <ops@example.org>, b\nTo: c\n\nx\n"),
	       "repair off: identity is a wish of its own");
	rules.repairs_nothing = false;
	rules.replaces_from = true;
	kit_is(STR("From: root\n\nx\n"), rules, STR(KIT_FROM "\nx\n"), "a From that is replaced altogether is gone");
	identity_free(&identity);
	err_clear(&err);
}

static void
test_extents(void)
{
	struct message_rules rules = kit_rules();

	rules.repairs_nothing = true;
	rules.qualify_domain = "mail.example.com";
	kit_is(STR("From joe Sat\nReturn-Path: <a@x>\nContent-Length: 7\nFrom:\nTo: root\nBcc: b@x\r\nResent-Bcc: c@x\n\nx"), rules,
	       STR("Return-Path: <a@x>\nContent-Length: 7\nFrom:\nTo: root\n\nx\n"),
	       "repair off: nothing but Bcc goes, and nothing is added");
	kit_is(STR("x\n"), rules, STR("\nx\n"), "repair off: no header section, no fields");
	rules.replaces_from = true;
	kit_is(STR("From: a\n\nx\n"), rules, STR(KIT_FROM "\nx\n"), "repair off: what is asked for is done");
	rules = kit_rules();
	rules.adds_to = true;
	kit_is(STR("From: a@x\nBcc: b@x\n\nx\n"), rules, STR("To: undisclosed-recipients:;\n" KIT_DATE KIT_ID "From: a@x\n\nx\n"),
	       "repair full: a To is added where there is neither To nor Cc");
	kit_is(STR("From: a@x\ncc: b@x\n\nx\n"), rules, STR(KIT_DATE KIT_ID "From: a@x\ncc: b@x\n\nx\n"),
	       "repair full: Cc is enough");
	kit_is(STR("From: a@x\nto: b@x\n\nx\n"), rules, STR(KIT_DATE KIT_ID "From: a@x\nto: b@x\n\nx\n"), "repair full: To is, too");
}

/* The recipients that are found, separated by blanks, or the error text. */
static void
finds(struct str text, const char *expected, const char *name)
{
	struct message_rules rules = kit_rules();
	struct buf b = {0};
	struct kit_result result;

	rules.reads_recipients = true;
	result = kit_read(text, rules, NULL);
	for (size_t i = 0; result.is_well && i < result.found.recipients.n_items; i++)
		buf_printf(&b, "%s%s", i > 0 ? " " : "", result.found.recipients.items[i].mailbox);
	buf_add_text(&b, buf_text(&result.err.text));
	tap_is(buf_text(&b), expected, name);
	tap_ok(kit_cuts_agree(&result, text, rules, NULL), "%s, however it is cut", name);
	buf_free(&b);
	kit_free(&result);
}

static void
test_recipients(void)
{
	finds(STR("To: rcpt@x\r\nSubject: s\r\nBcc: hid@x\r\n\r\nTo: no@x\r\n"), "rcpt@x hid@x",
	      "sendmail 17: To and Bcc are recipients, the body has none");
	finds(STR("To: undisclosed-recipients:;\nBcc: h1@x, \"H, Two\" <h2@x>\n\n"), "h1@x h2@x",
	      "sendmail 18: Bcc alone");
	finds(STR("To: a@x\nTo: b@x\nCc:\nApparently-To: c@x\n\n"), "a@x b@x",
	      "sendmail 28: every To counts, Apparently-To does not");
	finds(STR("To: Group: g1@x, \"Last, First\" <g2@x>;\nCc: (c, d@e) g3@x (x),\n\tg4@x\n ,g5@x\n"
	          "Bcc: =?utf-8?q?J=C3=BC?= <g6@x>,,\n\n"),
	      "g1@x g2@x g3@x g4@x g5@x g6@x", "sendmail 40: groups, comments, folds and empty elements");
	finds(STR("To : r@x\nBcc : h@x\n\n"), "r@x h@x", "sendmail 43: blanks before the colon");
	finds(STR("Resent-From: me@x\nResent-To: q@x\nResent-Bcc: rb@x\nFrom: a@x\nTo: o@x\nBcc: bb@x\n\n"),
	      "q@x rb@x", "sendmail 44: of a resent message the Resent- recipients only");
	finds(STR("Resent-From: me@x\nTo: o@x\nCc: p@x\n\n"), "o@x p@x",
	      "a Resent- block without recipients leaves To and Cc");
	finds(STR("Resent-Foo: me@x\nTo: o@x\n\n"), "o@x", "other Resent- names mean nothing");
	finds(STR("Resent-From: a@x\nResent-Foo: x\nResent-To: q@x\nReceived: r\nResent-To: old@x\n\n"),
	      "q@x", "only the first Resent- block counts");
	finds(STR("Resent-From: a@x\nResent-To: q@x\nResent-Cc: r@x\nResent-From: b@x\nResent-To: old@x\n\n"),
	      "q@x r@x", "a second Resent-From begins the next block");
	finds(STR("Resent-From: a@x\nReceived: r\nResent-To: q@x\nTo: o@x\n\n"), "q@x",
	      "sendmail table, Resent-*: To never counts where a Resent-To is, in whatever block");
	finds(STR("\0To: a@x\nBc\0c: b@x\n\n"), "a@x b@x", "protocol 82: NUL hides no recipient");
	finds(STR("Subject: s\n\nx\n"), "", "sendmail 58: no field, no recipient");
}

static void
test_errors(void)
{
	struct message_rules rules = kit_rules();
	struct kit_result result;

	rules.reads_recipients = true;
	result = kit_read(STR("To: good@x\nCc : bad@@example.org\n\nx\n"), rules, NULL);
	tap_ok(!result.is_well && result.err.exit_code == EX_DATAERR,
	       "sendmail 59: a bad address among good ones is EX_DATAERR");
	tap_ok(strncmp(buf_text(&result.err.text), "header field Cc: ", 17) == 0 &&
	       strstr(buf_text(&result.err.text), "bad@@example.org") != NULL, "and the field and the text are named");
	tap_note("%s", buf_text(&result.err.text));
	kit_free(&result);
	result = kit_read(STR("To: good@x\nFrom: bad@@example.org\n\nx\n"), rules, NULL);
	tap_ok(result.is_well, "a bad From is no matter while nothing is read from it");
	kit_free(&result);
	rules.reads_sender = true;
	result = kit_read(STR("To: good@x\nFrom: bad@@example.org\n\nx\n"), rules, NULL);
	tap_ok(!result.is_well && result.err.exit_code == EX_DATAERR,
	       "a bad From is EX_DATAERR when the sender is wanted from it");
	kit_free(&result);
}

static void
sender_is(struct str text, const char *expected, const char *name)
{
	struct message_rules rules = kit_rules();
	struct kit_result result;

	rules.reads_sender = true;
	rules.reads_recipients = true;
	result = kit_read(text, rules, NULL);
	tap_is(result.found.sender, expected, name);
	tap_is_number((long long)result.found.recipients.n_items, 1, "and From gives no recipient");
	kit_free(&result);
}

static void
test_sender(void)
{
	sender_is(STR("To: t@x\nFrom: A <a@x>\n\n"), "a@x", "the sender is read from From");
	sender_is(STR("To: t@x\nFrom: A <a@x>, b@x\nFrom: c@x\n\n"), "a@x", "the first author is the sender");
	sender_is(STR("To: t@x\n\n"), NULL, "without From there is no sender");
	sender_is(STR("To: t@x\nFrom:\n\n"), NULL, "an empty From is no sender");
}

static void
author_is(struct str text, bool expected, const char *name)
{
	struct kit_result result = kit_read(text, kit_rules(), NULL);

	tap_ok(result.found.has_author == expected, "%s", name);
	kit_free(&result);
}

static void
test_author(void)
{
	author_is(STR("To: t@x\nFrom: A <a@x>\n\n"), true, "a From is an author");
	author_is(STR("To: t@x\nFrom:\n\n"), false, "an empty From is none");
	author_is(STR("To: t@x\n\n"), false, "no From is none");
	author_is(STR("Resent-To: t@x\nFrom: a@x\n\n"), false, "a resent message needs a Resent-From");
	author_is(STR("Resent-From: r@x\nResent-To: t@x\n\n"), true, "and then has its author");
}

static void
message_id_is(struct str text, const char *expected, const char *name)
{
	struct kit_result result = kit_read(text, kit_rules(), NULL);

	tap_is(result.found.message_id, expected, name);
	kit_free(&result);
}

static void
test_message_id(void)
{
	struct kit_result first = kit_read(STR("S: s\n\n"), kit_rules(), NULL);
	struct kit_result second = kit_read(STR("S: s\n\n"), kit_rules(), NULL);

	tap_ok(strcmp(first.found.message_id, second.found.message_id) != 0,
	       "no two generated Message-IDs are the same");
	tap_ok(memmem(first.message.memory.data, first.message.memory.size, first.found.message_id,
	              strlen(first.found.message_id)) != NULL, "the generated Message-ID is the one that was told");
	kit_free(&first);
	kit_free(&second);
	message_id_is(STR("Message-ID:\n <1@x> (c)\n\n"), "<1@x>", "a Message-ID that is there is told");
	message_id_is(STR("Message-ID: 1@x\n\n"), NULL, "a Message-ID without brackets is not");
	message_id_is(STR("Resent-To: a@x\nMessage-ID: <1@x>\n\n"), "<1@x>",
	              "of a resent message its own is told");
}

static void
test_received(void)
{
	struct buf text = {0};
	struct kit_result result;

	for (int i = 0; i < 100; i++)
		buf_add_text(&text, "Received: r\n");
	result = kit_read(buf_str(&text), kit_rules(), NULL);
	tap_ok(result.is_well, "100 Received fields are taken");
	kit_free(&result);
	buf_add_text(&text, "Received: r\n");
	result = kit_read(buf_str(&text), kit_rules(), NULL);
	tap_ok(!result.is_well && result.err.exit_code == EX_DATAERR, "101 Received fields are a loop");
	kit_free(&result);
	buf_free(&text);
}

static void
test_frees(void)
{
	struct repair repair = {0};
	struct message_found found = {0};

	repair_free(&repair);
	repair_free(&repair);
	message_found_free(&found);
	message_found_free(&found);
	tap_ok(true, "zeroed structs are freed, twice");
}

int
main(void)
{
	setenv("TZ", "UTC0", 1);
	test_plain();
	test_switches();
	test_to();
	test_qualification();
	test_identity();
	test_extents();
	test_recipients();
	test_errors();
	test_sender();
	test_author();
	test_message_id();
	test_received();
	test_frees();
	return tap_end();
}
