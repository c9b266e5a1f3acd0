/* keyring.c - asks secret-tool. Runs it, and looks whether there is a session bus. */

#include "config.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/keyring.h"
#include "base/clock.h"
#include "base/proc.h"

enum {
	OUTPUT_MOST = 65536, /* bytes */
	UNLOCK_SECONDS = 60,
	LOOK_SECONDS = 10
};

/* D-Bus would start a bus of its own for nobody, or wait, where there is no session. */
static bool
has_session_bus(void)
{
	const char *address = secure_getenv("DBUS_SESSION_BUS_ADDRESS"), *folder = secure_getenv("XDG_RUNTIME_DIR");
	struct buf path = {0};
	struct stat facts = {0};
	bool is_there;

	if (address != NULL && address[0] != '\0')
		return true;
	if (folder == NULL || folder[0] != '/')
		return false;
	buf_printf(&path, "%s/bus", folder);
	is_there = stat(buf_text(&path), &facts) == 0 && S_ISSOCK(facts.st_mode);
	buf_free(&path);
	return is_there;
}

/* `secret-tool search` describes what it found, with the password in a line "secret = ...", which is missing or empty for a
 * locked item. Move it to the front. False: it is locked. */
static bool
keep_found(struct buf *text)
{
	struct str rest = buf_str(text), line = {0}, start = STR("secret = ");
	bool is_found = text->size > 0;

	while (str_next_token(&rest, '\n', &line)) {
		if (!str_starts_with(line, start))
			continue;
		buf_consume(text, (size_t)(line.data - text->data) + start.size);
		buf_truncate(text, line.size - start.size);
		return text->size > 0;
	}
	buf_truncate(text, 0);
	return !is_found;
}

/* False: it failed, and remark says how. */
static bool
run(const char *const *words, bool may_prompt, struct buf *text, struct buf *remark)
{
	const struct proc_command command = {.words = words, .is_alone = !may_prompt, .is_quiet = !may_prompt};
	int64_t deadline = clock_deadline(may_prompt ? UNLOCK_SECONDS : LOOK_SECONDS);
	struct err err = {0};
	bool is_good = proc_run_command(&command, OUTPUT_MOST, deadline, text, &err);

	if (!is_good)
		buf_printf(remark, "; keyring: %s", buf_text(&err.text));
	err_clear(&err);
	return is_good;
}

void
keyring_ask(struct buf *text, const struct account *account, bool may_prompt, struct buf *remark, const char **hint)
{
	char *program = proc_find_program("secret-tool");
	const char *const words[] = {program, may_prompt ? "lookup" : "search", "host", account->host, "service", "smtp",
	                             "user", account->user, NULL};

	*hint = NULL;
	if (program == NULL) {
		buf_add_text(remark, "; keyring: there is no program secret-tool");
		*hint = "install secret-tool (Debian: libsecret-tools), or give the password another way and set 'keyring off'";
	} else if (!has_session_bus()) {
		buf_add_text(remark, "; keyring: there is no D-Bus session");
		*hint = "the keyring belongs to a desktop session: where DBUS_SESSION_BUS_ADDRESS is not set, give the password another "
			"way";
	} else if (!run(words, may_prompt, text, remark)) {
		/* What a failed program printed is not to be taken for a password. */
		buf_truncate(text, 0);
		*hint = "run 'secret-tool search host HOST service smtp user USER' by hand; 'secret-tool store --label=mail host HOST "
			"service smtp user USER' puts a password in";
	} else if (!may_prompt && !keep_found(text)) {
		buf_add_text(remark, "; keyring: it is locked");
		*hint = "unlock the keyring (at login, or by any program that asks for a password in it), and try again";
	}
	free(program);
}
