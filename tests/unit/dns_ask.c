/* dns_ask.c - asks by net/dns what it is told to, for tests/peers/dns.bats and for people.
 *
 *     dns_ask [-s ADDRESS[@PORT]] [-a FILE] [-t SECONDS] [-o] NAME TYPE [NAME TYPE]...
 *
 * All questions are asked at once, one after the other with -o. -a '' is no trust anchor. For each it prints "NAME TYPE found|failed|no-data|no-name secure|insecure|bogus CANONICAL: WHY", and below, indented,
 * its records. Then how long it took, and what is left after dns_close() of what was not there before. Exit status: 0, or that
 * of the error of dns_open(). */

#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/record.h"

struct task {
	struct dns_settings settings;
	struct dns_query *queries;
	size_t n;
	int64_t seconds;
	bool is_one_by_one;
};

static const struct {
	const char *name;
	enum dns_type type;
} types[] = {{"A", DNS_A}, {"AAAA", DNS_AAAA}, {"MX", DNS_MX}, {"SRV", DNS_SRV}, {"TLSA", DNS_TLSA}, {"TXT", DNS_TXT}};

enum { N_TYPES = sizeof(types) / sizeof(types[0]) };

static void
usage(void)
{
	fprintf(stderr, "usage: dns_ask [-s ADDRESS[@PORT]] [-a FILE] [-t SECONDS] [-o] NAME TYPE...\n");
	exit(EX_USAGE);
}

static enum dns_type
type_of(const char *name)
{
	for (size_t i = 0; i < N_TYPES; i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	usage();
	return DNS_A;
}

static const char *
name_of(enum dns_type type)
{
	for (size_t i = 0; i < N_TYPES; i++)
		if (types[i].type == type)
			return types[i].name;
	return "?";
}

static void
add_hex(struct buf *b, struct str data)
{
	for (size_t i = 0; i < data.size; i++)
		buf_printf(b, "%02x", (unsigned char)data.data[i]);
}

/* Append the record; false: it cannot be read. */
static bool
add_record(struct buf *b, enum dns_type type, struct str rdata)
{
	struct record_mx mx;
	struct record_srv srv;
	struct record_tlsa tlsa;
	struct endpoint endpoint;
	bool is_read = false;

	switch (type) {
	case DNS_MX:
		is_read = record_read_mx(rdata, &mx);
		buf_printf(b, "%u %s", mx.preference, mx.host[0] != '\0' ? mx.host : ".");
		break;
	case DNS_SRV:
		is_read = record_read_srv(rdata, &srv);
		buf_printf(b, "%u %u %d %s", srv.priority, srv.weight, srv.port, srv.host[0] != '\0' ? srv.host : ".");
		break;
	case DNS_TLSA:
		is_read = record_read_tlsa(rdata, &tlsa);
		buf_printf(b, "%d %d %d ", tlsa.usage, tlsa.selector, tlsa.matching);
		add_hex(b, tlsa.data);
		break;
	case DNS_TXT:
		is_read = record_add_text(rdata, b);
		break;
	case DNS_A:
	case DNS_AAAA:
		is_read = record_read_address(type, rdata, 25, &endpoint);
		if (is_read)
			lookup_add_text(&endpoint, b);
		break;
	}
	return is_read;
}

static void
show_records(const struct dns_query *query)
{
	struct str rest = buf_str(&query->records), rdata = {0};

	while (dns_next(&rest, &rdata)) {
		struct buf line = {0};

		if (!add_record(&line, query->type, rdata)) {
			buf_clear(&line);
			buf_add_text(&line, "unreadable ");
			add_hex(&line, rdata);
		}
		printf("    %s\n", buf_text(&line));
		buf_free(&line);
	}
}

static void
show(const struct dns_query *query)
{
	static const char *const words[] = {
		[DNS_FAILED] = "failed", [DNS_FOUND] = "found", [DNS_NO_DATA] = "no-data", [DNS_NO_NAME] = "no-name",
	};

	printf("%s %s %s %s %s: %s\n", query->name, name_of(query->type), words[query->result],
	       query->is_bogus ? "bogus" : query->is_secure ? "secure" : "insecure", query->canonical, query->why);
	show_records(query);
}

static int
count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	while (dir != NULL && readdir(dir) != NULL)
		n++;
	if (dir != NULL)
		closedir(dir);
	return n;
}

static int
ask(const struct task *task)
{
	int n_descriptors = count_entries("/proc/self/fd");
	int n_threads = count_entries("/proc/self/task");
	struct dns *dns = NULL;
	struct err err = {0};
	int64_t start = clock_now(), asked;
	int exit_code;

	if (!dns_open(&dns, &task->settings, &err)) {
		fprintf(stderr, "dns_ask: %s\ndns_ask: hint: %s\n", buf_text(&err.text), buf_text(&err.hint));
		exit_code = err.exit_code;
		err_clear(&err);
		return exit_code;
	}
	for (size_t i = 0; i < task->n; i += task->is_one_by_one ? 1 : task->n)
		dns_ask(dns, &task->queries[i], task->is_one_by_one ? 1 : task->n, clock_now() + task->seconds * 1000);
	asked = clock_now();
	dns_close(dns);
	for (size_t i = 0; i < task->n; i++)
		show(&task->queries[i]);
	printf("took %d ms, closing %d ms\n", (int)(asked - start), (int)(clock_now() - asked));
	printf("left: %d descriptors, %d threads, %s process\n", count_entries("/proc/self/fd") - n_descriptors,
	       count_entries("/proc/self/task") - n_threads, waitpid(-1, NULL, WNOHANG) == -1 ? "no" : "a");
	return EX_OK;
}

static void
read_options(int argc, char **argv, struct task *task)
{
	uint64_t seconds = 10;
	int option;

	while ((option = getopt(argc, argv, "a:os:t:")) != -1) {
		if (option == 'a')
			task->settings.trust_anchor = optarg;
		else if (option == 'o')
			task->is_one_by_one = true;
		else if (option == 's')
			task->settings.server = optarg;
		else if (option != 't' || !str_to_number(str_of(optarg), 3600, &seconds))
			usage();
	}
	task->seconds = (int64_t)seconds;
	task->n = (size_t)(argc - optind) / 2;
	if (task->n == 0 || (argc - optind) % 2 != 0)
		usage();
	task->queries = mem_alloc(task->n, sizeof(*task->queries));
	for (size_t i = 0; i < task->n; i++) {
		task->queries[i].name = argv[optind + (int)i * 2];
		task->queries[i].type = type_of(argv[optind + (int)i * 2 + 1]);
	}
}

int
main(int argc, char **argv)
{
	struct task task = {0};
	int exit_code;

	read_options(argc, argv, &task);
	exit_code = ask(&task);
	for (size_t i = 0; i < task.n; i++)
		dns_query_free(&task.queries[i]);
	free(task.queries);
	return exit_code;
}
