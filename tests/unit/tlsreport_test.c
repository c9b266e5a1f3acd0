/* tlsreport_test.c - sessions written down and added up, with a fake clock; the report is read back by Jansson. */

#include "config.h"

#include <jansson.h>

#include "deliver/tlsreport.h"
#include "queue_kit.h"

enum { DAY = 86400 };

static const time_t noon = 20785 * (time_t)DAY + 43200; /* 2026-11-28T12:00:00Z */
static const struct tlsreport_author author = {"example.org", "postmaster@example.org"};

/* What stands at a path such as "policies/0/summary/total-failure-session-count", as text; "" when there is nothing. */
static const char *
at(json_t *root, const char *path)
{
	static char text[4][512];
	static unsigned n;
	char *result = text[n++ % 4];
	struct str rest = str_of(path), name = {0};
	json_t *node = root;

	while (node != NULL && str_next_token(&rest, '/', &name)) {
		char *copy = mem_copy(name.data, name.size);

		node = json_is_array(node) ? json_array_get(node, strtoul(copy, NULL, 10)) : json_object_get(node, copy);
		free(copy);
	}
	result[0] = '\0';
	if (json_is_string(node))
		snprintf(result, 512, "%s", json_string_value(node));
	else if (json_is_integer(node))
		snprintf(result, 512, "%lld", (long long)json_integer_value(node));
	else if (json_is_array(node))
		snprintf(result, 512, "array of %zu", json_array_size(node));
	return result;
}

static void
is_at(json_t *root, const char *path, const char *expected)
{
	char name[200];

	snprintf(name, sizeof(name), "%s is '%s'", path, expected);
	tap_is(at(root, path), expected, name);
}

/* The report of a day; NULL: there is none, or it is no JSON. */
static json_t *
report(struct kit *kit, const char *day, size_t *n_unread)
{
	struct buf text = {0};
	json_t *root = NULL;

	err_clear(&kit->err);
	if (tlsreport_add(&kit->spool, day, &author, &text, n_unread, &kit->err))
		root = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
	if (text.size > 0 && (text.data[text.size - 1] != '\n' || strchr(buf_text(&text), '\n') != text.data + text.size - 1))
		tap_ok(false, "the report is one line");
	buf_free(&text);
	return root;
}

static struct tlsreport_fact
sts_fact(enum tlsreport_result result)
{
	return (struct tlsreport_fact){
		.type = TLSREPORT_STS,
		.domain = "company-y.example",
		.policy = STR("version: STSv1\r\nmode: testing\r\nmx: *.mail.company-y.example\r\nmax_age: 86400\r\n"),
		.mx = STR("*.mail.company-y.example\n"),
		.result = result,
		.mx_host = "mx1.mail.company-y.example",
		.ip = "192.0.2.56",
	};
}

