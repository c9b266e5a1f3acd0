/* https_test.c - one GET by HTTPS, each case against a TLS server in a child. */

#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/clock.h"
#include "net/https.h"
#include "net_peer.h"
#include "tap.h"

enum { MOST = 1000, PATIENCE = 20 };

static const char host[] = "mta-sts.example.test";
static struct issued root;
static struct issued leaf;
static char *root_path;

/* --- the server ---------------------------------------------------------------------------------------------------- */

struct web {
	struct tls_server tls;
	const char *answer;      /* NULL: none, the connection is closed */
	size_t padding;          /* bytes 'x' behind the answer */
	int pause_ms;            /* between them */
	bool is_silent;          /* no TLS: the connection is accepted and left alone */
	bool must_be_silent;     /* the client says nothing: status 2 if it does */
	bool is_proxy;           /* a SOCKS5 proxy in front that asks for joe's login; status 5 when it is not spoken to as it should be */
};

/* What the child that is forked next has to do; copied by the fork. */
static const struct web *web;

static bool
has_line(const char *request, const char *line)
{
	return strstr(request, line) != NULL;
}

/* The request as it must be: status 4 when it is not. */
static int
check_request(const char *request)
{
	bool is_good = strncmp(request, "GET /.well-known/mta-sts.txt HTTP/1.1\r\n", 39) == 0 &&
	               has_line(request, "\r\nHost: mta-sts.example.test\r\n") && !has_line(request, "\r\nCookie:") &&
	               !has_line(request, "\r\nAuthorization:") && !has_line(request, "\r\nAccept-Encoding:") &&
	               !has_line(request, "\r\nReferer:");

	return is_good ? 0 : 4;
}

static void
send_all(gnutls_session_t session, const char *text)
{
	size_t size = strlen(text);
	ssize_t n = 0;

	for (size_t sent = 0; sent < size && n >= 0; sent += (size_t)n)
		n = gnutls_record_send(session, text + sent, size - sent);
}

static int
serve_request(gnutls_session_t session, int fd)
{
	char request[4096] = "";
	ssize_t size = gnutls_record_recv(session, request, sizeof(request) - 1);
	int status;

	(void)fd;
	if (web->must_be_silent || size <= 0)
		return size > 0 ? 2 : 0;
	request[size] = '\0';
	status = check_request(request);
	if (web->answer != NULL)
		send_all(session, web->answer);
	for (size_t i = 0; i < web->padding; i++) {
		if (gnutls_record_send(session, "x", 1) < 0)
			break;
		if (web->pause_ms > 0)
			net_sleep_ms(web->pause_ms);
	}
	if (web->answer != NULL)
		gnutls_bye(session, GNUTLS_SHUT_WR);
	return status;
}

/* Read exactly what is expected, and answer. */
static bool
expect(int fd, const char *expected, size_t size, const char *answer, size_t answer_size)
{
	char got[64] = "";
	size_t n = 0;
	ssize_t more = 1;

	for (; n < size && more > 0; n += (size_t)more) {
		more = read(fd, got + n, size - n);
		if (more < 0)
			return false;
	}
	return n == size && memcmp(got, expected, size) == 0 && write(fd, answer, answer_size) == (ssize_t)answer_size;
}

/* RFC 1928 and 1929; libcurl offers GSSAPI as well where it can. */
static bool
serve_socks(int fd)
{
	static const char login[] = "\x01\x03joe\x06secret", request[] = "\x05\x01\x00\x03\x14mta-sts.example.test\x01\xbb";
	unsigned char methods[2 + 8] = {0};

	if (read(fd, methods, 2) != 2 || methods[0] != 5 || methods[1] > 8 || read(fd, methods + 2, methods[1]) != methods[1] ||
	    memchr(methods + 2, 2, methods[1]) == NULL || write(fd, "\x05\x02", 2) != 2)
		return false;
	return expect(fd, login, sizeof(login) - 1, "\x01\x00", 2) &&
	       expect(fd, request, sizeof(request) - 1, "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50", 10);
}

