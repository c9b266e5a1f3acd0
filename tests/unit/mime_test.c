/* mime_test.c - what a server cannot take is re-encoded, what must not be touched is not, and everything decodes to what it
 * was. */

#include "config.h"

#include <stdlib.h>

#include "decode_kit.h"
#include "mail/mime.h"
#include "mail/part.h"
#include "message_kit.h"
#include "tap.h"

#define E_ACUTE "\xc3\xa9"
#define X100 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X1000 X100 X100 X100 X100 X100 X100 X100 X100 X100 X100

struct encoding {
	struct kit_result in;
	struct kit_result out; /* .kept is what would be sent */
	struct mime_result result;
};

/* One that takes 8-bit octets or not, in the body and in the header section. */
static struct mime_server
server(bool may_8bit)
{
	return (struct mime_server){.takes_8bit = may_8bit, .takes_utf8 = may_8bit};
}

/* Re-encode text, which is kept as it is. */
static struct encoding
encode(struct str text, bool may_8bit)
{
	struct message_rules rules = {.never_adds_date = true, .never_adds_from = true, .never_adds_message_id = true};
	struct encoding e = {.in = kit_read(text, rules, NULL)};

	e.out.is_well = e.in.is_well && mime_encode(&e.in.message, server(may_8bit), &e.out.message, &e.result, &e.out.err);
	if (e.out.is_well && e.result.is_changed)
		kit_read_back(&e.out);
	else
		buf_add_str(&e.out.kept, buf_str(&e.in.kept));
	return e;
}

static void
encoding_free(struct encoding *e)
{
	kit_free(&e->in);
	kit_free(&e->out);
}

/* Are the facts of the new message those that reading it gives? */
static bool
has_right_facts(const struct encoding *e)
{
	struct message_rules rules = {.never_adds_date = true, .never_adds_from = true, .never_adds_message_id = true};
	struct kit_result again;
	bool holds;

	if (!e->result.is_changed)
		return !e->out.message.is_open;
	again = kit_read(buf_str(&e->out.kept), rules, NULL);
	again.message.ignored_size = e->out.message.ignored_size;
	holds = kit_is_same(&again, &e->out);
	kit_free(&again);
	return holds;
}

struct sample {
	const char *name;
	struct str text;
	struct str expected; /* empty: unchanged */
	bool may_8bit;
};

static void
check(const struct sample *sample)
{
	struct encoding e = encode(sample->text, sample->may_8bit);
	struct str expected = sample->expected.size > 0 ? sample->expected : sample->text;
	bool holds = e.out.is_well && e.result.is_changed == (sample->expected.size > 0) && has_right_facts(&e) &&
	             str_equals(buf_str(&e.out.kept), expected);

	if (!tap_ok(holds, "%s", sample->name))
		tap_note("changed %d, right facts %d, got: %s%s", e.result.is_changed, has_right_facts(&e),
		         buf_text(&e.out.kept), buf_text(&e.out.err.text));
	encoding_free(&e);
}

#define ADDED(charset, encoding)                                                                                               \
	"MIME-Version: 1.0\nContent-Type: text/plain; charset=" charset "\nContent-Transfer-Encoding: " encoding "\n"