static void
test_report(struct kit *kit)
{
	struct tlsreport_fact good = sts_fact(TLSREPORT_SUCCESS), expired = sts_fact(TLSREPORT_CERTIFICATE_EXPIRED);
	struct tlsreport_fact plain = sts_fact(TLSREPORT_STARTTLS_NOT_SUPPORTED);
	const struct tlsreport_fact none = {.type = TLSREPORT_NO_POLICY, .domain = "other.example", .result = TLSREPORT_SUCCESS};
	const struct tlsreport_fact dane = {.type = TLSREPORT_TLSA, .domain = "dane.example", .policy = STR("3 1 1 0011\n3 1 1 2233\n"),
	                                    .result = TLSREPORT_VALIDATION_FAILURE, .mx_host = "mx.dane.example",
	                                    .ip = "2001:db8::1", .own_ip = "198.51.100.62", .reason = "no record matches"};
	bool all_written = true;
	json_t *root;
	size_t n_unread = 0;

	plain.mx_host = "mx2.mail.company-y.example";
	for (int i = 0; i < 5; i++)
		all_written = all_written && tlsreport_record(&kit->spool, &good, noon + i);
	all_written = all_written && tlsreport_record(&kit->spool, &expired, noon) && tlsreport_record(&kit->spool, &plain, noon) &&
	              tlsreport_record(&kit->spool, &expired, noon + 1) && tlsreport_record(&kit->spool, &none, noon) &&
	              tlsreport_record(&kit->spool, &dane, noon);
	/* The second before, and the first of the next day. */
	all_written = all_written && tlsreport_record(&kit->spool, &good, noon - 43201) &&
	              tlsreport_record(&kit->spool, &good, noon + 43200);
	tap_ok(all_written && kit_count(kit, SPOOL_REPORTS) == 3, "sessions are written down, a file for each day of UTC");
	root = report(kit, "2026-11-28", &n_unread);
	tap_ok(root != NULL && n_unread == 0, "the report is JSON");
	is_at(root, "organization-name", "example.org");
	is_at(root, "date-range/start-datetime", "2026-11-28T00:00:00Z");
	is_at(root, "date-range/end-datetime", "2026-11-28T23:59:59Z");
	is_at(root, "contact-info", "postmaster@example.org");
	is_at(root, "report-id", "2026-11-28T00:00:00Z");
	is_at(root, "policies", "array of 3");
	is_at(root, "policies/0/policy/policy-type", "sts");
	is_at(root, "policies/0/policy/policy-string", "array of 4");
	is_at(root, "policies/0/policy/policy-string/0", "version: STSv1");
	is_at(root, "policies/0/policy/policy-string/3", "max_age: 86400");
	is_at(root, "policies/0/policy/policy-domain", "company-y.example");
	is_at(root, "policies/0/policy/mx-host/0", "*.mail.company-y.example");
	is_at(root, "policies/0/summary/total-successful-session-count", "5");
	is_at(root, "policies/0/summary/total-failure-session-count", "3");
	is_at(root, "policies/0/failure-details", "array of 2");
	is_at(root, "policies/0/failure-details/0/result-type", "certificate-expired");
	is_at(root, "policies/0/failure-details/0/receiving-mx-hostname", "mx1.mail.company-y.example");
	is_at(root, "policies/0/failure-details/0/receiving-ip", "192.0.2.56");
	is_at(root, "policies/0/failure-details/0/failed-session-count", "2");
	is_at(root, "policies/0/failure-details/0/sending-mta-ip", "");
	is_at(root, "policies/0/failure-details/1/result-type", "starttls-not-supported");
	is_at(root, "policies/0/failure-details/1/failed-session-count", "1");
	is_at(root, "policies/1/policy/policy-type", "no-policy-found");
	is_at(root, "policies/1/policy/policy-domain", "other.example");
	is_at(root, "policies/1/policy/policy-string", "");
	is_at(root, "policies/1/summary/total-successful-session-count", "1");
	is_at(root, "policies/1/failure-details", "");
	is_at(root, "policies/2/policy/policy-type", "tlsa");
	is_at(root, "policies/2/policy/policy-string/1", "3 1 1 2233");
	is_at(root, "policies/2/policy/mx-host", "");
	is_at(root, "policies/2/failure-details/0/sending-mta-ip", "198.51.100.62");
	is_at(root, "policies/2/failure-details/0/failure-reason-code", "no record matches");
	json_decref(root);
	root = report(kit, "2026-11-29", &n_unread);
	is_at(root, "policies/0/summary/total-successful-session-count", "1");
	json_decref(root);
	tap_ok(report(kit, "2026-11-30", &n_unread) == NULL && kit->err.exit_code == EX_NOINPUT &&
	               strstr(buf_text(&kit->err.hint), "tls_report on") != NULL, "of a day without sessions there is no report");
}

static void
test_change(struct kit *kit)
{
	struct tlsreport_fact fact = sts_fact(TLSREPORT_SUCCESS);
	json_t *root;
	size_t n_unread = 0;

	tlsreport_record(&kit->spool, &fact, noon + 10 * DAY);
	fact.policy = STR("version: STSv1\nmode: enforce\n");
	tlsreport_record(&kit->spool, &fact, noon + 10 * DAY);
	root = report(kit, "2026-12-08", &n_unread);
	is_at(root, "policies", "array of 2");
	is_at(root, "policies/1/policy/policy-string/1", "mode: enforce");
	json_decref(root);
}

