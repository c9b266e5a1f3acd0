/* tlsreport.c - sessions with other domains' servers, counted for a report on TLS (RFC 8460). */

#include "config.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/library.h"
#include "base/mem.h"
#include "deliver/tlsreport.h"
#include "queue/disk.h"
#include "queue/note.h"

static const char *const policy_names[N_TLSREPORT_POLICIES] = {
	[TLSREPORT_NO_POLICY] = "no-policy-found", [TLSREPORT_STS] = "sts", [TLSREPORT_TLSA] = "tlsa"
};

static const char *const result_names[N_TLSREPORT_RESULTS] = {
	[TLSREPORT_SUCCESS] = "success",
	[TLSREPORT_STARTTLS_NOT_SUPPORTED] = "starttls-not-supported",
	[TLSREPORT_CERTIFICATE_HOST_MISMATCH] = "certificate-host-mismatch",
	[TLSREPORT_CERTIFICATE_EXPIRED] = "certificate-expired",
	[TLSREPORT_CERTIFICATE_NOT_TRUSTED] = "certificate-not-trusted",
	[TLSREPORT_VALIDATION_FAILURE] = "validation-failure",
	[TLSREPORT_TLSA_INVALID] = "tlsa-invalid",
	[TLSREPORT_DNSSEC_INVALID] = "dnssec-invalid",
	[TLSREPORT_DANE_REQUIRED] = "dane-required",
	[TLSREPORT_STS_POLICY_FETCH_ERROR] = "sts-policy-fetch-error",
	[TLSREPORT_STS_POLICY_INVALID] = "sts-policy-invalid",
	[TLSREPORT_STS_WEBPKI_INVALID] = "sts-webpki-invalid",
};

/* --- days ---------------------------------------------------------------------------------------------------------- */

void
tlsreport_day(time_t when, char day[TLSREPORT_DAY_SIZE])
{
	struct buf text = {0};

	clock_add_timestamp(&text, when);
	memcpy(day, buf_text(&text), TLSREPORT_DAY_SIZE - 1);
	day[TLSREPORT_DAY_SIZE - 1] = '\0';
	buf_free(&text);
}

bool
tlsreport_is_day(struct str text)
{
	uint64_t year = 0, month = 0, day = 0;

	return text.size == TLSREPORT_DAY_SIZE - 1 && text.data[4] == '-' && text.data[7] == '-' &&
	       str_to_number(str_first(text, 4), 9999, &year) && str_to_number(str_first(str_from(text, 5), 2), 12, &month) &&
	       str_to_number(str_from(text, 8), 31, &day) && year > 0 && month > 0 && day > 0;
}

/* --- writing down -------------------------------------------------------------------------------------------------- */

static void
add_known(struct json *json, const char *name, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_add_text(json, name, text);
}

/* Each line as a text of an array. */
static void
add_lines(struct json *json, const char *name, struct str lines)
{
	struct str line = {0};

	json_begin_array(json, name);
	while (str_next_token(&lines, '\n', &line)) {
		char *text;

		line = str_trim(line);
		if (line.size == 0)
			continue;
		text = mem_copy(line.data, line.size);
		json_add_text(json, NULL, text);
		free(text);
	}
	json_end(json);
}

static void
add_fact(struct buf *b, const struct tlsreport_fact *fact, bool is_brief)
{
	struct json json = {.out = b};

	json_begin_object(&json, NULL);
	json_add_text(&json, "type", policy_names[fact->type]);
	json_add_text(&json, "domain", fact->domain);
	json_add_text(&json, "result", result_names[fact->result]);
	add_known(&json, "mx", fact->mx_host);
	add_known(&json, "ip", fact->ip);
	add_known(&json, "own_ip", fact->own_ip);
	if (!is_brief) {
		add_known(&json, "reason", fact->reason);
		add_lines(&json, "policy", fact->policy);
		add_lines(&json, "patterns", fact->mx);
	}
	json_end(&json);
	buf_add_char(b, '\n');
}

