/* stream_test.c - plain streams: gathering, deadlines, early replies, ends. */

#include "config.h"

#include "base/clock.h"
#include "net/stream.h"
#include "net_peer.h"
#include "tap.h"

enum { BULK = 4 << 20 };

/* A stream to a child. */
struct line {
	struct net_peer peer;
	struct stream stream;
	struct stream_state state;
	struct buf out;
	struct buf in;
	struct err err;
};

static struct line
line_start(int (*serve)(int fd, const void *argument))
{
	struct line line = {.peer = net_peer_start(serve, NULL)};

	stream_open(&line.stream, line.peer.fd);
	return line;
}

static int
line_end(struct line *line)
{
	int status;

	stream_close(&line->stream);
	stream_close(&line->stream);
	status = net_peer_wait(&line->peer);
	buf_free(&line->out);
	buf_free(&line->in);
	err_clear(&line->err);
	return status;
}

static bool
exchange(struct line *line, bool wants_input, int64_t deadline)
{
	return stream_exchange(&line->stream, &line->out, &line->in, wants_input, deadline, &line->state,
	                       &line->err);
}

static void
fill(struct buf *b)
{
	for (int i = 0; i < BULK; i++)
		buf_add_char(b, 'x');
}

static bool
is_on_time(int64_t start)
{
	int64_t took = clock_now() - start;

	return took >= 990 && took < 2000;
}

static int
count_first_read(int fd, const void *argument)
{
	static char data[65536];
	char text[32];
	ssize_t n = read(fd, data, sizeof(data));

	(void)argument;
	snprintf(text, sizeof(text), "%zd\n", n);
	(void)!write(fd, text, strlen(text));
	return read(fd, data, 1) == 0 ? 0 : 1;
}

static int
speak_and_close(int fd, const void *argument)
{
	(void)argument;
	return write(fd, "220 a\r\n220 b\r\n", 14) == 14 ? 0 : 1;
}

static int
wait_for_end(int fd, const void *argument)
{
	char byte;

	(void)argument;
	while (read(fd, &byte, 1) > 0)
		;
	return 0;
}

static int
drip(int fd, const void *argument)
{
	(void)argument;
	while (send(fd, "2", 1, MSG_NOSIGNAL) == 1)
		net_sleep_ms(20);
	return 0;
}

static int
answer_early(int fd, const void *argument)
{
	static char data[65536];

	(void)argument;
	if (read(fd, data, sizeof(data)) <= 0 || write(fd, "552 no\r\n", 8) != 8)
		return 1;
	pause();
	return 0;
}

static int
answer_and_hang_up(int fd, const void *argument)
{
	static char data[65536];

	(void)argument;
	if (read(fd, data, sizeof(data)) <= 0 || write(fd, "421 bye\r\n", 9) != 9)
		return 1;
	return 0;
}

/* Writes everything before it reads anything. */
static int
write_first(int fd, const void *argument)
{
	static char data[65536];
	size_t n_read = 0;

	(void)argument;
	for (size_t sent = 0; sent < BULK;) {
		ssize_t n = write(fd, data, sizeof(data));

		if (n <= 0)
			return 1;
		sent += (size_t)n;
	}
	while (n_read < BULK) {
		ssize_t n = read(fd, data, sizeof(data));

		if (n <= 0)
			return 1;
		n_read += (size_t)n;
	}
	return 0;
}

