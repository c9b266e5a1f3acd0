/* json.h - writes JSON (RFC 8259) into a buffer, on one line. Pure.
 *
 * Calls follow the structure; names are given inside objects and are NULL inside arrays and for the outermost value. Text is
 * UTF-8; what is not becomes U+FFFD. */

#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { JSON_DEPTH_MOST = 8 };

struct json {
	struct buf *out;
	size_t depth;
	bool has_member[JSON_DEPTH_MOST + 1]; /* by depth: a comma comes before the next one */
	char closing[JSON_DEPTH_MOST + 1];
};

void json_begin_object(struct json *json, const char *name);
void json_begin_array(struct json *json, const char *name);
void json_end(struct json *json);
void json_add_text(struct json *json, const char *name, const char *text); /* NULL text: null */
void json_add_number(struct json *json, const char *name, int64_t number);
void json_add_bool(struct json *json, const char *name, bool is_true);

#endif
