/* digest_test.c - fingerprints and pins as text and bytes. */

#include "config.h"

#include "net/digest.h"
#include "tap.h"

static const char sha256_hex[] = "000102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1e1f";
static const char sha256_base64[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/* How many bytes the text gives; -1 when it is refused as a fault of the configuration. */
static int
parse(bool (*parser)(struct str text, struct buf *b, struct err *err), const char *text)
{
	struct buf b = {0};
	struct err err = {0};
	int size = -1;

	if (parser(str_of(text), &b, &err))
		size = (int)b.size;
	else if (err.exit_code != EX_CONFIG)
		size = -2;
	for (int i = 0; i < size; i++)
		if ((unsigned char)b.data[i] != i % 32)
			size = -3;
	buf_free(&b);
	err_clear(&err);
	return size;
}

static void
test_fingerprints(void)
{
	tap_is_number(parse(digest_parse_fingerprint, sha256_hex), 32, "64 digits are a SHA256 fingerprint");
	tap_is_number(
		parse(digest_parse_fingerprint, "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13"), 20,
		"colons may stand between bytes; 40 digits are SHA1");
	tap_is_number(parse(digest_parse_fingerprint, "00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F"), 16,
	              "blanks may stand between bytes; 32 digits are MD5");
	tap_is_number(parse(digest_parse_fingerprint, "00:01:02"), -1, "another length is refused");
	tap_is_number(parse(digest_parse_fingerprint, ""), -1, "so is nothing");
	tap_is_number(parse(digest_parse_fingerprint, "0:0:01"), -1, "so is a split byte");
	tap_is_number(parse(digest_parse_fingerprint, "0g"), -1, "so is another letter");
	tap_is_number(digest_of_size(33), GNUTLS_DIG_UNKNOWN, "no algorithm has digests of 33 bytes");
}

static void
test_pins(void)
{
	struct buf text = {0};
	struct buf pin = {0};
	unsigned char octets[DIGEST_SHA256_SIZE] = {0};

	for (unsigned char i = 0; i < sizeof(octets); i++)
		octets[i] = i;
	digest_add_pin(octets, &pin);
	tap_ok(pin.size == 7 + strlen(sha256_base64) && strcmp(buf_text(&pin) + 7, sha256_base64) == 0,
	       "a pin is shown as sha256/BASE64");
	tap_is_number(parse(digest_parse_pins, buf_text(&pin)), 32, "and read as that");
	tap_is_number(parse(digest_parse_pins, sha256_hex), 32, "hex will do");
	buf_printf(&text, "%s,  sha256//%s %s,", buf_text(&pin), sha256_base64, sha256_hex);
	tap_is_number(parse(digest_parse_pins, buf_text(&text)), 96, "several are separated by commas or blanks");
	buf_clear(&pin);
	octets[0] = 0xff;
	digest_add_pin(octets, &pin);
	for (int n_slashes = 1; n_slashes <= 2; n_slashes++) {
		struct buf parsed = {0};
		struct err err = {0};

		buf_clear(&text);
		buf_printf(&text, "sha256%s%s", n_slashes == 1 ? "/" : "//", buf_text(&pin) + 7);
		tap_ok(digest_parse_pins(buf_str(&text), &parsed, &err) && parsed.size == sizeof(octets) &&
		               memcmp(parsed.data, octets, sizeof(octets)) == 0,
		       "a digest that begins with a slash is read after %d slashes", n_slashes);
		buf_free(&parsed);
		err_clear(&err);
	}
	tap_is_number(parse(digest_parse_pins, ""), -1, "none at all is refused");
	tap_is_number(parse(digest_parse_pins, " , "), -1, "so are separators alone");
	tap_is_number(parse(digest_parse_pins, "sha256/AAECAw=="), -1, "so is one that is too short");
	tap_is_number(parse(digest_parse_pins, "sha256/"), -1, "so is one without bytes");
	tap_is_number(parse(digest_parse_pins, "sha1/AAECAw=="), -1, "so is another algorithm");
	buf_free(&text);
	buf_free(&pin);
}

int
main(void)
{
	test_fingerprints();
	test_pins();
	return tap_end();
}