static const struct sample single_samples[] = {
	{"protocol 40: an 8-bit body without MIME becomes quoted-printable, in UTF-8", KIT_TEXT("Subject: s\n\ncaf" E_ACUTE "\n"),
	 KIT_TEXT(ADDED("utf-8", "quoted-printable") "Subject: s\n\ncaf=C3=A9\n"), false},
	{"the charset of what is not UTF-8 is not known", KIT_TEXT("Subject: s\n\ncaf\xe9\n"),
	 KIT_TEXT(ADDED("unknown-8bit", "quoted-printable") "Subject: s\n\ncaf=E9\n"), false},
	{"sendmail 54: NUL becomes =00, also for a server that takes 8-bit octets", KIT_TEXT("Subject: st\n\na\0b\n"),
	 KIT_TEXT(ADDED("us-ascii", "quoted-printable") "Subject: st\n\na=00b\n"), true},
	{"a server that takes 8-bit octets gets them", KIT_TEXT("Subject: s\n\ncaf" E_ACUTE "\n"), KIT_TEXT(""), true},
	{"nothing is done to 7-bit text", KIT_TEXT("Subject: s\n\ncafe = 1 \n"), KIT_TEXT(""), false},
	{"protocol 40: Content-Transfer-Encoding is replaced where it stands, nothing else is changed",
	 KIT_TEXT("mime-version: 1.0 (x)\nX: y\nCONTENT-Transfer-Encoding:\n 8bit\nContent-type:text/plain;\n\tcharset=latin1\nZ:\n\n\xe9\n"),
	 KIT_TEXT("mime-version: 1.0 (x)\nX: y\nContent-Transfer-Encoding: quoted-printable\nContent-type:text/plain;\n"
	          "\tcharset=latin1\nZ:\n\n=E9\n"),
	 false},
	{"only MIME-Version and the encoding are added where there is a type", KIT_TEXT("Content-Type: text/html\n\n" E_ACUTE "\n"),
	 KIT_TEXT("MIME-Version: 1.0\nContent-Transfer-Encoding: quoted-printable\nContent-Type: text/html\n\n=C3=A9\n"), false},
	{"an encoding said twice is said once",
	 KIT_TEXT("MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: 8bit\nX: y\n"
	          "Content-Transfer-Encoding: 8bit\n\n\xe9\n"),
	 KIT_TEXT("MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\nX: y\n\n=E9\n"),
	 false},
	{"UTF-8 in the header section alone becomes ASCII", KIT_TEXT("Subject: caf" E_ACUTE "\nX:  y\n\nx\n"),
	 KIT_TEXT("Subject: =?UTF-8?B?Y2Fmw6k=?=\nX:  y\n\nx\n"), false},
	{"a server with SMTPUTF8 gets it as it is", KIT_TEXT("Subject: caf" E_ACUTE "\n\nx\n"), KIT_TEXT(""), true},
	{"unless other octets keep the message from being sent by it", KIT_TEXT("Subject: caf" E_ACUTE "\nX: \xe9\n\nx\n"),
	 KIT_TEXT("Subject: =?UTF-8?B?Y2Fmw6k=?=\nX: \xe9\n\nx\n"), true},
	{"8-bit octets that are not UTF-8 stay", KIT_TEXT("Subject: \xe9\n\nx\n"), KIT_TEXT(""), false},
	{"header section and body are encoded together", KIT_TEXT("Subject: caf" E_ACUTE "\n\n" E_ACUTE "\n"),
	 KIT_TEXT(ADDED("utf-8", "quoted-printable") "Subject: =?UTF-8?B?Y2Fmw6k=?=\n\n=C3=A9\n"), false},
	{"the header section of a message within stays",
	 KIT_TEXT("Subject: " E_ACUTE "\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\nSubject: s\n\nx\n"),
	 KIT_TEXT("Subject: =?UTF-8?B?w6k=?=\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\nSubject: s\n\nx\n"), false},
	{"that of a signed message is encoded, its body stays",
	 KIT_TEXT("Subject: " E_ACUTE "\nMIME-Version: 1.0\nContent-Type: multipart/signed; boundary=b\n\n--b\n\n" E_ACUTE "\n--b--\n"),
	 KIT_TEXT("Subject: =?UTF-8?B?w6k=?=\nMIME-Version: 1.0\nContent-Type: multipart/signed; boundary=b\n\n--b\n\n" E_ACUTE "\n--b--\n"),
	 false},
	{"what calls itself quoted-printable already is left as it is",
	 KIT_TEXT("Content-Transfer-Encoding: quoted-printable\n\n" E_ACUTE "=20\n"), KIT_TEXT(""), false},
	{"only NUL is dropped of it", KIT_TEXT("Content-Transfer-Encoding: quoted-printable\n\na=20\0b\n"),
	 KIT_TEXT("Content-Transfer-Encoding: quoted-printable\n\na=20b\n"), true},
	{"data becomes base64, its line ends being CRLF",
	 KIT_TEXT("MIME-Version: 1.0\nContent-Type: image/x\nContent-Transfer-Encoding: binary\n\n\xff\xfe\xfd\n\0\x80\n"),
	 KIT_TEXT("MIME-Version: 1.0\nContent-Type: image/x\nContent-Transfer-Encoding: base64\n\n//79DQoAgA0K\n"), true},
	{"octets of which nothing is known and of which most are no text become base64",
	 KIT_TEXT("Subject: s\n\n\xff\xfe\xfd\xff\xfe\xfd\xff\xfe\xfd\xff\xfe\xfd\xff\xfe\xfd\n"),
	 KIT_TEXT(ADDED("unknown-8bit", "base64") "Subject: s\n\n//79//79//79//79//79DQo=\n"), false},
};

