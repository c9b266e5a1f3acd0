/* sasl_wipe_test.c - auth/sasl.c gives no memory back that holds the secret: free() itself is watched. */

#include "config.h"

#include <malloc.h>
#include <string.h>

#include "sasl_fixture.h"

/* A sanitizer brings its own free(), and only glibc tells its real name. */
#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define CAN_WATCH 0
#else
#define CAN_WATCH 1
#endif

static const char *watched; /* NULL: nothing is */
static size_t watched_size;
static unsigned n_found;

#if CAN_WATCH
extern void __libc_free(void *memory);

void
free(void *memory)
{
	if (memory != NULL && watched != NULL &&
	    memmem(memory, malloc_usable_size(memory), watched, watched_size) != NULL)
		n_found++;
	__libc_free(memory);
}
#endif

static void
watch(const char *text)
{
	watched_size = text == NULL ? 0 : strlen(text);
	watched = text;
}

/* What a server of SCRAM says first, to the nonce that is in the answer. */
static void
step_scram(struct sasl *sasl)
{
	struct buf clear = {0}, first = {0};
	const char *text = answer_in_clear(&clear);
	const char *nonce = text == NULL ? NULL : strstr(text, ",r=");

	buf_printf(&first, "r=%sx,s=QSXCR+Q6sek8bf92,i=4096", nonce == NULL ? "" : nonce + 3);
	steps(sasl, buf_text(&first));
	buf_free(&clear);
	buf_free(&first);
}

struct login {
	const char *mechanism;
	const char *challenges[3];
	bool is_prepared; /* libgsasl runs the password through SASLprep, and leaves its copies behind: only the end is watched */
};

/* Everything that has to do with one login, up to the end of what holds it. */
static void
log_in(const struct login *login, const char *form)
{
	bool has_response = false;
	struct sasl *sasl;

	set_up("tim", password);
	watch(login->is_prepared ? NULL : form);
	sasl = begin(login->mechanism, &has_response);
	if (strncmp(login->mechanism, "SCRAM", 5) == 0)
		step_scram(sasl);
	for (size_t i = 0; login->challenges[i] != NULL; i++) {
		buf_wipe(&answer);
		tap_ok(steps(sasl, login->challenges[i]), "%s answers the challenge", login->mechanism);
	}
	watch(form);
	buf_wipe(&answer);
	sasl_free(sasl);
	secret_free(&secret);
	watch(NULL);
	err_clear(&err);
}

static void
test_login(const struct login *login)
{
	static const char *const forms[] = {password, password_base64};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		n_found = 0;
		log_in(login, forms[i]);
		tap_ok(n_found == 0, "%s gives no memory back that holds the secret%s", login->mechanism,
		       i == 0 ? "" : " in base64");
	}
}

static void
test_watching(void)
{
	/* The compiler knows what free() does, or believes so. */
	void (*volatile give_back)(void *) = free;

	watch(password);
	give_back(strdup(password));
	watch(NULL);
	tap_ok(n_found == 1, "memory that holds the secret would be found");
}

int
main(void)
{
	static const struct login logins[] = {
		{.mechanism = "PLAIN"},
		{.mechanism = "LOGIN", .challenges = {"Username:", "Password:"}},
		{.mechanism = "XOAUTH2", .challenges = {"{\"status\":\"401\"}"}},
		{.mechanism = "XOAUTH2", .challenges = {"{\"status\":\"tanstaaftanstaaf\"}"}},
		{.mechanism = "OAUTHBEARER", .challenges = {"{\"status\":\"401\"}"}},
		{.mechanism = "CRAM-MD5", .challenges = {"<1@a>"}, .is_prepared = true},
		{.mechanism = "DIGEST-MD5",
	         .challenges = {"realm=\"a\",nonce=\"b\",qop=\"auth\",algorithm=md5-sess,charset=utf-8"},
	         .is_prepared = true},
		{.mechanism = "SCRAM-SHA-1", .is_prepared = true},
		{.mechanism = "SCRAM-SHA-256", .is_prepared = true},
	};

	if (CAN_WATCH) {
		test_watching();
		for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++)
			test_login(&logins[i]);
	} else
		tap_ok(true, "no memory that holds the secret is given back # SKIP free() cannot be watched here");
	buf_free(&answer);
	return tap_end();
}
