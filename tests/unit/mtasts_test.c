/* mtasts_test.c - records and policies of MTA-STS (RFC 8461). */

#include "config.h"

#include <stdlib.h>

#include "net/mtasts.h"
#include "tap.h"

/* --- records ------------------------------------------------------------------------------------------------------- */

static void
test_record(void)
{
	static const struct {
		const char *name;
		const char *texts[3];
		const char *id; /* NULL: no policy */
	} cases[] = {
		{"the record of RFC 8461 3.1", {"v=STSv1; id=20160831085700Z;"}, "20160831085700Z"},
		{"without the last semicolon", {"v=STSv1; id=1"}, "1"},
		{"without blanks", {"v=STSv1;id=1;"}, "1"},
		{"with blanks and tabs around semicolons", {"v=STSv1 \t; \tid=1 ; "}, "1"},
		{"an id of 32 characters", {"v=STSv1; id=12345678901234567890123456789012"}, "12345678901234567890123456789012"},
		{"an extension is passed over", {"v=STSv1; x-y.z=#a:b; id=1; other=2"}, "1"},
		{"the first id counts", {"v=STSv1; id=1; id=2"}, "1"},
		{"others' records do not matter", {"v=spf1 -all", "v=STSv1; id=1", "v=STSv2; id=2"}, "1"},
		{"a record that only begins like one is somebody else's", {"v=STSv11; id=2", "v=STSv1; id=1"}, "1"},
		{"two records are none", {"v=STSv1; id=1", "v=STSv1; id=1"}, NULL},
		{"a good and a bad record are none", {"v=STSv1; id=1", "v=STSv1; id=-"}, NULL},
		{"a bad and a good record are none", {"v=STSv1; id=-", "v=STSv1; id=1"}, NULL},
		{"no record", {NULL}, NULL},
		{"an empty record", {""}, NULL},
		{"the version alone", {"v=STSv1"}, NULL},
		{"the version and no id", {"v=STSv1;"}, NULL},
		{"the version in small letters", {"v=stsv1; id=1"}, NULL},
		{"the name of the id in capitals", {"v=STSv1; ID=1"}, NULL},
		{"an id of 33 characters", {"v=STSv1; id=123456789012345678901234567890123"}, NULL},
		{"an empty id", {"v=STSv1; id="}, NULL},
		{"an id with a hyphen", {"v=STSv1; id=2020-01"}, NULL},
		{"an id with a line end", {"v=STSv1; id=1\n2"}, NULL},
		{"the version is not first", {"id=1; v=STSv1"}, NULL},
		{"a blank in front", {" v=STSv1; id=1"}, NULL},
		{"a word without a value", {"v=STSv1; id=1; word"}, NULL},
		{"an empty field in the middle", {"v=STSv1; ; id=1"}, NULL},
		{"a bad name of an extension", {"v=STSv1; id=1; -x=1"}, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mtasts_record record = {0};

		for (size_t j = 0; j < 3 && cases[i].texts[j] != NULL; j++)
			mtasts_add_record(&record, str_of(cases[i].texts[j]));
		tap_ok(mtasts_has_policy(&record) == (cases[i].id != NULL) &&
		               (cases[i].id == NULL || strcmp(record.id, cases[i].id) == 0),
		       "record: %s", cases[i].name);
	}
}

/* --- policies ------------------------------------------------------------------------------------------------------ */

static void
test_good_policy(void)
{
	static const struct {
		const char *name;
		const char *text;
		enum mtasts_mode mode;
		int64_t max_age;
		const char *mx;
	} cases[] = {
		{"that of RFC 8461 3.2", "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\n"
		 "mx: backupmx.example.com\nmax_age: 604800\n", MTASTS_ENFORCE, 604800,
		 "mail.example.com\n*.example.net\nbackupmx.example.com\n"},
		{"lines end with CRLF", "version: STSv1\r\nmode: testing\r\nmx: a.example\r\nmax_age: 1\r\n", MTASTS_TESTING, 1,
		 "a.example\n"},
		{"lines end this way and that", "version: STSv1\r\nmode: testing\nmx: a.example\r\nmax_age: 1", MTASTS_TESTING, 1,
		 "a.example\n"},
		{"no blank behind the colon, and several behind the value", "version:STSv1\nmode:enforce \t\nmx:\ta.example\nmax_age:0  ",
		 MTASTS_ENFORCE, 0, "a.example\n"},
		{"the order is free", "max_age: 5\nmx: a.example\nmode: enforce\nversion: STSv1\n", MTASTS_ENFORCE, 5, "a.example\n"},
		{"of fields that come twice the first counts", "version: STSv1\nversion: STSv9\nmode: enforce\nmode: none\n"
		 "max_age: 7\nmax_age: never\nmx: a.example\n", MTASTS_ENFORCE, 7, "a.example\n"},
		{"unknown fields are passed over", "version: STSv1\nmode: enforce\nx.y-z_1: \xc3\xa4 : b\nmx: a.example\nmax_age: 1\n",
		 MTASTS_ENFORCE, 1, "a.example\n"},
		{"mode none needs no mx", "version: STSv1\nmode: none\nmax_age: 86400\n", MTASTS_NONE, 86400, ""},
		{"the longest max_age", "version: STSv1\nmode: none\nmax_age: 31557600\n", MTASTS_NONE, 31557600, ""},
		{"names become lower case", "version: STSv1\nmode: enforce\nmx: *.EXAMPLE.Net\nmax_age: 1\n", MTASTS_ENFORCE, 1,
		 "*.example.net\n"},
		{"empty lines at the end are forgiven", "version: STSv1\nmode: none\nmax_age: 1\n\n\r\n  \n", MTASTS_NONE, 1, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mtasts_policy policy = {0};
		struct err err = {0};
		bool is_good = mtasts_parse(&policy, str_of(cases[i].text), &err);

		tap_ok(is_good && policy.mode == cases[i].mode && policy.max_age == cases[i].max_age &&
		               strcmp(buf_text(&policy.mx), cases[i].mx) == 0, "policy: %s", cases[i].name);
		if (!is_good)
			tap_note("%s", buf_text(&err.text));
		mtasts_policy_free(&policy);
		mtasts_policy_free(&policy);
		err_clear(&err);
	}
}

static void
refuses(const char *name, struct str text, const char *message)
{
	struct mtasts_policy policy = {0};
	struct err err = {0};
	bool is_refused = !mtasts_parse(&policy, text, &err) && err.exit_code == EX_DATAERR && policy.mx.data == NULL &&
	                  policy.n_mx == 0 && policy.mode == MTASTS_NONE;

	tap_ok(is_refused && strcmp(buf_text(&err.text), message) == 0, "no policy: %s", name);
	if (strcmp(buf_text(&err.text), message) != 0)
		tap_note("%s", buf_text(&err.text));
	mtasts_policy_free(&policy);
	err_clear(&err);
}

static void
test_bad_policy(void)
{
	static const struct {
		const char *name;
		struct str text;
		const char *message;
	} cases[] = {
		{"an empty text", STR(""), "there is no field 'version'"},
		{"no version", STR("mode: none\nmax_age: 1\n"), "there is no field 'version'"},
		{"no mode", STR("version: STSv1\nmax_age: 1\n"), "there is no field 'mode'"},
		{"no max_age", STR("version: STSv1\nmode: none\n"), "there is no field 'max_age'"},
		{"enforce without mx", STR("version: STSv1\nmode: enforce\nmax_age: 1\n"), "there is no field 'mx'"},
		{"testing without mx", STR("version: STSv1\nmode: testing\nmax_age: 1\n"), "there is no field 'mx'"},
		{"another version", STR("version: STSv2\n"), "line 1: 'STSv2' is not the version STSv1"},
		{"the version in small letters", STR("version: stsv1\n"), "line 1: 'stsv1' is not the version STSv1"},
		{"a field's name in capitals", STR("Version: STSv1\nmode: none\nmax_age: 1\n"), "there is no field 'version'"},
		{"another mode", STR("version: STSv1\nmode: Enforce\n"),
		 "line 2: 'Enforce' is not one of the modes none, testing and enforce"},
		{"mx: *", STR("mx: *\n"), "line 1: '*' is not the name of a host, or one with '*.' for its first label"},
		{"mx: *.", STR("mx: *.\n"), "line 1: '*.' is not the name of a host, or one with '*.' for its first label"},
		{"two wildcards", STR("mx: *.*.example\n"),
		 "line 1: '*.*.example' is not the name of a host, or one with '*.' for its first label"},
		{"a wildcard in a label", STR("mx: m*.example\n"),
		 "line 1: 'm*.example' is not the name of a host, or one with '*.' for its first label"},
		{"an empty mx", STR("mx:\n"), "line 1: '' is not the name of a host, or one with '*.' for its first label"},
		{"two mx in a line", STR("mx: a.example, b.example\n"),
		 "line 1: 'a.example, b.example' is not the name of a host, or one with '*.' for its first label"},
		{"an mx that is no A-label", STR("mx: b\xc3\xbc.example\n"),
		 "line 1: 'b\xc3\xbc.example' is not the name of a host, or one with '*.' for its first label"},
		{"max_age above a year", STR("max_age: 31557601\n"), "line 1: '31557601' is not a max_age of 0 to 31557600 seconds"},
		{"max_age 2^63", STR("max_age: 9223372036854775808\n"),
		 "line 1: '9223372036854775808' is not a max_age of 0 to 31557600 seconds"},
		{"max_age 2^64 + 1", STR("max_age: 18446744073709551617\n"),
		 "line 1: '18446744073709551617' is not a max_age of 0 to 31557600 seconds"},
		{"a negative max_age", STR("max_age: -1\n"), "line 1: '-1' is not a max_age of 0 to 31557600 seconds"},
		{"max_age with a unit", STR("max_age: 1d\n"), "line 1: '1d' is not a max_age of 0 to 31557600 seconds"},
		{"a line without a colon", STR("version: STSv1\nenforce\n"), "line 2: 'enforce' is not a name and a value with ':' between"},
		{"a page of HTML", STR("<html>\n"), "line 1: '<html>' is not a name and a value with ':' between"},
		{"a blank in front of a field", STR(" version: STSv1\n"),
		 "line 1: ' version: STSv1' is not a name and a value with ':' between"},
		{"a byte order mark", STR("\xef\xbb\xbfversion: STSv1\n"),
		 "line 1: '\\xef\\xbb\\xbfversion: STSv1' is not a name and a value with ':' between"},
		{"a NUL", STR("version: STSv1\nmode: none\0\nmax_age: 1\n"), "line 2: 'none\\x00' is not text"},
		{"a bare CR", STR("version: STSv1\rmode: none\r"), "line 1: 'STSv1\\x0dmode: none' is not text"},
		{"a CR in front of CRLF", STR("version: STSv1\r\r\n"), "line 1: 'STSv1\\x0d' is not text"},
		{"a value that is no UTF-8", STR("x: \xff\n"), "line 1: '\\xff' is not text"},
		{"an escape sequence", STR("mode: \x1b[2J\n"), "line 1: '\\x1b[2J' is not text"},
	};
	struct buf large = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refuses(cases[i].name, cases[i].text, cases[i].message);
	for (unsigned i = 0; i <= MTASTS_MX_MOST; i++)
		buf_printf(&large, "mx: mx%u.example\n", i);
	refuses("one mx more than there may be", buf_str(&large), "line 101: more than 100 mx patterns");
	buf_clear(&large);
	while (large.size <= MTASTS_POLICY_MOST)
		buf_add_text(&large, "x: y\n");
	refuses("more bytes than there may be", buf_str(&large), "more than 65536 bytes");
	buf_free(&large);
}

static void
test_matching(void)
{
	static const struct {
		const char *mx;
		const char *host;
		bool is_allowed;
	} cases[] = {
		{"mail.example.com", "mail.example.com", true},
		{"mail.example.com", "MAIL.Example.COM", true},
		{"MAIL.Example.COM", "mail.example.com", true},
		{"mail.example.com", "example.com", false},
		{"mail.example.com", "mail.example.com.evil.test", false},
		{"mail.example.com", "xmail.example.com", false},
		{"mail.example.com", "", false},
		{"*.example.com", "mail.example.com", true},
		{"*.example.com", "MAIL.EXAMPLE.COM", true},
		{"*.example.com", "foo.bar.example.com", false},
		{"*.example.com", "example.com", false},
		{"*.example.com", ".example.com", false},
		{"*.example.com", "mailexample.com", false},
		{"*.example.com", "*.example.com", true},
		{"*.test", "mx.test", true},
		{"*.test", "test", false},
		{"xn--bcher-kva.example", "xn--bcher-kva.example", true},
		{"*.xn--bcher-kva.example", "mx.xn--bcher-kva.example", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mtasts_policy policy = {0};
		struct buf text = {0};
		struct err err = {0};
		bool is_good;

		buf_printf(&text, "version: STSv1\nmode: enforce\nmax_age: 1\nmx: other.test\nmx: %s\nmx: last.test\n", cases[i].mx);
		is_good = mtasts_parse(&policy, buf_str(&text), &err);
		tap_ok(is_good && mtasts_allows(&policy, str_of(cases[i].host)) == cases[i].is_allowed, "'%s' %s '%s'", cases[i].mx,
		       cases[i].is_allowed ? "is for" : "is not for", cases[i].host);
		mtasts_policy_free(&policy);
		err_clear(&err);
		buf_free(&text);
	}
}

static void
test_names(void)
{
	struct buf name = {0};

	mtasts_add_record_name(&name, STR("example.test"));
	tap_is(buf_text(&name), "_mta-sts.example.test", "the name of the record");
	buf_clear(&name);
	mtasts_add_host_name(&name, STR("example.test"));
	tap_is(buf_text(&name), "mta-sts.example.test", "the name of the host");
	buf_free(&name);
	tap_is(mtasts_mode_name(MTASTS_ENFORCE), "enforce", "the name of a mode");
}

int
main(void)
{
	test_record();
	test_good_policy();
	test_bad_policy();
	test_matching();
	test_names();
	return tap_end();
}
