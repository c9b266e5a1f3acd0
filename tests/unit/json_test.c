/* json_test.c - JSON as it is written. */

#include "config.h"

#include "base/json.h"
#include "tap.h"

int
main(void)
{
	struct buf out = {0};
	struct json json = {.out = &out};

	json_begin_object(&json, NULL);
	json_add_text(&json, "a", "q\"b\\ \n\x01 \xc3\xa9 \xff");
	json_add_text(&json, "none", NULL);
	json_add_number(&json, "n", -5);
	json_add_bool(&json, "yes", true);
	json_begin_array(&json, "list");
	json_begin_object(&json, NULL);
	json_end(&json);
	json_add_number(&json, NULL, 1);
	json_add_bool(&json, NULL, false);
	json_end(&json);
	json_end(&json);
	tap_is(buf_text(&out),
	       "{\"a\":\"q\\\"b\\\\ \\u000a\\u0001 \xc3\xa9 \xef\xbf\xbd\",\"none\":null,\"n\":-5,\"yes\":true,\"list\":[{},1,false]}",
	       "objects, arrays, escapes, and what is not UTF-8");
	buf_free(&out);
	return tap_end();
}
