/* main.c - from the command line to the thing that was asked for. */

#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/secret.h"
#include "base/file.h"
#include "cmd/check.h"
#include "cmd/choose.h"
#include "cmd/flush.h"
#include "cmd/forgetkey.h"
#include "cmd/inspect.h"
#include "cmd/mailq.h"
#include "cmd/manage.h"
#include "cmd/newaliases.h"
#include "cmd/queuecheck.h"
#include "cmd/routes.h"
#include "cmd/send.h"
#include "cmd/serve.h"
#include "cmd/serverinfo.h"
#include "cmd/show.h"
#include "cmd/talk.h"
#include "cmd/tlsreport.h"
#include "cmd/addresses.h"
#include "conf/classic.h"
#include "mail/message.h"

enum { DRAIN_MS = 10000 };

/* No bit that somebody set on the file may matter: whoever calls it, it runs as the caller (for good, before any input
 * is read). */
static bool
drop_privileges(struct err *err)
{
	if (geteuid() != getuid() && setresuid(getuid(), getuid(), getuid()) != 0)
		return err_set_errno(err, EX_OSERR, "cannot drop the privileges of a set-uid bit");
	if (getegid() != getgid() && setresgid(getgid(), getgid(), getgid()) != 0)
		return err_set_errno(err, EX_OSERR, "cannot drop the privileges of a set-gid bit");
	return true;
}

static const char *
program_name(const char *path)
{
	const char *slash = path == NULL ? NULL : strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	/* A login shell's name begins with '-'. */
	if (name != NULL && name[0] == '-')
		name++;
	return name != NULL && name[0] != '\0' ? name : PACKAGE_NAME;
}

static int
run(struct call *call)
{
	enum request_mode mode = call->request.mode;

	if (call->request.tells_version)
		printf("Version " PACKAGE_NAME " " PACKAGE_VERSION "\n");
	if (call->request.is_pretending && (mode == MODE_SEND || mode == MODE_SERVERINFO || mode == MODE_ETRN))
		return show_pretend(call);
	switch (mode) {
	case MODE_SEND:
		return send_run(call);
	case MODE_HELP:
		return show_help(call);
	case MODE_VERSION:
		return show_version(call);
	case MODE_PRINT_CONFIG:
		return show_config(call);
	case MODE_CHECK:
		return check_run(call);
	case MODE_SERVERINFO:
		return serverinfo_run(call);
	case MODE_ETRN:
		return serverinfo_run_etrn(call);
	case MODE_FLUSH:
		return flush_run(call);
	case MODE_MAILQ:
		return mailq_run(call);
	case MODE_SHOW:
		return inspect_run(call);
	case MODE_HOLD:
	case MODE_RELEASE:
	case MODE_RETRY:
	case MODE_REMOVE:
		return manage_run(call);
	case MODE_QUEUE_CHECK:
		return queuecheck_run(call);
	case MODE_ROUTE:
		return routes_run(call);
	case MODE_FORGET_KEY:
		return forgetkey_run(call);
	case MODE_NEWALIASES:
		return newaliases_run(call);
	case MODE_VERIFY:
		return addresses_run(call);
	case MODE_TLS_REPORT:
		return tlsreport_run(call);
	case MODE_NOTHING:
		return EX_OK;
	case MODE_SERVE:
		return serve_run(call);
	}
	return EX_SOFTWARE;
}

/* What was printed must arrive, too. But once messages are sent, nothing may say that they are not: a caller would send
 * them again. */
static int
finish_output(const struct call *call, int exit_code)
{
	bool is_sending = call->request.mode == MODE_SEND && !call->request.is_pretending;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return exit_code;
	if (is_sending)
		talk_warning(call->program, "cannot write to standard output");
	else
		fprintf(stderr, "%s: cannot write to standard output\n", call->program);
	return exit_code == EX_OK && !is_sending ? EX_IOERR : exit_code;
}

/* -oeq and -oee: nothing is to be read on standard error, wherever it would be written; -v asks for more than they take away. */
static void
fall_silent(const struct request *request)
{
	bool is_quiet = request->errors == ERRORS_QUIET || request->errors == ERRORS_EXIT;
	int fd;

	if (request->name == NAME_MAILCRANE || !is_quiet || request->is_debugging)
		return;
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	dup2(fd, STDERR_FILENO);
	close(fd);
}

/* Whoever calls it by a sendmail name may do so for somebody else (a web form, a cron job): there the variables count only where
 * the administrator says so. */
static void
allow_environment(struct call *call, struct environment *environment)
{
	/* From here on there may be secrets in memory: those of variables, and of files. */
	secret_protect_process();
	environment_take(environment);
	if (!environment->is_used && environment->warnings.size == 0)
		return;
	if (call->request.name == NAME_MAILCRANE || environment_is_allowed(SYSCONFDIR "/mailcranerc"))
		call->environment = environment;
}

static int
refuse(const struct call *call, const struct err *err)
{
	/* Whoever speaks SMTP, or asks for something else, waits for us and not for its words to be read. */
	bool may_have_message = call->request.mode == MODE_SEND;

	fall_silent(&call->request);
	talk_error(call->program, err);
	if (may_have_message && !call->was_stdin_closed)
		message_drain(STDIN_FILENO, DRAIN_MS);
	return err->exit_code;
}

int
main(int argc, char **argv)
{
	struct environment environment = {0};
	struct call call = {0};
	struct err err = {0};
	int exit_code;

	call.was_stdin_closed = !file_open_standard_streams();
	call.program = program_name(argc > 0 ? argv[0] : NULL);
	/* Who calls it by these names, perhaps with more rights than the user behind, left them open by mistake. */
	if (classic_name(argc > 0 ? argv[0] : NULL) != NAME_MAILCRANE)
		file_close_inherited();
	/* What we make is nobody else's business, and ours whatever the caller's mask is. */
	umask(S_IRWXG | S_IRWXO);
	signal(SIGPIPE, SIG_IGN);
	/* A limit on the size of files is an error of the write, not the end of the program. */
	signal(SIGXFSZ, SIG_IGN);
	if (drop_privileges(&err) && request_parse(&call.request, argc, argv, &err)) {
		fall_silent(&call.request);
		allow_environment(&call, &environment);
		exit_code = run(&call);
	} else {
		exit_code = refuse(&call, &err);
	}
	exit_code = finish_output(&call, exit_code);
	err_clear(&err);
	call_free(&call);
	environment_free(&environment);
	return exit_code;
}
