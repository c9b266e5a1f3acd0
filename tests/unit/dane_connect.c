/* dane_connect.c - a TLS handshake with a server of which TLSA records say who it is: the verdict of net/dns and net/dane, for
 * tests/peers/dane.bats, where that of Postfix's posttls-finger(1) stands beside it, and for people.
 *
 *     dane_connect [-s ADDRESS[@PORT]] [-a FILE] [-p PORT] [-w] DOMAIN HOST
 *
 * HOST is of the secure MX records of DOMAIN. -w: TLS from the first byte on. Prints one line:
 *
 *     verified            by a TLSA record
 *     encrypted           there are records, and none can be used
 *     none                there are no records that count: DANE has nothing to say
 *     refused: WHY        no record matches
 *     failed: WHY         for now: DNS, or the connection */

#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/dane.h"
#include "net/tls.h"

enum { SECONDS = 10 };

struct task {
	struct dns_settings settings;
	int port;
	bool is_implicit;
	const char *domain;
	const char *host;
};

/* What DNS says. */
struct found {
	struct endpoint endpoint;
	bool has_endpoint;
	bool is_failed;
	bool is_secure; /* the address, so that TLSA records are asked for (RFC 7672 2.2.2) */
	char why[160];
	struct dane dane;
};

static void
usage(void)
{
	fprintf(stderr, "usage: dane_connect [-s ADDRESS[@PORT]] [-a FILE] [-p PORT] [-w] DOMAIN HOST\n");
	exit(EX_USAGE);
}

static void
fail(struct found *found, const struct dns_query *query)
{
	found->is_failed = true;
	snprintf(found->why, sizeof(found->why), "%s", query->why);
}

static void
find_address(struct dns *dns, const struct task *task, struct found *found)
{
	struct dns_query query = {.name = task->host, .type = DNS_A};
	struct str rest, rdata = {0};

	dns_ask(dns, &query, 1, clock_deadline(SECONDS));
	rest = buf_str(&query.records);
	if (query.result == DNS_FAILED)
		fail(found, &query);
	else
		found->has_endpoint = dns_next(&rest, &rdata) && record_read_address(DNS_A, rdata, task->port, &found->endpoint);
	found->is_secure = query.is_secure;
	snprintf(found->dane.base, sizeof(found->dane.base), "%s", query.canonical);
	dns_query_free(&query);
}

/* The records of this name become found's. False: there are none. */
static bool
find_records(struct dns *dns, const struct task *task, const char *base, struct found *found)
{
	char name[DNS_NAME_SIZE + 16];
	struct dns_query query = {.name = name, .type = DNS_TLSA};
	bool is_found;

	snprintf(name, sizeof(name), "_%d._tcp.%s", task->port, base);
	dns_ask(dns, &query, 1, clock_deadline(SECONDS));
	is_found = query.result == DNS_FOUND && query.is_secure;
	if (query.result == DNS_FAILED)
		fail(found, &query);
	if (is_found) {
		memmove(found->dane.base, base, strlen(base) + 1);
		dane_read(&found->dane, buf_str(&query.records));
	}
	dns_query_free(&query);
	return is_found;
}

static bool
look_up(const struct task *task, struct found *found, struct err *err)
{
	struct dns *dns = NULL;

	if (!dns_open(&dns, &task->settings, err))
		return false;
	snprintf(found->dane.names[0], sizeof(found->dane.names[0]), "%s", task->host);
	snprintf(found->dane.names[1], sizeof(found->dane.names[1]), "%s", task->domain);
	find_address(dns, task, found);
	if (!found->is_failed && found->is_secure && !find_records(dns, task, found->dane.base, found) && !found->is_failed)
		(void)find_records(dns, task, task->host, found);
	dns_close(dns);
	return true;
}

/* Read until a line begins with code and a blank. */
static bool
await(int fd, const char *code)
{
	char text[4096];
	size_t size = 0;

	while (size < sizeof(text) - 1 && read(fd, text + size, 1) == 1) {
		text[++size] = '\0';
		if (text[size - 1] != '\n')
			continue;
		if (size > 4 && strncmp(text, code, 3) == 0 && text[3] == ' ')
			return true;
		size = 0;
	}
	return false;
}

static bool
say(int fd, const char *line)
{
	return write(fd, line, strlen(line)) == (ssize_t)strlen(line);
}

static int
connect_to_server(const struct task *task, const struct found *found, struct err *err)
{
	struct timeval patience = {.tv_sec = SECONDS};
	int fd = socket(found->endpoint.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, &found->endpoint.any, found->endpoint.size) != 0) {
		err_set_errno(err, EX_TEMPFAIL, "cannot connect");
		return fd;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (!task->is_implicit && (!await(fd, "220") || !say(fd, "EHLO client.mc\r\n") || !await(fd, "250") ||
	                           !say(fd, "STARTTLS\r\n") || !await(fd, "220")))
		err_set(err, EX_TEMPFAIL, "no STARTTLS");
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}

static void
shake_hands(const struct task *task, const struct found *found)
{
	struct tls_settings settings = {.host = found->dane.base, .min_version = 12, .dane = &found->dane};
	struct tls_facts facts = {0};
	struct tls *tls = NULL;
	struct err err = {0};
	int fd = connect_to_server(task, found, &err);

	if (!err_is_set(&err) && tls_handshake(&tls, fd, &settings, clock_deadline(SECONDS), &err)) {
		tls_describe(tls, &facts);
		puts(strcmp(facts.verified_by, "dane") == 0 ? "verified" : "encrypted");
	} else {
		printf("%s: %s\n", err.exit_code == EX_UNAVAILABLE ? "refused" : "failed", buf_text(&err.text));
	}
	tls_facts_free(&facts);
	tls_close(tls);
	if (fd >= 0)
		close(fd);
	err_clear(&err);
}

static void
read_options(int argc, char **argv, struct task *task)
{
	uint64_t port = 25;
	int option;

	while ((option = getopt(argc, argv, "a:p:s:w")) != -1) {
		if (option == 'a')
			task->settings.trust_anchor = optarg;
		else if (option == 's')
			task->settings.server = optarg;
		else if (option == 'w')
			task->is_implicit = true;
		else if (option != 'p' || !str_to_number(str_of(optarg), 65535, &port))
			usage();
	}
	if (argc - optind != 2)
		usage();
	task->port = (int)port;
	task->domain = argv[optind];
	task->host = argv[optind + 1];
}

int
main(int argc, char **argv)
{
	struct task task = {0};
	struct found found = {0};
	struct err err = {0};
	int exit_code = EX_OK;

	read_options(argc, argv, &task);
	if (!look_up(&task, &found, &err)) {
		exit_code = err.exit_code;
		fprintf(stderr, "dane_connect: %s\n", buf_text(&err.text));
	} else if (found.is_failed || !found.has_endpoint) {
		printf("failed: %s\n", found.why);
	} else if (found.dane.n_seen == 0) {
		puts("none");
	} else {
		shake_hands(&task, &found);
	}
	dane_free(&found.dane);
	err_clear(&err);
	return exit_code;
}
