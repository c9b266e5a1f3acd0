/* rcparse_test.c - the language of the configuration files. */

#include "config.h"

#include "conf/keyword.h"
#include "conf/rcfile.h"
#include "tap.h"

static struct config
parse(const char *text, struct err *err)
{
	struct config config = {0};

	config_parse(&config, "rc", str_of(text), err);
	return config;
}

/* text is refused with exactly this error. */
static void
refuses(const char *text, const char *expected, const char *sentence)
{
	struct err err = {0};
	struct config config = parse(text, &err);

	tap_is(buf_text(&err.text), expected, sentence);
	tap_ok(err.exit_code == EX_CONFIG, "... with EX_CONFIG");
	err_clear(&err);
	config_free(&config);
}

/* The account `id` of text has the user `user`. */
static void
has_user(const char *text, const char *id, const char *user, const char *sentence)
{
	struct err err = {0};
	struct config config = parse(text, &err);
	const struct account *account = NULL;

	if (config_choose(&config, id, NULL, &account, &err))
		tap_is(account->user, user, sentence);
	else
		tap_ok(false, "%s: %s", sentence, buf_text(&err.text));
	err_clear(&err);
	config_free(&config);
}

static void
test_lines(void)
{
	has_user("account a\n \t user\t  me \t\n", "a", "me", "msmtp 6.3: blanks around keyword and argument do not count");
	has_user("account a\r\nuser me\r\n", "a", "me", "msmtp 6.3: CRLF ends a line");
	has_user("account a\nuser me", "a", "me", "the last line needs no end");
	has_user("account a\n# user x\n \t#user y\nuser me\n", "a", "me", "msmtp 6.3: a line that begins with # is a comment");
	has_user("account a\nuser me # you\n", "a", "me # you", "msmtp 6.3: nothing is a comment behind an argument");
	has_user("account a\nuser \"me\"\n", "a", "me", "msmtp 6.3: a pair of quotes is dropped");
	has_user("account a\nuser \" me \"\n", "a", " me ", "quotes keep blanks");
	has_user("account a\nuser \"\"me\"\"\n", "a", "\"me\"", "only one pair of quotes is dropped");
	has_user("account a\nuser \"me\n", "a", "\"me", "a quote without its partner stays");
	has_user("account a\nuser \"\n", "a", "\"", "a single quote is data");
	has_user("account a\nuser m\\\"e\n", "a", "m\\\"e", "there are no escapes");
	has_user("account a\nuser x\nuser\n", "a", NULL, "msmtp 6.4: no argument unsets a text");
	has_user("account a\nuser x\nuser \"\"\n", "a", NULL, "msmtp 6.4: an empty argument unsets a text");
	refuses("account a\nhost h\n\n  tsl on\n", "rc:4:3: unknown command 'tsl' (did you mean 'tls'?)",
	        "msmtp 6.2: an unknown command is told with its place and the nearest");
	refuses("account a\nport  \"0x\"\n", "rc:2:8: port: '0x' is not a number from 1 to 65535",
	        "a bad argument is told with its place");
	refuses("account a\nTLS on\n", "rc:2:1: unknown command 'TLS' (did you mean 'tls'?)", "msmtp 6.3: keywords are case-sensitive");
	refuses("account a\nhost\"h\"\n", "rc:2:1: unknown command 'host\"h\"' (did you mean 'host'?)", "a quote does not end a keyword");
	refuses("account a\nhost\n", "rc:2:5: host: an argument is missing", "a missing argument is told behind the keyword");
	refuses("password=hunter2\n", "rc:1:1: unknown command 'password=...' (did you mean 'password'?)",
	        "a password that is glued to its setting is not shown");
	refuses("tls_key_password\"hunter2\"\n", "rc:1:1: unknown command 'tls_key_password\"...' (did you mean 'tls_key_password'?)",
	        "whatever the glue is");
	refuses("passwd:hunter2\n", "rc:1:1: unknown command 'passwd:...' (did you mean 'password'?)", "nor if the setting is misspelt");
	refuses("pass\1word x\n", "rc:1:1: unknown command 'pass\\x01word' (did you mean 'password'?)",
	        "control characters are shown harmlessly");
}

static void
test_long_line(void)
{
	struct buf text = {0}, secret = {0};
	struct err err = {0};
	struct config config;

	for (int i = 0; i < 3000; i++)
		buf_add_char(&secret, 'x');
	buf_printf(&text, "account a\npassword %s\n", buf_text(&secret));
	config = parse(buf_text(&text), &err);
	tap_ok(config.n_accounts == 1 && strlen(config.accounts[0].password) == 3000, "a line may be longer than 500 characters");
	config_free(&config);
	err_clear(&err);
	config = parse("account a\npassword a#b \"c\"\n", &err);
	tap_is(config.accounts[0].password, "a#b \"c\"", "msmtp 6.3: a # inside a password is data");
	config_free(&config);
	buf_free(&text);
	buf_free(&secret);
}

