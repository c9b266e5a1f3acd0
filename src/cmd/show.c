/* show.c - tells about the configuration and the program itself. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "auth/sasl.h"
#include "base/domain.h"
#include "base/file.h"
#include "cmd/author.h"
#include "cmd/recipients.h"
#include "cmd/show.h"
#include "cmd/talk.h"
#include "conf/classic.h"
#include "net/dns.h"
#include "net/https.h"
#include "net/tls.h"

static void
print(struct buf *text)
{
	fwrite(buf_text(text), 1, text->size, stdout);
	buf_free(text);
}

static int
fail(const struct call *call, struct err *err)
{
	int exit_code = err->exit_code;

	talk_error(call->program, err);
	err_clear(err);
	return exit_code;
}

static const char *
state_of(const struct config_file *file)
{
	if (file->is_used)
		return "read";
	if (file->error != 0)
		return file->refusal;
	return file->exists ? "not needed" : "not there";
}

static void
print_files(const struct config *config)
{
	for (size_t i = 0; i < config->n_files; i++)
		printf("    %s: %s\n", config->files[i].path, state_of(&config->files[i]));
}

static void
print_origin(const struct call *call)
{
	if (call->account.origin.file != NULL && call->account.origin.line > 0)
		printf("using account %s from %s:%d\n", call->account.id, call->account.origin.file, call->account.origin.line);
	else
		printf("using account %s\n", call->account.id);
}

/* The exit status: that of recipients that cannot be. */
static int
print_envelope(const struct call *call)
{
	bool is_sender_known = !call->request.reads_sender;
	struct message_found found = {0};
	struct envelope envelope = {0};
	struct author author = {0};
	struct err err = {0};
	int exit_code = EX_OK;

	if (!is_sender_known)
		printf("envelope from would be read from the message, and may choose another account\n");
	if (call->request.n_operands > 0) {
		if (!recipients_fill(&envelope, call, &found, &err) || !author_settle(&author, &call->account, &envelope, &err))
			exit_code = fail(call, &err);
		else if (is_sender_known)
			printf("envelope from = %s\n", envelope.reverse_path[0] != '\0' ? envelope.reverse_path : "<>");
		for (size_t i = 0; exit_code == EX_OK && i < envelope.n_recipients; i++)
			printf("recipient = %s\n", envelope.recipients[i].mailbox);
	}
	if (call->request.reads_recipients)
		printf("recipients would also be read from the message\n");
	author_free(&author);
	envelope_free(&envelope);
	return exit_code;
}

int
show_pretend(struct call *call)
{
	struct buf text = {0};
	struct err err = {0};

	if (!choose_read_files(call, &err) || !choose_account(call, call->request.sender, &err))
		return fail(call, &err);
	printf("configuration files:\n");
	print_files(&call->config);
	if (call->request.sender != NULL && call->request.account_id == NULL && call->request.overrides.host == NULL)
		printf("account chosen by envelope from address %s: %s\n", call->request.sender, call->account.id);
	print_origin(call);
	account_print(&text, &call->account, false);
	print(&text);
	return print_envelope(call);
}

int
show_config(struct call *call)
{
	struct buf text = {0};
	struct err err = {0};

	if (!choose_read_files(call, &err) || !choose_account(call, call->request.sender, &err))
		return fail(call, &err);
	account_print(&text, &call->account, true);
	print(&text);
	return EX_OK;
}

int
show_version(const struct call *call)
{
	struct config_search search = {
		.system_folder = SYSCONFDIR,
		.home = file_home(),
		.xdg_config_home = secure_getenv("XDG_CONFIG_HOME"),
	};
	struct config config = {.only_looks = true};
	struct err err = {0};

	(void)call;
	printf("%s %s\n", PACKAGE_NAME, PACKAGE_VERSION);
	printf("Libraries: GnuTLS %s, GNU SASL %s, Libidn2 %s, libunbound %s, libcurl %s\n", tls_library_version(), sasl_library_version(),
	       domain_library_version(), dns_library_version(), https_library_version());
	printf("Protocols: SMTP, LMTP; TLS, SOCKS5, unix sockets\n");
	printf("Authentication: plain login external cram-md5 digest-md5 scram-sha-1 scram-sha-256 scram-sha-1-plus\n"
	       "    scram-sha-256-plus gssapi oauthbearer xoauth2 anonymous\n");
	printf("System configuration folder: %s\n", SYSCONFDIR);
	printf("Configuration files:\n");
	config_load(&config, &search, &err);
	print_files(&config);
	printf("\nCopyright (C) 2026 the mailcrane authors.\n"
	       "Licence GPLv3+: GNU GPL version 3 or later <https://gnu.org/licenses/gpl.html>.\n"
	       "This is free software: you are free to change and redistribute it.\n"
	       "There is NO WARRANTY, to the extent permitted by law.\n");
	config_free(&config);
	err_clear(&err);
	return EX_OK;
}

int
show_help(const struct call *call)
{
	struct buf text = {0};

	if (call->request.name == NAME_MAILCRANE)
		option_add_help(&text);
	else
		classic_add_help(&text);
	print(&text);
	return EX_OK;
}
