/* addresses.c - -bv: what becomes of addresses. Reads the configuration and the aliases file, writes to stdout. */

#include "config.h"

#include <stdio.h>

#include "cmd/recipients.h"
#include "cmd/talk.h"
#include "cmd/addresses.h"
#include "mail/address.h"
#include "mail/envelope.h"

/* The form is sendmail's. */
static void
print_envelope(const struct call *call, const struct envelope *envelope)
{
	const char *host = call->account.host != NULL ? call->account.host : call->account.socket;

	for (size_t i = 0; i < envelope->n_recipients; i++)
		printf("%s... deliverable: mailer relay, host %s, user %s\n", envelope->recipients[i].mailbox, host,
		       envelope->recipients[i].mailbox);
}

static int
verify_list(const struct call *call, const struct address_list *list)
{
	struct envelope envelope = {0};
	struct err err = {0};
	int exit_code = EX_OK;

	for (size_t i = 0; i < list->n_items; i++)
		envelope_add(&envelope, list->items[i].mailbox);
	if (recipients_expand(&envelope, call, &err)) {
		print_envelope(call, &envelope);
	} else {
		exit_code = err.exit_code;
		talk_error(call->program, &err);
	}
	err_clear(&err);
	envelope_free(&envelope);
	return exit_code;
}

static int
verify_operand(const struct call *call, const char *operand)
{
	struct address_list list = {0};
	struct buf clean = {0};
	struct err err = {0};
	int exit_code = EX_DATAERR;

	if (address_parse_list(str_of(operand), true, &list, &err) && list.n_items > 0) {
		exit_code = verify_list(call, &list);
	} else {
		err_add_clean(&clean, str_of(operand));
		printf("%s... Invalid address\n", buf_text(&clean));
		talk_error(call->program, &err);
	}
	err_clear(&err);
	buf_free(&clean);
	address_list_free(&list);
	return exit_code;
}

int
addresses_run(struct call *call)
{
	struct err err = {0};
	int exit_code = EX_OK;

	if (!choose_read_files(call, &err) || !choose_account(call, call->request.sender, &err)) {
		exit_code = err.exit_code;
		talk_error(call->program, &err);
		err_clear(&err);
		return exit_code;
	}
	for (size_t i = 0; i < call->request.n_operands; i++) {
		int code = verify_operand(call, call->request.operands[i]);

		if (exit_code == EX_OK)
			exit_code = code;
	}
	return exit_code;
}
