/* serverinfo.c - --serverinfo and --rmqs: sessions without a message. The layout of --serverinfo is msmtp's, for scripts. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "cmd/log.h"
#include "cmd/serverinfo.h"
#include "cmd/talk.h"
#include "deliver/session.h"

static void
print_indented(const char *indent, struct str text)
{
	struct buf clean = {0};
	struct str line;

	while (str_next_token(&text, '\n', &line)) {
		buf_clear(&clean);
		err_add_clean(&clean, line);
		printf("%s%s\n", indent, buf_text(&clean));
	}
	buf_free(&clean);
}

static void
print_capability(bool is_offered, const char *keyword, const char *meaning)
{
	if (is_offered)
		printf("    %s:\n        %s\n", keyword, meaning);
}

static void
print_size(const struct caps *caps)
{
	if (!caps->has_size)
		return;
	if (caps->size_most == 0) {
		print_capability(true, "SIZE", "Maximum message size is not announced or unlimited");
		return;
	}
	printf("    SIZE %" PRIu64 ":\n        Maximum message size is %" PRIu64 " bytes", caps->size_most, caps->size_most);
	if (caps->size_most >= 1024 * 1024)
		printf(" = %.2f MiB", (double)caps->size_most / 1048576.0);
	printf("\n");
}

static void
print_capabilities(const struct caps *caps)
{
	if (caps->text.size == 0) {
		printf("No special capabilities.\n");
		return;
	}
	printf("Capabilities:\n");
	print_size(caps);
	print_capability(caps->has_pipelining, "PIPELINING", "Support for command grouping for faster transmission");
	print_capability(caps->has_chunking, "CHUNKING", "Support for messages in chunks (BDAT)");
	print_capability(caps->has_8bitmime, "8BITMIME", "Support for 8-bit message bodies");
	print_capability(caps->has_smtputf8, "SMTPUTF8", "Support for UTF-8 in addresses and headers");
	print_capability(caps->has_etrn, "ETRN", "Support for RMQS (Remote Message Queue Starting)");
	print_capability(caps->has_dsn, "DSN", "Support for Delivery Status Notifications");
	print_capability(caps->has_starttls, "STARTTLS", "Support for TLS encryption via the STARTTLS command");
	print_capability(caps->has_requiretls, "REQUIRETLS", "Support for messages that require TLS on their whole way");
	if (caps->rcpt_most > 0 || caps->mail_most > 0)
		printf("    LIMITS:\n        At most %" PRIu64 " recipients in a transaction and %" PRIu64
		       " transactions in a session (0: no limit)\n",
		       caps->rcpt_most, caps->mail_most);
	if (caps->has_auth) {
		printf("    AUTH:\n        Supported authentication methods:\n");
		print_indented("        ", buf_str(&caps->mechanisms));
	}
	printf("All keywords, as the server wrote them:\n");
	print_indented("    ", buf_str(&caps->text));
}

static void
print_server(const struct session *session)
{
	if (session->host->target.socket != NULL)
		printf("%s server at %s:\n", session->demand.is_lmtp ? "LMTP" : "SMTP", session->host->target.socket);
	else
		printf("%s server at %s (%s), port %d:\n", session->demand.is_lmtp ? "LMTP" : "SMTP",
		       session->host->name, session->connection.address, session->host->target.port);
	print_indented("    ", buf_str(&session->dialog.greeting));
	if (session->tls.version != NULL) {
		printf("TLS session parameters:\n    %s\n    Certificate verified by: %s\n", session->tls.cipher,
		       session->tls.verified_by);
		printf("TLS certificate information:\n");
		print_indented("    ", buf_str(&session->tls.certificate));
	}
	print_capabilities(&session->dialog.caps);
	if (session->dialog.caps.has_starttls && session->tls.version == NULL)
		printf("This server might advertise more or other capabilities when TLS is active.\n");
}

static int
report_failure(const struct call *call, struct err *err)
{
	int exit_code = err->exit_code;

	talk_error(call->program, err);
	err_clear(err);
	return exit_code;
}

/* The account's host, of several the first that may be tried. */
static bool
find_host(const struct call *call, struct route *route, struct err *err)
{
	struct finder finder = {0};
	bool is_found;

	if (call->account.delivery == DELIVER_DIRECT) {
		err_set(err, EX_USAGE, "direct delivery has no server of its own");
		return err_hint(err, "--route=ADDRESS prints the servers of an address; --host=NAME asks one of them");
	}
	is_found = route_find(route, &(struct route_query){
					     .account = &call->account,
					     .finder = &finder,
					     .deadline = clock_deadline(ROUTE_SECONDS),
				     }) ||
	           err_move(err, &route->failure);
	finder_close(&finder);
	return is_found;
}

/* What both have in common: the account, its host, one session. False: err says why; the session holds what was learnt. */
static bool
run_session(struct call *call, struct session *session, struct secret *secret, struct route *route, struct err *err)
{
	struct outcome why;

	if (!session->is_inquiry && sasl_needs_secret(&call->account)) {
		if (!secret_find(secret, &call->account, choose_may_ask(call), err))
			return err_prefix(err, "account %s", call->account.id);
		session->secret = secret;
	}
	if (call->request.is_debugging)
		session->watch.show = talk_show_dialogue;
	session->watch = log_listen(session->watch, call);
	if (!find_host(call, route, err))
		return err_prefix(err, "account %s", call->account.id);
	session->host = route_first(route);
	return session_run(session, &why, err) || err_prefix(err, "account %s: %s", call->account.id, session->host->name);
}

int
serverinfo_run(struct call *call)
{
	struct session session = {.account = &call->account, .is_inquiry = true};
	struct route route = {0};
	struct err err = {0};

	if (choose_read_files(call, &err) && choose_account(call, call->request.sender, &err)) {
		run_session(call, &session, NULL, &route, &err);
		if (session.dialog.n_replies > 0)
			print_server(&session);
		session_free(&session);
		route_free(&route);
	}
	return err_is_set(&err) ? report_failure(call, &err) : EX_OK;
}

int
serverinfo_run_etrn(struct call *call)
{
	struct secret secret = {0};
	struct session session = {.account = &call->account, .etrn = call->request.etrn_argument};
	struct route route = {0};
	struct err err = {0};

	if (choose_read_files(call, &err) && choose_account(call, call->request.sender, &err)) {
		run_session(call, &session, &secret, &route, &err);
		session_free(&session);
		route_free(&route);
	}
	secret_free(&secret);
	return err_is_set(&err) ? report_failure(call, &err) : EX_OK;
}
