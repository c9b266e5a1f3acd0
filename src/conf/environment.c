/* environment.c - settings by variables. Reads and changes the environment of the process, and looks into the system's
 * file. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/environment.h"
#include "conf/keyword.h"
#include "conf/rcparse.h"
#include "conf/value.h"

const char environment_origin[] = "environment";

enum { FILE_SIZE_MOST = 16 * 1024 * 1024 };

static const struct str prefix = STR("MAILCRANE_");

/* What the scheme of a URL says about TLS and the protocol. */
static const struct scheme {
	struct str name;
	const char *protocol;
	const char *tls;
	const char *tls_starttls;
	const char *port; /* NULL: the setting's own default */
} schemes[] = {
	{STR("smtp"), "smtp", "off", "on", NULL},
	{STR("smtps"), "smtp", "on", "off", NULL},
	{STR("smtp+tls"), "smtp", "on", "on", "587"},
	{STR("lmtp"), "lmtp", "off", "on", NULL},
};

enum { N_SCHEMES = sizeof(schemes) / sizeof(schemes[0]) };

/* Variables of the build and of the tests, which are no mistakes. */
static const char *const others[] = {"BARE", "BUILD", "CALLERS", "EXIM", "JOBS", "KEEP", "NAMESPACE", "PEERS", "QUICK", "TIMEOUT"};

enum { N_OTHERS = sizeof(others) / sizeof(others[0]) };

static bool
set(struct account *account, const char *name, struct str value, struct err *err)
{
	const struct keyword *keyword = keyword_find(str_of(name), NULL);

	/* A queue entry would keep it. */
	if (keyword != NULL && (keyword->flags & KEYWORD_IS_URI) != 0 && keyword_secret(keyword, value).size > 0)
		return err_set(err, EX_CONFIG, "no PIN can stand here; it goes into MAILCRANE_TLS_KEY_PASSWORD");
	return value_set(account, str_of(name), value, (struct origin){environment_origin, 0}, err);
}

/* --- the URL ------------------------------------------------------------------------------------------------------- */

