/* check.c - is the configuration right? Reads files, runs password commands; connects only for --check=server. */

#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "cmd/check.h"
#include "cmd/log.h"
#include "cmd/talk.h"
#include "deliver/session.h"
#include "mail/outcome.h"

enum { NAME_WIDTH = 15, OTHERS_MODE = S_IRWXG | S_IRWXO };

struct check {
	struct call *call;
	struct buf out;
	struct json document;
	struct json *json;    /* of it; NULL: as text */
	struct secret secret; /* of the account that is looked at */
	bool has_secret;      /* it is known, or none is needed */
	int exit_code;
};

/* --- findings ------------------------------------------------------------------------------------------------------ */

static void
tell(struct check *check, const char *name, const char *result, const char *text, const char *hint)
{
	if (check->json != NULL) {
		json_begin_object(check->json, NULL);
		json_add_text(check->json, "check", name);
		json_add_text(check->json, "result", result);
		json_add_text(check->json, "text", text);
		json_add_text(check->json, "hint", hint);
		json_end(check->json);
		return;
	}
	buf_printf(&check->out, "  %-5s  %-*s  %s\n", result, NAME_WIDTH, name, text);
	if (hint != NULL)
		buf_printf(&check->out, "  %-5s  %-*s  hint: %s\n", "", NAME_WIDTH, "", hint);
}

static void
tell_good(struct check *check, const char *name, const struct buf *text)
{
	tell(check, name, "ok", buf_text(text), NULL);
}

/* err is empty afterwards. */
static void
tell_fault(struct check *check, const char *name, struct err *err)
{
	tell(check, name, "wrong", buf_text(&err->text), err->hint.size > 0 ? buf_text(&err->hint) : NULL);
	check->exit_code = outcome_worse_exit(check->exit_code, err->exit_code);
	err_clear(err);
}

/* --- files --------------------------------------------------------------------------------------------------------- */

static void
check_config_file(struct check *check, const struct config_file *file)
{
	bool is_open = file->has_secret && (file->mode & OTHERS_MODE) != 0;
	struct buf text = {0};
	struct err err = {0};

	err_add_clean(&text, str_of(file->path));
	if (file->is_used) {
		buf_printf(&text, ": read, mode %04o%s", file->mode, is_open ? ", and others can read the secret in it" : "");
		tell(check, "file", is_open ? "note" : "ok", buf_text(&text), is_open ? "'passwordeval' or 'password_file' keeps it out" : NULL);
	} else if (file->error != 0 && !file->is_replaced) {
		err_set(&err, EX_CONFIG, "%s: %s", buf_text(&text), file->refusal);
		if (file->hint != NULL)
			err_hint(&err, "%s", file->hint);
		tell_fault(check, "file", &err);
	} else {
		buf_add_text(&text, file->exists ? ": not needed" : ": not there");
		tell(check, "file", "note", buf_text(&text), NULL);
	}
	buf_free(&text);
}

/* A file that is read for the connection. Its content is looked at by --check=server only, as TLS sees it. */
static void
check_file(struct check *check, const char *name, const char *path, bool is_private)
{
	struct stat facts = {0};
	struct buf text = {0};
	struct err err = {0};
	int fd = -1;

	/* "system" is no path, and neither is a URL such as pkcs11:. */
	if (path == NULL || path[0] == '\0' || strcmp(path, "system") == 0 || strcspn(path, ":") < strcspn(path, "/"))
		return;
	if (!file_open_read(path, &fd, &err)) {
		tell_fault(check, name, &err);
		return;
	}
	err_add_clean(&text, str_of(path));
	if (is_private && fstat(fd, &facts) == 0 && (facts.st_mode & OTHERS_MODE) != 0) {
		buf_printf(&text, ": can be read, but by others, too: mode %04o", (unsigned)facts.st_mode & 07777U);
		tell(check, name, "note", buf_text(&text), "chmod 600 the file");
	} else {
		buf_add_text(&text, ": can be read");
		tell_good(check, name, &text);
	}
	close(fd);
	buf_free(&text);
}

static void
check_trust(struct check *check)
{
	const struct account *account = &check->call->account;

	if (account->tls)
		check_file(check, "tls_trust_file", account->tls_trust_file, false);
}

