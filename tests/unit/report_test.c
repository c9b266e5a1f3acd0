/* report_test.c - what happened, in words for people and for the log. */

#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "deliver/report.h"
#include "tap.h"

struct world {
	struct account account;
	struct delivery delivery;
	struct parcel parcel;
};

static void
set_up(struct world *w, size_t n)
{
	static char id[] = "work", host[] = "mx.example", user[] = "joe";

	*w = (struct world){.account = {.id = id, .host = host, .tls = true, .auth = AUTH_PLAIN, .user = user}};
	w->parcel.name = mem_copy_string("letter");
	w->parcel.envelope.reverse_path = mem_copy_string("a@example.org");
	for (size_t i = 0; i < n; i++) {
		char mailbox[64];

		snprintf(mailbox, sizeof(mailbox), "r%zu@example.net", i);
		envelope_add(&w->parcel.envelope, mailbox);
	}
	w->delivery.account = &w->account;
	w->delivery.parcels = &w->parcel;
	w->delivery.n_parcels = 1;
}

static void
tear_down(struct world *w)
{
	err_clear(&w->delivery.failure);
	parcel_free(&w->parcel);
}

static struct outcome *
settle(struct world *w, size_t i, enum outcome_state state, enum outcome_stage stage, int code, const char *text)
{
	struct outcome *outcome = &w->parcel.envelope.recipients[i].outcome;

	*outcome = (struct outcome){.state = state, .stage = stage, .reply_code = code};
	outcome_set_text(outcome, str_of(text));
	outcome_set_host(outcome, "mx.example");
	return outcome;
}

static void
test_problems(void)
{
	struct world w;
	struct buf text = {0};

	set_up(&w, 4);
	for (size_t i = 0; i < 4; i++)
		settle(&w, i, OUTCOME_DELIVERED, OUTCOME_AT_END, 250, "taken");
	report_add_problems(&text, &w.delivery, &w.parcel);
	tap_is(buf_text(&text), "", "success is silent");
	settle(&w, 1, OUTCOME_FAILED, OUTCOME_AT_RCPT, 550, "nobody");
	report_add_problems(&text, &w.delivery, &w.parcel);
	tap_ok(strstr(buf_text(&text), "account work: mx.example: r1@example.net refused") != NULL &&
	           strstr(buf_text(&text), "550 nobody\n") != NULL,
	       "a refused recipient is named with account, host and reply");
	buf_clear(&text);
	for (size_t i = 0; i < 4; i++)
		settle(&w, i, OUTCOME_FAILED, OUTCOME_AT_END, 554, "spam");
	report_add_problems(&text, &w.delivery, &w.parcel);
	tap_ok(strstr(buf_text(&text), "r0@example.net and 3 more recipients refused") != NULL &&
	           str_find(buf_str(&text), '\n') == text.size - 1,
	       "one fate of many recipients is told once");
	buf_free(&text);
	tear_down(&w);
}

static void
test_hints(void)
{
	struct world w;

	set_up(&w, 1);
	settle(&w, 0, OUTCOME_DEFERRED, OUTCOME_AT_AUTH, 535, "Username and Password not accepted");
	tap_ok(strstr(report_hint(&w.delivery, &w.parcel), "app password") != NULL, "535 of a large provider hints at app passwords");
	settle(&w, 0, OUTCOME_DEFERRED, OUTCOME_AT_AUTH, 535, "no");
	tap_ok(strstr(report_hint(&w.delivery, &w.parcel), "check 'user'") != NULL, "another 535 hints at the credentials");
	w.account.port = 465;
	w.account.tls_starttls = true;
	settle(&w, 0, OUTCOME_DEFERRED, OUTCOME_AT_GREETING, 0, "no answer");
	tap_ok(strstr(report_hint(&w.delivery, &w.parcel), "tls_starttls off") != NULL, "STARTTLS on port 465 is recognised");
	settle(&w, 0, OUTCOME_DELIVERED, OUTCOME_AT_END, 250, "ok");
	tap_ok(report_hint(&w.delivery, &w.parcel) == NULL, "success needs no hint");
	tear_down(&w);
}

static void
test_hints_of_destinations(void)
{
	struct delivery_end ends[2] = {{.why = {.state = OUTCOME_DEFERRED}}, {.why = {.state = OUTCOME_DEFERRED}}};
	struct world w;

	set_up(&w, 2);
	outcome_set_text(&ends[0].why, STR("no answer"));
	outcome_set_text(&ends[1].why, STR("no room"));
	err_hint(&ends[1].failure, "make some");
	err_hint(&w.delivery.failure, "make some");
	w.delivery.ends = ends;
	w.delivery.n_ends = 2;
	settle(&w, 0, OUTCOME_DELIVERED, OUTCOME_AT_END, 250, "ok");
	settle(&w, 1, OUTCOME_DEFERRED, OUTCOME_AT_CONNECT, 0, "no answer");
	tap_ok(report_hint(&w.delivery, &w.parcel) == NULL, "what is said about one destination is no hint for another");
	settle(&w, 1, OUTCOME_DEFERRED, OUTCOME_AT_CONNECT, 0, "no room");
	tap_is(report_hint(&w.delivery, &w.parcel), "make some", "but for its own");
	tap_ok(report_failure_hint(&w.account, &ends[0].why, &ends[0].failure) == NULL, "nor does its route remember it");
	err_clear(&ends[1].failure);
	tear_down(&w);
}

static void
test_log(void)
{
	struct world w;
	struct buf text = {0};
	struct report_line line = {.account = &w.account, .envelope = &w.parcel.envelope, .message = &w.parcel.message,
	                           .is_tls_used = true};

	set_up(&w, 2);
	w.parcel.message.size = 42;
	settle(&w, 0, OUTCOME_DELIVERED, OUTCOME_AT_END, 250, "it's\nfine");
	settle(&w, 1, OUTCOME_DELIVERED, OUTCOME_AT_END, 250, "it's\nfine");
	report_add_log(&text, &line);
	tap_is(buf_text(&text),
	       "host=mx.example tls=on auth=on user=joe from=a@example.org recipients=r0@example.net,r1@example.net mailsize=42 "
	       "smtpstatus=250 smtpmsg='250 it?s\\nfine' exitcode=EX_OK",
	       "the log line has msmtp's grammar and quoting");
	buf_clear(&text);
	settle(&w, 1, OUTCOME_FAILED, OUTCOME_AT_RCPT, 550, "no");
	line.error = "r1 refused";
	line.exit_code = EX_NOUSER;
	report_add_log(&text, &line);
	tap_ok(strstr(buf_text(&text), "smtpstatus=550 smtpmsg='550 no' errormsg='r1 refused' exitcode=EX_NOUSER") != NULL &&
	           strstr(buf_text(&text), "mailsize") == NULL,
	       "a failure has its reply, its text and no size");
	buf_clear(&text);
	report_add_json(&text, &line, 0);
	tap_ok(strstr(buf_text(&text), "\"schema\":\"mailcrane.attempt/1\",\"time\":\"1970-01-01T00:00:00Z\"") != NULL &&
	           strstr(buf_text(&text), "{\"address\":\"r1@example.net\",\"state\":\"failed\",\"code\":550,\"enhanced\":null,\"text\":\"no\"}") != NULL &&
	           strstr(buf_text(&text), "\"exit_code\":67}") != NULL,
	       "the same as JSON");
	buf_free(&text);
	tear_down(&w);
}

int
main(void)
{
	test_problems();
	test_hints();
	test_hints_of_destinations();
	test_log();
	return tap_end();
}
