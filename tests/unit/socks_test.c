/* socks_test.c - the SOCKS5 handshake against a scripted proxy in a child, which sends every byte by itself. */

#include "config.h"

#include "base/clock.h"
#include "net/socks.h"
#include "net_peer.h"
#include "tap.h"

/* What the proxy waits for and what it says then. */
struct step {
	const char *expected;
	size_t expected_size;
	const char *reply;
	size_t reply_size;
};

struct script {
	struct step steps[4];
	bool hangs_up; /* at the end, instead of staying silent */
};

#define BYTES(literal) (literal), sizeof(literal) - 1
#define GREETING                                                                                                   \
	{                                                                                                          \
		BYTES("\5\1\0"), BYTES("\5\0")                                                                     \
	}
#define REQUEST "\5\1\0\3\017mx.example.test\2\113"
#define SUCCESS "\5\0\0\1\177\0\0\1\0\31"

static int
play(int fd, const void *argument)
{
	const struct script *script = argument;
	char data[600];

	for (size_t i = 0; i < 4 && script->steps[i].expected != NULL; i++) {
		const struct step *step = &script->steps[i];
		size_t n_read = 0;

		while (n_read < step->expected_size) {
			ssize_t n = read(fd, data + n_read, step->expected_size - n_read);

			if (n <= 0)
				return 2;
			n_read += (size_t)n;
		}
		if (memcmp(data, step->expected, n_read) != 0)
			return 1;
		for (size_t k = 0; k < step->reply_size; k++) {
			if (write(fd, step->reply + k, 1) != 1)
				return 3;
			net_sleep_ms(1);
		}
	}
	if (script->hangs_up)
		return 0;
	while (read(fd, data, sizeof(data)) > 0)
		;
	return 0;
}

/* The outcome of one handshake. */
struct result {
	bool is_good;
	int exit_code;
	int proxy_status;
	char text[512];
	char rest[64]; /* what could be read behind the handshake */
};

static struct result
shake(struct script script, struct connect_target target, int64_t deadline)
{
	struct result result = {0};
	struct net_peer peer = net_peer_start(play, &script);
	struct err err = {0};
	ssize_t n;

	if (target.host == NULL)
		target.host = "mx.example.test";
	if (target.port == 0)
		target.port = 587;
	result.is_good = socks_connect(peer.fd, &target, deadline, &err);
	result.exit_code = err.exit_code;
	snprintf(result.text, sizeof(result.text), "%s", buf_text(&err.text));
	net_sleep_ms(20);
	n = recv(peer.fd, result.rest, sizeof(result.rest) - 1, 0);
	(void)n;
	close(peer.fd);
	result.proxy_status = net_peer_wait(&peer);
	err_clear(&err);
	return result;
}

static void
works(struct script script, struct connect_target target, const char *name)
{
	struct result result = shake(script, target, clock_deadline(10));

	if (!tap_ok(result.is_good && result.proxy_status == 0, "%s", name))
		tap_note("proxy %d: %s", result.proxy_status, result.text);
}

static void
fails(struct script script, struct connect_target target, int exit_code, const char *word, const char *name)
{
	struct result result = shake(script, target, clock_deadline(10));

	if (!tap_ok(!result.is_good && result.exit_code == exit_code && strstr(result.text, word) != NULL, "%s",
	            name))
		tap_note("exit %d, proxy %d: %s", result.exit_code, result.proxy_status, result.text);
}

static void
test_addresses(void)
{
	const struct connect_target plain = {0};
	struct result result =
		shake((struct script){.steps = {GREETING, {BYTES(REQUEST), BYTES(SUCCESS "220 mx\r\n")}}}, plain,
	              clock_deadline(10));

	tap_ok(result.is_good && result.proxy_status == 0,
	       "a name is given to the proxy unresolved, replies come in single bytes");
	tap_is(result.rest, "220 mx\r\n", "what the server says behind the reply is left alone");
	works((struct script){.steps = {GREETING, {BYTES(REQUEST), BYTES("\5\0\0\3\4abcd\0\31")}}}, plain,
	      "a reply with a name as address is understood");
	works((struct script){.steps = {GREETING, {BYTES(REQUEST), BYTES("\5\0\0\4aaaabbbbccccdddd\0\31")}}}, plain,
	      "a reply with an IPv6 address is understood");
	works((struct script){.steps = {GREETING, {BYTES("\5\1\0\1\300\0\2\7\0\31"), BYTES(SUCCESS)}}},
	      (struct connect_target){.host = "192.0.2.7", .port = 25}, "an IPv4 literal is sent as an address");
	works((struct script){.steps = {GREETING,
	                                {BYTES("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\1\321"), BYTES(SUCCESS)}}},
	      (struct connect_target){.host = "::1", .port = 465}, "an IPv6 literal is sent as an address");
	works((struct script){.steps = {GREETING,
	                                {BYTES("\5\1\0\3\024xn--bcher-kva.exampl\0\31"), BYTES(SUCCESS)}}},
	      (struct connect_target){.host = "b\xc3\xbc"
	                                      "cher.exampl",
	                              .port = 25},
	      "a name in UTF-8 is sent as A-label");
	fails((struct script){.steps = {GREETING}}, (struct connect_target){.host = "a b"}, EX_NOHOST,
	      "no host name", "a name that is none is not sent");
}