static void
test_names(struct kit *kit)
{
	/* RFC 8460 4.3. */
	static const char *const names[] = {
		"starttls-not-supported", "certificate-host-mismatch", "certificate-expired", "certificate-not-trusted",
		"validation-failure", "tlsa-invalid", "dnssec-invalid", "dane-required", "sts-policy-fetch-error",
		"sts-policy-invalid", "sts-webpki-invalid"
	};
	json_t *root;
	size_t n_unread = 0;

	for (int result = TLSREPORT_STARTTLS_NOT_SUPPORTED; result < N_TLSREPORT_RESULTS; result++) {
		struct tlsreport_fact fact = sts_fact((enum tlsreport_result)result);

		tlsreport_record(&kit->spool, &fact, noon + 20 * DAY);
	}
	root = report(kit, "2026-12-18", &n_unread);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[80];

		snprintf(path, sizeof(path), "policies/0/failure-details/%zu/result-type", i);
		is_at(root, path, names[i]);
	}
	is_at(root, "policies/0/summary/total-failure-session-count", "11");
	json_decref(root);
}

static void
test_odd_text(struct kit *kit)
{
	struct tlsreport_fact fact = sts_fact(TLSREPORT_VALIDATION_FAILURE);
	struct buf large = {0};
	json_t *root;
	size_t n_unread = 0;

	fact.reason = "\"quoted\" \\ \x1b[2J \xff\nnext";
	tlsreport_record(&kit->spool, &fact, noon + 30 * DAY);
	for (size_t i = 0; i < TLSREPORT_LINE_MOST; i += 8)
		buf_add_text(&large, "mx: a.b\n");
	fact.policy = buf_str(&large);
	tap_ok(tlsreport_record(&kit->spool, &fact, noon + 30 * DAY), "a policy that is too long for a line is no hindrance");
	root = report(kit, "2026-12-28", &n_unread);
	is_at(root, "policies/0/failure-details/0/failure-reason-code", "\"quoted\" \\ \x1b[2J \xef\xbf\xbd\nnext");
	is_at(root, "policies/1/policy/policy-string", "");
	is_at(root, "policies/1/failure-details/0/receiving-ip", "192.0.2.56");
	json_decref(root);
	fact.domain = buf_text(&large);
	tap_ok(!tlsreport_record(&kit->spool, &fact, noon + 30 * DAY), "with a name that is too long nothing is written");
	buf_free(&large);
}