#define MIXED "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"out er\"\n"
#define DIGEST "MIME-Version: 1.0\nContent-Type: multipart/digest; boundary=o\n"
#define SIGNED                                                                                                                 \
	"Content-Type: multipart/signed; boundary=s\n\n--s\n\n" E_ACUTE " \n--s\nContent-Type: application/pgp-signature\n\nx\n--s--\n"

static const struct sample multipart_samples[] = {
	{"of a multipart only the part that needs it is re-encoded",
	 KIT_TEXT(MIXED "\npreamble\n--out er\n\nplain\n--out er  \nContent-Type: text/html\nContent-Transfer-Encoding: 8bit\n\n"
	                E_ACUTE "\n \n--out er\nContent-Type: text/plain\n\n--out\n--out er--\nepilogue\n"),
	 KIT_TEXT(MIXED "\npreamble\n--out er\n\nplain\n--out er  \nContent-Type: text/html\n"
	                "Content-Transfer-Encoding: quoted-printable\n\n=C3=A9\n=20\n--out er\nContent-Type: text/plain\n\n"
	                "--out\n--out er--\nepilogue\n"),
	 false},
	{"a part without a header section gets one", KIT_TEXT(MIXED "\n--out er\n\n" E_ACUTE "\n--out er--\n"),
	 KIT_TEXT(MIXED "\n--out er\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
	                "=C3=A9\n--out er--\n"),
	 false},
	{"a part whose header section is not ended by an empty line, too",
	 KIT_TEXT(MIXED "\n--out er\nX: y\n" E_ACUTE "\n--out er--\n"),
	 KIT_TEXT(MIXED "\n--out er\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\nX: y\n\n"
	                "=C3=A9\n--out er--\n"),
	 false},
	{"the line end before a boundary is not encoded, in base64 neither",
	 KIT_TEXT(MIXED "\n--out er\nContent-Type: a/b\n\n\xff\xff\xff\n--out er\nContent-Type: a/b\n\n\xff\xff\xff\n"),
	 KIT_TEXT(MIXED "\n--out er\nContent-Transfer-Encoding: base64\nContent-Type: a/b\n\n////\n--out er\n"
	                "Content-Transfer-Encoding: base64\nContent-Type: a/b\n\n////DQo=\n"),
	 false},
	{"the multipart around says 7bit then, and MIME-Version",
	 KIT_TEXT("Content-Type: multipart/mixed; boundary=o\nContent-Transfer-Encoding: 8bit\n\n--o\n\n" E_ACUTE "\n--o--\n"),
	 KIT_TEXT("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=o\nContent-Transfer-Encoding: 7bit\n\n--o\n"
	          "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=C3=A9\n--o--\n"),
	 false},
	{"a multipart in a multipart, the inner one not closed, boundaries that begin alike",
	 KIT_TEXT("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=o-i\n\n"
	          "--o-i\nContent-Type: a/b\n\n" E_ACUTE "\n--o\n\n" E_ACUTE "\n--o-i\n--o--\n"),
	 KIT_TEXT("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=o-i\n\n"
	          "--o-i\nContent-Transfer-Encoding: base64\nContent-Type: a/b\n\nw6k=\n--o\n"
	          "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=C3=A9\n--o-i\n--o--\n"),
	 false},
	{"a message within a message is treated as one",
	 KIT_TEXT(MIXED "\n--out er\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\nSubject: i\n\n" E_ACUTE
	                "\n--out er--\n"),
	 KIT_TEXT(MIXED "\n--out er\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 7bit\n\n" ADDED("utf-8", "quoted-printable")
	                "Subject: i\n\n=C3=A9\n--out er--\n"),
	 false},
	{"so is a part of a digest that says nothing", KIT_TEXT(DIGEST "\n--o\n\nSubject: i\n\n" E_ACUTE "\n--o--\n"),
	 KIT_TEXT(DIGEST "\n--o\n\n" ADDED("utf-8", "quoted-printable") "Subject: i\n\n=C3=A9\n--o--\n"), false},
	{"a message that is one message", KIT_TEXT("Content-Type: message/rfc822\n\nSubject: i\n\n" E_ACUTE "\n"),
	 KIT_TEXT("MIME-Version: 1.0\nContent-Type: message/rfc822\n\n" ADDED("utf-8", "quoted-printable")
	          "Subject: i\n\n=C3=A9\n"),
	 false},
	{"a message within that begins with no header section stays",
	 KIT_TEXT("Content-Type: message/rfc822\n\n>From x\nSubject: i\n\n" E_ACUTE "\n"), KIT_TEXT(""), false},
	{"multipart/signed is never touched", KIT_TEXT("MIME-Version: 1.0\n" SIGNED), KIT_TEXT(""), false},
	{"but what stands beside it, and the multipart around says 8bit still",
	 KIT_TEXT("Content-Transfer-Encoding: binary\n" MIXED "\n--out er\n" SIGNED "--out er\n\n" E_ACUTE "\n--out er--\n"),
	 KIT_TEXT("Content-Transfer-Encoding: 8bit\n" MIXED "\n--out er\n" SIGNED "--out er\nContent-Type: text/plain; charset=utf-8\n"
	          "Content-Transfer-Encoding: quoted-printable\n\n=C3=A9\n--out er--\n"),
	 false},
	{"NUL is dropped where it cannot be encoded", KIT_TEXT(MIXED "\npre\0amble\n--out er\n\nx\n--out er--\n"),
	 KIT_TEXT(MIXED "\npreamble\n--out er\n\nx\n--out er--\n"), true},
	{"what comes behind the last boundary line stays",
	 KIT_TEXT(MIXED "\n--out er\n\nx\n--out er--\n--out er\n\n" E_ACUTE "\n"), KIT_TEXT(""), false},
	{"a multipart without boundary stays", KIT_TEXT("Content-Type: multipart/mixed\n\n" E_ACUTE "\n"), KIT_TEXT(""), false},
	{"a part of nothing stays nothing", KIT_TEXT(MIXED "\n--out er\n--out er\n\n--out er\n\n\n--out er--\n" E_ACUTE "\n"),
	 KIT_TEXT(""), false},
};

