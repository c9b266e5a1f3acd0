/* oauth_test.c - behaviour of auth/oauth.c. */

#include "config.h"

#include "base/base64.h"
#include "auth/oauth.h"
#include "tap.h"

static void
is_response(bool is_made, struct buf *text, const char *expected, const char *name)
{
	struct buf encoded = {0};

	base64_encode(&encoded, buf_str(text));
	tap_is(is_made ? buf_text(&encoded) : NULL, expected, name);
	buf_free(&encoded);
	buf_free(text);
}

static void
test_responses(void)
{
	struct oauth_login login = {"user@example.com",
	                            "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", "server.example.com", 143};
	struct buf b = {0};
	struct err err = {0};

	is_response(
		oauth_bearer(&b, &login, &err), &b,
		"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbV"
		"RjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB",
		"OAUTHBEARER writes the example of RFC 7628");
	login.user = "someuser@example.com";
	login.token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg";
	is_response(
		oauth_xoauth2(&b, &login, &err), &b,
		"dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRX"
		"VZMjl0Q2cBAQ==",
		"XOAUTH2 writes the example of its description");
	login = (struct oauth_login){"a,b=c", "t", "h", 25};
	oauth_bearer(&b, &login, &err);
	tap_is(buf_text(&b), "n,a=a=2Cb=3Dc,\001host=h\001port=25\001auth=Bearer t\001\001",
	       "comma and equals sign of a user name are escaped in OAUTHBEARER");
	buf_clear(&b);
	login.token = "secret\001host=evil";
	tap_ok(!oauth_bearer(&b, &login, &err) && err.exit_code == EX_CONFIG && b.size == 0,
	       "a token with a control character is refused");
	tap_ok(strstr(buf_text(&err.text), "secret") == NULL, "a refused token is not shown");
	err_clear(&err);
	login.token = "t";
	login.user = "a\nb";
	tap_ok(!oauth_xoauth2(&b, &login, &err) && err.exit_code == EX_CONFIG,
	       "a user with a control character is refused");
	err_clear(&err);
	buf_free(&b);
}

static void
is_reason(struct str json, const char *expected, const char *name)
{
	struct buf b = {0};

	oauth_add_reason(&b, json, "ya29.token");
	tap_is(buf_text(&b), expected, name);
	buf_free(&b);
}

static void
test_reasons(void)
{
	static char huge[OAUTH_ERROR_MOST + 20];
	struct buf b = {0};

	is_reason(STR("{\"status\":\"invalid_token\",\"scope\":\"mail\",\"openid-configuration\":\"https://x\"}"),
	          "status invalid_token, scope mail", "status and scope are the reason");
	is_reason(STR("{\"status\":\"400\",\"schemes\":\"Bearer\"}"), "status 400", "the scope may be missing");
	is_reason(STR("{\"status\":401}"), "status 401", "the status may be a number");
	is_reason(STR("{\"status\":\"a\\u001b[2J\\nb\"}"), "status a\\x1b[2J\\nb",
	          "control characters are shown as numbers");
	is_reason(STR("{\"status\":\"bad ya29.token\"}"), "", "a status that holds the token is not shown");
	is_reason(STR("{\"status\":[1],\"scope\":{}}"), "", "what is neither text nor number is passed over");
	is_reason(STR("[\"status\"]"), "", "JSON that is no object is no reason");
	is_reason(STR("not JSON"), "", "text that is not JSON is no reason");
	is_reason(STR("{\"status\":\"x\"} trailing"), "", "text behind the object makes it no JSON");
	is_reason((struct str){0}, "", "nothing is no reason");
	memset(huge, '[', sizeof(huge));
	is_reason(str_make(huge, OAUTH_ERROR_MOST), "", "deeply nested JSON is no reason");
	memset(huge, ' ', sizeof(huge));
	memcpy(huge, "{\"status\":\"x\"}", 14);
	is_reason(str_make(huge, OAUTH_ERROR_MOST), "status x", "4096 bytes are looked at");
	is_reason(str_make(huge, OAUTH_ERROR_MOST + 1), "", "4097 bytes are not looked at");
	memset(huge, 'x', sizeof(huge));
	memcpy(huge, "{\"status\":\"", 11);
	memcpy(huge + 3000, "\"}", 2);
	oauth_add_reason(&b, str_make(huge, 3002), "ya29.token");
	tap_is_number((long long)b.size, 207, "a long status is cut");
	buf_free(&b);
}

int
main(void)
{
	test_responses();
	test_reasons();
	return tap_end();
}
