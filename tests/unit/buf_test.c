/* buf_test.c - behaviour of base/buf.c. */

#include "config.h"

#include <stdlib.h>

#include "base/buf.h"
#include "tap.h"

static void
test_building(void)
{
	struct buf b = {0};

	tap_is(buf_text(&b), "", "a zeroed buffer is the empty text");
	buf_add_text(&b, NULL);
	buf_add_str(&b, (struct str){0});
	tap_is_number((long long)b.size, 0, "adding NULL or an empty piece adds nothing");
	buf_add_text(&b, "one ");
	buf_add_str(&b, STR("two "));
	buf_add(&b, "three", 3);
	buf_add_char(&b, '!');
	buf_printf(&b, " %d%s", 4, "");
	tap_is(buf_text(&b), "one two thr! 4", "pieces of every kind are joined in order");
	buf_truncate(&b, 100);
	tap_is_number((long long)b.size, 14, "truncating to more than there is changes nothing");
	buf_truncate(&b, 7);
	tap_is(buf_text(&b), "one two", "truncating leaves a terminated text");
	buf_clear(&b);
	tap_is(buf_text(&b), "", "a cleared buffer is empty");
	buf_free(&b);
	buf_free(&b);
	tap_ok(b.data == NULL && b.capacity == 0, "freeing twice is harmless");
}

static void
test_queue(void)
{
	struct buf b = {0};
	unsigned char next_in = 0, next_out = 0;
	bool is_in_order = true;
	size_t most = 0;

	for (int round = 0; round < 5000; round++) {
		for (int i = 0; i < 7; i++)
			buf_add_char(&b, (char)next_in++);
		while (b.size > 20) {
			is_in_order = is_in_order && (unsigned char)b.data[0] == next_out++;
			buf_consume(&b, 1);
		}
		is_in_order = is_in_order && b.data[b.size] == '\0';
		if (b.capacity > most)
			most = b.capacity;
	}
	tap_ok(is_in_order, "bytes leave in the order they came in, always followed by a NUL");
	tap_ok(most <= 256, "a queue that stays short does not grow with what went through it");
	buf_consume(&b, 1000);
	tap_is_number((long long)b.size, 0, "consuming more than there is empties the buffer");
	buf_add_text(&b, "again");
	tap_is(buf_text(&b), "again", "an emptied queue can be used again");
	buf_free(&b);
}

static void
test_reserve(void)
{
	struct buf b = {0};
	char *room = buf_reserve(&b, 1000);

	memcpy(room, "abc", 3);
	buf_grow(&b, 3);
	tap_is(buf_text(&b), "abc", "reserved bytes are taken into use");
	tap_ok(buf_reserve(&b, 900) == b.data + 3, "reserving less than there is left does not move the bytes");
	buf_add(&b, "\0d", 2);
	tap_is_number((long long)b.size, 5, "a NUL inside is counted like any byte");
	buf_free(&b);
}

static void
test_take(void)
{
	struct buf b = {0};
	char *text = buf_take(&b);

	tap_is(text, "", "taking from an empty buffer gives an empty text, never NULL");
	free(text);
	buf_add_text(&b, "xxtaken");
	buf_consume(&b, 2);
	text = buf_take(&b);
	tap_is(text, "taken", "what was consumed is not part of the text that is taken");
	tap_ok(b.data == NULL && b.size == 0, "the buffer is empty after its text was taken");
	free(text);
}

static void
test_wipe(void)
{
	struct buf b = {0};

	buf_wipe(&b);
	tap_ok(b.data == NULL, "wiping an empty buffer is harmless");
	buf_add_text(&b, "secret");
	buf_consume(&b, 3);
	buf_wipe(&b);
	tap_ok(b.data == NULL && b.size == 0 && b.consumed == 0, "a wiped buffer is empty");
	buf_wipe_rest(&b);
	buf_add_text(&b, "secret, text, secret");
	buf_consume(&b, 8);
	buf_truncate(&b, 4);
	buf_wipe_rest(&b);
	tap_is(buf_text(&b), "text", "wiping the rest leaves what is in use");
	tap_ok(memcmp(b.data - b.consumed, "\0\0\0\0\0\0\0\0text\0\0\0\0\0\0\0\0\0\0", 22) == 0,
	       "and nothing before or behind it");
	buf_consume(&b, 4);
	buf_wipe_rest(&b);
	tap_ok(memcmp(b.data, "\0\0\0\0\0\0\0\0\0\0\0\0", 12) == 0, "nothing at all of what was sent whole");
	buf_free(&b);
}

int
main(void)
{
	test_building();
	test_queue();
	test_reserve();
	test_take();
	test_wipe();
	return tap_end();
}