/* --- lines -------------------------------------------------------------------------------------------------------------- */

/* The body of a message, decoded. */
static bool
decodes_to(const struct encoding *e, struct str body)
{
	struct buf decoded = {0};
	bool holds = decode_quoted(str_from(buf_str(&e->out.kept), (size_t)e->out.message.header_size + 1), &decoded) &&
	             str_equals(buf_str(&decoded), body);

	buf_free(&decoded);
	return holds;
}

static void
test_long_lines(void)
{
	struct buf text = {0};
	struct buf body = {0};
	struct encoding e;

	for (int i = 0; i < 500; i++)
		buf_add_text(&body, "0123 =678\t");
	buf_add_text(&body, "\nend\n");
	buf_add_text(&text, "Subject: s\n\n");
	buf_add_str(&text, buf_str(&body));
	e = encode(buf_str(&text), true);
	tap_ok(e.result.is_changed && e.out.message.longest_line <= 76, "protocol 84: a line of 5000 octets becomes lines of at most 76");
	tap_ok(decodes_to(&e, buf_str(&body)), "protocol 84: and decodes to the same octets");
	tap_ok(strncmp(buf_text(&e.out.kept), ADDED("us-ascii", "quoted-printable"), strlen(ADDED("us-ascii", "quoted-printable"))) == 0,
	       "sendmail 53: MIME-Version, Content-Type and the encoding are added once");
	tap_ok(has_right_facts(&e), "and the size is that of the encoded form");
	encoding_free(&e);
	buf_free(&text);
	buf_free(&body);
}

/* Is it as expected whether a message with a body line of n octets is changed for a server that takes 8-bit octets? */
static void
check_line_of(const char *header, size_t n, bool is_expected, const char *name)
{
	struct buf text = {0};
	struct encoding e;

	buf_add_text(&text, header);
	while (n-- > 0)
		buf_add_char(&text, 'x');
	buf_add_char(&text, '\n');
	e = encode(buf_str(&text), true);
	tap_ok(e.result.is_changed == is_expected, "%s", name);
	tap_ok(mime_is_needed(&e.in.message, server(true)) == is_expected, "and mime_is_needed() says so");
	encoding_free(&e);
	buf_free(&text);
}

