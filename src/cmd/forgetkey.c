/* forgetkey.c - forgets keys of servers. Changes one file in the folder of the queue. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/forgetkey.h"
#include "cmd/place.h"
#include "cmd/talk.h"
#include "deliver/acquaint.h"
#include "net/known.h"

/* HOST:PORT as it stands in the file. What can be no name is looked for as it is. */
static void
add_server(struct buf *b, const char *server)
{
	const char *colon = strrchr(server, ':');
	struct str port = colon != NULL ? str_of(colon) : (struct str){0};
	struct str host = str_first(str_of(server), strlen(server) - port.size);
	bool is_literal = host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']';
	struct str inside = is_literal ? str_first(str_from(host, 1), host.size - 2) : host;
	char *name = mem_copy(inside.data, inside.size);
	struct err ignored = {0};

	if (!acquaint_add_host(b, name, &ignored)) {
		buf_clear(b);
		buf_add_str(b, host);
	}
	buf_add_str(b, port);
	err_clear(&ignored);
	free(name);
}

static bool
forget(const struct spool *spool, const char *server, struct err *err)
{
	struct buf path = {0}, name = {0};
	bool is_found = false;
	bool is_good = true;

	add_server(&name, server);
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