static void
test_exchange(void)
{
	struct line line = line_start(count_first_read);

	buf_add_text(&line.out, "EHLO me\r\n");
	tap_ok(exchange(&line, true, clock_deadline(10)) && line.out.size == 0 &&
	               strcmp(buf_text(&line.in), "9\n") == 0,
	       "output leaves in one piece and the answer is read");
	tap_is_number(line_end(&line), 0, "closing is seen by the peer, and closing twice is harmless");
	line = line_start(speak_and_close);
	while (exchange(&line, true, clock_deadline(10)) && !line.state.is_at_end)
		;
	tap_ok(line.state.is_at_end && strcmp(buf_text(&line.in), "220 a\r\n220 b\r\n") == 0,
	       "what came before the end is kept");
	tap_ok(!line.state.is_truncated, "without TLS an end is an end");
	tap_ok(exchange(&line, true, clock_deadline(10)) && line.state.is_at_end, "the end stays the end");
	line_end(&line);
	tap_ok(!exchange(&line, true, clock_deadline(10)) && line.err.exit_code == EX_TEMPFAIL,
	       "a closed stream is refused");
	err_clear(&line.err);
}

static void
test_deadlines(void)
{
	struct line line = line_start(wait_for_end);
	int64_t start = clock_now();
	int64_t deadline;
	bool is_good = exchange(&line, true, clock_deadline(1));

	tap_ok(!is_good && line.state.is_timed_out && line.err.exit_code == EX_TEMPFAIL && is_on_time(start),
	       "protocol 4: a greeting never sent ends at the deadline");
	line_end(&line);
	line = line_start(drip);
	start = clock_now();
	deadline = clock_deadline(1);
	while ((is_good = exchange(&line, true, deadline)))
		;
	tap_ok(!is_good && line.state.is_timed_out && is_on_time(start) && line.in.size > 5,
	       "protocol 5: a peer that drips ends at the absolute deadline");
	line_end(&line);
	line = line_start(answer_early);
	fill(&line.out);
	is_good = exchange(&line, false, clock_deadline(10));
	tap_ok(is_good && line.out.size > 0 && strcmp(buf_text(&line.in), "552 no\r\n") == 0,
	       "protocol 26: an early reply ends a long write, which keeps its rest");
	start = clock_now();
	is_good = exchange(&line, false, clock_deadline(1));
	tap_ok(!is_good && line.state.is_timed_out && is_on_time(start),
	       "protocol 27: a peer that stops reading ends at the deadline");
	net_peer_end(&line.peer);
	line_end(&line);
}

static void
test_hostile(void)
{
	struct line line = line_start(answer_and_hang_up);
	bool is_good = true;
	size_t n_received = 0;

	fill(&line.out);
	while (is_good && line.in.size == 0)
		is_good = exchange(&line, false, clock_deadline(10));
	tap_ok(is_good && strcmp(buf_text(&line.in), "421 bye\r\n") == 0,
	       "the reply of a peer that hangs up in the middle of a body is seen");
	while (is_good && line.out.size > 0 && !line.state.is_at_end)
		is_good = exchange(&line, false, clock_deadline(10));
	tap_ok(!is_good ? line.err.exit_code == EX_TEMPFAIL : line.state.is_at_end,
	       "after that the connection is lost");
	line_end(&line);
	line = line_start(write_first);
	fill(&line.out);
	is_good = true;
	while (is_good && (line.out.size > 0 || n_received < BULK) && !line.state.is_at_end) {
		is_good = exchange(&line, line.out.size == 0, clock_deadline(10));
		if (line.in.size > 65536)
			break;
		n_received += line.in.size;
		buf_clear(&line.in);
	}
	tap_ok(is_good && n_received == BULK && line.out.size == 0,
	       "protocol 33: two peers that both write first do not lock up");
	tap_is_number(line_end(&line), 0, "and all of it arrives");
}

static void
test_pending(void)
{
	struct line line = line_start(speak_and_close);

	net_peer_wait(&line.peer);
	tap_ok(stream_has_input(&line.stream), "waiting input is noticed");
	while (exchange(&line, true, clock_deadline(10)) && !line.state.is_at_end)
		;
	tap_ok(!stream_has_input(&line.stream), "an end is no input");
	line_end(&line);
	tap_ok(!stream_has_input(&line.stream), "a closed stream has none");
}

int
main(void)
{
	test_exchange();
	test_deadlines();
	test_hostile();
	test_pending();
	return tap_end();
}
