/* netrc_test.c - behaviour of auth/netrc.c. */

#include "config.h"

#include "auth/netrc.h"
#include "tap.h"

/* The password for ann at mail.example is `expected`, NULL: there is none. */
static void
finds(const char *netrc, const char *expected, const char *name)
{
	struct buf text = {0}, found = {0};
	struct str password = {0};
	struct err err = {0};
	bool is_good;

	buf_add_text(&text, netrc);
	is_good = netrc_search(&text, "mail.example", "ann", &password, &err);
	buf_add_str(&found, password);
	if (is_good)
		tap_is(password.data == NULL ? NULL : buf_text(&found), expected, name);
	else
		tap_ok(false, "%s (%s)", name, buf_text(&err.text));
	buf_free(&text);
	buf_free(&found);
	err_clear(&err);
}

static void
is_malformed(const char *netrc, const char *expected, const char *name)
{
	struct buf text = {0};
	struct str password = {0};
	struct err err = {0};

	buf_add_text(&text, netrc);
	netrc_search(&text, "mail.example", "ann", &password, &err);
	tap_is(buf_text(&err.text), expected, name);
	tap_ok(err.exit_code == EX_CONFIG && password.data == NULL, "... and nothing was found");
	buf_free(&text);
	err_clear(&err);
}

static void
test_entries(void)
{
	finds("", NULL, "an empty file has no password");
	finds("machine mail.example login ann password pw", "pw", "an entry on one line is found");
	finds("machine\nmail.example\r\n\tlogin ann\r\n\tpassword pw\r\n", "pw", "an entry over many lines is found");
	finds("machine mail.example password pw login ann", "pw", "the order of login and password does not matter");
	finds("machine MAIL.Example login ann password pw", "pw", "the machine is compared without case");
	finds("machine mail.example login Ann password pw", NULL, "the login is compared with case");
	finds("machine mail.example login bob password x\nmachine mail.example login ann password pw", "pw",
	      "the entry of the user counts among several of one machine");
	finds("machine other.example login ann password pw", NULL, "the entry of another machine does not count");
	finds("machine mail.example login ann\nmachine other password x", NULL,
	      "an entry without password is not found");
	finds("machine mail.example login ann\nmachine mail.example login ann password pw", "pw",
	      "an entry without password does not hide a later one");
	finds("machine mail.example password pw", NULL, "an entry without login is not found");
	finds("default login ann password pw", NULL, "a default entry is passed over");
	finds("machine mail.example login ann default password pw", NULL,
	      "what follows 'default' belongs to no machine");
	finds("machine mail.example account x login ann port 25 password pw", "pw", "unknown words are passed over");
}

static void
test_tokens(void)
{
	finds("machine mail.example login ann password \"a b\"", "a b", "a quoted password may hold a space");
	finds("machine mail.example login ann password \"a\\\"b\\\\c\"", "a\"b\\c",
	      "a backslash protects inside quotes");
	finds("machine mail.example login ann password a\\ b", "a b", "a backslash protects outside quotes");
	finds("machine mail.example login ann password #1", "#1", "a password may begin with a number sign");
	finds("machine mail.example login ann password machine", "machine", "a password may be a keyword");
	finds("# machine mail.example login ann password old\nmachine mail.example login ann password pw", "pw",
	      "a comment is passed over");
	finds("machine mail.example login ann password a\"b", "a\"b", "a quotation mark inside a word is itself");
}

static void
test_macros(void)
{
	finds("macdef init\ncd /\nmachine mail.example login ann password no\n\n"
	      "machine mail.example login ann password pw",
	      "pw", "a macro ends with an empty line, and its text does not count");
	finds("macdef init\nmachine mail.example login ann password no\n", NULL, "a macro may end with the file");
}

static void
test_malformed(void)
{
	is_malformed("machine mail.example login ann\npassword", "line 2: nothing follows 'password'",
	             "a keyword at the end of the file lacks its value");
	is_malformed("machine", "line 1: nothing follows 'machine'", "a machine without name is malformed");
	is_malformed("\nmachine mail.example login ann\npassword \"hunter2\n\n",
	             "line 3: the quotation mark is never closed",
	             "a quotation mark must be closed, and the password is not shown");
}

int
main(void)
{
	test_entries();
	test_tokens();
	test_macros();
	test_malformed();
	return tap_end();
}