static void
test_damage(struct kit *kit)
{
	static const char damaged[] =
		"{\"type\":\"sts\",\"domain\":\"a.example\",\"result\":\"success\"}\n"
		"{\"type\":\"sts\",\"domain\":\"a.example\",\"resu{\"type\":\"sts\",\"domain\":\"a.example\",\"result\":\"success\"}\n"
		"{\"type\":\"other\",\"domain\":\"a.example\",\"result\":\"success\"}\n"
		"{\"type\":\"sts\",\"domain\":\"a.example\",\"result\":\"other\"}\n"
		"{\"type\":\"sts\",\"domain\":7,\"result\":\"success\"}\n"
		"{\"type\":\"sts\",\"result\":\"success\"}\n"
		"[]\n7\n\n\x00\n"
		"{\"type\":\"sts\",\"domain\":\"a.example\",\"result\":\"success\",\"policy\":7,\"patterns\":[7,{}],\"mx\":[]}\n"
		"{\"type\":\"sts\",\"domain\":\"a.example\",\"result\":\"success\"}";
	const struct tlsreport_fact fact = sts_fact(TLSREPORT_SUCCESS);
	struct spool none = {0};
	json_t *root;
	size_t n_unread = 0;
	int fd;

	kit_write(kit_file(kit, SPOOL_REPORTS, "2027-01-01"), damaged, sizeof(damaged) - 1);
	root = report(kit, "2027-01-01", &n_unread);
	is_at(root, "policies/0/summary/total-successful-session-count", "3");
	is_at(root, "policies", "array of 1");
	tap_is_number((long long)n_unread, 9, "lines that make no sense are counted and passed over");
	json_decref(root);

	unlink(kit_file(kit, SPOOL_REPORTS, "2026-11-28"));
	if (symlink("/tmp/elsewhere", kit_file(kit, SPOOL_REPORTS, "2026-11-28")) != 0)
		abort();
	tap_ok(!tlsreport_record(&kit->spool, &fact, noon), "nothing is written through a symbolic link");
	unlink(kit_file(kit, SPOOL_REPORTS, "2026-11-28"));
	if (mkfifo(kit_file(kit, SPOOL_REPORTS, "2026-11-28"), 0600) != 0)
		abort();
	tap_ok(!tlsreport_record(&kit->spool, &fact, noon), "nor into a FIFO");
	unlink(kit_file(kit, SPOOL_REPORTS, "2026-11-28"));
	kit_write(kit_file(kit, SPOOL_REPORTS, "2026-11-28"), "", 0);
	fd = open(kit_file(kit, SPOOL_REPORTS, "2026-11-28"), O_WRONLY | O_CLOEXEC);
	if (fd < 0 || ftruncate(fd, TLSREPORT_FILE_MOST - TLSREPORT_LINE_MOST + 1) != 0)
		abort();
	close(fd);
	tap_ok(!tlsreport_record(&kit->spool, &fact, noon), "nor behind so many that the file is large");
	tap_ok(!tlsreport_record(&none, &fact, noon), "nor without a spool");
}

/* Each child writes so many lines. */
static int
record_many(void *context)
{
	struct kit *kit = context;
	const struct tlsreport_fact fact = sts_fact(TLSREPORT_SUCCESS);
	bool all_written = true;

	for (int i = 0; i < 200; i++)
		all_written = all_written && tlsreport_record(&kit->spool, &fact, noon + 40 * DAY);
	return all_written ? 0 : 1;
}

static void
test_many(struct kit *kit)
{
	pid_t children[4];
	bool all_well = true;
	size_t n_unread = 0;
	json_t *root;

	fflush(stdout);
	for (size_t i = 0; i < 4; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(record_many(kit));
	}
	for (size_t i = 0; i < 4; i++) {
		int status = 1;

		all_well = waitpid(children[i], &status, 0) == children[i] && status == 0 && all_well;
	}
	root = report(kit, "2027-01-07", &n_unread);
	tap_ok(all_well && n_unread == 0, "processes that write at the same time do not disturb each other");
	is_at(root, "policies/0/summary/total-successful-session-count", "800");
	json_decref(root);
}

static void
test_days(void)
{
	static const char *const good[] = {"2026-11-28", "1970-01-01", "9999-12-31"};
	static const char *const bad[] = {"", "2026-11-2", "2026-11-281", "2026/11/28", "2026-13-01", "2026-00-01", "2026-01-32",
	                                  "2026-01-00", "../../../x", "20a6-01-01", "0000-01-01", "2026-+1-01"};
	char day[TLSREPORT_DAY_SIZE];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		tap_ok(tlsreport_is_day(str_of(good[i])), "'%s' is a day", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		tap_ok(!tlsreport_is_day(str_of(bad[i])), "'%s' is none", bad[i]);
	tlsreport_day(noon, day);
	tap_is(day, "2026-11-28", "a time has a day");
	tlsreport_day(noon + 43199, day);
	tap_is(day, "2026-11-28", "up to its last second");
	tlsreport_day(noon + 43200, day);
	tap_is(day, "2026-11-29", "then it is the next");
}

int
main(void)
{
	struct kit kit;

	kit_open(&kit);
	test_report(&kit);
	test_change(&kit);
	test_names(&kit);
	test_odd_text(&kit);
	test_damage(&kit);
	test_many(&kit);
	test_days();
	kit_close(&kit);
	return tap_end();
}