static void
test_line_limit(void)
{
	check_line_of("Subject: s\n\n", 998, false, "a line of 998 octets is sent as it is");
	check_line_of("Subject: s\n\n", 999, true, "a line of 999 octets is re-encoded");
	check_line_of("Subject: s\n\n", 200000, true, "a line of 200000 octets is re-encoded");
	check_line_of("Subject: " X1000 "\n\n" X100 X100 "\n", 998, false, "a long line of the header section is none of the body");
}

/* The message is read in blocks of 64 KiB: what lies where one ends must not matter. */
static void
test_block_ends(void)
{
	bool is_utf8 = true;
	struct encoding e;

	for (int shift = 0; shift < 4; shift++) {
		struct buf text = {0};

		buf_printf(&text, "Subject: s\n\n%.*s", shift, "xxxx");
		for (int i = 0; i < 100000; i++)
			buf_add_text(&text, "\xe2\x82\xac");
		buf_add_char(&text, '\n');
		e = encode(buf_str(&text), false);
		is_utf8 = is_utf8 && strstr(buf_text(&e.out.kept), "charset=utf-8") != NULL &&
		          decodes_to(&e, str_from(buf_str(&text), 12));
		encoding_free(&e);
		buf_free(&text);
	}
	tap_ok(is_utf8, "characters across the ends of blocks are UTF-8");
}

static size_t
count_of(const struct encoding *e, const char *text)
{
	const char *rest = buf_text(&e->out.kept);
	size_t n = 0;

	for (; (rest = strstr(rest, text)) != NULL; rest++)
		n++;
	return n;
}

