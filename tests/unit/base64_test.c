/* base64_test.c - behaviour of base/base64.c. */

#include "config.h"

#include "base/base64.h"
#include "tap.h"

/* The examples of RFC 4648 section 10. */
static const struct {
	const char *data;
	const char *text;
} examples[] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
};

static const char *const refused[] = {
	"Zg",    "Zg=",  "Zg===", "=Zg=", "Z===", "====",  "Zm8=Zm8=", "Zm9v\n",   " Zm9v",
	"Zm9v ", "Zm-v", "Zm_v",  "Zh==", "Zm9=", "Zm9v=", "Zm\x80v",  "Zg==Zg==",
};

static void
test_examples(void)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		struct buf text = {0}, data = {0};

		base64_encode(&text, str_of(examples[i].data));
		tap_ok(strcmp(buf_text(&text), examples[i].text) == 0, "'%s' is written as '%s'", examples[i].data,
		       examples[i].text);
		tap_ok(base64_decode(&data, str_of(examples[i].text)) && strcmp(buf_text(&data), examples[i].data) == 0,
		       "'%s' is read as '%s'", examples[i].text, examples[i].data);
		buf_free(&text);
		buf_free(&data);
	}
}

static void
test_refused(void)
{
	struct buf b = {0};

	buf_add_text(&b, "before");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		tap_ok(!base64_decode(&b, str_of(refused[i])) && strcmp(buf_text(&b), "before") == 0,
		       "text %zu, which is not base64, is refused and leaves nothing behind", i);
	tap_ok(!base64_decode(&b, STR("Zg\0=")), "a NUL is not base64");
	buf_free(&b);
}

static void
test_all_octets(void)
{
	struct buf data = {0}, text = {0}, again = {0};
	char *room;

	for (int i = 0; i < 256; i++)
		buf_add_char(&data, (char)i);
	room = buf_reserve(&text, 344);
	base64_encode(&text, buf_str(&data));
	tap_ok(text.size == 344 && text.data == room, "the size of the text is known before it is written");
	tap_ok(base64_decode(&again, buf_str(&text)) && str_equals(buf_str(&again), buf_str(&data)),
	       "all octets come back as they went");
	buf_free(&data);
	buf_free(&text);
	buf_free(&again);
}

int
main(void)
{
	test_examples();
	test_refused();
	test_all_octets();
	return tap_end();
}
