/* log.c - one line per attempt, to the account's logfile and to syslog. */

#include "config.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "base/file.h"
#include "cmd/log.h"
#include "cmd/talk.h"

static const struct {
	const char *name;
	int facility;
} facilities[] = {
	{"on", LOG_USER},
	{"LOG_USER", LOG_USER},
	{"LOG_MAIL", LOG_MAIL},
	{"LOG_LOCAL0", LOG_LOCAL0},
	{"LOG_LOCAL1", LOG_LOCAL1},
	{"LOG_LOCAL2", LOG_LOCAL2},
	{"LOG_LOCAL3", LOG_LOCAL3},
	{"LOG_LOCAL4", LOG_LOCAL4},
	{"LOG_LOCAL5", LOG_LOCAL5},
	{"LOG_LOCAL6", LOG_LOCAL6},
	{"LOG_LOCAL7", LOG_LOCAL7},
};

static void
add_line(struct buf *b, const struct report_line *line, time_t now, bool has_time)
{
	const char *format = line->account->logfile_time_format;
	char text[256];
	struct tm local = {0};

	if (line->account->log_format == LOG_FORMAT_JSON) {
		report_add_json(b, line, now);
		return;
	}
	if (format == NULL || format[0] == '\0')
		format = "%b %d %H:%M:%S";
	if (has_time && strcmp(format, "none") != 0) {
		localtime_r(&now, &local);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the format is the user's own */
		if (strftime(text, sizeof(text), format, &local) > 0)
			buf_printf(b, "%s ", text);
#pragma GCC diagnostic pop
	}
	report_add_log(b, line);
}

static void
write_file(const char *program, const struct report_line *line)
{
	const char *path = line->account->logfile;
	struct buf text = {0};
	struct err err = {0};

	if (path == NULL || path[0] == '\0')
		return;
	add_line(&text, line, time(NULL), true);
	if (strcmp(path, "-") == 0)
		printf("%s\n", buf_text(&text));
	else if (strcmp(path, LOG_STDERR) == 0)
		fprintf(stderr, "%s\n", buf_text(&text));
	else {
		buf_add_char(&text, '\n');
		if (!file_append_record(path, buf_str(&text), &err)) {
			talk_warning(program, buf_text(&err.text));
			err_hint(&err, "set 'logfile' to a regular file of this user's");
			buf_add_text(&err.hint, ", or log by 'syslog on' instead of 'logfile'; if the permissions look right, "
			                        "AppArmor or SELinux may forbid it");
			talk_hint(program, buf_text(&err.hint));
			buf_truncate(&text, text.size - 1);
			talk_warning(program, buf_text(&text));
		}
	}
	err_clear(&err);
	buf_free(&text);
}

static void
write_syslog(const struct report_line *line, const char *wanted)
{
	struct buf text = {0};

	for (size_t i = 0; wanted != NULL && i < sizeof(facilities) / sizeof(facilities[0]); i++) {
		if (strcmp(wanted, facilities[i].name) != 0)
			continue;
		add_line(&text, line, time(NULL), false);
		openlog(line->tag != NULL ? line->tag : PACKAGE_NAME, 0, facilities[i].facility);
		syslog(line->exit_code == EX_OK ? LOG_INFO : LOG_ERR, "%s", buf_text(&text));
		closelog();
		buf_free(&text);
		return;
	}
}

void
log_attempt(const char *program, const struct report_line *line)
{
	write_file(program, line);
	write_syslog(line, line->account->syslog);
}

static bool
has_log(const struct account *account)
{
	bool has_file = account->logfile != NULL && account->logfile[0] != '\0';

	return has_file || (account->syslog != NULL && strcmp(account->syslog, "off") != 0);
}

static void
write_somewhere(const char *program, const struct report_line *line)
{
	if (has_log(line->account))
		log_attempt(program, line);
	else
		write_syslog(line, "LOG_MAIL");
}

void
log_alert(const char *program, const struct account *account, const char *text)
{
	struct account nobody = {0};
	struct report_line line = {.account = account != NULL ? account : &nobody, .error = text, .exit_code = EX_CONFIG};

	write_somewhere(program, &line);
}

void
log_warning(const struct call *call, const char *text)
{
	struct account nobody = {0};
	struct report_line line = {
		.account = call->has_account ? &call->account : &nobody,
		.error = text,
		.exit_code = EX_OK,
		.tag = call->request.log_tag,
	};

	if (call->request.name == NAME_MAILCRANE)
		talk_warning(call->program, text);
	else
		write_somewhere(call->program, &line);
}

static void
log_notice(void *context, const char *text)
{
	const struct call *call = context;
	struct account nobody = {0};
	struct report_line line = {
		.account = call->has_account ? &call->account : &nobody,
		.error = text,
		.exit_code = EX_OK,
		.tag = call->request.log_tag,
	};

	if (call->request.name == NAME_MAILCRANE)
		talk_warning(call->program, text);
	write_somewhere(call->program, &line);
}

struct session_watch
log_listen(struct session_watch watch, struct call *call)
{
	watch.tell = log_notice;
	watch.tell_context = call;
	return watch;
}
