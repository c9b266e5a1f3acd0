/* login_test.c - the kinds of login that worked are remembered by server and user. */

#include "config.h"

#include <unistd.h>

#include "queue/login.h"
#include "queue_kit.h"

static struct buf key;

static struct str
key_of(const char *host, int port, const char *user)
{
	buf_clear(&key);
	login_add_key(&key, host, port, user);
	return buf_str(&key);
}

static void
test_memory(struct kit *kit)
{
	struct spool *spool = &kit->spool;

	tap_ok(!login_is_known(spool, key_of("a.example", 587, "joe"), "scram"), "nothing is known at first");
	login_note(spool, key_of("a.example", 587, "joe"), "scram");
	tap_ok(login_is_known(spool, key_of("a.example", 587, "joe"), "scram"), "what was noted is known");
	login_note(spool, key_of("a.example", 587, "joe"), "scram");
	tap_ok(kit_count(kit, SPOOL_ROUTES) == 1, "once more makes no second file");
	tap_ok(!login_is_known(spool, key_of("a.example", 587, "joe"), "scram-plus"), "another kind is not known");
	tap_ok(!login_is_known(spool, key_of("b.example", 587, "joe"), "scram") &&
	               !login_is_known(spool, key_of("a.example", 465, "joe"), "scram") &&
	               !login_is_known(spool, key_of("a.example", 587, "jim"), "scram") &&
	               !login_is_known(spool, key_of(NULL, 587, NULL), "scram"),
	       "it is known for this server, port and user only");
}

static void
test_age(struct kit *kit)
{
	struct spool *spool = &kit->spool;
	struct buf name = {0};
	char tag[TAG_LENGTH + 1];
	time_t now = time(NULL);

	id_tag(tag, key_of("a.example", 587, "joe"));
	buf_printf(&name, "%s.scram", tag);
	kit_set_age(kit_file(kit, SPOOL_ROUTES, buf_text(&name)), now - 40 * 86400);
	login_note(spool, buf_str(&key), "scram");
	spool_clean(spool, now, true);
	tap_ok(login_is_known(spool, buf_str(&key), "scram"), "the janitor leaves alone what was noted again");
	kit_set_age(kit_file(kit, SPOOL_ROUTES, buf_text(&name)), now - 40 * 86400);
	spool_clean(spool, now, true);
	tap_ok(!login_is_known(spool, buf_str(&key), "scram"), "and removes what was not for a month");
	buf_free(&name);
}

static void
test_trouble(struct kit *kit)
{
	struct spool closed = {0};
	struct buf name = {0};
	char tag[TAG_LENGTH + 1];

	login_note(&closed, key_of("a.example", 587, "joe"), "scram");
	tap_ok(!login_is_known(&closed, buf_str(&key), "scram"), "without a queue nothing is remembered, and nothing fails");
	id_tag(tag, buf_str(&key));
	buf_printf(&name, "%s.scram", tag);
	tap_ok(symlink("/nonexistent/target", kit_file(kit, SPOOL_ROUTES, buf_text(&name))) == 0, "a link lies in the place");
	login_note(&kit->spool, buf_str(&key), "scram");
	tap_ok(!kit_exists("/nonexistent/target"), "it is not followed");
	buf_free(&name);
}

int
main(void)
{
	struct kit kit = {0};

	kit_open(&kit);
	test_memory(&kit);
	test_age(&kit);
	test_trouble(&kit);
	kit_close(&kit);
	buf_free(&key);
	return tap_end();
}
