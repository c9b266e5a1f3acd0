/*
 * log - the transcript: `CONN MS C: text` with the milliseconds since the peer began.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "text.h"

static const char *
color_of(char kind)
{
	switch (kind) {
	case 'C':
		return "\033[32m";
	case 'S':
		return "\033[34m";
	case '!':
		return "\033[1;31m";
	default:
		return "\033[2m";
	}
}

static void
write_all(int fd, const struct text *line)
{
	if (write(fd, line->bytes, line->size) != (ssize_t)line->size) {
		/* a transcript that cannot be written is no reason to end a session */
	}
}

long long
log_now(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool
log_wanted(const struct log *log)
{
	return log->fd >= 0 || log->shows_dialogue;
}

void
log_bytes(const struct log *log, unsigned connection, char kind, const char *bytes, size_t size)
{
	struct text line = {0};
	const char *mark = kind == 'C' || kind == 'S' ? ":" : "";

	if (!log_wanted(log))
		return;
	if (size != 0 && bytes[size - 1] == '\n')
		size -= size > 1 && bytes[size - 2] == '\r' ? 2 : 1;
	if (log->fd >= 0) {
		text_format(&line, "%u %lld %c%s ", connection, log_now() - log->began_ms, kind, mark);
		text_escape(&line, bytes, size);
		text_add(&line, "\n");
		write_all(log->fd, &line);
	}
	if (log->shows_dialogue) {
		text_clear(&line);
		text_format(&line, "%3u  %s%c%s ", connection, log->has_color ? color_of(kind) : "", kind, mark);
		text_escape(&line, bytes, size);
		text_add(&line, log->has_color ? "\033[0m\n" : "\n");
		write_all(STDOUT_FILENO, &line);
	}
	text_free(&line);
}

void
log_event(const struct log *log, unsigned connection, char kind, const char *format, ...)
{
	char line[1024] = "";
	va_list arguments;
	int size = 0;

	if (!log_wanted(log))
		return;
	va_start(arguments, format);
	size = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (size >= (int)sizeof(line))
		size = (int)sizeof(line) - 1;
	if (size > 0)
		log_bytes(log, connection, kind, line, (size_t)size);
}

void
log_reply(const struct log *log, unsigned connection, const char *bytes, size_t size)
{
	if (!log_wanted(log))
		return;
	for (size_t at = 0; at < size;) {
		const char *end = memchr(bytes + at, '\n', size - at);
		size_t line = end == NULL ? size - at : (size_t)(end - bytes) + 1 - at;

		log_bytes(log, connection, 'S', bytes + at, line);
		at += line;
	}
}

void
log_secret(const struct log *log, unsigned connection, const char *bytes, size_t size, unsigned n_public)
{
	struct text line = {0};
	size_t at = 0;

	if (log->has_secrets || !log_wanted(log)) {
		log_bytes(log, connection, 'C', bytes, size);
		return;
	}
	for (unsigned word = 0; word < n_public && at < size; word++) {
		while (at < size && bytes[at] != ' ' && bytes[at] != '\r')
			at++;
		while (at < size && bytes[at] == ' ')
			at++;
	}
	text_append(&line, bytes, at);
	if (at < size && bytes[at] != '\r' && bytes[at] != '\n')
		text_add(&line, "<hidden>");
	log_bytes(log, connection, 'C', text_string(&line), line.size);
	text_free(&line);
}
