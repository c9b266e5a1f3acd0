/* sign_test.c - the keys that are taken, the signatures of RFC 8463 appendix A to the letter, and what is made of a message.
 *
 * That other programs verify what is signed here is shown by tests/dkim.bats. */

#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/mem.h"
#include "deliver/sign.h"
#include "mail/dkim.h"
#include "message_kit.h"
#include "net/digest.h"
#include "net/gnutls.h"

/* RFC 8463 A.2, in the form of a file: the key of RFC 8032 7.1. Then A.2's RSA key, which is too short by RFC 8301, and one
 * that is not. */
static const char ed25519_key[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	"-----END PRIVATE KEY-----\n";

static const char short_rsa_key[] =
	"-----BEGIN RSA PRIVATE KEY-----\n"
	"MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi\n"
	"Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM\n"
	"KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\n"
	"AoGAH0cxOhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm\n"
	"6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQpbRqE7Tm5SxKjvvQoZZe\n"
	"zHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy\n"
	"6enGVj2kWF732CoWFZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8Gc\n"
	"uSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/dDmZp243044ZNyxjg+/OPN0oWCbXIGxy\n"
	"WvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxd\n"
	"WFV6Z7ULnKyV7HSVYF0hgYOHjeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1a\n"
	"licIeVlo1e+qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKfIcst\n"
	"o7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//5qDZ2UiDGnOe\n"
	"uEzxBDAr518Z8VFbR41in3W4Y3yCDgQlLlcETrS+zYcL\n"
	"-----END RSA PRIVATE KEY-----\n";

static const char rsa_key[] =
	"-----BEGIN RSA PRIVATE KEY-----\n"
	"MIIEowIBAAKCAQEA88+kkin50HiP1+NazXsuB+LQUaE03xL1iJMdFYWwENjCnJcQ\n"
	"0WaxFtXTMrJXcLLC8rlmTh8BKjwaEp3FQwbLrHRhLTOkg+YXlUBsI76/sSNOCZg/\n"
	"IddUAU6JMvLORNIWQ9VazZiUcN2w8AdZV7RzzGxqRXCw+mJTkd6CTXziLmiAwlH2\n"
	"/giou0lrPfFsY8KFKRl+YJJYv2JjLb4tsdHSlwmwgpH48GdjTVN8HVD9opsiVjC1\n"
	"L4QZAZp6rmkAeBmhaindvLp2u8XJmOLmvIgLeMnlIpWQiMMngORIj9j/NB6IEBML\n"
	"8YYwknnisXXZWt3UZ52X6p4nKKlyDal0IGNpHQIDAQABAoIBADjkolWNQAM6ru5E\n"
	"2oKKlQI4Fj6GLK1FYlBda/MCwEQeIMOjqMQEf5yBhwgUf70HqeA0DUB7ka0GW1su\n"
	"v8JVSp/ShH6kx2YUAjrMzq9EqryuLV6lzU2bTroDVpax/BopIBLyLX8+dJ0lzk0k\n"
	"md+Sd1cjkWTk2BeFbFTkpGlqk+kZ+x8H0nH1oGhQicG817jVAFs04GHgPrWHgW71\n"
	"7GNoHWxcQcAnT+1zybMy9z28/71uhd3II53nOkABRJQkX1/Yr6+coV8Dty4ysDnF\n"
	"Fl5v9bGBNklAxr9zHawVgrfzwQurXC+IlJ/WpvGqeJkjhFlUpjrmI8GXfoxUmVCL\n"
	"8UhWdg0CgYEA/KI+MxNCphHOXg5nD2ju9VPQ+w34difzhF2rtmI0Qdddzxy1JWf3\n"
	"e+y1oOhPGsP7TySfaBdSpXR9pIw72fMAhN/RuDsLogfYJH/0WjYdUBEl5/UYeicI\n"
	"EDUJq4sc9U3RpH4pT53CGvokHQwA5YWLMfuVIA4l56E/o43QhD613hMCgYEA9w9O\n"
	"FBIClc4Kgmi63fszBm4ps7zrzKICTCHBfYhaxuTFm4UDnFzm51gaCma0FsFkdgg8\n"
	"ucBHaUkw6hBIT3Hc+T+HhSV2ajTXwlE0ld+vJRuxuBGIRP985qoHQuryj1MVs1yI\n"
	"uf5OI+KrRiFC+fIhvsUU/smd3CGzVVGB9eLrwg8CgYEAlbund+gzeXBWSuLobHa6\n"
	"IoeB9jqqh4VYTJykGF4OMPPvssCGENyVD0sVv3/Q2sFLovXG0Q/5uPzZNvyywJPJ\n"
	"O/fYOgQs+eUCU2fPMOSf7QOs3tUio8uceNamm5jBGhb8aS0pWPncwNZ/LwQdR+wl\n"
	"uwMsuKoKB0ZIDK0R6D+u1ScCgYBl5K0KAAeK6yhQcosnRBPeQg727yK9CdAyv/VC\n"
	"JbtyriWFp40+rt4YabCLu6HohKg/OdR5s4CAPsxqrH52LXq6XWYyFqpI0TRvEvjC\n"
	"Gzfr8QkR5kEyW8CSjWtjQOz7CYQ4riBBvU1S5YhH6y3pUeBzAmtPTa3KfSeuN2iH\n"
	"FaiwJwKBgHz9b7DJehsH64cjGtn8joPJ8hpTIrE305cYUbQBdWBFtE+xZ6DJChBW\n"
	"ocJZe2bBONd1bmpFdGhZqz3Kkp6aufz1qpTlbsQ78ggijn4f+e/4dO5JkMhk/Gh5\n"
	"nzl8xMghIfuGqyJCCj9YnjJhK3i//gBFt5VoXLVvIfb0WJN+FgZj\n"
	"-----END RSA PRIVATE KEY-----\n";

static char folder[] = "/tmp/sign_test.XXXXXX";

/* The path of a new file with this text; the caller's. */
static char *
write_file(const char *name, const char *text, unsigned mode)
{
	struct buf path = {0};
	int fd;

	buf_printf(&path, "%s/%s", folder, name);
	fd = open(buf_text(&path), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fchmod(fd, mode) != 0)
		abort();
	close(fd);
	return buf_take(&path);
}

static struct account
account_of(const char *first, const char *second)
{
	struct account account = {0};

	account_init(&account);
	account.dkim_domain = mem_copy_string("example.com");
	account.dkim_selector = mem_copy_string("one");
	account.dkim_key_file = write_file("first", first, 0600);
	if (second == NULL)
		return account;
	account.dkim_selector2 = mem_copy_string("two");
	account.dkim_key_file2 = write_file("second", second, 0600);
	return account;
}

static void
opening_fails(struct account account, const char *text, const char *hint, const char *title)
{
	struct signer signer = {0};
	struct err err = {0};
	bool is_open = sign_open(&signer, &account, &err);

	if (!tap_ok(!is_open && signer.n_keys == 0 && strstr(buf_text(&err.text), text) != NULL &&
	                strstr(buf_text(&err.hint), hint) != NULL,
	            "%s", title))
		tap_note("%s; hint: %s", buf_text(&err.text), buf_text(&err.hint));
	err_clear(&err);
	sign_close(&signer);
	account_free(&account);
}

static void
test_keys(void)
{
	struct account account = account_of(rsa_key, ed25519_key);
	struct signer signer = {0};
	struct err err = {0};

	tap_ok(sign_open(&signer, &account, &err) && signer.n_keys == 2 && strcmp(signer.keys[0].algorithm, "rsa-sha256") == 0 &&
	           strcmp(signer.keys[1].algorithm, "ed25519-sha256") == 0,
	       "an RSA and an Ed25519 key");
	sign_close(&signer);
	sign_close(&signer);
	tap_ok(signer.n_keys == 0, "closing twice is harmless");
	account_free(&account);
	account_init(&account);
	tap_ok(!sign_is_wanted(&account) && sign_open(&signer, &account, &err) && signer.n_keys == 0,
	       "an account without dkim_domain needs no key");
	account_free(&account);

	opening_fails(account_of(short_rsa_key, NULL), "a key of 1024 bits", "RSA keys of 2048 to 4096 bits", "an RSA key of 1024 bits is refused");
	opening_fails(account_of(rsa_key, short_rsa_key), "dkim_key_file2: ", "RSA keys", "so is the second one, by its name");
	opening_fails(account_of("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", NULL), "is no private key in PEM form",
	              "openssl genpkey", "what is no key is refused");
	opening_fails(account_of("", NULL), "is no private key in PEM form", "openssl genpkey", "so is an empty file");
	account = account_of(rsa_key, NULL);
	unlink(account.dkim_key_file);
	opening_fails(account, "No such file", "", "a file that is not there");
}

/* Only the owner may be able to read the key; root is asked as somebody else, in a child. */
static void
test_rights(void)
{
	struct account account = account_of(ed25519_key, NULL);
	struct signer signer = {0};
	struct err err = {0};
	int status = 0;
	pid_t pid;

	free(account.dkim_key_file);
	account.dkim_key_file = write_file("open", ed25519_key, 0640);
	if (chmod(folder, 0755) != 0 || (geteuid() == 0 && chown(account.dkim_key_file, 65534, 65534) != 0))
		abort();
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		bool is_open = (geteuid() != 0 || setuid(65534) == 0) && sign_open(&signer, &account, &err);

		_exit(!is_open && strstr(buf_text(&err.text), "must be closed to others, but its mode is 0640") != NULL &&
		              strstr(buf_text(&err.hint), "chmod 600 ") != NULL
		          ? 0
		          : 1);
	}
	tap_ok(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "a key that others may read is refused");
	account_free(&account);
}

