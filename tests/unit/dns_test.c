/* dns_test.c - questions to a server of a few lines in a child, without DNSSEC: results, deadlines, settings that cannot be
 * used. What a signed zone and a real resolver say is in tests/peers/dns.bats. */

#include "config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/dns.h"
#include "tap.h"

static void
test_next(void)
{
	struct str rest = str_make("\0\3abc\0\0\0\1d", 10), rdata = {0};

	tap_ok(dns_next(&rest, &rdata) && str_equals(rdata, STR("abc")), "records are taken one by one");
	tap_ok(dns_next(&rest, &rdata) && rdata.size == 0, "an empty one, too");
	tap_ok(dns_next(&rest, &rdata) && str_equals(rdata, STR("d")), "up to the last");
	tap_ok(!dns_next(&rest, &rdata), "and then there is none");
	rest = str_make("\0\7abc", 5);
	tap_ok(dns_next(&rest, &rdata) && str_equals(rdata, STR("abc")) && rest.size == 0, "nothing is read beyond the end");
	rest = str_make("\0", 1);
	tap_ok(!dns_next(&rest, &rdata), "half a length is no record");
}

#ifdef HAVE_LIBUNBOUND

enum { ANSWER_MOST = 512, N_TOGETHER = 20, RECORDS_MANY = 2100, LATE_MS = 250 };

/* How many bytes of the question stand behind the header: its name, type and class. */
static size_t
question_size(const unsigned char *packet, size_t size)
{
	size_t at = 12;

	while (at < size && packet[at] != 0)
		at += packet[at] + 1u;
	return at + 5 <= size ? at + 5 - 12 : 0;
}

/* An A record for the name of the question. */
static size_t
add_address(unsigned char *packet, size_t size, size_t number)
{
	static const unsigned char record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0};

	memcpy(packet + size, record, sizeof(record));
	packet[size + sizeof(record)] = (unsigned char)(number >> 8);
	packet[size + sizeof(record) + 1] = (unsigned char)number;
	return size + sizeof(record) + 2;
}

/* Make the answer out of the question: its first label says which. 0: none at all. */
static size_t
make_answer(unsigned char *packet, size_t size)
{
	const char *label = (const char *)packet + 13;
	size_t n_records = 0;

	size = 12 + question_size(packet, size);
	packet[2] = 0x81;
	packet[3] = 0x80;
	memset(packet + 6, 0, 6);
	if (strncmp(label, "silent", 6) == 0)
		return 0;
	if (strncmp(label, "servfail", 8) == 0)
		packet[3] = 0x82;
	else if (strncmp(label, "refused", 7) == 0)
		packet[3] = 0x85;
	else if (strncmp(label, "missing", 7) == 0)
		packet[3] = 0x83;
	else if (strncmp(label, "two", 3) == 0)
		n_records = 2;
	else if (strncmp(label, "many", 4) == 0)
		n_records = RECORDS_MANY;
	for (size_t i = 0; i < n_records; i++)
		size = add_address(packet, size, i + 1);
	packet[6] = (unsigned char)(n_records >> 8);
	packet[7] = (unsigned char)n_records;
	return size;
}

/* Runs in the child, until it is killed. */
static void
serve(int fd)
{
	for (;;) {
		unsigned char packet[ANSWER_MOST + 16 * RECORDS_MANY];
		struct sockaddr_in peer;
		socklen_t peer_size = sizeof(peer);
		ssize_t n = recvfrom(fd, packet, ANSWER_MOST, 0, (struct sockaddr *)&peer, &peer_size);
		size_t size = n > 12 ? make_answer(packet, (size_t)n) : 0;

		if (size > 0 && strncmp((const char *)packet + 13, "late", 4) == 0) {
			if (fork() != 0)
				continue;
			poll(NULL, 0, LATE_MS);
			sendto(fd, packet, size, 0, (struct sockaddr *)&peer, peer_size);
			_exit(0);
		}
		if (size > 0)
			sendto(fd, packet, size, 0, (struct sockaddr *)&peer, peer_size);
	}
}

