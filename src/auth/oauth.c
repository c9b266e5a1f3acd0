/* oauth.c - the texts of OAUTHBEARER and XOAUTH2. Pure. */

#include "config.h"

#include <jansson.h>
#include <string.h>

#include "auth/oauth.h"

enum { REASON_MOST = 200 }; /* bytes of each piece of the reason */

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
add_member(struct buf *b, const json_t *object, const char *name, const char *token)
{
	const json_t *value = json_object_get(object, name);
	struct str text;

	if (json_is_integer(value)) {
		buf_printf(b, "%s%s %" JSON_INTEGER_FORMAT, b->size > 0 ? ", " : "", name, json_integer_value(value));
		return;
	}
	if (!json_is_string(value))
		return;
	text = str_make(json_string_value(value), json_string_length(value));
	if (text.size == 0 || holds_token(text, token))
		return;
	buf_printf(b, "%s%s ", b->size > 0 ? ", " : "", name);
	err_add_clean(b, str_first(text, REASON_MOST));
}

void
oauth_add_reason(struct buf *b, struct str json, const char *token)
{
	json_t *object;

	if (json.size == 0 || json.size > OAUTH_ERROR_MOST)
		return;
	object = json_loadb(json.data, json.size, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(object)) {
		add_member(b, object, "status", token);
		add_member(b, object, "scope", token);
	}
	json_decref(object);
}