static void
test_accounts(void)
{
	static const char order[] = "defaults\nuser d1\naccount a\ndomain a\naccount b\nuser b\ndefaults\nuser d2\n"
		"account c : a\naccount d : b,a\naccount e : a , b\naccount f : e\naccount g\n";
	struct err err = {0};
	struct config config;

	has_user(order, "a", "d1", "msmtp 6.5: defaults hold for the accounts behind them");
	has_user(order, "b", "b", "msmtp 6.5: an account overrides defaults");
	has_user(order, "g", "d2", "msmtp 6.5: later defaults change the same set");
	has_user(order, "c", "d2", "msmtp 6.5: inherited are only the settings written in an account, not its defaults");
	has_user(order, "d", "b", "msmtp 6.5: a list inherits from each");
	has_user(order, "f", "b", "msmtp 6.5: what was inherited is inherited on");
	has_user("account a\nuser a\naccount b\nuser b\naccount c : a,b\n", "c", "b", "msmtp 6.5: later ones in a list override");
	has_user("account a\nuser a\naccount b : a\nuser\n", "b", NULL, "msmtp 6.5: an inherited setting can be unset");
	has_user("account a\nuser a\naccount b\nuser\naccount c : a,b\n", "c", NULL, "msmtp 6.5: being unset is inherited too");
	has_user("user me\nhost h\n", "default", "me", "msmtp 6.6: settings before any account are an account default");
	has_user("defaults\nuser me\naccount default\n", "default", "me", "msmtp 6.6: defaults make no account");
	refuses("host h\naccount default\nhost i\n", "rc:2:9: account default was already defined in line 1",
	        "msmtp 6.6: the account default cannot be defined again");
	refuses("account a\naccount a\n", "rc:2:9: account a was already defined in line 1", "a name is defined once");
	refuses("account b : a\n", "rc:1:12: account a not (yet) defined", "an account must be defined before it is inherited from");
	refuses("account work\naccount b : wrok\n", "rc:2:12: account wrok not (yet) defined (did you mean 'work'?)",
	        "the nearest account is named");
	refuses("account a : a\n", "rc:1:12: account a not (yet) defined", "an account does not inherit from itself");
	refuses("account\n", "rc:1:8: account: the name is missing", "an account needs a name");
	refuses("account a,b\n", "rc:1:9: account: a name must not contain colons or commas", "a name has no comma");
	refuses("account b :\n", "rc:1:12: account: the name of an account is missing after ':' or ','", "a list is not empty");
	refuses("account a\naccount b : a,\n", "rc:2:12: account: the name of an account is missing after ':' or ','",
	        "a list does not end with a comma");
	refuses("defaults x\n", "rc:1:10: defaults: takes no argument", "defaults takes no argument");
	config = parse("defaults\nport 1\naccount a\nhost h\n", &err);
	tap_ok(config.accounts[0].origins[1].line == 2 && !config.accounts[0].is_set[1] && config.accounts[0].is_set[0] &&
	       strcmp(config.accounts[0].origins[1].file, "rc") == 0 && config.accounts[0].origin.line == 3,
	       "a value from defaults has its origin and does not count as set");
	config_free(&config);
}

static void
test_eval(void)
{
	struct err err = {0};
	struct config config = {.refuses_eval = true};

	has_user("account a\neval echo user me\n", "a", "me", "msmtp 6.16: eval puts the first line of the output in its place");
	has_user("account a\neval printf 'user me\\r\\nuser you'\n", "a", "me", "msmtp 6.16: only the first line counts, without its end");
	has_user("account a\neval \"echo user me\"\n", "a", "me", "quotes around a command are dropped");
	has_user("eval echo account a\neval cat; echo user me\n", "a", "me", "an evaluated line may be an account; stdin is empty");
	has_user("account a\nuser me\neval echo\n", "a", "me", "an empty line of output is an empty line");
	refuses("account a\neval\n", "rc:2:5: eval: a command is missing", "eval needs a command");
	refuses("account a\neval true\n", "rc:2:6: eval: the command printed nothing", "a command that prints nothing is told");
	refuses("account a\neval echo eval echo host h\n",
	        "rc:2:1: output of the command: its first word, which may be a secret and is not shown, is no keyword",
	        "the output of eval is no eval");
	refuses("account a\neval echo s3cret\n",
	        "rc:2:1: output of the command: its first word, which may be a secret and is not shown, is no keyword",
	        "a password that a command printed without its keyword is not shown");
	refuses("account a\neval echo port x\n", "rc:2:6: output of the command: port: 'x' is not a number from 1 to 65535",
	        "a fault in the output is told as such");
	tap_ok(!config_parse(&config, "rc", STR("account a\neval echo user me\n"), &err) && err.exit_code == EX_CONFIG,
	       "eval is refused where it is switched off");
	err_clear(&err);
	config_free(&config);
	config = parse("account a\neval echo user secret; exit 3\n", &err);
	tap_ok(err.exit_code == EX_CONFIG && config.n_accounts == 0, "a command that fails is an error");
	tap_note("%s", buf_text(&err.text));
	err_clear(&err);
	config_free(&config);
}

int
main(void)
{
	test_lines();
	test_long_line();
	test_accounts();
	test_eval();
	return tap_end();
}