/* --- RFC 8463 appendix A --------------------------------------------------------------------------------------------------- */

static const char rfc_section[] =
	"From: Joe SixPack <joe@football.example.com>\n"
	"To: Suzie Q <suzie@shopping.example.net>\n"
	"Subject: Is dinner ready?\n"
	"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\n"
	"Message-ID: <20030712040037.46341.5F8J@football.example.com>\n";
static const char rfc_body[] = "Hi.\n\nWe lost the game.  Are you hungry yet?\n\nJoe.\n";

static void
take_piece(void *context, struct str bytes)
{
	buf_add_str(context, bytes);
}

/* Sign the bytes of the example for this field: Ed25519 over the digest, RSA over the bytes. */
static void
signature_is(const char *pem, bool is_rsa, const char *value, const char *expected, const char *title)
{
	const gnutls_datum_t file = {.data = (unsigned char *)(uintptr_t)pem, .size = (unsigned)strlen(pem)};
	unsigned char digest[DIGEST_SHA256_SIZE] = {0};
	struct buf text = {0}, found = {0};
	gnutls_datum_t data, signature = {0};
	gnutls_privkey_t key = NULL;

	dkim_add_named(&text, str_of(rfc_section), STR("from : to : subject : date : message-id : from : subject : date"));
	dkim_add_field(&text, STR("DKIM-Signature"), str_of(value));
	gnutls_privkey_init(&key);
	gnutls_privkey_import_x509_raw(key, &file, GNUTLS_X509_FMT_PEM, NULL, 0);
	gnutls_hash_fast(GNUTLS_DIG_SHA256, text.data, text.size, digest);
	data = is_rsa ? (gnutls_datum_t){(unsigned char *)text.data, (unsigned)text.size} : (gnutls_datum_t){digest, sizeof(digest)};
	if (gnutls_privkey_sign_data2(key, is_rsa ? GNUTLS_SIGN_RSA_SHA256 : GNUTLS_SIGN_EDDSA_ED25519, 0, &data, &signature) >= 0)
		base64_encode(&found, str_make((char *)signature.data, signature.size));
	tap_is(buf_text(&found), expected, title);
	gnutls_free(signature.data);
	gnutls_privkey_deinit(key);
	buf_free(&text);
	buf_free(&found);
}

