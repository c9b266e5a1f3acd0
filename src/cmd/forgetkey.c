/* forgetkey.c - forgets keys of servers. Changes one file in the folder of the queue. */

#include "config.h"

#include "cmd/forgetkey.h"
#include "cmd/place.h"
#include "cmd/talk.h"
#include "deliver/acquaint.h"
#include "net/known.h"

static bool
forget(const struct spool *spool, const char *server, struct err *err)
{
	struct buf path = {0}, name = {0};
	bool is_found = false;
	bool is_good = true;

	for (size_t i = 0; server[i] != '\0'; i++)
		buf_add_char(&name, ascii_lower(server[i]));
	if (spool->is_open) {
		acquaint_add_path(&path, spool->path);
		is_good = known_forget(buf_text(&path), buf_text(&name), &is_found, err);
	}
	if (is_good && !is_found) {
		err_set(err, EX_NOINPUT, "no key of '");
		err_add_clean(&err->text, buf_str(&name));
		buf_add_text(&err->text, "' is known");
		if (spool->is_open)
			err_hint(err, "it is written as HOST:PORT; those that are known are in %s", buf_text(&path));
		is_good = false;
	}
	buf_free(&path);
	buf_free(&name);
	return is_good;
}

int
forgetkey_run(struct call *call)
{
	const struct request *request = &call->request;
	struct spool spool = {0};
	struct err err = {0};
	int exit_code = EX_OK;

	if (!place_open(call, &spool, false, &err)) {
		exit_code = err.exit_code;
		talk_error(call->program, &err);
	}
	for (size_t i = 0; exit_code == EX_OK && i <= request->n_operands; i++)
		if (!forget(&spool, i == 0 ? request->target : request->operands[i - 1], &err)) {
			exit_code = err.exit_code;
			talk_error(call->program, &err);
		}
	err_clear(&err);
	spool_free(&spool);
	return exit_code;
}