/* "127.0.0.1@PORT" of a server in a child. */
static pid_t
start_server(char server[32])
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		_exit(99);
	snprintf(server, 32, "127.0.0.1@%d", ntohs(address.sin_port));
	pid = fork();
	if (pid == 0) {
		/* A test that is aborted leaves nobody behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(fd);
	}
	close(fd);
	return pid;
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

static struct dns *
open_dns(const char *server)
{
	const struct dns_settings settings = {.server = server, .trust_anchor = ""};
	struct dns *dns = NULL;
	struct err err = {0};

	if (!dns_open(&dns, &settings, &err)) {
		tap_note("%s", buf_text(&err.text));
		_exit(99);
	}
	return dns;
}

static bool
is_result(struct dns *dns, const char *name, enum dns_result result, const char *why)
{
	struct dns_query query = {.name = name, .type = DNS_A};
	bool is_right;

	dns_ask(dns, &query, 1, clock_deadline(10));
	is_right = query.result == result && !query.is_secure && !query.is_bogus && strcmp(query.why, why) == 0;
	if (!is_right)
		tap_note("result %d, why: %s", query.result, query.why);
	dns_query_free(&query);
	return is_right;
}

static void
test_results(struct dns *dns, const char *server)
{
	struct dns_query query = {.name = "Two.MC", .type = DNS_A};
	struct str rest, rdata = {0};
	char why[80];

	dns_ask(dns, &query, 1, clock_deadline(10));
	tap_ok(query.result == DNS_FOUND && query.n_records == 2 && !query.is_secure, "two records are found, without a key not secure");
	tap_is(query.canonical, "two.mc", "the canonical name is in lower case, without a dot at the end");
	rest = buf_str(&query.records);
	tap_ok(dns_next(&rest, &rdata) && rdata.size == 4 && dns_next(&rest, &rdata) && !dns_next(&rest, &rdata), "their data can be taken");
	dns_query_free(&query);
	dns_query_free(&query);
	query = (struct dns_query){.name = "many.mc", .type = DNS_A};
	dns_ask(dns, &query, 1, clock_deadline(10));
	tap_is_number((long long)query.n_records, DNS_RECORDS_MOST, "of 2100 records 2000 are kept");
	dns_query_free(&query);
	tap_ok(is_result(dns, "nothing.mc", DNS_NO_DATA, ""), "a name without records of the type has no data");
	tap_ok(is_result(dns, "missing.mc", DNS_NO_NAME, ""), "a name that is not there is none");
	snprintf(why, sizeof(why), "no answer that can be used from %s (SERVFAIL)", server);
	tap_ok(is_result(dns, "servfail.mc", DNS_FAILED, why), "SERVFAIL is a failure, and names the server");
	tap_ok(is_result(dns, "refused.mc", DNS_FAILED, why), "REFUSED is one, too");
	tap_ok(is_result(dns, "two.test", DNS_FOUND, ""), "test. is asked for where a server is set");
	tap_ok(is_result(dns, "a b.mc", DNS_NO_NAME, "") && is_result(dns, "", DNS_NO_NAME, "") && is_result(dns, "a..mc", DNS_NO_NAME, ""),
	       "what can be no name is none");
}

/* Twenty names, every fourth of them without an answer; the others must not suffer for it. */
static void
test_deadline(struct dns *dns, const char *server)
{
	struct dns_query queries[N_TOGETHER] = {0};
	char names[N_TOGETHER][32];
	char why[80];
	int64_t before = clock_now(), took;
	size_t n_right = 0;

	for (size_t i = 0; i < N_TOGETHER; i++) {
		snprintf(names[i], sizeof(names[i]), "%s%zu.mc", i % 4 == 0 ? "silent" : "two", i);
		queries[i].name = names[i];
		queries[i].type = DNS_A;
	}
	dns_ask(dns, queries, N_TOGETHER, before + 1500);
	took = clock_now() - before;
	snprintf(why, sizeof(why), "no answer from %s", server);
	for (size_t i = 0; i < N_TOGETHER; i++) {
		if (i % 4 == 0)
			n_right += queries[i].result == DNS_FAILED && strcmp(queries[i].why, why) == 0;
		else
			n_right += queries[i].result == DNS_FOUND && queries[i].n_records == 2;
		dns_query_free(&queries[i]);
	}
	tap_is_number((long long)n_right, N_TOGETHER, "of 20 questions at once those that are answered have their answers");
	tap_ok(took >= 1500 && took < 2500, "and the wait for the others ends at the deadline (%d ms)", (int)took);
	tap_ok(is_result(dns, "two.mc", DNS_FOUND, ""), "questions that were given up do not disturb the next");
	before = clock_now();
	dns_ask(dns, queries, 0, clock_deadline(5));
	tap_ok(clock_now() - before < 1000, "no question needs no wait");
}

/* The answer that nobody waits for comes while the next question waits. It must not be taken for the next one's, nor written to
 * where the first one was: that is for the sanitizers to see. */
static void
test_late(struct dns *dns)
{
	struct dns_query query = {.name = "late.mc", .type = DNS_A}, next = {.name = "silent.mc", .type = DNS_A};

	dns_ask(dns, &query, 1, clock_now() + 100);
	tap_ok(query.result == DNS_FAILED, "an answer after the deadline is none");
	dns_ask(dns, &next, 1, clock_now() + 3000);
	tap_ok(next.result == DNS_FAILED && next.n_records == 0, "and does no harm to a question that waits when it comes");
	tap_ok(query.result == DNS_FAILED && query.n_records == 0, "nor to the one that was given up");
}

static void
test_ends(const char *server)
{
	struct dns *dns = open_dns(server);
	struct dns_query query = {.name = "silent.mc", .type = DNS_A};
	int64_t before;

	dns_ask(dns, &query, 1, clock_now() + 200);
	before = clock_now();
	dns_close(dns);
	tap_ok(clock_now() - before < 1000, "closing does not wait for what was given up");
	dns_close(NULL);
}

/* A file with the text, below the working directory of the test; its path. */
static const char *
write_file(const char *text)
{
	static char path[] = "/tmp/dns_test.XXXXXX";
	int fd;

	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	fd = mkstemp(path);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(99);
	close(fd);
	return path;
}

static bool
is_refused(const char *server, const char *trust_anchor, const char *text)
{
	const struct dns_settings settings = {.server = server, .trust_anchor = trust_anchor};
	struct dns *dns = NULL;
	struct err err = {0};
	bool is_right = !dns_open(&dns, &settings, &err) && err.exit_code == EX_CONFIG && dns == NULL &&
	                strstr(buf_text(&err.text), text) != NULL;

	if (!is_right)
		tap_note("exit code %d: %s", err.exit_code, buf_text(&err.text));
	dns_close(dns);
	err_clear(&err);
	return is_right;
}

static bool
is_file_refused(const char *content, const char *text)
{
	const char *path = write_file(content);
	bool is_right = is_refused("192.0.2.1", path, text);

	unlink(path);
	return is_right;
}

static void
test_settings(void)
{
	static const char *const servers[] = {
		"", "ns.example.org", "192.0.2.1@", "192.0.2.1@0", "192.0.2.1@65536", "192.0.2.1@x", "192.0.2.1:53", "@53", "192.0.2.1 192.0.2.2",
	};
	const struct dns_settings v6 = {.server = "2001:db8::53@5353", .trust_anchor = ""};
	struct dns *dns = NULL;
	struct err err = {0};

	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		tap_ok(is_refused(servers[i], "", "dns_server"), "'%s' is no server", servers[i]);
	tap_ok(dns_open(&dns, &v6, &err), "an IPv6 address with a port is one");
	dns_close(dns);
	tap_ok(is_refused("192.0.2.1", "/nonexistent/anchor", "dns_trust_anchor: cannot open /nonexistent/anchor: No such file"),
	       "a trust anchor that is not there is a fault of the configuration");
	tap_ok(is_file_refused("", "holds neither a DS nor a DNSKEY record"), "an empty file is one");
	tap_ok(is_file_refused("; . IN DS 1 8 2 00\n", "holds neither"), "a file with a comment is one");
	tap_ok(is_file_refused("mc. IN DS nonsense\n", "libunbound cannot use"), "a record that is none is one");
	tap_ok(is_refused("192.0.2.1", "/tmp", "dns_trust_anchor"), "a folder is one");
	err_clear(&err);
}

/* Open, ask, close: what was there before is there after, and no more. */
static void
test_leavings(const char *server)
{
	int n_descriptors = count_entries("/proc/self/fd");
	int n_threads = count_entries("/proc/self/task");
	struct dns *dns = open_dns(server);
	bool is_asked = is_result(dns, "two.mc", DNS_FOUND, "");
	int n_children;
	int status;

	tap_ok(is_asked && count_entries("/proc/self/task") == n_threads + 1, "the library works in a thread");
	n_children = waitpid(-1, &status, WNOHANG);
	tap_is_number(n_children, 0, "it has started no process that has ended (the server alone is there)");
	dns_close(dns);
	tap_is_number(count_entries("/proc/self/fd"), n_descriptors, "no descriptor is left");
	tap_is_number(count_entries("/proc/self/task"), n_threads, "no thread is left");
}

static void
test_all(void)
{
	char server[32];
	pid_t pid = start_server(server);
	struct dns *dns = open_dns(server);

	test_results(dns, server);
	test_deadline(dns, server);
	test_late(dns);
	dns_close(dns);
	test_ends(server);
	test_leavings(server);
	test_settings();
	tap_ok(dns_library_version()[0] >= '1' && dns_library_version()[0] <= '9', "the version of the library is told");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tap_ok(waitpid(-1, NULL, WNOHANG) == -1, "no process is left");
}

#else

static void
test_all(void)
{
	const struct dns_settings settings = {0};
	struct dns *dns = NULL;
	struct err err = {0};

	tap_ok(!dns_open(&dns, &settings, &err) && err.exit_code == EX_UNAVAILABLE && dns == NULL, "without the library there is none");
	tap_ok(strstr(buf_text(&err.text), "direct delivery needs libunbound") != NULL && err.hint.size > 0, "which is said");
	err_clear(&err);
	tap_is(dns_library_version(), "(built without)", "and in --version");
}

#endif

int
main(void)
{
	test_next();
	test_all();
	return tap_end();
}