static void
test_rfc_8463(void)
{
	unsigned char digest[DIGEST_SHA256_SIZE] = {0};
	struct buf text = {0}, hash = {0};
	struct dkim_body body = {.add = take_piece, .context = &text};

	dkim_body_add(&body, str_of(rfc_body));
	dkim_body_end(&body);
	gnutls_hash_fast(GNUTLS_DIG_SHA256, text.data, text.size, digest);
	base64_encode(&hash, str_make((char *)digest, sizeof(digest)));
	tap_is(buf_text(&hash), "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=", "RFC 8463 A.3: the hash of the body");
	buf_free(&text);
	buf_free(&hash);
	signature_is(ed25519_key, false,
	             " v=1; a=ed25519-sha256; c=relaxed/relaxed;\n"
	             " d=football.example.com; i=@football.example.com;\n"
	             " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\n"
	             " subject : date : message-id : from : subject : date;\n"
	             " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n b=",
	             "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==",
	             "RFC 8463 A.3: the signature by Ed25519, to the letter");
	signature_is(short_rsa_key, true,
	             " v=1; a=rsa-sha256; c=relaxed/relaxed;\n"
	             " d=football.example.com; i=@football.example.com;\n"
	             " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\n"
	             " date : message-id : from : subject : date;\n"
	             " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n b=",
	             "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz"
	             "dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=",
	             "RFC 8463 A.3: the signature by RSA, to the letter");
}