static void
check_revocations(struct check *check)
{
	if (check->call->account.tls)
		check_file(check, "tls_crl_file", check->call->account.tls_crl_file, false);
}

static void
check_certificate(struct check *check)
{
	if (check->call->account.tls)
		check_file(check, "tls_cert_file", check->call->account.tls_cert_file, false);
}

static void
check_key(struct check *check)
{
	if (check->call->account.tls)
		check_file(check, "tls_key_file", check->call->account.tls_key_file, true);
}

static void
check_aliases(struct check *check)
{
	check_file(check, "aliases", check->call->account.aliases, false);
}

/* --- secret and server --------------------------------------------------------------------------------------------- */

/* Whether it works by itself is the question, so nobody is asked. */
static void
check_secret(struct check *check)
{
	const struct account *account = &check->call->account;
	struct buf text = {0};
	struct err err = {0};

	check->has_secret = !sasl_needs_secret(account);
	if (check->has_secret) {
		tell(check, "secret", "note", "none is needed", NULL);
	} else if (!secret_find(&check->secret, account, false, &err)) {
		tell_fault(check, "secret", &err);
	} else {
		check->has_secret = true;
		buf_printf(&text, "%zu bytes, from %s", check->secret.text.size, check->secret.source);
		tell_good(check, "secret", &text);
	}
	buf_free(&text);
}

static void
describe_session(struct buf *b, const struct session *session)
{
	const struct account *account = session->account;

	buf_printf(b, "%s", session->host->name);
	if (session->connection.address[0] != '\0')
		buf_printf(b, " (%s port %d)", session->connection.address, session->host->target.port);
	buf_add_text(b, " answers");
	if (session->tls.version != NULL)
		buf_printf(b, ", with %s", session->tls.version);
	else
		buf_add_text(b, ", without TLS");
	if (account->auth != AUTH_OFF) {
		buf_add_text(b, ", and accepts the login");
		if (account->user != NULL) {
			buf_add_text(b, " of ");
			err_add_clean(b, str_of(account->user));
		}
	}
}

static void
check_host(struct check *check, const struct route_host *host)
{
	struct session session = {.account = &check->call->account, .host = host};
	struct outcome why;
	struct buf text = {0};
	struct err err = {0};

	if (check->secret.is_known)
		session.secret = &check->secret;
	if (check->call->request.is_debugging)
		session.watch.show = talk_show_dialogue;
	session.watch = log_listen(session.watch, check->call);
	if (session_run(&session, &why, &err)) {
		describe_session(&text, &session);
		tell_good(check, "server", &text);
	} else {
		err_prefix(&err, "%s", host->name);
		tell_fault(check, "server", &err);
	}
	session_free(&session);
	buf_free(&text);
}

/* Each server of the account. */
static void
check_servers(struct check *check)
{
	const struct account *account = &check->call->account;
	struct finder finder = {0};
	struct route route = {0};

	if (!check->call->request.checks_server)
		return;
	if (account->delivery == DELIVER_DIRECT) {
		tell(check, "server", "note", "direct delivery has none of its own: --route=ADDRESS prints those of an address", NULL);
		return;
	}
	if (!check->has_secret) {
		tell(check, "server", "note", "not asked, since there is no secret to log in with", NULL);
		return;
	}
	if (!route_find(&route, &(struct route_query){
					.account = account,
					.finder = &finder,
					.deadline = clock_deadline(ROUTE_SECONDS),
				}))
		tell_fault(check, "server", &route.failure);
	for (size_t i = 0; i < route.n_hosts; i++)
		if (route.hosts[i].refusal.size == 0)
			check_host(check, &route.hosts[i]);
	finder_close(&finder);
	route_free(&route);
}

/* --- accounts ------------------------------------------------------------------------------------------------------ */