/* The file of a day, for another line. -1: it cannot be had, or is full. */
static int
open_day(struct spool *spool, const char *day)
{
	struct err err = {0};
	int folder = spool->is_open ? spool_folder(spool, SPOOL_REPORTS, &err) : -1;
	struct stat facts = {0};
	int fd;

	err_clear(&err);
	if (folder < 0)
		return -1;
	fd = disk_open(folder, day, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK);
	if (fd < 0)
		return -1;
	if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_uid == geteuid() && facts.st_nlink == 1 &&
	    facts.st_size <= TLSREPORT_FILE_MOST - TLSREPORT_LINE_MOST)
		return fd;
	close(fd);
	return -1;
}

bool
tlsreport_record(struct spool *spool, const struct tlsreport_fact *fact, time_t when)
{
	char day[TLSREPORT_DAY_SIZE];
	struct buf line = {0};
	bool is_written = false;
	int fd;

	add_fact(&line, fact, false);
	if (line.size > TLSREPORT_LINE_MOST) {
		buf_clear(&line);
		add_fact(&line, fact, true);
	}
	tlsreport_day(when, day);
	fd = line.size > TLSREPORT_LINE_MOST ? -1 : open_day(spool, day);
	if (fd >= 0) {
		/* One write: several processes append at the same time, and none of them waits. */
		is_written = write(fd, line.data, line.size) == (ssize_t)line.size;
		close(fd);
	}
	buf_free(&line);
	return is_written;
}

/* --- adding up ----------------------------------------------------------------------------------------------------- */

/* What makes a failure another one: names in a line and in the report. */
static const struct {
	const char *line;
	const char *report;
} fields[] = {
	{"result", "result-type"},
	{"own_ip", "sending-mta-ip"},
	{"mx", "receiving-mx-hostname"},
	{"ip", "receiving-ip"},
	{"reason", "failure-reason-code"},
};

enum { N_FIELDS = sizeof(fields) / sizeof(fields[0]) };

/* Failures of one kind at one place. */
struct detail {
	uint64_t hash;          /* of the texts */
	char *texts[N_FIELDS];  /* NULL: not known */
	uint64_t n;
};

/* A policy as it was on that day; one that changed is two. */
struct tally {
	uint64_t hash;
	char *type;
	char *domain;
	struct buf policy;   /* lines, each with '\n' behind */
	struct buf patterns;
	uint64_t n_successes;
	uint64_t n_failures;
	struct detail *details;
	size_t n_details;
};

struct sum {
	struct tally *tallies;
	size_t n_tallies;
	size_t n_unread;
};

static void
sum_free(struct sum *sum)
{
	for (size_t i = 0; i < sum->n_tallies; i++) {
		struct tally *tally = &sum->tallies[i];

		for (size_t j = 0; j < tally->n_details; j++)
			for (size_t k = 0; k < N_FIELDS; k++)
				free(tally->details[j].texts[k]);
		free(tally->details);
		free(tally->type);
		free(tally->domain);
		buf_free(&tally->policy);
		buf_free(&tally->patterns);
	}
	free(sum->tallies);
	*sum = (struct sum){0};
}

/* Jansson, loaded where it is needed; json_is_...() are macros. */
struct json_table {
	__typeof__(json_array_get) *array_get;
	__typeof__(json_array_size) *array_size;
	__typeof__(json_delete) *delete;
	__typeof__(json_loadb) *loadb;
	__typeof__(json_object_get) *object_get;
	__typeof__(json_string_value) *string_value;
};

static const char *const json_names[] = {"json_array_get", "json_array_size",  "json_delete",
                                         "json_loadb",     "json_object_get", "json_string_value"};

_Static_assert(sizeof(struct json_table) == sizeof(json_names), "one address per name");

static bool
load_json(struct json_table *json, struct err *err)
{
	const struct library library = {
		.file = JANSSON_SONAME,
		.user = "a report on TLS",
		.package = "Jansson",
		.symbols = json_names,
		.n_symbols = sizeof(json_names) / sizeof(json_names[0]),
	};

	return library_load(&library, json, err);
}