static int
serve(int listener)
{
	int fd = accept(listener, NULL, NULL);
	struct tls_server tls = web->tls;
	char end;

	if (web->is_proxy && !serve_socks(fd))
		return 5;

	tls.after = serve_request;
	if (tls.chain[0] == NULL)
		tls.chain[0] = &leaf;
	if (!web->is_silent)
		return tls_server_run(fd, &tls);
	while (read(fd, &end, 1) > 0)
		;
	return 0;
}

struct site {
	pid_t pid;
	int port;
	char connect[32];
};

static struct site
start(const struct web *what)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct site site = {0};

	web = what;
	if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 5) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) != 0)
		abort();
	site.port = ntohs(address.sin_port);
	snprintf(site.connect, sizeof(site.connect), "127.0.0.1:%d", site.port);
	fflush(stdout);
	site.pid = fork();
	if (site.pid == 0) {
		signal(SIGPIPE, SIG_IGN);
		alarm(60);
		_exit(serve(listener));
	}
	close(listener);
	return site;
}

struct result {
	bool is_good;
	struct https_response response;
	struct err err;
	int64_t took;
	int server_status;
};

static void
result_free(struct result *result)
{
	https_response_free(&result->response);
	https_response_free(&result->response);
	err_clear(&result->err);
}

static struct result
get(const struct web *what, int64_t deadline)
{
	struct site site = start(what);
	const struct https_request request = {
		.host = host, .path = "/.well-known/mta-sts.txt", .connect = site.connect, .trust_file = root_path, .most = MOST
	};
	struct https_request by_proxy = request;
	struct result result = {0};
	struct net_peer peer = {.pid = site.pid};
	int64_t begin = clock_now();

	by_proxy.connect = NULL;
	by_proxy.proxy_host = "localhost";
	by_proxy.proxy_port = site.port;
	by_proxy.proxy_user = "joe";
	by_proxy.proxy_password = "secret";
	result.is_good = https_get(what->is_proxy ? &by_proxy : &request, deadline, &result.response, &result.err);
	result.took = clock_now() - begin;
	result.server_status = net_peer_wait(&peer);
	return result;
}

/* --- answers ------------------------------------------------------------------------------------------------------- */

