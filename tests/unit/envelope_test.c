/* envelope_test - recipients once each, their outcomes together. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/mem.h"
#include "mail/envelope.h"
#include "tap.h"

static void
test_duplicates(void)
{
	struct envelope envelope = {0};

	tap_ok(envelope_add(&envelope, "r@example.org"), "a first recipient is added");
	tap_ok(envelope_add(&envelope, "R@Example.ORG"), "sendmail 41: a local part in another case is another recipient");
	tap_ok(!envelope_add(&envelope, "r@EXAMPLE.org"), "sendmail 41: a domain in another case is the same recipient");
	tap_ok(!envelope_add(&envelope, "R@example.org"), "the same recipient a third time is not added");
	tap_is_number((long long)envelope.n_recipients, 2, "sendmail 41: exactly two recipients are left");
	tap_is(envelope.recipients[1].mailbox, "R@Example.ORG", "a recipient is kept as it was written");
	tap_ok(envelope_add(&envelope, "\"a b\"@x.example"), "M7: a quoted local part is kept");
	tap_ok(envelope_add(&envelope, "\"A b\"@x.example"), "case matters inside the quotes");
	tap_ok(!envelope_add(&envelope, "\"a b\"@X.example"), "M7: a quoted local part is found again");
	envelope_free(&envelope);
	envelope_free(&envelope);
	tap_ok(envelope.recipients == NULL, "an envelope may be freed twice");
}

static void
test_many(void)
{
	struct envelope envelope = {0};
	size_t n_added = 0;
	char mailbox[64] = "";

	for (int i = 0; i < 40000; i++) {
		snprintf(mailbox, sizeof(mailbox), "user%d@example.org", i % 20000);
		n_added += envelope_add(&envelope, mailbox);
	}
	tap_is_number((long long)n_added, 20000, "M7: of 40000 recipients, each twice, 20000 are added");
	envelope_free(&envelope);
}

/* Callers own the array: queue entries fill it by themselves and drop recipients from it. */
static void
test_changed_outside(void)
{
	struct envelope envelope = {0};

	envelope.recipients = mem_alloc(1, sizeof(*envelope.recipients));
	envelope.recipients[0].mailbox = mem_copy_string("a@x.example");
	envelope.n_recipients = 1;
	tap_ok(!envelope_add(&envelope, "a@x.example"), "a recipient that others put there is known");
	tap_ok(envelope_add(&envelope, "b@x.example"), "another one is added");
	free(envelope.recipients[1].mailbox);
	envelope.n_recipients = 1;
	tap_ok(envelope_add(&envelope, "b@x.example"), "a recipient that others removed can be added again");
	envelope.recipients = mem_resize(envelope.recipients, 3, sizeof(*envelope.recipients));
	envelope.recipients[2] = (struct recipient){.mailbox = mem_copy_string("c@x.example")};
	envelope.n_recipients = 3;
	tap_ok(!envelope_add(&envelope, "c@x.example"), "a recipient that others added later is known, too");
	envelope_free(&envelope);
}

static void
test_outcomes(void)
{
	struct envelope envelope = {0};
	struct outcome deferred = {.state = OUTCOME_DEFERRED, .stage = OUTCOME_AT_CONNECT};

	tap_is_number(envelope_exit_code(&envelope), EX_OK, "an envelope without recipients has nothing to complain of");
	envelope_add(&envelope, "a@x.example");
	envelope_add(&envelope, "b@x.example");
	envelope_add(&envelope, "c@x.example");
	tap_is_number((long long)envelope_count(&envelope, OUTCOME_PENDING), 3, "new recipients are pending");
	tap_is_number(envelope_exit_code(&envelope), EX_TEMPFAIL, "a pending recipient makes the message EX_TEMPFAIL");
	envelope.recipients[0].outcome = (struct outcome){.state = OUTCOME_DELIVERED, .stage = OUTCOME_AT_END};
	envelope.recipients[1].outcome = (struct outcome){.state = OUTCOME_FAILED, .stage = OUTCOME_AT_RCPT};
	envelope_settle(&envelope, &deferred);
	tap_is_number((long long)envelope_count(&envelope, OUTCOME_DEFERRED), 1, "only pending recipients are settled");
	tap_is_number((long long)envelope_count(&envelope, OUTCOME_DELIVERED), 1, "a delivered recipient stays delivered");
	tap_is_number(envelope_exit_code(&envelope), EX_NOUSER, "sendmail 60: one refused recipient makes the message EX_NOUSER");
	envelope.recipients[1].outcome.stage = OUTCOME_AT_END;
	tap_is_number(envelope_exit_code(&envelope), EX_NOUSER, "a refusal after the text is about the recipient when another one has it");
	envelope.recipients[0].outcome = envelope.recipients[1].outcome;
	tap_is_number(envelope_exit_code(&envelope), EX_UNAVAILABLE, "a refusal after the text is about the message when nobody has it");
	envelope_free(&envelope);
}

static void
test_smtputf8(void)
{
	static const struct {
		const char *name;
		const char *reverse_path;
		const char *recipient;
		bool needs;
	} cases[] = {
		{"ASCII addresses do not need SMTPUTF8", "a@x.example", "b@x.example", false},
		{"a non-ASCII domain does not need SMTPUTF8", "a@b\xc3\xbc""cher.example", "b@b\xc3\xbc""cher.example", false},
		{"a non-ASCII local part of the sender needs SMTPUTF8", "j\xc3\xbc@x.example", "b@x.example", true},
		{"a non-ASCII local part of a recipient needs SMTPUTF8", "", "j\xc3\xbc@x.example", true},
		{"a non-ASCII quoted local part with an '@' in it needs SMTPUTF8", "", "\"a@\xc3\xbc\"@x.example", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct envelope envelope = {.reverse_path = mem_copy_string(cases[i].reverse_path)};

		envelope_add(&envelope, cases[i].recipient);
		tap_ok(envelope_needs_smtputf8(&envelope) == cases[i].needs, "%s", cases[i].name);
		envelope_free(&envelope);
	}
}

int
main(void)
{
	test_duplicates();
	test_many();
	test_changed_outside();
	test_outcomes();
	test_smtputf8();
	return tap_end();
}
