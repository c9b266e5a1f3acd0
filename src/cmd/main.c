/* main.c - from the command line to the thing that was asked for. */

#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/choose.h"
#include "cmd/send.h"
#include "cmd/serverinfo.h"
#include "cmd/show.h"
#include "cmd/talk.h"
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

	return name != NULL && name[0] != '\0' ? name : PACKAGE_NAME;
}

static int
run(struct call *call)
{
	enum request_mode mode = call->request.mode;

	if (call->request.is_pretending && (mode == MODE_SEND || mode == MODE_SERVERINFO || mode == MODE_ETRN))
		return show_pretend(call);
	switch (mode) {
	case MODE_HELP:
		return show_help();
	case MODE_VERSION:
		return show_version(call);
	case MODE_PRINT_CONFIG:
		return show_config(call);
	case MODE_SERVERINFO:
		return serverinfo_run(call);
	case MODE_ETRN:
		return serverinfo_run_etrn(call);
	default:
		return send_run(call);
	}
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

int
main(int argc, char **argv)
{
	struct call call = {0};
	struct err err = {0};
	int exit_code;

	call.was_stdin_closed = !file_open_standard_streams();
	call.program = program_name(argc > 0 ? argv[0] : NULL);
	signal(SIGPIPE, SIG_IGN);
	/* A limit on the size of files is an error of the write, not the end of the program. */
	signal(SIGXFSZ, SIG_IGN);
	if (drop_privileges(&err) && request_parse(&call.request, argc, argv, &err))
		exit_code = run(&call);
	else {
		exit_code = err.exit_code;
		talk_error(call.program, &err);
		if (!call.was_stdin_closed)
			message_drain(STDIN_FILENO, DRAIN_MS);
	}
	exit_code = finish_output(&call, exit_code);
	err_clear(&err);
	call_free(&call);
	return exit_code;
}