static void
test_boundary_in_line(void)
{
	struct buf text = {0};
	struct encoding e;

	buf_add_text(&text, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n");
	while (text.size < (size_t)128 * 1024)
		buf_add_char(&text, 'x');
	buf_add_text(&text, "--b\n\n" E_ACUTE "\n--b--\n");
	e = encode(buf_str(&text), false);
	tap_ok(strstr(buf_text(&e.out.kept), "--b\n\n=C3=A9\n--b--\n") != NULL && count_of(&e, "Content-Type: text/plain") == 1,
	       "a boundary at the end of a long line is none");
	encoding_free(&e);
	buf_free(&text);
}

/* --- facts and warnings ---------------------------------------------------------------------------------------------- */

static void
warns(struct str text, bool may_8bit, const char *part, const char *name)
{
	struct encoding e = encode(text, may_8bit);
	const char *warning = mime_warning(&e.result);

	tap_ok(part == NULL ? warning == NULL : warning != NULL && strstr(warning, part) != NULL, "%s", name);
	encoding_free(&e);
}

static void
test_warnings(void)
{
	struct str with_long_line = STR("MIME-Version: 1.0\nContent-Type: multipart/signed; boundary=s\n\n--s\n\n" X1000 "\n--s--\n");

	warns(STR("Subject: s\n\n" E_ACUTE "\n"), false, NULL, "nobody is warned of what can be re-encoded");
	warns(STR("MIME-Version: 1.0\n" SIGNED), false, "8BITMIME", "an 8-bit signed message that goes as it is is worth a warning");
	warns(STR("MIME-Version: 1.0\n" SIGNED), true, NULL, "but not when the server takes it");
	warns(with_long_line, true, "998", "so is one with a long line");
	warns(STR("Content-Transfer-Encoding: base64\n\nYQ\0==\n"), true, "NUL", "and NUL that was dropped");
}

static void
test_needed(void)
{
	struct encoding e = encode(STR("Subject: s\n\n" E_ACUTE "\n"), false);

	tap_ok(mime_is_needed(&e.in.message, server(false)) && !mime_is_needed(&e.in.message, server(true)),
	       "8-bit octets are a reason only where there is no 8BITMIME");
	tap_ok(!mime_is_needed(&e.out.message, server(false)) && !e.out.message.has_8bit_body, "what was re-encoded needs it no more");
	encoding_free(&e);
	e = encode(STR("Subject: s\n\na\0b\n"), true);
	tap_ok(mime_is_needed(&e.in.message, server(true)) && !mime_is_needed(&e.out.message, server(true)), "NUL always is one");
	encoding_free(&e);
	e = encode(STR("Subject: " E_ACUTE "\n\nx\n"), false);
	tap_ok(mime_is_needed(&e.in.message, server(false)) && !mime_is_needed(&e.in.message, server(true)) &&
	           !mime_is_needed(&e.in.message, (struct mime_server){.takes_utf8 = true}),
	       "UTF-8 in the header section is a reason only where there is no SMTPUTF8");
	tap_ok(!mime_is_needed(&e.out.message, server(false)) && !e.result.keeps_8bit_header && !e.out.message.has_utf8_header,
	       "nothing of it is left");
	encoding_free(&e);
	e = encode(STR("Subject: \xe9\n\nx\n"), false);
	tap_ok(e.result.keeps_8bit_header && !e.result.is_changed, "so is what stays because nothing of it can be encoded");
	encoding_free(&e);
	e = encode(STR("Subject: " E_ACUTE "\nX: " E_ACUTE "\n\nx\n"), false);
	tap_ok(e.result.keeps_8bit_header && mime_warning(&e.result) == NULL, "what stays in a header section is told, without a warning");
	tap_ok(mime_has_bad_header(&e.out.message, server(false)) && !mime_has_bad_header(&e.out.message, server(true)),
	       "and is good for a server with SMTPUTF8");
	encoding_free(&e);
}

/* --- much of it -------------------------------------------------------------------------------------------------------- */

static void
test_large(void)
{
	struct buf text = {0};
	struct buf body = {0};
	struct encoding e;

	for (int i = 0; i < 300000; i++)
		buf_add_text(&body, i % 7 == 0 ? E_ACUTE : i % 1000 == 0 ? " \n" : "ab");
	buf_add_char(&body, '\n');
	buf_add_text(&text, "Subject: s\n\n");
	buf_add_str(&text, buf_str(&body));
	e = encode(buf_str(&text), false);
	tap_ok(e.result.is_changed && !e.out.message.is_in_memory && e.out.message.memory.capacity == 0,
	       "a large message goes to a spool file");
	tap_ok(decodes_to(&e, buf_str(&body)), "and decodes to the same octets");
	encoding_free(&e);
	buf_free(&text);
	buf_free(&body);
}

/* Parts without end, and ever deeper ones. */
static void
test_limits(void)
{
	struct buf text = {0};
	struct encoding e;

	buf_add_text(&text, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=o\n\n");
	for (int i = 0; i < PARTS_MOST + 10; i++)
		buf_add_text(&text, "--o\n\n" E_ACUTE "\n");
	e = encode(buf_str(&text), false);
	tap_ok(e.result.is_changed && e.result.keeps_8bit, "of more parts than are remembered the rest stays as it is");
	encoding_free(&e);
	buf_clear(&text);
	buf_add_text(&text, "Subject: s\n");
	for (int i = 0; i < PART_DEPTH_MOST + 10; i++)
		buf_printf(&text, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
	buf_add_text(&text, "\n" E_ACUTE "\n");
	e = encode(buf_str(&text), false);
	tap_ok(e.out.is_well && !e.result.is_changed && e.result.keeps_8bit, "parts nested too deep stay as they are");
	encoding_free(&e);
	buf_clear(&text);
	for (int i = 0; i < PART_DEPTH_MOST + 10; i++)
		buf_add_text(&text, "Content-Type: message/rfc822\n\n");
	buf_add_text(&text, "Subject: s\n\n" E_ACUTE "\n");
	e = encode(buf_str(&text), false);
	tap_ok(e.out.is_well && !e.result.is_changed && e.result.keeps_8bit, "so do messages within messages");
	encoding_free(&e);
	buf_free(&text);
}

static void
test_read_error(void)
{
	struct encoding e = encode(STR("Subject: s\n\n" E_ACUTE "\n"), false);
	struct message broken = e.in.message;
	struct message out = {0};
	struct mime_result result = {0};
	struct err err = {0};

	broken.is_in_memory = false;
	broken.fd = -1;
	tap_ok(!mime_encode(&broken, server(false), &out, &result, &err) && err.exit_code == EX_IOERR && !out.is_open && !result.is_changed,
	       "a message that cannot be read is an error");
	err_clear(&err);
	encoding_free(&e);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(single_samples) / sizeof(single_samples[0]); i++)
		check(&single_samples[i]);
	for (size_t i = 0; i < sizeof(multipart_samples) / sizeof(multipart_samples[0]); i++)
		check(&multipart_samples[i]);
	test_long_lines();
	test_line_limit();
	test_block_ends();
	test_boundary_in_line();
	test_needed();
	test_warnings();
	test_large();
	test_limits();
	test_read_error();
	return tap_end();
}
