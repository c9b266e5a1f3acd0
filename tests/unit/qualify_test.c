/* qualify_test.c - bare addresses in fields get their domain, and nothing else of the field changes. */

#include "config.h"

#include <stdlib.h>

#include "mail/qualify.h"
#include "tap.h"

struct row {
	const char *name;
	const char *body;
	const char *expected; /* NULL: the field stays */
};

static const struct row rows[] = {
	{"sendmail 1: a comment behind a bare address stays", " root (Cron Daemon)", " root@mail.example.com (Cron Daemon)"},
	{"sendmail 7: in angle brackets", " Anacron <root>", " Anacron <root@mail.example.com>"},
	{"sendmail 27: a name that reads like the address", " Fail2Ban <fail2ban>", " Fail2Ban <fail2ban@mail.example.com>"},
	{"sendmail 28: a single word", " Logwatch", " Logwatch@mail.example.com"},
	{"sendmail 31: a comment with several words", " arpwatch (Arpwatch box)", " arpwatch@mail.example.com (Arpwatch box)"},
	{"sendmail 11: a domain without a dot is one", " mdadm monitoring <root@box>", NULL},
	{"a complete address stays", " a@x.example", NULL},
	{"of several only those that need it", " a@x, root, \"B, C\" <b@y>, bob", " a@x, root@mail.example.com, \"B, C\" <b@y>, bob@mail.example.com"},
	{"folding, tabs and blanks stay", "\troot ,\n  (x)\tbob\n , c@x ", "\troot@mail.example.com ,\n  (x)\tbob@mail.example.com\n , c@x "},
	{"empty elements stay", " ,,root,,", " ,,root@mail.example.com,,"},
	{"members of a group", " Admins: root, a@x, Bob <bob>;, c", " Admins: root@mail.example.com, a@x, Bob <bob@mail.example.com>;, c@mail.example.com"},
	{"an empty group stays", " undisclosed-recipients:;", NULL},
	{"a quoted local part", " \"john doe\"", " \"john doe\"@mail.example.com"},
	{"a quoted local part with an '@' in it", " <\"a@b\">", " <\"a@b\"@mail.example.com>"},
	{"a quoted local part that has a domain", " \"a b\"@x", NULL},
	{"a comment with what looks like an address", " root (a@b, c)", " root@mail.example.com (a@b, c)"},
	{"comments within an address", " john (x) . (y) doe (z)", " john (x) . (y) doe@mail.example.com (z)"},
	{"a source route", " <@a,@b:root>", " <@a,@b:root@mail.example.com>"},
	{"without a blank in front", "root", "root@mail.example.com"},
	{"a local part in UTF-8", " j\xc3\xb6rg", " j\xc3\xb6rg@mail.example.com"},
	{"a name in UTF-8", " J\xc3\xb6rg <joe>", " J\xc3\xb6rg <joe@mail.example.com>"},
	{"a name as an encoded-word", " =?utf-8?q?J=C3=B6rg?= <joe>", " =?utf-8?q?J=C3=B6rg?= <joe@mail.example.com>"},
	{"an encoded-word alone is no address", " =?utf-8?q?Joe?=", NULL},
	{"no address at all", "  ", NULL},
	{"several words are no address", " Joe User", NULL},
	{"one address that cannot be read leaves the field alone", " root, bad@@x", NULL},
	{"a bracket that is not closed leaves the field alone", " Joe <root", NULL},
	{"a comment that is not closed leaves the field alone", " root (x", NULL},
};

int
main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = {0};
		bool is_changed;

		buf_add_text(&b, "To:");
		is_changed = qualify_add(&b, str_of(rows[i].body), "mail.example.com");
		tap_ok(is_changed == (rows[i].expected != NULL) && str_starts_with(buf_str(&b), STR("To:")) &&
		           str_equals(str_from(buf_str(&b), 3), str_of(rows[i].expected)),
		       "%s", rows[i].name);
		if (is_changed != (rows[i].expected != NULL) || !str_equals(str_from(buf_str(&b), 3), str_of(rows[i].expected)))
			tap_note("got: %s", buf_text(&b));
		buf_free(&b);
	}
	return tap_end();
}
