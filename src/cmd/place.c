/* place.c - the spool of this call. Reads configuration files, opens folders. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/place.h"

/* Whoever looks after the queue need not be able to send: an account that is incomplete still says where the queue is. Only
 * one that was asked for by name must be there. */
static bool
find_folder(struct call *call, char **folder, struct err *err)
{
	struct err trouble = {0};
	bool is_chosen;

	if (call->request.overrides.queue_dir != NULL || call->has_account) {
		const struct account *account = call->has_account ? &call->account : &call->request.overrides;

		*folder = mem_copy_string(account->queue_dir);
		return true;
	}
	if (call->config.n_files == 0 && !choose_read_files(call, err))
		return false;
	is_chosen = choose_account(call, NULL, &trouble);
	if (!is_chosen && !call->has_account && call->request.account_id != NULL)
		return err_move(err, &trouble);
	*folder = mem_copy_string(call->account.queue_dir);
	if (*folder == NULL && choose_uses_environment(call))
		*folder = mem_copy_string(call->environment->settings.queue_dir);
	if (!is_chosen) {
		account_free(&call->account);
		call->has_account = false;
	}
	err_clear(&trouble);
	return true;
}

bool
place_open(struct call *call, struct spool *spool, bool makes_it, struct err *err)
{
	char *folder = NULL;
	bool is_open = false;

	if (find_folder(call, &folder, err)) {
		struct spool_place place = spool_place_of_user(folder);

		is_open = makes_it ? spool_open(spool, &place, err) : spool_open_existing(spool, &place, err);
	}
	free(folder);
	return is_open;
}

bool
place_open_other(const struct spool *first, struct spool *spool, struct err *err)
{
	struct buf path = {0};
	struct spool_place place = {0};
	bool is_open = true;

	buf_printf(&path, "%s/%ld", SPOOL_SYSTEM_FOLDER, (long)geteuid());
	place.path = buf_text(&path);
	if (!first->is_open || strcmp(first->path, place.path) != 0)
		is_open = spool_open_existing(spool, &place, err);
	buf_free(&path);
	return is_open;
}