static void
add_settings(struct buf *b, const struct account *account)
{
	err_add_clean(b, str_of(account->socket != NULL ? account->socket : account->host));
	if (account->socket == NULL)
		buf_printf(b, " port %d", account->port);
	buf_add_text(b, !account->tls ? ", no TLS" : account->tls_starttls ? ", STARTTLS" : ", TLS");
	buf_add_text(b, account->auth == AUTH_OFF ? ", no login" : ", login");
	if (account->auth != AUTH_OFF && account->user != NULL) {
		buf_add_text(b, " as ");
		err_add_clean(b, str_of(account->user));
	}
}

/* What is looked at, in this order, once the account is complete. */
static void (*const checks[])(struct check *check) = {
	check_trust, check_revocations, check_certificate, check_key, check_aliases, check_secret, check_servers,
};

static void
begin_account(struct check *check, const char *id, const struct origin *origin)
{
	struct buf where = {0};

	if (origin != NULL && origin->file != NULL)
		err_add_clean(&where, str_of(origin->file));
	if (origin != NULL && origin->line > 0)
		buf_printf(&where, ":%d", origin->line);
	if (check->json != NULL) {
		json_begin_object(check->json, NULL);
		json_add_text(check->json, "account", id);
		json_add_text(check->json, "origin", where.size > 0 ? buf_text(&where) : NULL);
		json_begin_array(check->json, "checks");
	} else {
		buf_add_text(&check->out, "account ");
		err_add_clean(&check->out, str_of(id));
		if (where.size > 0)
			buf_printf(&check->out, " (%s)", buf_text(&where));
		buf_add_char(&check->out, '\n');
	}
	buf_free(&where);
}

static void
end_account(struct check *check)
{
	if (check->json == NULL)
		return;
	json_end(check->json);
	json_end(check->json);
}

/* The account of this name, or with NULL the one that a call would take. */
static void
check_account(struct check *check, char *id)
{
	struct call *call = check->call;
	char *wanted = call->request.account_id;
	struct buf text = {0};
	struct err err = {0};
	bool is_complete;

	call->request.account_id = id;
	call->has_account = false;
	is_complete = choose_account(call, call->request.sender, &err);
	call->request.account_id = wanted;
	if (call->has_account)
		begin_account(check, call->account.id, &call->account.origin);
	else
		begin_account(check, id != NULL ? id : "default", NULL);
	if (!is_complete) {
		tell_fault(check, "settings", &err);
	} else {
		add_settings(&text, &call->account);
		tell_good(check, "settings", &text);
		for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
			checks[i](check);
	}
	end_account(check);
	secret_free(&check->secret);
	buf_free(&text);
}

static void
check_accounts(struct check *check)
{
	struct call *call = check->call;

	if (call->request.account_id != NULL || call->config.n_accounts == 0) {
		check_account(check, call->request.account_id);
		return;
	}
	for (size_t i = 0; i < call->config.n_accounts; i++)
		check_account(check, call->config.accounts[i].id);
}

static void
check_configuration(struct check *check)
{
	struct call *call = check->call;
	struct err err = {0};
	bool is_read = choose_read_files(call, &err);

	if (check->json != NULL)
		json_begin_array(check->json, "configuration");
	else
		buf_add_text(&check->out, "configuration\n");
	for (size_t i = 0; i < call->config.n_files; i++)
		check_config_file(check, &call->config.files[i]);
	if (choose_uses_environment(call))
		tell(check, "environment", "note", "MAILCRANE_ variables are set, and count", NULL);
	if (!is_read)
		tell_fault(check, "text", &err);
	if (check->json != NULL) {
		json_end(check->json);
		json_begin_array(check->json, "accounts");
	}
	if (is_read)
		check_accounts(check);
	if (check->json != NULL)
		json_end(check->json);
}

int
check_run(struct call *call)
{
	struct check check = {.call = call, .exit_code = EX_OK};

	check.document.out = &check.out;
	if (call->request.wants_json) {
		check.json = &check.document;
		json_begin_object(check.json, NULL);
		json_add_text(check.json, "schema", "mailcrane.check/1");
	}
	check_configuration(&check);
	if (check.json != NULL) {
		json_add_number(check.json, "exit_code", check.exit_code);
		json_end(check.json);
		buf_add_char(&check.out, '\n');
	}
	fwrite(buf_text(&check.out), 1, check.out.size, stdout);
	buf_free(&check.out);
	return check.exit_code;
}
