/* prompt.c - a question to the user at the terminal, answered without echo. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "auth/prompt.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"

enum {
	PROMPT_SECONDS = 300,
	PROMPT_MOST = 4096, /* bytes; no terminal gives a longer line at once */
	SIGNAL_LOOK_MS = 100
};

/* Signals that end the program; during a prompt they wait until the echo is on again. */
static const int ending_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/* Has a signal come that wants to end the program? It is blocked now. */
static bool
is_ending(void)
{
	sigset_t pending;

	sigemptyset(&pending);
	sigpending(&pending);
	for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++)
		if (sigismember(&pending, ending_signals[i]) == 1)
			return true;
	return false;
}

/* Read a line from the terminal into text until the deadline, an ending signal, or the end of the terminal. */
static void
read_line(int tty, struct buf *text, int64_t deadline)
{
	struct pollfd wanted = {.fd = tty, .events = POLLIN};
	char *room = buf_reserve(text, PROMPT_MOST);

	while (!is_ending() && clock_poll_timeout(deadline) > 0) {
		ssize_t n;

		if (poll(&wanted, 1, SIGNAL_LOOK_MS) <= 0)
			continue;
		n = read(tty, room, PROMPT_MOST);
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0)
			buf_grow(text, (size_t)n);
		return;
	}
}

/* Signals stay blocked while the echo is off; the one that was to end the program does so after it is on again. */
static void
read_without_echo(int tty, struct buf *text)
{
	struct termios before = {0}, quiet;
	struct err ignored = {0};
	sigset_t blocked, mask;
	bool has_echo;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTSTP);
	for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++)
		sigaddset(&blocked, ending_signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &mask);
	has_echo = tcgetattr(tty, &before) == 0;
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	quiet.c_lflag |= ICANON | ISIG;
	if (has_echo && tcsetattr(tty, TCSAFLUSH, &quiet) == 0) {
		read_line(tty, text, clock_deadline(PROMPT_SECONDS));
		tcsetattr(tty, TCSAFLUSH, &before);
		/* Before a waiting signal ends the program: the shell's prompt wants a line of its own. */
		file_write_all(tty, "\n", 1, "/dev/tty", &ignored);
		err_clear(&ignored);
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

bool
prompt_ask(struct buf *text, const struct account *account)
{
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct buf prompt = {0};
	struct err ignored = {0};

	if (tty < 0)
		return false;
	buf_add_text(&prompt, "password for ");
	err_add_clean(&prompt, str_of(account->user));
	buf_add_text(&prompt, " at ");
	err_add_clean(&prompt, str_of(account->host));
	buf_add_text(&prompt, ": ");
	if (file_write_all(tty, prompt.data, prompt.size, "/dev/tty", &ignored))
		read_without_echo(tty, text);
	close(tty);
	buf_free(&prompt);
	err_clear(&ignored);
	return true;
}