static void
test_passwords(void)
{
	const struct connect_target target = {.proxy_user = "joe", .proxy_password = "secret"};
	char long_text[300];
	struct connect_target too_long = {.proxy_user = "joe", .proxy_password = long_text};

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	works((struct script){.steps = {{BYTES("\5\2\0\2"), BYTES("\5\2")},
	                                {BYTES("\1\3joe\6secret"), BYTES("\1\0")},
	                                {BYTES(REQUEST), BYTES(SUCCESS)}}},
	      target, "user and password are given when the proxy asks");
	works((struct script){.steps = {{BYTES("\5\2\0\2"), BYTES("\5\2")},
	                                {BYTES("\1\3joe\0"), BYTES("\1\0")},
	                                {BYTES(REQUEST), BYTES(SUCCESS)}}},
	      (struct connect_target){.proxy_user = "joe"}, "a user without a password has the empty one");
	works((struct script){.steps = {{BYTES("\5\2\0\2"), BYTES("\5\0")}, {BYTES(REQUEST), BYTES(SUCCESS)}}},
	      target, "they are kept where the proxy does not ask");
	fails((struct script){.steps = {{BYTES("\5\2\0\2"), BYTES("\5\2")},
	                                {BYTES("\1\3joe\6secret"), BYTES("\1\1")}}},
	      target, EX_CONFIG, "user name or password", "a refused password is a fault of the configuration");
	fails((struct script){.steps = {{BYTES("\5\2\0\2"), BYTES("\5\2")}}}, too_long, EX_CONFIG, "255",
	      "a password of more than 255 bytes is a fault of the configuration");
	fails((struct script){.steps = {{BYTES("\5\1\0"), BYTES("\5\377")}}}, (struct connect_target){0}, EX_CONFIG,
	      "none of the methods", "a proxy that wants more than we offer is a fault of the configuration");
	fails((struct script){.steps = {{BYTES("\5\1\0"), BYTES("\5\2")}}}, (struct connect_target){0}, EX_PROTOCOL,
	      "not offered", "a method that was not offered is nonsense");
}

static void
test_replies(void)
{
	static const struct {
		const char reply[5];
		int exit_code;
		const char *word;
	} cases[] = {
		{"\5\1\0\1", EX_TEMPFAIL, "general failure"},
		{"\5\2\0\1", EX_CONFIG, "rules"},
		{"\5\3\0\1", EX_TEMPFAIL, "network unreachable"},
		{"\5\4\0\1", EX_TEMPFAIL, "host unreachable"},
		{"\5\5\0\1", EX_TEMPFAIL, "connection refused"},
		{"\5\6\0\1", EX_TEMPFAIL, "time to live"},
		{"\5\7\0\1", EX_CONFIG, "CONNECT"},
		{"\5\10\0\1", EX_CONFIG, "type of address"},
		{"\5\11\0\1", EX_PROTOCOL, "unknown code 9"},
		{"\5\377\0\1", EX_PROTOCOL, "unknown code 255"},
		{"\4\132\0\1", EX_PROTOCOL, "version 4"},
		{"\5\0\0\2", EX_PROTOCOL, "unknown type"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct script script = {.steps = {GREETING, {BYTES(REQUEST), cases[i].reply, 4}}};
		char name[80];

		snprintf(name, sizeof(name), "reply %d %d of the proxy is reported: %s",
		         (unsigned char)cases[i].reply[0], (unsigned char)cases[i].reply[1], cases[i].word);
		fails(script, (struct connect_target){0}, cases[i].exit_code, cases[i].word, name);
	}
}

static void
test_ends(void)
{
	const struct connect_target plain = {0};
	int64_t start = clock_now();
	struct result result = shake((struct script){.steps = {GREETING}}, plain, clock_deadline(1));
	int64_t took = clock_now() - start;

	tap_ok(!result.is_good && result.exit_code == EX_TEMPFAIL && took >= 990 && took < 2000,
	       "a silent proxy ends at the deadline");
	fails((struct script){.steps = {GREETING, {BYTES(REQUEST), BYTES("\5\0\0\1\177")}}, .hangs_up = true},
	      plain, EX_TEMPFAIL, "proxy", "a proxy that hangs up in the middle of its reply is temporary");
	fails((struct script){.steps = {{BYTES("\5\1\0"), BYTES("HTTP/1.1 400 Bad Request\r\n")}}}, plain,
	      EX_PROTOCOL, "no SOCKS5 proxy", "a proxy of another kind is told");
}

int
main(void)
{
	test_addresses();
	test_passwords();
	test_replies();
	test_ends();
	return tap_end();
}