/* A member that is text; NULL when there is none. */
static const char *
text_of(const struct json_table *json, const json_t *object, const char *name)
{
	return json->string_value(json->object_get(object, name));
}

static void
add_array(const struct json_table *json, const json_t *array, struct buf *lines)
{
	for (size_t i = 0; i < json->array_size(array); i++) {
		const char *line = json->string_value(json->array_get(array, i));

		if (line != NULL)
			buf_printf(lines, "%s\n", line);
	}
}

static bool
is_among(const char *text, const char *const *names, size_t n)
{
	for (size_t i = 0; text != NULL && i < n; i++)
		if (strcmp(text, names[i]) == 0)
			return true;
	return false;
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static uint64_t
add_to_hash(uint64_t hash, const char *text)
{
	return str_hash(str_hash(hash, str_of(text)), STR("\n"));
}

/* The tally of the line's policy. */
static struct tally *
find_tally(struct sum *sum, const char *type, const char *domain, const struct buf *policy, const struct buf *patterns)
{
	uint64_t hash = add_to_hash(add_to_hash(STR_HASH_START, type), domain);
	struct tally *tally;

	hash = str_hash(str_hash(hash, buf_str(policy)), buf_str(patterns));

	for (size_t i = 0; i < sum->n_tallies; i++) {
		tally = &sum->tallies[i];
		if (tally->hash == hash && strcmp(tally->type, type) == 0 && strcmp(tally->domain, domain) == 0 &&
		    str_equals(buf_str(&tally->policy), buf_str(policy)) &&
		    str_equals(buf_str(&tally->patterns), buf_str(patterns)))
			return tally;
	}
	sum->tallies = mem_resize(sum->tallies, sum->n_tallies + 1, sizeof(*sum->tallies));
	tally = &sum->tallies[sum->n_tallies++];
	*tally = (struct tally){.hash = hash, .type = mem_copy_string(type), .domain = mem_copy_string(domain)};
	buf_add_str(&tally->policy, buf_str(policy));
	buf_add_str(&tally->patterns, buf_str(patterns));
	return tally;
}

static bool
is_detail(const struct detail *detail, uint64_t hash, const char *const texts[N_FIELDS])
{
	bool is_it = detail->hash == hash;

	for (size_t i = 0; is_it && i < N_FIELDS; i++)
		is_it = is_same(detail->texts[i], texts[i]);
	return is_it;
}

static void
count_failure(const struct json_table *json, const json_t *line, struct tally *tally)
{
	const char *texts[N_FIELDS];
	uint64_t hash = STR_HASH_START;
	struct detail *detail;
	size_t i = 0;

	for (size_t j = 0; j < N_FIELDS; j++) {
		texts[j] = text_of(json, line, fields[j].line);
		hash = add_to_hash(hash, texts[j]);
	}
	while (i < tally->n_details && !is_detail(&tally->details[i], hash, texts))
		i++;
	if (i == tally->n_details) {
		tally->details = mem_resize(tally->details, tally->n_details + 1, sizeof(*tally->details));
		detail = &tally->details[tally->n_details++];
		*detail = (struct detail){.hash = hash};
		for (size_t j = 0; j < N_FIELDS; j++)
			detail->texts[j] = mem_copy_string(texts[j]);
	}
	tally->details[i].n++;
}

static bool
count(const struct json_table *json, const json_t *line, struct sum *sum)
{
	const char *type = text_of(json, line, "type"), *domain = text_of(json, line, "domain");
	const char *result = text_of(json, line, "result");
	struct buf policy = {0}, patterns = {0};
	struct tally *tally;

	if (!is_among(type, policy_names, N_TLSREPORT_POLICIES) || !is_among(result, result_names, N_TLSREPORT_RESULTS) ||
	    domain == NULL)
		return false;
	add_array(json, json->object_get(line, "policy"), &policy);
	add_array(json, json->object_get(line, "patterns"), &patterns);
	tally = find_tally(sum, type, domain, &policy, &patterns);
	if (strcmp(result, result_names[TLSREPORT_SUCCESS]) == 0) {
		tally->n_successes++;
	} else {
		tally->n_failures++;
		count_failure(json, line, tally);
	}
	buf_free(&policy);
	buf_free(&patterns);
	return true;
}

static void
count_lines(const struct json_table *json, struct str text, struct sum *sum)
{
	struct str line = {0};

	while (str_next_token(&text, '\n', &line)) {
		json_t *root = json->loadb(line.data != NULL ? line.data : "", line.size, 0, NULL);

		/* A full disk leaves half a line, and the next one is glued to it. */
		if (root == NULL || !count(json, root, sum))
			sum->n_unread++;
		if (root != NULL)
			json->delete(root);
	}
}

/* --- the report ---------------------------------------------------------------------------------------------------- */

static void
add_details(struct json *json, const struct tally *tally)
{
	json_begin_array(json, "failure-details");
	for (size_t i = 0; i < tally->n_details; i++) {
		const struct detail *detail = &tally->details[i];

		json_begin_object(json, NULL);
		for (size_t j = 0; j < N_FIELDS; j++)
			add_known(json, fields[j].report, detail->texts[j]);
		json_add_number(json, "failed-session-count", (int64_t)detail->n);
		json_end(json);
	}
	json_end(json);
}

static void
add_tally(struct json *json, const struct tally *tally)
{
	json_begin_object(json, NULL);
	json_begin_object(json, "policy");
	json_add_text(json, "policy-type", tally->type);
	if (tally->policy.size > 0)
		add_lines(json, "policy-string", buf_str(&tally->policy));
	json_add_text(json, "policy-domain", tally->domain);
	if (tally->patterns.size > 0)
		add_lines(json, "mx-host", buf_str(&tally->patterns));
	json_end(json);
	json_begin_object(json, "summary");
	json_add_number(json, "total-successful-session-count", (int64_t)tally->n_successes);
	json_add_number(json, "total-failure-session-count", (int64_t)tally->n_failures);
	json_end(json);
	if (tally->n_details > 0)
		add_details(json, tally);
	json_end(json);
}

/* A member whose text is put together of two. */
static void
add_joined(struct json *json, const char *name, const char *first, const char *second)
{
	struct buf text = {0};

	buf_add_text(&text, first);
	buf_add_text(&text, second);
	json_add_text(json, name, buf_text(&text));
	buf_free(&text);
}

static void
add_report(struct buf *b, const char *day, const struct tlsreport_author *author, const struct sum *sum)
{
	struct json json = {.out = b};

	json_begin_object(&json, NULL);
	json_add_text(&json, "organization-name", author->organization);
	json_begin_object(&json, "date-range");
	add_joined(&json, "start-datetime", day, "T00:00:00Z");
	add_joined(&json, "end-datetime", day, "T23:59:59Z");
	json_end(&json);
	json_add_text(&json, "contact-info", author->contact);
	add_joined(&json, "report-id", day, "T00:00:00Z");
	json_begin_array(&json, "policies");
	for (size_t i = 0; i < sum->n_tallies; i++)
		add_tally(&json, &sum->tallies[i]);
	json_end(&json);
	json_end(&json);
	buf_add_char(b, '\n');
}

bool
tlsreport_add(struct spool *spool, const char *day, const struct tlsreport_author *author, struct buf *b, size_t *n_unread,
              struct err *err)
{
	struct json_table json = {0};
	struct sum sum = {0};
	struct buf text = {0};

	*n_unread = 0;
	if (!load_json(&json, err))
		return false;
	if (!note_read(spool, SPOOL_REPORTS, day, TLSREPORT_FILE_MOST, &text)) {
		err_set(err, EX_NOINPUT, "nothing was written down about TLS on %s", day);
		return err_hint(err, "'tls_report on' in the configuration file writes down each session of a direct delivery");
	}
	count_lines(&json, buf_str(&text), &sum);
	add_report(b, day, author, &sum);
	*n_unread = sum.n_unread;
	sum_free(&sum);
	buf_free(&text);
	return true;
}
