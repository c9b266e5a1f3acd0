/* oauth.c - the texts of OAUTHBEARER and XOAUTH2. Pure. */

#include "config.h"

#include <jansson.h>
#include <string.h>

#include "auth/oauth.h"
#include "base/library.h"

enum { REASON_MOST = 200 }; /* bytes of each piece of the reason */

/* Jansson, loaded where it is needed; json_is_...() are macros. */
struct json_table {
	__typeof__(json_delete) *delete;
	__typeof__(json_integer_value) *integer_value;
	__typeof__(json_loadb) *loadb;
	__typeof__(json_object_get) *object_get;
	__typeof__(json_string_length) *string_length;
	__typeof__(json_string_value) *string_value;
};

static const char *const json_names[] = {"json_delete",     "json_integer_value", "json_loadb",
                                         "json_object_get", "json_string_length", "json_string_value"};

_Static_assert(sizeof(struct json_table) == sizeof(json_names), "one address per name");

/* What the server says about its refusal is good to know, but no more: without the library it is not told. */
static bool
load_json(struct json_table *json)
{
	const struct library library = {
		.file = JANSSON_SONAME,
		.user = "OAuth",
		.package = "Jansson",
		.symbols = json_names,
		.n_symbols = sizeof(json_names) / sizeof(json_names[0]),
	};
	struct err err = {0};
	bool is_loaded = library_load(&library, json, &err);

	err_clear(&err);
	return is_loaded;
}

static bool
check_login(const struct oauth_login *login, struct err *err)
{
	if (str_has_control(str_of(login->token)))
		return err_set(err, EX_CONFIG, "the access token holds a control character");
	if (str_has_control(str_of(login->user)) || str_has_control(str_of(login->host)))
		return err_set(err, EX_CONFIG, "'user' or 'host' holds a control character");
	return true;
}

static void
reserve_for(struct buf *b, const struct oauth_login *login)
{
	/* An escaped character of the name takes three bytes (RFC 5801 section 4); the rest is fixed text. */
	buf_reserve(b, 3 * strlen(login->user) + strlen(login->token) + strlen(login->host) + 100);
}

bool
oauth_bearer(struct buf *b, const struct oauth_login *login, struct err *err)
{
	if (!check_login(login, err))
		return false;
	reserve_for(b, login);
	buf_add_text(b, "n,a=");
	for (const char *c = login->user; *c != '\0'; c++) {
		if (*c == ',')
			buf_add_text(b, "=2C");
		else if (*c == '=')
			buf_add_text(b, "=3D");
		else
			buf_add_char(b, *c);
	}
	buf_printf(b, ",\001host=%s\001port=%d\001auth=Bearer ", login->host, login->port);
	buf_add_text(b, login->token);
	buf_add_text(b, "\001\001");
	return true;
}

bool
oauth_xoauth2(struct buf *b, const struct oauth_login *login, struct err *err)
{
	if (!check_login(login, err))
		return false;
	reserve_for(b, login);
	buf_add_text(b, "user=");
	buf_add_text(b, login->user);
	buf_add_text(b, "\001auth=Bearer ");
	buf_add_text(b, login->token);
	buf_add_text(b, "\001\001");
	return true;
}

/* A server that sends the token back must not make us show it. */
static bool
holds_token(struct str text, const char *token)
{
	size_t size = token == NULL ? 0 : strlen(token);

	return size > 0 && text.size > 0 && memmem(text.data, text.size, token, size) != NULL;
}

static void
add_member(struct buf *b, const struct json_table *json, const json_t *object, const char *name, const char *token)
{
	const json_t *value = json->object_get(object, name);
	struct str text;

	if (json_is_integer(value)) {
		buf_printf(b, "%s%s %" JSON_INTEGER_FORMAT, b->size > 0 ? ", " : "", name, json->integer_value(value));
		return;
	}
	if (!json_is_string(value))
		return;
	text = str_make(json->string_value(value), json->string_length(value));
	if (text.size == 0 || holds_token(text, token))
		return;
	buf_printf(b, "%s%s ", b->size > 0 ? ", " : "", name);
	err_add_clean(b, str_first(text, REASON_MOST));
}

void
oauth_add_reason(struct buf *b, struct str text, const char *token)
{
	struct json_table json = {0};
	json_t *object;

	/* Jansson would keep copies of the token. */
	if (text.size == 0 || text.size > OAUTH_ERROR_MOST || holds_token(text, token) || !load_json(&json))
		return;
	object = json.loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(object)) {
		add_member(b, &json, object, "status", token);
		add_member(b, &json, object, "scope", token);
	}
	/* An object or an array, and nobody else's. */
	if (object != NULL)
		json.delete(object);
}
