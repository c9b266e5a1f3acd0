/* tls_test.c - handshake and records against a TLS server in a child. */

#include "config.h"

#include "base/clock.h"
#include "net/stream.h"
#include "net_after.h"
#include "net_peer.h"
#include "tap.h"

static const char host[] = "mx.example.test";
static struct issued root;
static struct issued leaf;
static char *root_path;

/* A session under way. */
struct session {
	struct net_peer peer;
	struct stream stream;
	struct stream_state state;
	struct buf in;
	struct err err;
	bool is_up;
};

static struct tls_settings
good_settings(void)
{
	return (struct tls_settings){.host = host, .trust_file = root_path, .min_version = 12};
}

static struct session
session_start(struct tls_server server, struct tls_settings settings)
{
	struct session session = {0};

	if (server.chain[0] == NULL)
		server.chain[0] = &leaf;
	session.peer = net_peer_start(tls_server_run, &server);
	stream_open(&session.stream, session.peer.fd);
	session.is_up = stream_start_tls(&session.stream, &settings, clock_deadline(20), &session.err);
	return session;
}

/* The exit status of the server. */
static int
session_end(struct session *session)
{
	int status;

	stream_close(&session->stream);
	status = net_peer_wait(&session->peer);
	buf_free(&session->in);
	err_clear(&session->err);
	return status;
}

/* Send text (may be "") and read until the input holds the end, the peer closes, or time is up. */
static bool
converse(struct session *session, const char *text, const char *end, int64_t deadline)
{
	struct buf out = {0};
	bool is_good = true;

	buf_add_text(&out, text);
	while (is_good && !session->state.is_at_end && strstr(buf_text(&session->in), end) == NULL)
		is_good = stream_exchange(&session->stream, &out, &session->in, true, deadline, &session->state,
		                          &session->err);
	buf_free(&out);
	return is_good;
}

static void
test_records(void)
{
	static const char group[] = "MAIL FROM:<a@example.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n";
	struct session session = session_start((struct tls_server){.after = echo_sizes}, good_settings());
	char size[16];
	struct buf out = {0};

	tap_ok(session.is_up, "a good server is accepted");
	snprintf(size, sizeof(size), "%zu\n", strlen(group));
	tap_ok(converse(&session, group, "\n", clock_deadline(10)) && strcmp(buf_text(&session.in), size) == 0,
	       "a group of commands leaves as one record");
	buf_clear(&session.in);
	for (int i = 0; i < 65536; i++)
		buf_add_char(&out, 'x');
	while (out.size > 0 || strlen(buf_text(&session.in)) < 4 * 6)
		if (!stream_exchange(&session.stream, &out, &session.in, true, clock_deadline(10), &session.state,
		                     &session.err))
			break;
	tap_is(buf_text(&session.in), "16384\n16384\n16384\n16384\n", "a body leaves in full records");
	tap_is_number(session_end(&session), 0, "closing sends close_notify");
	buf_free(&out);
}

static void
test_bulk(void)
{
	struct session session = session_start((struct tls_server){.after = check_bulk}, good_settings());
	struct buf out = {0};
	bool is_good = true;

	for (size_t i = 0; i < BULK; i++)
		buf_add_char(&out, bulk_byte(i));
	while (is_good && out.size > 0)
		is_good = stream_exchange(&session.stream, &out, &session.in, false, clock_deadline(20),
		                          &session.state, &session.err);
	buf_free(&out);
	tap_ok(is_good && session_end(&session) == 0,
	       "a body that has to wait in the middle of a record arrives whole");
}