static void
test_good(void)
{
	const struct web what = {.answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 6\r\n\r\nhello\n"};
	const struct web old = {.answer = "HTTP/1.0 200 OK\r\n\r\n", .padding = MOST};
	struct result result = get(&what, clock_deadline(PATIENCE));

	tap_ok(result.is_good && result.response.fault == HTTPS_GOOD && result.response.status == 200, "a page is fetched");
	tap_is(buf_text(&result.err.text), "", "without an error");
	tap_is(buf_text(&result.response.body), "hello\n", "its body is there");
	tap_is(buf_text(&result.response.content_type), "text/plain; charset=utf-8", "and its type");
	tap_is_number(result.server_status, 0, "the request is plain, without cookie, login and encodings");
	result_free(&result);
	result = get(&old, clock_deadline(PATIENCE));
	tap_ok(result.is_good && result.response.body.size == MOST && result.response.content_type.size == 0,
	       "a body of as many bytes as may be, without type and length");
	result_free(&result);
}

static void
refused(const struct web *what, enum https_fault fault, int exit_code, const char *text, const char *name)
{
	struct result result = get(what, clock_deadline(PATIENCE));

	if (!tap_ok(!result.is_good && result.response.fault == fault && result.err.exit_code == exit_code &&
	                    strstr(buf_text(&result.err.text), text) != NULL && result.response.body.data == NULL &&
	                    strncmp(buf_text(&result.err.text), "https://mta-sts.example.test/.well-known/mta-sts.txt: ", 54) == 0,
	            "%s", name))
		tap_note("good %d, fault %d, exit %d: %s", result.is_good, (int)result.response.fault, result.err.exit_code,
		         buf_text(&result.err.text));
	result_free(&result);
}

static void
test_answers(void)
{
	static char endless[70000];
	const struct web redirect = {.answer = "HTTP/1.1 302 Found\r\nLocation: https://mta-sts.example.test/other\r\nContent-Length: 0\r\n\r\n"};
	const struct web missing = {.answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"};
	const struct web missing_and_large = {.answer = "HTTP/1.1 404 Not Found\r\n\r\n", .padding = MOST + 1};
	const struct web empty = {.answer = "HTTP/1.1 204 No Content\r\n\r\n"};
	const struct web large = {.answer = "HTTP/1.1 200 OK\r\n\r\n", .padding = MOST + 1};
	const struct web claims = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n", .padding = MOST + 1};
	const struct web header = {.answer = "HTTP/1.1 200 OK\r\nX: ", .padding = 70000};
	const struct web headers = {.answer = endless};
	const struct web cut = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"};
	const struct web closed = {.answer = NULL};
	const struct web ancient = {.answer = "hello\r\n"};
	const struct web smtp = {.answer = "220 mx.example.test ESMTP\r\n"};

	for (size_t i = 0; i + 7 < sizeof(endless); i += 6)
		memcpy(endless + i, "X: y\r\n", 7);
	memcpy(endless, "HTTP/1.1 200 OK\r\nX:", 19);
	refused(&redirect, HTTPS_REFUSED, EX_UNAVAILABLE, "the status is 302 instead of 200 (a redirect must not be followed)",
	        "a redirect is not followed");
	refused(&missing, HTTPS_REFUSED, EX_UNAVAILABLE, "the status is 404 instead of 200", "404 is no page");
	refused(&missing_and_large, HTTPS_REFUSED, EX_UNAVAILABLE, "the status is 404 instead of 200", "nor is it with a large body");
	refused(&empty, HTTPS_REFUSED, EX_UNAVAILABLE, "the status is 204 instead of 200", "nor is 204");
	refused(&large, HTTPS_REFUSED, EX_DATAERR, "more than 1000 bytes", "a body that is too large is refused");
	refused(&claims, HTTPS_REFUSED, EX_DATAERR, "more than 1000 bytes", "so is a length that no number holds");
	refused(&headers, HTTPS_REFUSED, EX_DATAERR, "more than 65536 bytes of header", "so are header lines without an end");
	refused(&header, HTTPS_UNREACHABLE, EX_TEMPFAIL, "the answer is not complete", "and a header line without an end");
	refused(&cut, HTTPS_UNREACHABLE, EX_TEMPFAIL, "the answer is not complete", "a body that is cut is none");
	refused(&closed, HTTPS_UNREACHABLE, EX_TEMPFAIL, "", "no answer is no page");
	refused(&ancient, HTTPS_UNREACHABLE, EX_PROTOCOL, "", "HTTP/0.9 is no HTTP");
	refused(&smtp, HTTPS_UNREACHABLE, EX_PROTOCOL, "", "nor is SMTP");
}

/* --- the certificate ----------------------------------------------------------------------------------------------- */

static void
distrusted(struct recipe recipe, const char *text, const char *name)
{
	struct issued made = issue(&recipe);
	const struct web what = {.tls = {.chain = {&made}}, .must_be_silent = true};
	struct result result = get(&what, clock_deadline(PATIENCE));

	if (!tap_ok(!result.is_good && result.response.fault == HTTPS_UNTRUSTED && result.err.exit_code == EX_UNAVAILABLE &&
	                    strstr(buf_text(&result.err.text), text) != NULL && result.server_status == 0,
	            "%s is refused, and nothing was sent", name))
		tap_note("good %d, fault %d, exit %d, server %d: %s", result.is_good, (int)result.response.fault,
		         result.err.exit_code, result.server_status, buf_text(&result.err.text));
	result_free(&result);
	issued_free(&made);
}

static void
test_certificate(void)
{
	const struct web what = {.answer = "HTTP/1.1 200 OK\r\n\r\n"};
	struct issued other = issue(&(struct recipe){.common_name = "Other authority", .is_authority = true});
	struct issued wild = issue(&(struct recipe){.names = {"*.example.test"}, .issuer = &root});
	struct web wild_web = what;
	struct result result;

	distrusted((struct recipe){.names = {host}, .issuer = &root, .from_seconds = -172800, .until_seconds = -86400}, "has expired",
	           "an expired certificate");
	distrusted((struct recipe){.names = {host}, .issuer = &root, .from_seconds = 86400, .until_seconds = 172800}, "not yet valid",
	           "one of the future");
	distrusted((struct recipe){.names = {"www.example.test"}, .issuer = &root}, "not for mta-sts.example.test",
	           "one with another name");
	distrusted((struct recipe){.common_name = host, .issuer = &root}, "not for mta-sts.example.test",
	           "one with the name as its common name only");
	distrusted((struct recipe){.names = {"*.test"}, .issuer = &root}, "not for mta-sts.example.test", "a wildcard above the domain");
	distrusted((struct recipe){.names = {host}}, "self-signed", "a self-signed one");
	distrusted((struct recipe){.names = {host}, .issuer = &other}, "unknown authority", "one of another authority");
	distrusted((struct recipe){.names = {host}, .issuer = &root, .purpose = GNUTLS_KP_TLS_WWW_CLIENT}, "not meant for a server",
	           "one for clients");
	distrusted((struct recipe){.names = {host}, .issuer = &root, .rsa_bits = 1024}, "too weak", "one with a short key");
	wild_web.tls.chain[0] = &wild;
	result = get(&wild_web, clock_deadline(PATIENCE));
	tap_ok(result.is_good, "a wildcard in place of the first label is good");
	result_free(&result);
	issued_free(&wild);
	issued_free(&other);
}

static void
test_tls(void)
{
	const struct web old = {.tls = {.priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT"}, .must_be_silent = true};
	const struct web middle = {.tls = {.priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.2"}, .answer = "HTTP/1.1 200 OK\r\n\r\n"};
	struct result result = get(&old, clock_deadline(PATIENCE));

	tap_ok(!result.is_good && result.response.fault == HTTPS_UNREACHABLE && result.server_status == 1, "TLS 1.1 is refused");
	result_free(&result);
	result = get(&middle, clock_deadline(PATIENCE));
	tap_ok(result.is_good, "TLS 1.2 is good");
	result_free(&result);
}

/* --- time, places and the environment -------------------------------------------------------------------------------- */

static void
test_deadline(void)
{
	const struct web silent = {.is_silent = true};
	const struct web drip = {.answer = "HTTP/1.1 200 OK\r\n\r\n", .padding = 100, .pause_ms = 100};
	struct result result = get(&silent, clock_now() + 700);

	tap_ok(!result.is_good && result.err.exit_code == EX_TEMPFAIL && result.took >= 600 && result.took < 5000,
	       "a server that says nothing is left at the deadline");
	result_free(&result);
	result = get(&drip, clock_now() + 1500);
	tap_ok(!result.is_good && result.err.exit_code == EX_TEMPFAIL && result.response.body.data == NULL && result.took < 5000 &&
	               strstr(buf_text(&result.err.text), "no complete answer in time") != NULL,
	       "so is one that drips");
	result_free(&result);
}

static void
cannot(const struct https_request *request, int64_t deadline, int exit_code, const char *text, const char *name)
{
	struct https_response response = {0};
	struct err err = {0};
	bool is_good = https_get(request, deadline, &response, &err);

	if (!tap_ok(!is_good && response.fault == HTTPS_UNREACHABLE && err.exit_code == exit_code &&
	                    strstr(buf_text(&err.text), text) != NULL, "%s", name))
		tap_note("good %d, exit %d: %s", is_good, err.exit_code, buf_text(&err.text));
	https_response_free(&response);
	err_clear(&err);
}

static void
test_places(void)
{
	struct https_request request = {.host = host, .path = "/", .trust_file = root_path, .most = MOST};

	request.connect = "127.0.0.1:1";
	cannot(&request, clock_deadline(PATIENCE), EX_TEMPFAIL, "cannot connect", "nobody listens");
	cannot(&request, clock_now() - 1, EX_TEMPFAIL, "no time is left", "a deadline that has passed is one");
	request.connect = "localhost:443";
	cannot(&request, clock_deadline(PATIENCE), EX_CONFIG, "'localhost:443' is not an address with ':' and a port",
	       "a name is no place to connect to");
	request.connect = "127.0.0.1:443";
	request.trust_file = "/nonexistent/ca.pem";
	cannot(&request, clock_deadline(PATIENCE), EX_CONFIG, "/nonexistent/ca.pem", "a file of authorities that is not there");
	request.trust_file = root_path;
	request.connect = NULL;
	request.host = "localhost";
	cannot(&request, clock_deadline(PATIENCE), EX_TEMPFAIL, "cannot connect", "without a place it is port 443 of the host");
}

static void
test_connect_syntax(void)
{
	static const struct {
		const char *text;
		bool is_good;
	} cases[] = {
		{"127.0.0.1:443", true}, {"[::1]:443", true}, {"192.0.2.1:65535", true}, {"::1:443", false}, {"[::1]", false},
		{"127.0.0.1", false}, {"127.0.0.1:", false}, {"127.0.0.1:0", false}, {"127.0.0.1:65536", false}, {":443", false},
		{"", false}, {"[127.0.0.1]:443", false}, {"name:443", false}, {"127.0.0.1:443:1", false}, {"[]:443", false},
		{"127.0.0.1:443 ", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		tap_ok(https_is_connect(cases[i].text) == cases[i].is_good, "'%.20s' is %s", cases[i].text,
		       cases[i].is_good ? "a place" : "none");
}

static void
test_proxy(void)
{
	const struct web what = {.is_proxy = true, .answer = "HTTP/1.1 200 OK\r\n\r\n", .padding = 5};
	struct issued other = issue(&(struct recipe){.names = {"other.example.test"}, .issuer = &root});
	const struct web wrong = {.is_proxy = true, .tls = {.chain = {&other}}, .must_be_silent = true};
	struct result result = get(&what, clock_deadline(PATIENCE));

	tap_ok(result.is_good && result.server_status == 0, "a proxy is given the name, and a login");
	tap_is(buf_text(&result.response.body), "xxxxx", "and brings the page");
	result_free(&result);
	result = get(&wrong, clock_deadline(PATIENCE));
	tap_ok(!result.is_good && result.response.fault == HTTPS_UNTRUSTED && result.server_status == 0,
	       "behind a proxy the certificate counts as well");
	result_free(&result);
	issued_free(&other);
}

static void
test_environment(void)
{
	const struct web what = {.answer = "HTTP/1.1 200 OK\r\n\r\n"};
	char *netrc = scratch_path(".netrc");
	static const char login[] = "machine mta-sts.example.test login joe password secret\n";
	struct result result;

	write_file(netrc, "w", login, sizeof(login) - 1);
	setenv("HOME", scratch_directory(), 1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "socks5://127.0.0.1:1", 1);
	setenv("CURL_CA_BUNDLE", "/nonexistent", 1);
	setenv("SSL_CERT_FILE", "/nonexistent", 1);
	result = get(&what, clock_deadline(PATIENCE));
	tap_ok(result.is_good && result.server_status == 0, "proxies, logins and authorities of the environment do not count");
	result_free(&result);
	free(netrc);
}

#ifndef HAVE_LIBCURL
static const bool has_libcurl = false;
#else
static const bool has_libcurl = true;
#endif

static void
test_absence(void)
{
	const struct https_request request = {.host = host, .path = "/", .most = MOST};

	cannot(&request, clock_deadline(PATIENCE), EX_UNAVAILABLE, "HTTPS needs libcurl, and this program was built without it",
	       "without libcurl there is no HTTPS");
	tap_is(https_library_version(), "(built without)", "and no version of it");
}

int
main(void)
{
	if (!has_libcurl) {
		test_absence();
		test_connect_syntax();
		return tap_end();
	}
	signal(SIGPIPE, SIG_IGN);
	root = issue(&(struct recipe){.common_name = "Test authority", .is_authority = true});
	leaf = issue(&(struct recipe){.names = {host}, .issuer = &root});
	root_path = scratch_path("root.pem");
	write_certificate(root_path, root.certificate);
	test_good();
	test_answers();
	test_certificate();
	test_tls();
	test_deadline();
	test_places();
	test_connect_syntax();
	test_proxy();
	test_environment();
	tap_ok(strcmp(https_library_version(), "(cannot be loaded)") != 0, "the library has a version: %s", https_library_version());
	issued_free(&leaf);
	issued_free(&root);
	free(root_path);
	scratch_remove();
	return tap_end();
}