static int
hex_value(char c)
{
	char lower = ascii_lower(c);

	if (ascii_is_digit(c))
		return c - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Append text with %XX replaced; room for it is reserved before, since it may be a secret. False: a % without two digits, or a
 * NUL. */
static bool
add_decoded(struct buf *b, struct str text)
{
	buf_reserve(b, text.size + 1);
	for (size_t i = 0; i < text.size; i++) {
		int high, low;

		if (text.data[i] != '%') {
			buf_add_char(b, text.data[i]);
			continue;
		}
		high = i + 2 < text.size ? hex_value(text.data[i + 1]) : -1;
		low = i + 2 < text.size ? hex_value(text.data[i + 2]) : -1;
		if (high < 0 || low < 0 || (high == 0 && low == 0))
			return false;
		buf_add_char(b, (char)(high * 16 + low));
		i += 2;
	}
	return true;
}

static bool
refuse_url(const char *why, struct err *err)
{
	err_set(err, EX_CONFIG, "%s", why);
	return err_hint(err, "it is smtps://USER@HOST[:PORT], smtp+tls:// or smtp://, with / : @ ? # %% in user and password written as "
	                     "%%2F %%3A %%40 %%3F %%23 %%25; everything else is a variable of its own, such as MAILCRANE_FROM");
}

static bool
set_decoded(struct account *account, const char *name, struct str text, struct err *err)
{
	struct buf decoded = {0};
	bool is_good = add_decoded(&decoded, text);

	if (!is_good)
		refuse_url("a '%' in user or password is not followed by two hexadecimal digits", err);
	else
		is_good = set(account, name, buf_str(&decoded), err);
	buf_wipe(&decoded);
	return is_good;
}

static bool
read_user(struct account *account, struct str text, struct err *err)
{
	size_t colon = str_find(text, ':');
	struct str user = str_first(text, colon);

	if (user.size == 0)
		return refuse_url("there is nothing before ':' or '@', where the user stands", err);
	if (!set_decoded(account, "user", user, err) || !set(account, "auth", STR("on"), err))
		return false;
	return colon == text.size || set_decoded(account, "password", str_from(text, colon + 1), err);
}

/* HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT. */
static bool
read_host(struct account *account, struct str text, const struct scheme *scheme, struct err *err)
{
	bool is_literal = text.size > 0 && text.data[0] == '[';
	size_t end = str_find(text, is_literal ? ']' : ':');
	struct str host = is_literal ? str_from(str_first(text, end), 1) : str_first(text, end);
	struct str rest = str_from(text, is_literal ? end + 1 : end);
	uint64_t port = 0;

	if (host.size == 0 || (is_literal && end == text.size))
		return refuse_url("the host is missing", err);
	if (rest.size > 0 && (rest.data[0] != ':' || !str_to_number(str_from(rest, 1), UINT16_MAX, &port) || port == 0))
		return refuse_url("what stands behind the host is no port", err);
	if (!set(account, "host", host, err))
		return false;
	if (rest.size > 0)
		return set(account, "port", str_from(rest, 1), err);
	return scheme->port == NULL || set(account, "port", str_of(scheme->port), err);
}

static const struct scheme *
find_scheme(struct str *url)
{
	for (size_t i = 0; i < N_SCHEMES; i++) {
		struct str rest = str_from(*url, schemes[i].name.size);

		if (!str_starts_with_nocase(*url, schemes[i].name) || !str_starts_with(rest, STR("://")))
			continue;
		*url = str_from(rest, 3);
		return &schemes[i];
	}
	return NULL;
}

/* The last '@': many forget that one in a user name has to be encoded. */
static size_t
find_at(struct str authority)
{
	size_t at = authority.size;

	for (size_t i = 0; i < authority.size; i++)
		if (authority.data[i] == '@')
			at = i;
	return at;
}

bool
environment_read_url(struct account *account, struct str url, struct err *err)
{
	const struct scheme *scheme = find_scheme(&url);
	size_t end = 0, at;
	struct str authority;

	if (scheme == NULL)
		return refuse_url("it does not begin with smtp://, smtps://, smtp+tls:// or lmtp://", err);
	while (end < url.size && url.data[end] != '/' && url.data[end] != '?' && url.data[end] != '#')
		end++;
	authority = str_first(url, end);
	url = str_from(url, end);
	if (url.size > 1 || (url.size == 1 && url.data[0] != '/'))
		return refuse_url("something stands behind the host", err);
	at = find_at(authority);
	if (!set(account, "protocol", str_of(scheme->protocol), err) || !set(account, "tls", str_of(scheme->tls), err) ||
	    !set(account, "tls_starttls", str_of(scheme->tls_starttls), err))
		return false;
	if (at < authority.size && !read_user(account, str_first(authority, at), err))
		return false;
	return read_host(account, at < authority.size ? str_from(authority, at + 1) : authority, scheme, err);
}

/* --- the variables ------------------------------------------------------------------------------------------------- */

/* The setting that the variable behind the prefix is for: "tls_trust_file". False: lower-case letters stand in it. */
static bool
setting_name(struct buf *b, struct str name)
{
	for (size_t i = 0; i < name.size; i++) {
		if (name.data[i] >= 'a' && name.data[i] <= 'z')
			return false;
		buf_add_char(b, ascii_lower(name.data[i]));
	}
	return true;
}

static bool
is_setting(struct str name)
{
	const struct keyword *keyword = keyword_find(name, NULL);

	return keyword != NULL ? (keyword->flags & KEYWORD_SYSTEM_ONLY) == 0 : keyword_is_known(name);
}

static void
warn(struct environment *environment, struct str variable, const struct buf *setting)
{
	const char *nearest = str_distance(buf_str(setting), STR("url")) <= 1 ? "url" : keyword_nearest(buf_str(setting));

	for (size_t i = 0; i < N_OTHERS; i++)
		if (str_equals(str_from(variable, prefix.size), str_of(others[i])))
			return;
	err_add_clean(&environment->warnings, variable);
	buf_add_text(&environment->warnings, " is the variable of no setting");
	if (nearest != NULL) {
		buf_printf(&environment->warnings, " (did you mean %.*s", STR_ARG(prefix));
		for (const char *p = nearest; *p != '\0'; p++)
			buf_add_char(&environment->warnings, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
		buf_add_text(&environment->warnings, "?)");
	}
	buf_add_char(&environment->warnings, '\n');
}

static void
take_url(struct environment *environment)
{
	const char *url = secure_getenv("MAILCRANE_URL");

	if (url == NULL || url[0] == '\0')
		return;
	environment->is_used = environment->has_url = true;
	if (!environment_read_url(&environment->settings, str_of(url), &environment->fault))
		err_prefix(&environment->fault, "MAILCRANE_URL");
}

static void
take_variable(struct environment *environment, const char *assignment)
{
	struct str variable = str_first(str_of(assignment), str_find(str_of(assignment), '='));
	char *name = mem_copy(variable.data, variable.size);
	const char *value = secure_getenv(name);
	struct buf setting = {0};
	struct err err = {0};
	bool is_known = setting_name(&setting, str_from(variable, prefix.size)) && is_setting(buf_str(&setting));

	if (strcmp(name, "MAILCRANE_URL") == 0 || value == NULL || value[0] == '\0')
		goto out;
	if (!is_known) {
		warn(environment, variable, &setting);
	} else if (!set(&environment->settings, buf_text(&setting), str_of(value), &err)) {
		err_prefix(&err, "%s", name);
		err_move(&environment->fault, &err);
	}
	environment->is_used = environment->is_used || is_known;
out:
	err_clear(&err);
	buf_free(&setting);
	free(name);
}

/* May what the variable holds be a secret, or the way to one? Also under a name that is slightly wrong. */
static bool
is_delicate(struct str variable)
{
	static const struct str word = STR("PASSWORD");
	const struct keyword *keyword = NULL;
	struct buf setting = {0};

	if (!str_starts_with(variable, prefix))
		return false;
	if (setting_name(&setting, str_from(variable, prefix.size)))
		keyword = keyword_find(buf_str(&setting), NULL);
	buf_free(&setting);
	if (keyword != NULL && (keyword->flags & (KEYWORD_IS_SECRET | KEYWORD_IS_PASSWORD | KEYWORD_IS_URI)) != 0)
		return true;
	return str_starts_with(variable, STR("MAILCRANE_URL")) ||
	       memmem(variable.data, variable.size, word.data, word.size) != NULL;
}

/* The environment's own bytes are what /proc/PID/environ shows. */
static void
hide_secrets(void)
{
	size_t kept = 0;

	for (size_t i = 0; environ != NULL && environ[i] != NULL; i++) {
		struct str assignment = str_of(environ[i]);
		size_t equals = str_find(assignment, '=');

		if (!is_delicate(str_first(assignment, equals))) {
			environ[kept++] = environ[i];
			continue;
		}
		if (equals < assignment.size)
			mem_wipe(environ[i] + equals + 1, assignment.size - equals - 1);
	}
	if (environ != NULL)
		environ[kept] = NULL;
}

static bool
has_variable(void)
{
	for (size_t i = 0; environ != NULL && environ[i] != NULL; i++)
		if (str_starts_with(str_of(environ[i]), prefix))
			return true;
	return false;
}

void
environment_take(struct environment *environment)
{
	if (!has_variable())
		return;
	account_init(&environment->settings);
	take_url(environment);
	for (size_t i = 0; environ[i] != NULL; i++)
		if (str_starts_with(str_of(environ[i]), prefix))
			take_variable(environment, environ[i]);
	hide_secrets();
}

/* Root's own, and nobody else can have written into it? */
static bool
is_administrators(int fd)
{
	struct stat facts = {0};

	return fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_uid == 0 &&
	       (facts.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

bool
environment_is_allowed(const char *system_file)
{
	struct err ignored = {0};
	struct buf text = {0};
	bool is_allowed = false;
	int fd = -1;

	if (file_open_read(system_file, &fd, &ignored)) {
		is_allowed = is_administrators(fd) && file_read_all(fd, FILE_SIZE_MOST, &text, &ignored) &&
		             str_equals(rcparse_last(buf_str(&text), STR("environment")), STR("on"));
		close(fd);
	}
	buf_wipe(&text);
	err_clear(&ignored);
	return is_allowed;
}

static bool
agrees(const char *ours, const char *theirs)
{
	return ours == NULL || (theirs != NULL && strcmp(ours, theirs) == 0);
}

/* A secret goes only to what the variables beside it name. */
static bool
is_for(const struct keyword *keyword, const struct account *settings, const struct account *account)
{
	if (strcmp(keyword->name, "proxy_password") == 0)
		return agrees(settings->proxy_host, account->proxy_host) && agrees(settings->proxy_user, account->proxy_user);
	if (strcmp(keyword->name, "tls_key_password") == 0)
		return agrees(settings->tls_key_file, account->tls_key_file);
	return true;
}

void
environment_lend_secrets(const struct environment *environment, struct account *account)
{
	const struct account *settings = &environment->settings;

	if (!agrees(settings->host, account->host) || !agrees(settings->user, account->user))
		return;
	for (size_t row = 0; row < keyword_count(); row++)
		if (settings->is_set[row] && (keyword_at(row)->flags & KEYWORD_IS_SECRET) != 0 &&
		    is_for(keyword_at(row), settings, account))
			value_copy(account, settings, row);
}

void
environment_free(struct environment *environment)
{
	account_free(&environment->settings);
	buf_free(&environment->warnings);
	err_clear(&environment->fault);
	*environment = (struct environment){0};
}