/* The first bytes after the handshake meet a socket that takes little at a time. */
static void
test_narrow(void)
{
	struct tls_server server = {.chain = {&leaf}, .after = answer_bulk};
	struct tls_settings settings = good_settings();
	struct session session = {.peer = net_peer_start(tls_server_run, &server)};
	struct buf out = {0};
	const int least = 1;
	bool is_good;

	setsockopt(session.peer.fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
	stream_open(&session.stream, session.peer.fd);
	is_good = stream_start_tls(&session.stream, &settings, clock_deadline(20), &session.err);
	for (size_t i = 0; i < BULK; i++)
		buf_add_char(&out, bulk_byte(i));
	while (is_good && session.in.size == 0 && !session.state.is_at_end)
		is_good = stream_exchange(&session.stream, &out, &session.in, true, clock_deadline(5), &session.state,
		                          &session.err);
	tap_is(buf_text(&session.in), "250 ok\n", "what a full socket does not take at first leaves before the answer");
	tap_is_number(session_end(&session), 0, "and arrives whole");
	buf_free(&out);
}

static void
test_ends(void)
{
	struct session session = session_start((struct tls_server){.after = greet_and_close}, good_settings());

	tap_ok(converse(&session, "", "\n", clock_deadline(10)) &&
	               strcmp(buf_text(&session.in), "220 hello\n") == 0,
	       "a greeting arrives");
	converse(&session, "", "never", clock_deadline(10));
	tap_ok(session.state.is_at_end && !session.state.is_truncated, "close_notify is a clean end");
	session_end(&session);
	session = session_start((struct tls_server){.after = truncate_reply}, good_settings());
	tap_ok(converse(&session, "", "\n", clock_deadline(10)) && session.state.is_at_end &&
	               session.state.is_truncated && strcmp(buf_text(&session.in), "250-par") == 0,
	       "protocol 64: an end without close_notify is known as truncated");
	session_end(&session);
	session =
		session_start((struct tls_server){.after = greet_and_close, .has_tickets = true}, good_settings());
	tap_ok(converse(&session, "", "\n", clock_deadline(10)) &&
	               strcmp(buf_text(&session.in), "220 hello\n") == 0,
	       "protocol 65: tickets before the first reply do no harm");
	session_end(&session);
	session = session_start((struct tls_server){.after = send_in_pieces}, good_settings());
	tap_ok(converse(&session, "", "\n", clock_deadline(10)) &&
	               strcmp(buf_text(&session.in), "220 hello\n") == 0,
	       "a record may arrive byte by byte");
	session_end(&session);
}

/* A process that forgets a connection leaves it to the other one that has it. */
static void
test_forget(void)
{
	struct session session = session_start((struct tls_server){.after = echo_sizes}, good_settings());
	int ends[2] = {-1, -1}, status = -1;
	char byte;
	pid_t other;

	if (!converse(&session, "12345", "\n", clock_deadline(10)) || pipe(ends) != 0)
		abort();
	fflush(stdout);
	other = fork();
	if (other == 0) {
		close(ends[1]);
		(void)!read(ends[0], &byte, 1);
		buf_clear(&session.in);
		if (!converse(&session, "123", "\n", clock_deadline(10)) || strcmp(buf_text(&session.in), "3\n") != 0)
			_exit(1);
		stream_close(&session.stream);
		_exit(0);
	}
	stream_forget(&session.stream);
	stream_forget(&session.stream);
	close(ends[1]);
	close(ends[0]);
	waitpid(other, &status, 0);
	tap_is_number(status, 0, "a connection that one process forgets goes on in another");
	tap_is_number(session_end(&session), 0, "and has its clean end there");
}

/* Did it end at the deadline, one second after start? */
static bool
is_on_time(int64_t start)
{
	int64_t took = clock_now() - start;

	return took >= 990 && took < 2000;
}

static int
say_nothing(int fd, const void *argument)
{
	char byte;

	(void)argument;
	while (read(fd, &byte, 1) > 0)
		;
	return 0;
}

static void
test_silence(void)
{
	struct session session = session_start((struct tls_server){.after = stay_silent}, good_settings());
	struct tls_settings settings = good_settings();
	struct buf out = {0};
	int64_t start = clock_now();
	bool is_good = converse(&session, "EHLO me\r\n", "\n", clock_deadline(1));

	tap_ok(!is_good && session.state.is_timed_out && session.err.exit_code == EX_TEMPFAIL && is_on_time(start),
	       "protocol 62: silence after the handshake ends at the deadline");
	session_end(&session);
	session = (struct session){.peer = net_peer_start(say_nothing, NULL)};
	stream_open(&session.stream, session.peer.fd);
	start = clock_now();
	is_good = stream_start_tls(&session.stream, &settings, clock_deadline(1), &session.err);
	tap_ok(!is_good && session.err.exit_code == EX_TEMPFAIL && is_on_time(start),
	       "protocol 4: a server silent under implicit TLS ends at the deadline");
	session_end(&session);
	session = session_start((struct tls_server){.after = stop_reading}, good_settings());
	for (int i = 0; i < 4000000; i++)
		buf_add_char(&out, 'x');
	start = clock_now();
	is_good = stream_exchange(&session.stream, &out, &session.in, false, clock_deadline(1), &session.state,
	                          &session.err);
	tap_ok(!is_good && session.state.is_timed_out && is_on_time(start),
	       "protocol 27: a peer that stops reading inside TLS ends at the deadline");
	net_peer_end(&session.peer);
	stream_close(&session.stream);
	buf_free(&session.in);
	err_clear(&session.err);
	buf_free(&out);
}

static int
inject_late(int fd, const void *argument)
{
	char byte;

	(void)argument;
	net_sleep_ms(50);
	(void)!write(fd, "250 x\r\n", 7);
	while (read(fd, &byte, 1) > 0)
		;
	return 0;
}

static int
hang_up(int fd, const void *argument)
{
	char data[64];

	(void)argument;
	return read(fd, data, sizeof(data)) > 0 ? 0 : 1;
}

static void
test_attacks(void)
{
	struct tls_settings settings = good_settings();
	struct session session = {.peer = net_peer_start(inject_late, NULL)};
	bool is_good;

	stream_open(&session.stream, session.peer.fd);
	is_good = stream_start_tls(&session.stream, &settings, clock_deadline(10), &session.err);
	tap_ok(!is_good && session.err.exit_code == EX_PROTOCOL,
	       "protocol 44: bytes injected before the handshake end it");
	session_end(&session);
	session = (struct session){.peer = net_peer_start(hang_up, NULL)};
	stream_open(&session.stream, session.peer.fd);
	is_good = stream_start_tls(&session.stream, &settings, clock_deadline(10), &session.err);
	tap_ok(!is_good && session.err.exit_code == EX_TEMPFAIL, "a connection lost in the handshake is temporary");
	session_end(&session);
	session = session_start(
		(struct tls_server){.after = ask_again, .priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.2"},
		good_settings());
	is_good = converse(&session, "", "\n", clock_deadline(10));
	tap_ok(session.is_up && !is_good && session.err.exit_code == EX_PROTOCOL,
	       "protocol 63: a HelloRequest is refused");
	session_end(&session);
	session = session_start((struct tls_server){.after = flood_empty_records}, good_settings());
	is_good = converse(&session, "", "\n", clock_deadline(20));
	if (!tap_ok(session.is_up && !is_good && !session.state.is_timed_out &&
	                    session.err.exit_code == EX_PROTOCOL,
	            "records without data are bounded"))
		tap_note("%s", buf_text(&session.err.text));
	session_end(&session);
}

/* A server that never comes to data is left before the deadline. */
static void
refuses_flood(struct tls_server server, const char *name)
{
	struct session session = session_start(server, good_settings());
	int64_t start = clock_now();
	bool is_good = converse(&session, "", "\n", clock_deadline(20));

	if (!tap_ok(session.is_up && !is_good && !session.state.is_timed_out && session.err.exit_code == EX_PROTOCOL &&
	                    clock_now() - start < 10000,
	            "%s", name))
		tap_note("%s", buf_text(&session.err.text));
	session_end(&session);
}

static void
test_floods(void)
{
	refuses_flood((struct tls_server){.after = flood_key_updates}, "updates of the keys are bounded");
	refuses_flood((struct tls_server){.after = flood_alerts, .priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.2"},
	              "warnings in TLS 1.2 are bounded");
	refuses_flood((struct tls_server){.after = flood_alerts}, "alerts in TLS 1.3 are bounded");
}

/* Only whether and how the handshake ends. */
static int
handshake_code(struct tls_server server, struct tls_settings settings)
{
	struct session session = session_start(server, settings);
	int code = session.is_up ? 0 : session.err.exit_code;

	if (code != 0)
		tap_note("%s", buf_text(&session.err.text));
	session_end(&session);
	return code;
}

static void
test_versions(void)
{
	const struct tls_server old = {.priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.1:+SHA1:+AES-128-CBC"};
	const struct tls_server middle = {.priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.2", .after = stay_silent};
	const struct tls_server new = {.after = stay_silent};
	struct tls_settings settings = good_settings();

	tap_is_number(handshake_code(old, settings), EX_PROTOCOL,
	              "protocol 61: a server with TLS 1.1 only is refused");
	tap_is_number(handshake_code(middle, settings), 0, "TLS 1.2 is accepted");
	settings.min_version = 13;
	tap_is_number(handshake_code(middle, settings), EX_PROTOCOL, "TLS 1.2 is refused where 1.3 is demanded");
	tap_is_number(handshake_code(new, settings), 0, "TLS 1.3 is accepted where it is demanded");
	settings.priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
	tap_is_number(handshake_code(middle, settings), 0, "a priority string replaces ours");
	settings.priorities = "NONSENSE";
	tap_is_number(handshake_code(new, settings), EX_CONFIG,
	              "a priority string that is none is a fault of the configuration");
}

static void
test_client_certificate(void)
{
	struct issued client = issue(
		&(struct recipe){.common_name = "client", .purpose = GNUTLS_KP_TLS_WWW_CLIENT, .issuer = &root});
	struct tls_settings settings = good_settings();
	const struct tls_server server = {.client_authority = &root, .after = greet_and_close};
	char *cert_path = scratch_path("client.pem");
	char *key_path = scratch_path("client-key.pem");
	struct session session;

	write_certificate(cert_path, client.certificate);
	write_key(key_path, client.key);
	session = session_start(server, settings);
	tap_ok(!session.is_up || !converse(&session, "", "\n", clock_deadline(10)),
	       "a server that demands a client certificate refuses us without");
	session_end(&session);
	settings.cert_file = cert_path;
	settings.key_file = key_path;
	session = session_start(server, settings);
	tap_ok(session.is_up && converse(&session, "", "\n", clock_deadline(10)) &&
	               strcmp(buf_text(&session.in), "220 hello\n") == 0,
	       "a client certificate from a file is shown");
	session_end(&session);
	settings.key_file = "/nonexistent/key.pem";
	tap_is_number(handshake_code(server, settings), EX_CONFIG,
	              "a key that cannot be read is a fault of the configuration");
	settings.key_file = NULL;
	tap_is_number(handshake_code(server, settings), EX_CONFIG,
	              "a certificate without key is a fault of the configuration");
	free(cert_path);
	free(key_path);
	issued_free(&client);
}

static void
check_binding(const char *priorities, bool expects_exporter, enum tls_ocsp ocsp, const char *name)
{
	struct tls_settings settings = good_settings();
	struct session session;
	struct buf data = {0};
	bool is_exporter = !expects_exporter;
	bool has_binding;

	settings.ocsp = ocsp;
	session = session_start((struct tls_server){.after = send_binding, .priorities = priorities}, settings);
	has_binding = session.is_up && tls_channel_binding(session.stream.tls, &is_exporter, &data);

	converse(&session, "", "never", clock_deadline(10));
	tap_ok(has_binding && is_exporter == expects_exporter && session.in.size > 0 &&
	               session.in.size == data.size && memcmp(session.in.data, data.data, data.size) == 0,
	       "%s", name);
	session_end(&session);
	buf_free(&data);
}

/* Without the extended master secret there is no channel binding, whichever end does not have it. */
static void
test_no_binding(void)
{
	struct tls_settings settings = good_settings();
	struct session session = session_start(
		(struct tls_server){.after = stay_silent, .priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_SESSION_HASH"}, settings);
	struct buf data = {0};
	bool is_exporter = false;

	tap_ok(session.is_up && !tls_channel_binding(session.stream.tls, &is_exporter, &data) && data.size == 0,
	       "a TLS 1.2 server without the extended master secret gives no channel binding");
	session_end(&session);
	/* GnuTLS before 3.8 cannot do without OCSP alone. */
	settings.ocsp = TLS_OCSP_OFF;
	session = session_start((struct tls_server){.after = stay_silent, .priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.2"}, settings);
	tap_ok(session.is_up && tls_channel_binding(session.stream.tls, &is_exporter, &data) == (gnutls_check_version("3.8.0") != NULL),
	       "nor does a library that cannot do without OCSP otherwise");
	session_end(&session);
	buf_free(&data);
}

static void
test_facts(void)
{
	struct session session = session_start((struct tls_server){.after = stay_silent}, good_settings());
	struct tls_facts facts = {0};

	tls_describe(session.stream.tls, &facts);
	tap_is(facts.version, "TLS1.3", "the version is known");
	tap_ok(strstr(facts.cipher, "GCM") != NULL && facts.is_verified,
	       "so is the cipher, and that the peer was verified");
	tap_ok(strstr(buf_text(&facts.certificate), "    Subject:\n        CN=peer\n") != NULL &&
	               strstr(buf_text(&facts.certificate), "    Issuer:\n        CN=Test root\n") != NULL &&
	               strstr(buf_text(&facts.certificate), "        Expiration time: ") != NULL &&
	               strstr(buf_text(&facts.certificate), "        SHA256: ") != NULL,
	       "the certificate is described");
	tls_facts_free(&facts);
	tls_facts_free(&facts);
	session_end(&session);
	tap_ok(tls_library_version()[0] == '3', "the library's version is known");
	tls_close(NULL);
}

int
main(void)
{
	root = issue(&(struct recipe){.common_name = "Test root", .is_authority = true});
	leaf = issue(&(struct recipe){.names = {host}, .issuer = &root});
	root_path = scratch_path("root.pem");
	write_certificate(root_path, root.certificate);
	test_records();
	test_bulk();
	test_narrow();
	test_ends();
	test_forget();
	test_silence();
	test_attacks();
	test_floods();
	test_versions();
	test_client_certificate();
	check_binding(NULL, true, TLS_OCSP_ON, "both ends have the same tls-exporter with TLS 1.3");
	check_binding("NORMAL:-VERS-ALL:+VERS-TLS1.2", false, TLS_OCSP_ON, "both ends have the same tls-unique with TLS 1.2");
	check_binding(NULL, true, TLS_OCSP_OFF, "also where no OCSP response is asked for");
	test_no_binding();
	test_facts();
	issued_free(&leaf);
	issued_free(&root);
	free(root_path);
	scratch_remove();
	return tap_end();
}