/* --- messages --------------------------------------------------------------------------------------------------------------- */

static struct kit_result
sign(const struct account *account, const struct message *message, const char **why_not)
{
	struct kit_result result = {0};
	struct signer signer = {0};

	result.is_well = sign_open(&signer, account, &result.err) &&
	                 sign_message(&signer, message, &result.message, why_not, &result.err);
	if (result.is_well && result.message.is_open)
		kit_read_back(&result);
	sign_close(&signer);
	return result;
}

static bool
has_right_facts(const struct kit_result *result)
{
	struct message_rules rules = {.repairs_nothing = true};
	struct kit_result again = kit_read(buf_str(&result->kept), rules, NULL);
	bool holds = kit_is_same(&again, result);

	kit_free(&again);
	return holds;
}

static size_t
count(const struct buf *text, const char *wanted)
{
	size_t n = 0;

	for (const char *at = buf_text(text); (at = strstr(at, wanted)) != NULL; at++)
		n++;
	return n;
}

static void
check(const struct account *account, struct str text, const char *title)
{
	struct message_rules rules = {.repairs_nothing = true};
	struct kit_result in = kit_read(text, rules, NULL);
	const char *why_not = NULL;
	struct kit_result out = sign(account, &in.message, &why_not), again = sign(account, &in.message, &why_not);
	struct str kept = buf_str(&out.kept);

	tap_ok(out.is_well && why_not == NULL && count(&out.kept, "DKIM-Signature: ") == 2 && kept.size > in.kept.size &&
	           str_equals(str_from(kept, kept.size - in.kept.size), buf_str(&in.kept)),
	       "%s: both signatures stand in front, and nothing else changes", title);
	tap_ok(has_right_facts(&out), "%s: the facts are those of the new message", title);
	tap_ok(str_equals(buf_str(&again.kept), kept), "%s: signed again, it is the same to the letter", title);
	kit_free(&in);
	kit_free(&out);
	kit_free(&again);
}

static void
test_messages(void)
{
	struct account account = account_of(rsa_key, ed25519_key);
	struct buf large = {0};

	check(&account, STR("From: a@example.com\nSubject: s\n\nhello\n"), "a small message");
	check(&account, STR("From: a@sub.example.com\n\n"), "a message without text");
	check(&account, STR("From: a@example.com\nSubject: caf\xc3\xa9\n\n\xe9\n"), "8-bit octets in both parts");
	buf_add_text(&large, "From: a@example.com\n\n");
	while (large.size < 700000)
		buf_add_text(&large, "a line of a message that does not fit into memory\n\n");
	check(&account, buf_str(&large), "a message in a spool file");
	buf_free(&large);
	account_free(&account);
}

static void
test_unsigned(void)
{
	struct account account = account_of(ed25519_key, NULL);
	struct message_rules rules = {.repairs_nothing = true};
	struct kit_result in = kit_read(STR("From: a@example.net\n\nx\n"), rules, NULL);
	const char *why_not = NULL;
	struct kit_result out = sign(&account, &in.message, &why_not);

	tap_ok(out.is_well && !out.message.is_open && why_not != NULL, "mail from another domain is not signed: %s", why_not);
	kit_free(&in);
	kit_free(&out);
	account_free(&account);
}

int
main(void)
{
	struct err err = {0};
	char path[sizeof(folder) + 16];

	if (mkdtemp(folder) == NULL || !gnutls_load(&err))
		return 99;
	test_keys();
	test_rights();
	test_rfc_8463();
	test_messages();
	test_unsigned();
	for (const char *const *name = (const char *const[]){"first", "second", "open", NULL}; *name != NULL; name++) {
		snprintf(path, sizeof(path), "%s/%s", folder, *name);
		unlink(path);
	}
	rmdir(folder);
	return tap_end();
}
