/* tlsreport.c - --tls-report: the report of one day. Reads the configuration and the queue's folder. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/place.h"
#include "cmd/talk.h"
#include "cmd/tlsreport.h"
#include "conf/defaults.h"
#include "deliver/tlsreport.h"

enum { DAY_SECONDS = 86400 };

/* Which day is meant. */
static bool
read_day(const char *text, char day[TLSREPORT_DAY_SIZE], struct err *err)
{
	time_t now = time(NULL);

	if (text == NULL || strcmp(text, "today") == 0) {
		tlsreport_day(now, day);
	} else if (strcmp(text, "yesterday") == 0) {
		tlsreport_day(now - DAY_SECONDS, day);
	} else if (tlsreport_is_day(str_of(text))) {
		memcpy(day, text, TLSREPORT_DAY_SIZE);
	} else {
		err_set(err, EX_USAGE, "'%s' is not a day", text);
		return err_hint(err, "such as 2026-11-28, today or yesterday");
	}
	return true;
}

/* Where there is an account with an address, it is whom to ask. */
static void
add_contact(const struct call *call, const char *organization, struct buf *contact)
{
	const char *from = call->has_account ? call->account.from : NULL;

	if (from != NULL && strchr(from, '@') != NULL && strpbrk(from, "*?[") == NULL)
		buf_add_text(contact, from);
	else
		buf_printf(contact, "postmaster@%s", organization);
}

static bool
print_report(const struct call *call, struct spool *spool, const char *day, struct err *err)
{
	struct defaults_names names = {0};
	struct buf contact = {0}, text = {0};
	struct tlsreport_author author = {0};
	size_t n_unread = 0;
	bool is_good;

	defaults_find_names(&names, NULL);
	author.organization = call->has_account && call->account.mailname != NULL ? call->account.mailname : names.full_name;
	add_contact(call, author.organization, &contact);
	author.contact = buf_text(&contact);
	is_good = tlsreport_add(spool, day, &author, &text, &n_unread, err);
	fwrite(buf_text(&text), 1, text.size, stdout);
	if (n_unread > 0) {
		buf_clear(&text);
		buf_printf(&text, "%zu lines of %s/%s/%s make no sense", n_unread, spool->path, spool_folder_name(SPOOL_REPORTS), day);
		talk_warning(call->program, buf_text(&text));
	}
	defaults_names_free(&names);
	buf_free(&contact);
	buf_free(&text);
	return is_good;
}

int
tlsreport_run(struct call *call)
{
	char day[TLSREPORT_DAY_SIZE];
	struct spool spool = {0};
	struct err err = {0}, no_account = {0};
	bool is_good = read_day(call->request.report_day, day, &err) && choose_read_files(call, &err);
	int exit_code;

	/* Without an account there may still be something to report. */
	if (is_good && !choose_account(call, NULL, &no_account) && call->request.account_id != NULL && !call->has_account)
		is_good = err_move(&err, &no_account);
	is_good = is_good && place_open(call, &spool, false, &err) && print_report(call, &spool, day, &err);
	exit_code = is_good ? EX_OK : err.exit_code;
	if (!is_good)
		talk_error(call->program, &err);
	talk_problems(call->program, buf_str(&spool.warnings));
	err_clear(&err);
	err_clear(&no_account);
	spool_free(&spool);
	return exit_code;
}
