/* rcfile_fuzz.c - any bytes as a configuration file: it is read or refused with a place, and what was read can be chosen,
 * completed by inheritance, printed and read again. No command is run. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "conf/rcfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was printed must be readable. */
static void
read_back(const struct account *account)
{
	struct config config = {.refuses_eval = true};
	struct buf printed = {0};
	struct err err = {0};

	account_print(&printed, account, true);
	if (!config_parse(&config, "printed", buf_str(&printed), &err) || config.n_accounts != 1)
		abort();
	err_clear(&err);
	buf_free(&printed);
	config_free(&config);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const senders[] = {NULL, "", "a@b", "a+b@c", "+@", "a@b+c"};
	struct config config = {.refuses_eval = true};
	struct err err = {0};

	if (!config_parse(&config, "fuzz", str_make((const char *)data, size), &err)) {
		if (err.exit_code != EX_CONFIG || strncmp(buf_text(&err.text), "fuzz:", 5) != 0)
			abort();
		err_clear(&err);
	}
	for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
		const struct account *account = NULL;

		if (config_choose(&config, NULL, senders[i], &account, &err))
			read_back(account);
		err_clear(&err);
	}
	config_free(&config);
	return 0;
}
